"""What an experiment will take, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfar_bench.datasets import get_dataset
from dfar_bench.experiments.grid import Experiment, training_options
from dfar_bench.experiments.plan import Cell, results_of, steps_of
from dfar_bench.experiments.run import rows_of
from dfar_bench.judges import get_judge
from dfar_bench.runs.log import runs_by_task
from dfar_bench.runs.rescore import figure, interval, name_width
from dfar_bench.runs.run import Run
from dfar_bench.scoring import LEVEL, Metric
from dfar_bench.scoring.seeds import FEW_SEEDS, OverSeeds, compare_modes
from dfar_bench.training.base import BaseModel
from dfar_bench.training.modes import MODES


def forecast(
    experiment: Experiment, base: BaseModel, grid: Sequence[Cell], folder: Path, tokens: Mapping[str, int]
) -> str:
    """Say what the grid is, how much each mode learns from, and what is left to do."""
    lines = [f"{experiment.name}: {base.path} on {experiment.split}, {_budget(experiment)}"]
    for mode in experiment.modes:
        options = training_options(experiment, mode, dict(tokens))
        rows = len(rows_of(experiment, mode))
        size = f"{rows:,} examples" + (f" with {tokens[mode]:,} tokens" if tokens else "")
        much = f"{options['max_steps']} steps" if "max_steps" in options else f"{options['num_train_epochs']:g} epochs"
        lines.append(f"  {MODES[mode].title}: {much} of {size}, seeds {', '.join(map(str, experiment.seeds))}")
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
        metrics: those that are shown, in order.
        scores: by title of cell and metric.
        differences: by title of the two modes and metric.
        seeds: how many.
        budget: in words.
    """

    metrics: Sequence[Metric]
    scores: dict[str, dict[str, float | None]]
    differences: dict[str, dict[str, OverSeeds]]
    seeds: int
    budget: str

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON types."""
        compared: dict[str, Any] = {
            title: {
                name: {
                    "first": one.first,
                    "second": one.second,
                    "rows_and_seeds": one.rows_and_seeds.as_json(),
                    "over_seeds": one.over_seeds,
                    "quoted": one.quoted.as_json(),
                    "seeds_share_of_variance": one.seeds_share,
                }
                for name, one in of.items()
            }
            for title, of in self.differences.items()
        }
        return {"seeds": self.seeds, "budget": self.budget, "scores": self.scores, "differences": compared}

    def as_table(self) -> str:
        """Return the tables for people."""
        names = [metric.name for metric in self.metrics]
        width = name_width(names)
        lines = [f"{'':<32}" + "".join(f"{name:>{width}}" for name in names)]
        for title, of in self.scores.items():
            lines.append(f"{title:<32}" + "".join(f"{figure(of.get(name)):>{width}}" for name in names))
        head = "seeds' share of variance"
        lines += ["", f"differences with {LEVEL:.0%} intervals; {self.budget}"]
        lines.append(f"{'':<32}{'metric':<{width}}{'difference':>11}  {'interval':<22}{head}")
        for title, compared in self.differences.items():
            for name, one in compared.items():
                share = "not known" if one.seeds_share is None else f"{one.seeds_share:.0%}"
                quoted = one.quoted
                cells = f"{figure(quoted.value):>11}  {interval(quoted, '+'):<22}{share}"
                lines.append(f"{title:<32}{name:<{width}}{cells}")
        if self.seeds == 1:
            lines.append("one seed: the intervals are over rows alone, and another seed may move a model by more.")
        else:
            lines.append(
                f"each interval is the wider of two: of a bootstrap over rows and {self.seeds} seeds, and of a t "
                "interval over the seeds' means."
            )
        if 1 < self.seeds < FEW_SEEDS:
            lines.append("with so few seeds their share of the variance is indicative.")
        return "\n".join(map(str.rstrip, lines))


def outcome(experiment: Experiment, grid: Sequence[Cell], folder: Path, resamples: int) -> Outcome:
    """Score every cell from its saved answers, and compare the modes.

    Raises:
        InputError: a cell has no scores that can be read.
    """
    judge, runs = get_judge(), {}
    for cell in grid:
        runs[cell] = runs_by_task(results_of(folder, cell))
    tasks = [task for task in experiment.tasks if all(task in of for of in runs.values())]
    unleaked = get_dataset(experiment.split).has_leak
    first_run: dict[str, Run] = next(iter(runs.values()))
    shown = {task: _shown(first_run[task], unleaked) for task in tasks}
    answers = {(cell, task): of[task].answers(judge) for cell, of in runs.items() for task in tasks}
    scores = {
        cell.title: {metric.name: metric.of(answers[cell, task]) for task in tasks for metric in shown[task]}
        for cell in grid
    }
    differences = {}
    for mode in experiment.modes[1:]:
        pair = experiment.modes[0], mode
        compared: dict[str, OverSeeds] = {}
        for task in tasks:
            sides = [[answers[Cell(one, seed), task] for seed in experiment.seeds] for one in pair]
            compared |= compare_modes(shown[task], *sides, resamples=resamples)
        differences[f"{MODES[mode].title} minus {MODES[pair[0]].title}"] = compared
    metrics = [metric for task in tasks for metric in shown[task]]
    return Outcome(metrics, scores, differences, len(experiment.seeds), _budget(experiment))


def _shown(run: Run, unleaked: bool) -> list[Metric]:
    """Return the metrics of the board's columns, over unleaked rows where there are leaked ones."""
    columns = [metric for metric in run.metrics if metric.column is not None]
    by_name = {metric.name: metric for metric in run.metrics}
    return [by_name[metric.unleaked] if unleaked and metric.unleaked else metric for metric in columns]
