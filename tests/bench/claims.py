"""What the project claims of its speed, each with the goal that it holds itself to.

``docs/tables`` makes the tables of ``docs/benchmarks.md`` and of CONTRIBUTING.md from these.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A bound that a value must not pass."""

    bound: float
    upper: bool

    def __str__(self) -> str:
        return f"{'≤' if self.upper else '≥'} {shown(self.bound)}"

    def is_met(self, value: float) -> bool:
        return value <= self.bound if self.upper else value >= self.bound


@dataclass(frozen=True)
class Claim:
    """A figure that is published, or several of one sort.

    Attributes:
        figure: the name of the figure, or the beginning of several figures' names.
        title: as on the pages.
        unit: as on the pages, with the space before it if there is one.
    """

    section: str
    figure: str
    title: str
    unit: str
    goal: Goal

    def covers(self, section: str, figure: str) -> bool:
        return section == self.section and figure.startswith(self.figure)


def shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def at_most(bound: float) -> Goal:
    return Goal(bound, upper=True)


def at_least(bound: float) -> Goal:
    return Goal(bound, upper=False)


LARGE = "270M, 262k tokens, bfloat16"
TINY = "tiny, 4k tokens, float32"
TITLES = {LARGE: "270M parameters, vocabulary of 262k, bfloat16", TINY: "tiny model, vocabulary of 4k, float32"}
"""The settings in which training is measured, and their titles on the pages."""

RATIO = "ours / paper's"


def _faster(mode: str, setting: str, bound: float) -> Claim:
    """Claim that our recipe trains faster than the paper's."""
    title = f"training speed beside the paper's recipe: {mode}, {TITLES[setting]}"
    return Claim("training", f"{mode}, {setting}: {RATIO}", title, " times", at_least(bound))


_ROWS, _JUDGED, _VERIFIED = " rows per second", " responses per second", " per second"

CLAIMS = (
    _faster("L", LARGE, 6),
    _faster("L+R", LARGE, 2),
    _faster("L", TINY, 1),
    _faster("L+R", TINY, 1),
    Claim(
        "evaluation",
        "harness, dfar_cls / stock task",
        "our task beside a stock two-choice task of the harness, time",
        " times",
        at_most(1.1),
    ),
    Claim("evaluation", "rescored, cls", "rescoring saved answers: verdicts", _ROWS, at_least(10_000)),
    Claim(
        "evaluation",
        "rescored, reason",
        "rescoring saved answers again: reasons as long as DFAR's, 80 words, in four forms",
        _ROWS,
        at_least(2_000),
    ),
    Claim("judge", "human reasons, reference, new", "judging: human reasons, first time", _JUDGED, at_least(20)),
    Claim("judge", "human reasons, reference, again", "judging: the same again", _JUDGED, at_least(1_000)),
    Claim("judge", "validity mix, reference, new", "judging: constructed answers, first time", _JUDGED, at_least(20)),
    Claim("judge", "validity mix, reference, again", "judging: the same again", _JUDGED, at_least(1_000)),
    Claim("board", "verified, new", "submissions verified, first time", _VERIFIED, at_least(0.04)),
    Claim("board", "verified, again", "the same again, when the judge has read the answers", _VERIFIED, at_least(3)),
    Claim("board", "build, warm", "board of 200 submissions rebuilt, all cached", " s", at_most(30)),
    Claim("board", "index.html", "its first page: size", " MiB", at_most(2)),
    Claim("board", "usable in a browser", "its first page: time until usable", " s", at_most(1)),
)


def goal_of(section: str, figure: str) -> Goal | None:
    """Return the goal of a figure; None if it has none."""
    return next((claim.goal for claim in CLAIMS if claim.covers(section, figure)), None)
