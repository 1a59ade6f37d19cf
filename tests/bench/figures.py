"""Measured figures: their goals, whether they are met, and the report as JSON and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench.claims import goal_of, shown

COLUMNS = ("section", "figure", "value", "range", "unit", "goal", "met")
QUICK = "quick: too few rows and repetitions to quote any figure; it only shows that everything runs"


@dataclass(frozen=True)
class Figure:
    """One measured value.

    Attributes:
        value: None if it could not be measured; ``reason`` then says why.
    """

    section: str
    name: str
    value: float | None
    unit: str = ""
    reason: str | None = None


def rounded(value: float) -> float:
    """Round to four digits, more than two runs have in common; counts stay as they are."""
    return value if isinstance(value, int) else float(f"{value:.4g}")


def report(runs: Sequence[Iterable[Figure]], split: str, machine: dict[str, Any], quick: bool) -> dict[str, Any]:
    """Return the figures of all runs as plain JSON types."""
    by_name: dict[tuple[str, str], list[Figure]] = {}
    for figures in runs:
        for figure in figures:
            by_name.setdefault((figure.section, figure.name), []).append(figure)
    return {"quick": quick, "split": split, "machine": machine, "figures": [*map(_record, by_name.values())]}


def _record(figures: Sequence[Figure]) -> dict[str, Any]:
    """Return one figure as plain JSON types: the median of ``values``, one per run.

    Where a run could not measure it, there is a ``reason``. Goals are not part of it: they change without measuring.
    """
    values = [rounded(figure.value) for figure in figures if figure.value is not None]
    record = {
        "section": figures[0].section,
        "figure": figures[0].name,
        "value": rounded(median(values)) if values else None,
        "values": values,
        "unit": next((figure.unit for figure in figures if figure.value is not None), ""),
    }
    reasons = [figure.reason for figure in figures if figure.value is None]
    return {**record, "reason": reasons[0]} if reasons else record


def table(report: dict[str, Any]) -> str:
    """Format a report: one line per figure, what was not measured and why, and how many goals are met."""
    records = report["figures"]
    rows = [COLUMNS, *map(_cells, records)]
    if all(len(record["values"]) < 2 for record in records):
        rows = [row[: COLUMNS.index("range")] + row[COLUMNS.index("range") + 1 :] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if name == "value" else cell.ljust(width)
            for name, cell, width in zip(rows[0], row, widths)
        ]
        lines.append(" | ".join(cells).rstrip())
    lines.insert(1, "-+-".join("-" * width for width in widths))
    lines.append("")
    lines += [f"not measured: {r['section']}, {r['figure']}: {r['reason']}" for r in records if "reason" in r]
    if met := [row[-1] for row in rows[1:] if row[-1] in ("yes", "MISSED")]:
        lines.append(f"goals met: {met.count('yes')} of {len(met)}")
    machine = ", ".join(f"{name} {value}" for name, value in report["machine"].items())
    lines.append(f"split {report['split']}; {machine}")
    return "\n".join([*lines, QUICK] if report["quick"] else lines)


def _cells(record: dict[str, Any]) -> tuple[str, ...]:
    value, values, goal = record["value"], record["values"], goal_of(record["section"], record["figure"])
    if value is None:
        number, met = "–", "not measured"
    else:
        number = shown(value)
        met = "" if goal is None else "yes" if goal.is_met(value) else "MISSED"  # by the value that is shown
    low_high = f"{shown(min(values))} to {shown(max(values))}" if len(values) > 1 else ""
    return record["section"], record["figure"], number, low_high, record["unit"], str(goal or ""), met
