"""What the README says was found is what the committed answers give."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

from dfar_bench.compare import paired_differences
from dfar_bench.leaderboard.folder import find_submissions
from dfar_bench.leaderboard.result import Verified, VerifiedTask
from dfar_bench.leaderboard.verify import verified
from dfar_bench.metrics import METRICS

SECTION = re.search(r"^## What we found\n(.*?)^## ", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
MODELS = {"base": "dfar-bench/gemma-3-270m", "L": "dfar-bench/gemma-3-270m-l", "L+R": "dfar-bench/gemma-3-270m-lr"}
COLUMNS = (("cls", "l", "acc"), ("cls", "lr", "acc"), ("reason", "lr", "verdict_acc"), ("reason", "lr", "mar"))
"""Kind, how the model was asked, and metric of the columns of the first table."""

Answered = dict[tuple[str, str, str, str], VerifiedTask]
"""By model, split, kind, and how it was asked."""


@pytest.fixture(scope="module")
def answered(paper: None) -> Answered:
    folders, faults = find_submissions([ROOT / "leaderboard" / "submissions"])
    assert faults == []
    out: Answered = {}
    for folder in folders:
        found = verified(folder)
        assert isinstance(found, Verified), (folder, found)
        for task in found.tasks.values():
            key = (found.submission.model.id, task.split, task.kind, task.run.mode)
            assert key not in out, "which of two is meant?"
            out[key] = task
    return out


def tables() -> list[list[list[str]]]:
    """The cells of each table of the section, without the headings."""
    assert SECTION
    blocks = re.findall(r"(?:^\|.*\|\n)+", SECTION[1], re.M)
    return [[[c.strip() for c in line.strip("|").split("|")] for line in b.splitlines()[2:]] for b in blocks]


def shown(value: float | None, interval: tuple[float, float] | None, sign: str = "") -> str:
    assert value is not None
    assert interval
    low, high = (f"{100 * end:{sign}.1f}" for end in interval)
    return f"{100 * value:{sign}.1f} ({low} to {high})".replace("-", "−")


def unleaked(task: VerifiedTask, metric: str) -> str:
    """The metric's name over the rows that do not stand in train; on the clean split those are all."""
    return f"{metric}_unleaked" if task.split == "paper" else metric


def test_the_figures_of_the_models(answered: Answered) -> None:
    checked = 0
    for split, model, *cells in tables()[0]:
        if model not in MODELS:
            continue
        for (kind, mode, metric), cell in zip(COLUMNS, cells, strict=True):
            task = answered[MODELS[model], split, kind, mode]
            name = unleaked(task, metric)
            assert cell == shown(task.metrics[name], task.intervals[name]), (split, model, metric)
            checked += 1
    assert checked >= 12


def test_the_differences(answered: Answered) -> None:
    """Lines such as | paper | L+R less L | accuracy | +1.0 (−1.0 to +3.0) |."""
    names = {
        "accuracy": ("cls", "l", "acc"),
        "MAR": ("reason", "lr", "mar"),
        "verdict right": ("reason", "lr", "verdict_acc"),
    }
    checked = 0
    for split, what, quantity, cell in tables()[1]:
        if what.endswith("asked with a reason less without"):
            model = MODELS[what.partition(",")[0]]
            first, second = (answered[model, split, "cls", mode] for mode in ("l", "lr"))
            metric = unleaked(first, "acc")
        else:
            more, less = (MODELS[name] for name in what.split(" less "))
            kind, mode, metric = names[quantity]
            first, second = answered[less, split, kind, mode], answered[more, split, kind, mode]
            metric = unleaked(first, metric)
        metrics = [one for one in METRICS[first.kind] if one.name == metric]
        found = paired_differences(metrics, first.answers, second.answers)[metric]
        assert cell == shown(found.difference, found.interval, "+"), (split, what, quantity)
        checked += 1
    assert checked >= 4
