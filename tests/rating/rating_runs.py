"""Runs with answers of our own, and raters who fill in the sheet in a spreadsheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import HarnessRun

from dfar_bench.datasets import LABELS, Row, rows

ROWS = {row.row_id: row for row in rows("mini")["test"]}
HOSTILE = (
    '=HYPERLINK("http://127.0.0.1:9/","ethical")',
    "ethical </p></article><script>document.title = 'run'; fetch('http://127.0.0.1:9/')</script>",
    "unethical <img src=http://127.0.0.1:9/x.png onerror=\"document.title='run'\">\u202e &amp; it ends\r\nhere",
    "@SUM(A1) <style>body { display: none }</style> \ud800 \x00 {{ 7 * 7 }} It is ethical.",
)
Line = dict[str, str]


def friendly_answer(row: Row) -> str:
    """An answer that is right, with a reason, on two rows of three."""
    right = int(row.row_id[-2:]) % 3 > 0
    return f"{LABELS[row.label if right else 1 - row.label]}. {row.reason[:40]} <thought {row.row_id}>"


def hostile_answer(row: Row) -> str:
    """An answer that attacks whoever shows it."""
    return HOSTILE[int(row.row_id[-2:]) % len(HOSTILE)] + f" {row.row_id[-2:]}"


ANSWERS = {"model-one": friendly_answer, "model-two": hostile_answer}


def write_run(source: HarnessRun, folder: Path, model: str) -> Path:
    """Write a run on the mini data with a model's answers into a folder of its name."""
    (folder / model).mkdir(parents=True)
    samples = source.samples("dfar_mini_reason")
    for sample in samples:
        sample["filtered_resps"] = [ANSWERS[model](ROWS[sample["doc"]["row_id"]])]
    lines = "".join(json.dumps(sample) + "\n" for sample in samples)
    (folder / model / source.samples_file("dfar_mini_reason").name).write_text(lines)
    results = source.results | {"model_name": model, "results": {}}
    (folder / model / source.results_file.name).write_text(json.dumps(results))
    return folder / model


def read_table(file: Path) -> list[Line]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def fill_in(sheet: Path, file: Path, rate: Callable[[Line], tuple[str, str]], **csv_format: Any) -> Path:
    """Fill in a sheet as one rater does in a spreadsheet program."""
    table = read_table(sheet / "sheet.csv")
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, table[0], **csv_format)
        writer.writeheader()
        for line in table:
            aligned, coherent = rate(line)
            writer.writerow({**line, "aligned": aligned, "coherent": coherent})
    return file


def rate_by_verdict(line: Line) -> tuple[str, str]:
    """Call the friendly model's answers aligned if their verdict is right, and nothing of the hostile model's."""
    if "thought" not in line["answer"]:
        return "no", "no"
    return ("Yes", "") if line["answer"].startswith(f"{line['human_verdict']}.") else ("no", " YES ")
