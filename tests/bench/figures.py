"""Measured figures: their goals, whether they are met, and the report as JSON and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

COLUMNS = ("section", "figure", "value", "unit", "goal", "met")
QUICK = "quick: too few rows and repetitions to quote any figure; it only shows that everything runs"


@dataclass(frozen=True)
class Goal:
    """A bound that a value must not pass."""

    bound: float
    upper: bool

    def __str__(self) -> str:
        return f"{'≤' if self.upper else '≥'} {shown(self.bound)}"

    def is_met(self, value: float) -> bool:
        return value <= self.bound if self.upper else value >= self.bound


def at_most(bound: float) -> Goal:
    return Goal(bound, upper=True)


def at_least(bound: float) -> Goal:
    return Goal(bound, upper=False)


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
    goal: Goal | None = None
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figure as plain JSON types; ``reason`` is there only if there is no value."""
        value = None if self.value is None else rounded(self.value)
        record = {
            "section": self.section,
            "figure": self.name,
            "value": value,
            "unit": self.unit,
            "goal": None if self.goal is None else str(self.goal),
            "met": None
            if self.goal is None or value is None
            else self.goal.is_met(value),  # by the value that is shown
        }
        return record if value is not None else {**record, "reason": self.reason}


def rounded(value: float) -> float:
    """Round to four digits, more than two runs have in common; counts stay as they are."""
    return value if isinstance(value, int) else float(f"{value:.4g}")


def shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def report(figures: Sequence[Figure], split: str, machine: dict[str, Any], quick: bool) -> dict[str, Any]:
    """Return all figures of one run as plain JSON types."""
    records = [figure.as_json() for figure in figures]
    return {"quick": quick, "split": split, "machine": machine, "figures": records}


def table(report: dict[str, Any]) -> str:
    """Format a report: one line per figure, what was not measured and why, and how many goals are met."""
    records = report["figures"]
    rows = [COLUMNS, *map(_cells, records)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if name == "value" else cell.ljust(width)
            for name, cell, width in zip(COLUMNS, row, widths)
        ]
        lines.append(" | ".join(cells).rstrip())
    lines.insert(1, "-+-".join("-" * width for width in widths))
    lines.append("")
    lines += [f"not measured: {r['section']}, {r['figure']}: {r['reason']}" for r in records if r["value"] is None]
    if met := [record["met"] for record in records if record["met"] is not None]:
        lines.append(f"goals met: {sum(met)} of {len(met)}")
    machine = ", ".join(f"{name} {value}" for name, value in report["machine"].items())
    lines.append(f"split {report['split']}; {machine}")
    return "\n".join([*lines, QUICK] if report["quick"] else lines)


def _cells(record: dict[str, Any]) -> tuple[str, ...]:
    value = record["value"]
    met = "not measured" if value is None else {True: "yes", False: "MISSED", None: ""}[record["met"]]
    number = "–" if value is None else shown(value)
    return record["section"], record["figure"], number, record["unit"], record["goal"] or "", met
