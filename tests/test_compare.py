"""Paired differences, against definitions and scipy, and the command on real runs."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from dfar_bench.answers import read_choice
from dfar_bench.bootstrap import SEED, cluster_weights, intervals
from dfar_bench.cli import main
from dfar_bench.compare import mcnemar, paired_differences
from dfar_bench.data import rows
from dfar_bench.metrics import CLS_METRICS
from tests.conftest import HarnessRun
from tests.made_submissions import made_results, made_submission

TEST = rows("mini")["test"]
ACC = [metric for metric in CLS_METRICS if metric.name == "acc"]


def answers(right: list[bool]):  # type: ignore[no-untyped-def]
    """Answers to the mini test rows, right where asked for."""
    labels = (row.label if good else 1 - row.label for row, good in zip(TEST, right))
    return [read_choice(row, (0.0, -1.0) if label == 0 else (-1.0, 0.0)) for row, label in zip(TEST, labels)]


FIRST = [number % 3 > 0 for number in range(len(TEST))]
SECOND = [number % 5 > 0 for number in range(len(TEST))]


def test_a_difference_is_resampled_by_group_the_same_for_both() -> None:
    found = paired_differences(ACC, answers(FIRST), answers(SECOND))["acc"]
    groups = sorted({row.group_id for row in TEST})
    weights = cluster_weights(groups, 10_000, SEED)
    sizes = Counter(row.group_id for row in TEST)
    moved = dict.fromkeys(groups, 0)
    for row, one, other in zip(TEST, FIRST, SECOND):
        moved[row.group_id] += int(other) - int(one)
    drawn = weights @ np.array([moved[group] for group in groups]) / (weights @ np.array([sizes[g] for g in groups]))
    assert found.difference == pytest.approx(np.mean(SECOND) - np.mean(FIRST))
    assert found.interval == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=1e-9)
    assert found.p_value == pytest.approx(2 * ((drawn <= 1e-12).sum() + 1) / 10_001)


def test_a_model_differs_from_itself_in_nothing() -> None:
    for one in paired_differences(CLS_METRICS, answers(FIRST), list(reversed(answers(FIRST)))).values():
        if one.difference is not None and one.interval is not None:
            assert (one.difference, one.interval, one.p_value) == (0.0, (0.0, 0.0), 1.0)


def test_swapping_the_models_turns_the_sign() -> None:
    there = paired_differences(CLS_METRICS, answers(FIRST), answers(SECOND))
    back = paired_differences(CLS_METRICS, answers(SECOND), answers(FIRST))
    for name, one in there.items():
        if one.difference is not None:
            assert back[name].difference == pytest.approx(-one.difference)
            assert back[name].p_value == one.p_value


def test_pairing_is_narrower_than_two_intervals_where_models_agree() -> None:
    nearly = [good and number != 1 for number, good in enumerate(FIRST)]
    found = paired_differences(ACC, answers(FIRST), answers(nearly))["acc"]
    alone = intervals(ACC, answers(FIRST))["acc"]
    assert found.interval is not None
    assert alone is not None
    assert found.interval[1] - found.interval[0] < alone[1] - alone[0]


def test_single_rows_agree_with_scipys_paired_bootstrap() -> None:
    apart = [
        [replace(answer, row=replace(answer.row, group_id=answer.row.row_id)) for answer in answers(side)]
        for side in (FIRST, SECOND)
    ]
    found = paired_differences(ACC, *apart)["acc"].interval
    scipys = stats.bootstrap(
        (np.array(FIRST, float), np.array(SECOND, float)),
        lambda one, other, axis=-1: other.mean(axis) - one.mean(axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert found == pytest.approx((scipys.low, scipys.high), abs=0.02)


def test_other_rows_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="not of the same rows"):
        paired_differences(ACC, answers(FIRST), answers(SECOND)[1:])


def test_mcnemar_is_the_binomial_test_on_the_rows_that_differ() -> None:
    found = mcnemar(FIRST, SECOND)
    assert (found.only_first, found.only_second) == (
        sum(a and not b for a, b in zip(FIRST, SECOND)),
        sum(b and not a for a, b in zip(FIRST, SECOND)),
    )
    assert found.p_value == stats.binomtest(found.only_first, found.only_first + found.only_second, 0.5).pvalue
    assert mcnemar([True] * 8 + [False], [False] * 8 + [True]).p_value == pytest.approx(20 / 512)
    assert mcnemar(FIRST, FIRST).p_value == 1.0


def test_the_command(dummy_mini: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other"
    shutil.copytree(dummy_mini.folder, other)
    (samples,) = other.rglob("samples_dfar_mini_cls_*.jsonl")
    lines = [json.loads(line) for line in samples.read_text().splitlines()]
    for line in lines[:10]:
        line["filtered_resps"] = [["-9.0", "False"], ["-1.0", "False"]]
    samples.write_text("".join(json.dumps(line) + "\n" for line in lines))

    assert main(["compare", str(dummy_mini.folder), str(other)]) == 0
    printed = capsys.readouterr().out
    assert "dfar_mini_cls · 52 rows" in printed
    assert "McNemar p" in printed
    assert main(["compare", str(dummy_mini.folder), str(other), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    by_task = {one["task"]: one for one in document["comparisons"]}
    assert set(by_task) == {"dfar_mini_cls", "dfar_mini_reason"}
    same = by_task["dfar_mini_reason"]["metrics"]["mar"]
    assert same["difference"] in (0.0, None)
    odd = by_task["dfar_mini_cls"]["mcnemar"]
    assert odd["only_first"] + odd["only_second"] > 0
    acc = by_task["dfar_mini_cls"]["metrics"]["acc"]
    assert acc["difference"] == pytest.approx((odd["only_second"] - odd["only_first"]) / 52)
    assert by_task["dfar_mini_cls"]["differing"] == {}

    samples.write_text("".join(json.dumps(line) + "\n" for line in lines[1:]))
    for results in other.rglob("results_*.json"):  # which tell how many rows there were
        results.unlink()
    assert main(["compare", str(dummy_mini.folder), str(other)]) == 2
    assert "1 rows are answered in one run only" in capsys.readouterr().err
    assert main(["compare", str(dummy_mini.folder), str(tmp_path / "nothing")]) == 2


def test_submissions_compare_as_the_results_they_were_made_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = [
        made_results(tmp_path / "one"),
        made_results(tmp_path / "other", lambda row, kind: [-0.1, -2.0] if kind == "cls" else " ethical."),
    ]
    submitted = [made_submission(tmp_path / "tree"), results[1]]
    assert main(["compare", *map(str, results), "--json"]) == 0
    of_results = json.loads(capsys.readouterr().out)
    assert main(["compare", *map(str, submitted), "--json"]) == 0
    of_submission = json.loads(capsys.readouterr().out)
    for one, other in zip(of_results["comparisons"], of_submission["comparisons"], strict=True):
        assert other["models"][0] == "acme/judge-7b"
        assert {**other, "models": None} == {**one, "models": None}
    (submitted[0] / "submission.json").write_text("{}")
    assert main(["compare", *map(str, submitted)]) == 2
    assert "has faults" in capsys.readouterr().err
