"""Parsing of published CSV files, with errors that name the row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from dfar_bench.errors import InputError


def read_csv(content: bytes, name: str, columns: Sequence[str], delimiter: str = ",") -> Iterator[list[str]]:
    """Yield the given columns of every record of a CSV file, texts untouched.

    Raises:
        InputError: the file is not UTF-8 or not well-formed, or lacks a column; or a row has an empty cell or too many.
    """
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True, delimiter=delimiter)
        if missing := set(columns) - set(reader.fieldnames or ()):
            raise InputError(f"{name} has no column {', '.join(sorted(missing))}: expected {delimiter.join(columns)}.")
        for number, record in enumerate(reader):
            if None in record:
                raise InputError(f"{name}, row {number}: there are more cells than columns; check the delimiter.")
            cells = [record[column] or "" for column in columns]
            for column, cell in zip(columns, cells):
                if not cell.strip():
                    raise InputError(f"{name}, row {number}: the column {column} is empty; every row needs it.")
            yield cells
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 (byte {error.start}): use the published file as it is.") from None
    except csv.Error as error:
        raise InputError(f"{name} is not a well-formed CSV file ({error}): use the published file as it is.") from None
