"""What the items of metrics add up to, and the values that follow from the sums.

Functions on items return one row of additive statistics per item, zeros for None, as a sparse array where most are
zeros; functions on sums take an array (..., k) of their sums and return an array (...), NaN where nothing counts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Sparse = Any
"""A sparse array of scipy, which has no types; its elements are whole numbers, which add up the same in any order."""

ECE_BINS = 15
"""Equal-width bins over confidence 0 to 1 (Guo et al., ICML 2017)."""


def divide(numerator: Array, denominator: Array) -> Array:
    """Divide element by element; NaN where the denominator is 0."""
    quotient: Array = np.divide(
        numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=denominator != 0
    )
    return quotient


def mean_statistics(items: Sequence[float | None]) -> Array:
    """Return (item, 1) per item, shape (items, 2); zeros for None."""
    return np.array([(0.0, 0.0) if item is None else (item, 1.0) for item in items]).reshape(-1, 2)


def mean_value(sums: Array) -> Array:
    """Return the mean from the sums of ``mean_statistics``."""
    return divide(sums[..., 0], sums[..., 1])


def confusion_statistics(items: Sequence[tuple[int, ...]]) -> Array:
    """Each item's share of the table label by prediction, shape (items, L * L).

    A tie belongs to several cells of its row in equal parts. L is the highest label or prediction plus 1, at least 2.
    """
    n = max(2, 1 + max((max(item) for item in items), default=0))
    out = np.zeros((len(items), n * n))
    for number, (label, *likeliest) in enumerate(items):
        out[number, [n * label + predicted for predicted in likeliest]] = 1 / len(likeliest)
    return out


def _confusion(sums: Array) -> Array:
    """Shape (..., L, L): label by prediction."""
    n = math.isqrt(sums.shape[-1])
    return sums.reshape(*sums.shape[:-1], n, n)


def rate_of_label(sums: Array, label: int) -> Array:
    """Share of a label's rows that are predicted otherwise; NaN where there are more than two labels."""
    table = _confusion(sums)
    if table.shape[-1] != 2:
        return np.full(table.shape[:-2], np.nan)
    return divide(table[..., label, 1 - label], table[..., label, :].sum(axis=-1))


def _nan_mean(values: Array) -> Array:
    """Mean over the last axis of what is defined."""
    defined = ~np.isnan(values)
    return divide(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1).astype(float))


def balanced_accuracy(sums: Array) -> Array:
    """Mean recall over the labels that occur."""
    table = _confusion(sums)
    return _nan_mean(divide(np.diagonal(table, axis1=-2, axis2=-1), table.sum(axis=-1)))


def f1_macro(sums: Array) -> Array:
    """Mean F1 over the labels that occur as label or prediction."""
    table = _confusion(sums)
    right = np.diagonal(table, axis1=-2, axis2=-1)
    return _nan_mean(divide(2 * right, table.sum(axis=-1) + table.sum(axis=-2)))


def f1_weighted(sums: Array) -> Array:
    """Mean F1 over the labels, each weighted by how often it is the label, as in scikit-learn."""
    table = _confusion(sums)
    right, labelled = np.diagonal(table, axis1=-2, axis2=-1), table.sum(axis=-1)
    f1 = np.nan_to_num(divide(2 * right, labelled + table.sum(axis=-2)))
    return divide((f1 * labelled).sum(axis=-1), labelled.sum(axis=-1))


def mcc(sums: Array) -> Array:
    """Matthews correlation, for any number of labels (Gorodkin, Computational Biology and Chemistry 28, 2004).

    0 where one label is never labelled or never predicted, as in scikit-learn.
    """
    table = _confusion(sums)
    labelled, predicted = table.sum(axis=-1), table.sum(axis=-2)
    total = table.sum(axis=(-2, -1))
    covariance = np.trace(table, axis1=-2, axis2=-1) * total - (labelled * predicted).sum(axis=-1)
    scale = np.sqrt((total**2 - (labelled**2).sum(axis=-1)) * (total**2 - (predicted**2).sum(axis=-1)))
    return np.where(total > 0, np.nan_to_num(divide(covariance, scale)), np.nan)


def pearson(sums: Array) -> Array:
    """Pearson's correlation from the sums of (1, x, y, x², y², xy); NaN where x or y does not vary."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spread_x, spread_y = n * xx - x**2, n * yy - y**2
    varies = (spread_x > 1e-12 * n * xx) & (spread_y > 1e-12 * n * yy)  # not only by rounding
    return np.where(varies, divide(n * xy - x * y, np.sqrt(np.where(varies, spread_x * spread_y, 0))), np.nan)


def ranking_statistics(items: Sequence[tuple[int, float] | None], certain: float) -> Sparse:
    """Mark each item's place among the distinct scores, by label, shape (items, 2 * distinct); zeros for None.

    Args:
        items: a label, 0 or 1, and a score.
        certain: the score, or its negative, of a bare verdict: items that are nothing else have no ranking.
    """
    from scipy.sparse import csr_array

    scores = sorted({item[1] for item in items if item})
    if all(abs(score) == certain for score in scores):
        return csr_array((len(items), 0))
    place = {score: number for number, score in enumerate(scores)}
    marks = [(n, item[0] * len(place) + place[item[1]]) for n, item in enumerate(items) if item]
    return csr_array((np.ones(len(marks)), tuple(zip(*marks))), shape=(len(items), 2 * len(place)))


def auroc(sums: Array) -> Array:
    """Area under the ROC curve as Mann and Whitney's statistic: a pair with equal scores counts half."""
    if not sums.shape[-1]:
        return np.full(sums.shape[:-1], np.nan)
    negative, positive = np.moveaxis(sums.reshape(*sums.shape[:-1], 2, -1), -2, 0)
    below = negative.cumsum(axis=-1) - negative / 2
    return divide((positive * below).sum(axis=-1), positive.sum(axis=-1) * negative.sum(axis=-1))


def calibration_statistics(items: Sequence[tuple[float, float]]) -> Array:
    """(count, confidence, correct) in the columns of the item's bin; bins are half-open to the left."""
    out = np.zeros((len(items), ECE_BINS, 3))
    for number, (confidence, correct) in enumerate(items):
        bin_ = min(max(math.ceil(confidence * ECE_BINS) - 1, 0), ECE_BINS - 1)
        out[number, bin_] = 1.0, confidence, correct
    return out.reshape(len(items), 3 * ECE_BINS)


def ece(sums: Array) -> Array:
    """Expected calibration error: the mean distance of confidence and share correct, over bins (Guo et al. 2017)."""
    count, confidence, correct = np.moveaxis(sums.reshape(*sums.shape[:-1], ECE_BINS, 3), -1, 0)
    return divide(np.abs(correct - confidence).sum(axis=-1), count.sum(axis=-1))


def group_statistics(items: Sequence[tuple[str, int, float] | None]) -> Array:
    """(every row right, 1) on one row of each group of which all rows were answered, zeros elsewhere.

    A tie is half right, and a group is right as far as the product of its rows says. All rows of a contrast group are
    drawn together in the clustered bootstrap, so one can stand for the group.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for number, item in enumerate(items):
        if item is not None:
            members[item[0]].append(number)
    out = np.zeros((len(items), 2))
    for numbers in members.values():
        group = [item for number in numbers if (item := items[number]) is not None]
        if len(group) == group[0][1]:
            out[numbers[0]] = math.prod(credit for _, _, credit in group), 1.0
    return out
