"""``reproduce``: run a submission again and compare the answers."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from dfar_bench.cli.options import FALLS_SHORT, FINE
from dfar_bench.errors import InputError

OUTCOMES = Path("leaderboard/reproduced")


def reproduce(
    submission: Annotated[Path, typer.Argument(metavar="SUBMISSION", help="The folder of one submission.")],
    model: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The weights that were submitted, if they are local."),
    ] = None,
    device: Annotated[str | None, typer.Option(metavar="NAME", help="As in lm_eval, such as cuda:0 or cpu.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Run the commands, rather than print them only.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the answers go (default: runs/reproduce/MODEL/RUN).")
    ] = None,
    outcomes: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder of all outcomes.")] = OUTCOMES,
) -> int:
    """Run a submission again and compare the answers row by row.

    The commands are made of the submission's checked fields; one that names trust_remote_code, or any other argument
    of the model than its name, commit and precision, is refused. The outcome is written for the board, which shows it
    as a badge. Exit status 1 if it is not "reproduced": too many verdicts, or codes of the judge, differ.
    """
    from dfar_bench.experiments import commands
    from dfar_bench.experiments.steps import ROOT, Step, claim, environment, run_steps, typed
    from dfar_bench.files import atomic_write
    from dfar_bench.judges import get_judge
    from dfar_bench.leaderboard.reproduce import figures_text, outcome, plan
    from dfar_bench.leaderboard.reproduced import outcome_file
    from dfar_bench.runs.log import runs_by_task
    from dfar_bench.training.devices import gpu_count

    submission = Path(os.path.abspath(submission))
    place = Path(os.path.abspath(out or Path("runs/reproduce") / submission.parent.name / submission.name))
    commands.refuse_paths(place, model or "")
    planned = plan(submission, Path(os.path.abspath(model)) if model else None, device)
    if model is None and (ROOT / planned.submission.model.id).exists():
        raise InputError(f"{ROOT} has a folder {planned.submission.model.id}, which would be loaded: rename it.")
    steps = []
    for number, words in enumerate(planned.commands, start=1):
        done, answers = place / f"{number}.done", ["--output_path", typed(place / str(number))]
        steps.append(Step(f"Run {submission.name} again", [*words, *answers], makes=done, mark=True))
    if planned.unknown:
        print(f"not recorded, so left at lm_eval's defaults: {', '.join(planned.unknown)}")
    if not yes:
        for step in steps:
            print(shlex.join(step.words))
        print("nothing was run: add --yes to run this")
        return FINE
    story = {"submission": str(submission), "commands": [list(step.words) for step in steps]}
    with claim(place, "reproduce.json", story):
        run_steps(steps, place / "logs", environment(1, gpu_count()))
    result = outcome(submission, planned, runs_by_task(place), get_judge())
    file = outcomes / outcome_file(submission)
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(file, json.dumps(result.model_dump(), indent=1, allow_nan=False) + "\n")
    print(f"{figures_text(result)}\n{file}: written; the board shows it once it is merged")
    return FINE if result.holds else FALLS_SHORT
