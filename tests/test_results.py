"""What README.md and FINDINGS.md say was found is what the committed answers give."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from conftest import ROOT

from dfar_bench.answers import Response
from dfar_bench.compare import paired_differences
from dfar_bench.leaderboard.folder import find_submissions
from dfar_bench.leaderboard.result import Verified, VerifiedTask
from dfar_bench.leaderboard.verify import verified
from dfar_bench.metrics import METRICS

README, FINDINGS = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "FINDINGS.md"))
MODELS = {
    "base": "dfar-bench/gemma-3-270m",
    "L": "dfar-bench/gemma-3-270m-l",
    "L, 1 epoch": "dfar-bench/gemma-3-270m-l-1-epoch",
    "L+R": "dfar-bench/gemma-3-270m-lr",
}
ROWS = {"paper, 311 unleaked": ("paper", True), "paper, all 500": ("paper", False), "clean, all 480": ("clean", False)}
"""Split, and whether only the rows count that do not stand in train, of the first column of all tables."""

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


def tables(page: str) -> list[list[list[str]]]:
    """The cells of each table of results, without the headings."""
    blocks = re.findall(r"^\| test rows (?:.*\n\|)+.*\n", page, re.M)
    return [[[c.strip() for c in line.strip("|").split("|")] for line in b.splitlines()[2:]] for b in blocks]


def shown(value: float | None, interval: tuple[float, float] | None, sign: str = "") -> str:
    assert value is not None
    assert interval
    low, high = (f"{100 * end:{sign}.1f}" for end in interval)
    return f"{100 * value:{sign}.1f} ({low} to {high})".replace("-", "−")


def counted(rows: str, metric: str) -> str:
    """The metric's name over some rows."""
    return f"{metric}_unleaked" if ROWS[rows][1] else metric


def test_the_figures_of_the_models(answered: Answered) -> None:
    checked = 0
    for rows, model, *cells in tables(README)[0] + tables(FINDINGS)[0]:
        for (kind, mode, metric), cell in zip(COLUMNS, cells, strict=True):
            task = answered[MODELS[model], ROWS[rows][0], kind, mode]
            name = counted(rows, metric)
            assert cell == shown(task.metrics[name], task.intervals[name]), (rows, model, metric)
            checked += 1
    assert checked >= 36


def test_what_became_of_the_written_answers(answered: Answered) -> None:
    """The second table counts every answer once: aligned, verdict not right, or right and at fault."""
    for rows, model, *cells in tables(FINDINGS)[1]:
        split, unleaked = ROWS[rows]
        answers = answered[MODELS[model], split, "reason", "lr"].answers
        found = [one for one in answers if isinstance(one, Response) and not (unleaked and one.row.leaked)]
        assert f" {len(found)}" in rows
        right = Counter(one.judgement.code for one in found if one.correct)
        aligned, loops, generic = (right.pop(code, 0) for code in ("aligned", "degenerate", "generic"))
        counts = [aligned, sum(not one.correct for one in found), loops, generic, right.total()]
        assert cells == list(map(str, counts)), (rows, model, counts)
        assert sum(counts) == len(found)


def test_the_differences_that_the_readme_quotes() -> None:
    quoted = re.findall(r"([+−]\d+\.\d)(?: points)? (\([+−]\d+\.\d to [+−]\d+\.\d\))", README)
    assert len(quoted) >= 2
    for difference, interval in quoted:
        assert f"| {difference} {interval} |" in FINDINGS


def test_the_differences(answered: Answered) -> None:
    """Lines such as | clean, all 480 | L+R less L | accuracy | +1.0 (−1.0 to +3.0) |."""
    names = {
        "accuracy": ("cls", "l", "acc"),
        "MAR": ("reason", "lr", "mar"),
        "verdict right": ("reason", "lr", "verdict_acc"),
    }
    checked = 0
    for rows, what, quantity, cell in tables(FINDINGS)[2]:
        split = ROWS[rows][0]
        if what.endswith("asked for a reason too, less verdict alone"):
            model = MODELS[what.partition(",")[0]]
            first, second = (answered[model, split, "cls", mode] for mode in ("l", "lr"))
            metric = counted(rows, "acc")
        else:
            more, less = (MODELS[name] for name in what.split(" less "))
            kind, mode, metric = names[quantity]
            first, second = answered[less, split, kind, mode], answered[more, split, kind, mode]
            metric = counted(rows, metric)
        metrics = [one for one in METRICS[first.kind] if one.name == metric]
        found = paired_differences(metrics, first.answers, second.answers)[metric]
        assert cell == shown(found.difference, found.interval, "+"), (rows, what, quantity)
        checked += 1
    assert checked >= 12
