"""What is odd about a submission and no reason to refuse it. A board shows it beside the row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dfar_bench.answers import Response
from dfar_bench.samples import LoggedAnswer

COPIES = 0.02
"""Share of unleaked responses with the human reason word for word. A model that never saw the reasons has none:
people's sentences of twenty words do not come about by chance."""

CONSTANT = 0.5
"""Share of the most frequent response."""

TOO_RIGHT = 0.97
"""Accuracy on unleaked rows. Some labels of the published test set contradict the reason that stands beside them, so
a model that judges cannot agree with nearly all."""

AT_ODDS = 0.4
"""Difference between the accuracy by likelihood and by pronounced verdict, where nearly every verdict can be read."""

MIN_ROWS = 50
READABLE = 0.1


@dataclass(frozen=True, slots=True)
class Flag:
    """One oddity: ``gold_copy``, ``constant``, ``implausible`` or ``at_odds``, and a sentence for people."""

    kind: str
    text: str


def task_flags(kind: str, logged: Sequence[LoggedAnswer], answers: Sequence[Any]) -> tuple[Flag, ...]:
    """The flags of one task's answers.

    Args:
        logged: the answers as given.
        answers: the same, read as ``Choice`` or ``Response``.
    """
    out = [_constant(kind, logged, answers), _implausible(answers)]
    if kind == "reason":
        out.insert(0, _copies(answers))
    return tuple(flag for flag in out if flag)


def odds(accuracies: tuple[float | None, float | None], unparsed: float | None) -> Flag | None:
    """The flag of a submission whose two tasks on one split contradict each other.

    Args:
        accuracies: ``acc`` of the ``cls`` task and ``verdict_acc`` of the ``reason`` task.
        unparsed: of the ``reason`` task.
    """
    one, other = accuracies
    if one is None or other is None or unparsed is None or unparsed > READABLE or abs(one - other) < AT_ODDS:
        return None
    return Flag("at_odds", f"{one:.1%} right by likelihood, and {other:.1%} by the verdict that it pronounces")


def _copies(answers: Sequence[Response]) -> Flag | None:
    unleaked = [answer for answer in answers if not answer.row.leaked]
    copies = sum(answer.gold_copy for answer in unleaked)
    if not unleaked or copies <= COPIES * len(unleaked):
        return None
    return Flag(
        "gold_copy", f"{copies} of {len(unleaked)} unleaked responses hold the human reason word for word: memorised"
    )


def _constant(kind: str, logged: Sequence[LoggedAnswer], answers: Sequence[Any]) -> Flag | None:
    if kind == "cls":
        verdicts = {answer.predicted for answer in answers}
        if len(answers) > 1 and len(verdicts) == 1:
            return Flag("constant", "one verdict for all rows")
        return None
    ((_, count),) = Counter(" ".join(str(one.answer).split()) for one in logged).most_common(1)
    if len(answers) > 1 and count > CONSTANT * len(answers):
        return Flag("constant", f"one response for {count} of {len(answers)} rows")
    return None


def _implausible(answers: Sequence[Any]) -> Flag | None:
    unleaked = [answer for answer in answers if not answer.row.leaked]
    right = sum(answer.correct for answer in unleaked)
    if len(unleaked) < MIN_ROWS or right <= TOO_RIGHT * len(unleaked):
        return None
    return Flag(
        "implausible", f"right in {right} of {len(unleaked)} unleaked rows: more than the labels' own noise allows"
    )
