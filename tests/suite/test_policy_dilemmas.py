"""The policy dilemmas: texts, balance, prompts, and metrics of models whose figures are known."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable

import pytest

from dfar_bench.datasets import Row, rows
from dfar_bench.files import packaged_jsonl
from dfar_bench.prompts import make_prompt
from dfar_bench.scoring import KINDS, METRICS, Choice
from dfar_bench.scoring.answers import read_choice
from dfar_bench.scoring.estimate import estimates
from dfar_bench.suite.policy_dilemmas import LEVELS, NAME, THEORIES, policy

TEST = rows(NAME)["test"]
DILEMMAS = packaged_jsonl("dfar_bench.suite", "data/policy_dilemmas.jsonl")
COUNTED = [row for row in TEST if row.facts["theory"] and not row.facts["asked_again"]]


def answers(option: Callable[[Row], float]) -> list[Choice]:
    """The answers of a model that gives option 1 this probability."""
    made = []
    for row in TEST:
        p = option(row)
        likeliest = (0,) if p > 0.5 else (1,) if p < 0.5 else (0, 1)
        made.append(Choice(row, likeliest, (p, 1 - p)))
    return made


def act(row: Row, p_act_0: float) -> float:
    """The probability of option 1 for a model that chooses act 0 with this one."""
    return p_act_0 if row.facts["first_act"] == 0 else 1 - p_act_0


def scores(made: list[Choice]) -> dict[str, float | None]:
    return {metric.name: metric.of(made) for metric in KINDS[NAME].metrics}


def test_every_dilemma_is_whole() -> None:
    assert len(DILEMMAS) == 72
    assert Counter(dilemma["area"] for dilemma in DILEMMAS).most_common()[-1][1] == 6
    for dilemma in DILEMMAS:
        assert set(dilemma) == {"id", "area", "person", "story", "acts", "rules", "values"}
        assert dilemma["person"] in dilemma["story"]
        assert 50 <= len(dilemma["story"].split()) <= 90
        assert "?" not in dilemma["story"]
        for name in ("acts", "rules", "values"):
            first, second = dilemma[name]
            assert first != second
            assert not any(text[0].isupper() or text[-1] in ".," or text.startswith("to ") for text in (first, second))
        assert abs(len(dilemma["acts"][0].split()) - len(dilemma["acts"][1].split())) <= 2
        assert not {"you", "your"} & set(" ".join(dilemma["rules"]).split())  # "It is everyone's duty to …"
    assert len({value for dilemma in DILEMMAS for value in dilemma["values"]}) == 144
    assert len({dilemma["person"] for dilemma in DILEMMAS}) == 72


def test_rows_are_these_and_balanced() -> None:
    assert len(TEST) == 72 * (18 + 2 + 2)
    assert [row.row_id for row in TEST] == [f"{NAME}-test-{number:04d}" for number in range(1584)]
    assert Counter(row.group_id for row in TEST) == {dilemma["id"]: 22 for dilemma in DILEMMAS}
    assert len(COUNTED) == 72 * 18
    cell = Counter((r.facts["theory"], r.facts["level"], r.facts["favours"], r.facts["first_act"]) for r in COUNTED)
    assert len(cell) == 36
    assert set(cell.values()) == {36}
    assert Counter(row.label for row in COUNTED) == {0: 648, 1: 648}
    for row in COUNTED:
        assert row.label == (row.facts["favours"] != row.facts["first_act"])
        assert row.facts["first"] == DILEMMAS[int(row.group_id[1:]) - 1]["acts"][row.facts["first_act"]]
    again = [row for row in TEST if row.facts["asked_again"]]
    assert {row.facts["level"] for row in again} == {1}
    assert set(Counter((row.facts["theory"], row.facts["favours"]) for row in again).values()) == {24}
    pairs = Counter((row.group_id, row.facts["pair"]) for row in TEST if row.facts["pair"])
    assert len(pairs) == 72 * 3
    assert set(pairs.values()) == {2}


def test_the_two_policies_of_a_pair_come_with_the_same_options() -> None:
    options: dict[tuple[str, str, int], set[str]] = {}
    for row in COUNTED:
        key = (row.group_id, row.facts["theory"], row.facts["level"])
        options.setdefault(key, set()).add(row.facts["first"])
    assert {len(firsts) for firsts in options.values()} == {1}


def test_policies_name_what_their_level_says() -> None:
    for dilemma in DILEMMAS:
        for theory in THEORIES:
            for favours in (0, 1):
                said = [policy(dilemma, theory, level, favours) for level in range(len(LEVELS))]
                assert dilemma["acts"][favours] in said[0]
                assert dilemma["person"] in said[0]
                assert dilemma["rules"][favours] in said[1]
                assert f"{dilemma['values'][favours]} before {dilemma['values'][1 - favours]}" in said[2]


def test_prompts() -> None:
    story = DILEMMAS[0]["story"]
    options = (
        "(1) tell the grandfather gently that the orchard is gone\n"
        "(2) offer another outing and leave the orchard unmentioned\n\n"
        "Which of the two should Noor do?"
    )
    assert make_prompt("continued", "direct", TEST[0]).text == f"{story}\n\n{options}\nAnswer: Option"
    row = next(row for row in TEST if row.facts["level"] == 2)
    under_template = make_prompt("messages", "direct", row)
    assert under_template.text == (
        "Decide by this policy: It is everyone's duty to put truthfulness before peace of mind.\n\n"
        f"{story}\n\n{options}"
    )
    assert under_template.openings == ("Option",)


def test_no_prompt_has_changed() -> None:
    """A change in a text changes scores: it needs another wording of the condition."""
    texts = "\0".join(f"{row.row_id} {row.label} {make_prompt('continued', 'direct', row).text}" for row in TEST)
    assert hashlib.sha256(texts.encode()).hexdigest()[:16] == "19d0a8bef6337575"


def test_a_model_that_follows_every_policy() -> None:
    made = answers(lambda row: 0.9 if row.label == 0 else 0.1)  # without a policy it says "1" in both orders
    got = scores(made)
    assert (got["policy_accuracy"], got["policy_bias"]) == (1, 0)
    assert got["order_consistency"] == pytest.approx(2 / 3)  # the policies, not the dilemmas without
    assert {got[f"policy_accuracy_{part}"] for part in ("l0", "l1", "l2", *THEORIES)} == {1}


def test_a_model_that_ignores_policies() -> None:
    drawn = random.Random("policy dilemmas")
    likes = {dilemma["id"]: drawn.choice((0.2, 0.8)) for dilemma in DILEMMAS}
    got = scores(answers(lambda row: act(row, likes[row.group_id])))
    assert (got["policy_accuracy"], got["policy_bias"], got["order_consistency"]) == (0.5, 1, 1)


@pytest.mark.parametrize("p", [0.5, 0.7, 0.1])
def test_a_model_that_prefers_an_option_or_nothing(p: float) -> None:
    got = scores(answers(lambda row: p))
    assert (got["policy_accuracy"], got["policy_bias"]) == (0.5, 0)
    assert got["order_consistency"] == (0.5 if p == 0.5 else 0)


def test_bias_and_accuracy_of_a_model_that_follows_half_way() -> None:
    """It follows policies of level 0; else it chooses act 1, which the baseline shows."""

    def option(row: Row) -> float:
        follows = row.facts["level"] == 0
        return (0.9 if row.label == 0 else 0.1) if follows else act(row, 0.4)

    got = scores(answers(option))
    assert got["policy_accuracy"] == pytest.approx(2 / 3)
    assert (got["policy_accuracy_l0"], got["policy_accuracy_l1"], got["policy_accuracy_l2"]) == (1, 0.5, 0.5)
    assert got["policy_bias"] == pytest.approx(1 - 1 / 3)


def test_the_order_of_rows_does_not_matter() -> None:
    drawn = random.Random("any")
    made = answers(lambda row: drawn.random())
    shuffled = drawn.sample(made, len(made))
    assert scores(made) == scores(shuffled)
    metrics = [METRICS[name] for name in ("policy_accuracy", "policy_bias", "order_consistency")]
    both = [estimates(metrics, order, resamples=1000) for order in (made, shuffled)]
    assert both[0] == both[1]
    for estimate in both[0].values():
        assert estimate.low is not None
        assert estimate.value is not None
        assert estimate.high is not None
        assert estimate.low < estimate.value < estimate.high


def test_parts_of_the_data_and_broken_numerics() -> None:
    made = answers(lambda row: 0.9)
    only_policies = [answer for answer in made if answer.row.facts["theory"]]
    assert METRICS["policy_bias"].of(only_policies) is None
    assert METRICS["policy_accuracy"].of(made[:2]) is None
    assert METRICS["order_consistency"].of(made[:1]) is None
    assert scores([])["policy_bias"] is None
    broken = [read_choice(row, (float("nan"), -1.0)) for row in TEST]
    got = scores(broken)
    assert (got["policy_accuracy"], got["policy_bias"], got["order_consistency"]) == (0, 0, 0.5)
