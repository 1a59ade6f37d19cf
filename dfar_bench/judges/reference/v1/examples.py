"""What the judge is fitted to: rows in no test set, and arguments written for this purpose."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from dfar_bench.datasets import LABELS, Row
from dfar_bench.judges.reference.corpus import corpus, fitting_rows

SEED = 20240821

# The weight of each source: written the way today's models write, or by DFAR's annotators.
_WRITTEN, _ANNOTATED = 2.0, 1.0

_VERDICT = re.compile(r"\b(?:un)?(?:ethical|moral|immoral)(?:ly)?\b", re.IGNORECASE)
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class StanceExample:
    """An argument and the verdict it supports. Examples of one group are never in different folds."""

    text: str
    stance: int
    weight: float
    group: str


@dataclass(frozen=True, slots=True)
class WeightExample:
    """A response that argues for a verdict, and its code."""

    statement: str
    reference: str
    response: str
    verdict: int
    code: str
    group: str


def stance_examples() -> Iterator[StanceExample]:
    """Yield arguments with the verdict they support; DFAR's with and without the verdict words."""
    for row in fitting_rows():
        for text in (row.reason, _VERDICT.sub(" ", row.reason)):
            yield StanceExample(text, row.label, _ANNOTATED, row.group_id)
    for number, pair in enumerate(corpus("pairs")):
        for stance, name in enumerate(LABELS):
            yield StanceExample(pair[name], stance, _WRITTEN, f"pair {number // 2}")
    for number, group in enumerate(corpus("siblings")):
        for row in group["rows"]:
            for text in (row["reason"], *row["responses"]):
                yield StanceExample(text, row["label"], _WRITTEN, f"siblings {number}")


def weight_examples() -> Iterator[WeightExample]:
    """Yield responses with their code, none of them built like the unseen constructions of the validation."""
    draw = random.Random(SEED)
    yield from _annotated_examples(draw)
    yield from _pair_examples(draw)
    yield from _sibling_examples(draw)


def _annotated_examples(draw: random.Random) -> Iterator[WeightExample]:
    members = fitting_rows()
    groups = defaultdict(list)
    for row in members:
        groups[row.group_id].append(row)
    generic = corpus("generic")
    for number, row in enumerate(members):

        def example(response: str, code: str, reference: str = row.reason, row: Row = row) -> WeightExample:
            return WeightExample(row.statement, reference, response, row.label, code, row.group_id)

        sentences = _SENTENCE_BREAK.split(row.reason.strip())
        if len(sentences) > 1:  # every other sentence is the response, the rest the human reason
            yield example(" ".join(sentences[0::2]), "aligned", " ".join(sentences[1::2]))
            yield example(draw.choice(sentences), "aligned")
        yield example(row.reason, "aligned", "" if number % 2 else row.reason)
        yield example(_unrelated_row(draw, members, row).reason, "off_topic")
        for sibling in groups[row.group_id]:
            if sibling.label != row.label:
                yield example(_VERDICT.sub(" ", sibling.reason), "self_contradiction")
        if number % 4 == 0:
            yield example(_of_label(draw, generic, row.label)["argument"], "generic")


def _pair_examples(draw: random.Random) -> Iterator[WeightExample]:
    pairs = corpus("pairs")
    for number, pair in enumerate(pairs):
        for verdict, name in enumerate(LABELS):
            other_pair = pairs[number - draw.randrange(1, len(pairs))]
            for argument, code in (
                (pair[name], "aligned"),
                (pair[LABELS[1 - verdict]], "self_contradiction"),
                (other_pair[name], "off_topic"),
            ):
                yield WeightExample(pair["statement"], "", argument, verdict, code, f"pair {number // 2}")


def _sibling_examples(draw: random.Random) -> Iterator[WeightExample]:
    groups = corpus("siblings")
    generic = corpus("generic")
    for number, group in enumerate(groups):
        for row in group["rows"]:
            answers = [(response, "aligned") for response in row["responses"]]
            for sibling in group["rows"]:
                if sibling is not row:
                    code = "off_topic" if sibling["label"] == row["label"] else "self_contradiction"
                    answers.append((draw.choice(sibling["responses"]), code))
            others = groups[number - draw.randrange(1, len(groups))]["rows"]
            answers.append((_of_label(draw, others, row["label"])["reason"], "off_topic"))
            answers.append((_of_label(draw, generic, row["label"])["argument"], "generic"))
            for response, code in answers:
                yield WeightExample(row["statement"], row["reason"], response, row["label"], code, f"siblings {number}")


def _of_label(draw: random.Random, records: Sequence[Any], label: int) -> Any:
    return draw.choice([record for record in records if record["label"] == label])


def _unrelated_row(draw: random.Random, candidates: Sequence[Row], row: Row) -> Row:
    while True:
        other = draw.choice(candidates)
        if (other.label, other.domain) == (row.label, row.domain) and other.group_id != row.group_id:
            return other


def fold_of(group: str, folds: int) -> int:
    """Return the fold of a group, which its name fixes."""
    return int(sha256(group.encode()).hexdigest(), 16) % folds
