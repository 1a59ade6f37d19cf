"""An experiment: a grid of modes and seeds on one base model, with equal budgets, from a YAML file.

``examples`` gives every mode the same number of examples: the same rows, as often. ``tokens`` gives every mode as many
tokens through the model, prompt and completion, as the mode that reads most in ``epochs``; the others run longer.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dfar_bench.datasets import DATASETS, get_dataset
from dfar_bench.errors import InputError
from dfar_bench.scoring import KINDS
from dfar_bench.training.modes import MODES

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Option = bool | int | float | str | list[str]


class Experiment(BaseModel):
    """What a file says.

    Attributes:
        name: of the folder and of the models on the board.
        base: the model that all begin with: a folder, or a name on the Hub.
        split: the data set, whose train rows are trained on and whose test rows are scored.
        modes: the ways of training that are compared, each with the first.
        epochs: over the train rows; under ``tokens``, of the mode that reads most.
        options: of ``train/sft.py``, for all modes.
        of_mode: more of them, by mode; an unequal budget is said so by these, such as ``num_train_epochs``.
        launch: of ``accelerate launch``.
        kinds: the tasks that are scored.
        model_args, score: of ``lm_eval``.
        score_base: whether the base model is scored as well.
        organisation: of submissions; "" for none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    base: str
    split: str
    modes: Annotated[list[str], Field(min_length=1)]
    seeds: Annotated[list[int], Field(min_length=1)]
    epochs: Annotated[float, Field(gt=0)] = 1.0
    budget: Literal["examples", "tokens"] = "examples"
    options: dict[str, Option] = {}
    of_mode: dict[str, dict[str, Option]] = {}
    launch: list[str] = []
    kinds: list[str] = []
    model_args: str = "dtype=float32"
    score: dict[str, Option] = {"batch_size": 16}
    score_base: bool = True
    organisation: Name | Literal[""] = ""

    @model_validator(mode="after")
    def _check(self) -> Experiment:
        if self.split not in DATASETS:
            raise ValueError(f"there is no data set {self.split}")
        for mode in (*self.modes, *self.of_mode):
            if mode not in MODES:
                raise ValueError(f"there is no mode {mode}: choose among {', '.join(MODES)}")
            if self.split not in MODES[mode].splits:
                raise ValueError(f"the mode {mode} cannot be trained on {self.split}")
        for what, values in (("modes", self.modes), ("seeds", self.seeds)):
            if len(set(values)) < len(values):
                raise ValueError(f"{what} names one twice")
        if unknown := set(self.kinds) - set(get_dataset(self.split).kinds):
            raise ValueError(f"{self.split} has no tasks of the kind {min(unknown)}")
        if fixed := {"mode", "split", "seed", "output_dir", "model_name_or_path"} & {
            name for options in (self.options, *self.of_mode.values()) for name in options
        }:
            raise ValueError(f"the option {min(fixed)} follows from the grid: leave it out")
        return self

    @property
    def tasks(self) -> list[str]:
        """The tasks of lm_eval that are scored."""
        dataset = get_dataset(self.split)
        return [dataset.task_name(kind) for kind in self.kinds or dataset.kinds if kind in KINDS]


def read_experiment(file: Path) -> Experiment:
    """Read an experiment.

    Raises:
        InputError: names the file and what is wrong in it.
    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}): name a YAML file.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(document, dict):
        raise InputError(f"{file} is to hold fields such as name, base, split, modes and seeds.")
    try:
        return Experiment.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise InputError(f"{file}: {f'{where}: ' if where else ''}{reason}.") from None


def training_options(experiment: Experiment, mode: str, tokens: dict[str, int]) -> dict[str, Any]:
    """Return the options of a mode's trainings, the budget among them.

    Args:
        tokens: of the training texts by mode; only for an equal number of tokens.
    """
    epochs = experiment.epochs
    if experiment.budget == "tokens":
        epochs = round(epochs * max(tokens.values()) / tokens[mode], 4)
    own = {"num_train_epochs": int(epochs) if math.isclose(epochs, int(epochs)) else epochs}
    return {**own, **experiment.options, **experiment.of_mode.get(mode, {})}
