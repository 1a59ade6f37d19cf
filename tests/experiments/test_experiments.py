"""Experiments: what a file may say, intervals over seeds, and a grid that is really trained and scored."""

from __future__ import annotations

import json
import os
import shutil
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
from dfar_bench.experiments import run, steps
from dfar_bench.experiments.grid import Experiment, read_experiment, training_options
from dfar_bench.experiments.plan import Cell, cells, steps_of
from dfar_bench.experiments.run import count_tokens
from dfar_bench.scoring import METRICS, Choice, differences
from dfar_bench.scoring.estimate import resample
from dfar_bench.scoring.seeds import compare_modes, mean_over_seeds, rows_and_seeds, seeds_share
from dfar_bench.training.base import BaseModel, find_base

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
            one, expected = compared[metric.name].difference, by_rows[metric.name].estimate
            assert one.value == pytest.approx(expected.value)
            assert one.interval == pytest.approx(expected.interval)
        assert compared["acc"].seeds_share == (None if copies == 1 else pytest.approx(0))


def test_seeds_widen_it_by_their_variance() -> None:
    shares = (0.5, 0.9, 0.6, 0.8)
    first = [answers(share, seed) for seed, share in enumerate(shares)]
    second = [answers(share, seed + 50) for seed, share in enumerate(shares)]
    acc = METRICS["acc"]
    one = compare_modes([acc], first[:1], second[:1], resamples=1000)["acc"]
    assert one.seeds_share is None
    all_ = compare_modes([acc], first, second, resamples=1000)["acc"]
    scores = [[acc.of(answer) for answer in mode] for mode in (first, second)]
    assert (all_.first, all_.second) == pytest.approx(tuple(np.mean(scores, axis=1)))
    assert 0 < (all_.seeds_share or 0) < 1

    drawn = [np.array([resample([acc], one, resamples=1000)["acc"] for one in mode]) for mode in (first, second)]
    rows_alone = (drawn[1].mean(axis=0) - drawn[0].mean(axis=0)).var()
    variance = rows_alone + sum(np.var(mode, ddof=1) / len(mode) for mode in scores)
    assert all_.difference.interval is not None
    half = (all_.difference.interval[1] - all_.difference.interval[0]) / 2
    assert 1.96 < half / np.sqrt(variance) < 2.78  # t with more degrees of freedom than the 4 - 1 of one mode's seeds


def test_without_variance_of_the_rows_it_is_the_t_interval_of_welch() -> None:
    first, second = np.array([0.61, 0.64, 0.6]), np.array([0.7, 0.66])
    expected = ttest_ind(second, first, equal_var=False).confidence_interval(0.95)
    difference = second.mean() - first.mean()
    interval = rows_and_seeds(difference, np.full(100, difference), [first, second])
    assert interval == pytest.approx((expected.low, expected.high))


def test_the_interval_of_a_share_ends_at_its_limits() -> None:
    everything = [answers(share, 1) for share in (1.0, 0.8)]
    mean = mean_over_seeds([METRICS["acc"]], everything, resamples=1000)["acc"]
    assert (mean.low, mean.high) == (0.0, 1.0)  # with two seeds the t interval is wider than that


@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize(("of_seeds", "of_rows", "of_both"), [(0.03, 0.5, 0.4), (0.0, 0.5, 0.4), (0.05, 0.4, 0.0)])
def test_it_holds_the_truth_as_often_as_it_says(count: int, of_seeds: float, of_rows: float, of_both: float) -> None:
    """Two modes that are equally good: of each row, of each seed, and of each row for each seed something is chance."""
    rng, rows_, held, trials = np.random.default_rng(7), 200, 0, 1000
    for _ in range(trials):
        scored = [
            rng.normal(0, of_rows, rows_) + rng.normal(0, of_seeds, (count, 1)) + rng.normal(0, of_both, (count, rows_))
            for _ in range(2)
        ]
        apart = scored[1].mean(axis=0) - scored[0].mean(axis=0)
        # The bootstrap of a mean is normal, with this deviation.
        resampled = apart.mean() + rng.normal(0, apart.std() / np.sqrt(rows_), 1000)
        interval = rows_and_seeds(apart.mean(), resampled, [one.mean(axis=1) for one in scored])
        assert interval is not None
        held += interval[0] <= 0 <= interval[1]
    assert 0.935 < held / trials < 0.99


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
        ({"modes": ["l", "none"]}, "there is no mode 'none'"),
        ({"modes": ["moralis"]}, "the mode moralis cannot be trained on mini: choose games"),
        ({"split": "none"}, "there is no data set 'none'"),
        ({"seeds": [1, 1]}, "seeds names one twice: leave it out"),
        ({"seeds": []}, "seeds: List should have at least 1 item"),
        ({"seeds": [-1]}, "seeds: Input should be greater than or equal to 0"),
        ({"epochs": float("inf")}, "epochs: Input should be a finite number"),
        ({"epoch": 1}, "epoch: Extra inputs are not permitted"),
        ({"options": {"seed": 3}}, "options has seed, which is not for this place: leave it out"),
        ({"options": {"max_steps": 3}}, "options has max_steps, which is not for this place"),
        ({"options": {"config": "x.yaml"}}, "options has config, which is not for this place"),
        ({"score": {"tasks": "x"}}, "score has tasks, which is not for this place"),
        ({"of_mode": {"dpo": {}}}, "of_mode has dpo, which is not among the modes"),
        ({"modes": ["lr", "dpo"], "budget": "tokens"}, "the mode dpo reads pairs, whose tokens are not comparable"),
        ({"kinds": ["games"]}, "mini has no tasks of the kind games: choose among cls, reason"),
        ({"modes": ["l", "dpo", "lr"]}, "the mode dpo goes on from lr: name that one before it"),
        ({"pairs": {"limit": 3}}, "pairs are for a mode that goes on from another of the grid"),
        ({"modes": ["lr", "dpo"], "pairs": {"model": "M"}}, "pairs has model, which is not for this place"),
        (
            {"modes": ["lr", "dpo"], "pairs": {"drop_leaked": True}},
            "pairs has drop-leaked, which is not for this place",
        ),
        ({"modes": ["l@steps"]}, "there is no budget 'steps': write l@examples or l@tokens"),
        ({"conditions": {"games": ["direct"]}}, "conditions has games, which is not among the kinds"),
        ({"conditions": {"cls": ["none"]}}, "there is no condition 'none'"),
        ({"conditions": {"cls": ["reason", "reason"]}}, "conditions of cls names one twice"),
        ({"conditions": {"reason": ["reason", "review"]}}, "conditions has review, which lm_eval cannot ask"),
        ({"organisation": "_lab"}, "organisation is _lab, which cannot be part of a model's name"),
        ({"model_args": {"games": "dtype=float32"}}, "model_args has games, which is not among the kinds"),
        ({"name": "../x"}, "name: String should match pattern"),
    ],
)
def test_a_faulty_file_is_refused(fields: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_experiment(write(tmp_path, **fields))


@pytest.mark.parametrize("file", sorted((ROOT / "train" / "experiments").glob("*.yaml")), ids=lambda file: file.stem)
def test_our_own_files(file: Path) -> None:
    experiment = read_experiment(file)
    tokens = dict.fromkeys(experiment.modes, 1)
    assert not experiment.unequal
    steps = [
        step
        for cell in cells(experiment)
        for step in steps_of(experiment, BaseModel("/B", None, "hash"), cell, Path("/x"), tokens)
    ]
    submissions = {asked.submission for asked in experiment.asked}
    assert sum(step.title.startswith("Submit") for step in steps) == len(cells(experiment)) * len(submissions)


def test_what_is_no_experiment_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for content, message in (("[1", "is not YAML"), ("- 1", "must hold fields such as")):
        (tmp_path / "x.yaml").write_text(content)
        assert main(["experiment", str(tmp_path / "x.yaml")]) == 2
        assert message in capsys.readouterr().err
    assert main(["experiment", str(tmp_path / "none.yaml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    for arguments, message in (
        (["--cell", "5"], "--cell is 5, but there are 5 cells, counted from 0"),
        ([], "there is no model B"),
    ):
        assert main(["experiment", str(write(tmp_path)), "--out", str(tmp_path / "out"), *arguments]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_equal_tokens(tiny_model: Path) -> None:
    experiment = Experiment(**{**FIELDS, "base": str(tiny_model), "budget": "tokens", "epochs": 2})
    tokens = count_tokens(experiment, find_base(str(tiny_model)))
    assert tokens["lr"] > 1.3 * tokens["l"]
    epochs = {mode: training_options(experiment, mode, tokens)["num_train_epochs"] for mode in tokens}
    assert epochs["lr"] == 2
    assert epochs["l"] * tokens["l"] == pytest.approx(2 * tokens["lr"], rel=1e-3)
    examples = Experiment(**FIELDS)
    assert {training_options(examples, mode, {})["num_train_epochs"] for mode in ("l", "lr")} == {1}
    both = Experiment(**{**FIELDS, "base": str(tiny_model), "modes": ["l", "l@tokens", "lr"]})
    tokens = count_tokens(both, find_base(str(tiny_model)))
    assert [training_options(both, mode, tokens)["num_train_epochs"] for mode in both.modes] == [
        1,
        pytest.approx(tokens["lr"] / tokens["l"], rel=1e-3),
        1,
    ]


def test_the_commands(tmp_path: Path) -> None:
    options = {"learning_rate": 1e-3, "loss_type": ["a", "b"]}
    score = {"batch_size": 4, "apply_chat_template": True, "trust_remote_code": False}
    experiment = Experiment(
        **{**FIELDS, "organisation": "org", "of_mode": {"lr": {"full": True}}, "options": options, "score": score}
    )
    hub = BaseModel("org/M", "c0ffee", "c0ffee")
    assert [cell.name for cell in cells(experiment)] == ["base", "l-1", "lr-1", "l-2", "lr-2"]
    train, merge, score_, submit = (
        " ".join(step.words) for step in steps_of(experiment, hub, Cell("l", 2), tmp_path, {})
    )
    assert "--mode l --split mini --seed 2 --model_name_or_path org/M --model_revision c0ffee --num_train_" in train
    assert "--learning_rate 0.001 --loss_type a b --output_dir" in train
    assert merge.startswith("python train/merge.py")
    assert f"pretrained={tmp_path}/l-2/merged,dtype=float32 --tasks dfar_mini_cls,dfar_mini_reason " in score_
    assert "--batch_size 4 --apply_chat_template --output_path" in score_
    assert f"--base org/try-base --weights {tmp_path}/l-2/merged --out" in submit
    full = steps_of(experiment, hub, Cell("lr", 1), tmp_path, {})
    assert [step.title for step in full] == ["Train L+R, seed 1", "Score L+R, seed 1", "Submit L+R, seed 1"]
    _, submit = (" ".join(step.words) for step in steps_of(experiment, hub, Cell("base", None), tmp_path, {}))
    assert "--mode base --revision c0ffee --out" in submit


def test_the_commands_of_a_mode_that_goes_on_from_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"modes": ["l@tokens", "lr", "dpo@examples"], "pairs": {"limit": 30, "max_new_tokens": 64}}
    conditions = {"cls": ["label", "reason"], "reason": ["q_if"]}
    experiment = Experiment(**{**FIELDS, **fields, "budget": "tokens", "conditions": conditions, "organisation": "org"})
    base, tokens = BaseModel("/B", None, "hash"), {"l@tokens": 10, "lr": 30}
    asked = [(asked.name, asked.tasks) for asked in experiment.asked]
    cls, reason = "dfar_mini_cls", "dfar_mini_reason"
    assert asked == [("results", [cls]), ("results-reason", [cls]), ("results-q_if", [reason])]
    apart = experiment.model_copy(update={"model_args": {"reason": "dtype=bfloat16"}})
    assert [(asked.name, asked.tasks, asked.model_args) for asked in apart.asked] == [
        ("results-cls", [cls], "dtype=float32"),
        ("results-cls-reason", [cls], "dtype=float32"),
        ("results-reason-q_if", [reason], "dtype=bfloat16"),
    ]
    for args, folders in (
        ("dtype=bfloat16", [["results-cls", "results-reason"], ["results-cls-reason"]]),
        ("dtype=float32,max_length=512", [["results-cls"], ["results-cls-reason"], ["results-reason"]]),
    ):
        changes = {"model_args": {"reason": args}, "conditions": {"cls": ["label", "reason"]}}
        steps = steps_of(experiment.model_copy(update=changes), base, Cell("lr", 1), tmp_path, tokens)
        submitted = [step.words[2 : step.words.index("--model-id")] for step in steps if "submit" in step.words]
        assert [[*map(os.path.basename, one)] for one in submitted] == folders
    words = [" ".join(step.words) for step in steps_of(experiment, base, Cell("dpo@examples", 2), tmp_path, tokens)]
    merged, place = f"{tmp_path}/lr-2/merged", f"{tmp_path}/dpo-examples-2"
    pairs = f"--split mini --seed 2 --limit 30 --max-new-tokens 64 --out {place}/pairs.jsonl"
    assert words[0] == f"dfar-bench pairs --model {merged} {pairs}"
    assert f"--mode dpo --split mini --seed 2 --model_name_or_path {merged} --pairs {place}/pairs.jsonl" in words[1]
    assert [word.split()[0] for word in words[2:]] == ["python", *["lm_eval"] * 3, *["dfar-bench"] * 3]
    assert f'--metadata {{"condition": "reason"}} --output_path {place}/.results-reason' in words[4]
    assert f"submit {place}/results-reason --model-id org/try-dpo-examples-2 --mode dpo" in words[7]
    assert "--base org/try-lr-2 --weights" in words[7]
    train = " ".join(steps_of(experiment, base, Cell("l@tokens", 2), tmp_path, tokens)[0].words)
    assert "--mode l --split mini --seed 2 --model_name_or_path /B --num_train_epochs 3 " in train

    leaked = {"split": "paper", "modes": ["lr", "dpo"], "options": {"prompt": "chat", "drop_leaked": False}}
    for options, added in ((leaked["options"], " --prompt chat"), ({"prompt": "chat"}, " --drop-leaked --prompt chat")):
        experiment = Experiment(**{**FIELDS, **leaked, "options": options})
        make = " ".join(steps_of(experiment, base, Cell("dpo", 2), tmp_path, {})[0].words)
        assert f"--split paper --seed 2{added} --out" in make

    monkeypatch.setattr(run, "run_steps", lambda *_: pytest.fail("it runs what it cannot"))
    with pytest.raises(InputError, match=r"seed 2 goes on from L\+R, seed 2, which is not trained yet: run that first"):
        run.run_cell(experiment, tmp_path, Cell("dpo@examples", 2), [])


# A real one


def test_two_modes_and_two_seeds(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(steps.PROGRAMS, "lm_eval", ("-c", OUR_TASKS_ONLY))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    options = {"full": True, "use_cpu": True, "bf16": False, "dtype": "float32", "save_strategy": "no"}
    file = write(
        tmp_path,
        base=str(tiny_model),
        options=options,
        score_base=False,
        organisation="org",
        kinds=["cls"],
        conditions={"cls": ["reason"]},
        epochs=3,
    )
    out, command = tmp_path / "out", ["experiment", str(file), "--out", str(tmp_path / "out"), "--resamples", "1000"]
    assert main([*command, "--dry-run"]) == 0
    forecast = capsys.readouterr().out
    assert forecast.count("commands left") == 4
    assert "L: 3 epochs of 124 examples, seeds 1, 2" in forecast
    assert not out.exists()

    # One cell as an array job runs it, where the environment has a stand-in for SLURM and for the installed command.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "dfar-bench").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    (tmp_path / "bin" / "dfar-bench").chmod(0o755)
    script, path = ["bash", str(ROOT / "train/experiment.sbatch"), str(file)], f"{tmp_path}/bin:{os.environ['PATH']}"
    refused = subprocess.run(script, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (2, "experiment.sbatch: submit it with --array=0-N.\n")
    subprocess.run(script, env={"PATH": path, "SLURM_ARRAY_TASK_ID": "0"}, check=True)
    assert (tmp_path / "called").read_text() == f"experiment {file} --cell 0\n"
    assert main([*command, "--cell", "0"]) == 0
    assert capsys.readouterr().out.count("  $ ") == 3
    assert main([*command, "--dry-run"]) == 0
    assert capsys.readouterr().out.count("finished") == 1

    assert main(command) == 0
    printed = capsys.readouterr().out
    assert printed.count("done before") == 3  # of the cell that had run
    assert "differences with 95% intervals; equal number of examples" in printed
    assert "L+R minus L" in printed
    assert "the intervals are over rows and 2 seeds" in printed
    assert "indicative" in printed
    assert 'always "' in printed
    assert len(list((out / "submissions").glob("*/*/submission.json"))) == 4
    seeds = {json.loads((out / f"lr-{seed}/model/dfar_run.json").read_text())["seed"] for seed in (1, 2)}
    assert seeds == {1, 2}

    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    acc = document["differences"]["L+R minus L"]["acc, reason"]
    scores = {title: of["acc, reason"] for title, of in document["scores"].items()}
    assert acc["first"] == pytest.approx((scores["L, seed 1"] + scores["L, seed 2"]) / 2)
    assert acc["difference"]["value"] == pytest.approx(acc["second"] - acc["first"])
    assert {"fnr, reason", "brier, reason"} <= set(document["differences"]["L+R minus L"])
    always = next(of for title, of in document["scores"].items() if title.startswith("always"))
    assert always["acc, reason"] == pytest.approx(0.5, abs=0.1)
    assert always["fnr, reason"] in (0, 1)

    again = ["experiment", str(file), "--submissions", str(out / "submissions"), "--resamples", "1000", "--json"]
    assert main(again) == 0
    assert json.loads(capsys.readouterr().out) == document
    shutil.rmtree(out / "submissions" / "org__try-lr-2")
    assert main(again) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["seeds"] == 1
    assert captured.err == "dfar-bench: left out, as not all is submitted: seeds 2.\n"
    shutil.rmtree(out / "submissions" / "org__try-l-1")
    assert main(again) == 2
    assert "has no seed of try with all of its modes" in capsys.readouterr().err

    write(tmp_path, base=str(tiny_model), epochs=4)
    assert main(command) == 2
    assert "holds another experiment: delete it, or choose another --out" in capsys.readouterr().err
