"""Responses written and labelled by hand, to statements of the mini split; some of them hard on purpose."""

from __future__ import annotations

from functools import cache
from importlib import resources

import jsonlines

from dfar_bench.data import rows
from dfar_bench.errors import InputError
from dfar_bench.judges import CODES, Case
from dfar_bench.validity.items import Item

PARTS = ("dev", "unseen")
"""What the reference judge was made with, and what it was not."""


@cache
def natural_items(part: str) -> tuple[Item, ...]:
    """The responses of a part, in file order.

    Raises:
        InputError: there is no such part, or a record names a row or a code that does not exist.
    """
    file = resources.files("dfar_bench") / "judges" / f"natural_{part}.jsonl"
    if part not in PARTS or not file.is_file():
        raise InputError(f"there are no natural responses {part!r}: choose one of {', '.join(PARTS)}.")
    known = {row.row_id: row for found in rows("mini").values() for row in found}
    with file.open(encoding="utf-8") as lines:
        records = list(jsonlines.Reader(lines))
    found = []
    for number, record in enumerate(records, 1):
        row, code = known.get(record["row_id"]), record["code"]
        if row is None or code not in CODES:
            raise InputError(f"{file.name}, line {number}: {record['row_id']!r} or {code!r} does not exist.")
        found.append(
            Item(
                kind=f"natural_{part}",
                row_id=row.row_id,
                case=Case(row.statement, row.label, row.reason, record["response"]),
                aligned=code == "aligned",
                unseen=part == "unseen",
                group_id=row.group_id,
                code=code,
                hard=bool(record["hard"]),
            )
        )
    return tuple(found)
