"""Trial by addition: a data set, metric, judge, condition and training mode, each one Python file, used end to end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness import name_model

HERE = Path(__file__).parent
ROOT = HERE.parent
ADDITIONS = HERE / "additions"


def run(*command: str | Path, additions: str) -> str:
    """Run a Python program with some of the additions as plugins, and return what it printed."""
    plugins = os.pathsep.join(str(ADDITIONS / f"{name}.py") for name in additions.split())
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "DFAR_BENCH_PLUGINS": plugins, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def dfar_bench(*arguments: str | Path, additions: str) -> str:
    return run("-m", "dfar_bench.cli.main", *arguments, additions=additions)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The added data set, metric and condition, asked of a model by the real harness."""
    folder = tmp_path_factory.mktemp("additions")
    run("-m", "dfar_bench.runs.task_files", folder / "all", additions="tone")
    (folder / "tasks").mkdir()
    (folder / "all" / "tone_cls.yaml").rename(folder / "tasks" / "tone_cls.yaml")
    asked = ("--tasks", "tone_cls,dfar_mini_reason", "--metadata", '{"condition": "verdict_last", "prompt": "plain"}')
    run(
        *("-m", "lm_eval", "--model", "dummy", "--include_path"),
        *(folder / "tasks", *asked, "--log_samples", "--output_path", folder / "results"),
        additions="tone people_agree verdict_last",
    )
    return folder / "results"


def test_a_data_set_with_three_labels_and_shares_a_metric_and_a_condition(results: Path) -> None:
    printed = json.loads(dfar_bench("rescore", results, "--json", additions="tone people_agree verdict_last"))
    reason, tone = sorted(printed["runs"], key=lambda run: run["task"])
    assert (tone["task"], tone["rows"]) == ("tone_cls", 24)
    assert tone["metrics"]["fpr"]["value"] is None  # there is no false positive among three labels
    for name in ("acc", "balanced_acc", "f1_macro", "people_agree"):
        assert 0 <= tone["metrics"][name]["value"] <= 1
        assert tone["metrics"][name]["printed"] == tone["metrics"][name]["value"]
    assert "people_agree" not in reason["metrics"]
    assert reason["rows"] == 52
    for run_ in (reason, tone):
        assert "|prompt:plain.v1|condition:verdict_last|" in run_["signature"]
    assert "|max_gen_toks:24|" in reason["signature"]


def test_they_reach_the_board(results: Path, tmp_path: Path) -> None:
    additions = "tone people_agree verdict_last"
    tree = tmp_path / "submissions"
    about = ("--model-id", "test/dummy", "--revision", "0" * 40, "--mode", "base")
    shutil.copytree(results, tmp_path / "results")
    name_model(tmp_path / "results", pretrained="test/dummy")
    dfar_bench("submit", tmp_path / "results", *about, "--out", tree, additions=additions)
    verified = json.loads(dfar_bench("verify", tree, "--json", additions=additions))
    (submission,) = verified["submissions"]
    assert 0 <= submission["tasks"]["tone_cls"]["metrics"]["people_agree"] <= 1
    dfar_bench("board", "build", tree, "--out", tmp_path / "board", additions=additions)
    page = (tmp_path / "board" / "index.html").read_text()
    assert "24 short requests." in page
    assert "People agree" in page


@pytest.mark.usefixtures("paper")
def test_a_metric_needs_no_new_submission() -> None:
    committed = ROOT / "leaderboard" / "submissions" / "dfar-bench__gemma-3-270m-l"
    verified = json.loads(dfar_bench("verify", committed, "--json", additions="people_agree"))
    assert verified["submissions"]
    for submission in verified["submissions"]:
        assert submission["tasks"]
        for name, task in submission["tasks"].items():
            assert ("people_agree" in task["metrics"]) == name.endswith("_cls")


def test_a_judge(results: Path) -> None:
    additions = "tone verdict_last brevity"
    printed = json.loads(dfar_bench("rescore", results, "--judge", "brevity:0", "--json", additions=additions))
    (reason,) = (run for run in printed["runs"] if run["task"] == "dfar_mini_reason")
    assert "|judge:brevity.v1.0|" in reason["signature"]
    assert reason["codes"].keys() <= {"aligned", "generic"}
    assert reason["metrics"]["mar"]["value"] == reason["codes"].get("generic", 0) / 52


def test_a_training_mode(tiny_model: Path, tmp_path: Path) -> None:
    run(
        *(ROOT / "train" / "sft.py", "--mode", "half", "--split", "mini", "--model_name_or_path", tiny_model),
        *("--max_steps", "1", "--use_cpu", "true", "--bf16", "false", "--dtype", "float32", "--full", "true"),
        *("--output_dir", tmp_path / "half"),
        additions="half",
    )
    record = json.loads((tmp_path / "half" / "dfar_run.json").read_text())
    assert (record["mode"], record["data"]["rows"]) == ("half", 62)
    assert "labels and reasons of every other row" in (tmp_path / "half" / "README.md").read_text()
