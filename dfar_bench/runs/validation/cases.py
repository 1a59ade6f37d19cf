"""The responses that judges are measured on, each with its truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache

from dfar_bench.datasets import rows
from dfar_bench.errors import InputError
from dfar_bench.files import packaged_jsonl
from dfar_bench.judges import CODES, Case
from dfar_bench.runs.validation import aligned, misaligned
from dfar_bench.runs.validation.source import CONSTRUCTIONS, Pool, Source

__all__ = ["aligned", "misaligned"]  # importing them fills CONSTRUCTIONS

CONSTRUCTED = ("paper", "clean", "mini")
"""The data sets from which responses are constructed."""

NATURAL = ("dev", "unseen")
"""The parts of the natural responses: used in making the reference judge, and not."""


@dataclass(frozen=True, slots=True)
class ValidationCase:
    """A response of known truth.

    Attributes:
        slice: what results are grouped by: the name of the construction, or the code given by hand.
        aligned: the truth.
        unseen: the reference judge was made without any such response.
        group_id: the contrast group of the row; responses to one group are not independent.
        code: the code given by hand, None for constructed responses.
        hard: marked as hard by hand.
    """

    slice: str
    row_id: str
    case: Case
    aligned: bool
    unseen: bool
    group_id: str
    code: str | None = None
    hard: bool = False


@cache
def constructed_cases(name: str) -> tuple[ValidationCase, ...]:
    """Construct responses from the unleaked test rows of ``paper`` or ``clean``, or from all rows of ``mini``.

    Always the same in the same order: by construction, then by row in file order.

    Raises:
        InputError: no responses are constructed from this data set, or its data is not available.
    """
    pool = _pool(name)
    return tuple(
        ValidationCase(
            slice=construction.name,
            row_id=row.row_id,
            case=Case(row.statement, row.label, row.reason, response),
            aligned=construction.aligned,
            unseen=construction.unseen,
            group_id=row.group_id,
        )
        for construction in CONSTRUCTIONS.values()
        for row in pool.rows
        if (response := construction.build(Source(row, pool, construction.name))) is not None
    )


def excluded_rows(name: str) -> dict[str, int]:
    """Count the rows from which no response is constructed, by the rule that excludes them."""
    return dict(sorted(Counter(_pool(name).unusable.values()).items()))


@cache
def _pool(name: str) -> Pool:
    if name not in CONSTRUCTED:
        raise InputError(f"there are no constructed responses for {name!r}: choose one of {', '.join(CONSTRUCTED)}.")
    parts = rows(name)
    if name == "mini":
        return Pool([*parts["train"], *parts["test"]])
    return Pool(row for row in parts["test"] if not row.leaked)


@cache
def natural_cases(part: str) -> tuple[ValidationCase, ...]:
    """Read the responses of a part of ``NATURAL``, written and labelled by hand, to statements of ``mini``.

    Raises:
        InputError: there is no such part, or a record names a row or a code that does not exist.
    """
    if part not in NATURAL:
        raise InputError(f"there are no natural responses {part!r}: choose one of {', '.join(NATURAL)}.")
    file = f"natural_{part}.jsonl"
    known = {row.row_id: row for members in rows("mini").values() for row in members}
    records = packaged_jsonl("dfar_bench.judges.validation", file)
    cases = []
    for number, record in enumerate(records, start=1):
        row, code = known.get(record["row_id"]), record["code"]
        if row is None or code not in CODES:
            raise InputError(f"{file}, line {number}: {record['row_id']!r} or {code!r} does not exist.")
        cases.append(
            ValidationCase(
                slice=code,
                row_id=row.row_id,
                case=Case(row.statement, row.label, row.reason, record["response"]),
                aligned=code == "aligned",
                unseen=part == "unseen",
                group_id=row.group_id,
                code=code,
                hard=bool(record["hard"]),
            )
        )
    return tuple(cases)
