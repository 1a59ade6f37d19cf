"""Ranks as ranges: the best and the worst place that the paired, clustered bootstrap does not exclude.

Two models are distinguished if the bootstrap of their difference, resampled by contrast group with the draws of
``dfar-bench compare``, gives p < 0.05. The number of pairs is not corrected for: that would take far more resamples,
and ranges too wide to say anything. So of twenty pairs of equally good models one is distinguished by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dfar_bench.leaderboard.facts import Bits, unpack
from dfar_bench.scoring import RESAMPLES
from dfar_bench.scoring.estimate import MIN_CLUSTERS, cluster_weights
from dfar_bench.scoring.statistics import Array, divide

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Rank:
    """The best and the worst place that is not excluded, and whether the model beats every trivial baseline."""

    best: int
    worst: int
    above_trivial: bool


def rank(
    groups: Sequence[int], models: Sequence[Bits], trivial: Sequence[Bits], *, higher_is_better: bool
) -> list[Rank] | None:
    """Rank models by a share of the same rows.

    Args:
        groups: see ``row_set.clusters``.
        trivial: the trivial baselines, which take no rank.

    Returns:
        A rank for each model; None where there are too few contrast groups to draw from.
    """
    count = max(groups, default=0) + 1
    if count < MIN_CLUSTERS or not models:
        return None
    drawn = _resample(groups, count, [*models, *trivial])
    if not higher_is_better:
        drawn = -drawn
    n, total = len(models), len(drawn)
    better = np.zeros((total, total), dtype=bool)  # [i, j]: i is distinguished from j, and better
    order = np.argsort(-drawn[:, 0], kind="stable")
    for place, i in enumerate(order):
        for j in order[place + 1 :]:
            tail = RESAMPLES - np.count_nonzero(drawn[i, 1:] > drawn[j, 1:])
            better[i, j] = 2 * (tail + 1) / (RESAMPLES + 1) < ALPHA
    among = better[:n, :n]
    return [Rank(1 + int(among[:, i].sum()), n - int(among[i].sum()), bool(better[i, n:].all())) for i in range(n)]


def _resample(groups: Sequence[int], count: int, models: Sequence[Bits]) -> np.ndarray[Any, Any]:
    """Array (models, 1 + resamples) that orders the models: over all rows, then in each resample.

    Where all models count the same rows, sums of whole numbers order them as the shares do, exactly and faster.
    """
    counted = _sums(groups, count, [(bits[1],) for bits in models])
    hits = _sums(groups, count, [bits[0] for bits in models])
    if len({bits[1] for bits in models}) == 1:
        parts = max(len(bits[0]) for bits in models)
        whole = (hits * parts).T.round()
        return np.ascontiguousarray(whole.astype(np.int16 if whole.max() < 2**15 else np.int32))
    return divide(hits, counted).T.round(12)


def _sums(groups: Sequence[int], count: int, packed: Sequence[Sequence[str]]) -> Array:
    """Array (1 + resamples, models) of the sums of bits; each model's bits may be in parts."""
    weights = cluster_weights(count)
    per_cluster = np.zeros((count, len(packed)))
    of_rows = [np.mean([unpack(text, len(groups)) for text in parts], axis=0) for parts in packed]
    np.add.at(per_cluster, np.array(groups), np.stack(of_rows, axis=1))
    return np.vstack([per_cluster.sum(axis=0), weights @ per_cluster])
