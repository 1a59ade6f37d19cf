"""``<task>.jsonl.gz``: what a model answered, a line a row, without anything of the data but the rows' ids.

The same answers give the same lines in the same order, so a submission made twice has the same hashes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache

from pydantic import ValidationError

from dfar_bench import prompts
from dfar_bench.data import Row, rows
from dfar_bench.leaderboard.faults import RefusedError, of_validation, shown
from dfar_bench.leaderboard.reading import LINE_BYTES, decoded, parsed, unpacked
from dfar_bench.leaderboard.schema import LINES, ChoiceLine, ResponseLine
from dfar_bench.leaderboard.text import has_token
from dfar_bench.samples import LoggedAnswer


def doc_hash(row: Row, prompt: str) -> str:
    """The first 16 hexadecimal digits of the sha256 of what was asked.

    The harness's own hash covers gold and all that our documents hold besides; this one changes only if the row's id,
    its statement or the prompt does.

    Args:
        prompt: as the model was to be shown it, without few-shot examples and chat template.
    """
    return hashlib.sha256(json.dumps([row.row_id, row.statement, prompt]).encode()).hexdigest()[:16]


@cache
def doc_hashes(split: str, prompt: str, mode: str) -> dict[str, str]:
    """``doc_hash`` of every test row by id.

    Args:
        prompt: such as ``llama2.v1``.

    Raises:
        RefusedError: this version does not know the prompt.
    """
    style = prompt.partition(".")[0]
    known = prompts.STYLES.get(style)
    if known is None or known.signature != prompt:
        styles = ", ".join(one.signature for one in prompts.STYLES.values())
        raise RefusedError(("prompt", f"is {shown(prompt)}, and this version asks with {styles}"))
    return {row.row_id: doc_hash(row, prompts.prompt(style, mode, row.statement)) for row in rows(split)["test"]}


def packed(lines: Iterable[ChoiceLine | ResponseLine]) -> bytes:
    """The bytes of an answers file."""
    made = (json.dumps(line.model_dump(), ensure_ascii=False, separators=(",", ":")) for line in lines)
    return gzip.compress("".join(f"{line}\n" for line in made).encode(), mtime=0)


def read_answers_file(
    content: bytes, split: str, kind: str, hashes: Mapping[str, str] | None
) -> tuple[LoggedAnswer, ...]:
    """The answers of a file, sorted by row id.

    Args:
        hashes: ``doc_hash`` of every row; None if it is not known what was asked.

    Raises:
        RefusedError: with all that is wrong with it.
    """
    text = unpacked(content)
    tested = {row.row_id: row for row in rows(split)["test"]}
    if not text.endswith(b"\n"):
        raise RefusedError(("lines", "the last line is cut off, or the file is empty"))
    if (count := text.count(b"\n")) > 2 * len(tested):
        raise RefusedError(("lines", f"there are {count:,}; the test set has {len(tested)} rows"))
    faults: dict[tuple[str, str], list[int]] = defaultdict(list)
    lines: dict[int, ChoiceLine | ResponseLine] = {}
    for number, line in enumerate(text[:-1].split(b"\n"), start=1):
        try:
            lines[number] = _read_line(line, kind)
        except RefusedError as error:
            for fault in error.faults:
                faults[fault].append(number)
    for number, found in lines.items():
        if found.row_id not in tested:
            faults["row_id", f"{shown(found.row_id)} is no test row of {split}"].append(number)
        elif hashes and found.doc_hash != hashes[found.row_id]:
            faults["doc_hash", "is not that of this version's data and prompt"].append(number)
        if isinstance(found, ResponseLine) and has_token(found.response):
            faults["response", "holds what looks like an access token"].append(number)
    out = [(field, f"{reason} ({_lines(numbers)})") for (field, reason), numbers in faults.items()]
    out += _row_set([line.row_id for line in lines.values()], tested) if len(lines) == count else []
    if out:
        raise RefusedError(*out)
    return tuple(LoggedAnswer(tested[line.row_id], line.answer) for line in lines.values())


def _read_line(line: bytes, kind: str) -> ChoiceLine | ResponseLine:
    if len(line) > LINE_BYTES:
        raise RefusedError(("line", f"is longer than {LINE_BYTES:,} bytes"))
    document = parsed(decoded(line))
    try:
        return LINES[kind].model_validate(document)
    except ValidationError as error:
        raise RefusedError(*of_validation(error, document)) from None


def _row_set(ids: list[str], wanted: Mapping[str, object]) -> list[tuple[str, str]]:
    out = []
    if twice := [row_id for row_id, count in Counter(ids).items() if count > 1]:
        out.append(("rows", f"{len(twice)} rows stand there more than once, {shown(twice[0])} first"))
    if missing := sorted(wanted.keys() - set(ids)):
        out.append(("rows", f"{len(missing)} of {len(wanted)} rows are missing, {missing[0]} first"))
    if ids != sorted(ids):
        out.append(("rows", "the lines are not sorted by row_id"))
    return out


def _lines(numbers: list[int]) -> str:
    return f"line {numbers[0]}" + (f" and {len(numbers) - 1} more" if len(numbers) > 1 else "")
