"""Exit statuses and the options that several commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dfar_bench.datasets import DATASETS
from dfar_bench.errors import InputError
from dfar_bench.scoring.estimate import MAX_RESAMPLES, MIN_RESAMPLES

FINE, FALLS_SHORT, BAD_INPUT = 0, 1, 2
"""Exit statuses: fine; what was checked falls short; bad usage or unreadable input."""


def new_family(summary: str) -> typer.Typer:
    """Make an app for one family of commands."""
    return typer.Typer(help=summary, add_completion=False, rich_markup_mode=None)


def print_json(document: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(document, indent=2, allow_nan=False))


def warn_of_differences(metrics: Sequence[str]) -> None:
    """Name metrics, behind their tasks, for which lm_eval had printed other values."""
    if metrics:
        names = ", ".join(metrics)
        reason = "the samples were changed, or scored by another version"
        print(f"dfar-bench: lm_eval printed other values for {names}: {reason}.", file=sys.stderr)


def check_resamples(number: int) -> int:
    """Check the value of ``--resamples``.

    Raises:
        InputError: too few or too many.
    """
    if number and not MIN_RESAMPLES <= number <= MAX_RESAMPLES:
        raise InputError(f"--resamples {number} must be 0, or a whole number from {MIN_RESAMPLES} to {MAX_RESAMPLES}.")
    return number


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
JudgeName = Annotated[
    str, typer.Option("--judge", metavar="NAME", help="The judge of the reasons (default: the one the tasks use).")
]
Resamples = Annotated[
    int, typer.Option(metavar="N", callback=check_resamples, help="Resamples of the bootstrap; 0: no intervals.")
]
Samples = Annotated[list[Path], typer.Argument(metavar="PATH", help="Samples files, or folders of them.")]
Split = Annotated[str, typer.Option(metavar="NAME", help=f"The data set: {', '.join(DATASETS)}.")]
