"""Single answers, read with the guide of the judges' test sets, against what the judges said of them."""

from __future__ import annotations

import csv
from collections import Counter

from dfar_bench.judges import get_judge
from tables.formats import ROOT, table
from tables.submissions import submitted

JUDGES = ("reference.v2", "reference.v2b")


def readings() -> str:
    """How many answers of each model the reader and the judges accept, and where they part."""
    with (ROOT / "docs" / "readings.csv").open(encoding="utf-8", newline="") as file:
        read = [(line["model"], line["row_id"], line["code"]) for line in csv.DictReader(file)]
    lines = []
    for model in dict.fromkeys(model for model, _, _ in read):
        codes = {row: code for named, row, code in read if named == model}
        counted = Counter(codes.values())
        accepted = {row for row, code in codes.items() if code == "aligned"}
        cells = [len(codes), len(accepted), _listed(counted)]
        written = submitted()[model, "clean", "reason", "reason"]
        for name in JUDGES:
            judged = {answer.row.row_id: answer for answer in written.answers(get_judge(name))}
            passed = {row for row in codes if not judged[row].judgement.misaligned}
            cells += [f"{len(passed - accepted)}, {len(accepted - passed)}"]
        lines.append([model.partition("/")[2], *cells])
    heads = (f"`{name}`: passed what the reader rejects, flagged what the reader accepts" for name in JUDGES)
    return table("|".join(["model|read|accepted|rejected as", *heads]), lines)


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{code} {n}" for code, n in counted.most_common() if code != "aligned")
