"""Intervals, paired differences and McNemar's test, against definitions and scipy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from dfar_bench.datasets import Row, rows
from dfar_bench.scoring import KINDS, METRICS, Choice, Estimate, differences, estimates, mcnemar
from dfar_bench.scoring.answers import read_choice
from dfar_bench.scoring.estimate import cluster_weights

ACC = [METRICS["acc"]]
CLS = KINDS["cls"].metrics
TEST = rows("mini")["test"]
FIRST = [number % 3 > 0 for number in range(len(TEST))]
SECOND = [number % 5 > 0 for number in range(len(TEST))]


def by_groups(groups: int, size: int, share: float) -> list[Choice]:
    """Answers that are right or wrong by whole groups."""
    right = np.random.default_rng(0).random(groups) < share
    return [
        Choice(Row("x", f"r{g:03d}-{k}", "s", 0, group_id=f"g{g:03d}"), (0 if right[g] else 1,), (0.8, 0.2))
        for g in range(groups)
        for k in range(size)
    ]


def answers(right: Sequence[bool]) -> list[Choice]:
    """Answers to the test rows of mini, right where ``right`` says so."""
    labels = [row.label if correct else 1 - row.label for row, correct in zip(TEST, right)]
    return [read_choice(row, (0.0, -1.0) if label == 0 else (-1.0, 0.0)) for row, label in zip(TEST, labels)]


def width(estimate: Estimate) -> float:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.high - estimate.low


def test_weights_are_seeded_counts() -> None:
    weights = cluster_weights(3, resamples=200, seed=3)
    assert weights.shape == (200, 3)
    assert (weights.sum(axis=1) == 3).all()
    assert (weights == cluster_weights(3, resamples=200, seed=3)).all()
    assert (weights != cluster_weights(3, resamples=200, seed=4)).any()


def test_intervals_of_single_rows_agree_with_scipy() -> None:
    single = by_groups(300, 1, 0.7)
    correct = np.array([answer.credit for answer in single])
    scipys = stats.bootstrap((correct,), np.mean, method="percentile", n_resamples=9999, rng=0).confidence_interval
    assert estimates(ACC, single)["acc"].interval == pytest.approx((scipys.low, scipys.high), abs=0.005)


def test_clustering_widens_the_interval_by_the_design_effect() -> None:
    """Four rows that are right or wrong together carry the information of one: twice the width."""
    ratio = width(estimates(ACC, by_groups(100, 4, 0.6))["acc"]) / width(estimates(ACC, by_groups(400, 1, 0.6))["acc"])
    assert ratio == pytest.approx(2, abs=0.2)


def test_golden_interval() -> None:
    """21 of 50 groups are right: about 0.42 ± 1.96 · sqrt(0.42 · 0.58 / 50)."""
    assert estimates(ACC, by_groups(50, 2, 0.5)) == {"acc": Estimate(0.42, pytest.approx(0.28), pytest.approx(0.56))}


def test_where_there_is_no_interval() -> None:
    undefined = estimates(CLS, by_groups(20, 2, 0.5), resamples=200)
    assert [undefined[name].interval for name in ("group_acc", "fnr")] == [None, None]
    assert undefined["acc"].interval is not None
    assert estimates(ACC, by_groups(9, 2, 0.5))["acc"].interval is None  # too few clusters
    without = estimates(ACC, by_groups(50, 2, 0.5), resamples=0)["acc"]
    assert without.as_json() == {"value": 0.42, "low": None, "high": None}


def test_a_difference_is_resampled_by_group_the_same_for_both() -> None:
    difference = differences(ACC, answers(FIRST), answers(SECOND))["acc"]
    sizes = Counter(row.group_id for row in TEST)
    change = dict.fromkeys(sorted(sizes), 0)
    for row, first, second in zip(TEST, FIRST, SECOND):
        change[row.group_id] += second - first
    weights = cluster_weights(len(change))
    resampled = weights @ np.array([*change.values()]) / (weights @ np.array([sizes[group] for group in change]))
    assert difference.estimate.value == pytest.approx(np.mean(SECOND) - np.mean(FIRST))
    assert difference.estimate.interval == pytest.approx(np.quantile(resampled, [0.025, 0.975]), abs=1e-9)
    assert difference.p_value == pytest.approx(2 * ((resampled <= 1e-12).sum() + 1) / 10_001)


def test_a_model_does_not_differ_from_itself_and_swapping_two_turns_the_sign() -> None:
    for difference in differences(CLS, answers(FIRST), answers(FIRST)[::-1]).values():
        if difference.estimate.interval is not None:
            assert (difference.estimate, difference.p_value) == (Estimate(0.0, 0.0, 0.0), 1.0)
    there = differences(CLS, answers(FIRST), answers(SECOND))
    back = differences(CLS, answers(SECOND), answers(FIRST))
    for name, difference in there.items():
        if difference.estimate.value is not None:
            assert back[name].estimate.value == pytest.approx(-difference.estimate.value)
            assert back[name].p_value == difference.p_value


def test_answers_to_other_rows_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="different rows"):
        differences(ACC, answers(FIRST), answers(SECOND)[1:])


def test_mcnemar_is_the_binomial_test_on_the_rows_that_differ() -> None:
    test = mcnemar(FIRST, SECOND)
    only = [sum(a > b for a, b in zip(*pair)) for pair in ((FIRST, SECOND), (SECOND, FIRST))]
    assert [test.only_first, test.only_second] == only
    assert test.p_value == stats.binomtest(only[0], sum(only), 0.5).pvalue
    assert mcnemar([True] * 8 + [False], [False] * 8 + [True]).p_value == pytest.approx(20 / 512)
    assert mcnemar(FIRST, FIRST).p_value == 1.0
