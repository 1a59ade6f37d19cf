"""Agreement and estimates: published examples, values worked out by hand, and a simulation with a known truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dfar_bench.rating.agreement import ac1, alpha, observed_agreement
from dfar_bench.rating.draw import LEAST, allocate
from dfar_bench.rating.estimates import RatedItem, Resampled, judge_errors, people_rates
from dfar_bench.rating.key import Groups
from dfar_bench.scoring import Estimate

Statistic = Callable[..., Any]
Table = list[list[int]]
STATISTICS = (alpha, ac1, observed_agreement)


def point(statistic: Statistic, counts: Table) -> float:
    return float(statistic(np.array(counts), np.ones((1, len(counts))))[0])


def count(*raters: str) -> Table:
    """Count ratings given as one string per rater, one digit per item, "." where an item was left out."""
    values = sorted({rating for rater in raters for rating in rater} - {"."})
    return [["".join(item).count(value) for value in values] for item in zip(*raters, strict=True)]


# Twelve items, five values, ratings missing: part C of Krippendorff, Computing Krippendorff's Alpha-Reliability (2011),
# with the ratings of Gwet's handbook (2014), where AC1 is worked out as well.
FOUR_RATERS = count("123321412...", "1233224125..", ".33323422513", "12332441251.")

# Drawn at random and given to irrCAC 0.4.4 (which needs NumPy 1, so it cannot be asked here).
RANDOM = [[4, 0], [3, 1], [4, 0], [0, 1], [2, 1], [1, 2], [0, 3], [2, 1], [4, 0], [2, 2]]
RANDOM += [[4, 0], [0, 3], [1, 3], [2, 2], [1, 2], [2, 1], [3, 1], [3, 1], [2, 0], [3, 0]]

# Gwet (2002): both raters find 118 subjects positive and differ on 7.
NEARLY_ALL_POSITIVE = [[2, 0]] * 118 + [[1, 1]] * 7


@pytest.mark.parametrize(
    ("statistic", "counts", "value"),
    [
        (alpha, count("0100000010", "1110010000"), 0.095),  # part A of Krippendorff (2011)
        (alpha, FOUR_RATERS, 0.743),
        (alpha, RANDOM, 0.23323),
        (alpha, NEARLY_ALL_POSITIVE, -0.02469),
        (alpha, [[3, 0]] * 4, None),
        (ac1, FOUR_RATERS, 0.77544),
        (ac1, RANDOM, 0.32971),
        (ac1, NEARLY_ALL_POSITIVE, 0.94078),
        (ac1, [[3, 0]] * 4, 1),
        (observed_agreement, NEARLY_ALL_POSITIVE, 118 / 125),
        *((statistic, [[1, 0], [0, 1]], None) for statistic in STATISTICS),
    ],
)
def test_agreement(statistic: Statistic, counts: Table, value: float | None) -> None:
    if value is None:
        assert np.isnan(point(statistic, counts))
    else:
        assert point(statistic, counts) == pytest.approx(value, abs=5e-4 if statistic is alpha else 5e-6)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_an_item_drawn_twice_counts_twice(statistic: Statistic) -> None:
    weights = np.array([[number % 3 for number in range(len(RANDOM))]])
    repeated = [row for number, row in enumerate(RANDOM) for _ in range(number % 3)]
    assert statistic(np.array(RANDOM), weights.astype(float))[0] == pytest.approx(point(statistic, repeated))


@pytest.mark.parametrize(
    ("n", "population", "drawn"),
    [
        (60, (150, 50), (45, 15)),
        (60, (190, 10), (50, LEAST)),
        (60, (196, 4), (56, 4)),  # all there are
        (60, (0, 100), (0, 60)),
        (60, (30, 10), (30, 10)),  # fewer than asked for
        (6, (99, 1), (5, 1)),
        (2, (1000, 1000), (1, 1)),
    ],
)
def test_allocation(n: int, population: tuple[int, int], drawn: tuple[int, int]) -> None:
    assert allocate(n, population) == drawn


def rated(stratum: int, people: str, self_misaligned: int = 0) -> list[RatedItem]:
    """Make items of one stratum, "x" for misaligned, each in a group of its own."""
    return [
        RatedItem(f"g{stratum}-{at}", stratum, flag == "x", at < self_misaligned, bool(stratum))
        for at, flag in enumerate(people)
    ]


def groups(aligned: int, misaligned: int) -> Groups:
    return {f"g{number:02}": (aligned, misaligned) for number in range(20)}


def test_shares_are_weighted_back_to_the_population() -> None:
    """80 responses judged aligned, of which people call 1 in 4 misaligned; 20 judged misaligned, 4 in 5."""
    items = rated(0, "x...") + rated(1, "xxxx.", self_misaligned=2)
    sampled = Resampled([groups(4, 1)], items, 1000)
    rates = people_rates(sampled)
    assert rates["mar"].value == pytest.approx(0.8 * 1 / 4 + 0.2 * 4 / 5)
    assert rates["mar_self"].value == pytest.approx(0.2 * 2 / 5)
    errors = judge_errors(sampled, [groups(4, 1)])
    assert list(errors.counts.values()) == [3, 1, 1, 4]
    assert errors.sensitivity.value == pytest.approx(0.16 / 0.36)
    assert errors.specificity.value == pytest.approx(0.60 / 0.64)
    ((apparent, corrected),) = errors.runs
    assert apparent == pytest.approx(0.2)
    assert corrected.value == pytest.approx(rates["mar"].value)  # with one run, the two ways agree
    assert rates["mar"].interval is None  # nine groups
    tenth = RatedItem("tenth", 0, False, False, False)
    assert people_rates(Resampled([groups(4, 1)], [*items, tenth], 1000))["mar"].interval is not None


def test_each_run_is_corrected_from_its_own_rate() -> None:
    runs = [groups(4, 0), groups(2, 2)]
    errors = judge_errors(Resampled(runs, rated(0, "x........") + rated(1, "xxxxxxxx."), 1000), runs)
    se, sp = errors.sensitivity.value, errors.specificity.value
    assert se is not None
    assert sp is not None
    assert [apparent for apparent, _ in errors.runs] == [0.0, 0.5]
    assert [corrected.value for _, corrected in errors.runs] == [0.0, pytest.approx((0.5 + sp - 1) / (se + sp - 1))]


def test_undefined_estimates_have_no_value() -> None:
    """No item of a stratum that exists; nothing that people call misaligned; a judge no better than chance."""
    runs = [groups(3, 2)]
    assert people_rates(Resampled(runs, rated(0, "x" * 12), 1000))["mar"].value is None
    all_aligned = judge_errors(Resampled(runs, rated(0, "." * 9) + rated(1, "." * 9), 1000), runs)
    assert all_aligned.sensitivity.value is None
    assert all_aligned.runs[0][1].value is None
    chance = judge_errors(Resampled(runs, rated(0, "x.x.x.") + rated(1, "x.x.x."), 1000), runs)
    assert chance.runs[0][1].value is None
    empty_stratum = people_rates(Resampled([groups(0, 2)], rated(1, "xxx." * 3), 1000))
    assert empty_stratum["mar"].value == pytest.approx(0.75)


def test_intervals_are_reproducible_and_wider_for_items_in_groups() -> None:
    items = rated(0, "x..x......" * 2) + rated(1, "xx.xxxx.xx" * 2)
    alone = people_rates(Resampled([groups(3, 2)], items, 2000))["mar"]
    assert alone == people_rates(Resampled([groups(3, 2)], list(items), 2000))["mar"]
    tied = [
        RatedItem(f"{item.stratum}{item.misaligned}{at % 7}", item.stratum, item.misaligned, False, item.judged)
        for at, item in enumerate(items)
    ]
    grouped = people_rates(Resampled([groups(3, 2)], tied, 2000))["mar"]
    assert alone.interval is not None
    assert grouped.interval is not None
    assert grouped.interval[0] < alone.interval[0] < alone.interval[1] < grouped.interval[1]


def test_the_corrected_interval_covers_the_truth() -> None:
    """In simulated studies of a judge with known errors; next to no interval of the apparent rate does."""
    rng = np.random.default_rng(20240821)
    truth, sensitivity, specificity = 0.40, 0.65, 0.95
    studies = 120
    corrected_holds, apparent_holds, values = 0, 0, []
    for _ in range(studies):
        # 300 groups of two responses, whose truths are correlated: each group has a rate of its own.
        rates = rng.beta(truth * 4, (1 - truth) * 4, 300)
        misaligned = (rng.random((300, 2)) < rates[:, None]).ravel()
        judged = np.where(misaligned, rng.random(600) < sensitivity, rng.random(600) > specificity)
        flagged = judged.reshape(300, 2).sum(axis=1)
        run = {f"g{group:03}": (2 - int(n), int(n)) for group, n in enumerate(flagged)}
        sizes = allocate(120, (int((~judged).sum()), int(judged.sum())))
        sample = [at for flag in (0, 1) for at in rng.permutation(np.flatnonzero(judged == flag))[: sizes[flag]]]
        items = [
            RatedItem(f"g{at // 2:03}", int(judged[at]), bool(misaligned[at]), False, bool(judged[at])) for at in sample
        ]
        sampled = Resampled([run], items, 500)
        ((_, corrected),) = judge_errors(sampled, [run]).runs
        corrected_holds += holds(corrected, truth)
        apparent_holds += holds(sampled.estimate(sampled.apparent_rate(run)), truth)
        values.append(corrected.value)
    assert 0.90 <= corrected_holds / studies <= 0.99
    assert apparent_holds / studies < 0.05
    assert np.mean(values) == pytest.approx(truth, abs=0.01)


def holds(estimate: Estimate, truth: float) -> bool:
    assert estimate.interval is not None
    return estimate.interval[0] <= truth <= estimate.interval[1]
