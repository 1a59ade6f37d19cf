"""``<task>.jsonl.gz``: what a model answered, a line a row, without anything of the data but the rows' ids.

A response that quotes the data stands there sealed, all others in clear; see ``seal``.

The same answers give the same lines in the same order, so a submission made twice has the same hashes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dfar_bench import prompts
from dfar_bench.data import Row, rows
from dfar_bench.leaderboard.faults import RefusedError, of_validation, shown
from dfar_bench.leaderboard.reading import ANSWERS_BYTES, LINE_BYTES, decoded, parsed, read_regular, unpacked
from dfar_bench.leaderboard.schema import LINES, TASKS, ChoiceLine, ResponseLine
from dfar_bench.leaderboard.seal import quotes, seal, unseal
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


def answer_line(logged: LoggedAnswer, asked: str) -> ChoiceLine | ResponseLine:
    """The line of an answer.

    Args:
        asked: ``doc_hash`` of its row.

    Raises:
        RefusedError: no submission may hold this answer.
    """
    row, answer = logged.row, logged.answer
    line = {"row_id": row.row_id, "doc_hash": asked}
    if not isinstance(answer, str):
        return _validated({**line, "log_likelihoods": list(answer)}, "cls")
    clear = _validated({**line, "response": answer}, "reason")
    return _validated({**line, "sealed": seal(row, answer)}, "reason") if quotes(row, answer) else clear


def packed(lines: Iterable[ChoiceLine | ResponseLine]) -> bytes:
    """The bytes of an answers file."""
    documents = (line.model_dump(exclude_none=True) for line in lines)
    made = (json.dumps(document, ensure_ascii=False, separators=(",", ":")) for document in documents)
    return gzip.compress("".join(f"{line}\n" for line in made).encode(), mtime=0)


def answers_in(path: str | Path) -> tuple[LoggedAnswer, ...]:
    """The answers of a ``<task>.jsonl.gz`` on disk with their rows, whatever was sealed of them opened.

    Raises:
        RefusedError: with all that is wrong with the file.
        InputError: the data to open it with is not at hand.
    """
    path = Path(path)
    task = path.name.removesuffix(".jsonl.gz")
    if task not in TASKS:
        raise RefusedError(("name", f"is not that of a task's answers; choose among {', '.join(TASKS)}"))
    return read_answers_file(read_regular(path, ANSWERS_BYTES), *TASKS[task], None)


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
    answers = []
    for number, found in lines.items():
        if (row := tested.get(found.row_id)) is None:
            faults["row_id", f"{shown(found.row_id)} is no test row of {split}"].append(number)
            continue
        if hashes and found.doc_hash != hashes[row.row_id]:
            faults["doc_hash", "is not that of this version's data and prompt"].append(number)
        try:
            answers.append(LoggedAnswer(row, _answer(row, found)))
        except RefusedError as error:
            for fault in error.faults:
                faults[fault].append(number)
    out = [(field, f"{reason} ({_lines(numbers)})") for (field, reason), numbers in faults.items()]
    out += _row_set([line.row_id for line in lines.values()], tested) if len(lines) == count else []
    if out:
        raise RefusedError(*out)
    return tuple(answers)


def _read_line(line: bytes, kind: str) -> ChoiceLine | ResponseLine:
    if len(line) > LINE_BYTES:
        raise RefusedError(("line", f"is longer than {LINE_BYTES:,} bytes"))
    return _validated(parsed(decoded(line)), kind)


def _validated(document: Any, kind: str) -> ChoiceLine | ResponseLine:
    try:
        return LINES[kind].model_validate(document)
    except ValidationError as error:
        raise RefusedError(*of_validation(error, document)) from None


def _answer(row: Row, line: ChoiceLine | ResponseLine) -> tuple[float, float] | str:
    """The answer in a line of a row; what was sealed must be as good as what was not, and nothing else is sealed."""
    if isinstance(line, ChoiceLine):
        return line.answer
    if line.sealed is None:
        field, text = "response", line.response or ""
        if quotes(row, text):
            raise RefusedError((field, "quotes the data: run submit again, which seals it"))
    else:
        field = "sealed"
        try:
            text = unseal(row, line.sealed)
        except ValueError:
            raise RefusedError((field, "does not open with the data: it is damaged, or another row's")) from None
        _validated({"row_id": line.row_id, "doc_hash": line.doc_hash, "response": text}, "reason")
        if not quotes(row, text):
            raise RefusedError((field, "quotes nothing of the data: run submit again, which leaves it in clear"))
    if has_token(text):
        raise RefusedError((field, "holds what looks like an access token"))
    return text


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
