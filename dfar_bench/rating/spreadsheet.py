"""CSV files that spreadsheet programs open as text in UTF-8, never as formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from dfar_bench.errors import InputError

# What begins like a formula (OWASP, "CSV injection"), or like one that is guarded already, so that it can be undone.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
# A formula at the start of a cell for programs that split the file at other delimiters.
_INNER_FORMULA = re.compile(r"([;,\t\r\n]\s*)(?=[=+\-@＝＋－＠])")


def guard(text: str) -> str:
    """Put an apostrophe wherever a spreadsheet could take what follows for a formula."""
    text = _INNER_FORMULA.sub(r"\1'", text)
    return f"'{text}" if _FORMULA.match(text) else text


def unguard(text: str) -> str:
    """Remove the apostrophe that ``guard`` put at the beginning of a text."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def as_csv(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> bytes:
    """Format a CSV file with a byte order mark, by which Excel recognizes UTF-8; lone surrogates become "?"."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([guard(cell) for cell in line] for line in lines)
    return out.getvalue().encode("utf-8-sig", errors="replace")


def read_csv(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Read a CSV file separated by comma, semicolon or tab, as spreadsheet programs of different countries save it.

    Returns:
        (line number, column -> text) of each line that is not empty; columns in lower case, texts stripped and
        unguarded.

    Raises:
        InputError: it cannot be read, is not CSV in UTF-8, or lacks a column.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): name a sheet that a rater filled in.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8: save it again as “CSV UTF-8”.") from None
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    records = []
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        if missing := [name for name in columns if name not in reader.fieldnames]:
            raise InputError(
                f"{path} has no column {', '.join(missing)}: use the sheet with its columns, or the page's download."
            )
        for record in reader:
            if None in record or None in record.values():
                raise InputError(
                    f"{path}, line {reader.line_num}: not as many cells as columns; save the sheet as CSV."
                )
            records.append((reader.line_num, {name: unguard(cell.strip()) for name, cell in record.items()}))
    except csv.Error as error:
        raise InputError(f"{path} is not a well-formed CSV file ({error}): save the sheet again as CSV.") from None
    return [(number, record) for number, record in records if any(record.values())]
