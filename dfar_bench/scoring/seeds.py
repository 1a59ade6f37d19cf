"""Means over seeds, and differences between ways of training, with intervals over rows and seeds.

Two sources of chance decide by how much one mode scores above another: which rows there are, and which seed each
training had. Their variances are added: that of the rows by the bootstrap of contrast groups, the same for all models,
with the seeds as they are; that of the seeds from the spread of their scores. The interval is that of a t distribution
with the degrees of freedom of Welch and Satterthwaite (1947, 1946), as few seeds say little about their spread. A test
simulates how often it holds the truth. Resampling the seeds instead is too narrow (of 3 seeds it finds 2/3 of the
variance), and a t interval over the seeds' means alone leaves the rows out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dfar_bench.scoring.answers import Answer
from dfar_bench.scoring.estimate import LEVEL, RESAMPLES, Estimate, interval_of, resample
from dfar_bench.scoring.metrics import Metric
from dfar_bench.scoring.statistics import Array

FEW_SEEDS = 5
"""With fewer, the seeds' share of the variance is a guess."""


@dataclass(frozen=True)
class OverSeeds:
    """One metric of two modes.

    Attributes:
        first, second: means over seeds.
        difference: second minus first, with its interval over rows and seeds.
        seeds_share: the seeds' share of the variance of a single score, indicative; None with one seed.
    """

    first: float
    second: float
    difference: Estimate
    seeds_share: float | None


def mean_over_seeds(
    metrics: Sequence[Metric],
    answers: Sequence[Sequence[Answer]],
    *,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Average metrics over the seeds of one mode, each with its answers to the same rows.

    Args:
        resamples: of the rows; 0 leaves the intervals out.

    Returns:
        By metric name; None where a metric is undefined for a seed. The interval of a share ends at 0 and 1.
    """
    drawn = _resampled(metrics, answers, resamples)
    out = {}
    for metric in metrics:
        values, of_rows = [metric.of(one) for one in answers], drawn[metric.name]
        if None in values:
            out[metric.name] = Estimate(None)
            continue
        scores: Array = np.array(values, dtype=float)
        mean = float(scores.mean())
        interval = rows_and_seeds(mean, of_rows.mean(axis=0), [scores])
        if interval and metric.per_cent and np.nanmin(of_rows) >= 0:
            interval = max(0.0, interval[0]), min(1.0, interval[1])
        out[metric.name] = Estimate.of(mean, interval)
    return out


def compare_modes(
    metrics: Sequence[Metric],
    first: Sequence[Sequence[Answer]],
    second: Sequence[Sequence[Answer]],
    *,
    resamples: int = RESAMPLES,
) -> dict[str, OverSeeds]:
    """Compare two modes, each with the answers of its seeds to the same rows.

    Returns:
        By metric name; metrics that are undefined for a seed are left out.
    """
    drawn = [_resampled(metrics, answers, resamples) for answers in (first, second)]
    out = {}
    for metric in metrics:
        values = [[metric.of(answers) for answers in mode] for mode in (first, second)]
        if any(value is None for mode in values for value in mode):
            continue
        scores = [np.array(mode, dtype=float) for mode in values]
        of_rows = [mode[metric.name] for mode in drawn]
        a, b = (float(mode.mean()) for mode in scores)
        interval = rows_and_seeds(b - a, of_rows[1].mean(axis=0) - of_rows[0].mean(axis=0), scores)
        out[metric.name] = OverSeeds(a, b, Estimate.of(b - a, interval), seeds_share(scores, of_rows))
    return out


def _resampled(metrics: Sequence[Metric], answers: Sequence[Sequence[Answer]], resamples: int) -> dict[str, Array]:
    """Return metrics by seed and resample of the rows; arrays of size 0 where rows are not resampled."""
    if not resamples:
        return {metric.name: np.empty((len(answers), 0)) for metric in metrics}
    drawn = [resample(metrics, one, resamples=resamples) for one in answers]
    return {metric.name: np.array([one[metric.name] for one in drawn]) for metric in metrics}


def rows_and_seeds(value: float, of_rows: Array, scores: Sequence[Array]) -> tuple[float, float] | None:
    """Return the interval of a mean over seeds, or of the difference of two.

    Args:
        value: the mean or difference.
        of_rows: the same in each resample of the rows, with the seeds as they are, shape (resamples,).
        scores: of the seeds, for each mode that has a part in the value.

    Returns:
        The t interval; where there is one seed, or the seeds change nothing, the percentile interval of the rows
        alone. None where more than one resample in twenty is undefined, or where there are none.
    """
    from scipy.stats import t

    by_rows = interval_of(of_rows)
    if by_rows is None or min(map(len, scores)) < 2:
        return by_rows
    parts = [mode.var(ddof=1) / len(mode) for mode in scores]
    if sum(parts) < 1e-24:
        return by_rows
    variance = float(np.nanvar(of_rows)) + sum(parts)
    freedom = variance**2 / sum(part**2 / (len(mode) - 1) for part, mode in zip(parts, scores))
    half = float(t.ppf((1 + LEVEL) / 2, freedom)) * math.sqrt(variance)
    return round(value - half, 10), round(value + half, 10)


def seeds_share(means: Sequence[Array], of_rows: Sequence[Array]) -> float | None:
    """Return the seeds' share of the variance of one model's score, over both modes; None with one seed."""
    if min(len(mean) for mean in means) < 2 or not all(rows.size for rows in of_rows):
        return None
    by_seed = float(np.mean([mean.var(ddof=1) for mean in means]))
    by_rows = float(np.mean([np.nanvar(rows, axis=1).mean() for rows in of_rows]))
    return by_seed / (by_seed + by_rows) if by_seed + by_rows else None
