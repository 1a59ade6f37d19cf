"""The committed submissions, and how the README shows the scores of one of them."""

from __future__ import annotations

import sys
from functools import cache

from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.submission import find_submissions
from dfar_bench.leaderboard.verify import submitted_runs
from dfar_bench.runs.rescore import rescore_run
from dfar_bench.runs.run import Run
from tables.formats import ROOT, fenced

FINE_TUNED = "dfar-bench/gemma-3-270m-lr"


@cache
def submitted() -> dict[tuple[str, str, str, str], Run]:
    """Read the committed submissions: runs by model, data set, kind of task and condition."""
    folders, faults = find_submissions([ROOT / "leaderboard" / "submissions"])
    if faults:
        sys.exit(str(faults[0]))
    runs: dict[tuple[str, str, str, str], Run] = {}
    for folder in folders:
        try:
            of_submission = submitted_runs(folder)
        except InputError as error:
            sys.exit(str(error))
        for run in of_submission.values():
            key = (str(run.model), run.task.dataset.name, run.task.kind.name, run.condition.name)
            if key in runs and (run.harness.dtype == runs[key].harness.dtype):
                sys.exit(f"{folder}: another submission has the same task, asked in the same way: which one counts?")
            if key not in runs or run.harness.dtype == "float32":  # in which ties hardly occur
                runs[key] = run
    return runs


def rescored() -> str:
    run = submitted()[FINE_TUNED, "clean", "reason", "reason"]
    lines = rescore_run(run, get_judge()).as_table().splitlines()
    wanted = ("metric", "mar ", "verdict_acc ", "the judge", "how often", "signature")
    return fenced("\n".join(line for line in lines if line.startswith(wanted)))


def signature() -> str:
    run = submitted()[FINE_TUNED, "clean", "reason", "reason"]
    return fenced(str(run.signature(get_judge())))
