"""The constructed responses of a split, each with its truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache

from dfar_bench.data import Row, rows
from dfar_bench.errors import InputError
from dfar_bench.judges import Case
from dfar_bench.validity import empties, negatives, positives
from dfar_bench.validity.kinds import KINDS, Context

SPLITS = ("paper", "clean", "mini")
"""The splits that have constructed responses."""

# Importing them fills ``KINDS``.
BUILDERS = (negatives, empties, positives)


@dataclass(frozen=True, slots=True)
class Item:
    """A response of known truth.

    Attributes:
        kind: how it came about: a name in ``KINDS``, or ``natural_dev`` and ``natural_unseen``.
        aligned: the truth.
        unseen: whether the reference judge was made without any response of the kind.
        group_id: the contrast group of the row; responses to one group are not independent.
        code: why it is or is not aligned, where a person said so; None for constructed ones.
        hard: whether a person marked it as hard.
    """

    kind: str
    row_id: str
    case: Case
    aligned: bool
    unseen: bool
    group_id: str
    code: str | None = None
    hard: bool = False


@cache
def items(split: str) -> tuple[Item, ...]:
    """All constructed responses: of the unleaked test rows of ``paper`` or ``clean``, or of all rows of ``mini``.

    Always the same ones in the same order: kind by kind, rows in file order.

    Raises:
        InputError: there is no such split here, or its data is not to be had.
    """
    context = _context(split)
    return tuple(
        Item(
            kind=kind.name,
            row_id=row.row_id,
            case=Case(row.statement, row.label, row.reason, response),
            aligned=kind.aligned,
            unseen=kind.unseen,
            group_id=row.group_id,
        )
        for kind in KINDS.values()
        for row in context.rows
        if (response := kind.build(row, context)) is not None
    )


def dropped(split: str) -> dict[str, int]:
    """How many rows of a split no response is built from, by the rule that excludes them."""
    return dict(sorted(Counter(_context(split).dropped.values()).items()))


@cache
def _context(split: str) -> Context:
    return Context(_rows(split))


def _rows(split: str) -> list[Row]:
    if split not in SPLITS:
        raise InputError(f"there are no constructed responses for {split!r}: choose one of {', '.join(SPLITS)}.")
    found = rows(split)
    if split == "mini":
        return [*found["train"], *found["test"]]
    return [row for row in found["test"] if not row.leaked]
