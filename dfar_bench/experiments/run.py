"""Run the cells of an experiment, each kept to one process at a time."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from dfar_bench.datasets import get_dataset
from dfar_bench.errors import InputError, one_line
from dfar_bench.experiments.plan import Cell
from dfar_bench.experiments.steps import ROOT, Step, claim, environment, run_steps
from dfar_bench.training.modes import MODES

if TYPE_CHECKING:
    from dfar_bench.experiments.grid import Experiment


def prepare(experiment: Experiment, folder: Path, *, write: bool = True) -> dict[str, int]:
    """Check what all cells need, keep the folder to this experiment, and count the tokens of each mode.

    Raises:
        InputError: the folder holds another experiment, or there is no such model.
    """
    if not (ROOT / "train" / "sft.py").is_file():
        raise InputError("an experiment needs a checkout of the repository, with train/ in it: pip install -e.")
    if set(f"{folder}{experiment.base}") & set(",{"):
        raise InputError(f"lm_eval cannot read {folder} or {experiment.base}: choose paths without commas and braces.")
    if write:
        with claim(folder, "experiment.json", experiment.model_dump()):
            pass
    return count_tokens(experiment) if experiment.budget == "tokens" else {}


def count_tokens(experiment: Experiment) -> dict[str, int]:
    """Return the tokens of the training texts of each mode, prompts and completions, by the base model's tokenizer."""
    from transformers import AutoTokenizer

    from dfar_bench.experiments.grid import training_options
    from dfar_bench.prompts import default_style
    from dfar_bench.training.checks import choose_rows
    from dfar_bench.training.examples import make_examples
    from dfar_bench.training.options import Options

    try:
        tokenizer = AutoTokenizer.from_pretrained(experiment.base)
    except (OSError, ValueError) as error:
        raise InputError(f"the tokenizer of {experiment.base} cannot be loaded: {one_line(error)}") from None
    dataset, counted = get_dataset(experiment.split), dict[str, int]()
    usual = {"split": dataset.name, "prompt": default_style(dataset), "drop_leaked": dataset.has_leak}
    for mode in experiment.modes:
        given = training_options(experiment, mode, dict.fromkeys(experiment.modes, 1))
        ours = {name: value for name, value in given.items() if hasattr(Options, name)}
        options = Options(**{**usual, **ours})
        rows, _ = choose_rows(MODES[mode], options)
        counted[mode] = sum(len(e.input_ids) for e in make_examples(rows, MODES[mode], options, tokenizer))
    return counted


def run_cell(folder: Path, cell: Cell, steps: list[Step], *, quiet: bool = False) -> None:
    """Run what has not finished of a cell.

    Raises:
        InputError: a command failed, or the cell is being run now.
    """
    from filelock import FileLock, Timeout

    from dfar_bench.training.devices import gpu_count

    place = folder / cell.name
    place.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(place / ".lock", timeout=0), contextlib.redirect_stdout(io.StringIO() if quiet else None):
            run_steps(steps, place / "logs", environment(1, gpu_count()))
    except Timeout:
        raise InputError(f"another process is running {cell.title} in {place}: wait for it.") from None
