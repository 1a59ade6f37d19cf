"""Which data sets share statements: equal ones, and near ones, between every two.

A mean over data sets that share their rows counts these rows twice, and a model that is trained on one of them is not
new to the other.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dfar_bench.datasets import DATASETS, near_between, rows
from dfar_bench.datasets.clean_split import NEAR
from dfar_bench.files import packaged_json
from dfar_bench.text import normalize

STORED = "across.json"
"""The matrix of our own data sets, in this folder, without the pairs that share nothing; ``make tables`` writes it."""


@dataclass(frozen=True)
class Shared:
    """What two data sets have in common, train and test rows together.

    Attributes:
        equal: distinct statements that are in both, apart from case and spacing.
        near_first, near_second: distinct statements of each that are equal or near to one of the other: of the words
            that either has, at least half are in both.
    """

    first: str
    second: str
    equal: int
    near_first: int
    near_second: int


@dataclass(frozen=True)
class Across:
    """The independence matrix: how many distinct statements data sets have, and what two of them share."""

    sizes: dict[str, int]
    pairs: tuple[Shared, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return {"near": NEAR, "statements": self.sizes, "pairs": [asdict(pair) for pair in self.pairs]}

    def dependent(self, names: Container[str] | None = None) -> list[Shared]:
        """Return the pairs that share something, of all data sets or of those named."""
        return [
            pair
            for pair in self.pairs
            if (pair.near_first or pair.near_second)
            and (names is None or (pair.first in names and pair.second in names))
        ]

    def share(self, first: str, second: str) -> float:
        """Return the share of the first data set's statements that are equal or near to one of the second's."""
        for pair in self.pairs:
            if (pair.first, pair.second) == (first, second):
                return pair.near_first / self.sizes[first]
            if (pair.second, pair.first) == (first, second):
                return pair.near_second / self.sizes[first]
        return float(first == second)

    def as_text(self) -> str:
        """Return the pairs that share something."""
        width = max(map(len, self.sizes))
        lines = [f"{name:<{width}}  {size:>6,} distinct statements" for name, size in self.sizes.items()]
        lines += ["", "in common (equal; equal or near, of the first, of the second):"]
        dependent = self.dependent()
        lines += [f"  {p.first} and {p.second}: {p.equal:,}; {p.near_first:,}, {p.near_second:,}" for p in dependent]
        lines.append(f"  the other {len(self.pairs) - len(dependent)} pairs: nothing")
        return "\n".join(lines)


def across(names: Sequence[str] = ()) -> Across:
    """Compare every two data sets.

    Args:
        names: of data sets; by default all.

    Raises:
        InputError: there is none of a name, or its files are not available.
    """
    texts = {name: _distinct(name) for name in names or DATASETS}
    pairs = []
    for number, (first, of_first) in enumerate(texts.items()):
        for second, of_second in list(texts.items())[number + 1 :]:
            near = near_between(of_first, of_second, NEAR)
            equal = len(set(of_first) & set(of_second))
            pairs.append(Shared(first, second, equal, len({a for a, _ in near}), len({b for _, b in near})))
    return Across({name: len(of) for name, of in texts.items()}, tuple(pairs))


def stored() -> Across:
    """Return what is stored of our own data sets, which takes no data and no time."""
    document = packaged_json(__package__, STORED)
    return Across(document["statements"], tuple(Shared(**pair) for pair in document["pairs"]))


def _distinct(name: str) -> list[str]:
    return sorted({normalize(row.statement) for part in rows(name).values() for row in part})
