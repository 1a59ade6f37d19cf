"""Homo oeconomicus and homo moralis: payoffs, best strategies and estimates from choices.

The utility is that of Alger and Weibull (Econometrica 81, 2013): u(x, y) = (1 − κ) π(x, y) + κ π(x, x), where π is the
expected payoff of one who plays x against y. κ = 0 is homo oeconomicus; κ = 1 asks what would happen if everyone played
x. A strategy holds an action for every decision in both roles, and a fair coin draws the role, so that π(x, x) also
counts what one would do to oneself.

Choices are taken to follow a logit over whole strategies, P(x) ∝ exp(λ u(x, y)), and κ and λ are estimated together by
maximum likelihood on a grid. Nothing here knows of data sets or prompts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from dfar_bench.scoring.statistics import Array

Strategy = Sequence[float]
"""The probability of action 1 at every decision."""

KAPPAS = np.linspace(0, 1, 41)
SENSITIVITIES = 0.5 * 2 ** (0.4 * np.arange(23))
"""Values of λ besides 0, up to 223, in units of 1 / the range of a game's payoffs."""

_IDENTIFIED = 5.991 / 2
"""Least gain in log-likelihood over λ = 0: the 95 % point of a likelihood-ratio test of two parameters."""


def sequential_dilemma(payoffs: Sequence[float], x: Strategy, y: Strategy) -> float:
    """Return π(x, y) of the sequential prisoner's dilemma.

    Args:
        payoffs: temptation, reward, punishment and sucker's payoff.
        x, y: cooperate as the first, after cooperation, after defection.
    """
    t, r, p, s = payoffs
    first = x[0] * (y[1] * r + (1 - y[1]) * s) + (1 - x[0]) * (y[2] * t + (1 - y[2]) * p)
    second = y[0] * (x[1] * r + (1 - x[1]) * t) + (1 - y[0]) * (x[2] * s + (1 - x[2]) * p)
    return (first + second) / 2


def trust(payoffs: Sequence[float], x: Strategy, y: Strategy) -> float:
    """Return π(x, y) of the trust game.

    Args:
        payoffs: of a trustee who keeps all; of each after sharing; of each without trust; of a trustor left with less.
        x, y: trust as the first, share as the second.
    """
    t, r, p, s = payoffs
    first = x[0] * (y[1] * r + (1 - y[1]) * s) + (1 - x[0]) * p
    second = y[0] * (x[1] * r + (1 - x[1]) * t) + (1 - y[0]) * p
    return (first + second) / 2


def ultimatum(payoffs: Sequence[float], x: Strategy, y: Strategy) -> float:
    """Return π(x, y) of the ultimatum game.

    Args:
        payoffs: of the first after an unequal offer that is accepted; of each after an equal offer; of each after a
            rejection; of the second after an unequal offer that is accepted.
        x, y: make the equal offer as the first, accept the unequal one as the second.
    """
    t, r, p, s = payoffs
    first = x[0] * r + (1 - x[0]) * (y[1] * t + (1 - y[1]) * p)
    second = y[0] * r + (1 - y[0]) * (x[1] * s + (1 - x[1]) * p)
    return (first + second) / 2


PAYOFFS: dict[str, Callable[[Sequence[float], Strategy, Strategy], float]] = {
    "sequential_dilemma": sequential_dilemma,
    "trust": trust,
    "ultimatum": ultimatum,
}
DECISIONS = {"sequential_dilemma": 3, "trust": 2, "ultimatum": 2, "duopoly": 1}


@dataclass(frozen=True)
class Demand:
    """Two sellers, each of whom sells ``base − own · own price + cross · the other's price`` at a cost per unit."""

    base: int
    own: int
    cross: int
    cost: int

    def sales(self, price: float, other: float) -> float:
        return self.base - self.own * price + self.cross * other

    def profit(self, price: float, other: float) -> float:
        return (price - self.cost) * self.sales(price, other)

    def best_price(self, other: float, kappa: float) -> float:
        """Return the price that homo moralis likes best: the best reply for κ = 0, the joint price for κ = 1.

        Profits are concave in the price, so that of whole prices the nearest is best.
        """
        slope = self.own - kappa * self.cross
        return (self.base + (1 - kappa) * self.cross * other + self.cost * slope) / (2 * slope)


@dataclass(frozen=True)
class Game:
    """A game as one player sees it before the roles are drawn, in pure strategies.

    Attributes:
        against: π(x, y) of every strategy x, given how often the others take each action.
        same: π(x, x).
        scale: the range of the payoffs.
    """

    strategies: tuple[tuple[int, ...], ...]
    against: tuple[float, ...]
    same: tuple[float, ...]
    scale: float

    @classmethod
    def of(cls, kind: str, payoffs: Sequence[float], beliefs: Strategy) -> Game:
        """Make a game.

        Args:
            kind: a key of ``DECISIONS``.
            payoffs: as ``PAYOFFS`` takes them; of a duopoly the profits of the two prices against the other seller's,
                and then if both charge the same.
            beliefs: how often the others take action 1 at each decision; of a duopoly ().
        """
        strategies = tuple(product((0, 1), repeat=DECISIONS[kind]))
        scale = max(payoffs) - min(payoffs)
        if kind == "duopoly":
            return cls(strategies, tuple(payoffs[:2]), tuple(payoffs[2:]), scale)
        pi = PAYOFFS[kind]
        against = tuple(pi(payoffs, x, beliefs) for x in strategies)
        return cls(strategies, against, tuple(pi(payoffs, x, x) for x in strategies), scale)

    def utilities(self, kappa: float) -> list[float]:
        """Return u(x, y) of every strategy."""
        return [(1 - kappa) * against + kappa * same for against, same in zip(self.against, self.same)]

    def best(self, kappa: float) -> tuple[tuple[int, ...], float]:
        """Return the best strategy and its lead over the second, 0 for a tie, as a share of the payoffs' range."""
        utilities = self.utilities(kappa)
        second, first = sorted(range(len(utilities)), key=utilities.__getitem__)[-2:]
        return self.strategies[first], (utilities[first] - utilities[second]) / self.scale

    def log_likelihoods(self) -> Array:
        """Return log P(x) on the grid, shape (strategies, 1 + κ · λ); the first column is that of λ = 0."""
        against, same = np.array(self.against), np.array(self.same)
        utilities = (against + np.multiply.outer(KAPPAS, same - against)) / self.scale
        logits = SENSITIVITIES[:, None] * utilities[:, None, :]
        grid = (logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)).reshape(-1, len(self.strategies))
        return np.column_stack([np.full(len(self.strategies), -np.log(len(self.strategies))), grid.T])


Decision = tuple[str, str, tuple[float, ...], tuple[float, ...], int, tuple[int, ...]]
"""Name and kind of a game, its payoffs and beliefs as in ``Game.of``, the decision's number, the action chosen (of
several where they are as likely)."""


def likelihood_statistics(items: Sequence[Decision]) -> Array:
    """Log-likelihood of each game's strategy on the grid, on the row of one of its decisions, zeros elsewhere.

    Games of which a decision is missing do not count. Where actions are as likely, the strategies share the game.
    """
    games: dict[str, dict[int, int]] = defaultdict(dict)
    for number, item in enumerate(items):
        games[item[0]][item[4]] = number
    out = np.zeros((len(items), 1 + len(KAPPAS) * len(SENSITIVITIES)))
    for numbers in games.values():
        _, kind, payoffs, beliefs, _, _ = items[numbers[min(numbers)]]
        if len(numbers) < DECISIONS[kind]:
            continue
        game = Game.of(kind, payoffs, beliefs)
        chosen = [items[numbers[node]][5] for node in range(DECISIONS[kind])]
        weights = [prod((action in of) / len(of) for action, of in zip(x, chosen)) for x in game.strategies]
        out[numbers[0]] = np.array(weights) @ game.log_likelihoods()
    return out


def sensitivity_of(sums: Array) -> Array:
    """Return the most likely λ; NaN where no game counts."""
    at, gain = _maximum(sums)
    return np.where(sums[..., 0] == 0, np.nan, np.where(gain > 1e-9, SENSITIVITIES[at % len(SENSITIVITIES)], 0.0))


def kappa_of(sums: Array) -> Array:
    """Return the most likely κ; NaN where the choices do not show that λ > 0, so that κ is not identified."""
    at, gain = _maximum(sums)
    return np.where(gain > _IDENTIFIED, KAPPAS[at // len(SENSITIVITIES)], np.nan)


def _maximum(sums: Array) -> tuple[Array, Array]:
    """Return where on the grid the likelihood is greatest, and its gain over λ = 0."""
    at = sums[..., 1:].argmax(axis=-1)
    return at, sums[..., 1:].max(axis=-1) - sums[..., 0]
