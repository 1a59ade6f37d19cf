"""The committed submissions, and how the README shows the scores of one of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from dfar_bench.errors import InputError
from dfar_bench.judges import DEFAULT_JUDGE, get_judge
from dfar_bench.leaderboard.submission import find_submissions
from dfar_bench.leaderboard.verify import submitted_runs
from dfar_bench.runs.rescore import rescore_run
from dfar_bench.runs.run import Run
from dfar_bench.scoring import KINDS, Answer
from tables.formats import ROOT, fenced

SHOWN = "dfar-bench/qwen2.5-coder-1.5b-instruct-4bit"


@cache
def submitted() -> dict[tuple[str, str, str, str, bool], Run]:
    """Read the committed submissions: runs by model, data set, kind of task, condition, and whether asked as a chat."""
    folders, faults = find_submissions([ROOT / "leaderboard" / "submissions"])
    if faults:
        sys.exit(str(faults[0]))
    runs: dict[tuple[str, str, str, str, bool], Run] = {}
    for folder in folders:
        try:
            of_submission = submitted_runs(folder)
        except InputError as error:
            sys.exit(str(error))
        for run in of_submission.values():
            chat = run.signature(get_judge()).get("chat") != "no"
            key = (str(run.model), run.task.dataset.name, run.task.kind.name, run.condition.name, chat)
            if key in runs and (run.harness.dtype == runs[key].harness.dtype):
                sys.exit(f"{folder}: another submission has the same task, asked in the same way: which one counts?")
            if key not in runs or run.harness.dtype == "float32":  # in which ties hardly occur
                runs[key] = run
    return runs


def find_run(model: str, data: str, kind: str, condition: str = "", *, chat: bool | None = None) -> Run | None:
    """Return a committed run; None if there is none.

    Args:
        condition: if not the kind's own.
        chat: must be said where a model was asked under its chat template and without it.
    """
    asked = (model, data, kind, condition or KINDS[kind].condition)
    found = [run for (*key, as_chat), run in submitted().items() if (*key,) == asked and chat in (None, as_chat)]
    if len(found) > 1:
        sys.exit(f"{model} was asked {data} under its chat template and without it: say which run counts.")
    return found[0] if found else None


def the_run(model: str, data: str, kind: str, **more: Any) -> Run:
    """Return a committed run that a page needs; see ``find_run``."""
    run = find_run(model, data, kind, **more)
    return run or sys.exit(f"{model} has no committed answers to {data}.")


@cache
def answers_of(model: str, data: str, kind: str, condition: str = "", judge: str = DEFAULT_JUDGE) -> Sequence[Answer]:
    """Return the judged answers of a committed run that a page needs; see ``find_run``."""
    return the_run(model, data, kind, condition=condition).answers(get_judge(judge))


def rescored() -> str:
    run = the_run(SHOWN, "clean", "reason")
    lines = rescore_run(run, get_judge()).as_table().splitlines()
    wanted = ("metric", "mar ", "verdict_acc ", "the judge", "how often", "signature")
    return fenced("\n".join(line for line in lines if line.startswith(wanted)))


def signature() -> str:
    run = the_run(SHOWN, "clean", "reason")
    return fenced(str(run.signature(get_judge())))
