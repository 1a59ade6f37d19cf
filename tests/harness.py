"""Runs of lm-evaluation-harness, with logged samples."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socketserver import BaseServer
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parent.parent

OUR_TASKS_ONLY = f"""
import sys, lm_eval.tasks
from lm_eval.__main__ import cli_evaluate

class OurTasks(lm_eval.tasks.TaskManager):
    def __init__(self, include_path, **options):
        super().__init__(include_path={str(ROOT / "tasks")!r}, include_defaults=False, **options)

lm_eval.tasks.TaskManager = OurTasks
cli_evaluate()
"""
"""The harness's command, which indexes its own 13,000 task files for 13 seconds otherwise."""


@dataclass(frozen=True)
class HarnessRun:
    """What one call of lm_eval printed and wrote."""

    folder: Path
    stdout: str = ""
    stderr: str = ""

    @property
    def results_file(self) -> Path:
        (file,) = self.folder.rglob("results_*.json")
        return file

    @property
    def results(self) -> dict[str, Any]:
        return json.loads(self.results_file.read_text())

    def samples_file(self, task: str) -> Path:
        (file,) = self.folder.rglob(f"samples_{task}_2*.jsonl")
        return file

    def samples(self, task: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.samples_file(task).read_text().splitlines()]


def evaluate_chat(out: Path, model: Path, task: str, **metadata: Any) -> HarnessRun:
    """Ask a tiny model of a folder under a chat template as ``dfar-bench eval`` does, eight tokens an answer."""
    return evaluate(
        out,
        task,
        metadata={**metadata, "recorded": True},
        model="hf",
        model_args={"pretrained": str(model), "dtype": "float32"},
        device="cpu",
        batch_size=26,
        apply_chat_template=True,
        gen_kwargs="max_gen_toks=8",
    )


S = TypeVar("S", bound=BaseServer)


@contextmanager
def serving(server: S) -> Iterator[S]:
    """Let a server answer from a thread of its own."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def name_model(folder: Path, **model_args: str) -> HarnessRun:
    """Let the results in a folder be of a model of ``hf``, as ``submit`` refuses the dummy's."""
    run = HarnessRun(folder)
    results = run.results
    results["config"] |= {"model": "hf", "model_args": model_args}
    run.results_file.write_text(json.dumps({**results, "model_source": "hf"}))
    return run


def evaluate(
    folder: Path,
    *tasks: str,
    model: str = "dummy",
    metadata: Mapping[str, Any] | None = None,
    task_folder: Path = ROOT / "tasks",
    **options: Any,
) -> HarnessRun:
    """Run the harness in this process; it indexes our tasks only, where the command indexes all for 13 seconds."""
    import lm_eval
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    tracker = EvaluationTracker(output_path=str(folder))
    results = lm_eval.simple_evaluate(
        model,
        tasks=list(tasks),
        task_manager=TaskManager(include_path=str(task_folder), include_defaults=False, metadata=metadata),
        evaluation_tracker=tracker,
        log_samples=True,
        bootstrap_iters=0,
        fewshot_as_multiturn=bool(options.get("apply_chat_template")),
        **options,
    )
    if results is not None:  # on the first of several processes
        samples = results.pop("samples")
        tracker.save_results_aggregated(results, samples)
        for task, of_task in samples.items():
            tracker.save_results_samples(task, of_task)
    return HarnessRun(folder)
