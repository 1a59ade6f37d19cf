"""CSV that spreadsheet programs open as what it is: text, in UTF-8, never a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from dfar_bench.errors import InputError

# What begins like a formula (OWASP, "CSV injection"), or like one that has been made safe, so that it can be undone.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
# The same behind what another country's program, or a careless one, takes for the beginning of a cell.
_INNER_FORMULA = re.compile(r"([;,\t\r\n]\s*)(?=[=+\-@＝＋－＠])")


def guarded(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet could take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def shown(text: str) -> str:
    """A text for the eye, which need not be undone: safe also where a program divides it at semicolons or lines."""
    return guarded(_INNER_FORMULA.sub(r"\1'", text))


def unguarded(text: str) -> str:
    """What was given to ``guarded``."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def as_csv(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> bytes:
    """A CSV file with a byte order mark, by which Excel knows UTF-8; characters that are none become "?"."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([shown(cell) for cell in line] for line in lines)
    return out.getvalue().encode("utf-8-sig", errors="replace")


def read_csv(file: Path, needed: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """The records of a CSV file, separated by comma, semicolon or tab (as spreadsheets of many countries save it).

    Returns:
        (line number, column -> text), columns in lower case, texts stripped and unguarded, without empty lines.

    Raises:
        InputError: it cannot be read, is no CSV in UTF-8, or lacks a column.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}): name a sheet that a rater filled in.") from None
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8: save it again as “CSV UTF-8”.") from None
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        if missing := [name for name in needed if name not in reader.fieldnames]:
            raise InputError(
                f"{file} has no column {', '.join(missing)}: give the sheet as it was, or the page's file."
            )
        found = []
        for record in reader:
            if None in record or None in record.values():
                raise InputError(
                    f"{file}, line {reader.line_num}: not as many cells as columns; save the sheet as CSV."
                )
            found.append((reader.line_num, {name: unguarded(cell.strip()) for name, cell in record.items()}))
    except csv.Error as error:
        raise InputError(f"{file} is not a well-formed CSV file ({error}): save the sheet again as CSV.") from None
    return [(number, record) for number, record in found if any(record.values())]
