"""Does training on reasons help? Means and differences over seeds, from the submissions of our own experiments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from dfar_bench.datasets import get_dataset
from dfar_bench.experiments.grid import Experiment, read_experiment, title_of
from dfar_bench.experiments.plan import Cell
from dfar_bench.experiments.report import constant
from dfar_bench.experiments.submitted import Found, find_runs
from dfar_bench.judges import DEFAULT_JUDGE, get_judge
from dfar_bench.runs.baselines import subsets
from dfar_bench.scoring import KINDS, METRICS, Metric, differences, estimates
from dfar_bench.scoring.seeds import OverSeeds, compare_modes, mean_over_seeds
from tables.data import by_seed
from tables.findings import submitted
from tables.forest import forest
from tables.formats import ROOT, estimated, measured, shown, table


class Quantity(NamedTuple):
    """A line of the tables: a metric, of answers under a condition which is "" for the task's own."""

    title: str
    metric: Metric
    condition: str = ""
    judge: str = DEFAULT_JUDGE


LENGTH = Metric("words", "reason", lambda answer: len(answer.case.response.split()), "Length", per_cent=False)
QUANTITIES = (
    Quantity("accuracy ↑", METRICS["acc"]),
    Quantity("accuracy, prompted for a reason ↑", METRICS["acc"], "reason"),
    Quantity("whole groups right ↑", METRICS["group_acc"]),
    Quantity("unethical called ethical (FNR) ↓", METRICS["fnr"]),
    Quantity("Brier score ↓", METRICS["brier"]),
    Quantity("accuracy of the written verdict ↑", METRICS["verdict_acc"]),
    Quantity("MAR ↓", METRICS["mar"]),
    Quantity("MAR by `reference.v2b` ↓", METRICS["mar"], judge="reference.v2b"),
    Quantity("people's verdict, reason at fault ↓", METRICS["share_bad_reason"]),
    Quantity("people's verdict alone ↓", METRICS["share_no_reason"]),
    Quantity("repetitive ↓", METRICS["degenerate"]),
    Quantity("cut off ↓", METRICS["truncated"]),
    Quantity("copies people's reason", METRICS["gold_copy"]),
    Quantity("words", LENGTH),
)
DRAWN = ("acc", "group_acc", "fnr", "verdict_acc", "mar")


@cache
def _read(name: str) -> tuple[Experiment, list[Cell], Found]:
    experiment = read_experiment(ROOT / "train" / "experiments" / f"{name}.yaml")
    return find_runs(experiment, ROOT / "leaderboard" / "submissions")


def _answers(name: str, cell: Cell, quantity: Quantity) -> Sequence[Any]:
    experiment, _, found = _read(name)
    run = found[cell, quantity.condition][get_dataset(experiment.split).task_name(quantity.metric.kind)]
    return run.answers(get_judge(quantity.judge))


def _of_seeds(name: str, mode: str, quantity: Quantity) -> list[Sequence[Any]]:
    return [_answers(name, Cell(mode, seed), quantity) for seed in _read(name)[0].seeds]


def _quantities(name: str) -> list[Quantity]:
    """Return what the experiment's models were asked for."""
    asked = {(asked.condition, task) for asked in _read(name)[0].asked for task in asked.tasks}
    dataset = get_dataset(_read(name)[0].split)
    return [one for one in QUANTITIES if (one.condition, dataset.task_name(one.metric.kind)) in asked]


def scores(name: str) -> str:
    """Return the means over seeds of every mode, beside a constant verdict and the base model."""
    experiment, grid, found = _read(name)
    base = Cell("base", None)
    run = found[grid[0], ""][get_dataset(experiment.split).task_name("cls")]
    ((always, constant_answers),) = constant(run, get_judge()).items()
    modes = experiment.modes
    lines = []
    for quantity in _quantities(name):
        metric = quantity.metric
        of_constant = shown(metric.of(constant_answers), metric) if metric.kind == "cls" else ""
        of_base = shown(metric.of(_answers(name, base, quantity)), metric) if base in grid else ""
        of_modes = [measured(_mean(name, mode, quantity), metric) for mode in modes]
        lines.append([quantity.title, of_constant, *([of_base] if base in grid else []), *of_modes])
    head = [always, *(["base"] if base in grid else []), *map(title_of, modes)]
    return table("|".join(["", *head]), lines)


def _mean(name: str, mode: str, quantity: Quantity) -> Any:
    metric = quantity.metric
    return mean_over_seeds([metric], _of_seeds(name, mode, quantity))[metric.name]


def compared(name: str) -> str:
    """Return the differences of every two modes over rows and seeds, and the seeds' share of the variance."""
    titles, lines = _pairs(name), []
    for quantity, found in _differences(name).items():
        shares = [one.seeds_share for one in found if one.seeds_share is not None]
        cells = [measured(one.quoted, quantity.metric, "+") for one in found]
        lines.append([quantity.title, *cells, " to ".join(dict.fromkeys(f"{s:.0%}" for s in _ends(shares)))])
    return table("|".join(["", *titles.values(), "seeds' share of variance"]), lines)


def _pairs(name: str) -> dict[tuple[str, str], str]:
    """Return every two modes, with a title for their difference."""
    pairs = combinations(_read(name)[0].modes, 2)
    return {(first, second): f"{title_of(second)} minus {title_of(first)}" for first, second in pairs}


@cache
def _differences(name: str) -> dict[Quantity, list[OverSeeds]]:
    return {one: [_difference(name, *pair, one) for pair in _pairs(name)] for one in _quantities(name)}


def pictures() -> dict[Path, str]:
    """Return the picture of the differences, by its file."""
    name, lines = "reasons_270m", {}
    for quantity, found in _differences(name).items():
        if quantity.metric.name in DRAWN:
            lines[quantity.title.replace("`", "")] = [one.quoted for one in found]
    title = "Differences between ways of training, in percentage points, with 95 % intervals"
    return {ROOT / "docs" / "reasons.svg": forest(title, lines, [*_pairs(name).values()])}


def _ends(values: list[float]) -> list[float]:
    return [min(values), max(values)] if values else []


def _difference(name: str, first: str, second: str, quantity: Quantity) -> OverSeeds:
    sides = (_of_seeds(name, mode, quantity) for mode in (first, second))
    return compare_modes([quantity.metric], *sides)[quantity.metric.name]


def reasons_270m() -> str:
    return scores("reasons_270m")


def reasons_270m_compared() -> str:
    return compared("reasons_270m")


UNBALANCED = "dfar-bench/preferences-270m-dpo-unbalanced"


def preferences() -> str:
    """What DPO changes, on pairs that prefer each label equally often and on others; one seed."""
    name = "preferences_270m"
    experiment, _, _ = _read(name)
    (seed,) = experiment.seeds
    lines = []
    for quantity in _quantities(name):
        metric, kind = quantity.metric, quantity.metric.kind
        other = submitted()[UNBALANCED, experiment.split, kind, KINDS[kind].condition].answers(
            get_judge(quantity.judge)
        )
        before, *after = [*(_answers(name, Cell(mode, seed), quantity) for mode in experiment.modes), other]
        cells = [measured(estimates([metric], before)[metric.name], metric)]
        for answers in after:
            cells.append(measured(estimates([metric], answers)[metric.name], metric))
            cells.append(measured(differences([metric], before, answers)[metric.name].estimate, metric, "+"))
        lines.append([quantity.title, *cells])
    return table("|L+R|DPO|difference to L+R|DPO, pairs not balanced|difference to L+R", lines)


def leak() -> str:
    """What L scores on leaked and unleaked test rows, trained with the leaked rows and without them."""
    acc, lines = METRICS["acc"], []
    sides = []
    for name, title in (("leak_270m_without", "without the leaked rows"), ("leak_270m_with", "with them")):
        seeds = [subsets(answers) for answers in _of_seeds(name, "l", QUANTITIES[0])]
        sides.append(seeds)
        means = [mean_over_seeds([acc], [seed[subset] for seed in seeds])["acc"] for subset in seeds[0]]
        lines.append([title, *map(estimated, means), by_seed([seed["all"] for seed in seeds])])
    changes = [
        compare_modes([acc], *([seed[subset] for seed in seeds] for seeds in sides))["acc"].quoted
        for subset in sides[0][0]
    ]
    lines.append(["difference", *(estimated(change, "+") for change in changes), ""])
    return table("L, trained|all 500|189 leaked|311 unleaked|all 500, by seed", lines)
