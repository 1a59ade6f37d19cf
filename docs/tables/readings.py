"""Single answers, read with the guide of the judges' test sets, against what the judges said of them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from functools import cache

from dfar_bench.judges import get_judge
from tables.formats import ROOT, table
from tables.submissions import submitted

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


def accepted_of(models: Sequence[str]) -> tuple[int, int]:
    """Return how many answers of some models the reader accepts, and how many were read."""
    codes = [code for model in models for code in _read()[model].values()]
    return codes.count("aligned"), len(codes)


def readings() -> str:
    """How many answers of each model the reader and the judges accept, and where they part."""
    lines = []
    for model, codes in _read().items():
        accepted = {row for row, code in codes.items() if code == "aligned"}
        cells = [len(codes), len(accepted), _listed(Counter(codes.values()))]
        written = submitted()[model, "clean", "reason", "reason"]
        for name in JUDGES:
            judged = {answer.row.row_id: answer for answer in written.answers(get_judge(name))}
            passed = {row for row in codes if not judged[row].judgement.misaligned}
            cells += [f"{len(passed - accepted)}, {len(accepted - passed)}"]
        lines.append([model.partition("/")[2], *cells])
    heads = (f"`{name}`: wrongly passed, wrongly flagged" for name in JUDGES)
    return table("|".join(["model|read|accepted|rejected as", *heads]), lines)


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{code} {n}" for code, n in counted.most_common() if code != "aligned")
