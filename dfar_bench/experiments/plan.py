"""The commands of an experiment: train, merge, score and submit for each cell of the grid.

FOLDER/base/results           the base model's scores
FOLDER/MODE-SEED/             model, merged (of an adapter), results: a cell
FOLDER/submissions/, CELL/logs/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dfar_bench.datasets import get_dataset
from dfar_bench.experiments import commands
from dfar_bench.experiments.grid import Experiment, Option, training_options
from dfar_bench.experiments.steps import Step, typed
from dfar_bench.training.base import BaseModel
from dfar_bench.training.modes import MODES


@dataclass(frozen=True)
class Cell:
    """One training and its scores, or the base model's scores.

    Attributes:
        mode: a training mode, or ``base``.
        seed: None for the base model.
    """

    mode: str
    seed: int | None

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.mode if self.seed is None else f"{self.mode}-{self.seed}"

    @property
    def title(self) -> str:
        """For people."""
        return "base" if self.seed is None else f"{MODES[self.mode].title}, seed {self.seed}"


def cells(experiment: Experiment) -> list[Cell]:
    """Return the cells in the order in which they run: all modes with the first seed, then with the next."""
    trained = [Cell(mode, seed) for seed in experiment.seeds for mode in experiment.modes]
    return [*([Cell("base", None)] if experiment.score_base else []), *trained]


def results_of(folder: Path, cell: Cell) -> Path:
    """Return the folder of a cell's scores."""
    return folder / cell.name / "results"


def steps_of(
    experiment: Experiment, base: BaseModel, cell: Cell, folder: Path, tokens: Mapping[str, int]
) -> list[Step]:
    """Return the commands of a cell; all that they write is under ``folder``, an absolute path."""
    place, scored, title = folder / cell.name, base.path, cell.title
    dataset, steps = get_dataset(experiment.split), []
    revision = base.revision
    about = ["--mode", cell.mode]
    if cell.seed is not None:
        options = training_options(experiment, cell.mode, dict(tokens))
        words = ["accelerate", "launch", "--main_process_port", "0", *experiment.launch, "train/sft.py"]
        words += ["--mode", cell.mode, "--split", experiment.split, "--seed", str(cell.seed)]
        words += ["--model_name_or_path", base.path, *(["--model_revision", revision] if revision else [])]
        words += ["--drop_leaked", "true"] if dataset.has_leak and "drop_leaked" not in options else []
        steps.append(commands.train(title, [*words, *_for_trl(options)], place))
        trained = scored = typed(place / "model")
        if options.get("full") is not True:
            steps.append(commands.merge(title, place))
            scored = typed(place / "merged")
        revision = None
        about += ["--dfar-run", f"{trained}/dfar_run.json"]
        about += ["--base", _model_id(experiment, "base")] if experiment.score_base else []
    how = _for_lm_eval(experiment.score)
    steps.append(commands.score(title, scored, revision, experiment.tasks, how, place, experiment.model_args))
    if experiment.organisation:
        model_id, tree = _model_id(experiment, cell.name), folder / "submissions"
        step = commands.submit(title, scored, revision, model_id, about, place, tree)
        steps.append(step._replace(makes=place / ".submitted", mark=True))
    return steps


def _model_id(experiment: Experiment, name: str) -> str:
    return f"{experiment.organisation}/{experiment.name}-{name}"


def _for_trl(options: Mapping[str, Option]) -> list[str]:
    """Return options as they are typed for TRL, which wants a value for each."""
    words = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{name}", *(str(one).lower() if isinstance(one, bool) else str(one) for one in values)]
    return words


def _for_lm_eval(options: Mapping[str, Option]) -> list[str]:
    """Return options as they are typed for lm_eval, whose switches have no value."""
    words = []
    for name, value in options.items():
        if value is not False:
            values = [] if value is True else value if isinstance(value, list) else [value]
            words += [f"--{name}", *map(str, values)]
    return words
