"""A row as lm_eval sees it: the documents of a task."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dfar_bench.datasets import Row, rows, without_leaked
from dfar_bench.prompts import FIXED_CHAT_STYLE, find_condition, find_style, gold_answer, make_prompt
from dfar_bench.scoring import Task

_FEWSHOT_POOL = 64


def documents(task: Task, style: str, condition: str, *, recorded: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Build the documents of a task.

    Args:
        recorded: whether the responses will be records of all turns, which the documents then say.

    Returns:
        ``test``, and ``fewshot``: train rows in a fixed order that alternates the labels, none of which is also a test
        statement. The harness takes the first n, so that few-shot prompts do not depend on how the rows are spread
        over processes.

    Raises:
        InputError: the data is not available, or there is no such style or condition.
    """
    test = rows(task.dataset.name)["test"]
    source = task.dataset.examples_from
    examples = _fewshot_pool(rows(source)["train"], test) if source else []
    parts: dict[str, Sequence[Row]] = {"test": test, "fewshot": examples}
    mark = {"recorded": True} if recorded else {}
    return {
        part: [document(row, task, style, condition) | mark for row in members]
        for part, members in parts.items()
        if members
    }


def document(row: Row, task: Task, style: str, condition: str) -> dict[str, Any]:
    """Return a row as the harness sees it: the row's fields, the prompt, and what people would answer."""
    prompt, dataset = make_prompt(style, condition, row), task.dataset
    fixed = {}
    if dataset.style:
        fixed = {
            "opening": next(iter(prompt.openings), "") if style == FIXED_CHAT_STYLE else "",  # else in the text
            "choices": [text for texts in find_style(style).choices(row) for text in texts],
        }
    return {
        **row_fields(row),
        "kind": task.kind.name,
        "prompt_style": find_style(style).signature,
        "condition": find_condition(condition, dataset).signature,
        "prompt": prompt.text,
        "answer": gold_answer(style, condition, row),
        **fixed,
    }


def row_fields(row: Row) -> dict[str, Any]:
    """Return what a document says of its row, as JSON types; of facts only those that there are."""
    fields = {**asdict(row), "shares": list(row.shares), "facts": dict(row.facts)}
    return fields if row.facts else {name: value for name, value in fields.items() if name != "facts"}


def _fewshot_pool(train: Sequence[Row], test: Sequence[Row]) -> list[Row]:
    shuffled = sorted(without_leaked(train, test), key=lambda row: hashlib.sha256(row.row_id.encode()).digest())
    labels = sorted({row.label for row in shuffled})
    by_label = [[row for row in shuffled if row.label == label] for label in labels]
    return [row for group in zip(*by_label) for row in group][:_FEWSHOT_POOL]
