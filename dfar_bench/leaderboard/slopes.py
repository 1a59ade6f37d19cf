"""What training does to base models, drawn: one line per base model, trainer, prompts and budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dfar_bench.leaderboard.board import Table
from dfar_bench.leaderboard.charts import Axis, Point, short_name
from dfar_bench.leaderboard.entries import Column, Entry
from dfar_bench.leaderboard.labels import spread
from dfar_bench.training.modes import MODES

NEARLY = 0.02
"""Budgets that differ by no more than this share are equal: the last batch of a training is seldom full."""

TOP, BOTTOM, FIRST, LAST = 30.0, 236.0, 70.0, 270.0


@dataclass(frozen=True, slots=True)
class Line:
    """Runs of one base model.

    Attributes:
        budget: what the trainings read in equal measure, in words; "" where that is not recorded for all of them.
        label: the height of the line's name.
    """

    name: str
    budget: str
    points: tuple[Point, ...]
    label: float


@dataclass(frozen=True, slots=True)
class Slopes:
    """A ranked column over the ways of training."""

    column: Column
    y: Axis
    stages: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """The runs that a line joins, in the order of the stages."""

    name: str
    budget: str
    entries: tuple[Entry, ...]


def slopes(table: Table) -> list[Slopes]:
    """Draw what training does to base models that one organisation trained in at least two ways at equal cost.

    Each organisation has its own line, from its first run in each way, so that nobody replaces a point by naming
    another organisation's base model. A line joins runs that were asked in the same prompts and whose trainings read
    as many rows, or as many tokens. A model that gives no reasons has no place among misalignment rates.
    """
    groups = list(_groups(sorted((*table.ranked, *table.apart), key=lambda entry: (entry.facts.created, entry.key))))
    modes = [mode for mode in MODES if any(entry.facts.mode == mode for group in groups for entry in group.entries)]
    places = {mode: FIRST + (LAST - FIRST) * at / max(1, len(modes)) for at, mode in enumerate(["base", *modes])}
    stages = tuple((round(x, 1), MODES[mode].title if mode in MODES else mode) for mode, x in places.items())
    charts = []
    for column in table.ranked_columns:
        drawn = [
            (group, entries)
            for group in groups
            if len(entries := [entry for entry in group.entries if _has_figure(entry, column)]) > 1
        ]
        if not drawn:
            continue
        estimates = [entry.estimate(column) for _, entries in drawn for entry in entries]
        y = Axis.around((end for one in estimates for end in (one.value, one.low, one.high)), BOTTOM, TOP)
        lines = []
        for number, (group, entries) in enumerate(drawn):
            aside = 5.0 * (number - (len(drawn) - 1) / 2) if len(drawn) <= 8 else 0.0  # or intervals hide each other
            lines.append(
                (group, tuple(_point(entry, column, places[entry.facts.mode] + aside, y) for entry in entries))
            )
        heights = spread([points[-1].y for _, points in lines], 13)
        labelled = [Line(group.name, group.budget, points, y) for (group, points), y in zip(lines, heights)]
        charts.append(Slopes(column, y, stages, tuple(labelled)))
    return charts


def _point(entry: Entry, column: Column, x: float, y: Axis) -> Point:
    estimate = entry.estimate(column)
    ends = y.ends(estimate)
    return Point(entry, round(x, 1), y(estimate.value or 0.0), (x, x, *ends) if ends else ())


def _has_figure(entry: Entry, column: Column) -> bool:
    return entry.estimate(column).value is not None and not entry.has_words_for(column.metric)


def _groups(entries: Iterable[Entry]) -> Iterator[_Group]:
    """Yield what may be joined: the base model, if it is there, and runs in two modes or more at equal cost."""
    bases: dict[tuple[str, tuple[str, ...]], Entry] = {}
    trained: dict[tuple[str, str, tuple[str, ...]], list[Entry]] = {}  # by base model, organisation and prompts
    for entry in entries:
        model, prompts = entry.facts.model, tuple(entry.prompts)
        if entry.facts.mode == "base":
            bases.setdefault((model, prompts), entry)
        elif entry.facts.base and entry.facts.mode in MODES:
            trained.setdefault((entry.facts.base, organisation(model), prompts), []).append(entry)
    used: set[str] = set()
    for (base, who, prompts), runs in sorted(trained.items(), key=lambda item: item[0]):
        name = short_name(base) if who == organisation(base) else f"{short_name(base)} by {who}"
        name = f"{name} in {', '.join(prompts)}" if name in used else name
        used.add(name)
        start = bases.get((base, prompts))
        for budget, members in _at_equal_cost(runs):
            first: dict[str, Entry] = {} if start is None else {"base": start}
            for entry in members:
                first.setdefault(entry.facts.mode, entry)
            if len(first.keys() - {"base"}) > 1:
                yield _Group(name, budget, tuple(first[mode] for mode in ("base", *MODES) if mode in first))


def _at_equal_cost(runs: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Yield runs that were trained on equally much, and how much; last those whose budget is not recorded, with ""."""
    known = [(entry, budget) for entry in runs if (budget := entry.facts.origin.budget)]
    seen: list[set[str]] = []
    for unit in ("rows", "tokens"):
        ascending = sorted(known, key=lambda one: getattr(one[1], unit))
        while ascending:
            least = getattr(ascending[0][1], unit)
            equal = [one for one in ascending if getattr(one[1], unit) <= least * (1 + NEARLY)]
            ascending = ascending[len(equal) :]
            keys = {entry.key for entry, _ in equal}
            if not any(keys <= other for other in seen):
                seen.append(keys)
                yield f"{least:,} {unit} read", [entry for entry, _ in known if entry.key in keys]
    yield "", [entry for entry in runs if not entry.facts.origin.budget]


def organisation(model: str) -> str:
    """Return who trained a model, by its name."""
    return model.partition("/")[0]
