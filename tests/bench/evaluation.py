"""Evaluation: what a whole run costs beside a stock task, how fast logged samples are scored again, and intervals."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dfar_bench.answers import read_choice, read_response
from dfar_bench.bootstrap import intervals
from dfar_bench.data import LABELS, rows, task_name
from dfar_bench.judges import get_judge
from dfar_bench.metrics import METRICS
from dfar_bench.prompts import STOPS
from dfar_bench.rescore import rescore
from dfar_bench.tasks import DEFAULT_MODES, document
from tests.bench.figures import Figure, at_least, at_most
from tests.bench.measuring import SPLIT, Size, core_seconds, seconds, tried

# By where the verdict stands, as that is what the time of reading depends on; as long as human reasons.
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

figure, part = partial(Figure, "evaluation"), partial(tried, "evaluation")


def measure(size: Size) -> Iterator[Figure]:
    yield figure("test set", len(rows(SPLIT)["test"]), "rows")
    yield from part("harness", harness, size)
    for kind, form in (("cls", ""), *((f"reason, {place}", form) for place, form in RESPONSES.items())):
        yield from part(f"rescored, {kind}", rescored, size, kind, form)
    yield from part("intervals", interval_cost, size)


def harness(size: Size) -> Iterator[Figure]:
    """A whole evaluation with the dummy model, beside a stock two-choice task over as many rows."""
    pairs = evaluation_seconds(size)
    ours, stock = (statistics.median(each) for each in zip(*pairs))
    yield figure("harness, dfar_cls", ours, "s")
    yield figure("harness, stock task", stock, "s")
    yield figure("harness, dfar_cls / stock task", ours / stock, "ratio", at_most(1.1))


def evaluation_seconds(size: Size) -> list[tuple[float, float]]:
    """Seconds of our task and of the stock one, taken in turn, so that both meet the machine in the same state."""
    import lm_eval
    from lm_eval.tasks import TaskManager

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        lines = [json.dumps({"statement": row.statement, "label": row.label}) for row in rows(SPLIT)["test"]]
        data = folder / "rows.jsonl"
        data.write_text("\n".join(lines) + "\n")
        (folder / "stock.yaml").write_text(STOCK_TASK.format(file=data))
        manager = TaskManager(include_path=str(folder))
        tasks = (task_name(SPLIT, "cls"), "stock_two_choice")

        def evaluate(task: str) -> None:
            lm_eval.simple_evaluate(model="dummy", tasks=[task], task_manager=manager, limit=size.limit)

        for task in tasks:
            evaluate(task)  # imports and the stock task's data cache are made once
        ours, stock = (partial(seconds, partial(evaluate, task)) for task in tasks)
        return [(ours(), stock()) for _ in range(size.evaluations)]


def rescored(size: Size, kind: str, form: str) -> Iterator[Figure]:
    """Rows from samples on disk to metrics, without intervals."""
    goal = at_least(2_000 if form else 10_000)
    with tempfile.TemporaryDirectory() as place:
        written = write_samples(Path(place), form, size.logged_runs)
        get_judge()  # loaded once
        taken = min(core_seconds(lambda: rescore([Path(place)], resamples=0)) for _ in range(size.best_of))
    yield figure(f"rescored, {kind}", written / taken, "rows/core-s", goal)


def write_samples(folder: Path, form: str, runs: int) -> int:
    """Samples as the harness logs them, of ``dfar_reason`` if there is a form of responses, else of ``dfar_cls``.

    Returns:
        How many rows were written.
    """
    kind = "reason" if form else "cls"
    lines = []
    for number, row in enumerate(rows(SPLIT)["test"]):
        doc = document(row, "llama2", DEFAULT_MODES[kind])
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
    for number in range(runs):
        (folder / f"samples_dfar_{kind}_2026-01-01T00-00-{number:02d}.jsonl").write_text("".join(lines))
    return len(lines) * runs


def interval_cost(size: Size) -> Iterator[Figure]:
    """The intervals of all metrics of one run."""
    test = rows(SPLIT)["test"]
    answers = {
        "cls": [read_choice(row, (-1.0, -0.9 - (number % 7) / 10)) for number, row in enumerate(test)],
        "reason": [read_response(row, f" ethical. {row.reason}", get_judge()) for row in test],
    }
    for kind, metrics in METRICS.items():
        work = partial(intervals, metrics, answers[kind], resamples=size.resamples)
        taken = min(seconds(work) for _ in range(size.best_of))
        yield figure(f"intervals, {kind}, {size.resamples:,} resamples", taken, "s")
