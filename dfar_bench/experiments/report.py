"""What an experiment will take, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfar_bench.datasets import get_dataset
from dfar_bench.errors import InputError
from dfar_bench.experiments.grid import Experiment, training_options
from dfar_bench.experiments.plan import Cell, results_of, steps_of
from dfar_bench.experiments.seeds import FEW_SEEDS, OverSeeds, compare_modes
from dfar_bench.judges import get_judge
from dfar_bench.runs.log import runs_by_task
from dfar_bench.runs.rescore import figure, interval
from dfar_bench.runs.run import Run
from dfar_bench.scoring import LEVEL, Metric
from dfar_bench.training.modes import MODES, train_rows
from dfar_bench.training.options import Options


def forecast(experiment: Experiment, grid: Sequence[Cell], folder: Path, tokens: Mapping[str, int]) -> str:
    """Say what the grid is, how much each mode learns from, and what is left to do."""
    lines = [f"{experiment.name}: {experiment.base} on {experiment.split}, equal number of {experiment.budget}"]
    for mode in experiment.modes:
        options = training_options(experiment, mode, dict(tokens))
        epochs = options["num_train_epochs"]
        size = f"{tokens[mode]:,} tokens" if tokens else _rows(experiment)
        lines.append(
            f"  {MODES[mode].title}: {epochs:g} epochs of {size}, seeds {', '.join(map(str, experiment.seeds))}"
        )
    lines.append("")
    for number, cell in enumerate(grid):
        steps = steps_of(experiment, cell, folder, tokens)
        left = [step for step in steps if not (step.makes and step.makes.exists())]
        state = "finished" if not left else f"{len(left)} of {len(steps)} commands left"
        lines.append(f"  cell {number:<3} {cell.title:<32} {state}")
    lines += ["", "The memory and steps of a training: train/sft.py with its options and --dry_run true."]
    return "\n".join(lines)


def _rows(experiment: Experiment) -> str:
    dataset = get_dataset(experiment.split)
    count = len(train_rows(Options(split=experiment.split, drop_leaked=dataset.has_leak)))
    return f"{count:,} examples{' without the leaked ones' if dataset.has_leak else ''}"


@dataclass(frozen=True)
class Outcome:
    """Scores by cell, and differences of each mode to the first over rows and seeds.

    Attributes:
        metrics: those that are shown, in order.
        scores: by title of cell and metric.
        differences: by title of the two modes and metric.
        seeds: how many.
    """

    metrics: Sequence[Metric]
    scores: dict[str, dict[str, float | None]]
    differences: dict[str, dict[str, OverSeeds]]
    seeds: int

    def as_json(self) -> str:
        """Return a JSON document."""
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
        return json.dumps({"seeds": self.seeds, "scores": self.scores, "differences": compared}, indent=2)

    def as_table(self) -> str:
        """Return the tables for people."""
        names = [metric.name for metric in self.metrics]
        lines = [f"{'':<32}" + "".join(f"{name:>22}" for name in names)]
        for title, of in self.scores.items():
            lines.append(f"{title:<32}" + "".join(f"{figure(of.get(name)):>22}" for name in names))
        lines += ["", f"differences with {LEVEL:.0%} intervals over rows and {self.seeds} seeds"]
        head = "seeds' share of variance"
        lines.append(f"{'':<32}{'metric':<14}{'difference':>11}  {'interval':<22}{head:>24}")
        for title, compared in self.differences.items():
            for name, one in compared.items():
                share = "not known" if one.seeds_share is None else f"{one.seeds_share:.0%}"
                quoted = one.quoted
                cells = f"{figure(quoted.value):>11}  {interval(quoted, '+'):<22}{share:>24}"
                lines.append(f"{title:<32}{name:<14}{cells}")
        if self.seeds == 1:
            lines.append("one seed: the intervals are over rows alone, and another seed may move a model by more.")
        elif self.seeds < FEW_SEEDS:
            lines.append(
                f"fewer than {FEW_SEEDS} seeds: each interval is the wider of two, of a bootstrap and of a t interval "
                "over the seeds' means; the share of variance is indicative."
            )
        return "\n".join(map(str.rstrip, lines))


def outcome(experiment: Experiment, grid: Sequence[Cell], folder: Path, resamples: int) -> Outcome:
    """Score every cell from its saved answers, and compare the modes.

    Raises:
        InputError: a cell has no scores.
    """
    judge, runs = get_judge(), {}
    for cell in grid:
        if not results_of(folder, cell).is_dir():
            raise InputError(f"{cell.title} has no results in {results_of(folder, cell)}: run the experiment first.")
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
    return Outcome([metric for task in tasks for metric in shown[task]], scores, differences, len(experiment.seeds))


def _shown(run: Run, unleaked: bool) -> list[Metric]:
    """Return the metrics of the board's columns, over unleaked rows where there are leaked ones."""
    columns = [metric for metric in run.metrics if metric.column is not None]
    by_name = {metric.name: metric for metric in run.metrics}
    return [by_name[metric.unleaked] if unleaked and metric.unleaked else metric for metric in columns]
