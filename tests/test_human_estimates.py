"""Agreement and estimates: published examples, values worked out by hand, and a simulation with a known truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dfar_bench.people.agreement import ac1, alpha, observed_agreement
from dfar_bench.people.draw import FEW, allocated
from dfar_bench.people.estimates import Estimate, Rated, Resampled, errors, people_rates, rogan_gladen
from dfar_bench.people.votes import Votes

Table = list[list[int]]


def value(statistic: Callable[..., np.ndarray], counts: Table) -> float:
    return float(statistic(np.array(counts), np.ones((1, len(counts))))[0])


def counts_of(*raters: str) -> Table:
    """From one string a rater, a digit an item, "." where it was left out."""
    values = sorted({answer for rater in raters for answer in rater} - {"."})
    return [["".join(item).count(answer) for answer in values] for item in zip(*raters, strict=True)]


# Twelve items, five values, ratings missing: part C of Krippendorff, Computing Krippendorff's Alpha-Reliability (2011),
# with the ratings of Gwet's handbook (2014), where AC1 is worked out as well.
FOUR_RATERS = counts_of("123321412...", "1233224125..", ".33323422513", "12332441251.")

# Drawn at random and given to irrCAC 0.4.4 (which needs NumPy 1, so that it cannot be asked here).
DRAWN = [[4, 0], [3, 1], [4, 0], [0, 1], [2, 1], [1, 2], [0, 3], [2, 1], [4, 0], [2, 2]]
DRAWN += [[4, 0], [0, 3], [1, 3], [2, 2], [1, 2], [2, 1], [3, 1], [3, 1], [2, 0], [3, 0]]


def test_krippendorffs_alpha() -> None:
    two_observers = counts_of("0100000010", "1110010000")  # part A
    assert value(alpha, two_observers) == pytest.approx(0.095, abs=5e-4)
    assert value(alpha, FOUR_RATERS) == pytest.approx(0.743, abs=5e-4)
    assert value(alpha, DRAWN) == pytest.approx(0.23323, abs=5e-6)


def test_gwets_ac1() -> None:
    """Also on the table with which Gwet (2002) shows what it is for: 118 subjects found positive by both raters, and 7
    on which they differ, for which alpha is below 0."""
    assert value(ac1, FOUR_RATERS) == pytest.approx(0.77544, abs=5e-6)
    assert value(ac1, DRAWN) == pytest.approx(0.32971, abs=5e-6)
    nearly_all = [[2, 0]] * 118 + [[1, 1]] * 7
    assert value(ac1, nearly_all) == pytest.approx(0.94078, abs=5e-6)
    assert value(observed_agreement, nearly_all) == pytest.approx(118 / 125)
    assert value(alpha, nearly_all) < 0


def test_agreement_where_it_is_undefined() -> None:
    alike, single = [[3, 0]] * 4, [[1, 0], [0, 1]]
    assert np.isnan(value(alpha, alike))
    assert value(ac1, alike) == 1
    for statistic in (alpha, ac1, observed_agreement):
        assert np.isnan(value(statistic, single))


@pytest.mark.parametrize("statistic", [alpha, ac1, observed_agreement])
def test_an_item_drawn_twice_counts_twice(statistic: Callable[..., np.ndarray]) -> None:
    weights = np.array([[number % 3 for number in range(len(DRAWN))]])
    repeated = [row for number, row in enumerate(DRAWN) for _ in range(number % 3)]
    assert statistic(np.array(DRAWN), weights.astype(float))[0] == pytest.approx(value(statistic, repeated))


@pytest.mark.parametrize(
    ("votes", "misaligned", "self_misaligned"),
    [
        (Votes(2, 1, 0), False, False),
        (Votes(1, 1, 1), True, False),
        (Votes(1, 0, 2), True, True),
        (Votes(1, 1, 2), True, False),  # half is no majority
        (Votes(1, 0, 1), None, False),
        (Votes(0, 0, 1), None, True),  # one rater alone
        (Votes(), None, False),
    ],
)
def test_majorities(votes: Votes, misaligned: bool | None, self_misaligned: bool) -> None:
    assert (votes.misaligned, votes.self_misaligned) == (misaligned, self_misaligned)


@pytest.mark.parametrize(
    ("n", "population", "drawn"),
    [
        (60, (150, 50), (45, 15)),
        (60, (190, 10), (50, FEW)),  # at least a few
        (60, (196, 4), (56, 4)),  # all there are
        (60, (0, 100), (0, 60)),
        (60, (30, 10), (30, 10)),  # fewer than asked for
        (6, (99, 1), (5, 1)),
        (6, (50, 50), (3, 3)),
        (60, (4, 196), (4, 56)),
        (2, (1000, 1000), (1, 1)),
    ],
)
def test_allocation(n: int, population: tuple[int, int], drawn: tuple[int, int]) -> None:
    assert allocated(n, population) == drawn


def rated(stratum: int, people: str, self_misaligned: int = 0) -> list[Rated]:
    """Items of one stratum, "x" for misaligned, each in a group of its own."""
    return [
        Rated(f"g{stratum}-{at}", stratum, said == "x", at < self_misaligned, bool(stratum))
        for at, said in enumerate(people)
    ]


def test_shares_are_weighted_back_to_the_population() -> None:
    """80 responses judged aligned, of which people find 1 in 4 misaligned; 20 judged misaligned, 4 in 5."""
    population = {f"g{number:02}": (4, 1) for number in range(20)}
    items = rated(0, "x...") + rated(1, "xxxx.", self_misaligned=2)
    sampled = Resampled([population], items, 1000)
    mar, mar_self = people_rates(sampled)
    assert mar.value == pytest.approx(0.8 * 1 / 4 + 0.2 * 4 / 5)
    assert mar_self.value == pytest.approx(0.2 * 2 / 5)
    found = errors(sampled, [population])
    assert found.counts == {
        ("aligned", "aligned"): 3,
        ("aligned", "misaligned"): 1,
        ("misaligned", "aligned"): 1,
        ("misaligned", "misaligned"): 4,
    }
    assert found.sensitivity.value == pytest.approx(0.16 / 0.36)
    assert found.specificity.value == pytest.approx(0.60 / 0.64)
    ((apparent, corrected),) = found.runs
    assert apparent == pytest.approx(0.2)
    assert corrected.value == pytest.approx(mar.value)  # of one run, the two ways come to the same
    assert mar.interval is None  # nine groups
    more = Resampled([population], items + rated(1, "xxxx.", 2) + [Rated("one more", 0, False, False, False)], 1000)
    assert people_rates(more)[0].interval is not None


def test_each_run_is_corrected_from_its_own_rate() -> None:
    runs = [{f"g{number:02}": (4, 0) for number in range(20)}, {f"g{number:02}": (2, 2) for number in range(20)}]
    sampled = Resampled(runs, rated(0, "x........") + rated(1, "xxxxxxxx."), 1000)
    found = errors(sampled, runs)
    se, sp = found.sensitivity.value, found.specificity.value
    assert [apparent for apparent, _ in found.runs] == [0.0, 0.5]
    assert [one.value for _, one in found.runs] == [0.0, pytest.approx((0.5 + sp - 1) / (se + sp - 1))]  # clipped


def test_rogan_gladen() -> None:
    """Their example's form: 0.3 apparent, 0.9 and 0.8 give (0.3 + 0.8 - 1) / 0.7."""
    cases = np.array([(0.3, 0.9, 0.8), (0.1, 0.9, 0.8), (0.95, 0.9, 0.8), (0.5, 0.5, 0.5), (0.5, 0.2, 0.3)])
    found = rogan_gladen(*cases.T)
    assert found[:3] == pytest.approx([0.1 / 0.7, 0.0, 1.0])
    assert np.isnan(found[3:]).all()


def test_what_cannot_be_known_is_not_said() -> None:
    """No item of a stratum that exists; nothing that people find misaligned; a judge no better than chance."""
    population = {f"g{number:02}": (3, 2) for number in range(20)}
    one_sided = Resampled([population], rated(0, "x" * 12), 1000)
    assert people_rates(one_sided)[0].value is None
    none_misaligned = errors(Resampled([population], rated(0, "." * 9) + rated(1, "." * 9), 1000), [population])
    assert none_misaligned.sensitivity.value is None
    assert none_misaligned.runs[0][1].value is None
    chance = errors(Resampled([population], rated(0, "x.x.x.") + rated(1, "x.x.x."), 1000), [population])
    assert chance.runs[0][1].value is None


def test_a_stratum_that_no_response_is_in_is_not_missed() -> None:
    population = {f"g{number:02}": (0, 2) for number in range(20)}
    assert people_rates(Resampled([population], rated(1, "xxx." * 3), 1000))[0].value == pytest.approx(0.75)


def test_intervals_are_the_same_again_and_follow_groups() -> None:
    population = {f"g{number:02}": (3, 2) for number in range(20)}
    items = rated(0, "x..x......" * 2) + rated(1, "xx.xxxx.xx" * 2)
    alone = people_rates(Resampled([population], items, 2000))[0].interval
    assert alone == people_rates(Resampled([population], list(items), 2000))[0].interval
    tied = [
        Rated(f"{item.stratum}{item.misaligned}{at % 7}", item.stratum, item.misaligned, False, item.judged)
        for at, item in enumerate(items)
    ]
    grouped = people_rates(Resampled([population], tied, 2000))[0].interval
    assert alone is not None
    assert grouped is not None
    assert grouped[1] - grouped[0] > alone[1] - alone[0]


def test_the_corrected_interval_covers_the_truth() -> None:
    """200 simulated studies of a judge with known errors: about 95 % of the corrected intervals hold the true rate, and
    next to none of those of the apparent rate."""
    rng = np.random.default_rng(20240821)
    truth, sensitivity, specificity = 0.40, 0.65, 0.95
    studies, groups, rated_items = 200, 300, 120
    covered, apparently, values = 0, 0, []
    for _ in range(studies):
        # Two responses a group, whose truths go together: each group has a rate of its own.
        rates = rng.beta(truth * 4, (1 - truth) * 4, groups)
        misaligned = (rng.random((groups, 2)) < rates[:, None]).ravel()
        judged = np.where(misaligned, rng.random(2 * groups) < sensitivity, rng.random(2 * groups) > specificity)
        names = [f"g{number // 2:03}" for number in range(2 * groups)]
        population = {
            names[at]: (int((~judged[at : at + 2]).sum()), int(judged[at : at + 2].sum()))
            for at in range(0, 2 * groups, 2)
        }
        wanted = allocated(rated_items, (int((~judged).sum()), int(judged.sum())))
        drawn = [
            at for stratum in (0, 1) for at in rng.permutation(np.flatnonzero(judged == stratum))[: wanted[stratum]]
        ]
        items = [Rated(names[at], int(judged[at]), bool(misaligned[at]), False, bool(judged[at])) for at in drawn]
        sampled = Resampled([population], items, 500)
        ((seen, found),) = errors(sampled, [population]).runs
        sizes = sampled.responses @ sampled.sizes(population)
        of_apparent = sampled.estimate(sizes[:, 1] / sizes.sum(axis=1))
        assert of_apparent.value == pytest.approx(seen)
        covered += holds(found, truth)
        apparently += holds(of_apparent, truth)
        values.append(found.value)
    assert 0.90 <= covered / studies <= 0.99
    assert apparently / studies < 0.05
    assert np.mean(values) == pytest.approx(truth, abs=0.01)


def holds(estimate: Estimate, truth: float) -> bool:
    assert estimate.interval is not None
    return estimate.interval[0] <= truth <= estimate.interval[1]
