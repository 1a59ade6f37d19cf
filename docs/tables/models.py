"""Models that nobody fine-tuned: what they score on DFAR, under which conditions; and the README's first table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from textwrap import wrap

from dfar_bench.datasets import rows
from dfar_bench.judges import get_judge
from dfar_bench.judges.validation.rates import error_rates
from dfar_bench.scoring import KINDS, METRICS, Answer, estimates
from dfar_bench.scoring.seeds import compare_modes, mean_over_seeds
from tables.data import ALWAYS, classical
from tables.experiments import ACC, AUROC, LARGER, MAIN, MAR, QUANTITIES, VERDICT, Quantity, figures, modes_of, of_seeds
from tables.formats import measured, percent, table
from tables.submissions import answers_of, find_run, submitted

OWN = KINDS["reason"].condition
"""The condition under which written answers are asked for by default."""

DOMAINS = ("commonsense", "justice")

BASE = "Gemma 3 270M"
MODELS = {
    "Qwen2.5-Coder 1.5B Instruct": ["dfar-bench/qwen2.5-coder-1.5b-instruct-4bit"],
    "Qwen2.5-Coder 0.5B Instruct": ["dfar-bench/qwen2.5-coder-0.5b-instruct-4bit"],
    BASE: ["dfar-bench/reasons-270m-base", "dfar-bench/gemma-3-270m"],
}
"""Names on the board; the first that answered a data set counts."""
TRAINED = {MAIN: BASE, LARGER: "Qwen2.5-Coder 0.5B"}
"""What the experiments trained."""


def _named(title: str, split: str) -> str | None:
    """Return the name under which a model answered a data set; None if it did not."""
    return next((model for model in MODELS[title] if _conditions(model, split)), None)


def _conditions(model: str, split: str) -> list[str]:
    """Return the conditions under which a model's written answers are there, the task's own first."""
    found = [name for asked, data, kind, name, _ in submitted() if (asked, data, kind) == (model, split, "reason")]
    return sorted(found, key=lambda name: (name != OWN, name))


def _column(model: str, split: str, condition: str) -> dict[Quantity, str]:
    """Return a model's figures, those by likelihood with the answers under the task's own condition."""
    column = {}
    for quantity in (one for one in QUANTITIES if not one.condition):
        kind, metric = quantity.metric.kind, quantity.metric
        if kind != "reason" and condition != OWN:
            continue
        asked = condition if kind == "reason" else KINDS[kind].condition
        if find_run(model, split, kind, asked):
            answers = answers_of(model, split, kind, asked, quantity.judge)
            column[quantity] = measured(estimates([metric], answers)[metric.name], metric)
    return column


def _always(split: str) -> dict[Quantity, str]:
    answers = classical(split)[ALWAYS]
    shown = [one for one in QUANTITIES if one.metric.kind == "cls" and not one.condition]
    return {one: measured(estimates([one.metric], answers)[one.metric.name], one.metric) for one in shown}


def untrained(split: str) -> str:
    """Return all figures of the models on one data set."""
    columns = {ALWAYS: _always(split)}
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


def by_domain() -> str:
    """Return what models score on either domain of the clean split's test rows."""
    asked = [(quantity, domain) for quantity in (AUROC, VERDICT) for domain in DOMAINS]
    models: dict[str, Callable[[Quantity], list[Sequence[Answer]]]] = {
        **{title: partial(_untrained_answers, title) for title in MODELS},
        **{
            f"{base}, {title}": partial(of_seeds, name, mode)
            for name, base in TRAINED.items()
            for title, mode in modes_of(name).items()
        },
    }

    def figure(quantity: Quantity, domain: str, of: Callable[[Quantity], list[Sequence[Answer]]]) -> str:
        mean = mean_over_seeds([quantity.metric], _of_domain(domain, of(quantity)))
        return measured(mean[quantity.metric.name], quantity.metric)

    def difference(name: str, quantity: Quantity, domain: str) -> str:
        sides = (_of_domain(domain, of_seeds(name, mode, quantity)) for mode in ("l", "lr"))
        return measured(compare_modes([quantity.metric], *sides)[quantity.metric.name].difference, quantity.metric, "+")

    acc, constant = METRICS["acc"], classical("clean")[ALWAYS]
    always = [measured(estimates([acc], *_of_domain(domain, [constant]))["acc"], acc) for domain in DOMAINS]
    lines = [[ALWAYS, *("" for _ in DOMAINS), *always]]
    lines += [[title, *(figure(*each, of) for each in asked)] for title, of in models.items()]
    lines += [[f"{base}, L+R minus L", *(difference(name, *each) for each in asked)] for name, base in TRAINED.items()]
    return table("|".join(["model", *(f"{quantity.title}, {domain}" for quantity, domain in asked)]), lines)


def _of_domain(domain: str, of_seeds: Sequence[Sequence[Answer]]) -> list[Sequence[Answer]]:
    return [[answer for answer in of_seed if answer.row.domain == domain] for of_seed in of_seeds]


def _untrained_answers(title: str, quantity: Quantity) -> list[Sequence[Answer]]:
    model = _named(title, "clean") or sys.exit(f"{title} has no committed answers to the clean split.")
    return [answers_of(model, "clean", quantity.metric.kind, judge=quantity.judge)]


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


def in_a_paper() -> str:
    """Return an example of how to quote scores, with those of the largest model."""
    model = next(iter(MODELS))
    of_model, always = _column(_named(model, "clean") or "", "clean", OWN), _always("clean")
    judge = get_judge().signature
    rates = error_rates(judge, "instruct")
    assert rates
    verdicts, auroc, mar = (of_model[one].replace(" (", " % (95 % CI ") for one in (VERDICT, AUROC, MAR))
    text = (
        f"Of the written verdicts of {model} {verdicts} agree with the human label (DFAR, clean test set, "
        f"{len(rows('clean')['test'])} statements; {ALWAYS}: {always[ACC].split()[0]} %). AUROC is {auroc}. MAR is "
        f"{mar} by `{judge}`, which catches {percent(rates.caught)} % of chat models' misaligned answers and wrongly "
        f"flags {percent(rates.flagged)} % of the aligned ones, by model readings."
    )
    return "\n".join(f"> {line}" for line in wrap(text, 112, break_long_words=False, break_on_hyphens=False))


def _errors() -> str:
    """Say how often the judge errs on answers of chat models, and on reasons of fine-tuned ones."""
    judge = get_judge().signature
    rates, of_tuned = error_rates(judge, "instruct"), error_rates(judge, "fine-tuned")
    assert rates
    assert of_tuned
    caught, about_reasons, flagged = map(percent, (rates.caught, rates.about_reasons.caught, rates.flagged))
    bad = [found for found, is_bad in zip(of_tuned.about_reasons.found, of_tuned.about_reasons.misaligned) if is_bad]
    return (
        f"L writes no reasons. The judge catches {caught} % of chat models' misaligned answers ({about_reasons} % "
        f"where the verdict is\nright) and wrongly flags {flagged} % of the aligned ones. Of {len(bad)} bad reasons of "
        f"fine-tuned models it caught {sum(bad)} ([judges](docs/judges.md))."
    )
