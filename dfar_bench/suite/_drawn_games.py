"""The games of the data set ``games``, drawn by seed.

Games come in pairs with one wording, the same names, order and beliefs, whose payoffs differ in one number (in the
duopoly in the other's price) such that another first move pays. Pairs are drawn again where the best strategy leads by
less than ``MARGIN`` at κ = 0 or ``KAPPA``, and until in one half of them, but not in the other, homo moralis with κ =
``KAPPA`` cooperates after cooperation or shares in both games (dilemma, trust), makes another offer than homo
oeconomicus in at least one (ultimatum), or charges more in the first (duopoly).

A duopoly has linear demand and whole prices. The lower of the two prices to choose from is the best reply to the
other's lower price. The higher one is in one half homo moralis's, in the other that of the highest joint profit;
against the other's higher price it pays more, too.

The wordings, which action has which name, and which is named first for the first and the second mover are combined in
equal parts. Games to train on have other payoffs, names and wordings than those that are scored.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dfar_bench.suite._homo_moralis import DECISIONS, Demand, Game

KAPPA = 0.5
"""The κ of the homo moralis with whom choices are compared."""
MARGIN = 0.02
"""Least lead of the best strategy over the second, as a share of the range of a game's payoffs."""

_COMBINATIONS = {"sequential_dilemma": 8, "trust": 8, "ultimatum": 8, "duopoly": 4}
"""Of three bits, in the duopoly two: which action is named first for each mover, and which has which name."""


@dataclass(frozen=True)
class Part:
    """How one part of the data is drawn.

    Attributes:
        seed: begins the seed of every pair.
        wordings: of each kind; has no factor in common with 8, so that each meets each combination as often.
        times: how often each wording meets each combination, for two movers and for a duopoly.
        letters: pairs of names of the two actions.
        payoffs: of which games of two movers are made.
        bases: of the demand in a duopoly, in steps of ten.
        prices: the highest in a duopoly.
    """

    seed: str
    wordings: int
    times: int
    letters: tuple[str, ...]
    payoffs: range
    bases: range
    prices: int

    def pairs(self, kind: str) -> int:
        """Return the number of pairs of a kind."""
        return self.wordings * self.times * _COMBINATIONS[kind]


TEST = Part("games.v1", 5, 1, ("FG", "HJ", "KL", "MN", "UV", "XY"), range(21), range(60, 201, 10), 60)
TRAIN = Part("games.train.v1", 3, 4, ("AB", "CD", "PQ", "RS", "TW", "EZ"), range(30, 81), range(210, 401, 10), 120)


@dataclass(frozen=True)
class Drawn:
    """A game in numbers.

    Attributes:
        payoffs: see ``Game.of``.
        beliefs: of every 100 others, how many take action 1 at each decision; () in a duopoly.
        prices: of a duopoly's actions.
        market: of a duopoly: ``base``, ``own``, ``cross`` and ``cost`` of its demand, and the other's price ``y``.
    """

    payoffs: tuple[int, ...]
    beliefs: tuple[int, ...] = ()
    prices: tuple[int, ...] = ()
    market: dict[str, int] = field(default_factory=dict)

    @property
    def shares(self) -> list[tuple[int, int]]:
        """Of every 100 others, how many take action 0 and action 1 at each decision."""
        return [(100 - belief, belief) for belief in self.beliefs]

    def game(self, kind: str) -> Game:
        """Return it in utilities."""
        return Game.of(kind, self.payoffs, [belief / 100 for belief in self.beliefs])


@dataclass(frozen=True)
class Pair:
    """Two games that differ in one number, and how both are put.

    Attributes:
        wording: index of the story.
        letters: the names of action 0 and action 1, for the first and the second mover; of both in the dilemma.
        orders: the actions in the order in which they are named, for the first and the second mover.
    """

    kind: str
    number: int
    wording: int
    letters: tuple[str, str]
    orders: tuple[tuple[int, int], tuple[int, int]]
    games: tuple[Drawn, Drawn]

    @property
    def name(self) -> str:
        """Such as ``trust-07``."""
        return f"{self.kind}-{self.number:02d}"

    def named(self, mover: int) -> list[str]:
        """Return the names of a mover's actions, in order."""
        return [self.letters[mover][action] for action in self.orders[mover]]


def draw_pairs(part: Part) -> Iterator[Pair]:
    """Yield all pairs of a part, always the same; kinds and what is permuted alternate, for runs of the first rows."""
    for number in range(max(map(part.pairs, _COMBINATIONS))):
        for kind in (kind for kind in _COMBINATIONS if number < part.pairs(kind)):
            wording, bits = number % part.wordings, number % _COMBINATIONS[kind]
            first, renamed, second = bits & 1, bits >> 1 & 1, bits >> 2
            moral = (first + renamed + second) % 2 == 1
            rng = random.Random(f"{part.seed}:{kind}:{number}")
            games = _draw(part, kind, moral, rng)
            while not _suits(kind, games, moral):
                games = _draw(part, kind, moral, rng)
            one, two = (letters[:: 1 - 2 * renamed] for letters in rng.sample(part.letters, 2))
            yield Pair(kind, number, wording, (one, two), ((first, 1 - first), (second, 1 - second)), games)


def _draw(part: Part, kind: str, moral: bool, rng: random.Random) -> tuple[Drawn, Drawn]:
    return _two_prices(part, moral, rng) if kind == "duopoly" else _two_movers(part, kind, rng)


def _two_movers(part: Part, kind: str, rng: random.Random) -> tuple[Drawn, Drawn]:
    """Draw a pair whose payoffs differ in one and have the order that makes the game what it is."""
    t, r, p, s = sorted(rng.sample(part.payoffs, 4), reverse=True)
    payoffs = (t, r, s, p) if kind == "ultimatum" else (t, r, p, s)
    changed = rng.randrange(4)
    order = sorted(range(4), key=payoffs.__getitem__)
    at = order.index(changed)
    lowest = payoffs[order[at - 1]] + 1 if at > 0 else part.payoffs[0]
    highest = payoffs[order[at + 1]] - 1 if at < 3 else part.payoffs[-1]
    other = rng.randrange(lowest, highest + 1)
    beliefs = tuple(10 * rng.randrange(1, 10) for _ in range(DECISIONS[kind]))
    return Drawn(payoffs, beliefs), Drawn((*payoffs[:changed], other, *payoffs[changed + 1 :]), beliefs)


def _two_prices(part: Part, moral: bool, rng: random.Random) -> tuple[Drawn, Drawn]:
    """Draw a market and two prices of the other seller; the higher of one's own is homo moralis's, or the joint one."""
    while True:
        own = rng.randrange(3, 7)
        market = Demand(rng.choice(part.bases), own, rng.randrange(2, own), rng.randrange(1, 11))
        low, high = sorted(rng.sample(range(market.cost + 1, part.prices + 1), 2))
        best = [market.best_price(low, kappa) for kappa in (0, KAPPA if moral else 1)]
        if any(price % 1 == 0.5 for price in best) or not round(best[0]) < round(best[1]) <= part.prices:
            continue
        own_prices = round(best[0]), round(best[1])
        shown = [(price, other) for price in own_prices for other in (low, high, price)]
        if all(market.sales(*prices) > 0 for pair in shown for prices in (pair, pair[::-1])):
            return _week(market, own_prices, low), _week(market, own_prices, high)


def _week(market: Demand, prices: tuple[int, int], other: int) -> Drawn:
    profits = [market.profit(price, other) for price in prices] + [market.profit(price, price) for price in prices]
    return Drawn(tuple(map(int, profits)), (), prices, {**vars(market), "y": other})


def _suits(kind: str, pair: Sequence[Drawn], moral: bool) -> bool:
    """Whether no optimum is near a tie, the first move that pays changes, and homo moralis differs as is wanted."""
    games = [drawn.game(kind) for drawn in pair]
    selfish: list[tuple[int, ...]] = []
    moralis: list[tuple[int, ...]] = []
    for game in games:
        for kappa, strategies in ((0, selfish), (KAPPA, moralis)):
            strategy, lead = game.best(kappa)
            if lead < MARGIN:
                return False
            strategies.append(strategy)
    if selfish[0][0] == selfish[1][0]:
        return False
    if kind == "ultimatum":
        return (selfish != moralis) == moral
    if kind == "duopoly":
        return selfish == [(0,), (1,)] and moralis[0] == (int(moral),)
    return all(strategy[1] for strategy in moralis) == moral
