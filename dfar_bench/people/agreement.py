"""How far raters agree beyond chance: Krippendorff's alpha (nominal) and Gwet's AC1, with intervals over items.

Both are given because they differ in what chance is: where nearly all ratings are the same, alpha may be low in spite
of high agreement, while AC1 is not (Gwet 2008). They describe the items in the sheet, not the population behind it.

Sources: K. Krippendorff, Content Analysis, 4th edition, 2018, chapter 12; K. L. Gwet, Computing inter-rater
reliability and its variance in the presence of high agreement, British Journal of Mathematical and Statistical
Psychology 61, 2008 (with missing ratings: Handbook of Inter-Rater Reliability, 4th edition, 2014, chapter 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dfar_bench.metrics import Array

Counts = NDArray[np.int_]
"""(items, categories): how many raters put an item into a category."""


def alpha(counts: Counts, weights: Array) -> Array:
    """Krippendorff's alpha for nominal data.

    Args:
        weights: (resamples, items), how often each item was drawn; ones for the value itself.

    Returns:
        Array (resamples,), each at most 1; NaN where no item has two ratings or all ratings are the same.
    """
    from krippendorff import alpha as of_value_counts

    pairable = counts.sum(axis=1) >= 2
    out = np.full(len(weights), np.nan)
    for number, drawn in enumerate(weights[:, pairable].astype(int)):
        table = np.repeat(counts[pairable], drawn, axis=0)
        if np.count_nonzero(table.any(axis=0)) > 1:
            out[number] = of_value_counts(value_counts=table, level_of_measurement="nominal")
    return out


def ac1(counts: Counts, weights: Array) -> Array:
    """Gwet's first-order agreement coefficient AC1; ``weights`` and result as for ``alpha``.

    Ours, since the library ``irrcac`` (0.4.4) needs NumPy 1 and pandas 2; the tests hold its values. All items with a
    rating tell how common a category is, those with two or more tell how often raters agree.

    Returns:
        Array (resamples,), at most 1, and 1 where all ratings are the same; NaN where no item has two ratings.
    """
    ratings = counts.sum(axis=1)
    rated = weights @ (ratings > 0).astype(float)
    common = weights @ (counts / np.maximum(ratings, 1)[:, None]) / np.maximum(rated, 1)[:, None]
    chance = (common * (1 - common)).sum(axis=1) / (counts.shape[1] - 1)
    observed = observed_agreement(counts, weights)
    return np.asarray((observed - chance) / (1 - chance))


def observed_agreement(counts: Counts, weights: Array) -> Array:
    """The share of pairs of ratings of one item that agree, averaged over items with two ratings or more."""
    ratings = counts.sum(axis=1)
    pairs = ratings * (ratings - 1)
    agreeing = (counts * (counts - 1)).sum(axis=1) / np.maximum(pairs, 1)
    drawn = weights @ (pairs > 0).astype(float)
    agreement: Array = np.divide(weights @ agreeing, drawn, out=np.full(len(weights), np.nan), where=drawn > 0)
    return agreement
