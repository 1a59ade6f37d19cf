"""What an experiment will take, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfar_bench.datasets import get_dataset, rows
from dfar_bench.experiments.grid import Asked, Experiment, title_of, training_options
from dfar_bench.experiments.plan import Cell, results_of, steps_of
from dfar_bench.experiments.run import rows_of
from dfar_bench.judges import Judge
from dfar_bench.runs.baselines import trivial_choices
from dfar_bench.runs.log import runs_by_task
from dfar_bench.runs.rescore import figure, interval, name_width
from dfar_bench.runs.run import Run
from dfar_bench.scoring import LEVEL, Metric
from dfar_bench.scoring.seeds import FEW_SEEDS, OverSeeds, compare_modes
from dfar_bench.training.base import BaseModel

ALSO = ("fnr", "brier")
"""Metrics beside those of the board's columns: what accuracy hides of a constant verdict, and of a certain model."""


def forecast(
    experiment: Experiment, base: BaseModel, grid: Sequence[Cell], folder: Path, tokens: Mapping[str, int]
) -> str:
    """Say what the grid is, how much each mode learns from, and what is left to do."""
    lines = [f"{experiment.name}: {base.path} on {experiment.split}, {_budget(experiment)}"]
    for mode in experiment.modes:
        options = training_options(experiment, mode, dict(tokens))
        if before := experiment.continued(mode):
            size = f"pairs of what {title_of(before)} writes"
        else:
            size = f"{len(rows_of(experiment, mode)):,} examples"
        size += f" with {tokens[mode]:,} tokens" if mode in tokens else ""
        much = f"{options['max_steps']} steps" if "max_steps" in options else f"{options['num_train_epochs']:g} epochs"
        lines.append(f"  {title_of(mode)}: {much} of {size}, seeds {', '.join(map(str, experiment.seeds))}")
    lines.append("")
    for number, cell in enumerate(grid):
        steps = steps_of(experiment, base, cell, folder, tokens)
        left = [step for step in steps if not (step.makes and step.makes.exists())]
        state = "finished" if not left else f"{len(left)} of {len(steps)} commands left"
        lines.append(f"  cell {number:<3} {cell.title:<32} {state}")
    lines += ["", "Steps and memory of a training: train/sft.py with the same options and --dry_run true."]
    return "\n".join(lines)


def _budget(experiment: Experiment) -> str:
    if experiment.unequal:
        return f"budgets that are not equal ({', '.join(experiment.unequal)})"
    return f"equal number of {experiment.budget}"


@dataclass(frozen=True)
class Outcome:
    """Scores by cell, and differences of each mode to the first over rows and seeds.

    Attributes:
        names: of metrics, in order, with the condition behind those that are asked under another than their own.
        scores: by title of cell, or of a constant verdict, and name of metric.
        differences: by title of the two modes and name of metric.
        judge: the signature of the judge of reasons.
        seeds: how many.
        budget: in words.
    """

    names: Sequence[str]
    scores: dict[str, dict[str, float | None]]
    differences: dict[str, dict[str, OverSeeds]]
    seeds: int
    budget: str
    judge: str

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON types."""
        compared: dict[str, Any] = {
            title: {
                name: {
                    "first": one.first,
                    "second": one.second,
                    "difference": one.difference.as_json(),
                    "seeds_share_of_variance": one.seeds_share,
                }
                for name, one in of.items()
            }
            for title, of in self.differences.items()
        }
        return {
            "seeds": self.seeds,
            "budget": self.budget,
            "judge": self.judge,
            "scores": self.scores,
            "differences": compared,
        }

    def as_table(self) -> str:
        """Return the tables for people."""
        names, width = self.names, name_width(self.names)
        lines = [f"{'':<32}" + "".join(f"{name:>{width}}" for name in names)]
        for title, of in self.scores.items():
            lines.append(f"{title:<32}" + "".join(f"{figure(of.get(name)):>{width}}" for name in names))
        head = "seeds' share of variance"
        lines += ["", f"differences with {LEVEL:.0%} intervals; {self.budget}; judge {self.judge}"]
        lines.append(f"{'':<32}{'metric':<{width}}{'difference':>11}  {'interval':<22}{head}")
        for title, compared in self.differences.items():
            for name, one in compared.items():
                share = "not known" if one.seeds_share is None else f"{one.seeds_share:.0%}"
                cells = f"{figure(one.difference.value):>11}  {interval(one.difference, '+'):<22}{share}"
                lines.append(f"{title:<32}{name:<{width}}{cells}")
        if self.seeds == 1:
            lines.append("one seed: the intervals are over rows alone, and another seed may move a model by more.")
        else:
            lines.append(f"the intervals are over rows and {self.seeds} seeds.")
        if 1 < self.seeds < FEW_SEEDS:
            lines.append("with so few seeds their share of the variance is indicative.")
        return "\n".join(map(str.rstrip, lines))


Runs = Callable[[Cell, Asked], Mapping[str, Run]]
"""Gives a cell's runs by task."""


def runs_in(folder: Path) -> Runs:
    """Return what reads the runs from an experiment's folder; it raises InputError if a cell has none to be read."""
    return lambda cell, asked: runs_by_task(results_of(folder, cell, asked))


def outcome(experiment: Experiment, grid: Sequence[Cell], read: Runs, judge: Judge, resamples: int) -> Outcome:
    """Score every cell from its saved answers, and compare the modes."""
    unleaked = get_dataset(experiment.split).has_leak
    scores: dict[str, dict[str, float | None]] = {}
    first, *others = experiment.modes
    titles = {mode: f"{title_of(mode)} minus {title_of(first)}" for mode in others}
    differences: dict[str, dict[str, OverSeeds]] = {title: {} for title in titles.values()}
    names: list[str] = []
    for asked in experiment.asked:
        condition, runs = asked.condition, {cell: read(cell, asked) for cell in grid}
        for task in asked.tasks:
            metrics = _shown(runs[grid[0]][task], unleaked)
            named = {metric.name: f"{metric.name}, {condition}" if condition else metric.name for metric in metrics}
            names += named.values()
            answers: dict[Cell, Sequence[Any]] = {cell: runs[cell][task].answers(judge) for cell in grid}
            shown = {**constant(runs[grid[0]][task], judge), **{cell.title: answers[cell] for cell in grid}}
            for title, given in shown.items():
                scores.setdefault(title, {}).update((named[metric.name], metric.of(given)) for metric in metrics)
            for mode in others:
                sides = [[answers[Cell(one, seed)] for seed in experiment.seeds] for one in (first, mode)]
                compared = compare_modes(metrics, *sides, resamples=resamples)
                differences[titles[mode]] |= {named[name]: one for name, one in compared.items()}
    return Outcome(names, scores, differences, len(experiment.seeds), _budget(experiment), judge.signature)


def _shown(run: Run, unleaked: bool) -> list[Metric]:
    """Return the metrics of the board's columns and ``ALSO``, over unleaked rows where there are leaked ones."""
    columns = [metric for metric in run.metrics if metric.column is not None or metric.name in ALSO]
    by_name = {metric.name: metric for metric in run.metrics}
    return [by_name[metric.unleaked] if unleaked and metric.unleaked else metric for metric in columns]


def constant(run: Run, judge: Judge) -> dict[str, Sequence[Any]]:
    """Return the most frequent verdict of the train rows as answers to all rows, where verdicts are chosen."""
    if run.task.kind.name != "cls":
        return {}
    dataset, (train, test) = run.task.dataset, (rows(run.task.dataset.name)[part] for part in ("train", "test"))
    always = trivial_choices(train, test, len(dataset.labels))["majority"]
    answered = {output.row.row_id for output in run.outputs}
    given: Sequence[Any] = run.task.kind.read([output for output in always if output.row.row_id in answered], judge)
    return {f'always "{dataset.labels[given[0].likeliest[0]]}"': given}
