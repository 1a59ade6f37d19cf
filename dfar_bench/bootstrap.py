"""Confidence intervals from a bootstrap clustered by contrast group.

Statements of one contrast group share their premise, and models rise and fall on them together; resampling rows
one by one would make every interval too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dfar_bench.metrics import Array, Metric

RESAMPLES = 10_000
SEED = 20240821
LEVEL = 0.95
MIN_CLUSTERS = 10
MIN_RESAMPLES, MAX_RESAMPLES = 1_000, 100_000


def cluster_weights(clusters: Sequence[str], resamples: int = RESAMPLES, seed: int = SEED) -> Array:
    """How often each cluster is drawn in each resample.

    Args:
        clusters: distinct cluster names, sorted, so that the draw does not depend on the order of rows.

    Returns:
        Array (resamples, len(clusters)) of counts; every row sums to len(clusters).
    """
    n = len(clusters)
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples).astype(float)


def intervals(
    metrics: Sequence[Metric],
    answers: Sequence[Any],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
) -> dict[str, tuple[float, float] | None]:
    """Percentile intervals of metrics over the same answers (``Choice`` or ``Response``), in any order.

    Returns:
        (low, high) by metric name; None where there are fewer than 10 clusters to draw from, or the metric is
        undefined in more than one resample in twenty. An estimate of exactly 0 or 1 gets an interval of no width:
        resampling cannot know what it never saw.
    """
    drawn = resampled(metrics, answers, resamples=resamples, seed=seed)
    return {name: interval_of(values, level) for name, values in drawn.items()}


def resampled(
    metrics: Sequence[Metric], answers: Sequence[Any], *, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, Array]:
    """Metrics in every resample of the answers' contrast groups.

    The draws depend on the groups and the seed alone, so that two models' answers to the same rows are drawn together.

    Returns:
        Array (resamples,) by metric name, NaN where a metric is undefined; of length 0 if there are fewer than 10
        groups to draw from.
    """
    ordered = sorted(answers, key=lambda answer: str(answer.row.row_id))
    clusters = sorted({answer.row.group_id for answer in ordered})
    if len(clusters) < MIN_CLUSTERS:
        return {metric.name: np.empty(0) for metric in metrics}
    position = {cluster: number for number, cluster in enumerate(clusters)}
    at = np.array([position[answer.row.group_id] for answer in ordered])
    weights = cluster_weights(clusters, resamples, seed)
    out = {}
    for metric in metrics:
        statistics = metric.statistics([metric.item(answer) for answer in ordered])
        per_cluster = np.zeros((len(clusters), statistics.shape[1]))
        np.add.at(per_cluster, at, statistics)
        out[metric.name] = metric.value(weights @ per_cluster)
    return out


def interval_of(values: Array, level: float = LEVEL) -> tuple[float, float] | None:
    """The percentile interval of resampled values; None where more than one in twenty is undefined."""
    defined = values[~np.isnan(values)]
    if not len(defined) or len(defined) < 0.95 * len(values):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    # Matrix products may differ in the last bits from one processor to the next; reports must not.
    return round(float(low), 10), round(float(high), 10)
