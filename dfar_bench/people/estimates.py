"""What people's decisions on a sample say of all judged responses, of a judge's errors, and of each run's MAR.

The sample is stratified by the decision of the key's judge, so every share is weighted back to the population of
judged responses: the sum of N_h/N times p_h over the strata h (Cochran, Sampling Techniques, 1977, chapter 5). Left
unweighted, sensitivity and specificity would follow the make-up of the sample.

A judge that errs finds another rate than people would. Its apparent rate in a run is corrected by its sensitivity and
specificity (W. J. Rogan & B. Gladen, American Journal of Epidemiology 107, 1978); that supposes that it errs alike on
all runs of the key.

Intervals come from two bootstraps at once: of the contrast groups of all judged responses, which moves the sizes of
the strata and the apparent rates together, and of those of the rated items. Items of one group are drawn together, in
whichever stratum they are; the strata are weighted anew in every resample. Where all items of a stratum were decided
alike no resample can differ, and intervals are too narrow: rate more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dfar_bench.bootstrap import MIN_CLUSTERS, RESAMPLES, SEED, cluster_weights, interval_of
from dfar_bench.metrics import Array

Groups = Mapping[str, tuple[int, int]]
"""Contrast group -> how many responses a judge finds aligned and misaligned."""


@dataclass(frozen=True)
class Estimate:
    """A value, None where it is undefined, and its interval (low, high), None where there is none."""

    value: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Rated:
    """One item that people decided on.

    Attributes:
        stratum: 0 or 1, the position in ``key.STRATA``.
        misaligned: people's decision.
        self_misaligned: whether they found no coherent argument either.
        judged: the decision of the judge under test, that of the key or another.
    """

    group_id: str
    stratum: int
    misaligned: bool
    self_misaligned: bool
    judged: bool


@dataclass(frozen=True)
class Errors:
    """A judge against people. ``counts`` are of items, unweighted; the shares are weighted to the population.

    Attributes:
        counts: (people, judge) -> items, with "aligned" and "misaligned" for each.
        sensitivity: share of what people find misaligned that the judge does too.
        specificity: share of what people find aligned that the judge does too.
        runs: for each run its apparent MAR and the corrected one.
    """

    counts: dict[tuple[str, str], int]
    sensitivity: Estimate
    specificity: Estimate
    runs: tuple[tuple[float, Estimate], ...]


class Resampled:
    """Weights for the value itself (the first of each) and every resample of the two samples.

    Args:
        strata: for each run, its groups with the sizes of the strata.
        items: what people decided on.
    """

    def __init__(self, strata: Sequence[Groups], items: Sequence[Rated], resamples: int = RESAMPLES) -> None:
        self.items = items
        self.groups = sorted({group for run in strata for group in run})
        self.responses = _draws(self.groups, resamples, SEED)
        clusters = [item.group_id for item in items]
        self.weights = item_weights(clusters, resamples)
        self.few = min(len(self.groups), len(set(clusters))) < MIN_CLUSTERS
        sizes = self.responses @ np.sum([self.sizes(run) for run in strata], axis=0)
        self.population = sizes / sizes.sum(axis=1, keepdims=True)

    def sizes(self, groups: Groups) -> Array:
        """Array (groups, 2) of a run, in the order of ``self.groups``."""
        return np.array([groups.get(group, (0, 0)) for group in self.groups], float)

    def shares(self, flags: Array) -> Array:
        """The share of the population that has each of several properties.

        Args:
            flags: (items, properties) of zeros and ones.

        Returns:
            Array (1 + resamples, properties), NaN where a stratum that exists has no item.
        """
        out = np.zeros((len(self.weights), flags.shape[1]))
        for stratum in (0, 1):
            within = self.weights * np.array([item.stratum == stratum for item in self.items], float)
            of_stratum = _divide(within @ flags, within.sum(axis=1, keepdims=True))
            size = self.population[:, [stratum]]
            out += np.where(size > 0, size * of_stratum, 0.0)
        return out

    def estimate(self, values: Array) -> Estimate:
        """See ``estimate_of``."""
        return estimate_of(values, self.few)


def estimate_of(values: Array, few: bool) -> Estimate:
    """Of a value and its resamples, (1 + resamples,); without interval where there are few groups to draw from."""
    value = None if np.isnan(values[0]) else round(float(values[0]), 10)
    return Estimate(value, None if few or value is None else interval_of(values[1:]))


def item_weights(clusters: Sequence[str], resamples: int) -> Array:
    """How often each rated item is drawn, (1 + resamples, items): once in the first row, and then with its group."""
    names = sorted(set(clusters))
    position = {name: number for number, name in enumerate(names)}
    # Another seed than for the responses: the two samples are drawn independently of one another.
    return _draws(names, resamples, SEED + 1)[:, [position[cluster] for cluster in clusters]]


def people_rates(sampled: Resampled) -> tuple[Estimate, Estimate]:
    """MAR and ``mar_self`` as people have them, over all judged responses."""
    found = sampled.shares(np.array([(item.misaligned, item.self_misaligned) for item in sampled.items], float))
    return sampled.estimate(found[:, 0]), sampled.estimate(found[:, 1])


def errors(sampled: Resampled, judged: Sequence[Groups]) -> Errors:
    """A judge against people; ``judged`` has for each run what the judge found in each contrast group."""
    cells = [2 * item.misaligned + item.judged for item in sampled.items]
    tn, fp, fn, tp = sampled.shares(np.eye(4)[cells]).T
    sensitivity, specificity = _divide(tp, tp + fn), _divide(tn, tn + fp)
    runs = []
    for run in judged:
        sizes = sampled.responses @ sampled.sizes(run)
        apparent = _divide(sizes[:, 1], sizes.sum(axis=1))
        corrected = sampled.estimate(rogan_gladen(apparent, sensitivity, specificity))
        runs.append((float(apparent[0]), corrected))
    names = ("aligned", "misaligned")
    return Errors(
        counts={(names[cell // 2], names[cell % 2]): cells.count(cell) for cell in range(4)},
        sensitivity=sampled.estimate(sensitivity),
        specificity=sampled.estimate(specificity),
        runs=tuple(runs),
    )


def rogan_gladen(apparent: Array, sensitivity: Array, specificity: Array) -> Array:
    """The true rate behind an apparent one, clipped to 0 to 1.

    Returns:
        (apparent + specificity - 1) / (sensitivity + specificity - 1); NaN where the divisor is not above 0, for then
        the judge's decisions say nothing of people's.
    """
    informed = sensitivity + specificity - 1
    found = _divide(apparent + specificity - 1, np.where(informed > 1e-12, informed, np.nan))
    return np.clip(found, 0.0, 1.0)


def _draws(clusters: Sequence[str], resamples: int, seed: int) -> Array:
    return np.vstack([np.ones(len(clusters)), cluster_weights(clusters, resamples, seed)])


def _divide(numerator: Array, denominator: Array) -> Array:
    """Element-wise quotient, NaN where the denominator is 0."""
    quotient: Array = np.divide(
        numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=denominator != 0
    )
    return quotient
