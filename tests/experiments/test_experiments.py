"""Experiments: what a file may say, intervals over seeds, and a grid that is really trained and scored."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from harness import OUR_TASKS_ONLY, ROOT
from scipy.stats import ttest_ind

from dfar_bench.cli.main import main
from dfar_bench.datasets import rows
from dfar_bench.errors import InputError
from dfar_bench.experiments import steps
from dfar_bench.experiments.grid import Experiment, read_experiment, training_options
from dfar_bench.experiments.plan import Cell, cells, steps_of
from dfar_bench.experiments.run import count_tokens
from dfar_bench.experiments.seeds import compare_modes, seeds_share, welch_interval
from dfar_bench.scoring import METRICS, Choice, differences

MINI = rows("mini")["test"]
FIELDS: dict[str, Any] = {"name": "try", "base": "B", "split": "mini", "modes": ["l", "lr"], "seeds": [1, 2]}


def answers(share: float, seed: int) -> list[Choice]:
    """Answer each row rightly with a probability."""
    rng = np.random.default_rng(seed)
    labels = [row.label if rng.random() < share else 1 - row.label for row in MINI]
    return [Choice(row, (label,), (1.0 - label, float(label))) for row, label in zip(MINI, labels)]


# Intervals


def test_with_equal_seeds_it_is_the_bootstrap_of_rows() -> None:
    first, second, metrics = answers(0.6, 1), answers(0.8, 2), [METRICS["acc"], METRICS["mcc"]]
    by_rows = differences(metrics, first, second, resamples=1000)
    for copies in (1, 6):
        compared = compare_modes(metrics, [first] * copies, [second] * copies, resamples=1000)
        for metric in metrics:
            one, expected = compared[metric.name], by_rows[metric.name].estimate
            assert one.rows_and_seeds.value == pytest.approx(expected.value)
            assert one.rows_and_seeds.interval == one.quoted.interval == pytest.approx(expected.interval)
            assert one.over_seeds is None
        assert compared["acc"].seeds_share == (None if copies == 1 else pytest.approx(0))


def test_seeds_widen_it_and_few_seeds_bring_the_t_interval() -> None:
    shares = (0.5, 0.9, 0.6, 0.8, 0.7, 0.75)
    first = [answers(share, seed) for seed, share in enumerate(shares)]
    second = [answers(share, seed + 50) for seed, share in enumerate(shares)]
    acc = [METRICS["acc"]]

    def width(interval: tuple[float, float] | None) -> float:
        assert interval
        return interval[1] - interval[0]

    six = compare_modes(acc, first, second, resamples=1000)["acc"]
    one = compare_modes(acc, first[:1], second[:1], resamples=1000)["acc"]
    assert six.over_seeds is None
    assert 0 < (six.seeds_share or 0) < 1
    three = compare_modes(acc, first[:3], second[:3], resamples=1000)["acc"]
    assert three.over_seeds is not None
    assert three.quoted.interval == max(three.over_seeds, three.rows_and_seeds.interval or (0, 0), key=width)
    assert (one.seeds_share, one.over_seeds) == (None, None)
    assert three.first == pytest.approx(np.mean([METRICS["acc"].of(one) for one in first[:3]]))


def test_the_t_interval_is_that_of_welch() -> None:
    first, second = np.array([0.61, 0.64, 0.6]), np.array([0.7, 0.66])
    expected = ttest_ind(second, first, equal_var=False).confidence_interval(0.95)
    assert welch_interval(first, second) == pytest.approx((expected.low, expected.high))
    assert welch_interval(first, second[:1]) is None
    assert welch_interval(np.array([0.5, 0.5]), np.array([0.6, 0.6])) is None


def test_the_share_of_the_seeds_is_that_of_the_variances() -> None:
    rng = np.random.default_rng(0)
    means = [rng.normal(0.7, 0.03, 400) for _ in range(2)]
    of_rows = [mean[:, None] + rng.normal(0, 0.04, (400, 500)) for mean in means]
    assert seeds_share(means, of_rows) == pytest.approx(9 / 25, abs=0.02)


# The file


def write(folder: Path, **fields: Any) -> Path:
    file = folder / "experiment.yaml"
    file.write_text(yaml.safe_dump({**FIELDS, **fields}))
    return file


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"modes": ["l", "none"]}, "there is no mode none: choose among l, lr"),
        ({"modes": ["moralis"]}, "the mode moralis cannot be trained on mini"),
        ({"split": "none"}, "there is no data set none"),
        ({"seeds": [1, 1]}, "seeds names one twice"),
        ({"seeds": []}, "seeds: List should have at least 1 item"),
        ({"epoch": 1}, "epoch: Extra inputs are not permitted"),
        ({"options": {"seed": 3}}, "the option seed follows from the grid"),
        ({"kinds": ["games"]}, "mini has no tasks of the kind games"),
        ({"name": "../x"}, "name: String should match pattern"),
    ],
)
def test_a_faulty_file_is_refused(fields: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_experiment(write(tmp_path, **fields))


def test_what_is_no_experiment_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for content, message in (("[1", "is not YAML"), ("- 1", "is to hold fields such as")):
        (tmp_path / "x.yaml").write_text(content)
        assert main(["experiment", str(tmp_path / "x.yaml")]) == 2
        assert message in capsys.readouterr().err
    assert main(["experiment", str(tmp_path / "none.yaml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main(["experiment", str(write(tmp_path)), "--cell", "5", "--out", str(tmp_path / "out")]) == 2
    assert "--cell 5: there are 5 cells, counted from 0" in capsys.readouterr().err


def test_equal_tokens(tiny_model: Path) -> None:
    experiment = Experiment(**{**FIELDS, "base": str(tiny_model), "budget": "tokens", "epochs": 2})
    tokens = count_tokens(experiment)
    assert tokens["lr"] > 1.3 * tokens["l"]
    epochs = {mode: training_options(experiment, mode, tokens)["num_train_epochs"] for mode in tokens}
    assert epochs["lr"] == 2
    assert epochs["l"] * tokens["l"] == pytest.approx(2 * tokens["lr"], rel=1e-3)
    examples = Experiment(**FIELDS)
    assert {training_options(examples, mode, {})["num_train_epochs"] for mode in ("l", "lr")} == {1}


def test_the_commands(tmp_path: Path) -> None:
    options = {"learning_rate": 1e-3, "loss_type": ["a", "b"]}
    experiment = Experiment(**{**FIELDS, "organisation": "org", "of_mode": {"lr": {"full": True}}, "options": options})
    assert [cell.name for cell in cells(experiment)] == ["base", "l-1", "lr-1", "l-2", "lr-2"]
    train, merge, score, submit = (step.words for step in steps_of(experiment, Cell("l", 2), tmp_path, {}))
    assert " ".join(train[5:]).startswith("--mode l --split mini --seed 2 --model_name_or_path B --num_train_epochs 1 ")
    assert "--learning_rate 0.001 --loss_type a b --output_dir" in " ".join(train)
    assert merge[:2] == ["python", "train/merge.py"]
    assert f"pretrained={tmp_path}/l-2/merged,dtype=float32" in score
    assert list(submit[-4:-2]) == ["--base", "org/try-base"]
    full = steps_of(experiment, Cell("lr", 1), tmp_path, {})
    assert [step.title for step in full] == ["Train L+R, seed 1", "Score L+R, seed 1", "Submit L+R, seed 1"]


# A real one


def test_two_modes_and_two_seeds(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(steps.PROGRAMS, "lm_eval", ("-c", OUR_TASKS_ONLY))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    options = {"config": str(ROOT / "train/configs/demo.yaml"), "save_strategy": "no", "learning_rate": 2e-3}
    file = write(
        tmp_path, base=str(tiny_model), options=options, score_base=False, organisation="org", kinds=["cls"], epochs=3
    )
    out, command = tmp_path / "out", ["experiment", str(file), "--out", str(tmp_path / "out"), "--resamples", "1000"]
    assert main([*command, "--dry-run"]) == 0
    forecast = capsys.readouterr().out
    assert forecast.count("commands left") == 4
    assert "L: 3 epochs of 124 examples, seeds 1, 2" in forecast
    assert not out.exists()

    # One cell as an array job would run it, with a stand-in for the environment that SLURM makes.
    environment = {**os.environ, "SLURM_ARRAY_TASK_ID": "1"}
    assert main([*command, "--cell", "0"]) == 0
    assert main([*command, "--dry-run"]) == 0
    assert capsys.readouterr().out.count("finished") == 1
    del environment["SLURM_ARRAY_TASK_ID"]
    script = ["bash", str(ROOT / "train/experiment.sbatch"), str(file)]
    refused = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (2, "experiment.sbatch: submit it with --array=0-N.\n")

    assert main(command) == 0
    printed = capsys.readouterr().out
    assert printed.count("done before") == 3  # of the cell that had run
    assert "differences with 95% intervals over rows and 2 seeds" in printed
    assert "L+R minus L" in printed
    assert "fewer than 5 seeds" in printed
    assert len(list((out / "submissions").glob("*/*/submission.json"))) == 4
    seeds = {json.loads((out / f"lr-{seed}/model/dfar_run.json").read_text())["seed"] for seed in (1, 2)}
    assert seeds == {1, 2}

    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    acc = document["differences"]["L+R minus L"]["acc"]
    scores = {title: of["acc"] for title, of in document["scores"].items()}
    assert acc["first"] == pytest.approx((scores["L, seed 1"] + scores["L, seed 2"]) / 2)
    assert acc["quoted"]["value"] == pytest.approx(acc["second"] - acc["first"])

    write(tmp_path, base=str(tiny_model), epochs=4)
    assert main(command) == 2
    assert "holds another experiment: delete it, or choose another --out" in capsys.readouterr().err
