"""What all sections measure with: how much, on which rows, by which clock, and how one goes on after a failure."""

from __future__ import annotations

import os
import re
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from dfar_bench.bootstrap import RESAMPLES
from tests.bench.figures import Figure

# The published data where it is at hand, else the mini split; the report says which.
SPLIT = "paper" if os.environ.get("DFAR_BENCH_DATA") else "mini"


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        quick: only to see that everything runs.
        limit: rows of an evaluation, None for all.
        evaluations: pairs of whole evaluations, ours and the stock one.
        logged_runs: runs that are rescored at once.
        best_of: how often what takes seconds is repeated; the best counts.
        judge_every: one of how many responses is judged.
        train_rows: by mode.
        strategies: of sharing a model out between processes.
        all_different: submissions whose responses are all different, from which the rate of verifying is taken.
        submissions: on the board.
    """

    quick: bool
    limit: int | None
    evaluations: int
    logged_runs: int
    best_of: int
    resamples: int
    judge_every: int
    train_rows: dict[str, int]
    strategies: tuple[str, ...]
    all_different: int
    submissions: int


FULL = Size(
    quick=False,
    limit=None,
    evaluations=9,
    logged_runs=20,
    best_of=3,
    resamples=RESAMPLES,
    judge_every=1,
    train_rows={"l": 32, "lr": 12},
    strategies=("ddp", "zero1", "zero2", "zero2_offload", "zero3", "zero3_offload"),
    all_different=20,
    submissions=200,
)
QUICK = Size(
    quick=True,
    limit=20,
    evaluations=1,
    logged_runs=1,
    best_of=1,
    resamples=1_000,
    judge_every=40,
    train_rows={"l": 4, "lr": 2},
    strategies=("ddp", "zero3"),
    all_different=2,
    submissions=8,
)


class UnmeasuredError(Exception):
    """Something is lacking that a measurement needs; its text says what."""


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def core_seconds(work: Callable[[], object]) -> float:
    """Of one core, whatever else the machine is busy with; for work that waits for nothing."""
    start = time.process_time()
    work()
    return time.process_time() - start


def tried(section: str, name: str, measure: Callable[..., Iterable[Figure]], *given: Any) -> Iterator[Figure]:
    """The figures of a measurement; if it fails, those it had by then, and one without value that says why."""
    try:
        yield from measure(*given)
    except Exception as error:
        traceback.print_exc()
        yield Figure(section, name, None, reason=reason(error))


def reason(error: Exception) -> str:
    """Why something failed, in one line that names no folder of this machine."""
    said = str(error).strip().partition("\n")[0]
    whole = said if isinstance(error, UnmeasuredError) else f"{type(error).__name__}: {said}"
    return re.sub(r"(?<![\w:/.])/(?:[^\s/'\"]+/)+", "…/", whole)[:200]
