"""What the encoder is fitted to: answers, the label that people gave, and what readers found."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dfar_bench.datasets import LABELS
from dfar_bench.judges.reference.v1.examples import WeightExample, weight_examples
from dfar_bench.judges.validation.answers import OpenAnswer, argued_answers, imitated_answers, open_answers

SEED = 20261129
HALVES = 2

_CONSTRUCTED = {"aligned": 700, "off_topic": 250, "self_contradiction": 250}
"""How many of the constructed examples there are of each code: enough for DFAR's short reasons not to be taken for
none, but not so many that what sets them apart is learned instead of what sets real answers apart."""

_OPENINGS = ("{label}. ", "{label}: ", "The statement is {lower}. ", "{label}, because ", "")


@dataclass(frozen=True, slots=True)
class Example:
    """An answer to a statement.

    Attributes:
        label: what people say of the statement.
        code: whether the answer is aligned with it, and if not, why; see ``OpenAnswer.code``.
        group: of the statement; all its examples are in one half.
    """

    statement: str
    response: str
    label: int
    code: str
    group: str

    @property
    def half(self) -> int:
        """Which half of the material it is in, 0 or 1."""
        return int(hashlib.sha256(f"v2 {self.group}".encode()).hexdigest(), 16) % HALVES


def examples() -> list[Example]:
    """Return all that encoders are fitted to, none of it from a test set, always in the same order."""
    answers = (*open_answers("make"), *argued_answers(), *imitated_answers())
    return [*map(example_of, answers), *_constructed(weight_examples())]


def example_of(answer: OpenAnswer) -> Example:
    """Return an answer as an example."""
    row = answer.row
    return Example(row.statement, answer.case.reading.answer, row.label, answer.code, f"{row.dataset}{row.group_id}")


def _constructed(candidates: Iterable[WeightExample]) -> Iterator[Example]:
    """Draw from what the first version is fitted to, DFAR's reasons and written arguments, with a verdict or not."""
    draw = random.Random(SEED)
    by_code = defaultdict(list)
    for candidate in candidates:
        by_code[candidate.code].append(candidate)
    for code, number in _CONSTRUCTED.items():
        for each in draw.sample(by_code[code], number):
            label = LABELS[each.verdict]
            opening = draw.choice(_OPENINGS).format(label=label.capitalize(), lower=label)
            group = each.group.replace(" ", "")  # as answers to the siblings have it
            yield Example(each.statement, opening + each.response, each.verdict, code, group)
