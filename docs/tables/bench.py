"""Speeds, from the figures in docs/bench.json, and the goals that we hold ourselves to."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from statistics import median
from typing import Any

from tables.formats import ROOT, table
from tests.bench.claims import CLAIMS, RATIO, TITLES, Claim, shown

RECIPES = ("paper's recipe", "completions only", "ours", RATIO)


@cache
def measured() -> dict[str, Any]:
    """Read what ``python -m tests.bench --out docs/bench.json`` wrote."""
    results: dict[str, Any] = json.loads((ROOT / "docs" / "bench.json").read_text(encoding="utf-8"))
    assert not results["quick"], "docs/bench.json is of a quick run, whose figures say nothing"
    return results


def values(covers: Callable[[str, str], bool]) -> list[list[float]]:
    """Return what each run had of the figures that are covered: by section and name."""
    return [record["values"] for record in measured()["figures"] if covers(record["section"], record["figure"])]


def cell(found: list[list[float]]) -> str:
    """Format a figure: the median of three runs or more with the range; the range of two runs or several figures."""
    runs = sorted(value for each in found for value in each)
    if len({shown(value) for value in runs}) < 2:
        return "".join(map(shown, runs[:1]))
    low_high = f"{shown(runs[0])} to {shown(runs[-1])}"
    return f"{shown(median(runs))} ({low_high})" if len(found) == 1 and len(runs) > 2 else low_high


def bench_machine() -> str:
    machine, runs = dict(measured()["machine"]), sorted(len(each) for each in values(lambda *_: True))
    times = f"in {'up to ' if runs[0] < runs[-1] else ''}{runs[-1]} run{'s' if runs[-1] > 1 else ''}"
    version, cores = machine.pop("dfar_bench"), machine.pop("cores")
    others = "".join(f", {name} {release}" for name, release in machine.items())
    return f"Measured {times} with dfar-bench {version}{others}, on {cores} CPU cores. Models have random weights."


def bench_training() -> str:
    lines = []
    for setting, title in TITLES.items():
        for mode in ("L", "L+R"):
            names = [f"{mode}, {setting}: {recipe}" for recipe in RECIPES]
            cells = [cell(values(lambda _, figure, name=name: figure == name)) for name in names]
            lines.append([f"{mode}, {title}", *cells])
    return table("mode and model|the paper's recipe|completions only|ours|ours / the paper's", lines)


def bench_claims() -> str:
    lines = [[claim.title, published(claim)] for claim in CLAIMS if claim.section != "training"]
    return table("|measured", lines)


def published(claim: Claim) -> str:
    """Format what was measured of a claim, with the unit."""
    text = cell(values(claim.covers))
    return f"{text}{claim.unit}" if text else "not measured yet"


def goals() -> str:
    lines = []
    for claim in CLAIMS:
        met = [claim.goal.is_met(value) for each in values(claim.covers) for value in each]
        missed = "" if all(met) else ", missed in part" if any(met) else ", missed"
        lines.append([claim.title, f"{claim.goal}{claim.unit}", f"{published(claim)}{missed}"])
    return table("|goal|measured last", lines)
