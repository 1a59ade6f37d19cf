"""The benchmark's records, its table, and that it loses nothing; the speeds themselves are no matter of tests."""

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
from conftest import ROOT

from tests.bench.__main__ import SECTIONS, main
from tests.bench.evaluation import RESPONSES
from tests.bench.figures import QUICK, Figure, at_least, at_most, document, table
from tests.bench.measuring import FULL, UnmeasuredError, reason, tried

MACHINE = {"cores": 2, "python": "3.11.7"}


def record(value: float | None, goal: Any = None, **others: Any) -> dict[str, Any]:
    return Figure("judge", "speed", value, "1/s", goal, **others).as_record()


def broken() -> Iterator[Figure]:
    yield Figure("judge", "before", 1.0)
    raise UnmeasuredError("no browser")


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (1.1, at_most(1.1), True),
        (1.10004, at_most(1.1), True),  # as shown
        (1.101, at_most(1.1), False),
        (2_000, at_least(2_000), True),
        (1_999, at_least(2_000), False),
        (0.0, at_most(1), True),
        (5.0, None, None),
    ],
)
def test_met_and_missed(value: float, goal: Any, met: bool | None) -> None:
    assert record(value, goal)["met"] is met


def test_a_record() -> None:
    assert record(1234.567, at_least(10_000)) == {
        "section": "judge", "figure": "speed", "value": 1235.0, "unit": "1/s", "goal": "≥ 10,000", "met": False,
    }  # fmt: skip
    assert record(123_456)["value"] == 123_456  # a count
    lacking = record(None, at_most(1), reason="no browser")
    assert (lacking["value"], lacking["met"], lacking["reason"]) == (None, None, "no browser")


def test_the_table() -> None:
    figures = [
        Figure("judge", "human reasons", 12_345.6, "responses/core-s", at_least(2_000)),
        Figure("board", "index.html", 3.5, "MiB", at_most(2)),
        Figure("board", "submissions", 200, "submissions"),
        Figure("board", "usable in a browser", None, reason="no chromium on the PATH"),
    ]
    assert table(document(figures, "mini", MACHINE, quick=False)).splitlines() == [
        "section | figure              |  value | unit             | goal    | met",
        "--------+---------------------+--------+------------------+---------+-------------",
        "judge   | human reasons       | 12,350 | responses/core-s | ≥ 2,000 | yes",
        "board   | index.html          |    3.5 | MiB              | ≤ 2     | MISSED",
        "board   | submissions         |    200 | submissions      |         |",
        "board   | usable in a browser |      – |                  |         | not measured",
        "",
        "not measured: board, usable in a browser: no chromium on the PATH",
        "goals met: 1 of 2",
        "split mini; cores 2, python 3.11.7",
    ]
    assert table(document([], "mini", MACHINE, quick=True)).splitlines()[-1] == QUICK


def test_a_failure_keeps_what_was_measured_before() -> None:
    assert list(tried("judge", "all of it", broken)) == [
        Figure("judge", "before", 1.0),
        Figure("judge", "all of it", None, reason="no browser"),
    ]


def test_a_reason_is_one_line_without_folders() -> None:
    assert reason(OSError("no /srv/someone/board/index.html here\nand more")) == "OSError: no …/index.html here"
    assert reason(UnmeasuredError("see https://example.org/a/b")) == "see https://example.org/a/b"
    assert len(reason(ValueError("x" * 1000))) == 200


def test_a_section_that_fails_loses_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = []

    def measure(size: Any) -> Iterator[Figure]:
        asked.append(size)
        print("noise")
        print("noise", file=sys.stderr)
        yield Figure("any", "speed", 1.0)

    for section in SECTIONS:
        monkeypatch.setitem(sys.modules, f"tests.bench.{section}", SimpleNamespace(measure=measure))
    out = tmp_path / "runs" / "bench.json"
    arguments = ["--json", "--out", str(out)]
    assert main(arguments) == 0
    monkeypatch.setitem(sys.modules, "tests.bench.judge", SimpleNamespace(measure=lambda size: broken()))
    monkeypatch.setitem(sys.modules, "tests.bench.training", None)  # as if what it imports were not installed
    capsys.readouterr()
    assert main([*arguments, "--submissions", "7"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out) == json.loads(out.read_text())
    assert printed.err == ""
    values = [(one["figure"], one["value"]) for one in json.loads(printed.out)["figures"]]
    assert values == [("speed", 1.0), ("before", 1.0), ("judge", None), ("training", None), ("speed", 1.0)]
    assert asdict(asked[-1]) == {**asdict(FULL), "submissions": 7}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--submissions", "0"], "--submissions must be 1 or more"),
        (["--out", str(ROOT / "tests")], "cannot be written"),
        (["--only", "speed"], "invalid choice"),
    ],
)
def test_refused_at_once(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert said in capsys.readouterr().err


def test_a_real_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--only", "evaluation", "--quick", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    found = json.loads(done.stdout)
    assert found["quick"] is True
    assert found["split"] == ("paper" if os.environ.get("DFAR_BENCH_DATA") else "mini")
    assert list(found["machine"]) == ["cores", "python", "torch", "lm_eval"]
    assert {one["section"] for one in found["figures"]} == {"evaluation"}
    assert all(one["value"] > 0 and one["unit"] for one in found["figures"])
    assert {one["figure"]: one["goal"] for one in found["figures"]} == {
        "test set": None,
        "harness, dfar_cls": None,
        "harness, stock task": None,
        "harness, dfar_cls / stock task": "≤ 1.1",
        "rescored, cls": "≥ 10,000",
        **{f"rescored, reason, {place}": "≥ 2,000" for place in RESPONSES},
        "intervals, cls, 1,000 resamples": None,
        "intervals, reason, 1,000 resamples": None,
    }
    assert all(isinstance(one["met"], bool) == (one["goal"] is not None) for one in found["figures"])
