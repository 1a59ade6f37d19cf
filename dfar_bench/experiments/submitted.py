"""An experiment's answers in a tree of submissions, from which its tables can be computed again by anyone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from dfar_bench.errors import InputError
from dfar_bench.experiments.grid import Experiment
from dfar_bench.experiments.plan import Cell, cells, model_id_of
from dfar_bench.leaderboard.submission import find_submissions, model_folder
from dfar_bench.leaderboard.verify import submitted_runs
from dfar_bench.runs.run import Run

Found = Mapping[tuple[Cell, str], Mapping[str, Run]]
"""The runs of a cell under a condition, which is "" for the tasks' own, by task."""


def find_runs(experiment: Experiment, tree: Path) -> tuple[Experiment, list[Cell], Found]:
    """Read an experiment's submissions.

    Returns:
        The experiment with those of its seeds of which every mode is there, its cells, and their runs.

    Raises:
        InputError: the experiment names no organisation, a submission has a fault or answers a task that another one
            answers as well, or no seed is complete.
    """
    if not experiment.organisation:
        raise InputError("the experiment names no organisation, so it has no submissions: add one, and run it.")
    folders, faults = find_submissions([tree])
    if faults:
        raise InputError(f"{faults[0]}.")
    by_model = defaultdict(list)
    for folder in folders:
        by_model[folder.parent.name].append(folder)
    found: dict[tuple[Cell, str], dict[str, Run]] = {}
    for cell in cells(experiment):
        for folder in by_model[model_folder(model_id_of(experiment, cell.name))]:
            for task, run in submitted_runs(folder).items():
                own = run.condition.name == run.task.kind.condition
                runs = found.setdefault((cell, "" if own else run.condition.name), {})
                if task in runs:
                    raise InputError(f"{folder} has {task}, which another submission has as well: leave one in {tree}.")
                runs[task] = run

    def complete(cell: Cell) -> bool:
        return all({*asked.tasks} <= {*found.get((cell, asked.condition), ())} for asked in experiment.asked)

    there = [cell for cell in cells(experiment) if complete(cell)]
    seeds = [seed for seed in experiment.seeds if {Cell(mode, seed) for mode in experiment.modes} <= {*there}]
    if not seeds:
        raise InputError(f"{tree} has no seed of {experiment.name} with all of its modes: run the experiment first.")
    kept = experiment.model_copy(update={"seeds": seeds})
    return kept, [cell for cell in cells(kept) if cell in there], found
