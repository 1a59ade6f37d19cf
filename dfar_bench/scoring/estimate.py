"""Estimates with intervals from a bootstrap clustered by contrast group; paired differences; McNemar's test.

Statements of one contrast group share their premise, and models succeed and fail on them together; resampling rows one
by one would make every interval too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from dfar_bench.scoring.answers import Answer
from dfar_bench.scoring.metrics import Metric
from dfar_bench.scoring.statistics import Array

RESAMPLES = 10_000
SEED = 20240821
LEVEL = 0.95
MIN_CLUSTERS = 10
_PART = 2**22  # sums at a time
MIN_RESAMPLES, MAX_RESAMPLES = 1_000, 100_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, None where it is undefined, and the ends of its 95 % interval, None where there is no interval."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, value: float | None, interval: tuple[float, float] | None) -> Estimate:
        """Put a value and an interval together."""
        low, high = interval or (None, None)
        return cls(value, low, high)

    @property
    def interval(self) -> tuple[float, float] | None:
        """(low, high), None where there is no interval."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def as_json(self) -> dict[str, float | None]:
        """Return the estimate as plain JSON types."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of two runs.

    Attributes:
        estimate: second minus first.
        p_value: two-sided, of no difference, from the same resamples; at least 2 / (resamples + 1).
    """

    first: float | None
    second: float | None
    estimate: Estimate
    p_value: float | None


@dataclass(frozen=True, slots=True)
class McNemar:
    """Rows that only one of two runs has right, and the exact two-sided p-value (McNemar 1947, binomial).

    ``ties`` are rows on which a run is half right, which the test leaves out.
    """

    only_first: int
    only_second: int
    p_value: float
    ties: int = 0


def estimates(
    metrics: Sequence[Metric], answers: Sequence[Answer], *, resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """Compute metrics over the same answers, in any order, with percentile intervals.

    Args:
        resamples: of the bootstrap; 0 leaves the intervals out.

    Returns:
        An estimate by metric name. There is no interval where there are fewer than 10 clusters, or where the metric is
        undefined in more than one resample in twenty. A value of exactly 0 or 1 gets an interval of width zero:
        resampling cannot know what it never saw.
    """
    drawn = resample(metrics, answers, resamples=resamples) if resamples else {}
    return {
        metric.name: Estimate.of(metric.of(answers), interval_of(drawn[metric.name]) if drawn else None)
        for metric in metrics
    }


def differences(
    metrics: Sequence[Metric],
    first: Sequence[Answer],
    second: Sequence[Answer],
    *,
    resamples: int = RESAMPLES,
) -> dict[str, Difference]:
    """Compute differences of metrics between two models' answers to the same rows, paired by contrast group.

    Raises:
        ValueError: the rows are not the same.
    """
    if sorted(answer.row.row_id for answer in first) != sorted(answer.row.row_id for answer in second):
        raise ValueError("the answers are to different rows")
    drawn = [resample(metrics, answers, resamples=resamples) for answers in (first, second)]
    out = {}
    for metric in metrics:
        a, b = metric.of(first), metric.of(second)
        resampled: Array = drawn[1][metric.name] - drawn[0][metric.name]
        interval = interval_of(resampled)
        out[metric.name] = Difference(
            a,
            b,
            Estimate.of(None if a is None or b is None else b - a, interval),
            None if interval is None else _p_value(resampled[~np.isnan(resampled)]),
        )
    return out


def _p_value(resampled: Array) -> float:
    # Differences of sums that are equal in truth may differ in the last bit.
    smaller_tail = min((resampled <= 1e-12).sum(), (resampled >= -1e-12).sum())
    return min(1.0, 2 * (int(smaller_tail) + 1) / (len(resampled) + 1))


def mcnemar(first: Sequence[float], second: Sequence[float]) -> McNemar:
    """Test exactly whether one run is right more often than the other.

    It takes rows as independent, which those of a contrast group are not; the bootstrap does not.

    Args:
        first, second: the credit (see ``Answer``) of each row, in the same order.
    """
    from scipy.stats import binomtest

    pairs = list(zip(first, second, strict=True))
    only_first, only_second = pairs.count((1.0, 0.0)), pairs.count((0.0, 1.0))
    n = only_first + only_second
    ties = sum(not {a, b} <= {0.0, 1.0} for a, b in pairs)
    return McNemar(only_first, only_second, float(binomtest(only_first, n).pvalue) if n else 1.0, ties)


@lru_cache(maxsize=4)  # every run on the same rows draws the same weights
def cluster_weights(n: int, resamples: int = RESAMPLES, seed: int = SEED) -> Array:
    """Draw how often each of n clusters, sorted by name, is in each resample.

    Returns:
        Read-only array (resamples, n) of counts; every row sums to n.
    """
    weights: Array = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples).astype(float)
    weights.flags.writeable = False
    return weights


def point_and_resamples(n: int, resamples: int = RESAMPLES, seed: int = SEED) -> Array:
    """Return ones and then ``cluster_weights``, shape (1 + resamples, n)."""
    return np.vstack([np.ones(n), cluster_weights(n, resamples, seed)])


def item_weights(clusters: Sequence[str], resamples: int = RESAMPLES, seed: int = SEED) -> Array:
    """Draw how often each item is in each resample, together with its cluster.

    Args:
        clusters: of each item.

    Returns:
        Shape (1 + resamples, items), ones in the first row.
    """
    names = sorted(set(clusters))
    position = {name: number for number, name in enumerate(names)}
    return point_and_resamples(len(names), resamples, seed)[:, [position[cluster] for cluster in clusters]]


def estimate_of(values: Array, too_few_clusters: bool) -> Estimate:
    """Make an estimate from a value and its resamples, shape (1 + resamples,)."""
    value = None if np.isnan(values[0]) else round(float(values[0]), 10)
    return Estimate.of(value, None if too_few_clusters or value is None else interval_of(values[1:]))


def resample(metrics: Sequence[Metric], answers: Sequence[Any], *, resamples: int = RESAMPLES) -> dict[str, Array]:
    """Compute metrics in every resample of the answers' contrast groups.

    The draws depend on the groups alone, so two models' answers to the same rows are drawn together.

    Returns:
        Array (resamples,) by metric name, NaN where a metric is undefined; of length 0 if there are fewer than 10
        groups to draw from.
    """
    from scipy.sparse import csr_array

    ordered = sorted(answers, key=lambda answer: str(answer.row.row_id))
    clusters = sorted({answer.row.group_id for answer in ordered})
    if len(clusters) < MIN_CLUSTERS:
        return {metric.name: np.empty(0) for metric in metrics}
    position = {cluster: number for number, cluster in enumerate(clusters)}
    at = [position[answer.row.group_id] for answer in ordered]
    members = csr_array((np.ones(len(ordered)), (at, range(len(ordered)))), shape=(len(clusters), len(ordered)))
    weights = cluster_weights(len(clusters), resamples)
    out = {}
    for metric in metrics:
        per_cluster = members @ metric.statistics([metric.item(answer) for answer in ordered])
        # In parts, to spare memory: a ranking has two columns for every row.
        parts = -(-weights.shape[0] * per_cluster.shape[1] // _PART) or 1
        out[metric.name] = np.concatenate([metric.value(part @ per_cluster) for part in np.array_split(weights, parts)])
    return out


def interval_of(values: Array) -> tuple[float, float] | None:
    """Return the percentile interval of resampled values; None where more than one in twenty is undefined."""
    defined = values[~np.isnan(values)]
    if not len(defined) or len(defined) < 0.95 * len(values):
        return None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    # Matrix products may differ in the last bits from one processor to the next; reports must not.
    return round(float(low), 10), round(float(high), 10)
