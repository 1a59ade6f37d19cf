"""The figures as inline SVG, placed here and drawn by the template.

Made when the board is built: a chart library in the page would bring a runtime that writes code while it runs, which
the page's policy forbids, and what it draws would not follow the page's colours. Titles are shown on hovering.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dfar_bench.leaderboard.site.board import Entry, Group
from dfar_bench.leaderboard.site.facts import Figure

MOST_INTERVALS = 40
"""With more points than this, bars would hide them."""

MOST_LABELS, MOST_LETTERS = 10, 20
STAGES = ("base", "l", "lr")


@dataclass(frozen=True, slots=True)
class Axis:
    """Shares from ``low`` to ``high`` over ``start`` to ``end`` of the drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, share: float) -> float:
        clipped = min(max(share, self.low), self.high)
        return round(self.start + (clipped - self.low) / (self.high - self.low) * (self.end - self.start), 1)

    @property
    def ticks(self) -> list[float]:
        """Round shares, about five of them."""
        step = 0.1 if self.high - self.low > 0.35 else 0.05
        if self.high - self.low > 0.7:
            step = 0.2
        return [
            round(step * number, 2) for number in range(math.ceil(self.low / step), int(self.high / step + 1e-9) + 1)
        ]


@dataclass(frozen=True, slots=True)
class Point:
    """An entry in a figure: place, bars (x1, x2, y1, y2; empty where left out)."""

    entry: Entry
    x: float
    y: float
    bars: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Scatter:
    """Accuracy against MAR; null models, which have one of the two, as lines."""

    x: Axis
    y: Axis
    points: tuple[Point, ...]
    across: tuple[tuple[float, str], ...]
    upright: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One base model in one organisation's hands: the entries at each stage that there is, with their places."""

    name: str
    label: str
    label_y: float
    places: tuple[tuple[Entry, float, float, Figure], ...]


@dataclass(frozen=True, slots=True)
class Slope:
    """A metric over base, L and L+R."""

    heading: str
    y: Axis
    stages: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]


def scatter(group: Group) -> Scatter | None:
    """Accuracy against MAR of all entries that have both; None if there is none."""
    both = [
        (entry, entry.figure("reason", "mar"), entry.figure("cls", "acc"))
        for entry in (*group.ranked, *group.apart)
        if entry.figure("reason", "mar")[0] is not None and entry.figure("cls", "acc")[0] is not None
    ]
    if not both:
        return None
    nulls = [entry for entry in group.nulls if entry.knows_nothing]
    across = [(share, entry.facts.model) for entry in nulls if (share := entry.figure("cls", "acc")[0])]
    upright = [(share, entry.facts.model) for entry in nulls if (share := entry.figure("reason", "mar")[0])]
    with_bars = len(both) <= MOST_INTERVALS
    seen = 3 if with_bars else 1
    x = _axis([*(share for _, mar, _ in both for share in mar[:seen]), *(share for share, _ in upright)], 62, 628)
    y = _axis([*(share for _, _, acc in both for share in acc[:seen]), *(share for share, _ in across)], 366, 16)
    points = []
    for entry, (mar, *mar_ends), (acc, *acc_ends) in both:
        assert mar is not None
        assert acc is not None
        ends = [axis(end) for axis, both_ends in ((x, mar_ends), (y, acc_ends)) for end in both_ends if end is not None]
        points.append(Point(entry, x(mar), y(acc), tuple(ends) if with_bars and len(ends) == 4 else ()))
    return Scatter(
        x,
        y,
        tuple(points),
        tuple(sorted((y(share), name) for share, name in across)),
        tuple(sorted((x(share), name) for share, name in upright)),
    )


def slopes(group: Group) -> list[Slope]:
    """Accuracy and MAR from base over L to L+R, of the bases of which an organisation has both; its first run of each.

    A line to each organisation, so that nobody takes over a point by naming somebody else's base.
    """
    first: dict[tuple[str, str, str], Entry] = {}  # by organisation, base and mode
    for entry in sorted((*group.ranked, *group.apart), key=lambda one: (one.facts.created, one.key)):
        base = entry.facts.model if entry.facts.mode == "base" else entry.facts.base
        if base:
            first.setdefault((_organisation(entry.facts.model), base, entry.facts.mode), entry)
    trained = sorted({(who, base) for who, base, _ in first if {(who, base, "l"), (who, base, "lr")} <= first.keys()})
    stages_of = {
        (who, base): {
            stage: one
            for stage in STAGES
            if (one := first.get((_organisation(base) if stage == "base" else who, base, stage)))
        }
        for who, base in trained
    }
    out = []
    for heading, kind, metric in (("Accuracy", "cls", "acc"), ("MAR", "reason", "mar")):
        found = {
            (base if who == _organisation(base) else f"{base} by {who}"): [
                (stage, entry, figure)
                for stage, entry in stages.items()
                if (figure := entry.figure(kind, metric))[0] is not None
            ]
            for (who, base), stages in stages_of.items()
        }
        shares = [figure[0] for line in found.values() for _, _, figure in line if figure[0] is not None]
        if len(shares) < 2:
            continue
        at = dict(zip(STAGES, (70.0, 170.0, 270.0)))
        y = _axis(shares, 236, 16)
        lines = [
            (name, tuple((entry, at[stage], y(figure[0] or 0.0), figure) for stage, entry, figure in line))
            for name, line in found.items()
            if line
        ]
        lines.sort(key=lambda line: line[1][-1][2])
        names = dict(zip(STAGES, ("base", "L", "L+R")))
        out.append(Slope(heading, y, tuple((at[stage], names[stage]) for stage in STAGES), _labelled(lines)))
    return out


def _labelled(lines: Sequence[tuple[str, tuple[tuple[Entry, float, float, Figure], ...]]]) -> tuple[Line, ...]:
    """Lines from top to bottom by where they end; with names at their ends that do not overlap, unless too many."""
    out: list[Line] = []
    for whole, places in lines:
        at = places[-1][2] + 4
        if out:
            at = max(at, out[-1].label_y + 14)
        name = whole.partition("/")[2]
        label = name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"
        out.append(Line(whole, label if len(lines) <= MOST_LABELS else "", at, places))
    return tuple(out)


def _organisation(model: str) -> str:
    return model.partition("/")[0]


def _axis(shares: Iterable[float | None], start: float, end: float) -> Axis:
    """An axis with round ends around shares, a little air left."""
    known = [share for share in shares if share is not None]
    low = max(0.0, math.floor((min(known) - 0.02) * 20) / 20)
    high = min(1.0, math.ceil((max(known) + 0.02) * 20) / 20)
    if high - low < 0.1:
        low, high = max(0.0, high - 0.1), max(high, 0.1)
    return Axis(low, high, start, end)
