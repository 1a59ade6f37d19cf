"""Figures as records: the goal of each and whether it is met, one document of all, and that document as a table.

Nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

COLUMNS = ("section", "figure", "value", "unit", "goal", "met")
QUICK = "quick: so few rows and repeats that the figures only show that everything runs; quote none, whatever its goal"


@dataclass(frozen=True)
class Goal:
    """A bound that a value must not pass."""

    bound: float
    upper: bool

    def __str__(self) -> str:
        return f"{'≤' if self.upper else '≥'} {shown(self.bound)}"

    def holds(self, value: float) -> bool:
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

    def as_record(self) -> dict[str, Any]:
        """The figure as plain JSON types; ``reason`` is there only where there is no value."""
        value = None if self.value is None else rounded(self.value)
        record = {
            "section": self.section,
            "figure": self.name,
            "value": value,
            "unit": self.unit,
            "goal": None if self.goal is None else str(self.goal),
            # Of what is shown, so that no 1.1 is called more than 1.1.
            "met": None if self.goal is None or value is None else self.goal.holds(value),
        }
        return record if value is not None else {**record, "reason": self.reason}


def rounded(value: float) -> float:
    """Four digits, which is more than two runs have in common; counts as they are."""
    return value if isinstance(value, int) else float(f"{value:.4g}")


def shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def document(figures: Sequence[Figure], split: str, machine: dict[str, Any], quick: bool) -> dict[str, Any]:
    """All that one run measured, as plain JSON types."""
    return {
        "quick": quick,
        "split": split,
        "machine": machine,
        "figures": [figure.as_record() for figure in figures],
    }


def table(document: dict[str, Any]) -> str:
    """A document for people: a line a figure, what was not measured and why, and how many goals are met."""
    records = document["figures"]
    lines = [COLUMNS, *(_cells(record) for record in records)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    aligned = [
        " | ".join(
            cell.rjust(width) if name == "value" else cell.ljust(width)
            for name, cell, width in zip(COLUMNS, line, widths)
        ).rstrip()
        for line in lines
    ]
    ruled = [aligned[0], "-+-".join("-" * width for width in widths), *aligned[1:], ""]
    ruled += [
        f"not measured: {record['section']}, {record['figure']}: {record['reason']}"
        for record in records
        if record["value"] is None
    ]
    judged = [record["met"] for record in records if record["met"] is not None]
    if judged:
        ruled.append(f"goals met: {sum(judged)} of {len(judged)}")
    machine = ", ".join(f"{name} {value}" for name, value in document["machine"].items())
    ruled.append(f"split {document['split']}; {machine}")
    if document["quick"]:
        ruled.append(QUICK)
    return "\n".join(ruled)


def _cells(record: dict[str, Any]) -> tuple[str, ...]:
    value, met = record["value"], record["met"]
    if value is None:
        return record["section"], record["figure"], "–", record["unit"], record["goal"] or "", "not measured"
    verdict = {True: "yes", False: "MISSED", None: ""}[met]
    return record["section"], record["figure"], shown(value), record["unit"], record["goal"] or "", verdict
