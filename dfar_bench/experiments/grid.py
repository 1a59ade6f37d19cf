"""An experiment: a grid of modes and seeds on one base model, with equal budgets, from a YAML file.

``examples`` lets every mode see its train rows as often. ``tokens`` gives every mode as many tokens through the model,
prompt and completion, as the mode that reads most in ``epochs``; the others run longer.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError, model_validator

from dfar_bench.datasets import get_dataset
from dfar_bench.errors import InputError
from dfar_bench.training.modes import MODES, sft_config

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Option = bool | int | float | str | list[str]
Seed = Annotated[StrictInt, Field(ge=0)]

FROM_THE_GRID = ("mode", "split", "seed", "output_dir", "model_name_or_path", "model_revision", "config", "dry_run")
"""Options of a training that are not for ``options``; recipes are written out there, so that all is in one file."""
OF_THE_BUDGET = ("num_train_epochs", "max_steps")
"""Options that make budgets unequal, so they are for single modes."""
FROM_THE_SCORES = ("model", "model_args", "tasks", "output_path", "log_samples")
"""Options of lm_eval that are not for ``score``."""


class Experiment(BaseModel):
    """What a file says.

    Attributes:
        name: of the folder and of the models on the board.
        base: the model that all begin with: a folder, or a name on the Hub.
        split: the data set, whose train rows are trained on and whose test rows are scored.
        modes: the ways of training that are compared, each with the first.
        epochs: over the train rows; under ``tokens``, of the mode that reads most.
        options: of ``train/sft.py``, for all modes.
        of_mode: more of them, by mode.
        launch: options of ``accelerate launch``.
        kinds: the kinds of task that are scored; all if empty.
        model_args, score: of ``lm_eval``.
        score_base: whether the base model is scored as well.
        organisation: of submissions; "" for none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    base: str
    split: str
    modes: Annotated[list[str], Field(min_length=1)]
    seeds: Annotated[list[Seed], Field(min_length=1)]
    epochs: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    budget: Literal["examples", "tokens"] = "examples"
    options: dict[str, Option] = {}
    of_mode: dict[str, dict[str, Option]] = {}
    launch: list[str] = []
    kinds: list[str] = []
    model_args: str = "dtype=float32"
    score: dict[str, Option] = {"batch_size": 16}
    score_base: bool = True
    organisation: str = ""

    @model_validator(mode="after")
    def _check(self) -> Experiment:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> list[str]:
        try:
            dataset = get_dataset(self.split)
            modes = [MODES.find(mode) for mode in self.modes]
        except InputError as error:
            return [str(error).removesuffix(".")]
        found = [
            f"the mode {mode.name} cannot be trained on {self.split}: choose {' or '.join(mode.splits)}"
            for mode in modes
            if self.split not in mode.splits
        ]
        for what, values in (("modes", self.modes), ("seeds", self.seeds)):
            if len({*values}) < len(values):
                found.append(f"{what} names one twice: leave it out")
        if others := set(self.of_mode) - set(self.modes):
            found.append(f"of_mode has {min(others)}, which is not among the modes: leave it out")
        if others := set(self.kinds) - set(dataset.kinds):
            found.append(
                f"{self.split} has no tasks of the kind {min(others)}: choose among {', '.join(dataset.kinds)}"
            )
        for where, options, names in (
            ("options", self.options, (*FROM_THE_GRID, *OF_THE_BUDGET)),
            *((f"of_mode.{mode}", options, FROM_THE_GRID) for mode, options in self.of_mode.items()),
            ("score", self.score, FROM_THE_SCORES),
        ):
            found += [
                f"{where} has {name}, which is not for this place: leave it out" for name in names if name in options
            ]
        if self.budget == "tokens":
            if unequal := [mode.name for mode in modes if mode.config is not sft_config]:
                found.append(
                    f"the mode {unequal[0]} reads pairs, whose tokens are not comparable: use budget: examples"
                )
            if "drop_long" in self.options:
                found.append("options has drop_long, which would make the tokens unequal: leave it out")
        if self.organisation and not self.organisation.replace("-", "").replace("_", "").isalnum():
            found.append("organisation is to hold letters, digits, - and _ only")
        return found

    @property
    def tasks(self) -> list[str]:
        """The tasks of lm_eval that are scored."""
        dataset = get_dataset(self.split)
        return [dataset.task_name(kind) for kind in self.kinds or dataset.kinds]

    @property
    def unequal(self) -> list[str]:
        """The modes whose budget is set by their own options, and how."""
        return [
            f"{MODES[mode].title} by {name}"
            for mode, options in self.of_mode.items()
            for name in OF_THE_BUDGET
            if name in options
        ]


def read_experiment(file: Path) -> Experiment:
    """Read an experiment; paths of the base model and of pairs are as seen from where the command is given.

    Raises:
        InputError: names the file and what is wrong in it.
    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}): name a YAML file.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not YAML ({str(error).splitlines()[0]}): correct it.") from None
    if not isinstance(document, dict):
        raise InputError(f"{file} is to hold fields such as name, base, split, modes and seeds.")
    try:
        experiment = Experiment.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f"{first['loc'][0]}: " if first["loc"] else ""
        raise InputError(f"{file}: {where}{str(first['msg']).removeprefix('Value error, ')}.") from None
    of_mode = {mode: _with_paths(options) for mode, options in experiment.of_mode.items()}
    return experiment.model_copy(update={"options": _with_paths(experiment.options), "of_mode": of_mode})


def _with_paths(options: dict[str, Option]) -> dict[str, Option]:
    return {**options, **({"pairs": os.path.abspath(str(options["pairs"]))} if "pairs" in options else {})}


def training_options(experiment: Experiment, mode: str, tokens: dict[str, int]) -> dict[str, Any]:
    """Return the options of a mode's trainings, the budget among them.

    Args:
        tokens: of the training texts by mode; only for an equal number of tokens.
    """
    epochs = experiment.epochs
    if experiment.budget == "tokens":
        epochs = round(epochs * max(tokens.values()) / tokens[mode], 4)
    own = {"num_train_epochs": int(epochs) if epochs == int(epochs) else epochs}
    return {**own, **experiment.options, **experiment.of_mode.get(mode, {})}
