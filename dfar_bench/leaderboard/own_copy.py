"""How a page finds the texts of rows in a reader's own copy of the published files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import cache
from typing import Any

from dfar_bench.datasets import Dataset, Row, get_dataset, read_published, rows


def key(row: Row) -> str:
    """Return where a row is in the published files, such as ``paper test:261`` (counted from 0)."""
    dataset = get_dataset(row.dataset)
    return f"{_published(dataset).name} {dataset.place(row)}"


@cache
def _keys(names: tuple[str, ...]) -> dict[str, str]:
    return {row.row_id: key(row) for name in names for part in rows(name).values() for row in part}


def keys(dataset: Dataset) -> dict[str, str]:
    """Return the key of every row that an answer to a data set may quote, by row id."""
    return _keys(dataset.quotes)


@cache
def layouts(name: str) -> list[dict[str, Any]]:
    """Describe the published files that hold the texts which answers to a data set may quote.

    A file is described if each statement is one cell of a CSV file. Other data can be shown from rows that were saved
    with ``dfar_bench.load(name)[part].to_json(path)``.

    Returns:
        For each file its header, separator, number of rows, the key of its rows up to their number, and the columns of
        statement and reason (None where there is none).
    """
    sources = dict.fromkeys(_published(get_dataset(other)).name for other in get_dataset(name).quotes)
    return [layout for source in sources for file in get_dataset(source).files for layout in _layouts(source, file)]


def _layouts(name: str, file: str) -> list[dict[str, Any]]:
    dataset = get_dataset(name)
    text = read_published(dataset, file)[0].decode("utf-8-sig", errors="replace")
    header = text.partition("\n")[0].strip()
    separator = max(",;\t", key=header.count)
    _, *records = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    found = []
    for part, members in rows(name).items():
        if (statement := _column(dataset, records, members, "statement")) is not None:
            reason = _column(dataset, records, members, "reason")
            layout = {"file": file, "header": header, "separator": separator, "rows": len(records)}
            found.append({**layout, "key": f"{name} {part}:", "statement": statement, "reason": reason})
    return found


def _column(dataset: Dataset, records: Sequence[Sequence[str]], members: Sequence[Row], field: str) -> int | None:
    """Return the column in which each row has its text, at its place."""
    cells = [(int(dataset.place(row).partition(":")[2]), getattr(row, field)) for row in members]
    if not records or not cells or max(cells)[0] >= len(records):
        return None
    for column in range(len(records[0])):
        if all(column < len(records[at]) and records[at][column] == text for at, text in cells):
            return column
    return None


def _published(dataset: Dataset) -> Dataset:
    """Return the data set whose files hold a data set's texts."""
    return dataset if dataset.files or not dataset.parents else get_dataset(dataset.parents[0])
