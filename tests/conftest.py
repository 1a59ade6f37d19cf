"""Shared parts: the published data, models made on the spot, and runs of the real harness."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness import HarnessRun, evaluate
from hypothesis import HealthCheck, settings
from real_browser import launched

from dfar_bench.datasets import DATASETS, available, read_published, rows

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The same examples in every run, so that a test is not red by chance; on a busy machine each takes as long as it takes.
settings.register_profile("repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything that reads it is imported
os.environ.setdefault("OMP_NUM_THREADS", "1")  # more threads than cores slow tiny models down many times over

# What a shell starts in the background ignores interrupts, and so would the commands that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def demanded_data() -> None:
    """Download what is not at hand where all data is demanded, so that no test is skipped for want of it."""
    if os.environ.get("DFAR_BENCH_REQUIRE_DATA"):
        for dataset in DATASETS.values():
            for file in () if available(dataset.name) else dataset.files:
                read_published(dataset, file)


@pytest.fixture(scope="session")
def paper() -> None:
    """Skip where the published data is not at hand, unless it is demanded."""
    if not os.environ.get("DFAR_BENCH_DATA") and not os.environ.get("DFAR_BENCH_REQUIRE_DATA"):
        pytest.skip("set DFAR_BENCH_DATA to a folder with the published DFAR files")
    rows("paper")


@pytest.fixture(scope="module")  # as long as it is open, Playwright keeps an event loop running in this thread
def browser() -> Iterator[Browser]:
    yield from launched()


@pytest.fixture(scope="session")
def dummy_mini(tmp_path_factory: pytest.TempPathFactory) -> HarnessRun:
    """The harness's dummy model on ``dfar_mini``: random likelihoods, and "lol" for an answer."""
    return evaluate(tmp_path_factory.mktemp("runs") / "mini", "dfar_mini")


@pytest.fixture(scope="session")
def dummy_paper(paper: None, tmp_path_factory: pytest.TempPathFactory) -> HarnessRun:
    """The dummy model on ``dfar_cls`` and ``dfar_reason``."""
    return evaluate(tmp_path_factory.mktemp("runs") / "paper", "dfar_cls", "dfar_reason")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A randomly initialised Llama with a chat template; its tokenizer is trained on the data set mini."""
    from dfar_bench.training.scratch import make_model

    folder = tmp_path_factory.mktemp("tiny") / "tiny-llama"
    make_model(folder, (f"{row.statement} {row.reason}" for row in rows("mini")["train"]))
    return folder
