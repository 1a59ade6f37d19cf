"""Formats of the generated parts: tables, blocks of code, rates with intervals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from dfar_bench.scoring import Estimate, Metric

ROOT = Path(__file__).resolve().parents[2]


def table(head: str, lines: Iterable[Sequence[object]]) -> str:
    """Format a Markdown table; ``head`` holds the column names, separated by |."""
    columns = head.split("|")
    rows_ = [columns, ["---"] * len(columns), *lines]
    text = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in rows_)
    return re.sub(r"\|  (?=\|)", "| ", text)


def fenced(text: str, language: str = "") -> str:
    """Format a block of code."""
    return f"```{language}\n{text.strip()}\n```"


def percent(value: float | None) -> str:
    """Format a rate in per cent."""
    return "" if value is None else f"{100 * value:.1f}"


def shown(value: float | None, metric: Metric, sign: str = "") -> str:
    """Format a figure: a share in per cent, another with two decimals."""
    if value is None:
        return ""
    return (f"{100 * value:{sign}.1f}" if metric.per_cent else f"{value:{sign}.2f}").replace("-", "−")


def measured(estimate: Estimate, metric: Metric, sign: str = "") -> str:
    """Format a figure with its interval, if it has one."""
    ends = [shown(end, metric, sign) for end in estimate.interval or ()]
    return shown(estimate.value, metric, sign) + (f" ({' to '.join(ends)})" if ends else "")


def with_interval(value: float | None, interval: tuple[float, float] | None, sign: str = "") -> str:
    """Format a rate or difference in per cent with its interval."""
    assert value is not None
    assert interval
    low, high = (f"{100 * end:{sign}.1f}" for end in interval)
    return f"{100 * value:{sign}.1f} ({low} to {high})".replace("-", "−")


def estimated(estimate: Estimate, sign: str = "") -> str:
    """Format an estimate in per cent."""
    return with_interval(estimate.value, estimate.interval, sign)
