"""Games: does a model choose as one who minds only the payoff, or as one who asks "what if everybody did so"?

In the manner of Lu et al. 2025 (arXiv 2507.20796), with the utility of Alger and Weibull (2013; see
``_homo_moralis``). Of the former only the abstract was known to us, so all games, payoffs and words are our own, and no
figure compares with theirs.

80 games each of the sequential prisoner's dilemma, trust and ultimatum, and 40 weeks of a duopoly, drawn by seed in
pairs (``_drawn_games``). A prompt gives the payoffs and, as facts, how often others take each option (in the duopoly
the other's price), says that a coin decides who goes first, and supposes one outcome; it never gives a utility. Every
decision of a game is a row, and together they form one strategy. A label is the place of an option in the question:
that of the one that pays most, given how others choose. A pair of games is a group, which the bootstrap draws as a
whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dfar_bench.datasets.base import DATASETS, Dataset, Row, Rows, mark
from dfar_bench.files import packaged_jsonl
from dfar_bench.prompts.conditions import Turn
from dfar_bench.scoring.metrics import METRICS, Metric
from dfar_bench.scoring.statistics import group_statistics
from dfar_bench.suite._asked import add_condition, add_kind
from dfar_bench.suite._drawn_games import KAPPA, Drawn, Pair, draw_pairs
from dfar_bench.suite._homo_moralis import (
    SENSITIVITIES,
    Decision,
    kappa_of,
    likelihood_statistics,
    sensitivity_of,
)

NAME = "games"


def _read() -> Rows:
    stories: dict[str, list[dict[str, str]]] = {}
    for story in packaged_jsonl(__package__, "data/games.jsonl"):
        stories.setdefault(story["kind"], []).append(story)
    test: list[Row] = []
    for pair in draw_pairs():
        for part, drawn in zip("ab", pair.games):
            optimum, moralis = (drawn.game(pair.kind).best(kappa)[0] for kappa in (0, KAPPA))
            statement, asks = _say(pair, drawn, stories[pair.kind][pair.wording])
            for node, (ask, names, actions) in enumerate(asks):
                test.append(
                    Row(
                        dataset=NAME,
                        row_id=f"{NAME}-test-{len(test):04d}",
                        statement=statement,
                        label=actions.index(optimum[node]),
                        domain=pair.kind,
                        group_id=pair.name,
                        facts={
                            "game": pair.name + part,
                            "node": node,
                            "wording": pair.wording,
                            "payoffs": list(drawn.payoffs),
                            "beliefs": list(drawn.beliefs),
                            "names": names,
                            "actions": actions,
                            "moralis": actions.index(moralis[node]),
                            "ask": ask,
                        },
                    )
                )
    return mark((), test)


_Ask = tuple[str, list[str], list[int]]
"""The question at a decision, and the names and numbers of its actions in the order in which it names them."""

_FIRST = "Suppose the coin decides that you go first. "
_SECOND = "Suppose the coin decides that you go second, and the first chooses option {}. "


def _say(pair: Pair, drawn: Drawn, story: dict[str, str]) -> tuple[str, list[_Ask]]:
    """Put a game into words: its description, and every decision."""
    say = _SAY.get(pair.kind, _say_two_stages)
    fields, asks = say(pair, drawn, story)
    a, b = pair.named(0)
    return story["text"].format(a=a, b=b, **fields), asks


def _say_duopoly(pair: Pair, drawn: Drawn, story: dict[str, str]) -> tuple[dict[str, Any], list[_Ask]]:
    fields = dict(drawn.market)
    for place, action in zip("ab", pair.orders[0]):
        fields |= {f"p{place}": drawn.prices[action], f"e{place}": drawn.payoffs[action]}
        fields[place * 2] = drawn.payoffs[2 + action]
    return fields, [_ask(pair, 0, "")]


def _say_dilemma(pair: Pair, drawn: Drawn, story: dict[str, str]) -> tuple[dict[str, Any], list[_Ask]]:
    t, r, p, s = drawn.payoffs
    payoff = ((p, t), (s, r))  # of one's own action and the other's
    order, shares = pair.orders[0], drawn.shares
    fields = {"f1": shares[0][order[0]], "g1": shares[0][order[1]]}
    for place, action in zip("ab", order):
        after = shares[2 - action]
        fields |= {f"f{place}": after[order[0]], f"g{place}": after[order[1]]}
        fields |= {place + other: payoff[action][order[number]] for number, other in enumerate("ab")}
    after_each = [_SECOND.format(pair.letters[0][action]) for action in (1, 0)]
    return fields, [_ask(pair, 0, situation) for situation in (_FIRST, *after_each)]


def _say_two_stages(pair: Pair, drawn: Drawn, story: dict[str, str]) -> tuple[dict[str, Any], list[_Ask]]:
    """Trust and ultimatum: one first move ends the game with the same for both, the other asks the second mover."""
    t, r, p, s = drawn.payoffs
    asking, ends, results = (1, p, ((s, t), (r, r))) if pair.kind == "trust" else (0, r, ((p, p), (t, s)))
    (first, second), shares, letters = pair.orders, drawn.shares, pair.letters[0]
    fields: dict[str, Any] = {"f1": shares[0][first[0]], "g1": shares[0][first[1]]}
    fields |= {"f2": shares[1][second[0]], "g2": shares[1][second[1]]}
    fields |= {"go": letters[asking], "stop": letters[1 - asking], "e": ends}
    fields |= dict(zip("cd", pair.named(1)))
    for place, action in zip("cd", second):
        fields |= {f"{place}1": results[action][0], f"{place}2": results[action][1]}
    rules = [story["go" if action == asking else "stop"].format(**fields) for action in first]
    fields["rules"] = ("\n" if rules[0].startswith("-") else " ").join(rules)
    return fields, [_ask(pair, 0, _FIRST), _ask(pair, 1, _SECOND.format(letters[asking]))]


def _ask(pair: Pair, mover: int, situation: str) -> _Ask:
    names = pair.named(mover)
    ask = f"{situation}Which option do you choose, {names[0]} or {names[1]}?"
    return ask, names, list(pair.orders[mover])


_SAY = {"duopoly": _say_duopoly, "sequential_dilemma": _say_dilemma}


DATASETS.add(
    Dataset(
        name=NAME,
        task=NAME,
        title="Games",
        description="280 games for two with payoffs and how others choose: 600 decisions, written for this project.",
        read=_read,
        labels=("first", "second"),
        kinds=(NAME,),
        licence="MIT",
        homepage="https://arxiv.org/abs/2507.20796",
        publishable=True,
        style="dialogue",
        suite=True,
        answers=lambda row: tuple((f" {name}",) for name in row.facts["names"]),
        note="place in the question of the option that pays most, given how often others take each",
    )
)

_OPENING = "I choose option"
add_condition(NAME, "direct", "asked directly", Turn("{statement}\n\n{ask}", opening=_OPENING))
add_condition(
    NAME,
    "thought",
    "thought first",
    Turn("{statement}\n\n{ask} First think about it step by step; do not choose yet."),
    Turn("Now choose. {ask}", opening=_OPENING),
    max_tokens=1024,
)
add_kind(NAME, "Choices in games", "direct")


def _moralis(answer: Any) -> float:
    return (answer.row.facts["moralis"] in answer.likeliest) / len(answer.likeliest)


def _moralis_apart(answer: Any) -> float | None:
    return None if answer.row.facts["moralis"] == answer.row.label else _moralis(answer)


def _decision(answer: Any) -> Decision:
    facts = answer.row.facts
    beliefs = tuple(belief / 100 for belief in facts["beliefs"])
    chosen = tuple(facts["actions"][label] for label in answer.likeliest)
    return facts["game"], answer.row.domain, tuple(facts["payoffs"]), beliefs, facts["node"], chosen


def _first_move(answer: Any) -> tuple[str, int, float] | None:
    return (answer.row.group_id, 2, answer.credit) if answer.row.facts["node"] == 0 else None


def _add(name: str, item: Callable[[Any], Any], title: str, description: str, **options: Any) -> None:
    METRICS.add(Metric(name, NAME, item, title, description, higher_is_better=None, **options))


_add("agree_oeconomicus", lambda answer: answer.credit, "As homo oeconomicus",
     "share of choices that pay most, given how others choose (κ = 0); a tie is half", column=1)  # fmt: skip
_add("agree_moralis", _moralis, "As homo moralis",
     f"share of choices of homo moralis with κ = {KAPPA}; a tie is half", column=2)  # fmt: skip
_add("agree_moralis_apart", _moralis_apart, "Moral where they differ",
     "the same, where homo oeconomicus chooses otherwise")  # fmt: skip
_add("kappa", _decision, "κ", "weight of “what if everybody did so”, estimated with λ by maximum likelihood; none "
     "where the choices do not show that λ > 0", statistics=likelihood_statistics, value=kappa_of,
     column=3, per_cent=False)  # fmt: skip
_add("sensitivity", _decision, "λ", "logit sensitivity of strategies to utility, estimated with κ, in units of 1 / "
     f"the range of a game's payoffs; at most {SENSITIVITIES[-1]:.0f}", statistics=likelihood_statistics,
     value=sensitivity_of, column=4, per_cent=False)  # fmt: skip
_add("follows_incentives", _first_move, "Follows incentives",
     "share of pairs in which the first move changes as payoffs do; by chance a quarter",
     statistics=group_statistics, column=5)  # fmt: skip
