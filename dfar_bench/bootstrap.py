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
    ordered = sorted(answers, key=lambda answer: str(answer.row.row_id))
    clusters = sorted({answer.row.group_id for answer in ordered})
    position = {cluster: number for number, cluster in enumerate(clusters)}
    at = np.array([position[answer.row.group_id] for answer in ordered])
    weights = cluster_weights(clusters, resamples, seed)
    tails = [(1 - level) / 2, (1 + level) / 2]
    out: dict[str, tuple[float, float] | None] = {}
    for metric in metrics:
        statistics = metric.statistics([metric.item(answer) for answer in ordered])
        per_cluster = np.zeros((len(clusters), statistics.shape[1]))
        np.add.at(per_cluster, at, statistics)
        values = metric.value(weights @ per_cluster)
        defined = values[~np.isnan(values)]
        if len(clusters) < MIN_CLUSTERS or len(defined) < 0.95 * resamples:
            out[metric.name] = None
        else:
            low, high = np.quantile(defined, tails)
            # Matrix products may differ in the last bits from one processor to the next; reports must not.
            out[metric.name] = (round(float(low), 10), round(float(high), 10))
    return out
