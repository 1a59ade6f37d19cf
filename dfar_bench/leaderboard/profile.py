"""Profiles: all that one model was scored on, data set by data set, placed for drawing.

A profile has no mean: its figures are of different things on different scales, and data sets share statements. It
reads what the tables hold and computes no figure of its own.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dfar_bench.datasets import DATASETS, Dataset
from dfar_bench.leaderboard.board import Table, condition_title, shots_text
from dfar_bench.leaderboard.charts import Axis
from dfar_bench.leaderboard.entries import Column, Entry, columns
from dfar_bench.leaderboard.reported import Reported
from dfar_bench.runs.across import Across, Shared, stored
from dfar_bench.scoring import Estimate, Metric, Signature

WIDTH = 100.0
"""Of a line, in per cent of its place on the page."""


@dataclass(frozen=True)
class Reference:
    """A figure to read others against, and whose it is."""

    name: str
    value: float


@dataclass(frozen=True, eq=False)
class Line:
    """One figure of a model.

    Attributes:
        lead: whether it is the first of its task.
        trivial: the best trivial baseline; the random one where neither direction is better.
        published: the best that was published of the same metric.
    """

    dataset: Dataset
    entry: Entry
    column: Column
    signature: Signature
    estimate: Estimate
    lead: bool
    trivial: Reference | None
    published: Reference | None

    @property
    def metric(self) -> Metric:
        return self.column.metric

    @property
    def condition(self) -> str:
        """What was asked for, in words."""
        return condition_title(self.signature.get("condition"))

    @property
    def asked(self) -> str:
        """How the question was put."""
        prompt, dtype = self.signature.get("prompt"), self.signature.get("dtype")
        rows = self.signature.get("rows").partition(".")[0].replace("/", " of ")
        return ", ".join(filter(None, [prompt, shots_text(self.signature), dtype, rows and f"{rows} rows"]))

    @property
    def values(self) -> list[float]:
        """All that is drawn of it."""
        references = [reference.value for reference in (self.trivial, self.published) if reference]
        drawn = (self.estimate.value, *(self.estimate.interval or ()), *references)
        return [value for value in drawn if value is not None]

    @cached_property
    def own_axis(self) -> Axis:
        """An axis with round ends around these values and 0, for a figure that is not a share."""
        low, high = min(0.0, *self.values), max(0.0, *self.values)
        step = 10.0 ** math.floor(math.log10((high - low) or 1.0))
        low, high = step * math.floor(low / step + 1e-9), step * math.ceil(high / step - 1e-9)
        return Axis(low, high if high > low else low + step, 0.0, WIDTH)


@dataclass(frozen=True)
class Profile:
    """What a model was scored on.

    Attributes:
        lines: in the order of data sets, columns and ways of asking.
        matrix: what our own data sets share.
    """

    model: str
    lines: tuple[Line, ...]
    matrix: Across

    @cached_property
    def scored(self) -> set[str]:
        """The names of its data sets."""
        return {line.dataset.name for line in self.lines}

    @property
    def missing(self) -> list[Dataset]:
        """Data sets of the moral suite that it was not scored on."""
        return [dataset for dataset in DATASETS.values() if dataset.suite and dataset.name not in self.scored]

    @cached_property
    def shared(self) -> list[Shared]:
        """The pairs of its data sets that share statements."""
        return self.matrix.dependent(self.scored)

    @cached_property
    def axis(self) -> Axis:
        """The axis of all shares, from 0 or, where some are negative, from a round share below."""
        values = [value for line in self.lines if line.metric.per_cent for value in line.values]
        return Axis(max(-1.0, math.floor(2 * min(0.0, *values, 0.0)) / 2), 1.0, 0.0, WIDTH)

    @property
    def ticks(self) -> list[tuple[float, int]]:
        """Places of round shares on that axis, and the shares in per cent."""
        step = 25 if self.axis.low == 0 else 50
        return [(self.axis(share / 100), share) for share in range(round(100 * self.axis.low), 101, step)]

    def grouped(self, *, lead: bool, shares: bool) -> list[tuple[Dataset, list[Line]]]:
        """Return its lines by data set: the leading or the other ones, of metrics that are shares or that are not."""
        groups: dict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            if line.lead == lead and line.metric.per_cent == shares:
                groups[line.dataset.name].append(line)
        return [(DATASETS[name], lines) for name, lines in groups.items()]

    def sharing(self, dataset: Dataset) -> list[str]:
        """Return the titles of its other data sets that share statements with one."""
        pairs = [(pair.first, pair.second) for pair in self.shared if dataset.name in (pair.first, pair.second)]
        return [DATASETS[second if first == dataset.name else first].title for first, second in pairs]


def profiles(tables: Mapping[str, Sequence[Table]], reported: Sequence[Reported]) -> Iterator[Profile]:
    """Yield the profile of every model in the tables, by name.

    Args:
        tables: as ``board.make_tables`` makes them.
        reported: published tables.
    """
    lines: dict[str, list[Line]] = defaultdict(list)
    for members in tables.values():
        order = columns(members[0].dataset)
        of_dataset = [
            line
            for table in members
            for entry in sorted((*table.ranked, *table.apart), key=lambda entry: (entry.facts.created, entry.key))
            for line in _lines(table, entry, reported)
        ]
        for line in sorted(of_dataset, key=lambda line: order.index(line.column)):
            lines[line.entry.facts.model].append(line)
    matrix = stored()
    for model, own in sorted(lines.items()):
        yield Profile(model, tuple(own), matrix)


def _lines(table: Table, entry: Entry, reported: Sequence[Reported]) -> Iterator[Line]:
    for kind, task in entry.tasks.items():
        own = [column for column in table.columns if column.metric.kind == kind]
        for column in own:
            estimate = entry.estimate(column)
            if estimate.value is not None:
                yield Line(
                    table.dataset,
                    entry,
                    column,
                    Signature.parse(task.signature),
                    estimate,
                    column == own[0],
                    _trivial(table, column),
                    _published(table.dataset, column.metric, reported),
                )


def _trivial(table: Table, column: Column) -> Reference | None:
    higher = column.metric.higher_is_better
    return _best(
        column.metric,
        (
            Reference(entry.facts.model, value)
            for entry in table.baselines
            if entry.status == "trivial"
            and (value := entry.estimate(column).value) is not None
            and (higher is not None or entry.facts.model == "random")
        ),
    )


def _published(dataset: Dataset, metric: Metric, reported: Sequence[Reported]) -> Reference | None:
    """Return the best published figure; none where no direction is better, or where another judge decided."""
    if metric.judged or metric.higher_is_better is None:
        return None
    return _best(
        metric,
        (
            Reference(f"{row.model} ({source.title})", row.figures[dataset.name][metric.name])
            for source in reported
            for row in source.rows
            if metric.name in row.figures.get(dataset.name, {})
        ),
    )


def _best(metric: Metric, references: Iterable[Reference]) -> Reference | None:
    sign = 1 if metric.higher_is_better else -1
    return max(references, key=lambda reference: sign * reference.value, default=None)
