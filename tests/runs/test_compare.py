"""Comparison of two runs on the same rows."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from harness import HarnessRun

from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.runs.compare import Comparison, compare_runs
from dfar_bench.runs.log import runs_by_task

CLS, REASON = "dfar_mini_cls", "dfar_mini_reason"


@pytest.fixture
def other(dummy_mini: HarnessRun, tmp_path: Path) -> HarnessRun:
    """The dummy's run with ten verdicts changed to "unethical"."""
    run = HarnessRun(shutil.copytree(dummy_mini.folder, tmp_path / "other"))
    samples = run.samples(CLS)
    for sample in samples[:10]:
        sample["filtered_resps"] = [["-9.0", "False"], ["-1.0", "False"]]
    run.samples_file(CLS).write_text("".join(json.dumps(sample) + "\n" for sample in samples))
    return run


def compare(first: Path, second: Path) -> list[Comparison]:
    return compare_runs(runs_by_task(first), runs_by_task(second), get_judge(), resamples=1000)


def test_comparison(dummy_mini: HarnessRun, other: HarnessRun) -> None:
    cls, reason = compare(dummy_mini.folder, other.folder)
    assert [(c.task, c.rows, c.differing) for c in (cls, reason)] == [(CLS, 52, {}), (REASON, 52, {})]
    assert reason.metrics["mar"].estimate.value == 0.0
    test = cls.mcnemar
    assert test.only_first + test.only_second > 0
    assert cls.metrics["acc"].estimate.value == pytest.approx((test.only_second - test.only_first) / 52)
    document = json.loads(json.dumps(cls.as_json(), allow_nan=False))
    assert document["metrics"]["acc"]["difference"] == cls.metrics["acc"].estimate.as_json()
    table = cls.as_table()
    assert table.startswith(f"dfar_mini_cls · 52 rows\nA: {cls.models[0]}\nB: {cls.models[1]}\n")
    assert f"right in A only {test.only_first}, in B only {test.only_second}: McNemar p {test.p_value:.4f}" in table
    assert "not asked alike" not in table


def test_signatures_that_differ_are_named(dummy_mini: HarnessRun, other: HarnessRun) -> None:
    other.results_file.write_text(json.dumps({**other.results, "lm_eval_version": "0.4.12"}))
    cls, _ = compare(dummy_mini.folder, other.folder)
    now = dummy_mini.results["lm_eval_version"]
    assert cls.differing == {"lm_eval": (now, "0.4.12")}
    table = cls.as_table()
    assert f"asked or run otherwise: lm_eval ({now} and 0.4.12)\n" in table
    assert "compare only if you mean to" not in table
    shots = replace(cls.signatures[1], fields={**cls.signatures[1].fields, "shots": "5"})
    table = replace(cls, signatures=(cls.signatures[0], shots)).as_table()
    assert "not asked alike: shots (0 and 5); compare only if you mean to\n" in table


def test_what_cannot_be_compared(dummy_mini: HarnessRun, other: HarnessRun) -> None:
    with pytest.raises(InputError, match="no task to compare: the first holds dfar_mini_cls, the second dfar_mini_r"):
        compare(dummy_mini.samples_file(CLS), other.samples_file(REASON))
    file = other.samples_file(CLS)
    shutil.copy(file, file.with_name(file.name.replace("_20", "_21")))
    with pytest.raises(InputError, match=r"two runs of dfar_mini_cls are in .*: name the samples file of one of them"):
        compare(dummy_mini.folder, other.folder)
    other.results_file.unlink()  # which says how many rows there were
    file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(InputError, match="1 rows are answered in one run only, mini-test-0000 first"):
        compare(dummy_mini.samples_file(CLS), file)
