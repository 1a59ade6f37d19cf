"""``<task>.jsonl.gz``: what a model answered, one line per row, with nothing of the data but the rows' ids.

A response that quotes the data is stored as parts; see ``quotation``. Thoughts are left out, since only their length
counts. The same answers give the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError

from dfar_bench.datasets import Row, get_dataset, rows
from dfar_bench.errors import InputError
from dfar_bench.leaderboard.faults import RefusedError, of_validation, shown
from dfar_bench.leaderboard.privacy import has_token
from dfar_bench.leaderboard.quotation import MAX_RESPONSE, Part, literal_text, quote, quotes, restore
from dfar_bench.leaderboard.row_set import rows_of
from dfar_bench.leaderboard.schema import ChoiceLine, ResponseLine
from dfar_bench.leaderboard.untrusted import LINE_BYTES, MIB, parse, unpack
from dfar_bench.prompts import Prompt, find_condition, make_prompt, styles_of
from dfar_bench.reading import without_thought
from dfar_bench.scoring import Output, Task

ANSWERS_BYTES = 8 * MIB

Stored = str | list[Part] | tuple[float, ...]
"""An answer as the file holds it."""


@dataclass(frozen=True)
class Answers:
    """The contents of an answers file, sorted by row id: what the model answered, and how it is stored."""

    outputs: tuple[Output, ...]
    stored: tuple[Stored, ...]


def answers_name(task: str) -> str:
    """Return the name of a task's answers file."""
    return f"{task}.jsonl.gz"


def doc_hash(row: Row, prompt: Prompt) -> str:
    """Hash what was asked to 16 hexadecimal digits.

    It changes only if the row's id, its statement or a question does; the harness's own hash also covers gold.
    """
    asked = [row.row_id, row.statement, prompt.text, *prompt.follow_ups, *prompt.openings]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]


@cache
def prompts_of(dataset: str, style: str, condition: str) -> dict[str, Prompt]:
    """Return the prompt of every test row, by row id.

    Args:
        style: signature of a prompt style, such as ``llama2.v1``.

    Raises:
        RefusedError: this version has no such style or condition for the data set.
    """
    known = {each.signature: each.name for each in styles_of(get_dataset(dataset))}
    if style not in known:
        raise RefusedError(("prompt", f"is {shown(style)}; this version has {', '.join(known)}"))
    try:
        find_condition(condition, get_dataset(dataset))
        return {row.row_id: make_prompt(known[style], condition, row) for row in rows(dataset)["test"]}
    except InputError as error:
        raise RefusedError(("condition", str(error).rstrip("."))) from None


def answer_line(output: Output, task: Task) -> dict[str, Any]:
    """Return the line of an answer.

    Raises:
        RefusedError: no submission may hold this answer.
    """
    row = output.row
    line: dict[str, Any] = {"row_id": row.row_id, "doc_hash": doc_hash(row, output.prompt)}
    thinking = output.prompt.thinking
    if output.earlier:
        line["earlier"] = [_stored(task, row, without_thought(text, thinking), "earlier") for text in output.earlier]
    if isinstance(output.value, str):
        response = without_thought(output.value, thinking)
        line["response"] = _stored(task, row, response, "response")
        if output.cut is not None:
            line["cut"] = output.cut
        elif left_out := output.left_out + len(output.value) - len(response):
            line["left_out"] = left_out
    else:
        line["log_likelihoods"] = list(output.value)
    _read_value(_validate(line, task), task)
    return line


def _stored(task: Task, row: Row, text: str, field: str) -> str | list[Part]:
    if len(text) > MAX_RESPONSE:
        raise RefusedError((field, f"is longer than {MAX_RESPONSE:,} characters"))
    try:
        return quote(task.dataset, row, text)
    except ValueError as error:
        raise RefusedError((field, str(error))) from None


def pack(lines: Iterable[dict[str, Any]]) -> bytes:
    """Return the bytes of an answers file."""
    texts = (json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines)
    return gzip.compress("".join(f"{text}\n" for text in texts).encode(), mtime=0)


def read_answers(content: bytes, task: Task, prompts: Mapping[str, Prompt]) -> Answers:
    """Read the bytes of an answers file.

    Args:
        prompts: what every row was asked, by row id.

    Raises:
        RefusedError: with everything that is wrong with it.
        InputError: the published data is not available.
    """
    text = unpack(content)
    test = {row.row_id: row for row in rows(task.dataset.name)["test"]}
    if not text.endswith(b"\n"):
        raise RefusedError(("lines", "the last line is cut off, or the file is empty"))
    if (count := text.count(b"\n")) > 2 * len(test):
        raise RefusedError(("lines", f"there are {count:,}; the test set has {len(test)} rows"))
    faults: dict[tuple[str, str], list[int]] = defaultdict(list)
    ids, outputs, stored = [], [], []
    for number, line in enumerate(text[:-1].split(b"\n"), start=1):
        try:
            if len(line) > LINE_BYTES:
                raise RefusedError(("line", f"is longer than {LINE_BYTES:,} bytes"))
            answer = _validate(parse(line), task)
            ids.append(answer.row_id)
            row = test.get(answer.row_id)
            if row is None:
                raise RefusedError(("row_id", f"{shown(answer.row_id)} is not a test row of {task.dataset.name}"))
            prompt = prompts[row.row_id]
            if answer.doc_hash != doc_hash(row, prompt):
                raise RefusedError(("doc_hash", "is not that of this version's data and prompt"))
            value, as_stored = _read_value(answer, task)
            earlier, cut = _of_turns(answer, task, prompt)
            left_out = answer.left_out if isinstance(answer, ResponseLine) else 0
            outputs.append(Output(row, value, prompt, earlier, cut, left_out=left_out))
            stored.append(as_stored)
        except RefusedError as refused:
            for fault in refused.faults:
                faults[fault].append(number)
    out = [(field, f"{reason} ({_at_lines(numbers)})") for (field, reason), numbers in faults.items()]
    out += _check_rows(ids, task.dataset.name) if len(ids) == count else []
    if out:
        raise RefusedError(*out)
    return Answers(tuple(outputs), tuple(stored))


def _validate(document: Any, task: Task) -> ChoiceLine | ResponseLine:
    try:
        return (ChoiceLine if task.kind.chooses else ResponseLine).model_validate(document)
    except ValidationError as error:
        raise RefusedError(*of_validation(error, document)) from None


def _read_value(line: ChoiceLine | ResponseLine, task: Task) -> tuple[str | tuple[float, ...], Stored]:
    """Return the answer in a line, and as it is stored."""
    if isinstance(line, ChoiceLine):
        if len(line.log_likelihoods) != (labels := len(task.dataset.labels)):
            reason = f"has {len(line.log_likelihoods)} numbers, and the data set {labels} labels"
            raise RefusedError(("log_likelihoods", reason))
        return tuple(line.log_likelihoods), tuple(line.log_likelihoods)
    return _restored(line.response, task, "response")


def _of_turns(line: ChoiceLine | ResponseLine, task: Task, prompt: Prompt) -> tuple[tuple[str, ...], bool | None]:
    """Return the responses of the turns before, and whether the last one was cut off."""
    if len(line.earlier) != (others := len(prompt.follow_ups)):
        raise RefusedError(("earlier", f"has {len(line.earlier)} responses, and the condition {others} earlier turns"))
    cut = line.cut if isinstance(line, ResponseLine) else None
    return tuple(_restored(response, task, "earlier")[0] for response in line.earlier), cut


def _restored(response: str | list[Any], task: Task, field: str) -> tuple[str, str | list[Part]]:
    """Return a response as it was written, and as it is stored."""
    given = [response] if isinstance(response, str) else response
    parts = [part if isinstance(part, str) else part.model_dump(exclude_defaults=True) for part in given]
    try:
        text = restore(task.dataset, parts)
    except ValueError as error:
        raise RefusedError((field, str(error))) from None
    if quotes(task.dataset, literal_text(parts)):
        raise RefusedError((field, "quotes the data literally: run submit again, which stores references"))
    if has_token(text):
        raise RefusedError((field, "holds what looks like an access token"))
    return text, response if isinstance(response, str) else parts


def _check_rows(ids: list[str], data: str) -> list[tuple[str, str]]:
    out = []
    test, sample = ({row.row_id for row in rows_of(data, sampled=sampled)} for sampled in (False, True))
    if repeated := [row_id for row_id, count in Counter(ids).items() if count > 1]:
        out.append(("rows", f"{len(repeated)} rows are there more than once, {shown(repeated[0])} first"))
    if set(ids) != sample and (missing := sorted(test - set(ids))):
        out.append(("rows", f"{len(missing)} of {len(test)} rows are missing, {missing[0]} first"))
    if ids != sorted(ids):
        out.append(("rows", "the lines are not sorted by row_id"))
    return out


def _at_lines(numbers: list[int]) -> str:
    return f"line {numbers[0]}" + (f" and {len(numbers) - 1} more" if len(numbers) > 1 else "")
