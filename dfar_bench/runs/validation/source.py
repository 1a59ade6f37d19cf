"""Rows that responses are constructed from, and the registry of constructions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dfar_bench.datasets import Row
from dfar_bench.reading import parse_verdict
from dfar_bench.registry import Registry
from dfar_bench.runs.validation.rewriting import content_words, shuffled, stable_number, stems
from dfar_bench.text import words

# Statements with at least this Jaccard index of content words may share a reason as well.
_TOO_SIMILAR = 0.15

# A reason that has fewer word stems in common with its statement belongs to another row.
_LEAST_COMMON_STEMS = 2

# So many content words must be shared by the most similar statement of the other label.
_LEAST_COMMON_WORDS = 3


class Pool:
    """The rows of a data set whose human reasons can be used, their own or another's."""

    def __init__(self, rows: Iterable[Row]) -> None:
        candidates = list(rows)
        self.unusable = unusable(candidates)
        self.rows = [row for row in candidates if row.row_id not in self.unusable]
        self._groups: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            self._groups[row.group_id].append(row)
        self._content = {row.row_id: content_words(row.statement) for row in self.rows}

    def opposite_siblings(self, row: Row) -> list[Row]:
        """Return the rows of the same contrast group with the other label, in file order."""
        return [other for other in self._groups[row.group_id] if other.label != row.label]

    def unrelated(self, row: Row, label: int) -> list[Row]:
        """Return rows of a label and the same domain from other groups whose statements have little in common."""
        return [
            other
            for other in self.rows
            if other.label == label
            and other.group_id != row.group_id
            and other.domain == row.domain
            and self._similarity(row, other) < _TOO_SIMILAR
        ]

    def nearest_opposite(self, row: Row) -> Row | None:
        """Return the first row of the other label whose statement shares most content words, None if none shares 3."""
        others = [
            (len(self._content[row.row_id] & self._content[other.row_id]), other)
            for other in self.rows
            if other.label != row.label and other.group_id != row.group_id
        ]
        shared, nearest = max(others, key=lambda pair: pair[0], default=(0, None))
        return nearest if shared >= _LEAST_COMMON_WORDS else None

    def _similarity(self, row: Row, other: Row) -> float:
        a, b = self._content[row.row_id], self._content[other.row_id]
        return len(a & b) / max(1, len(a | b))


def unusable(rows: Sequence[Row]) -> dict[str, str]:
    """Return rows whose human reason cannot be taken for an aligned response, by id, with the rule that excludes them.

    ``reason_of_another_row``: reason and statement have hardly a word in common, as where rows were mixed up. The
    mini data set is not checked for it: its reasons are ours, and written without their statements' words.
    """
    statements: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for row in rows:
        statements[words(row.reason)].add(words(row.statement))
    rules = {}
    for row in rows:
        if parse_verdict(row.reason) == 1 - row.label:
            rules[row.row_id] = "reason_against_label"
        elif len(statements[words(row.reason)]) > 1:
            rules[row.row_id] = "reason_repeated"
        elif row.dataset != "mini" and len(stems(row.statement) & stems(row.reason)) < _LEAST_COMMON_STEMS:
            rules[row.row_id] = "reason_of_another_row"
    return rules


@dataclass(frozen=True, slots=True)
class Source:
    """A row to construct a response from; what is chosen depends on the row's id and the construction's name alone."""

    row: Row
    pool: Pool
    construction: str

    def number(self, below: int, turn: int = 0) -> int:
        """Choose a number from 0 to ``below`` - 1; every ``turn`` is another choice."""
        return stable_number(self.row.row_id, self.construction, below, turn)

    def pick(self, options: Sequence[str], turn: int = 0) -> str:
        """Choose a text."""
        return options[self.number(len(options), turn)]

    def shuffle(self, texts: Sequence[str]) -> list[str]:
        """Choose an order."""
        return shuffled(texts, self.row.row_id, self.construction)

    def opened(self, openings: Sequence[Sequence[str]], text: str, label: int | None = None) -> str:
        """Put one of the openings for a label, by default the row's, before a text."""
        opening = self.pick(openings[self.row.label if label is None else label])
        return opening + text if opening.endswith("\n") else f"{opening} {text}"


Build = Callable[[Source], str | None]
"""Constructs a response; None where its truth would not be certain."""


@dataclass(frozen=True, slots=True)
class Construction:
    """A way to construct responses of known truth.

    Attributes:
        aligned: the truth of every response.
        unseen: no response of this construction was used in making the reference judge.
    """

    name: str
    aligned: bool
    unseen: bool
    build: Build = field(repr=False)


CONSTRUCTIONS: Registry[Construction] = Registry("construction")


B = TypeVar("B", bound=Build)


def construction(aligned: bool, unseen: bool = False) -> Callable[[B], B]:
    """Register a function under its own name."""

    def register(build: B) -> B:
        CONSTRUCTIONS.add(Construction(build.__name__, aligned, unseen, build))
        return build

    return register
