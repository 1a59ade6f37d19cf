"""What came back from a model (``Output``), and what it means (``Answer``)."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from dfar_bench.datasets import Row
from dfar_bench.judges import Case, Judge, Judgement
from dfar_bench.prompts import Prompt
from dfar_bench.reading import Reading, is_gold_copy, seems_cut

CERTAIN = sys.float_info.max
"""The log-odds of a label against one that is impossible; finite, as JSON has no infinity."""

Outcome = Literal["aligned", "bad_reason", "no_reason", "wrong_verdict"]
"""People's verdict with a reason that the judge accepts, with another, with none; or not their verdict."""


@dataclass(frozen=True, slots=True)
class Output:
    """What came back for one row: a written response, or the log-likelihood (natural) of each label.

    Attributes:
        earlier: the responses of the turns before, where there were several.
        cut: whether the limit on tokens ended the response; None where that was not recorded.
        limit: on the tokens of each response; None where it is not known.
        left_out: characters of a thought that the response had as well, where it is not kept.
    """

    row: Row
    value: str | tuple[float, ...]
    prompt: Prompt = Prompt()
    earlier: tuple[str, ...] = ()
    cut: bool | None = None
    limit: int | None = None
    left_out: int = 0


@dataclass(frozen=True)
class Answer:
    """What an output means."""

    row: Row

    @property
    def credit(self) -> float:
        """How far the verdict is people's: 1 or 0, or a share for a tie."""
        raise NotImplementedError


@dataclass(frozen=True)
class Choice(Answer):
    """A verdict by likelihood.

    Attributes:
        likeliest: index of the likeliest label; of several where they are exactly as likely.
        probabilities: of each label, summing to 1.
        log_odds: of label 1 against label 0 (natural logarithm), from −``CERTAIN`` to ``CERTAIN``; None where there
            are more labels.
    """

    likeliest: tuple[int, ...]
    probabilities: tuple[float, ...]
    log_odds: float | None = None

    @property
    def predicted(self) -> int:
        """The likeliest label; the first of several."""
        return self.likeliest[0]

    @property
    def tied(self) -> bool:
        """Whether several labels are likeliest."""
        return len(self.likeliest) > 1

    @property
    def credit(self) -> float:
        return (self.row.label in self.likeliest) / len(self.likeliest)

    @property
    def confidence(self) -> float:
        """The probability of the likeliest label; 1 / number of labels where there is no preference at all."""
        return self.probabilities[self.predicted]


@dataclass(frozen=True)
class Argument(Answer):
    """A written verdict with its reason: what it says, and what a judge decided.

    Attributes:
        cut: whether the limit on tokens ended it; None where that was not recorded.
        before: what the first turn said, where the last one may correct it; else None.
        left_out: see ``Output``.
    """

    case: Case
    judgement: Judgement
    cut: bool | None = None
    limit: int | None = None
    before: Reading | None = None
    left_out: int = 0

    @property
    def reading(self) -> Reading:
        return self.case.reading

    @property
    def verdict(self) -> int | None:
        """The verdict that counts; None where none can be read."""
        return self.reading.verdict

    @property
    def credit(self) -> float:
        return float(self.verdict == self.row.label)

    @cached_property
    def truncated(self) -> bool:
        """Whether it was cut off: as recorded, else as its text looks. An unfinished thought is, too."""
        if self.reading.unfinished_thought or self.cut is not None:
            return self.reading.unfinished_thought or bool(self.cut)
        return self.limit is not None and seems_cut(self.case.response, self.limit, self.left_out)

    @property
    def code(self) -> str:
        """The judge's code; ``truncated`` where there is no verdict because the answer was cut off."""
        nothing = self.verdict is None and (self.judgement.code == "no_verdict" or not self.reading.answer.strip())
        return "truncated" if nothing and self.truncated else self.judgement.code

    @cached_property
    def outcome(self) -> Outcome:
        """What became of it: every response is one of these."""
        if not self.judgement.misaligned:
            return "aligned"
        if self.verdict != self.row.label:
            return "wrong_verdict"
        return "no_reason" if self.reading.bare or self.reading.echo else "bad_reason"

    @cached_property
    def gold_copy(self) -> bool:
        """Whether it reproduces the human reason word for word."""
        return is_gold_copy(self.reading.answer, self.row.reason)


def verdict_of(answer: Answer) -> int | None:
    """Return the verdict of an answer; None for a tie, or where none can be read."""
    if isinstance(answer, Choice):
        return None if answer.tied else answer.predicted
    return answer.verdict if isinstance(answer, Argument) else None


def count_codes(answers: Iterable[Answer]) -> dict[str, int]:
    """Count how often each code was given, sorted by code."""
    codes = Counter(answer.code for answer in answers if isinstance(answer, Argument))
    return dict(sorted(codes.items()))


def read_choices(outputs: Sequence[Output], judge: Judge | None = None) -> list[Answer]:
    """Read log-likelihoods; ``judge`` is not needed."""
    return [read_choice(output.row, output.value) for output in outputs if not isinstance(output.value, str)]


def by_label(log_likelihoods: Sequence[float], choices: Sequence[Sequence[str]]) -> tuple[float, ...]:
    """Add up the probabilities of continuations that mean the same label.

    Args:
        log_likelihoods: of all continuations, label by label.
        choices: for each label its continuations.

    Returns:
        The logarithm of each label's probability, at most 0, which rounded sums of sure models exceed.
    """
    values = iter(log_likelihoods)
    with np.errstate(invalid="ignore"):  # of a model with broken numerics, which count as wrong
        added = [np.logaddexp.reduce([next(values) for _ in texts]) for texts in choices]
    return tuple(map(float, np.minimum(added, 0.0)))  # NaN stays NaN


def read_choice(row: Row, log_likelihoods: tuple[float, ...]) -> Choice:
    """Read the log-likelihoods of a row's labels.

    The probability of a label is its share of all labels. Where there is no preference at all (NaN, or nothing finite
    to compare) the answer counts as wrong with equal probabilities and the worst odds, so that broken numerics never
    pass for a verdict.
    """
    binary = len(log_likelihoods) == 2
    highest = max(log_likelihoods, key=lambda value: -math.inf if math.isnan(value) else value)
    if any(map(math.isnan, log_likelihoods)) or math.isinf(highest):
        n = len(log_likelihoods)
        return Choice(row, ((row.label + 1) % n,), (1 / n,) * n, (CERTAIN, -CERTAIN)[row.label] if binary else None)
    odds = [math.exp(value - highest) for value in log_likelihoods]
    total = math.fsum(odds)
    likeliest = tuple(label for label, value in enumerate(log_likelihoods) if value == highest)
    log_odds = max(-CERTAIN, min(log_likelihoods[1] - log_likelihoods[0], CERTAIN)) if binary else None
    return Choice(row, likeliest, tuple(value / total for value in odds), log_odds)


def read_arguments(outputs: Sequence[Output], judge: Judge) -> list[Answer]:
    """Read written responses; the judge is given all of them at once."""
    cases = [
        Case(output.row.statement, output.row.label, output.row.reason, str(output.value), output.prompt)
        for output in outputs
    ]
    judgements = judge.judge(cases)
    return [
        Argument(output.row, case, judgement, output.cut, output.limit, _before(output), output.left_out)
        for output, case, judgement in zip(outputs, cases, judgements, strict=True)
    ]


def _before(output: Output) -> Reading | None:
    return Reading(output.earlier[0], output.row.statement, output.prompt) if output.earlier else None
