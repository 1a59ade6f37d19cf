"""The charts as inline SVG: placed here, drawn by the template.

They are drawn when the board is built: a chart library in the page would write code while it runs, which the page's
policy forbids, and its charts would not follow the page's colours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dfar_bench.leaderboard.board import Table
from dfar_bench.leaderboard.entries import Column, Entry
from dfar_bench.leaderboard.labels import WIDTH, Label, place_labels
from dfar_bench.scoring import Estimate
from dfar_bench.training.modes import MODES

MANY = 40
"""With more points than this, intervals would hide them."""

LEFT, RIGHT, TOP, BOTTOM = 62.0, 628.0, 16.0, 366.0
END, STRIP = 440.0, 472.0
"""Of the horizontal axis where models stand in a strip beside it, and where in that strip."""


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

    def ends(self, estimate: Estimate) -> tuple[float, ...]:
        """Places of the ends of an interval; () where there is none."""
        return tuple(map(self, estimate.interval)) if estimate.interval else ()

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
    label: Label | None = None


@dataclass(frozen=True, slots=True)
class Scatter:
    """The first ranked column (y) against the second (x); trivial baselines, which have one of the two, as lines.

    Attributes:
        words: what stands over the strip at the right of models whose figure in ``x`` would mislead; "" without strip.
    """

    columns: tuple[Column, Column]
    x: Axis
    y: Axis
    points: tuple[Point, ...]
    across: tuple[tuple[float, str], ...]
    upright: tuple[tuple[float, str], ...]
    words: str

    @property
    def nameless(self) -> int:
        """How many points have no name, for lack of room."""
        return sum(point.label is None for point in self.points)


def scatter(table: Table) -> Scatter | None:
    """Draw the entries that have a figure in both columns; None if there are none."""
    if len(table.ranked_columns) < 2:
        return None
    up, right = table.ranked_columns[:2]
    figures = [
        (entry, entry.estimate(right), entry.estimate(up))
        for entry in (*table.ranked, *table.apart)
        if entry.estimate(right).value is not None and entry.estimate(up).value is not None
    ]
    words = next((text for entry, *_ in figures if (text := entry.has_words_for(right.metric))), "")
    measured = [of for entry, of, _ in figures if not entry.has_words_for(right.metric)]
    if not measured:
        return None
    across, upright = (
        [
            (value, entry.facts.model)
            for entry in table.baselines
            if entry.status == "trivial" and (value := entry.estimate(column).value) is not None
        ]
        for column in (up, right)
    )
    with_bars = len(figures) <= MANY
    x_shares = [*_shares(measured, with_bars), *(share for share, _ in upright)]
    y_shares = [*_shares([of for *_, of in figures], with_bars), *(share for share, _ in across)]
    x = Axis.around(x_shares, LEFT, END if words else RIGHT)
    y = Axis.around(y_shares, BOTTOM, TOP)
    points = []
    for entry, a, b in figures:
        aside = bool(entry.has_words_for(right.metric))
        at = STRIP if aside else x(a.value or 0.0)
        ends = (at, at) if aside else x.ends(a)
        bars = (*ends, *y.ends(b)) if with_bars and ends and y.ends(b) else ()
        points.append(Point(entry, at, y(b.value or 0.0), bars))
    scatter = Scatter(
        (up, right),
        x,
        y,
        tuple(points),
        tuple(sorted((y(share), name) for share, name in across)),
        tuple(sorted((x(share), name) for share, name in upright)),
        words,
    )
    return replace(scatter, points=_named(scatter))


def _named(chart: Scatter) -> tuple[Point, ...]:
    """Give points their names, beside each other's and those of the lines."""
    notes = [(LEFT, y - 3, RIGHT, y + 3) for y, _ in chart.across]
    notes += [(LEFT, y - 18, LEFT + WIDTH * len(name), y + 18) for y, name in chart.across]
    for x, name in chart.upright:
        notes += [(x - 16, TOP, x, TOP + WIDTH * len(name)), (x - 16, BOTTOM - WIDTH * len(name), x, BOTTOM)]
    named: dict[int, Point] = {}
    for aside in (False, True):
        points = [point for point in chart.points if (point.x == STRIP and bool(chart.words)) == aside]
        names = [short_name(point.entry.facts.model) for point in points]
        bounds = (END if aside else LEFT, TOP, END if chart.words and not aside else RIGHT + 10, BOTTOM)
        labels = place_labels([(point.x, point.y) for point in points], names, bounds, notes)
        named |= {id(point): replace(point, label=label) for point, label in zip(points, labels)}
    return tuple(named[id(point)] for point in chart.points)


def _shares(estimates: Iterable[Estimate], with_bars: bool) -> list[float | None]:
    ends = [(one.value, one.low, one.high) if with_bars else (one.value,) for one in estimates]
    return [share for group in ends for share in group]


def short_name(model: str) -> str:
    """Return a model's name without its organisation, cut where it is very long."""
    name = model.partition("/")[2] or model
    return name if len(name) <= 28 else f"{name[:27]}…"


def mark(mode: str) -> int:
    """Return the number of the mark of a way of training: 0 for base, then the training modes, -1 for others."""
    known: Sequence[str] = ["base", *MODES]
    return known.index(mode) if mode in known else -1
