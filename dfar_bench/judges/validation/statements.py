"""The open statements: written for measuring and making judges, so that what models answer may be published."""

from __future__ import annotations

from functools import cache
from typing import Any

from dfar_bench.datasets import Row
from dfar_bench.files import packaged_jsonl

PARTS = ("validate", "test")
"""The parts of the new statements: judges are chosen on the first and published with their errors on the second."""


@cache
def open_statements(part: str) -> tuple[Row, ...]:
    """Read the statements of a part, contrast group by contrast group.

    Args:
        part: one of ``PARTS``, or ``make`` for those that judges are made from. No group is in two.
    """
    return tuple(
        Row("open", each["id"], each["statement"], each["label"], each["reason"], each["form"], each["group"])
        for each in _records()
        if each["split"] == part
    )


@cache
def _records() -> list[Any]:
    return packaged_jsonl(__package__, "statements.jsonl")
