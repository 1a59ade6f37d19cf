"""What the reference judge is fitted on: rows in no test set, and arguments written for this purpose."""

from __future__ import annotations

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import jsonlines

from dfar_bench.data import Row, rows
from dfar_bench.text import fold

SEED = 20240821

# What each source counts for: written the way today's models write, or by DFAR's annotators.
_WRITTEN, _ANNOTATED = 2.0, 1.0

_VERDICT = re.compile(r"\b(?:un)?(?:ethical|moral|immoral)(?:ly)?\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Text:
    """An argument, the verdict that it speaks for, what it counts for, and the group that stays on one side."""

    text: str
    stance: int
    weight: float
    group: str


@dataclass(frozen=True, slots=True)
class Example:
    """A response that goes with a verdict, and its code."""

    statement: str
    reference: str
    response: str
    verdict: int
    code: str
    group: str


def fitting_rows() -> list[Row]:
    """The published train rows whose statement is in no test set, the paper's or the clean split's, each once."""
    tested = {fold(row.statement) for split in ("paper", "clean") for row in rows(split)["test"]}
    distinct: dict[str, Row] = {}
    for row in rows("paper")["train"]:
        if fold(row.statement) not in tested:
            distinct.setdefault(fold(row.statement), row)
    return list(distinct.values())


def texts_to_fit() -> Iterator[Text]:
    """Arguments with the verdict that they speak for; DFAR's once as they are and once without the verdict words."""
    for row in fitting_rows():
        yield Text(row.reason, row.label, _ANNOTATED, row.group_id)
        yield Text(_VERDICT.sub(" ", row.reason), row.label, _ANNOTATED, row.group_id)
    for number, pair in enumerate(_corpus("pairs")):
        for stance, name in enumerate(("ethical", "unethical")):
            yield Text(pair[name], stance, _WRITTEN, f"pair {number // 2}")
    for number, group in enumerate(_corpus("siblings")):
        for row in group["rows"]:
            for text in (row["reason"], *row["responses"]):
                yield Text(text, row["label"], _WRITTEN, f"siblings {number}")


def examples_to_fit() -> Iterator[Example]:
    """Responses with a verdict and their code, none of them made as the unseen kinds of the validity suite are."""
    draw = random.Random(SEED)
    yield from _annotated_examples(draw)
    yield from _pair_examples(draw)
    yield from _sibling_examples(draw)


def _annotated_examples(draw: random.Random) -> Iterator[Example]:
    found = fitting_rows()
    groups = defaultdict(list)
    for row in found:
        groups[row.group_id].append(row)
    generic = list(_corpus("generic"))
    for number, row in enumerate(found):
        sentences = _SENTENCE.split(row.reason.strip())
        if len(sentences) > 1:  # every other sentence stands for the response, the rest for the human reason
            yield _example(row, " ".join(sentences[0::2]), "aligned", reference=" ".join(sentences[1::2]))
            yield _example(row, draw.choice(sentences), "aligned")
        yield _example(row, row.reason, "aligned", reference="" if number % 2 else row.reason)
        other = _stranger(draw, found, row)
        yield _example(row, other.reason, "off_topic")
        for sibling in groups[row.group_id]:
            if sibling.label != row.label:
                yield _example(row, _VERDICT.sub(" ", sibling.reason), "self_contradiction")
        if number % 4 == 0:
            said = draw.choice([each for each in generic if each["label"] == row.label])
            yield _example(row, said["argument"], "generic")


def _pair_examples(draw: random.Random) -> Iterator[Example]:
    pairs = list(_corpus("pairs"))
    for number, pair in enumerate(pairs):
        for verdict, name in enumerate(("ethical", "unethical")):

            def example(response: str, code: str, verdict: int = verdict) -> Example:
                return Example(pair["statement"], "", response, verdict, code, f"pair {number // 2}")  # noqa: B023

            yield example(pair[name], "aligned")
            yield example(pair["unethical" if verdict == 0 else "ethical"], "self_contradiction")
            yield example(pairs[number - draw.randrange(1, len(pairs))][name], "off_topic")


def _sibling_examples(draw: random.Random) -> Iterator[Example]:
    groups = list(_corpus("siblings"))
    generic = list(_corpus("generic"))
    for number, group in enumerate(groups):
        for row in group["rows"]:

            def example(response: str, code: str, row: dict[str, Any] = row) -> Example:
                return Example(
                    row["statement"],
                    row["reason"],
                    response,
                    row["label"],
                    code,
                    f"siblings {number}",  # noqa: B023
                )

            for response in row["responses"]:
                yield example(response, "aligned")
            for sibling in group["rows"]:
                if sibling is not row:
                    code = "off_topic" if sibling["label"] == row["label"] else "self_contradiction"
                    yield example(draw.choice(sibling["responses"]), code)
            stranger = groups[number - draw.randrange(1, len(groups))]["rows"]
            yield example(
                draw.choice([other for other in stranger if other["label"] == row["label"]])["reason"], "off_topic"
            )
            yield example(
                draw.choice([each for each in generic if each["label"] == row["label"]])["argument"], "generic"
            )


def _example(row: Row, response: str, code: str, reference: str | None = None) -> Example:
    return Example(
        row.statement, row.reason if reference is None else reference, response, row.label, code, row.group_id
    )


def _stranger(draw: random.Random, among: Sequence[Row], row: Row) -> Row:
    while True:
        other = draw.choice(among)
        if (other.label, other.domain) == (row.label, row.domain) and other.group_id != row.group_id:
            return other


def _corpus(name: str) -> Iterator[Any]:
    with jsonlines.open(str(files("dfar_bench.judges.corpus").joinpath(f"{name}.jsonl"))) as lines:
        yield from lines


def stable_number(name: str, below: int) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % below
