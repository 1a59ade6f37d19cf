"""``rescore`` and ``compare`` as commands: what they print, and their exit statuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness import HarnessRun

from dfar_bench.cli.main import main
from dfar_bench.cli.options import BAD_INPUT, FALLS_SHORT, FINE

CLS = "dfar_mini_cls"


def test_rescore(dummy_mini: HarnessRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rescore", str(dummy_mini.folder)]) == FINE
    out, err = capsys.readouterr()
    assert (out.count("52 of 52 rows"), out.count("signature: dfar|data:mini|"), err) == (2, 2, "")
    assert main(["rescore", "--json", "--resamples", "0", "--judge", "verdict", str(dummy_mini.folder)]) == FINE
    cls, reason = json.loads(capsys.readouterr().out)["runs"]
    assert (cls["task"], cls["intervals"]) == (CLS, None)
    assert "|judge:verdict.v2|" in reason["signature"]


def test_a_run_that_cannot_be_read_does_not_hide_the_others(
    dummy_mini: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{")
    assert main(["rescore", str(bad), str(dummy_mini.folder), "--resamples", "0"]) == BAD_INPUT
    out, err = capsys.readouterr()
    assert out.count("signature: ") == 2
    assert err == f"dfar-bench: {bad}, line 1: not valid JSON; the file is cut off or damaged.\n"
    (tmp_path / "submission.json").write_text("{")
    odd = ["/no/such/folder", str(tmp_path), "x" * 300]
    assert main(["rescore", *odd, str(dummy_mini.folder), "--resamples", "0"]) == BAD_INPUT
    out, err = capsys.readouterr()
    assert (out.count("signature: "), err.count("dfar-bench: "), err.count("\n")) == (2, 3, 3)


def test_figures_that_differ_from_the_harness(
    dummy_mini: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(dummy_mini.samples_file(CLS), tmp_path)
    results = dummy_mini.results
    results["results"][CLS]["acc,none"] = 2.0
    (tmp_path / dummy_mini.results_file.name).write_text(json.dumps(results))
    assert main(["rescore", str(tmp_path)]) == FALLS_SHORT
    out, err = capsys.readouterr()
    assert "lm_eval printed 2.0" in out
    assert f"{CLS}: acc" in err


def test_compare(dummy_mini: HarnessRun, capsys: pytest.CaptureFixture[str]) -> None:
    pair = [str(dummy_mini.folder), str(dummy_mini.folder)]
    assert main(["compare", *pair]) == FINE
    assert f"{CLS} · 52 rows" in capsys.readouterr().out
    assert main(["compare", *pair, "--json"]) == FINE
    document = json.loads(capsys.readouterr().out)
    assert document["intervals"] == {"level": 0.95, "resamples": 10_000, "seed": 20240821}
    assert [comparison["differing"] for comparison in document["comparisons"]] == [{}, {}]


def test_a_terminal_without_unicode(dummy_mini: HarnessRun) -> None:
    command = [sys.executable, "-m", "dfar_bench.cli.main", "rescore", "--resamples", "0", dummy_mini.folder]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == FINE, done.stderr
