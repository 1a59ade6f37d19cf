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
from tests.bench.claims import CLAIMS, at_least, at_most, goal_of
from tests.bench.evaluation import RESPONSES
from tests.bench.figures import QUICK, Figure, report, table
from tests.bench.measuring import FULL, UnmeasuredError, attempt, reason

MACHINE = {"cores": 2, "python": "3.11.7"}


def fail_after_one_figure(*_: Any) -> Iterator[Figure]:
    yield Figure("judge", "before", 1.0)
    raise UnmeasuredError("no browser")


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (1.1, at_most(1.1), True),
        (1.101, at_most(1.1), False),
        (2_000, at_least(2_000), True),
        (1_999, at_least(2_000), False),
        (0.0, at_most(1), True),
    ],
)
def test_goals_that_are_met_or_missed(value: float, goal: Any, met: bool) -> None:
    assert goal.is_met(value) is met


def test_a_goal_is_that_of_the_claim_that_covers_a_figure() -> None:
    assert goal_of("evaluation", "rescored, reason, verdict last") == at_least(2_000)
    assert goal_of("judge", "rescored, reason, verdict last") is None
    assert goal_of("board", "build, cold") is None
    for claim in CLAIMS:  # no claim hides another
        assert [other for other in CLAIMS if other.covers(claim.section, claim.figure)] == [claim]


def test_the_table() -> None:
    figures = [
        Figure("judge", "human reasons, reference, again", 12_345.6, "responses/core-s"),
        Figure("evaluation", "harness, dfar_cls / stock task", 1.10004, "ratio"),  # met by the value that is shown
        Figure("board", "index.html", 3.5, "MiB"),
        Figure("board", "submissions", 123_456, "submissions"),
        Figure("board", "usable in a browser", None, reason="no chromium on the PATH"),
    ]
    assert table(report([figures], "mini", MACHINE, quick=False)).splitlines() == [
        "section    | figure                          |   value | unit             | goal    | met",
        "-----------+---------------------------------+---------+------------------+---------+-------------",
        "judge      | human reasons, reference, again |  12,350 | responses/core-s | ≥ 1,000 | yes",
        "evaluation | harness, dfar_cls / stock task  |     1.1 | ratio            | ≤ 1.1   | yes",
        "board      | index.html                      |     3.5 | MiB              | ≤ 2     | MISSED",
        "board      | submissions                     | 123,456 | submissions      |         |",
        "board      | usable in a browser             |       – |                  | ≤ 1     | not measured",
        "",
        "not measured: board, usable in a browser: no chromium on the PATH",
        "goals met: 2 of 3",
        "split mini; cores 2, python 3.11.7",
    ]
    assert table(report([[]], "mini", MACHINE, quick=True)).splitlines()[-1] == QUICK


def test_several_runs_give_a_median_and_a_range() -> None:
    runs = [[Figure("board", "index.html", size, "MiB")] for size in (1.8, 2.5, 1.9)]
    runs[1].append(Figure("board", "sorted", None, reason="no chromium on the PATH"))
    runs[2].append(Figure("board", "sorted", 0.25, "s"))
    results = report(runs, "mini", MACHINE, quick=False)
    assert [record["values"] for record in results["figures"]] == [[1.8, 2.5, 1.9], [0.25]]
    assert table(results).splitlines()[:5] == [
        "section | figure     | value | range      | unit | goal | met",
        "--------+------------+-------+------------+------+------+----",
        "board   | index.html |   1.9 | 1.8 to 2.5 | MiB  | ≤ 2  | yes",
        "board   | sorted     |  0.25 |            | s    |      |",
        "",
    ]
    assert "not measured: board, sorted: no chromium on the PATH" in table(results)


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
    assert main(["--json", "--out", str(out), "--submissions", "7", "--runs", "2"]) == 1
    printed = capsys.readouterr()
    results = json.loads(printed.out)
    assert results == json.loads(out.read_text())
    assert printed.err == ""
    values = [(figure["figure"], figure["values"]) for figure in results["figures"]]
    # The sections that worked give the same name here.
    assert values == [("speed", [1.0] * 4), ("before", [1.0] * 2), ("judge", []), ("training", [])]
    assert asdict(sizes[-1]) == {**asdict(FULL), "submissions": 7}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--submissions", "0"], "--submissions must be 1 or more"),
        (["--runs", "0"], "--runs must be 1 or more"),
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
        env={**os.environ, "HF_HUB_OFFLINE": "1", "DFAR_BENCH_DATA": ""},
        timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    results = json.loads(done.stdout)
    assert (results["quick"], list(results["machine"])) == (True, ["dfar_bench", "cores", "python", "torch", "lm_eval"])
    assert results["split"] == "mini"
    assert all(figure["value"] > 0 and figure["unit"] for figure in results["figures"])
    assert {figure["figure"] for figure in results["figures"]} == {
        "test set",
        "harness, dfar_cls",
        "harness, stock task",
        "harness, dfar_cls / stock task",
        "rescored, cls",
        *(f"rescored, reason, {place}" for place in RESPONSES),
        "intervals, cls, 1,000 resamples",
        "intervals, reason, 1,000 resamples",
    }
