"""The second version of the reference judge: a small encoder, behind the parser of verdicts and beside the first.

The verdict is parsed. Whether the reason supports it is asked of an encoder (``encoder``) and of the first version's
linear model, whose answers are added in log-odds; a reason that the linear model finds general or beside the point is
at fault in any case. Neither sees the human label or the human reason, so what is wrong with a response itself, and
``mar_self`` with it, depends on statement and response alone. Deterministic, on a CPU, without network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from operator import mul

from dfar_bench.judges.base import Case, Judge, Judgement
from dfar_bench.judges.reference.v1.argument import without_echo
from dfar_bench.judges.reference.v1.judge import ReferenceJudge as FirstJudge
from dfar_bench.judges.reference.v1.judge import check
from dfar_bench.judges.reference.v2 import CLASSES
from dfar_bench.judges.reference.v2.encoder import COMBINATION, Encoder, load
from dfar_bench.reading import is_bare
from dfar_bench.reading.lexicon import OPEN
from dfar_bench.text import short_hash, words

_IMPLIED = 0.7
"""Probability from which an argument without a verdict implies one."""

VERSION = 2
"""Raise it when decisions change and no weights do."""

_NO_REASON = ("generic", "off_topic")

_LEAST = 1e-4
"""Least probability of which log-odds are taken."""


class ReferenceJudge(Judge):
    """See the module.

    Args:
        version: names the encoder's file. ``v2b`` is fitted to the other half of the statements than ``v2``, so that
            each can score what was chosen by the other.
        encoder: the package's own unless another is given, as in fitting.
    """

    name = "reference"

    def __init__(self, version: str = "v2", encoder: Encoder | None = None) -> None:
        self._version = version
        self._encoder = load(version) if encoder is None else encoder
        self._first = FirstJudge()
        self._weights: list[float] = self._encoder.arrays[COMBINATION].tolist()

    @cached_property
    def signature(self) -> str:
        """Such as ``reference.v2.3fa9c1d2``; the hash is over both models and ``VERSION``."""
        return f"reference.{self._version}.{short_hash([self._encoder.digest, self._first.signature, VERSION])}"

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        """Judge a batch; see ``Judge.judge``.

        Raises:
            InputError: a label is not 0, 1 or None, or a text is not a string.
        """
        for case in cases:
            check(case)
        faults = [self._own_fault(case) for case in cases]
        arguing = [case for case, fault in zip(cases, faults) if fault is None]
        sides = iter(self._encoder.probabilities([(case.statement, case.reading.answer) for case in arguing]))
        return [
            Judgement(True, True, 1.0, fault) if fault else self._judgement(case, [float(p) for p in next(sides)])
            for case, fault in zip(cases, faults)
        ]

    def _own_fault(self, case: Case) -> str | None:
        """Return why a response is not an argument at all, None if it may be one."""
        reading = case.reading
        if reading.degenerate or self._first.is_jumbled(reading.answer):
            return "degenerate"
        if reading.echo:
            return "echo"
        if reading.verdict is None:
            settled = reading.refusal or reading.bare or not OPEN.isdisjoint(words(reading.answer))
            return ("refusal" if reading.refusal else "no_verdict") if settled else None
        return "generic" if is_bare(without_echo(reading.answer, case.statement), reading.nothing_new) else None

    def _judgement(self, case: Case, sides: Sequence[float]) -> Judgement:
        """Judge a response that may argue, from the probabilities of what it argues for (``CLASSES``)."""
        verdict = case.reading.verdict
        if verdict is None:  # an argument may imply one
            verdict = self._first.implied_verdict(case.reading)
        if verdict is None:
            verdict = max((0, 1), key=sides.__getitem__)
            if sides[verdict] < _IMPLIED:
                return Judgement(True, True, 1.0, "no_verdict")
        first_code, first_fault = self._first.argument_fault(case, verdict)
        evidence = 1.0, *_evidence(sides[verdict], first_fault)
        fault = 1 / (1 + math.exp(-math.fsum(map(mul, self._weights, evidence))))
        if first_code in _NO_REASON:
            fault = max(fault, first_fault)
        if case.label is not None and verdict != case.label:
            return Judgement(True, fault > 0.5, 1.0, "wrong_stance")
        code = _argument_code(sides, verdict) if fault > 0.5 else "aligned"
        return Judgement(fault > 0.5, fault > 0.5, fault, code)

    def evidence(self, case: Case, verdict: int, supports: float) -> tuple[float, float]:
        """Return the log-odds that a reason does not support a verdict: the encoder's, and the first version's.

        Args:
            supports: the encoder's probability that it does.
        """
        return _evidence(supports, self._first.argument_fault(case, verdict)[1])


def _evidence(supports: float, first_fault: float) -> tuple[float, float]:
    return _log_odds(1 - supports), _log_odds(first_fault)


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(bounded / (1 - bounded))


def _argument_code(sides: Sequence[float], verdict: int) -> str:
    """Return what is most likely wrong with an argument that does not support its verdict."""
    found = {
        "self_contradiction": sides[1 - verdict],
        "off_topic": sides[CLASSES.index("off_topic")],
        "generic": sides[CLASSES.index("generic")],
    }
    return max(found, key=found.__getitem__)
