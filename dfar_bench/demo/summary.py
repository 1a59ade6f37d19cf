"""What the demo found, in one table."""

from __future__ import annotations

from pathlib import Path

from dfar_bench.bootstrap import LEVEL
from dfar_bench.compare import compare
from dfar_bench.demo.commands import NAMES
from dfar_bench.metrics import NOTHING_COUNTS
from dfar_bench.rescore import rescore

METRICS = ("acc", "verdict_acc", "mar")
"""On the paper's split, those of the unleaked rows."""

Interval = tuple[float, float] | None


def summary(split: str, folder: Path) -> str:
    """The three models, and L+R against L, with intervals.

    Args:
        folder: with the results of each model.
    """
    names = [f"{name}_unleaked" if split == "paper" else name for name in METRICS]
    lines = ["".join([f"{'':<11}", *(f"{name:<29}" for name in names)]).rstrip()]
    for kind, name in NAMES.items():
        scores = {metric: score for run in rescore([folder / kind / "results"]) for metric, score in run.scores.items()}
        cells = [_cell(scores[metric].value, scores[metric].interval) for metric in names]
        lines.append("".join([f"{name:<11}", *cells]).rstrip())
    pairs = compare(folder / "l" / "results", folder / "lr" / "results")
    found = {metric: one for pair in pairs for metric, one in pair.metrics.items()}
    cells = [_cell(found[metric].difference, found[metric].interval, sign="+") for metric in names]
    lines.append("".join([f"{'L+R less L':<11}", *cells]).rstrip())
    return "\n".join([*lines, f"in brackets: {LEVEL:.0%} intervals, resampled by contrast group"])


def _cell(value: float | None, interval: Interval, sign: str = "") -> str:
    def figure(number: float) -> str:
        return f"{number:{sign}.3f}"

    shown = NOTHING_COUNTS if value is None else figure(value)
    return f"{shown} [{figure(interval[0])}, {figure(interval[1])}]".ljust(29) if interval else shown.ljust(29)
