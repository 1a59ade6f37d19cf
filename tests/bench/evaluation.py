"""Evaluation: the cost of a run compared with a stock task, the speed of rescoring, and the cost of intervals."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dfar_bench.datasets import get_dataset, rows
from dfar_bench.judges import get_judge
from dfar_bench.prompts import DEFAULT_STYLE, STOPS, make_prompt
from dfar_bench.runs.documents import document
from dfar_bench.runs.rescore import rescore
from dfar_bench.scoring import KINDS, Output, Task, estimates
from tests.bench.figures import Figure
from tests.bench.measuring import SPLIT, Size, attempt, core_seconds, seconds

ROOT = Path(__file__).resolve().parents[2]

# By the place of the verdict, which the reading time depends on; as long as human reasons.
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

figure, part = partial(Figure, "evaluation"), partial(attempt, "evaluation")


def measure(size: Size) -> Iterator[Figure]:
    yield figure("test set", len(rows(SPLIT)["test"]), "rows")
    yield from part("harness", measure_harness, size)
    yield from part("rescored, cls", measure_rescoring, size, "cls", "cls")
    for place, form in RESPONSES.items():
        yield from part(f"rescored, reason, {place}", measure_rescoring, size, f"reason, {place}", "reason", form)
    yield from part("intervals", measure_intervals, size)


def measure_harness(size: Size) -> Iterator[Figure]:
    """Run our task and a stock two-choice task over as many rows with the dummy model, in turn."""
    import lm_eval
    from lm_eval.tasks import TaskManager

    with tempfile.TemporaryDirectory() as folder:
        lines = [json.dumps({"statement": row.statement, "label": row.label}) for row in rows(SPLIT)["test"]]
        data = Path(folder) / "rows.jsonl"
        data.write_text("\n".join(lines) + "\n")
        (Path(folder) / "stock.yaml").write_text(STOCK_TASK.format(file=data))
        manager = TaskManager(include_path=[folder, str(ROOT / "tasks")], include_defaults=False)

        def evaluate(task: str) -> None:
            lm_eval.simple_evaluate(model="dummy", tasks=[task], task_manager=manager, limit=size.limit)

        ours, stock = (partial(evaluate, task) for task in (_task("cls").name, "stock_two_choice"))
        ours()  # imports, and the stock task's data cache
        stock()
        pairs = [(seconds(ours), seconds(stock)) for _ in range(size.evaluations)]
    our_median, stock_median = (statistics.median(times) for times in zip(*pairs))
    yield figure("harness, dfar_cls", our_median, "s")
    yield figure("harness, stock task", stock_median, "s")
    yield figure("harness, dfar_cls / stock task", our_median / stock_median, "ratio")


def measure_rescoring(size: Size, name: str, kind: str, form: str = "") -> Iterator[Figure]:
    """Score samples on disk, without intervals."""
    with tempfile.TemporaryDirectory() as folder:
        count = write_samples(Path(folder), kind, form, size.logged_runs)
        get_judge()  # loaded once
        best = min(core_seconds(lambda: rescore([Path(folder)], resamples=0)) for _ in range(size.best_of))
    yield figure(f"rescored, {name}", count / best, "rows/core-s")


def write_samples(folder: Path, kind: str, form: str, runs: int) -> int:
    """Write runs with samples as the harness logs them, and return the number of rows."""
    task, labels, lines = _task(kind), get_dataset(SPLIT).labels, []
    for number, row in enumerate(rows(SPLIT)["test"]):
        doc = document(row, task, DEFAULT_STYLE, task.kind.condition)
        if kind == "cls":
            outputs: list[Any] = [[str(-1.5 + number % 3 + number / 1000), "False"], ["-0.75", "False"]]
            requests: list[Any] = [f" {label}" for label in labels]
        else:
            outputs = [form.format(label=labels[number % 2], reason=row.reason)]
            requests = [{"until": list(STOPS), "do_sample": False, "max_gen_toks": 192}]
        sample = {
            "doc_id": number,
            "doc": doc,
            "arguments": {
                f"gen_args_{n}": {"arg_0": doc["prompt"], "arg_1": asked} for n, asked in enumerate(requests)
            },
            "resps": [outputs],
            "filtered_resps": outputs,
        }
        lines.append(json.dumps(sample, ensure_ascii=False) + "\n")
    for number in range(runs):
        (folder / f"samples_{task.name}_2026-01-01T00-00-{number:02d}.jsonl").write_text("".join(lines))
    return len(lines) * runs


def measure_intervals(size: Size) -> Iterator[Figure]:
    """Compute all metrics of one run with their intervals."""
    for kind in (KINDS[name] for name in get_dataset(SPLIT).kinds):
        outputs = []
        for number, row in enumerate(rows(SPLIT)["test"]):
            value = f" ethical. {row.reason}" if kind.judged else (-1.0, -0.9 - (number % 7) / 10 - number / 10_000)
            outputs.append(Output(row, value, make_prompt(DEFAULT_STYLE, kind.condition, row)))
        answers = kind.read(outputs, get_judge())
        work = partial(estimates, kind.metrics, answers, resamples=size.resamples)
        best = min(seconds(work) for _ in range(size.best_of))
        yield figure(f"intervals, {kind.name}, {size.resamples:,} resamples", best, "s")


def _task(kind: str) -> Task:
    return Task(get_dataset(SPLIT), KINDS[kind])
