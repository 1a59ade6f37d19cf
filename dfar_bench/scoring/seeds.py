"""Means over seeds, and differences between ways of training, with intervals over rows and seeds.

Two sources of chance decide by how much one mode scores above another: which rows there are, and which seed each
training had. The hierarchical bootstrap draws contrast groups, the same for all models, and seeds within each mode. As
it draws from few seeds it is too narrow, so a t interval over the seeds' means stands beside it (Welch 1947), and the
wider of the two is the one to quote.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dfar_bench.scoring.answers import Answer
from dfar_bench.scoring.estimate import LEVEL, RESAMPLES, SEED, Estimate, interval_of, resample
from dfar_bench.scoring.metrics import Metric
from dfar_bench.scoring.statistics import Array

FEW_SEEDS = 5
"""With fewer, the seeds' share of the variance is a guess."""


@dataclass(frozen=True)
class OverSeeds:
    """One metric of two modes.

    Attributes:
        first, second: means over seeds.
        rows_and_seeds: second minus first, with the interval of the hierarchical bootstrap.
        over_seeds: the t interval; None where one mode has one seed only, or the seeds change nothing.
        seeds_share: the seeds' share of the variance of a single score, indicative; None with one seed.
    """

    first: float
    second: float
    rows_and_seeds: Estimate
    over_seeds: tuple[float, float] | None
    seeds_share: float | None

    @property
    def quoted(self) -> Estimate:
        """The difference with the wider of the intervals."""
        intervals = [one for one in (self.rows_and_seeds.interval, self.over_seeds) if one]
        widest = max(intervals, key=lambda one: one[1] - one[0], default=None)
        return Estimate.of(self.rows_and_seeds.value, widest)


def mean_over_seeds(
    metrics: Sequence[Metric],
    answers: Sequence[Sequence[Answer]],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Estimate]:
    """Average metrics over the seeds of one mode, each with its answers to the same rows.

    Args:
        resamples: of the hierarchical bootstrap; 0 leaves the intervals out.

    Returns:
        By metric name; None where a metric is undefined for a seed.
    """
    drawn = [resample(metrics, one, resamples=resamples, seed=seed) for one in answers] if resamples else []
    out = {}
    for metric in metrics:
        values = [metric.of(one) for one in answers]
        defined = [value for value in values if value is not None]
        mean = sum(defined) / len(defined) if len(defined) == len(values) else None
        of_rows: Array = np.array([one[metric.name] for one in drawn])
        interval = interval_of(_draw_seeds(of_rows, 0, seed)) if of_rows.size and mean is not None else None
        out[metric.name] = Estimate.of(mean, interval)
    return out


def compare_modes(
    metrics: Sequence[Metric],
    first: Sequence[Sequence[Answer]],
    second: Sequence[Sequence[Answer]],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, OverSeeds]:
    """Compare two modes, each with the answers of its seeds to the same rows.

    Returns:
        By metric name; metrics that are undefined for a seed are left out.
    """
    scores = [[{m.name: m.of(answers) for m in metrics} for answers in mode] for mode in (first, second)]
    drawn = [
        [resample(metrics, answers, resamples=resamples, seed=seed) for answers in mode] for mode in (first, second)
    ]
    out = {}
    for metric in metrics:
        values = [[score[metric.name] for score in mode] for mode in scores]
        if any(value is None for mode in values for value in mode):
            continue
        means = [np.array(mode, dtype=float) for mode in values]
        of_rows: list[Array] = [np.array([one[metric.name] for one in mode]) for mode in drawn]
        both = [_draw_seeds(rows, number, seed) for number, rows in enumerate(of_rows)]
        interval = interval_of(both[1] - both[0]) if of_rows[0].size else None
        a, b = (float(mean.mean()) for mean in means)
        out[metric.name] = OverSeeds(
            a,
            b,
            Estimate.of(b - a, interval),
            welch_interval(*means) if resamples else None,
            seeds_share(means, of_rows),
        )
    return out


def _draw_seeds(of_rows: Array, number: int, seed: int) -> Array:
    """Return the mean over drawn seeds of a metric in each resample of rows.

    Args:
        of_rows: the metric by seed and resample of the rows.
        number: of the mode, as each draws its own seeds.
    """
    count, resamples = of_rows.shape
    chosen = np.random.default_rng([seed, number]).integers(count, size=(count, resamples))
    mean: Array = of_rows[chosen, np.arange(resamples)].mean(axis=0)
    return mean


def welch_interval(first: Array, second: Array) -> tuple[float, float] | None:
    """Return the t interval of the difference of two means; None where one of them is of a single value."""
    from scipy.stats import t

    if min(len(first), len(second)) < 2:
        return None
    parts = [values.var(ddof=1) / len(values) for values in (first, second)]
    error = math.sqrt(sum(parts))
    if error < 1e-12:
        return None  # seeds that change nothing: the rows alone decide
    freedom = sum(parts) ** 2 / sum(part**2 / (len(v) - 1) for part, v in zip(parts, (first, second)))
    half = float(t.ppf((1 + LEVEL) / 2, freedom)) * error
    difference = float(second.mean() - first.mean())
    return round(difference - half, 10), round(difference + half, 10)


def seeds_share(means: Sequence[Array], of_rows: Sequence[Array]) -> float | None:
    """Return the seeds' share of the variance of one model's score, over both modes; None with one seed."""
    if min(len(mean) for mean in means) < 2 or not all(rows.size for rows in of_rows):
        return None
    by_seed = float(np.mean([mean.var(ddof=1) for mean in means]))
    by_rows = float(np.mean([np.nanvar(rows, axis=1).mean() for rows in of_rows]))
    return by_seed / (by_seed + by_rows) if by_seed + by_rows else None
