"""Speed, as ratios and throughputs measured in one run: ``make bench`` (``--json`` for one JSON document).

The published data is used where it is at hand, else the mini split; the report says which.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dfar_bench.answers import read_choice, read_response
from dfar_bench.bootstrap import RESAMPLES, intervals
from dfar_bench.data import LABELS, rows
from dfar_bench.judges import get_judge
from dfar_bench.metrics import METRICS
from dfar_bench.prompts import STOPS
from dfar_bench.rescore import rescore
from dfar_bench.tasks import DEFAULT_MODES, document
from tests.bench import board, training

REPEATS = 9
RUNS = 20
SPLIT = "paper" if os.environ.get("DFAR_BENCH_DATA") else "mini"

RESPONSES = {
    "verdict first": " {label}. {reason}",
    "verdict in a sentence": " The statement is {label} because of what follows. {reason}",
    "verdict last": " {reason} So the statement is {label}.",
    "no verdict of its own": " {reason}",
}

STOCK_TASK = """
task: stock_two_choice
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "Statement: {{{{statement}}}}\\nAnswer:"
doc_to_target: label
doc_to_choice: [ethical, unethical]
metric_list:
  - {{metric: acc, aggregation: mean, higher_is_better: true}}
"""


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def harness_overhead(folder: Path) -> dict[str, Any]:
    """Seconds of a whole evaluation with the dummy model, beside a stock two-choice task over as many rows."""
    import lm_eval
    from lm_eval.tasks import TaskManager

    test = rows(SPLIT)["test"]
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps({"statement": row.statement, "label": row.label}) + "\n" for row in test))
    (folder / "stock.yaml").write_text(STOCK_TASK.format(file=data))
    manager = TaskManager(include_path=str(folder))
    ours = "dfar_cls" if SPLIT == "paper" else "dfar_mini_cls"

    def evaluate(task: str) -> float:
        return seconds(lambda: lm_eval.simple_evaluate(model="dummy", tasks=[task], task_manager=manager))

    for task in (ours, "stock_two_choice"):
        evaluate(task)  # imports and the stock task's data cache are made once
    pairs = [(evaluate(ours), evaluate("stock_two_choice")) for _ in range(REPEATS)]
    return {
        "rows": len(test),
        "seconds": statistics.median(one for one, _ in pairs),
        "stock_seconds": statistics.median(other for _, other in pairs),
        "ratio": statistics.median(one for one, _ in pairs) / statistics.median(other for _, other in pairs),
        "goal": "ratio at most 1.1",
    }


def rescoring(folder: Path) -> dict[str, Any]:
    """Rows a second from samples on disk to metrics, without intervals; responses as long as human reasons.

    For ``reason`` by where the verdict stands, as that is what the reading time depends on.
    """
    out: dict[str, Any] = {"goal": "at least 10,000 rows a second of cls, 2,000 responses a second judged"}
    out["cls"] = _rows_per_second(folder / "cls", "cls", "")
    for place, form in RESPONSES.items():
        out[f"reason, {place}"] = _rows_per_second(folder / place.replace(" ", "_"), "reason", form)
    return out


def _rows_per_second(folder: Path, kind: str, form: str) -> int:
    test = rows(SPLIT)["test"]
    mode = DEFAULT_MODES[kind]
    lines = []
    for number, row in enumerate(test):
        doc = document(row, "llama2", mode)
        if kind == "cls":
            answered: list[Any] = [[str(-1.5 + number % 3), "False"], ["-0.75", "False"]]
            arguments = {f"gen_args_{k}": {"arg_0": doc["prompt"], "arg_1": f" {LABELS[k]}"} for k in (0, 1)}
        else:
            answered = [form.format(label=LABELS[number % 2], reason=row.reason)]
            generation = {"until": list(STOPS), "do_sample": False, "max_gen_toks": 192}
            arguments = {"gen_args_0": {"arg_0": doc["prompt"], "arg_1": generation}}
        sample = {
            "doc_id": number,
            "doc": doc,
            "arguments": arguments,
            "resps": [answered],
            "filtered_resps": answered,
        }
        lines.append(json.dumps(sample, ensure_ascii=False) + "\n")
    folder.mkdir()
    for number in range(RUNS):
        (folder / f"samples_dfar_{kind}_2026-01-01T00-00-{number:02d}.jsonl").write_text("".join(lines))
    taken = min(seconds(lambda: rescore([folder], resamples=0)) for _ in range(3))
    return round(len(test) * RUNS / taken)


def interval_cost() -> dict[str, Any]:
    """Seconds for the intervals of all metrics of one run."""
    test = rows(SPLIT)["test"]
    answers = {
        "cls": [read_choice(row, (-1.0, -0.9 - (number % 7) / 10)) for number, row in enumerate(test)],
        "reason": [read_response(row, f" ethical. {row.reason}", get_judge()) for row in test],
    }
    taken = {
        kind: min(seconds(lambda kind=kind: intervals(METRICS[kind], answers[kind])) for _ in range(3))
        for kind in METRICS
    }
    return {"rows": len(test), "resamples": RESAMPLES, **{f"{kind}_seconds": round(s, 3) for kind, s in taken.items()}}


def measure_evaluation(report: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        report["harness"] = harness_overhead(Path(one))
        report["rescore"] = rescoring(Path(other))
    report["intervals"] = interval_cost()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--only", choices=["evaluation", "training", "board"], help="leave the others out")
    parser.add_argument("--submissions", type=int, default=200, help="on the board (1000: a quarter of an hour)")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    if not sys.stderr.isatty():
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  the harness draws progress bars into pipes
    report: dict[str, Any] = {"split": SPLIT}
    if arguments.only in (None, "evaluation"):
        measure_evaluation(report)
    if arguments.only in (None, "training"):
        report["training speed"] = training.speed()
        report["training memory, MiB"] = training.memory()
    if arguments.only in (None, "board"):
        report["board"] = board.measure(SPLIT, arguments.submissions)
    if arguments.json:
        print(json.dumps(report, indent=2))
        return
    for name, found in report.items():
        for line in lines(name, found):
            print(line)


def lines(name: str, found: Any) -> list[str]:
    """A line for each group of figures."""
    if isinstance(found, dict) and any(isinstance(value, dict) for value in found.values()):
        return [line for inner, value in found.items() for line in lines(f"{name}, {inner}", value)]
    cells = found.items() if isinstance(found, dict) else [("", found)]
    return [f"{name}: " + ", ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}".strip() for k, v in cells)]


if __name__ == "__main__":
    main()
