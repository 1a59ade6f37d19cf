from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dfar_bench.answers import Choice
from dfar_bench.bootstrap import cluster_weights, intervals
from dfar_bench.data import Row
from dfar_bench.metrics import CLS_METRICS

ACC = next(metric for metric in CLS_METRICS if metric.name == "acc")


def choices(groups: int, size: int, share: float, seed: int = 0) -> list[Choice]:
    """Answers that are right or wrong by whole groups."""
    draw = np.random.default_rng(seed)
    right = draw.random(groups) < share
    return [
        Choice(Row(f"r{g:03d}-{k}", "s", 0, "r", "justice", f"g{g:03d}", False), 0 if right[g] else 1, 0.8)
        for g in range(groups)
        for k in range(size)
    ]


def test_weights_are_seeded_counts() -> None:
    weights = cluster_weights(["a", "b", "c"], resamples=200, seed=3)
    assert weights.shape == (200, 3)
    assert (weights.sum(axis=1) == 3).all()
    assert (weights == cluster_weights(["a", "b", "c"], resamples=200, seed=3)).all()
    assert (weights != cluster_weights(["a", "b", "c"], resamples=200, seed=4)).any()


def test_single_rows_agree_with_scipy() -> None:
    answers = choices(300, 1, 0.7)
    right = np.array([float(answer.correct) for answer in answers])
    expected = stats.bootstrap((right,), np.mean, method="percentile", n_resamples=9999, rng=0).confidence_interval
    low, high = intervals([ACC], answers)["acc"] or (0, 0)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.005)


def test_clustering_widens_the_interval_by_the_design_effect() -> None:
    """Four rows that stand and fall together carry the information of one: twice the width."""
    clustered, independent = (
        intervals([ACC], choices(100, 4, 0.6))["acc"],
        intervals([ACC], choices(400, 1, 0.6))["acc"],
    )
    assert clustered is not None
    assert independent is not None
    ratio = (clustered[1] - clustered[0]) / (independent[1] - independent[0])
    assert ratio == pytest.approx(2, abs=0.2)


def test_golden_interval() -> None:
    """21 of 50 groups are right: about 0.42 ± 1.96 · sqrt(0.42 · 0.58 / 50)."""
    assert intervals([ACC], choices(50, 2, 0.5)) == {"acc": pytest.approx((0.28, 0.56))}


def test_undefined_metrics_have_no_interval() -> None:
    found = intervals(CLS_METRICS, choices(20, 2, 0.5), resamples=200)
    assert found["group_acc"] is None
    assert found["fnr"] is None
    assert found["acc"] is not None
