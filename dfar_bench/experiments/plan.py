"""The commands of an experiment: train, merge, score and submit for each cell of the grid.

FOLDER/base/results           the base model's scores
FOLDER/MODE-SEED/             model, merged (of an adapter), results, results-[KIND-]CONDITION: a cell
FOLDER/submissions/, CELL/logs/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dfar_bench.experiments import commands
from dfar_bench.experiments.grid import Asked, Experiment, Option, mode_of, title_of, training_options
from dfar_bench.experiments.steps import Step, typed
from dfar_bench.training.base import BaseModel


@dataclass(frozen=True)
class Cell:
    """One training and its scores, or the base model's scores.

    Attributes:
        mode: an entry of the experiment's ``modes``, or ``base``.
        seed: None for the base model.
    """

    mode: str
    seed: int | None

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.mode if self.seed is None else f"{self.mode.replace('@', '-')}-{self.seed}"

    @property
    def title(self) -> str:
        """For people."""
        return "base" if self.seed is None else f"{title_of(self.mode)}, seed {self.seed}"


def cells(experiment: Experiment) -> list[Cell]:
    """Return the cells in the order in which they run: all modes with the first seed, then with the next."""
    trained = [Cell(mode, seed) for seed in experiment.seeds for mode in experiment.modes]
    return [*([Cell("base", None)] if experiment.score_base else []), *trained]


def results_of(folder: Path, cell: Cell, asked: Asked) -> Path:
    """Return the folder of a cell's scores."""
    return folder / cell.name / asked.name


def before(experiment: Experiment, cell: Cell) -> Cell | None:
    """Return the cell whose model a cell goes on from; None if it begins with the base model."""
    mode = cell.seed is not None and experiment.continued(cell.mode)
    return Cell(mode, cell.seed) if mode else None


def model_of(experiment: Experiment, cell: Cell, folder: Path) -> str:
    """Return the folder of the model that a cell's training makes, ready to be loaded, as one would type it."""
    return typed(folder / cell.name / ("merged" if experiment.has_adapter(cell.mode) else "model"))


def steps_of(
    experiment: Experiment, base: BaseModel, cell: Cell, folder: Path, tokens: Mapping[str, int]
) -> list[Step]:
    """Return the commands of a cell; all that they write is under ``folder``, an absolute path."""
    place, scored, title = folder / cell.name, base.path, cell.title
    steps: list[Step] = []
    revision, submitted_base = base.revision, "base" if experiment.score_base else ""
    about = ["--mode", "base"]
    if cell.seed is not None:
        mode = mode_of(cell.mode).name
        about = ["--mode", mode]
        options = training_options(experiment, cell.mode, dict(tokens))
        words = ["accelerate", "launch", "--main_process_port", "0", *experiment.launch, "train/sft.py"]
        words += ["--mode", mode, "--split", experiment.split, "--seed", str(cell.seed)]
        if earlier := before(experiment, cell):
            begins, submitted_base = model_of(experiment, earlier, folder), earlier.name
            steps.append(_pairs(experiment, cell, begins, place, options))
            words += ["--model_name_or_path", begins, "--pairs", typed(place / "pairs.jsonl")]
        else:
            words += ["--model_name_or_path", base.path, *(["--model_revision", revision] if revision else [])]
        steps.append(commands.train(title, [*words, *_for_trl(options)], place))
        scored, revision = model_of(experiment, cell, folder), None
        if experiment.has_adapter(cell.mode):
            steps.append(commands.merge(title, place))
        about += ["--dfar-run", f"{typed(place / 'model')}/dfar_run.json"]
        about += ["--base", model_id_of(experiment, submitted_base)] if submitted_base else []
    together: dict[tuple[str, str], list[Path]] = {}
    for asked in experiment.asked:
        how, results = _for_lm_eval(experiment.score), results_of(folder, cell, asked)
        how += ["--metadata", json.dumps({"condition": asked.condition})] if asked.condition else []
        what = _named(title, asked.kind, asked.condition)
        steps.append(commands.score(what, scored, revision, asked.tasks, how, results, asked.model_args))
        together.setdefault(asked.submission, []).append(results)
    if experiment.organisation:
        model_id, tree = model_id_of(experiment, cell.name), folder / "submissions"
        for (condition, _), of_submission in together.items():
            what, mark = _named(title, "", condition), "+".join(results.name for results in of_submission)
            step = commands.submit(what, scored, revision, model_id, about, of_submission, tree)
            steps.append(step._replace(makes=place / f".submitted-{mark}", mark=True))
    return steps


def _named(title: str, kind: str, condition: str) -> str:
    return ", ".join(filter(None, [title, kind, condition and f"asked for {condition}"]))


def _pairs(experiment: Experiment, cell: Cell, model: str, place: Path, options: Mapping[str, Option]) -> Step:
    """Make pairs of answers with the model that a cell goes on from, of the rows and in the style of its training."""
    words = ["dfar-bench", "pairs", "--model", model, "--split", experiment.split, "--seed", str(cell.seed)]
    words += ["--drop-leaked"] if options.get("drop_leaked") else []
    style = {name: value for name, value in options.items() if name == "prompt"}
    for name, value in {**style, **experiment.pairs}.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    pairs = place / "pairs.jsonl"  # written at the end; its answers, which lie beside it, let it go on
    return Step(f"Make pairs for {cell.title}", [*words, "--out", typed(pairs)], makes=pairs)


def model_id_of(experiment: Experiment, name: str) -> str:
    """Return the name on the board of the model of a cell, which is given by its name."""
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
