"""What all sections share: the data, sizes, clocks, and how a failure is reported without losing other figures."""

from __future__ import annotations

import os
import re
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from dfar_bench.scoring import RESAMPLES
from tests.bench.figures import Figure

# The published data if it is available, else mini; the report says which.
SPLIT = "paper" if os.environ.get("DFAR_BENCH_DATA") else "mini"


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        quick: only to see that everything runs.
        limit: rows per evaluation, None for all.
        evaluations: pairs of evaluations, ours and the stock task.
        logged_runs: runs that are rescored together.
        best_of: repetitions of what takes seconds; the best counts.
        judged: responses, evenly spaced.
        train_rows: by mode.
        strategies: ways to distribute a model.
        verified: submissions that are verified to measure the rate.
        submissions: on the board.
    """

    quick: bool
    limit: int | None
    evaluations: int
    logged_runs: int
    best_of: int
    resamples: int
    judged: int
    train_rows: dict[str, int]
    strategies: tuple[str, ...]
    verified: int
    submissions: int


FULL = Size(
    quick=False,
    limit=None,
    evaluations=9,
    logged_runs=20,
    best_of=3,
    resamples=RESAMPLES,
    judged=1_000,
    train_rows={"l": 32, "lr": 12},
    strategies=("ddp", "zero1", "zero2", "zero2_offload", "zero3", "zero3_offload"),
    verified=20,
    submissions=200,
)
QUICK = Size(
    quick=True,
    limit=20,
    evaluations=1,
    logged_runs=1,
    best_of=1,
    resamples=1_000,
    judged=20,
    train_rows={"l": 4, "lr": 2},
    strategies=("ddp", "zero3"),
    verified=2,
    submissions=8,
)


class UnmeasuredError(Exception):
    """A measurement lacks something; the message says what."""


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def core_seconds(work: Callable[[], object]) -> float:
    """Measure processor time, whatever else the machine does; for work on one core that never waits."""
    start = time.process_time()
    work()
    return time.process_time() - start


@contextmanager
def fresh_cache() -> Iterator[None]:
    """Forget what judges have read before."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DFAR_BENCH_CACHE", folder)
        yield


def attempt(section: str, name: str, measure: Callable[..., Iterable[Figure]], *arguments: Any) -> Iterator[Figure]:
    """Yield the figures of a measurement; if it fails, those before the failure and one without a value."""
    try:
        yield from measure(*arguments)
    except Exception as error:
        traceback.print_exc()
        yield Figure(section, name, None, reason=reason(error))


def reason(error: Exception) -> str:
    """Describe a failure in one line that names no folder of this machine."""
    message = str(error).strip().partition("\n")[0]
    text = message if isinstance(error, UnmeasuredError) else f"{type(error).__name__}: {message}"
    return re.sub(r"(?<![\w:/.])/(?:[^\s/'\"]+/)+", "…/", text)[:200]
