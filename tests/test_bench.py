"""The benchmarks' report, and that a failure loses no other figure; the speeds themselves are not tested."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from harness import ROOT

from tests.bench.__main__ import SECTIONS, main
from tests.bench.evaluation import RESPONSES
from tests.bench.figures import QUICK, Figure, at_least, at_most, report, table
from tests.bench.measuring import FULL, UnmeasuredError, attempt, reason

MACHINE = {"cores": 2, "python": "3.11.7"}


def fail_after_one_figure(*_: Any) -> Iterator[Figure]:
    yield Figure("judge", "before", 1.0)
    raise UnmeasuredError("no browser")


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (1.1, at_most(1.1), True),
        (1.10004, at_most(1.1), True),  # by the value that is shown
        (1.101, at_most(1.1), False),
        (2_000, at_least(2_000), True),
        (1_999, at_least(2_000), False),
        (0.0, at_most(1), True),
        (5.0, None, None),
        (None, at_most(1), None),
    ],
)
def test_goals_that_are_met_or_missed(value: float | None, goal: Any, met: bool | None) -> None:
    assert Figure("judge", "speed", value, "1/s", goal).as_json()["met"] is met


def test_the_table() -> None:
    figures = [
        Figure("judge", "human reasons", 12_345.6, "responses/core-s", at_least(2_000)),
        Figure("board", "index.html", 3.5, "MiB", at_most(2)),
        Figure("board", "submissions", 123_456, "submissions"),
        Figure("board", "usable in a browser", None, reason="no chromium on the PATH"),
    ]
    assert table(report(figures, "mini", MACHINE, quick=False)).splitlines() == [
        "section | figure              |   value | unit             | goal    | met",
        "--------+---------------------+---------+------------------+---------+-------------",
        "judge   | human reasons       |  12,350 | responses/core-s | ≥ 2,000 | yes",
        "board   | index.html          |     3.5 | MiB              | ≤ 2     | MISSED",
        "board   | submissions         | 123,456 | submissions      |         |",
        "board   | usable in a browser |       – |                  |         | not measured",
        "",
        "not measured: board, usable in a browser: no chromium on the PATH",
        "goals met: 1 of 2",
        "split mini; cores 2, python 3.11.7",
    ]
    assert table(report([], "mini", MACHINE, quick=True)).splitlines()[-1] == QUICK


def test_a_failure_keeps_the_figures_before_it() -> None:
    assert list(attempt("judge", "all of it", fail_after_one_figure)) == [
        Figure("judge", "before", 1.0),
        Figure("judge", "all of it", None, reason="no browser"),
    ]
    assert reason(OSError("no /srv/someone/board/index.html here\nand more")) == "OSError: no …/index.html here"
    assert reason(UnmeasuredError("see https://example.org/a/b")) == "see https://example.org/a/b"
    assert len(reason(ValueError("x" * 1000))) == 200


def test_a_section_that_fails_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    sizes = []

    def measure(size: Any) -> Iterator[Figure]:
        sizes.append(size)
        print("noise")
        print("noise", file=sys.stderr)
        yield Figure("any", "speed", 1.0)

    for section in SECTIONS:
        monkeypatch.setitem(sys.modules, f"tests.bench.{section}", SimpleNamespace(measure=measure))
    monkeypatch.setitem(sys.modules, "tests.bench.judge", SimpleNamespace(measure=fail_after_one_figure))
    monkeypatch.setitem(sys.modules, "tests.bench.training", None)  # as if a package were not installed
    out = tmp_path / "runs" / "bench.json"
    assert main(["--json", "--out", str(out), "--submissions", "7"]) == 1
    printed = capsys.readouterr()
    results = json.loads(printed.out)
    assert results == json.loads(out.read_text())
    assert printed.err == ""
    values = [(figure["figure"], figure["value"]) for figure in results["figures"]]
    assert values == [("speed", 1.0), ("before", 1.0), ("judge", None), ("training", None), ("speed", 1.0)]
    assert asdict(sizes[-1]) == {**asdict(FULL), "submissions": 7}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--submissions", "0"], "--submissions must be 1 or more"),
        (["--out", str(ROOT / "tests")], "cannot be written"),
        (["--only", "speed"], "invalid choice"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err


def test_a_quick_run_of_one_section() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--only", "evaluation", "--quick", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    results = json.loads(done.stdout)
    assert (results["quick"], list(results["machine"])) == (True, ["cores", "python", "torch", "lm_eval"])
    assert results["split"] == ("paper" if os.environ.get("DFAR_BENCH_DATA") else "mini")
    assert all(figure["value"] > 0 and figure["unit"] for figure in results["figures"])
    assert {figure["figure"]: figure["goal"] for figure in results["figures"]} == {
        "test set": None,
        "harness, dfar_cls": None,
        "harness, stock task": None,
        "harness, dfar_cls / stock task": "≤ 1.1",
        "rescored, cls": "≥ 10,000",
        **{f"rescored, reason, {place}": "≥ 2,000" for place in RESPONSES},
        "intervals, cls, 1,000 resamples": None,
        "intervals, reason, 1,000 resamples": None,
    }
