"""Findings, computed from the committed submissions."""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache
from typing import Any

from dfar_bench.datasets import get_dataset, rows
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.submission import find_submissions
from dfar_bench.leaderboard.verify import submitted_runs
from dfar_bench.runs.baselines import certain_choices
from dfar_bench.runs.rescore import rescore_run
from dfar_bench.runs.run import Run
from dfar_bench.scoring import KINDS, METRICS, Difference, Estimate, Metric, differences, estimates
from tables.formats import ROOT, estimated, fenced, table

MODELS = {
    "base": "dfar-bench/gemma-3-270m",
    "L": "dfar-bench/gemma-3-270m-l",
    "L, 1 epoch": "dfar-bench/gemma-3-270m-l-1-epoch",
    "L+R": "dfar-bench/gemma-3-270m-lr",
}
TESTED = {
    "paper, 311 unleaked": ("paper", True),
    "paper, all 500": ("paper", False),
    "clean, all 480": ("clean", False),
}
"""Names of sets of test rows: data set, and whether only unleaked rows count."""
SCORES = {
    "label prompt": ("cls", "label", "acc"),
    "reason prompt": ("cls", "reason", "acc"),
    "written verdict": ("reason", "reason", "verdict_acc"),
    "MAR": ("reason", "reason", "mar"),
}
"""Columns: kind of task, condition, metric."""
COMPARED = (
    ("L", "base", ("label prompt", "written verdict")),
    ("L+R", "base", ("label prompt", "written verdict", "MAR")),
    ("L+R", "L", ("label prompt", "written verdict", "MAR")),
    ("L+R", "L, 1 epoch", ("label prompt", "written verdict", "MAR")),
    ("L", "L, 1 epoch", ("label prompt", "written verdict")),
)


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


@cache
def answers(model: str, dataset: str, kind: str, condition: str) -> list[Any]:
    """Return a model's answers to the test rows."""
    return submitted()[MODELS[model], dataset, kind, condition].answers(get_judge())


def name_of(column: str, tested: str) -> str:
    """Return the name of a column's metric over some test rows."""
    metric = METRICS[SCORES[column][2]]
    return (TESTED[tested][1] and metric.unleaked) or metric.name


def needed(kind: str) -> list[Metric]:
    """Return the metrics of the tables of findings."""
    names = [name_of(column, tested) for column in SCORES for tested in TESTED if SCORES[column][0] == kind]
    return [METRICS[name] for name in dict.fromkeys(names)]


@cache
def estimates_of(model: str, dataset: str, kind: str, condition: str) -> dict[str, Estimate]:
    """Estimate all that the tables need of one run."""
    return estimates(needed(kind), answers(model, dataset, kind, condition))


def score(model: str, tested: str, column: str) -> str:
    """Return a cell of the table of scores."""
    return estimated(estimates_of(model, TESTED[tested][0], *SCORES[column][:2])[name_of(column, tested)])


@cache
def differences_of(dataset: str, kind: str, first: tuple[str, str], second: tuple[str, str]) -> dict[str, Difference]:
    """Compare two runs, named by model and condition, in all that the tables need."""
    sides = [answers(model, dataset, kind, condition) for model, condition in (first, second)]
    return differences(needed(kind), *sides)


def answered() -> list[tuple[str, str]]:
    """Return the pairs of test rows and model that there are answers of."""
    there = {(model, dataset) for model, dataset, _, _ in submitted()}
    return [(tested, model) for tested in TESTED for model in MODELS if (MODELS[model], TESTED[tested][0]) in there]


def always_ethical(tested: str) -> str:
    """Return the accuracy of calling every row ethical."""
    dataset, unleaked = TESTED[tested]
    test = rows(dataset)["test"]
    constant = KINDS["cls"].read(certain_choices(test, [0] * len(test), get_dataset(dataset)), get_judge())
    name = "acc_unleaked" if unleaked else "acc"
    return estimated(estimates([METRICS[name]], constant)[name])


def ties(model: str, tested: str) -> str:
    """Return how many rows are ties under the label prompt and under the reason prompt."""
    dataset, unleaked = TESTED[tested]
    tied = [
        sum(
            answer.tied and not (unleaked and answer.row.leaked) for answer in answers(model, dataset, "cls", condition)
        )
        for condition in ("label", "reason")
    ]
    return ", ".join(map(str, tied))


def results() -> str:
    shown = ("label prompt", "written verdict", "MAR")
    named = {"base": "Gemma 3 270M", "L": "L, 2 epochs", "L, 1 epoch": "L, 1 epoch", "L+R": "L+R, 1 epoch"}
    lines = [[title, *(score(model, "clean, all 480", column) for column in shown)] for model, title in named.items()]
    constant = ['always "ethical"', always_ethical("clean, all 480"), "", ""]
    return table("model|accuracy ↑|accuracy of the written verdict ↑|MAR ↓", [constant, *lines])


def rescored() -> str:
    run = submitted()[MODELS["L+R"], "clean", "reason", "reason"]
    lines = rescore_run(run, get_judge()).as_table().splitlines()
    wanted = ("metric", "mar ", "mar_self", "verdict_acc ", "the judge", "how often", "signature")
    return fenced("\n".join(line for line in lines if line.startswith(wanted)))


def signature() -> str:
    run = submitted()[MODELS["L+R"], "clean", "reason", "reason"]
    return fenced(str(run.signature(get_judge())))


def findings_scores() -> str:
    lines: list[list[str]] = []
    for tested, model in answered():
        if tested not in (line[0] for line in lines):
            constant = always_ethical(tested)
            lines.append([tested, 'always "ethical"', constant, constant, constant, "", ""])
        scores = (score(model, tested, column) for column in SCORES)
        lines.append([tested, model, *scores, ties(model, tested)])
    return table("test rows|model|" + "|".join(SCORES) + "|ties (label, reason prompt)", lines)


def findings_answers() -> str:
    lines = []
    for tested, model in answered():
        dataset, unleaked = TESTED[tested]
        written: list[Any] = [a for a in answers(model, dataset, "reason", "reason") if not (unleaked and a.row.leaked)]
        right = Counter(answer.code for answer in written if answer.credit == 1)
        aligned, repetitive, generic = (right.pop(code, 0) for code in ("aligned", "degenerate", "generic"))
        wrong = sum(answer.credit < 1 for answer in written)
        lines.append([tested, model, aligned, wrong, repetitive, generic, right.total()])
    head = "test rows|model|aligned|wrong or no verdict|right, repetitive|right, bare or generic|right, other fault"
    return table(head, lines)


def findings_differences() -> str:
    lines = []
    for tested in TESTED:
        models = [model for rows_, model in answered() if rows_ == tested]
        for second, first, columns in COMPARED:
            if {first, second} <= {*models}:
                for column in columns:
                    cell = difference(tested, first, second, column, column)
                    lines.append([tested, f"{second} minus {first}", column.replace("label prompt", "accuracy"), cell])
        for model in ("L", "L+R"):
            cell = difference(tested, model, model, "label prompt", "reason prompt")
            lines.append([tested, f"{model}: reason prompt minus label prompt", "accuracy", cell])
    return table("test rows|what|quantity|difference", lines)


def difference(tested: str, first: str, second: str, first_column: str, second_column: str) -> str:
    """Return a cell of the table of differences: a model's column minus another's."""
    kind, condition, _ = SCORES[first_column]
    sides = (first, condition), (second, SCORES[second_column][1])
    compared = differences_of(TESTED[tested][0], kind, *sides)
    return estimated(compared[name_of(first_column, tested)].estimate, "+")
