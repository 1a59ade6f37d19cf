"""Agreement of raters beyond chance: Krippendorff's alpha (nominal) and Gwet's AC1.

They differ in what counts as chance: where nearly all ratings are the same, alpha can be low in spite of high
agreement, while AC1 stays high (Gwet 2008). Both describe the items on the sheet, not the population behind them.

Sources: K. Krippendorff, Content Analysis, 4th edition, 2018, chapter 12; K. L. Gwet, Computing inter-rater
reliability and its variance in the presence of high agreement, British Journal of Mathematical and Statistical
Psychology 61, 2008 (with missing ratings: Handbook of Inter-Rater Reliability, 4th edition, 2014, chapter 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dfar_bench.scoring.statistics import Array, divide

Counts = NDArray[np.int_]
"""Shape (items, categories): how many raters put an item into a category."""


def alpha(counts: Counts, weights: Array) -> Array:
    """Compute Krippendorff's alpha for nominal data.

    Args:
        weights: shape (resamples, items), how often each item is drawn; ones for the point estimate.

    Returns:
        Shape (resamples,), at most 1; NaN where no item has two ratings or all ratings are the same.
    """
    from krippendorff import alpha as library_alpha

    pairable = counts.sum(axis=1) >= 2
    out = np.full(len(weights), np.nan)
    for number, repeats in enumerate(weights[:, pairable].astype(int)):
        table = np.repeat(counts[pairable], repeats, axis=0)
        if np.count_nonzero(table.any(axis=0)) > 1:
            out[number] = library_alpha(value_counts=table, level_of_measurement="nominal")
    return out


def ac1(counts: Counts, weights: Array) -> Array:
    """Compute Gwet's first-order agreement coefficient AC1; arguments as for ``alpha``.

    Our own code, because the library ``irrcac`` (0.4.4) needs NumPy 1 and pandas 2; the tests hold its values. All
    rated items tell how common a category is; those with two or more ratings tell how often raters agree.

    Returns:
        Shape (resamples,), at most 1, and 1 where all ratings are the same; NaN where no item has two ratings.
    """
    ratings = counts.sum(axis=1)
    rated = weights @ (ratings > 0).astype(float)
    prevalence = weights @ (counts / np.maximum(ratings, 1)[:, None]) / np.maximum(rated, 1)[:, None]
    chance = (prevalence * (1 - prevalence)).sum(axis=1) / (counts.shape[1] - 1)
    return np.asarray((observed_agreement(counts, weights) - chance) / (1 - chance))


def observed_agreement(counts: Counts, weights: Array) -> Array:
    """Compute the share of pairs of ratings that agree, averaged over items with two ratings or more."""
    ratings = counts.sum(axis=1)
    pairs = ratings * (ratings - 1)
    agreeing = (counts * (counts - 1)).sum(axis=1) / np.maximum(pairs, 1)
    return divide(weights @ agreeing, weights @ (pairs > 0).astype(float))
