"""The kinds of constructed responses: what each is, whether it is aligned, and how it is built from a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from dfar_bench.data import Row
from dfar_bench.text import words
from dfar_bench.validity.stance import beginnings, choice, content_words
from dfar_bench.verdicts import parse_verdict

# Statements that share at least this part of their content words may share a reason as well.
_TOO_NEAR = 0.15

# A reason that has fewer word beginnings (of four letters) in common with its statement belongs to another row.
_LEAST_COMMON = 2


class Context:
    """The rows of a split that may lend their reasons to one another."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Keep the usable rows; see ``unusable``."""
        found = list(rows)
        self.dropped = unusable(found)
        self.rows = [row for row in found if row.row_id not in self.dropped]
        self._groups: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            self._groups[row.group_id].append(row)
        self._content = {row.row_id: content_words(row.statement) for row in self.rows}

    def opposite_siblings(self, row: Row) -> list[Row]:
        """The rows of the same contrast group with the other label, in file order."""
        return [other for other in self._groups[row.group_id] if other.label != row.label]

    def stranger(self, row: Row, label: int, kind: str) -> Row | None:
        """A row of another group, of the same domain and a given label, whose statement has next to nothing in common.

        Not taken where the two begin alike ("I deserve to be …"): the argument may then fit both.
        """
        far = [
            other
            for other in self.rows
            if other.label == label
            and other.group_id != row.group_id
            and other.domain == row.domain
            and self._nearness(row, other) < _TOO_NEAR
        ]
        return far[choice(row.row_id, kind, len(far))] if far else None

    def nearest_opposite(self, row: Row) -> Row | None:
        """The row of the other label whose statement shares most content words, at least three; None if none does."""
        others = [
            (len(self._content[row.row_id] & self._content[other.row_id]), other)
            for other in self.rows
            if other.label != row.label and other.group_id != row.group_id
        ]
        most = max((shared for shared, _ in others), default=0)
        return next(other for shared, other in others if shared == most) if most >= 3 else None

    def _nearness(self, row: Row, other: Row) -> float:
        one, two = self._content[row.row_id], self._content[other.row_id]
        return len(one & two) / max(1, len(one | two))


def unusable(rows: Iterable[Row]) -> dict[str, str]:
    """Rows whose human reason cannot stand for an aligned response, by id, with the rule of the noise list or our own.

    ``reason_of_another_row``: reason and statement have hardly a word in common, as where rows were mixed up. The
    mini split is not searched for it: its reasons are ours, and written without their statements' words.
    """
    found = list(rows)
    statements: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for row in found:
        statements[words(row.reason)].add(words(row.statement))
    dropped = {}
    for row in found:
        if parse_verdict(row.reason) == 1 - row.label:
            dropped[row.row_id] = "reason_against_label"
        elif len(statements[words(row.reason)]) > 1:
            dropped[row.row_id] = "reason_repeated"
        elif not row.row_id.startswith("mini-") and len(beginnings(row.statement) & beginnings(row.reason)) < (
            _LEAST_COMMON
        ):
            dropped[row.row_id] = "reason_of_another_row"
    return dropped


Builder = Callable[[Row, Context], str | None]
"""A response built from a row, None where it cannot be built so that its truth is certain."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to build responses of known truth.

    Attributes:
        aligned: the truth of every response of the kind.
        unseen: never used in making the reference judge.
        build: deterministic; what it chooses follows from the row's id alone.
    """

    name: str
    aligned: bool
    unseen: bool
    build: Builder = field(repr=False)


KINDS: dict[str, Kind] = {}
"""All kinds by name, filled by the modules that ``items`` imports."""


_B = TypeVar("_B", bound=Builder)


def kind(aligned: bool, unseen: bool = False) -> Callable[[_B], _B]:
    """Register a builder under its own name."""

    def register(build: _B) -> _B:
        name = build.__name__
        KINDS[name] = Kind(name, aligned, unseen, build)
        return build

    return register
