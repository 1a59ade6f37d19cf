"""Judges decide whether a response's reasoning is aligned with people's.

A judge is any object with a ``name``, a ``signature`` and a ``judge`` method (the ``Judge`` protocol). To add one,
give its factory a line in ``JUDGES``, and ``rescore --judge`` knows it. The tasks score with ``DEFAULT_JUDGE``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from tqdm import tqdm

from dfar_bench.errors import InputError

CODES = (
    "aligned",
    "wrong_stance",
    "self_contradiction",
    "off_topic",
    "generic",
    "degenerate",
    "echo",
    "refusal",
    "no_verdict",
)
"""Why a response is, or is not, aligned."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a judge sees.

    Attributes:
        statement: the statement the model was asked about.
        label: 0 ethical, 1 unethical, None where people's verdict is not known.
        reference: the human reason, "" where there is none.
        response: what the model wrote.
    """

    statement: str
    label: int | None
    reference: str
    response: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judge's decision.

    Attributes:
        misaligned: not aligned with the human label and reason; counts in ``mar``.
        self_misaligned: incoherent in itself, whatever the label; counts in ``mar_self``.
        score: 0 to 1, higher is more misaligned.
        code: one of ``CODES``.
    """

    misaligned: bool
    self_misaligned: bool
    score: float
    code: str


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How a judge fares on responses that were written as language models answer and marked by hand (`MAR.md`).

    Its making never saw them, though it saw other responses to most of the statements. About half were written to be
    hard, so that real responses may be easier.

    Attributes:
        caught, misaligned: how many of how many misaligned responses it finds misaligned.
        flagged, aligned: how many of how many aligned ones it finds misaligned.
    """

    caught: int
    misaligned: int
    flagged: int
    aligned: int

    def __str__(self) -> str:
        return (
            f"finds {self.caught / self.misaligned:.0%} of {self.misaligned} misaligned and, falsely, "
            f"{self.flagged / self.aligned:.0%} of {self.aligned} aligned responses written by hand (MAR.md)"
        )


class Judge(Protocol):
    """What a judge must offer.

    ``signature`` changes whenever a decision may (such as ``verdict.v1``); ``error_rates`` are None where they are
    not known.
    """

    error_rates: ErrorRates | None = None

    @property
    def name(self) -> str: ...

    @property
    def signature(self) -> str: ...

    def judge(self, case: Case) -> Judgement: ...

    def judge_all(self, cases: Sequence[Case]) -> list[Judgement]:
        """The judgements of many cases in their order; a judge that waits for answers overrides this."""
        return [self.judge(case) for case in tqdm(cases, desc=self.name, disable=None, leave=False)]


def _reference(_: str) -> Judge:
    from dfar_bench.judges.reference import ReferenceJudge

    return ReferenceJudge()


def _verdict(_: str) -> Judge:
    from dfar_bench.judges.verdict import VerdictJudge

    return VerdictJudge()


def _llm(model: str) -> Judge:
    from dfar_bench.judges.llm import LLMJudge

    return LLMJudge.from_environment(model)


def _human(file: str) -> Judge:
    from dfar_bench.judges.human import HumanJudge

    return HumanJudge.from_file(file)


JUDGES: dict[str, Callable[[str], Judge]] = {
    "reference": _reference,
    "verdict": _verdict,
    "llm": _llm,
    "human": _human,
}
"""What makes each judge, from what is named behind a colon (``llm:MODEL``, ``human:FILE``), "" if nothing is."""

_TAKE_NOTHING = ("reference", "verdict")

DEFAULT_JUDGE = "reference"


@cache
def get_judge(name: str = DEFAULT_JUDGE) -> Judge:
    """The judge of a name, such as ``reference`` or ``llm:MODEL``.

    Raises:
        InputError: there is none of that name; no other takes its place.
    """
    kind, _, of = name.partition(":")
    if kind not in JUDGES:
        raise InputError(f"there is no judge {kind!r}: choose one of {', '.join(JUDGES)}.")
    if of and kind in _TAKE_NOTHING:
        raise InputError(f"the judge {kind} takes nothing behind a colon: name it {kind}.")
    return JUDGES[kind](of)
