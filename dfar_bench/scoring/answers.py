"""What came back from a model (``Output``), and what it means (``Answer``)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from dfar_bench.datasets import Row
from dfar_bench.judges import Case, Judge, Judgement
from dfar_bench.prompts import Prompt
from dfar_bench.reading import Reading, is_gold_copy


@dataclass(frozen=True, slots=True)
class Output:
    """What came back for one row: a written response, or the log-likelihood (natural) of each label."""

    row: Row
    value: str | tuple[float, ...]
    prompt: Prompt = Prompt()


@dataclass(frozen=True)
class Answer:
    """What an output means."""

    row: Row

    @property
    def correct(self) -> bool:
        """Whether the verdict is people's."""
        raise NotImplementedError


@dataclass(frozen=True)
class Choice(Answer):
    """A verdict by likelihood.

    Attributes:
        predicted: index of the likeliest label.
        probabilities: of each label, summing to 1.
    """

    predicted: int
    probabilities: tuple[float, ...]

    @property
    def correct(self) -> bool:
        return self.predicted == self.row.label

    @property
    def confidence(self) -> float:
        """The probability of the predicted label; 1 / number of labels where there is no preference at all."""
        return self.probabilities[self.predicted]


@dataclass(frozen=True)
class Argument(Answer):
    """A written verdict with its reason: what it says, and what a judge decided."""

    case: Case
    judgement: Judgement

    @property
    def reading(self) -> Reading:
        return self.case.reading

    @property
    def verdict(self) -> int | None:
        """The verdict that counts; None where none can be read."""
        return self.reading.verdict

    @property
    def correct(self) -> bool:
        return self.verdict == self.row.label

    @cached_property
    def gold_copy(self) -> bool:
        """Whether it reproduces the human reason word for word."""
        return is_gold_copy(self.reading.answer, self.row.reason)


def count_codes(answers: Iterable[Answer]) -> dict[str, int]:
    """Count how often the judge gave each code, sorted by code."""
    codes = Counter(answer.judgement.code for answer in answers if isinstance(answer, Argument))
    return dict(sorted(codes.items()))


def read_choices(outputs: Sequence[Output], judge: Judge | None = None) -> list[Answer]:
    """Read log-likelihoods; ``judge`` is not needed."""
    return [read_choice(output.row, output.value) for output in outputs if not isinstance(output.value, str)]


def read_choice(row: Row, log_likelihoods: tuple[float, ...]) -> Choice:
    """Read the log-likelihoods of a row's labels.

    The probability of a label is its share of all labels. A tie goes to the first of the likeliest labels, as
    ``argmax`` would have it. Where there is no preference at all (NaN, or nothing finite to compare) the answer counts
    as wrong with equal probabilities, so that broken numerics never pass for a verdict.
    """
    highest = max(log_likelihoods, key=lambda value: -math.inf if math.isnan(value) else value)
    if any(map(math.isnan, log_likelihoods)) or math.isinf(highest):
        n = len(log_likelihoods)
        return Choice(row, (row.label + 1) % n, (1 / n,) * n)
    odds = [math.exp(value - highest) for value in log_likelihoods]
    total = math.fsum(odds)
    return Choice(row, log_likelihoods.index(highest), tuple(value / total for value in odds))


def read_arguments(outputs: Sequence[Output], judge: Judge) -> list[Answer]:
    """Read written responses; the judge is given all of them at once."""
    cases = [
        Case(output.row.statement, output.row.label, output.row.reason, str(output.value), output.prompt)
        for output in outputs
    ]
    judgements = judge.judge(cases)
    return [
        Argument(output.row, case, judgement)
        for output, case, judgement in zip(outputs, cases, judgements, strict=True)
    ]
