"""Does training on reasons help? Means and differences over seeds, from the submissions of our own experiments."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
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
from dfar_bench.scoring import METRICS, Estimate, Metric, differences, estimates
from dfar_bench.scoring.seeds import OverSeeds, compare_modes, mean_over_seeds
from tables.forest import forest
from tables.formats import ROOT, measured, shown, table
from tables.readings import counts_of, read_models
from tables.submissions import answers_of


class Quantity(NamedTuple):
    """A line of the tables.

    Attributes:
        condition: under which the model was asked; "" for the task's own.
        main: whether the README shows it.
    """

    title: str
    metric: Metric
    condition: str = ""
    judge: str = DEFAULT_JUDGE
    main: bool = False


LENGTH = Metric("words", "reason", lambda answer: len(answer.case.response.split()), "Length", per_cent=False)
# Nearly all faults found beside a right verdict are loops, which say nothing of what the reasons argue.
LOOPING = Metric(
    "looping", "reason", lambda answer: float(_bad_reason(answer) and answer.code == "degenerate"), "Loops"
)
FAULTY = Metric("faulty", "reason", lambda answer: float(_bad_reason(answer) and answer.code != "degenerate"), "Faulty")
AUROC = Quantity("AUROC ↑", METRICS["auroc"], main=True)
ACC = Quantity("accuracy ↑", METRICS["acc"], main=True)
GROUPS = Quantity("whole groups right ↑", METRICS["group_acc"])
VERDICT = Quantity("accuracy of the written verdict ↑", METRICS["verdict_acc"], main=True)
MAR = Quantity("MAR ↓", METRICS["mar"], main=True)
LOOPS = Quantity("loops, or empty ↓", METRICS["degenerate"])
OUTCOMES = (
    Quantity("wrong verdict, or none ↓", METRICS["share_wrong_verdict"]),
    Quantity("right verdict, but a loop ↓", LOOPING),
    Quantity("right verdict, another fault ↓", FAULTY),
    Quantity("right verdict, no reason ↓", METRICS["share_no_reason"]),
)
"""What MAR is the sum of."""
QUANTITIES = (
    ACC,
    Quantity("accuracy, prompted for a reason ↑", METRICS["acc"], "reason"),
    AUROC,
    GROUPS,
    Quantity("unethical called ethical (FNR) ↓", METRICS["fnr"]),
    Quantity("ethical called unethical (FPR) ↓", METRICS["fpr"]),
    Quantity("Brier score ↓", METRICS["brier"]),
    VERDICT,
    MAR,
    Quantity("MAR by `reference.v2b` ↓", METRICS["mar"], judge="reference.v2b"),
    *OUTCOMES,
    LOOPS,
    Quantity("cut off ↓", METRICS["truncated"]),
    Quantity("words", LENGTH),
)
ANSWERED = (VERDICT, ACC, AUROC, GROUPS)
MAIN = "reasons_270m"
LARGER = "reasons_05b"
SIZES = {MAIN: "270M", LARGER: "0.5B"}
SAID = {MAIN: [["worse"] * 2, ["open", "worse"], ["worse"] * 2, ["worse"] * 2], LARGER: [["open"] * 2] * 4}
"""What docs/findings.md says of ``ANSWERED`` in words: how L+R differs from L, and from L with equal tokens."""
DRAWN = ("acc", "auroc", "group_acc", "fnr", "verdict_acc", "mar")


def _bad_reason(answer: Any) -> bool:
    return answer.outcome == "bad_reason"


@cache
def _read(name: str) -> tuple[Experiment, list[Cell], Found]:
    experiment = read_experiment(ROOT / "train" / "experiments" / f"{name}.yaml")
    return find_runs(experiment, ROOT / "leaderboard" / "submissions")


@cache
def _judged(name: str, cell: Cell, condition: str, kind: str, judge: str) -> Sequence[Any]:
    experiment, _, found = _read(name)
    return found[cell, condition][get_dataset(experiment.split).task_name(kind)].answers(get_judge(judge))


def _answers(name: str, cell: Cell, quantity: Quantity) -> Sequence[Any]:
    return _judged(name, cell, quantity.condition, quantity.metric.kind, quantity.judge)


def modes_of(name: str) -> dict[str, str]:
    """Return an experiment's modes by their titles."""
    return {title_of(mode): mode for mode in _read(name)[0].modes}


def of_seeds(name: str, mode: str, quantity: Quantity) -> list[Sequence[Any]]:
    """Return the answers of a mode's models, by seed."""
    return [_answers(name, Cell(mode, seed), quantity) for seed in _read(name)[0].seeds]


def _quantities(name: str) -> list[Quantity]:
    """Return what the experiment's models were asked for."""
    asked = {(asked.condition, task) for asked in _read(name)[0].asked for task in asked.tasks}
    dataset = get_dataset(_read(name)[0].split)
    return [one for one in QUANTITIES if (one.condition, dataset.task_name(one.metric.kind)) in asked]


@cache
def figures(name: str) -> dict[str, dict[Quantity, str]]:
    """Return figures of a constant verdict, of the base model if it was scored, and of every mode, means over seeds."""
    experiment, grid, found = _read(name)
    run = found[grid[0], ""][get_dataset(experiment.split).task_name("cls")]
    ((always, verdicts),) = constant(run, get_judge()).items()
    models: dict[str, dict[Quantity, list[Sequence[Any]]]] = {
        always: {quantity: [verdicts] for quantity in _quantities(name) if quantity.metric.kind == "cls"}
    }
    base = {"base": [cell for cell in grid if cell.seed is None]}
    trained = {title: [Cell(mode, seed) for seed in experiment.seeds] for title, mode in modes_of(name).items()}
    for title, of_model in {**base, **trained}.items():
        if of_model:
            models[title] = {one: [_answers(name, cell, one) for cell in of_model] for one in _quantities(name)}
    return {
        title: {
            quantity: measured(mean_over_seeds([quantity.metric], answers)[quantity.metric.name], quantity.metric)
            for quantity, answers in of_model.items()
        }
        for title, of_model in models.items()
    }


def scores(name: str) -> str:
    """Return all figures of an experiment's models."""
    of_models = figures(name)
    lines = [[one.title, *(of_model.get(one, "") for of_model in of_models.values())] for one in _quantities(name)]
    return table("|".join(["", *of_models]), lines)


def compared(name: str) -> str:
    """Return the differences of every two modes over rows and seeds, and the seeds' share of the variance."""
    titles, lines = _pairs(name), []
    for quantity, found in _differences(name).items():
        shares = [one.seeds_share for one in found if one.seeds_share is not None]
        cells = [measured(one.difference, quantity.metric, "+") for one in found]
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
    lines = {}
    for quantity, found in _differences(MAIN).items():
        if quantity.metric.name in DRAWN:
            lines[quantity.title.replace("`", "")] = [one.difference for one in found]
    title = "Differences between ways of training, in percentage points, with 95 % intervals"
    return {ROOT / "docs" / "reasons.svg": forest(title, lines, [*_pairs(MAIN).values()])}


def _ends(values: list[float]) -> list[float]:
    return [min(values), max(values)] if values else []


def _difference(name: str, first: str, second: str, quantity: Quantity) -> OverSeeds:
    sides = (of_seeds(name, mode, quantity) for mode in (first, second))
    return compare_modes([quantity.metric], *sides)[quantity.metric.name]


def reasons_270m() -> str:
    return scores(MAIN)


def reasons_270m_compared() -> str:
    return compared(MAIN)


def reasons_05b() -> str:
    return scores(LARGER)


def reasons_05b_compared() -> str:
    return compared(LARGER)


def answer() -> str:
    """L+R against L in both settings, and a check of what the findings say of it in words."""
    found = {name: {one.title: of[1:] for one, of in _differences(name).items()} for name in (MAIN, LARGER)}
    for name, said in SAID.items():
        words = [[_word(one.difference) for one in found[name][quantity.title]] for quantity in ANSWERED]
        if words != said:
            sys.exit(f"docs/findings.md says other things of {name} in words than the intervals: {words}.")
    heads = [f"{_setting(name)}: {to}" for name in found for to in ("minus L", "minus L, equal tokens")]
    lines = []
    for quantity in ANSWERED:
        differences_ = [one.difference for of in found.values() for one in of[quantity.title]]
        lines.append([quantity.title, *(measured(one, quantity.metric, "+") for one in differences_)])
    return table("|".join(["L+R …", *heads]), lines)


def _setting(name: str) -> str:
    experiment = _read(name)[0]
    seeds = len(experiment.seeds)
    return f"{SIZES[name]}, {experiment.options['limit']:,} rows, {seeds} seed{'s' * (seeds > 1)}"


def _word(difference: Estimate) -> str:
    """Say what an interval shows of a figure that is better if higher."""
    low, high = difference.interval or (-1.0, 1.0)
    return "worse" if high < 0 else "better" if low > 0 else "open"


def by_seed() -> str:
    """The share of right written verdicts of each seed."""
    lines = []
    for name in SIZES:
        of_modes = [of_seeds(name, mode, VERDICT) for mode in modes_of(name).values()]
        cells = [", ".join(shown(VERDICT.metric.of(seed), VERDICT.metric) for seed in seeds) for seeds in of_modes]
        lines.append([_setting(name), *cells])
    return table("|".join([VERDICT.title, *modes_of(MAIN)]), lines)


def faults() -> str:
    """What is wrong with the answers of L+R, and of the base models."""
    columns = {
        f"{SIZES[name]}, {mode}": {one.title: figure for one, figure in figures(name)[mode].items()}
        for name in (MAIN, LARGER)
        for mode in ("base", "L+R")
    }
    lines = [[one.title, *(column[one.title] for column in columns.values())] for one in (*OUTCOMES, MAR, LOOPS)]
    return table("|".join(["of the answers, per cent", *columns]), lines)


def passed() -> str:
    """How many answers of L+R models the judge and the reader accept."""
    read, passes, accepted = counts_of([model for model in read_models() if "-lr-" in model])
    return (
        f"Of {read} answers of L+R models that a language model read one by one, the judge passes {passes}, and the\n"
        f"reader accepts {accepted}."
    )


UNBALANCED = "dfar-bench/preferences-270m-dpo-unbalanced"


def preferences() -> str:
    """What DPO changes at 270M, on pairs that prefer each label equally often and on others."""
    return _preferences("preferences_270m", {"DPO, pairs not balanced": UNBALANCED})


def preferences_05b() -> str:
    return _preferences("preferences_05b", {})


def _preferences(name: str, others: Mapping[str, str]) -> str:
    """Return an experiment's L+R model, what DPO changes, and what it changed in other models; one seed."""
    experiment, _, _ = _read(name)
    (seed,), lines = experiment.seeds, []
    for quantity in _quantities(name):
        metric = quantity.metric
        before, *after = [_answers(name, Cell(mode, seed), quantity) for mode in experiment.modes]
        after += [answers_of(other, experiment.split, metric.kind, judge=quantity.judge) for other in others.values()]
        cells = [measured(estimates([metric], before)[metric.name], metric)]
        for answers in after:
            cells.append(measured(estimates([metric], answers)[metric.name], metric))
            cells.append(measured(differences([metric], before, answers)[metric.name].estimate, metric, "+"))
        lines.append([quantity.title, *cells])
    heads = [f"{title}|difference to L+R" for title in ("DPO", *others)]
    return table("|".join(["", "L+R", *heads]), lines)
