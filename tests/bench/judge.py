"""Judges: how many responses per second the reference judge reads, for the first time and again, and ``verdict``.

Its encoder reads a response once; after that its word is in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from dfar_bench.datasets import get_dataset, rows
from dfar_bench.judges import Case, get_judge
from dfar_bench.runs.validation.cases import constructed_cases
from tests.bench.figures import Figure
from tests.bench.measuring import SPLIT, Size, attempt, core_seconds, fresh_cache


def measure(size: Size) -> Iterator[Figure]:
    for name, make_cases in (("human reasons", human_reasons), ("validity mix", validity_mix)):
        yield from attempt("judge", name, measure_judges, name, make_cases, size)


def human_reasons() -> list[Case]:
    """Every statement of the data set, answered with the human verdict and reason."""
    labels = get_dataset(SPLIT).labels
    return [
        Case(row.statement, row.label, row.reason, f" {labels[row.label]}. {row.reason}")
        for members in rows(SPLIT).values()
        for row in members
    ]


def validity_mix() -> list[Case]:
    """Responses of all kinds, most of them misaligned."""
    return [constructed.case for constructed in constructed_cases(SPLIT)]


def measure_judges(name: str, make_cases: Callable[[], list[Case]], size: Size) -> Iterator[Figure]:
    every = make_cases()
    cases = every[:: max(1, len(every) // size.judged)][: size.judged]
    with fresh_cache():
        for judge in ("reference", "verdict"):
            judge_seconds(judge, cases[:1])  # loads it
        times = {"reference, new": judge_seconds("reference", cases)}
        # In turn, so that both judges meet the machine in the same state.
        pairs = [(judge_seconds("reference", cases), judge_seconds("verdict", cases)) for _ in range(size.best_of)]
    times["reference, again"], times["verdict"] = map(min, zip(*pairs))
    for what, taken in times.items():
        yield Figure("judge", f"{name}, {what}", len(cases) / taken, "responses/core-s")


def judge_seconds(name: str, cases: Sequence[Case]) -> float:
    unread = [replace(case) for case in cases]  # a case keeps its reading
    return core_seconds(partial(get_judge(name).judge, unread))
