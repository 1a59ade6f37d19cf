"""Judges: how many responses a second the reference judge reads, and how much longer it takes than ``verdict``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from dfar_bench.data import LABELS, rows
from dfar_bench.judges import Case, get_judge
from dfar_bench.validity.items import items
from tests.bench.figures import Figure, at_least
from tests.bench.measuring import SPLIT, Size, core_seconds, tried

figure, part = partial(Figure, "judge"), partial(tried, "judge")


def measure(size: Size) -> Iterator[Figure]:
    for name, make in (("human reasons", human_reasons), ("validity mix", validity_mix)):
        yield from part(name, judging, name, make, size)


def human_reasons() -> list[Case]:
    """To every statement of the split, the human verdict and reason as a response."""
    return [
        Case(row.statement, row.label, row.reason, f" {LABELS[row.label]}. {row.reason}")
        for part in rows(SPLIT).values()
        for row in part
    ]


def validity_mix() -> list[Case]:
    """Responses of all kinds, misaligned ones for the most part."""
    return [item.case for item in items(SPLIT)]


def judging(name: str, make: Callable[[], list[Case]], size: Size) -> Iterator[Figure]:
    cases = make()[:: size.judge_every]
    reference, verdict = judge_seconds(cases, size.best_of)
    yield figure(f"{name}, reference", len(cases) / reference, "responses/core-s", at_least(2_000))
    yield figure(f"{name}, verdict", len(cases) / verdict, "responses/core-s")
    yield figure(f"{name}, time of reference / verdict", reference / verdict, "ratio")


def judge_seconds(cases: Sequence[Case], best_of: int) -> tuple[float, float]:
    """Seconds of a core that the reference judge and ``verdict`` take, in turn, at their best."""
    reference, verdict = (
        partial(core_seconds, partial(get_judge(name).judge_all, cases)) for name in ("reference", "verdict")
    )
    pairs = [(reference(), verdict()) for _ in range(best_of)]
    return min(one for one, _ in pairs), min(other for _, other in pairs)
