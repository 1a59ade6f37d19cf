"""``experiment``: train a grid of modes and seeds, score all, and compare over rows and seeds."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dfar_bench.cli.options import FINE, AsJson, JudgeName, Resamples, print_json
from dfar_bench.errors import InputError
from dfar_bench.scoring import RESAMPLES

if TYPE_CHECKING:
    from dfar_bench.experiments.report import Outcome


def experiment(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The experiment; see docs/experiments.md.")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Default runs/NAME.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would take, and stop.")] = False,
    cell: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Run this cell alone, such as $SLURM_ARRAY_TASK_ID.")
    ] = None,
    submissions: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Print the tables of the answers in these submissions; run nothing."),
    ] = None,
    judge: JudgeName = "",
    resamples: Resamples = RESAMPLES,
    as_json: AsJson = False,
) -> int:
    """Train modes with several seeds and equal budgets, score all, and print differences over rows and seeds.

    Each cell of the grid is trained, merged, scored and, if the file names an organisation, submitted, with the
    commands that one would type, which are shown. What has finished is not run again, so an interrupted experiment
    goes on when it is started again. Cells may run at the same time, each by --cell.
    """
    from dfar_bench.experiments import report, run
    from dfar_bench.experiments.grid import read_experiment
    from dfar_bench.experiments.plan import cells, steps_of
    from dfar_bench.experiments.submitted import find_runs
    from dfar_bench.judges import DEFAULT_JUDGE, get_judge
    from dfar_bench.training.base import find_base

    about, reader = read_experiment(file), get_judge(judge or DEFAULT_JUDGE)
    if submissions:
        if out or dry_run or cell is not None:
            raise InputError("--submissions runs nothing: leave out --out, --dry-run and --cell.")
        there, grid, found = find_runs(about, submissions)
        _print(
            report.outcome(there, grid, lambda cell, asked: found[cell, asked.condition], reader, resamples), as_json
        )
        if left := [str(seed) for seed in about.seeds if seed not in there.seeds]:
            print(f"dfar-bench: left out, as not all is submitted: seeds {', '.join(left)}.", file=sys.stderr)
        return FINE
    folder, grid = Path(os.path.abspath(out or f"runs/{about.name}")), cells(about)
    if cell is not None and cell >= len(grid):
        raise InputError(f"--cell is {cell}, but there are {len(grid)} cells, counted from 0: see --dry-run.")
    base = find_base(about.base)
    story = run.check(about, base, folder)
    tokens = run.count_tokens(about, base) if about.counts_tokens else {}
    if dry_run:
        print(report.forecast(about, base, grid, folder, tokens))
        return FINE
    run.take(folder, story)
    for number, one in enumerate(grid):
        if cell in (None, number):
            run.run_cell(about, folder, one, steps_of(about, base, one, folder, tokens), quiet=as_json)
    if cell is None:
        _print(report.outcome(about, grid, report.runs_in(folder), reader, resamples), as_json)
    return FINE


def _print(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        print_json(outcome.as_json())
    else:
        print(f"\n{outcome.as_table()}")
