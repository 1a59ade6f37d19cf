"""Shared parts: the published data, models made on the spot, and runs of the real harness."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from real_browser import launched

from dfar_bench.data import rows

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent

# What a shell starts in the background ignores interrupts, and so would the commands that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def paper() -> None:
    """Skip where the published data is not at hand, unless it is demanded."""
    if not os.environ.get("DFAR_BENCH_DATA") and not os.environ.get("DFAR_BENCH_REQUIRE_DATA"):
        pytest.skip("set DFAR_BENCH_DATA to a folder with the published DFAR files")
    rows("paper")


@pytest.fixture(scope="module")  # as long as it is open, Playwright keeps an event loop running in this thread
def browser() -> Iterator[Browser]:
    yield from launched()


@dataclass(frozen=True)
class HarnessRun:
    """What one call of lm_eval printed and wrote."""

    stdout: str
    stderr: str
    folder: Path

    @property
    def results_file(self) -> Path:
        (file,) = self.folder.rglob("results_*.json")
        return file

    @property
    def results(self) -> dict[str, Any]:
        return json.loads(self.results_file.read_text())

    def samples_file(self, task: str) -> Path:
        (file,) = self.folder.rglob(f"samples_{task}_2*.jsonl")
        return file

    def samples(self, task: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.samples_file(task).read_text().splitlines()]


def run_lm_eval(folder: Path, *arguments: str, command: tuple[str, ...] = ("-m", "lm_eval")) -> HarnessRun:
    """Run the harness in a process of its own, as users do, with logged samples."""
    done = subprocess.run(
        [sys.executable, *command, *arguments, "--output_path", str(folder), "--log_samples"],
        capture_output=True,
        text=True,
        cwd=folder.parent,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return HarnessRun(done.stdout, done.stderr, folder)


@pytest.fixture(scope="session")
def dummy_mini(tmp_path_factory: pytest.TempPathFactory) -> HarnessRun:
    return run_lm_eval(tmp_path_factory.mktemp("runs") / "mini", "--model", "dummy", "--tasks", "dfar_mini")


@pytest.fixture(scope="session")
def dummy_paper(paper: None, tmp_path_factory: pytest.TempPathFactory) -> HarnessRun:
    return run_lm_eval(tmp_path_factory.mktemp("runs") / "paper", "--model", "dummy", "--tasks", "dfar_cls,dfar_reason")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A randomly initialised Llama with a chat template; its tokenizer is trained on the mini split."""
    from dfar_bench.training.scratch import make_model

    folder = tmp_path_factory.mktemp("tiny") / "tiny-llama"
    make_model(folder, (f"{row.statement} {row.reason}" for row in rows("mini")["train"]))
    return folder
