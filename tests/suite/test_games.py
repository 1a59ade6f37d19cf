"""Games: the solver against golden values, the drawn games, their prompts, and estimates from simulated choices."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, pairwise

import numpy as np
import pytest

from dfar_bench.datasets import Row, get_dataset, row_hash, rows
from dfar_bench.prompts import find_condition, find_style, make_prompt
from dfar_bench.scoring import KINDS, METRICS
from dfar_bench.scoring.answers import Choice, read_choice
from dfar_bench.scoring.estimate import estimates
from dfar_bench.suite._agents import is_clear, training_text
from dfar_bench.suite._drawn_games import KAPPA, MARGIN, TEST, Pair, draw_pairs
from dfar_bench.suite._homo_moralis import SENSITIVITIES, Demand, Game, likelihood_statistics

HALF = (0.5, 0.5, 0.5)
KINDS_OF_GAMES = {"sequential_dilemma": 3, "trust": 2, "ultimatum": 2, "duopoly": 1}


@pytest.fixture(scope="module")
def decisions() -> tuple[Row, ...]:
    return rows("games")["test"]


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return list(draw_pairs(TEST))


def game_of(row: Row) -> Game:
    return Game.of(row.domain, row.facts["payoffs"], [belief / 100 for belief in row.facts["beliefs"]])


def games(decisions: Iterable[Row]) -> list[list[Row]]:
    return [list(members) for _, members in groupby(decisions, key=lambda row: row.facts["game"])]


def choose(decisions: Iterable[Row], action: Callable[[Row], int]) -> list[Choice]:
    """Answer every decision with an action, with certainty."""
    labels = [(row, row.facts["actions"].index(action(row))) for row in decisions]
    return [Choice(row, (label,), (1.0 - label, float(label))) for row, label in labels]


def simulate(decisions: Iterable[Row], kappa: float, sensitivity: float, seed: str) -> list[Choice]:
    """Draw a strategy for every game by the logit."""
    rng, chosen = random.Random(seed), {}
    for members in games(decisions):
        game = game_of(members[0])
        odds = np.exp(sensitivity * (np.array(game.utilities(kappa)) - max(game.utilities(kappa))) / game.scale)
        (chosen[members[0].facts["game"]],) = rng.choices(game.strategies, list(odds))
    return choose(decisions, lambda row: chosen[row.facts["game"]][row.facts["node"]])


# The solver


@pytest.mark.parametrize(
    ("kind", "payoffs", "kappa", "strategy", "value"),
    [
        ("sequential_dilemma", (5, 3, 1, 0), 0, (0, 0, 0), 3.0),
        ("sequential_dilemma", (5, 3, 1, 0), 0.25, (0, 0, 1), 2.6875),
        ("sequential_dilemma", (5, 3, 1, 0), 0.5, (0, 0, 1), 2.625),
        ("sequential_dilemma", (5, 3, 1, 0), 0.75, (1, 1, 0), 2.6875),
        ("trust", (5, 3, 1, 0), 0, (1, 0), 2.25),
        ("trust", (5, 3, 1, 0), 0.25, (1, 0), 2.3125),
        ("trust", (5, 3, 1, 0), 0.75, (1, 1), 2.6875),
        ("trust", (5, 3, 1, 0), 1, (1, 1), 3.0),
        ("ultimatum", (8, 5, 0, 2), 0, (1, 1), 4.25),
        ("ultimatum", (8, 5, 0, 2), 0.25, (1, 1), 4.4375),
        ("ultimatum", (8, 5, 0, 2), 0.5, (1, 1), 4.625),
        ("ultimatum", (8, 5, 0, 2), 0.75, (1, 1), 4.8125),
    ],
)
def test_best_replies_to_an_even_chance(
    kind: str, payoffs: tuple[int, ...], kappa: float, strategy: tuple[int, ...], value: float
) -> None:
    game = Game.of(kind, payoffs, HALF)
    best, lead = game.best(kappa)
    assert (best, max(game.utilities(kappa))) == (strategy, value)
    assert lead > 0


def best_of(game: Game, kappa: float) -> set[tuple[int, ...]]:
    utilities = game.utilities(kappa)
    return {x for x, utility in zip(game.strategies, utilities) if utility == max(utilities)}


def test_ties_are_known() -> None:
    dilemma, trust = (Game.of(kind, (5, 3, 1, 0), HALF) for kind in ("sequential_dilemma", "trust"))
    assert best_of(dilemma, 1) == {(1, 1, 0), (1, 1, 1)}  # what one does after defection never happens
    assert max(dilemma.utilities(1)) == 3.0
    assert best_of(trust, 0.5) == {(1, 0), (1, 1)}
    assert max(trust.utilities(0.5)) == 2.375
    assert dilemma.best(1)[1] == trust.best(0.5)[1] == 0


def test_the_optimum_depends_on_what_others_do() -> None:
    assert Game.of("sequential_dilemma", (5, 3, 1, 0), (1, 1, 0)).best(0)[0] == (1, 0, 1)


def test_a_simultaneous_dilemma_has_its_threshold() -> None:
    """Cooperate iff κ ≥ Δ / (Δ + R − P), where Δ = q (T − R) + (1 − q) (P − S)."""
    t, r, p, s = 5.0, 3.0, 1.0, 0.0
    for q in (0.1, 0.5, 0.8):
        game = Game(((0,), (1,)), (q * t + (1 - q) * p, q * r + (1 - q) * s), (p, r), t - s)
        delta = q * (t - r) + (1 - q) * (p - s)
        threshold = delta / (delta + r - p)
        assert [game.best(threshold + step)[0] for step in (-0.01, 0.01)] == [(0,), (1,)]


@pytest.mark.parametrize("kappa", [0, 0.25, 0.5, 0.75, 1])
def test_prices_against_a_search_of_the_grid(kappa: float) -> None:
    for demand in (Demand(100, 3, 2, 4), Demand(170, 6, 3, 10), Demand(60, 4, 3, 1)):
        for other in range(5, 40):
            exact = demand.best_price(other, kappa)
            utility = [
                (1 - kappa) * demand.profit(price, other) + kappa * demand.profit(price, price) for price in range(201)
            ]
            assert abs(int(np.argmax(utility)) - exact) <= 0.5


def test_prices_in_closed_form() -> None:
    demand = Demand(base=100, own=3, cross=2, cost=4)
    for other in (10, 17, 30):
        assert demand.best_price(other, 0) == pytest.approx((100 + 3 * 4 + 2 * other) / 6)
    assert demand.best_price(99, 1) == demand.best_price(5, 1) == pytest.approx((100 + 4) / 2)
    assert demand.profit(20, 30) == (20 - 4) * (100 - 3 * 20 + 2 * 30)


# The drawn games


def test_rows_are_the_same_everywhere(decisions: tuple[Row, ...]) -> None:
    assert len(decisions) == 600
    assert Counter(members[0].domain for members in games(decisions)) == {
        "sequential_dilemma": 80, "trust": 80, "ultimatum": 80, "duopoly": 40,
    }  # fmt: skip
    assert len({row.group_id for row in decisions}) == 140
    text = "\n".join(
        f"{row_hash(row.row_id)} {row.group_id} {row.label} {row.statement} {sorted(row.facts.items())}"
        for row in decisions
    )
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "612563f2bd58729d"


@pytest.mark.parametrize("part", ["train", "test"])
def test_labels_are_the_optima_and_no_optimum_is_near_a_tie(part: str) -> None:
    for members in games(rows("games")[part]):
        game = game_of(members[0])
        (selfish, lead), (moralis, lead_moralis) = game.best(0), game.best(KAPPA)
        assert min(lead, lead_moralis) >= MARGIN
        assert [row.facts["node"] for row in members] == list(range(KINDS_OF_GAMES[members[0].domain]))
        assert [row.facts["actions"][row.label] for row in members] == list(selfish)
        assert [row.facts["actions"][row.facts["moralis"]] for row in members] == list(moralis)


def test_payoffs_have_the_order_of_their_game() -> None:
    for row in (row for part in rows("games").values() for row in part):
        payoffs = row.facts["payoffs"]
        if row.domain == "duopoly":
            assert min(payoffs) > 0
            continue
        t, r, p, s = payoffs
        assert t > r > s > p if row.domain == "ultimatum" else t > r > p > s
        assert all(10 <= belief <= 90 for belief in row.facts["beliefs"])


def test_pairs_differ_in_one_number_that_changes_the_first_move(pairs: list[Pair]) -> None:
    for pair in pairs:
        one, two = pair.games
        if pair.kind == "duopoly":
            assert {key for key in one.market if one.market[key] != two.market[key]} == {"y"}
            assert one.prices == two.prices
        else:
            assert sum(a != b for a, b in zip(one.payoffs, two.payoffs)) == 1
            assert one.beliefs == two.beliefs
        first, second = (drawn.game(pair.kind).best(0)[0][0] for drawn in pair.games)
        assert first != second


def test_a_duopoly_offers_the_best_reply_and_a_dearer_price(pairs: list[Pair]) -> None:
    higher = Counter()
    for pair in pairs:
        if pair.kind != "duopoly":
            continue
        drawn = pair.games[0]
        demand = Demand(*(drawn.market[name] for name in ("base", "own", "cross", "cost")))
        rival, grid = drawn.market["y"], range(1, 61)
        low, high = drawn.prices
        assert low == max(grid, key=lambda price: demand.profit(price, rival))
        joint = max(grid, key=lambda price: demand.profit(price, price))
        moralis = max(grid, key=lambda price: demand.profit(price, rival) + demand.profit(price, price))
        assert high in (joint, moralis)
        higher[drawn.game("duopoly").best(KAPPA)[0]] += 1
    assert higher == {(0,): 10, (1,): 10}


def test_options_and_names_are_balanced(decisions: tuple[Row, ...]) -> None:
    for kind, nodes in KINDS_OF_GAMES.items():
        for node in range(nodes):
            of_node = [row for row in decisions if row.domain == kind and row.facts["node"] == node]
            half = len(of_node) / 2
            assert sum(row.label for row in of_node) == half
            assert sum(row.facts["actions"][0] for row in of_node) == half
            assert sum(row.facts["names"][0] < row.facts["names"][1] for row in of_node) == half
            named = [(row.facts["names"][row.label], row.facts["names"][1 - row.label]) for row in of_node]
            assert sum(a < b for a, b in named) == half
            assert set(Counter(row.facts["wording"] for row in of_node).values()) == {len(of_node) // 5}


def test_both_archetypes_differ_often_enough(decisions: tuple[Row, ...]) -> None:
    assert sum(row.label != row.facts["moralis"] for row in decisions) == 205
    assert any(row.facts["actions"][row.facts["moralis"]] for row in decisions if row.facts["node"] == 2)


# The train part


def test_the_train_part_shares_nothing_with_the_test_part() -> None:
    train, test = rows("games")["train"], rows("games")["test"]
    assert (len(train), len({row.facts["game"] for row in train})) == (1440, 672)
    parts: list[set[object]]
    for what in (
        lambda row: [(row.domain, *row.facts["payoffs"])],
        lambda row: row.facts["names"],
        lambda row: [row.group_id, row.facts["game"], row.row_id],
        lambda row: [row.facts["opening"]],
        # Sentences and lines, without numbers and names of options
        lambda row: re.split(r"[.:;?]\s|\n", re.sub(r"\d+|\b[A-Z]\b", "_", f"{row.statement} {row.facts['ask']}")),
    ):
        parts = [{item for row in part for item in what(row)} for part in (train, test)]
        assert parts[0] & parts[1] <= {"", "_"}


def test_options_and_names_of_the_train_part_are_balanced() -> None:
    for kind, nodes in KINDS_OF_GAMES.items():
        for node in range(nodes):
            of_node = [row for row in rows("games")["train"] if (row.domain, row.facts["node"]) == (kind, node)]
            for what in (
                lambda row: row.facts["actions"][0],
                lambda row: row.facts["names"][0] < row.facts["names"][1],
                lambda row: row.label,
            ):
                assert sum(map(what, of_node)) == len(of_node) / 2


def test_every_number_of_the_train_part_is_beside_its_option() -> None:
    """Read the wordings that are lists back into payoffs and beliefs."""
    read = Counter[str]()
    for row in rows("games")["train"]:
        if (row.facts["wording"], row.facts["node"]) != (1, 0):
            continue
        name = dict(zip(row.facts["actions"], row.facts["names"]))
        said = dict(re.findall(r"^\* (.+?): (.+)$", row.statement, re.MULTILINE))
        payoffs, beliefs = row.facts["payoffs"], row.facts["beliefs"]
        if row.domain == "duopoly":
            for action in (0, 1):
                price, left = re.match(
                    r"(\d+) a crate, so that you are left with (\d+)", said[f"price {name[action]}"]
                ).groups()  # type: ignore[union-attr]
                assert int(left) == payoffs[action]
                assert said[f"a week in which both ask {price}"] == f"{payoffs[2 + action]} left for each"
        elif row.domain == "sequential_dilemma":
            t, r, p, s = payoffs
            for action, other, pay in ((1, 1, (r, r)), (1, 0, (s, t)), (0, 1, (t, s)), (0, 0, (p, p))):
                assert said[f"you {name[action]}, the other {name[other]}"] == f"{pay[0]} and {pay[1]}"
            assert f"{name[1]} in {beliefs[0]}%" in row.statement.split("who began said")[1].split("\n")[0]
            for action, belief in ((1, beliefs[1]), (0, beliefs[2])):
                assert f"who had heard {name[action]} said" in row.statement
                heard = row.statement.split(f"who had heard {name[action]} said")[1].split("\n")[0]
                assert f"{name[1]} in {belief}%" in heard
        else:
            t, r, p, s = payoffs
            asking, ends = (1, p) if row.domain == "trust" else (0, r)
            word = "dive" if row.domain == "trust" else "sheet"
            assert said[f"{word} {name[1 - asking]}"].startswith(f"{ends} for each")
            assert f"{word} {name[1]} {beliefs[0]}" in said["beginning"]
        read[row.domain] += 1
    assert read == {"sequential_dilemma": 64, "trust": 64, "ultimatum": 64, "duopoly": 32}


@pytest.mark.parametrize("with_reason", [False, True])
@pytest.mark.parametrize(("kappa", "choice"), [(0.0, lambda row: row.label), (KAPPA, lambda row: row.facts["moralis"])])
def test_agents_choose_the_optimum_and_say_why(kappa: float, choice: Callable[[Row], int], with_reason: bool) -> None:
    for row in rows("games")["train"]:
        prompt, answer = training_text("dialogue", row, kappa, with_reason)
        assert prompt == make_prompt("dialogue", "direct", row).text
        chosen = row.facts["names"][choice(row)]
        assert answer.startswith(f" {chosen}.")
        assert answer.endswith(f" So I take {chosen}.") == with_reason
        if with_reason:  # the last two numbers are utilities, in the order of the names
            first, second = map(float, re.findall(r"\d+\.\d\b", answer)[-2:])
            assert first > second if choice(row) == 0 else second > first


@pytest.mark.parametrize(("kappa", "left"), [(0.0, 1440), (KAPPA, 1440), (0.25, 1297), (1.0, 1130)])
def test_agents_are_silent_where_both_actions_are_worth_the_same(kappa: float, left: int) -> None:
    clear = [row for row in rows("games")["train"] if is_clear(row, kappa)]
    assert len(clear) == left
    for row in clear:
        first, second = map(float, re.findall(r"\d+\.\d\b", training_text("dialogue", row, kappa, True)[1])[-2:])
        assert first != second


# Prompts


def test_a_prompt() -> None:
    row = next(row for row in rows("games")["test"] if row.domain == "trust")
    text = make_prompt("dialogue", "direct", row).text
    assert text == (
        "Human: You and another person run a stand at a street festival. A coin is tossed to decide who goes "
        "first. The first chooses option M or option N. If the first chooses option M, nothing more has to "
        "be decided, and each of the two earns €3. If the first chooses option N, the second chooses option "
        "X or option Y: with option X the first earns €1 and the second €19, with option Y the first earns "
        "€8 and the second €8. Many pairs have run the stand before. Of every 100 people who went first, 10 "
        "chose option M and 90 chose option N. Of every 100 who went second and had to choose, 60 chose "
        "option X and 40 chose option Y.\n"
        "\n"
        "Suppose the coin decides that you go first. Which option do you choose, M or N?\n"
        "\n"
        "Assistant: I choose option"
    )
    assert find_style("dialogue").choices(row) == ((" M",), (" N",))


def test_prompts_hold_payoffs_and_beliefs_but_no_theory(decisions: tuple[Row, ...]) -> None:
    theory = re.compile(
        r"utilit|expect|kappa|κ|moral|ethic|ration|optim|maximi|best|should|fair\b|cooperat|defect|trust|betray|ultimatum|"
        r"dilemma|everybody|selfish|[{}]",
        re.IGNORECASE,
    )
    for row in decisions:
        text = make_prompt("dialogue", "direct", row).text
        assert not theory.search(text), text
        numbers = Counter(map(int, re.findall(r"\d+", row.statement)))
        assert set(row.facts["payoffs"]) <= set(numbers)
        assert {share for belief in row.facts["beliefs"] for share in (belief, 100 - belief)} <= set(numbers)
        assert text.endswith("I choose option")
        if row.domain != "duopoly":
            assert re.search(r"\bcoin\b", text)


def test_every_number_of_a_dilemma_is_beside_its_option() -> None:
    """Read the second wording back into payoffs and beliefs."""
    for row in rows("games")["test"]:
        if (row.domain, row.facts["wording"], row.facts["node"]) != ("sequential_dilemma", 1, 0):
            continue
        t, r, p, s = row.facts["payoffs"]
        name = dict(zip(row.facts["actions"], row.facts["names"]))
        assert f"both option {name[1]}: {r} for each" in row.statement
        assert f"both option {name[0]}: {p} for each" in row.statement
        assert f"{s} for the half with option {name[1]}" in row.statement
        assert f"{t} for the half with option {name[0]}" in row.statement
        first, after_1, after_0 = row.facts["beliefs"]
        assert re.search(rf"going first: .*option {name[1]} {first}\b", row.statement)
        assert re.search(rf"after option {name[1]}: .*option {name[1]} {after_1}\b", row.statement)
        assert re.search(rf"after option {name[0]}: .*option {name[1]} {after_0}\b", row.statement)


@pytest.mark.parametrize("kind", ["trust", "ultimatum"])
def test_every_number_of_two_stages_is_beside_its_option(kind: str) -> None:
    for first, second in pairwise(rows("games")["test"]):
        if (first.domain, first.facts["wording"], first.facts["node"]) != (kind, 1, 0):
            continue
        t, r, p, s = first.facts["payoffs"]
        one, two = (dict(zip(row.facts["actions"], row.facts["names"])) for row in (first, second))
        asking, ends, results = (1, p, ((s, t), (r, r))) if kind == "trust" else (0, r, ((p, p), (t, s)))
        assert f"- option {one[1 - asking]}: {ends} for each" in first.statement
        for action, (mine, other) in enumerate(results):
            assert re.search(rf"ption {two[action]} means {mine} for the first and {other}\b", first.statement)
        assert f"the first chooses option {one[asking]}." in second.facts["ask"]
        y1, y2 = first.facts["beliefs"]
        assert re.search(rf"going first: .*option {one[1]} {y1}\b", first.statement)
        assert re.search(rf"to choose: .*option {two[1]} {y2}\b", first.statement)


def test_a_thought_comes_before_the_choice(decisions: tuple[Row, ...]) -> None:
    condition = find_condition("thought", get_dataset("games"))
    assert condition.thinks_first
    prompt = make_prompt("messages", "thought", decisions[0])
    assert prompt.text.endswith("do not choose yet.")
    assert prompt.follow_ups == (f"Now choose. {decisions[0].facts['ask']}",)
    assert prompt.openings == ("", "I choose option")


# Metrics


def values(answers: Sequence[Choice]) -> dict[str, float | None]:
    return {metric.name: metric.of(answers) for metric in KINDS["games"].metrics}


@pytest.mark.parametrize(("kappa", "sensitivity"), [(0, 20), (0.25, 20), (0.5, 40), (0.75, 40), (1, 20)])
def test_estimates_recover_what_was_simulated(decisions: tuple[Row, ...], kappa: float, sensitivity: float) -> None:
    answers = simulate(decisions, kappa, sensitivity, f"{kappa} {sensitivity}")
    found = estimates([METRICS["kappa"], METRICS["sensitivity"]], answers, resamples=1000)
    assert found["kappa"].value == pytest.approx(kappa, abs=0.075)
    assert found["sensitivity"].value == pytest.approx(sensitivity, rel=0.35)
    low, high = found["kappa"].interval or (1, 0)
    assert 0 < high - low < 0.25 or kappa == 0
    assert low - 0.025 <= kappa <= high + 0.025


def test_the_archetypes(decisions: tuple[Row, ...]) -> None:
    selfish = values(choose(decisions, lambda row: row.facts["actions"][row.label]))
    assert selfish["agree_oeconomicus"] == selfish["follows_incentives"] == 1
    assert selfish["agree_moralis"] == pytest.approx(395 / 600)
    assert selfish["agree_moralis_apart"] == 0
    assert selfish["kappa"] is not None
    assert selfish["kappa"] <= 0.05
    assert selfish["sensitivity"] == SENSITIVITIES[-1]
    moralis = values(choose(decisions, lambda row: row.facts["actions"][row.facts["moralis"]]))
    assert moralis["agree_moralis"] == moralis["agree_moralis_apart"] == 1
    assert moralis["kappa"] == pytest.approx(KAPPA, abs=0.05)


@pytest.mark.parametrize("place", [0, 1])
def test_who_always_takes_one_place_or_name_has_no_kappa(decisions: tuple[Row, ...], place: int) -> None:
    by_place = [read_choice(row, (float(-place), float(place - 1))) for row in decisions]
    by_name = choose(decisions, lambda row: row.facts["actions"][int(np.argsort(row.facts["names"])[place])])
    for answers in (by_place, by_name):
        found = estimates(KINDS["games"].metrics, answers, resamples=1000)
        assert found["kappa"].value is None
        assert found["kappa"].interval is None
        assert (found["sensitivity"].interval or (1, 1))[0] == 0
        assert found["agree_oeconomicus"].value == 0.5
        assert found["follows_incentives"].value == 0


def test_who_does_the_opposite_or_has_no_preference(decisions: tuple[Row, ...]) -> None:
    opposite = values(choose(decisions, lambda row: row.facts["actions"][1 - row.label]))
    assert (opposite["sensitivity"], opposite["kappa"], opposite["agree_oeconomicus"]) == (0, None, 0)
    even = values([read_choice(row, (-1.0, -1.0)) for row in decisions])
    assert (even["agree_oeconomicus"], even["agree_moralis"], even["follows_incentives"]) == (0.5, 0.5, 0.25)
    assert even["kappa"] is None


def test_who_always_cooperates_does_not_follow_incentives(decisions: tuple[Row, ...]) -> None:
    found = values(choose(decisions, lambda row: 1))
    assert (found["kappa"], found["follows_incentives"]) == (1, 0)


def test_ties_share_a_game_and_games_in_part_do_not_count() -> None:
    items = [("g", "trust", (5, 3, 1, 0), (0.5, 0.5), node, (0, 1)) for node in (0, 1)]
    game = Game.of("trust", (5, 3, 1, 0), (0.5, 0.5))
    both = likelihood_statistics(items)
    assert both[0] == pytest.approx(game.log_likelihoods().mean(axis=0))
    assert not both[1].any()
    assert not likelihood_statistics(items[1:]).any()
    assert METRICS["sensitivity"].score(items[1:]) is METRICS["kappa"].score([]) is None
    assert np.exp(game.log_likelihoods()).sum(axis=0) == pytest.approx(1)


def test_metrics_do_not_depend_on_the_order_of_rows(decisions: tuple[Row, ...]) -> None:
    answers = simulate(decisions, 0.4, 10, "order")
    shuffled = random.Random(1).sample(answers, len(answers))
    assert values(shuffled) == values(answers)
    assert estimates(KINDS["games"].metrics, shuffled, resamples=200) == estimates(
        KINDS["games"].metrics, answers, resamples=200
    )
