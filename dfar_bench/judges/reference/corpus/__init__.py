"""What reference judges are made from, beside answers of real models: rows in no test set, and written arguments."""

from __future__ import annotations

from typing import Any

from dfar_bench.datasets import Row, rows
from dfar_bench.files import packaged_jsonl
from dfar_bench.text import normalize


def fitting_rows() -> list[Row]:
    """Return the published train rows whose statement is in no test set (paper's or clean split's), each once."""
    tested = {normalize(row.statement) for name in ("paper", "clean") for row in rows(name)["test"]}
    distinct: dict[str, Row] = {}
    for row in rows("paper")["train"]:
        if normalize(row.statement) not in tested:
            distinct.setdefault(normalize(row.statement), row)
    return list(distinct.values())


def corpus(name: str) -> list[Any]:
    """Read what was written for this purpose: ``pairs``, ``siblings`` or ``generic``."""
    return packaged_jsonl(__package__, f"{name}.jsonl")
