"""Single answers, read with the guide of the judges' test sets, against what the judges said of them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from functools import cache

from dfar_bench.judges import DEFAULT_JUDGE
from tables.formats import ROOT, table
from tables.submissions import answers_of

JUDGES = ("reference.v2", "reference.v2b")


@cache
def _read() -> dict[str, dict[str, str]]:
    """Return the reader's codes by model and row."""
    codes: dict[str, dict[str, str]] = {}
    with (ROOT / "docs" / "readings.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            codes.setdefault(line["model"], {})[line["row_id"]] = line["code"]
    return codes


def read_models() -> list[str]:
    """Return the models of which answers were read."""
    return [*_read()]


def counts_of(models: Sequence[str]) -> tuple[int, int, int]:
    """Return how many answers of some models were read, and how many the default judge and the reader accept."""
    read = sum(len(_read()[model]) for model in models)
    passed = sum(len(_passed(model, DEFAULT_JUDGE)) for model in models)
    return read, passed, sum(len(_accepted(model)) for model in models)


def readings() -> str:
    """How many answers of each model the reader and the judges accept, and where they part."""
    lines = []
    for model, codes in _read().items():
        accepted = _accepted(model)
        cells = [len(codes), len(accepted), _listed(Counter(codes.values()))]
        for passed in (_passed(model, judge) for judge in JUDGES):
            cells += [f"{len(passed - accepted)}, {len(accepted - passed)}"]
        lines.append([model.partition("/")[2], *cells])
    heads = (f"`{name}`: wrongly passed, wrongly flagged" for name in JUDGES)
    return table("|".join(["model|read|accepted|rejected as", *heads]), lines)


def _accepted(model: str) -> set[str]:
    return {row for row, code in _read()[model].items() if code == "aligned"}


@cache
def _passed(model: str, judge: str) -> set[str]:
    """Return the rows, of those read, whose answers a judge passes."""
    judged = {answer.row.row_id: answer.judgement for answer in answers_of(model, "clean", "reason", judge=judge)}
    return {row for row in _read()[model] if not judged[row].misaligned}


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{code} {n}" for code, n in counted.most_common() if code != "aligned")
