"""Ranks as ranges: as good and as bad as the paired, clustered bootstrap does not exclude.

Two rows are told apart if the bootstrap of their difference, resampled by contrast group as ``compare`` does and with
its very draws, gives p < 0.05. There is no correction for the number of pairs: it would take far more resamples to
reach the p-values that it asks for, and a range that is too wide to say anything. So of twenty pairs of models that are
equally good one is told apart by chance.

All rows of a group answer the same test rows, so the number of rows counted is the same for both in every resample, and
comparing sums of whole numbers is comparing rates, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from dfar_bench.bootstrap import MIN_CLUSTERS, RESAMPLES, SEED, cluster_weights
from dfar_bench.data import rows
from dfar_bench.leaderboard.site.facts import unpacked_bits
from dfar_bench.metrics import Array

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Rank:
    """The best and the worst place that is not excluded, and whether the row is better than every null model."""

    best: int
    worst: int
    above_null: bool


@dataclass(frozen=True)
class Layout:
    """How the test rows of a split hang together, in the order of row ids.

    Attributes:
        clusters: the number of each row's contrast group, groups sorted by name.
        contrast: ``Row.contrast`` of each row.
    """

    clusters: tuple[int, ...]
    leaked: tuple[bool, ...]
    contrast: tuple[int, ...]

    @property
    def has_leak(self) -> bool:
        """Whether the ``_unleaked`` metrics count other rows than those without."""
        return any(self.leaked)


@cache
def layout(split: str) -> Layout:
    """The layout of a split's test rows."""
    tested = sorted(rows(split)["test"], key=lambda row: row.row_id)
    number = {name: at for at, name in enumerate(sorted({row.group_id for row in tested}))}
    return Layout(
        tuple(number[row.group_id] for row in tested),
        tuple(row.leaked for row in tested),
        tuple(row.contrast for row in tested),
    )


@cache
def _weights(clusters: int) -> Array:
    return cluster_weights([str(number) for number in range(clusters)], RESAMPLES, SEED)


def rank(split: str, bits: Sequence[str], nulls: Sequence[str], *, higher_is_better: bool) -> list[Rank] | None:
    """The ranks of models by a rate over the unleaked rows of a split.

    Args:
        bits: of each model, as ``packed_bits`` packs them.
        nulls: of the null models, which take no rank.

    Returns:
        A rank for each of ``bits``; None where there are too few contrast groups to draw from.
    """
    sums = _resampled(split, [*bits, *nulls])
    if sums is None:
        return None
    if not higher_is_better:
        sums = -sums
    n = len(bits)
    totals = sums[:, 0]
    better = np.zeros((n + len(nulls), n + len(nulls)), dtype=bool)  # [i, j]: i is told apart from j, and better
    order = np.argsort(-totals, kind="stable")
    for place, one in enumerate(order):
        below = order[place + 1 :]
        tail = np.array([np.count_nonzero(sums[one, 1:] <= sums[other, 1:]) for other in below])
        better[one, below] = 2 * (tail + 1) / (RESAMPLES + 1) < ALPHA if len(below) else False
    among = better[:n, :n]
    return [
        Rank(1 + int(among[:, one].sum()), n - int(among[one].sum()), bool(better[one, n:].all())) for one in range(n)
    ]


def _resampled(split: str, bits: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int16]] | None:
    """Array (models, 1 + resamples) of sums over the unleaked rows: as they are, then in each resample."""
    of = layout(split)
    count = max(of.clusters) + 1
    if count < MIN_CLUSTERS or not bits:
        return None
    counted = ~np.array(of.leaked)
    each = np.stack([unpacked_bits(one, len(counted)) * counted for one in bits])
    per_cluster = np.zeros((count, len(bits)))
    np.add.at(per_cluster, np.array(of.clusters), each.T)
    sums = np.vstack([per_cluster.sum(axis=0), _weights(count) @ per_cluster])
    return np.ascontiguousarray(sums.T.round().astype(np.int16))
