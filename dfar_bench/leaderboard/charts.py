"""The charts as inline SVG: placed here, drawn by the template.

They are drawn when the board is built: a chart library in the page would write code while it runs, which the page's
policy forbids, and its charts would not follow the page's colours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dfar_bench.leaderboard.board import Table
from dfar_bench.leaderboard.entries import Column, Entry
from dfar_bench.scoring import Estimate
from dfar_bench.training.modes import MODES

MANY = 40
"""With more points than this, intervals would hide them."""

LEFT, RIGHT, TOP, BOTTOM = 62.0, 628.0, 16.0, 366.0


@dataclass(frozen=True, slots=True)
class Axis:
    """Shares from ``low`` to ``high`` over ``start`` to ``end`` of the drawing."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, shares: Iterable[float | None], start: float, end: float) -> Axis:
        """Make an axis with round ends and a little room around shares."""
        known = [share for share in shares if share is not None]
        low = max(0.0, math.floor((min(known) - 0.02) * 20) / 20)
        high = min(1.0, math.ceil((max(known) + 0.02) * 20) / 20)
        if high - low < 0.1:
            low, high = max(0.0, high - 0.1), max(high, 0.1)
        return cls(low, high, start, end)

    def __call__(self, share: float) -> float:
        clipped = min(max(share, self.low), self.high)
        return round(self.start + (clipped - self.low) / (self.high - self.low) * (self.end - self.start), 1)

    @property
    def ticks(self) -> list[tuple[float, int]]:
        """Places of about five round shares, and the shares in per cent."""
        step = 20 if self.high - self.low > 0.7 else 10 if self.high - self.low > 0.35 else 5
        first = math.ceil(100 * self.low / step - 1e-9)
        return [
            (self(step * number / 100), step * number)
            for number in range(first, int(100 * self.high / step + 1e-9) + 1)
        ]


@dataclass(frozen=True, slots=True)
class Point:
    """An entry in a chart, and the ends of its intervals (x1, x2, y1, y2; () where they are left out)."""

    entry: Entry
    x: float
    y: float
    bars: tuple[float, ...] = ()
    estimate: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Scatter:
    """The first ranked column (y) against the second (x); trivial baselines, which have one of the two, as lines."""

    columns: tuple[Column, Column]
    x: Axis
    y: Axis
    points: tuple[Point, ...]
    across: tuple[tuple[float, str], ...]
    upright: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Slopes:
    """A ranked column over the ways of training: one line per base model and organisation, labelled at its end."""

    column: Column
    y: Axis
    stages: tuple[tuple[float, str], ...]
    lines: tuple[tuple[str, tuple[Point, ...]], ...]


def scatter(table: Table) -> Scatter | None:
    """Draw the entries that have a figure in both columns; None if there are none."""
    ranked = [column for column in table.columns if column.ranked]
    if len(ranked) < 2:
        return None
    up, right = ranked[:2]
    figures = [
        (entry, entry.estimate(right), entry.estimate(up))
        for entry in (*table.ranked, *table.apart)
        if entry.estimate(right).value is not None and entry.estimate(up).value is not None
    ]
    if not figures:
        return None
    trivial = [entry for entry in table.baselines if entry.status == "trivial"]
    across, upright = (
        [(value, entry.facts.model) for entry in trivial if (value := entry.estimate(column).value) is not None]
        for column in (up, right)
    )
    with_bars = len(figures) <= MANY
    shares: list[list[float | None]] = [[share for share, _ in upright], [share for share, _ in across]]
    for _, *estimates in figures:
        for side, estimate in zip(shares, estimates):
            side += (estimate.value, estimate.low, estimate.high) if with_bars else (estimate.value,)
    x, y = Axis.around(shares[0], LEFT, RIGHT), Axis.around(shares[1], BOTTOM, TOP)
    points = []
    for entry, a, b in figures:
        bars = (*map(x, a.interval), *map(y, b.interval)) if with_bars and a.interval and b.interval else ()
        points.append(Point(entry, x(a.value or 0.0), y(b.value or 0.0), bars))
    return Scatter(
        (up, right),
        x,
        y,
        tuple(points),
        tuple(sorted((y(share), name) for share, name in across)),
        tuple(sorted((x(share), name) for share, name in upright)),
    )


def slopes(table: Table) -> list[Slopes]:
    """Draw what training does to base models that one organisation trained in at least two ways.

    Each organisation has its own line, from its first run in each way, so that nobody replaces a point by naming
    another organisation's base model. A line joins runs that were asked in the same prompts.
    """
    first: dict[tuple[str, str, str, tuple[str, ...]], Entry] = {}  # by organisation, base model, mode and prompts
    for entry in sorted((*table.ranked, *table.apart), key=lambda entry: (entry.facts.created, entry.key)):
        base = entry.facts.model if entry.facts.mode == "base" else entry.facts.base
        if base:
            key = (_organisation(entry.facts.model), base, entry.facts.mode, tuple(entry.prompts))
            first.setdefault(key, entry)
    modes = [mode for mode in MODES if any(key[2] == mode for key in first)]
    trained = sorted(
        {
            (who, base, prompts)
            for who, base, _, prompts in first
            if sum((who, base, mode, prompts) in first for mode in modes) > 1
        }
    )
    stages = {mode: round(70 + 200 * at / max(1, len(modes)), 1) for at, mode in enumerate(["base", *modes])}
    titles = tuple((x, MODES[mode].title if mode in MODES else mode) for mode, x in stages.items())
    charts = []
    for column in (column for column in table.columns if column.ranked):
        lines: dict[str, list[tuple[str, Entry, Estimate]]] = {}
        for who, base, prompts in trained:
            owners = {mode: _organisation(base) if mode == "base" else who for mode in stages}
            entries = [(mode, first.get((owners[mode], base, mode, prompts))) for mode in stages]
            name = base if who == _organisation(base) else f"{base} by {who}"
            lines[f"{name} in {', '.join(prompts)}" if name in lines else name] = [
                (mode, entry, estimate)
                for mode, entry in entries
                if entry and (estimate := entry.estimate(column)).value is not None
            ]
        shares = [estimate.value for line in lines.values() for _, _, estimate in line]
        if len(shares) < 2:
            continue
        y = Axis.around(shares, 236, 16)
        placed = {
            name: tuple(
                Point(entry, stages[mode], y(estimate.value or 0.0), (), estimate) for mode, entry, estimate in line
            )
            for name, line in lines.items()
            if line
        }
        charts.append(Slopes(column, y, titles, tuple(placed.items())))
    return charts


def mark(mode: str) -> int:
    """Return the number of the mark of a way of training: 0 for base, then the training modes, -1 for others."""
    known: Sequence[str] = ["base", *MODES]
    return known.index(mode) if mode in known else -1


def _organisation(model: str) -> str:
    return model.partition("/")[0]
