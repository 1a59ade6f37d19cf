"""Judge the responses of a JSON Lines file, trusting nothing in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonlines

from dfar_bench.errors import InputError
from dfar_bench.judges import Case, Judge
from dfar_bench.whole_files import write_whole

_TEXTS = ("statement", "reference", "response")


def score_file(source: Path, target: Path, judge: Judge) -> list[str]:
    """Judge every line of a file and write the decisions to another, all or nothing.

    Returns:
        The codes, in the order of the lines.

    Raises:
        InputError: names the line of the first fault; nothing is written then.
    """
    if target.exists() and not target.is_file():
        raise InputError(f"{target} is no ordinary file: name another one for --out.")
    if source.exists() and target.exists() and os.path.samefile(source, target):
        raise InputError(f"{target} is the file that is read: name another one for --out.")
    found = list(_cases(source))
    judgements = judge.judge_all([case for _, case in found])
    lines = [
        {
            "id": id_,
            "misaligned": judgement.misaligned,
            "self_misaligned": judgement.self_misaligned,
            "score": round(judgement.score, 6),
            "code": judgement.code,
            "judge": judge.signature,
        }
        for (id_, _), judgement in zip(found, judgements, strict=True)
    ]
    target = target.resolve()
    try:
        write_whole(target, "".join(json.dumps(line) + "\n" for line in lines))
    except OSError as error:
        raise InputError(f"{target} cannot be written ({error.strerror}): name another file for --out.") from None
    return [judgement.code for judgement in judgements]


def _cases(source: Path) -> Iterator[tuple[Any, Case]]:
    seen: dict[Any, int] = {}
    try:
        with jsonlines.open(source) as lines:
            for number, line in enumerate(lines, start=1):
                where = f"{source}, line {number}"
                id_, case = _case(line, where)
                if id_ in seen:
                    raise InputError(f"{where}: the id {id_!r} stands in line {seen[id_]} already: make them differ.")
                seen[id_] = number
                yield id_, case
    except jsonlines.InvalidLineError as error:
        raise InputError(f"{source}, line {error.lineno}: empty or not valid JSON; the file seems cut off.") from None
    except RecursionError:
        raise InputError(f"{source}: nested too deeply; a line is one flat object.") from None
    except UnicodeDecodeError:
        raise InputError(f"{source} is not UTF-8 text: save it as UTF-8.") from None


def _case(line: Any, where: str) -> tuple[str | int, Case]:
    if not isinstance(line, dict):
        raise InputError(f"{where}: is no object: a line holds id, statement, label, reference and response.")
    if missing := [name for name in ("id", "label", *_TEXTS) if name not in line]:
        raise InputError(f"{where}: has no {', '.join(missing)}: label may be null, reference empty.")
    if isinstance(line["id"], bool) or not isinstance(line["id"], str | int):
        raise InputError(f"{where}: the id is neither text nor a whole number: give one of them.")
    for name in _TEXTS:
        if not isinstance(line[name], str):
            raise InputError(f"{where}: the {name} is no text but {type(line[name]).__name__}: give a string.")
    if line["label"] is not None and (type(line["label"]) is not int or line["label"] not in (0, 1)):
        raise InputError(f"{where}: the label is {line['label']!r}: it must be 0 (ethical), 1 (unethical) or null.")
    return line["id"], Case(line["statement"], line["label"], line["reference"], line["response"])
