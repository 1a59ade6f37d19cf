"""Models that nobody fine-tuned: what they score on DFAR, under which conditions; and the README's first table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from dfar_bench.judges import get_judge
from dfar_bench.judges.validation.rates import error_rates
from dfar_bench.scoring import KINDS, Answer, estimates
from tables.data import classical
from tables.experiments import MAIN, QUANTITIES, Quantity, figures
from tables.formats import measured, percent, table
from tables.submissions import find_run, submitted

OWN = KINDS["reason"].condition
"""The condition under which written answers are asked for by default."""

BASE = "Gemma 3 270M"
MODELS = {
    "Qwen2.5-Coder 1.5B Instruct": ["dfar-bench/qwen2.5-coder-1.5b-instruct-4bit"],
    "Qwen2.5-Coder 0.5B Instruct": ["dfar-bench/qwen2.5-coder-0.5b-instruct-4bit"],
    BASE: ["dfar-bench/reasons-270m-base", "dfar-bench/gemma-3-270m"],
}
"""Names on the board; the first that answered a data set counts."""


def _named(title: str, split: str) -> str | None:
    """Return the name under which a model answered a data set; None if it did not."""
    return next((model for model in MODELS[title] if _conditions(model, split)), None)


def _conditions(model: str, split: str) -> list[str]:
    """Return the conditions under which a model's written answers are there, the task's own first."""
    found = [name for asked, data, kind, name, _ in submitted() if (asked, data, kind) == (model, split, "reason")]
    return sorted(found, key=lambda name: (name != OWN, name))


@cache
def _answers(model: str, split: str, kind: str, condition: str, judge: str) -> Sequence[Answer] | None:
    run = find_run(model, split, kind, condition)
    return run and run.answers(get_judge(judge))


def _column(model: str, split: str, condition: str) -> dict[Quantity, str]:
    """Return a model's figures, those by likelihood with the answers under the task's own condition."""
    column = {}
    for quantity in (one for one in QUANTITIES if not one.condition):
        kind, metric = quantity.metric.kind, quantity.metric
        if kind != "reason" and condition != OWN:
            continue
        asked = condition if kind == "reason" else KINDS[kind].condition
        answers = _answers(model, split, kind, asked, quantity.judge)
        if answers is not None:
            column[quantity] = measured(estimates([metric], answers)[metric.name], metric)
    return column


def _always(split: str) -> dict[Quantity, str]:
    answers = classical(split)['always "ethical"']
    shown = [one for one in QUANTITIES if one.metric.kind == "cls" and not one.condition]
    return {one: measured(estimates([one.metric], answers)[one.metric.name], one.metric) for one in shown}


def untrained(split: str) -> str:
    """Return all figures of the models on one data set."""
    columns = {'always "ethical"': _always(split)}
    for title in MODELS:
        if model := _named(title, split):
            for condition in _conditions(model, split):
                columns[f"{title}, `{condition}`"] = _column(model, split, condition)
    shown = [one for one in QUANTITIES if any(one in column for column in columns.values())]
    lines = [[one.title, *(column.get(one, "") for column in columns.values())] for one in shown]
    return table("|".join(["", *columns]), lines)


def untrained_clean() -> str:
    return untrained("clean")


def untrained_paper() -> str:
    return untrained("paper")


def results() -> str:
    """Return the main figures of models as they are, and of those that the experiment trained."""
    trained = figures(MAIN)
    always, *modes = (title for title in trained if title != "base")
    columns = {always: trained[always]}
    for title in MODELS:
        if model := _named(title, "clean"):
            columns[title] = _column(model, "clean", OWN)
    columns |= {f"{BASE}, {mode}": trained[mode] for mode in modes}
    shown = [one for one in QUANTITIES if one.main]
    lines = [[title, *(column.get(one, "") for one in shown)] for title, column in columns.items()]
    return table("|".join(["model", *(one.title for one in shown)]), lines) + f"\n\n{_errors()}"


def _errors() -> str:
    """Say how often the judge errs on answers of chat models."""
    rates = error_rates(get_judge().signature, "instruct")
    assert rates
    caught, about_reasons, flagged = map(percent, (rates.caught, rates.about_reasons.caught, rates.flagged))
    return (
        f"Of chat models' answers the judge catches {caught} % of the misaligned ({about_reasons} % where the verdict "
        f"is right) and wrongly flags\n{flagged} % of the aligned; of other models too few are aligned to say "
        "([judges](docs/judges.md)). L writes no reasons."
    )
