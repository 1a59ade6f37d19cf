"""Agents in games, as texts to train on: what homo oeconomicus or homo moralis chooses, and why.

The strategies are the optima of ``_homo_moralis``. The reason names what the utility compares, the choice at hand in
either way with the rest of the best strategy: what each brings given how others choose and, for κ > 0, what it would
bring if everybody chose so. In the manner of Lu et al. 2025 (arXiv 2507.20796), who train on strategies and on
strategies with reasons.
"""

from __future__ import annotations

from dfar_bench.datasets import Row
from dfar_bench.prompts import make_prompt
from dfar_bench.suite._drawn_games import MARGIN
from dfar_bench.suite._homo_moralis import Game


def training_text(style: str, row: Row, kappa: float, with_reason: bool) -> tuple[str, str]:
    """Return the prompt for a decision, and what an agent answers; the completion begins with a space.

    Args:
        style: the prompt style.
        row: of the data set ``games``.
        kappa: the agent's, from 0 (homo oeconomicus) to 1.
        with_reason: whether the reason follows the choice.
    """
    game, ways = _ways(row, kappa)
    first, second = (game.utilities(kappa)[way] for way in ways)
    names, chosen = row.facts["names"], row.facts["names"][int(second > first)]
    answer = f" {chosen}."
    if with_reason:
        answer += " " + _compare("Given what others do", "brings me", names, [game.against[way] for way in ways])
        if kappa:
            same = [game.same[way] for way in ways]
            answer += " " + _compare("If everybody chose as I do", "would bring me", names, same)
            answer += f" I give the latter a weight of {kappa:g}, which makes {first:.1f} for {names[0]}"
            answer += f" and {second:.1f} for {names[1]}."
        answer += f" So I take {chosen}."
    return make_prompt(style, "direct", row).text, answer


def is_clear(row: Row, kappa: float) -> bool:
    """Whether an agent prefers one action clearly, by ``MARGIN`` of the game's payoffs: at some κ it may not."""
    game, ways = _ways(row, kappa)
    first, second = (game.utilities(kappa)[way] for way in ways)
    return abs(first - second) >= MARGIN * game.scale


def _ways(row: Row, kappa: float) -> tuple[Game, list[int]]:
    """Return the game of a decision, and the numbers of the strategies that differ in it, in the order of its names."""
    facts = row.facts
    game = Game.of(row.domain, facts["payoffs"], [belief / 100 for belief in facts["beliefs"]])
    best, _ = game.best(kappa)
    node = facts["node"]
    return game, [game.strategies.index((*best[:node], action, *best[node + 1 :])) for action in facts["actions"]]


def _compare(condition: str, verb: str, names: list[str], values: list[float]) -> str:
    first, second = (f"{value:.1f}" for value in values)
    return f"{condition}, {names[0]} {verb} {first} on average and {names[1]} {second}."
