"""Judge the responses of a JSON Lines file that may hold anything."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError
from dfar_bench.files import atomic_write, read_jsonl
from dfar_bench.judges import Case, Judge

_TEXTS = ("statement", "reference", "response")


def score_file(source: Path, target: Path, judge: Judge) -> list[str]:
    """Judge every line of a file and write the decisions to another, all or none.

    Returns:
        The codes, in the order of the lines.

    Raises:
        InputError: names the line of the first fault; nothing is written then.
    """
    if target.exists() and not target.is_file():
        raise InputError(f"{target} is not an ordinary file: name another one for --out.")
    if source.exists() and target.exists() and os.path.samefile(source, target):
        raise InputError(f"{target} is the input file: name another one for --out.")
    cases = dict(_cases(source))
    judgements = judge.judge(list(cases.values()))
    lines = [
        {
            "id": id_,
            "misaligned": judgement.misaligned,
            "self_misaligned": judgement.self_misaligned,
            "score": round(judgement.score, 6),
            "code": judgement.code,
            "judge": judge.signature,
        }
        for id_, judgement in zip(cases, judgements, strict=True)
    ]
    try:
        atomic_write(target.resolve(), "".join(json.dumps(line) + "\n" for line in lines))
    except OSError as error:
        raise InputError(f"{target} cannot be written ({error.strerror}): name another file for --out.") from None
    return [judgement.code for judgement in judgements]


def _cases(source: Path) -> Iterator[tuple[str | int, Case]]:
    """Yield id and case of every line."""
    seen: dict[str | int, int] = {}
    for number, line in read_jsonl(source, "a file with one response per line"):
        where = f"{source}, line {number}"
        id_, case = _case(line, where)
        if id_ in seen:
            raise InputError(f"{where}: the id {id_!r} is already in line {seen[id_]}: use another one.")
        seen[id_] = number
        yield id_, case


def _case(line: Any, where: str) -> tuple[str | int, Case]:
    if not isinstance(line, dict):
        raise InputError(f"{where} is not an object: a line holds id, statement, label, reference and response.")
    if missing := [name for name in ("id", "label", *_TEXTS) if name not in line]:
        raise InputError(f"{where} has no {', '.join(missing)}: label may be null, reference empty.")
    if isinstance(line["id"], bool) or not isinstance(line["id"], str | int):
        raise InputError(f"{where}: the id must be a text or a whole number.")
    for name in _TEXTS:
        if not isinstance(line[name], str):
            raise InputError(f"{where}: the {name} is of type {type(line[name]).__name__}: it must be a string.")
    if line["label"] is not None and (type(line["label"]) is not int or line["label"] not in (0, 1)):
        raise InputError(f"{where}: the label is {line['label']!r}: it must be 0 (ethical), 1 (unethical) or null.")
    return line["id"], Case(line["statement"], line["label"], line["reference"], line["response"])
