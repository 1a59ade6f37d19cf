"""What the demo says at its end: whose figures these are, where the board is, and what to type for another model."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from dfar_bench.datasets import Dataset, get_dataset, rows
from dfar_bench.experiments.steps import ROOT, typed
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard import PREPARED
from dfar_bench.leaderboard.schema import Submission
from dfar_bench.leaderboard.submission import find_submissions
from dfar_bench.leaderboard.verify import read
from dfar_bench.runs.baselines import answered_kinds, certain_choice, constant_texts
from dfar_bench.runs.compare import compare_runs
from dfar_bench.runs.log import runs_by_task
from dfar_bench.runs.rescore import per_cent, rescore_run
from dfar_bench.runs.run import Run
from dfar_bench.scoring import LEVEL, Estimate, Output, estimates

Figures = Mapping[str, Estimate]
"""Estimates by metric."""

COLUMNS = {"acc": "accuracy", "verdict_acc": "written verdict", "mar": "MAR"}
GUESSED = ("acc", "verdict_acc")
"""The metrics that say whether a model is better than a guess."""

SCORE = (
    "lm_eval --model hf --model_args pretrained=MODEL,dtype=float32 --tasks dfar_clean_cls,dfar_clean_reason "
    "--batch_size 16 --output_path results/base --log_samples",
    "dfar-bench rescore results/base",
)
TRAIN = "dfar-bench demo --model MODEL --split clean"


def prepared_tree(split: str) -> Path | None:
    """Return the folder of the prepared answers to a data set, None if there are none."""
    tree = ROOT / PREPARED / split
    return tree if tree.is_dir() else None


def prepared(split: str) -> dict[str, tuple[Submission, Figures]]:
    """Score the prepared answers to a data set, by the name of the model.

    Raises:
        InputError: one of them has a fault.
    """
    tree = prepared_tree(split)
    submissions = [read(folder) for folder in find_submissions([tree])[0]] if tree else []
    return {of.model.id.partition("/")[2]: (of, _figures(runs)) for of, runs in submissions}


def always(dataset: Dataset) -> Figures:
    """Score a model that gives the first label to every row."""
    test, (text, *_) = rows(dataset.name)["test"], constant_texts(dataset).values()
    figures: dict[str, Estimate] = {}
    for outputs in ([certain_choice(row, 0, len(dataset.labels)) for row in test], [Output(row, text) for row in test]):
        for kind in answered_kinds(dataset, outputs):
            figures |= estimates(kind.metrics, kind.read(outputs, get_judge()))
    return figures


def better_than_a_guess(models: Mapping[str, Figures], guess: float, suffix: str = "") -> str:
    """Say which models are better than a guess: an interval of theirs lies above it.

    Args:
        guess: the accuracy of the best single label, a share; that of a coin where there are as many of each.
        suffix: of the metrics' names.
    """
    what, end, better = "a coin" if guess == 1 / 2 else "one label for all", f"above {100 * guess:.1f}", []
    for title, figures in models.items():
        lows = {COLUMNS[name]: figures[name + suffix].low for name in GUESSED}
        if above := [name for name, low in lows.items() if low is not None and low > guess]:
            better.append(f"{title} ({', '.join(above)})")
    if better:
        return f"Better than {what} (an interval {end}): {'; '.join(better)}."
    columns = " or ".join(COLUMNS[name] for name in GUESSED)
    return f"None of these is better than {what} (no interval of {columns} {end})."


def last_screen(split: str, results: Mapping[str, Path], board: Path, *, tiny: bool) -> str:
    """Tabulate all models, say what each shows, and what to type next.

    Args:
        results: folders of the models that were scored just now: the base model, L and L+R.
        board: the page to open.
        tiny: whether the base model was made on the spot.
    """
    dataset = get_dataset(split)
    labels = [row.label for row in rows(split)["test"] if not row.leaked]
    suffix = "_unleaked" if dataset.has_leak else ""
    guess = max(map(labels.count, labels)) / len(labels)
    runs = {title: runs_by_task(folder) for title, folder in results.items()}
    made, real = {title: _figures(of) for title, of in runs.items()}, prepared(split)
    ready = {title: figures for title, (_, figures) in real.items()}
    *_, labels_alone, with_reasons = runs.values()
    pairs = compare_runs(labels_alone, with_reasons, get_judge())
    difference = {name: one.estimate for pair in pairs for name, one in pair.metrics.items()}

    points = [_of_prepared(real, better_than_a_guess(ready, guess, suffix))] if real else []
    points.append(_of_tiny(split, made) if tiny else ["What was trained here, and its base model."])
    points[-1].append(better_than_a_guess(made, guess, suffix))
    points.append([f"The board with all of them; open this page: {board}"])
    points += [_next()] if tiny else []
    lines = [f"{len(labels)} test statements of {split}: per cent, with {LEVEL:.0%} intervals (by contrast group)", ""]
    lines += _table({f'always "{dataset.labels[0]}"': always(dataset), **ready, **made}, difference, suffix)
    lines += ["", "accuracy: the likelier label is right; written verdict: what the answer says is right;"]
    lines += ["MAR (lower is better): the judge finds the answer at odds with the human label and reason."]
    lines += ["", "What you have just seen:"]
    for number, point in enumerate(points, start=1):
        lines += [f"{number}. {point[0]}", *(f"   {line}" for line in point[1:])]
    return "\n".join(lines)


def _table(models: Mapping[str, Figures], difference: Figures, suffix: str) -> list[str]:
    names = [name + suffix for name in COLUMNS]
    cells = {title: [per_cent(figures[name]) for name in names] for title, figures in models.items()}
    cells = {"": [*COLUMNS.values()], **cells, "L+R minus L": [per_cent(difference[name], "+") for name in names]}
    lines = [[title, *of] for title, of in cells.items()]
    widths = [2 + max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["".join(f"{cell:<{width}}" for cell, width in zip(line, widths)).rstrip() for line in lines]


def _of_prepared(real: Mapping[str, tuple[Submission, Figures]], verdict: str) -> list[str]:
    lines = ["Answers of real models, prepared and kept in the repository; scored and verified here, just now."]
    for title, (submission, _) in real.items():
        lines += [f"{title}: asked on {submission.created}", f"  {submission.training.description}"]
    return [*lines, verdict]


def _of_tiny(split: str, made: Mapping[str, Figures]) -> list[str]:
    count = len(rows(split)["train"])
    readable = (f"{title} {1 - (figures['unparsed'].value or 0):.0%}" for title, figures in made.items())
    return [
        f"A tiny model, made with random weights and trained on {count} statements while you waited. It shows",
        "that training, scoring, submitting and verifying work, and learns the form of an answer, and little else.",
        f"Answers in which a verdict can be read: {', '.join(readable)}.",
    ]


def _next() -> list[str]:
    here, found = Path(sys.executable).parent, shutil.which("lm_eval")
    activate = [f"source {typed(here / 'activate')}"] if found is None or Path(found).parent != here else []
    lines = ["Next, your own model: for MODEL, a name on the Hugging Face Hub or a folder. Score it:"]
    lines += [f"  {command}" for command in (*activate, *SCORE)]
    return [*lines, "Train L and L+R, score, submit and compare them, as here:", f"  {TRAIN}"]


def _figures(runs: Mapping[str, Run]) -> Figures:
    scores = [rescore_run(run, get_judge()).scores for run in runs.values()]
    return {name: score.estimate for of in scores for name, score in of.items()}
