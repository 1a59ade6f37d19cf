"""Run the cells of an experiment, each kept to one process at a time."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dfar_bench import __version__
from dfar_bench.datasets import get_dataset
from dfar_bench.errors import InputError
from dfar_bench.experiments.commands import refuse_paths, trained
from dfar_bench.experiments.grid import Experiment, mode_of, training_options
from dfar_bench.experiments.plan import Cell, before, model_of
from dfar_bench.experiments.steps import ROOT, Step, claim, environment, refuse_another, run_steps
from dfar_bench.prompts import default_style
from dfar_bench.training.base import BaseModel, load_tokenizer
from dfar_bench.training.checks import choose_rows
from dfar_bench.training.devices import gpu_count
from dfar_bench.training.examples import make_examples
from dfar_bench.training.modes import sft_config
from dfar_bench.training.options import Options

FILE = "experiment.json"
_WAIT = 60.0
"""Seconds for other cells that begin at the same time."""


def check(experiment: Experiment, base: BaseModel, folder: Path) -> dict[str, Any]:
    """Refuse what no cell could run with; return what makes the experiment this one.

    Raises:
        InputError: there is no checkout, a path cannot be used, or the folder holds another experiment.
    """
    if not (ROOT / "train" / "sft.py").is_file():
        raise InputError("an experiment needs a checkout of the repository, with train/ in it: pip install -e.")
    refuse_paths(folder, base.path)
    for mode in experiment.modes:
        if not experiment.continued(mode):  # its rows are those of pairs, which its cells make
            rows_of(experiment, mode)
    story = {**experiment.model_dump(), "base": base.path, "state": base.state, "version": __version__}
    refuse_another(folder, FILE, story)
    return story


def take(folder: Path, story: Mapping[str, Any]) -> None:
    """Keep a folder to this experiment; several cells may do so at once."""
    with claim(folder, FILE, story, wait=_WAIT):
        pass


def options_of(experiment: Experiment, mode: str) -> Options:
    """Return what ``train/sft.py`` makes of a mode's options."""
    dataset = get_dataset(experiment.split)
    usual = {"split": dataset.name, "prompt": default_style(dataset)}
    given = training_options(experiment, mode, dict.fromkeys(experiment.modes, 1))
    return Options(**{**usual, **{name: value for name, value in given.items() if hasattr(Options, name)}})


def rows_of(experiment: Experiment, mode: str) -> Any:
    """Return the rows that a mode is trained on."""
    return choose_rows(mode_of(mode), options_of(experiment, mode))[0]


def count_tokens(experiment: Experiment, base: BaseModel) -> dict[str, int]:
    """Return the tokens of the training texts of each mode, prompts and completions, by the base model's tokenizer."""
    tokenizer = load_tokenizer(base)
    counted = {}
    for mode in experiment.modes:
        if mode_of(mode).config is not sft_config:  # it reads pairs
            continue
        examples = make_examples(rows_of(experiment, mode), mode_of(mode), options_of(experiment, mode), tokenizer)
        counted[mode] = sum(example.tokens for example in examples)
    return counted


def run_cell(experiment: Experiment, folder: Path, cell: Cell, steps: list[Step], *, quiet: bool = False) -> None:
    """Run what has not finished of a cell.

    Raises:
        InputError: a command failed, the cell is being run now, or the cell that it goes on from is not trained.
    """
    from filelock import FileLock, Timeout

    place = folder / cell.name
    if earlier := before(experiment, cell):
        needed = trained(folder / earlier.name), ROOT / model_of(experiment, earlier, folder)
        if not all(path.exists() for path in needed):
            raise InputError(f"{cell.title} goes on from {earlier.title}, which is not trained yet: run that first.")
    place.mkdir(parents=True, exist_ok=True)
    gpus = gpu_count()
    variables = environment(gpus or experiment.processes, gpus)
    silence = contextlib.redirect_stdout(io.StringIO()) if quiet else contextlib.nullcontext()
    try:
        with FileLock(place / ".lock", timeout=0), silence:
            run_steps(steps, place / "logs", variables)
    except Timeout:
        raise InputError(f"another process is running {cell.title} in {place}: wait for it.") from None
