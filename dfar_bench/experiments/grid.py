"""An experiment: a grid of modes and seeds on one base model, with equal budgets, from a YAML file.

``examples`` lets every mode see its train rows as often. ``tokens`` gives every mode as many tokens through the model,
prompt and completion, as the mode that reads most in ``epochs``; the others run longer. A mode may have a budget of its
own: ``l@tokens`` beside ``l`` and ``lr`` is L with as many tokens as L+R.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictInt, TypeAdapter, ValidationError, model_validator

from dfar_bench.datasets import Dataset, get_dataset
from dfar_bench.errors import InputError
from dfar_bench.leaderboard.fields import ModelId
from dfar_bench.prompts import find_condition
from dfar_bench.scoring import KINDS
from dfar_bench.training.modes import MODES, Mode, sft_config

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Option = bool | int | float | str | list[str]
Seed = Annotated[StrictInt, Field(ge=0)]

Budget = Literal["examples", "tokens"]
BUDGETS: tuple[str, ...] = get_args(Budget)
FROM_THE_GRID = ("mode", "split", "seed", "output_dir", "model_name_or_path", "model_revision", "config", "dry_run")
"""Options of a training that are not for ``options``; recipes are written out there, so that all is in one file."""
OF_THE_BUDGET = ("num_train_epochs", "max_steps")
"""Options that make budgets unequal, so they are for single modes."""
FLOAT32 = "dtype=float32"
FROM_THE_SCORES = ("model", "model_args", "tasks", "output_path", "log_samples", "metadata")
"""Options of lm_eval that are not for ``score``."""
FROM_THE_CELL = ("model", "out", "split", "drop-leaked", "seed")
"""Options of ``dfar-bench pairs`` that are not for ``pairs``."""


def mode_of(name: str) -> Mode:
    """Return the mode that an entry of ``modes`` names, with or without a budget.

    Raises:
        InputError: there is no such mode or budget.
    """
    mode, at, budget = name.partition("@")
    if at and budget not in BUDGETS:
        choice = " or ".join(f"{mode}@{name}" for name in BUDGETS)
        raise InputError(f"there is no budget {budget!r}: write {choice}.")
    return MODES.find(mode)


def title_of(name: str) -> str:
    """Return an entry of ``modes`` for people, such as "L, equal tokens"."""
    _, at, budget = name.partition("@")
    return f"{mode_of(name).title}, equal {budget}" if at else mode_of(name).title


class Asked(NamedTuple):
    """What one run of lm_eval asks a model.

    Attributes:
        kind: of the tasks; "" for all kinds together.
        condition: "" for the tasks' own.
        model_args: of lm_eval.
    """

    kind: str
    condition: str
    model_args: str
    tasks: list[str]

    @property
    def name(self) -> str:
        """Of the folder of its scores."""
        return "-".join(filter(None, ["results", self.kind, self.condition]))

    @property
    def submission(self) -> tuple[str, str]:
        """The condition, and ``model_args`` without the dtype: what is the same for all answers of a submission."""
        args = [arg for arg in self.model_args.split(",") if not arg.startswith("dtype=")]
        return self.condition, ",".join(args)


class Experiment(BaseModel):
    """What a file says.

    Attributes:
        name: of the folder and of the models on the board.
        base: the model that all begin with: a folder, or a name on the Hub.
        split: the data set, whose train rows are trained on and whose test rows are scored.
        modes: the ways of training that are compared, each with the first; ``MODE`` or ``MODE@BUDGET``.
        epochs: over the train rows; under ``tokens``, of the mode that reads most.
        options: of ``train/sft.py``, for all modes.
        of_mode: more of them, by mode.
        pairs: options of ``dfar-bench pairs``, for a mode that goes on from another of the grid, with the same seed.
        launch: options of ``accelerate launch``.
        kinds: the kinds of task that are scored; all if empty.
        conditions: what a kind is asked under, where that is not its own condition alone.
        model_args, score: of ``lm_eval``; ``model_args`` may differ by kind of task.
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
    budget: Budget = "examples"
    options: dict[str, Option] = {}
    of_mode: dict[str, dict[str, Option]] = {}
    pairs: dict[str, Option] = {}
    launch: list[str] = []
    kinds: list[str] = []
    conditions: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    model_args: str | dict[str, str] = FLOAT32
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
            modes = [mode_of(mode) for mode in self.modes]
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
            ("pairs", {name.replace("_", "-"): value for name, value in self.pairs.items()}, FROM_THE_CELL),
        ):
            found += [
                f"{where} has {name}, which is not for this place: leave it out" for name in names if name in options
            ]
        if isinstance(self.model_args, dict) and (others := set(self.model_args) - set(self.kinds or dataset.kinds)):
            found.append(f"model_args has {min(others)}, which is not among the kinds: leave it out")
        found += self._problems_of_conditions(dataset)
        for number, mode in enumerate(modes):
            if mode.goes_on_from in self.modes[number:]:
                found.append(f"the mode {mode.name} goes on from {mode.goes_on_from}: name that one before it")
        if self.pairs and not any(map(self.continued, self.modes)):
            found.append("pairs are for a mode that goes on from another of the grid: name both, or leave pairs out")
        if self.counts_tokens:
            given = [mode for mode, name in zip(modes, self.modes) if self.by_tokens(name)]
            if unequal := [mode.name for mode in given if mode.config is not sft_config]:
                found.append(
                    f"the mode {unequal[0]} reads pairs, whose tokens are not comparable: use budget: examples"
                )
            if "drop_long" in self.options:
                found.append("options has drop_long, which would make the tokens unequal: leave it out")
        if self.organisation:
            try:
                TypeAdapter[str](ModelId).validate_python(f"{self.organisation}/{self.name}-base")
            except ValidationError:
                found.append(f"organisation is {self.organisation}, which cannot be part of a model's name: correct it")
        return found

    def _problems_of_conditions(self, dataset: Dataset) -> list[str]:
        for kind, names in self.conditions.items():
            if kind not in (self.kinds or dataset.kinds):
                return [f"conditions has {kind}, which is not among the kinds: leave it out"]
            try:
                found = [find_condition(name, dataset) for name in names]
            except InputError as error:
                return [str(error).removesuffix(".")]
            if several := [condition.name for condition in found if len(condition.turns) > 1]:
                return [f"conditions has {several[0]}, which lm_eval cannot ask, as it has several turns: leave it out"]
            if len({condition.name for condition in found}) < len(found):
                return [f"conditions of {kind} names one twice: leave it out"]
        return []

    @property
    def asked(self) -> list[Asked]:
        """What a model is asked: the kinds of task together, or each by itself if each has its own ``model_args``."""
        dataset, tasks = get_dataset(self.split), dict[tuple[str, str, str], list[str]]()
        for kind in self.kinds or dataset.kinds:
            own, apart = KINDS[kind].condition, isinstance(self.model_args, dict)
            args = self.model_args.get(kind, FLOAT32) if isinstance(self.model_args, dict) else self.model_args
            for name in self.conditions.get(kind, [own]):
                condition = find_condition(name, dataset).name
                key = (kind if apart else "", "" if condition == own else condition, args)
                tasks.setdefault(key, []).append(dataset.task_name(kind))
        return [Asked(*key, of_key) for key, of_key in tasks.items()]

    @property
    def processes(self) -> int:
        """How many processes train a model on a machine without GPUs."""
        said = dict(zip(self.launch, self.launch[1:])).get("--num_processes", "")
        return max(1, int(said)) if said.isdecimal() else 1

    def by_tokens(self, mode: str) -> bool:
        """Whether a mode of the grid is given tokens, and not examples."""
        return (mode.partition("@")[2] or self.budget) == "tokens"

    @property
    def counts_tokens(self) -> bool:
        """Whether any mode is given tokens."""
        return any(map(self.by_tokens, self.modes))

    def continued(self, mode: str) -> str:
        """Return the mode of the grid that a mode goes on from; "" if it begins with the base model."""
        before = mode_of(mode).goes_on_from
        return before if before in self.modes else ""

    def own_options(self, mode: str) -> dict[str, Option]:
        """Return the options of a mode's trainings, without those that the budget sets; leaked rows are left out."""
        usual = {"drop_leaked": True} if get_dataset(self.split).has_leak else {}
        return {**usual, **self.options, **self.of_mode.get(mode, {})}

    def has_adapter(self, mode: str) -> bool:
        """Whether a mode trains an adapter, which is merged before the model is used."""
        return self.own_options(mode).get("full") is not True

    @property
    def unequal(self) -> list[str]:
        """The modes whose budget is set by their own options, and how."""
        return [
            f"{title_of(mode)} by {name}"
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
        raise InputError(f"{file} must hold fields such as name, base, split, modes and seeds.")
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
        tokens: of the training texts by mode, of those that read texts; only where one is given tokens.
    """
    epochs = experiment.epochs
    if experiment.by_tokens(mode):
        epochs = round(epochs * max(tokens.values()) / tokens[mode], 4)
    own = {"num_train_epochs": int(epochs) if epochs == int(epochs) else epochs}
    return {**own, **experiment.own_options(mode)}
