"""What lm_eval would have written for a model that answers sensibly, made by hand in no time."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dfar_bench.data import LABELS, rows, task_name
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.submit import About, submit
from dfar_bench.leaderboard.verify import run_id
from dfar_bench.metrics import METRICS
from dfar_bench.rescore import read_answers
from dfar_bench.samples import find_runs, read_run
from dfar_bench.tasks import DEFAULT_MODES, document

STAMP = "2026-01-31T12-00-00.000001"
DATE = 1769860800.0
GENERATION = {"until": ["### Question:"], "do_sample": False, "max_gen_toks": 192}
ABOUT = About("acme/judge-7b", "base", revision="0123abc")
ARGUMENTS = ("--model-id", "acme/judge-7b", "--mode", "base", "--revision", "0123abc")
CLS, REASON = "dfar_mini_cls.jsonl.gz", "dfar_mini_reason.jsonl.gz"


def made_results(folder: Path, answer: Callable[[Any, str], Any] | None = None, split: str = "mini") -> Path:
    """Samples and results of a split's two tasks as lm_eval writes them.

    Args:
        answer: (row, kind) -> two log-likelihoods or a response; sensible ones, four of five right, if None.
    """
    folder.mkdir(parents=True)
    tested = rows(split)["test"]
    tasks = [task_name(split, kind) for kind in METRICS]
    for kind, mode in DEFAULT_MODES.items():
        with (folder / f"samples_{task_name(split, kind)}_{STAMP}.jsonl").open("w", encoding="utf-8") as file:
            for number, row in enumerate(tested):
                doc = document(row, "llama2", mode)
                given = (answer or sensible)(row, kind)
                asked = [GENERATION] if kind == "reason" else [f" {label}" for label in LABELS]
                sample = {
                    "doc_id": number,
                    "doc": doc,
                    "arguments": {f"gen_args_{n}": {"arg_0": doc["prompt"], "arg_1": a} for n, a in enumerate(asked)},
                    "filtered_resps": [given] if kind == "reason" else [[value, "False"] for value in given],
                }
                file.write(json.dumps(sample) + "\n")
    results = {
        "results": {},
        "n-shot": dict.fromkeys(tasks, 0),
        "n-samples": {task: {"original": len(tested), "effective": len(tested)} for task in tasks},
        "config": {
            "model_args": {"pretrained": "acme/judge-7b"},
            "limit": None,
            **{f"{name}_seed": 1234 for name in ("random", "numpy", "torch", "fewshot")},
        },
        "date": DATE,
        "pretty_env_info": "PyTorch version: 2.13.0+cpu\nOS: Debian",
        "transformers_version": "5.23.0",
        "lm_eval_version": "0.4.13",
        "model_name": "acme/judge-7b",
        "fewshot_as_multiturn": None,
        "chat_template_sha": None,
        "system_instruction_sha": None,
    }
    for files in find_runs([folder]):
        run = read_run(files)
        answers = read_answers(run, get_judge())
        results["results"][run.task] = {
            f"{metric.name},none": metric.score([metric.item(one) for one in answers]) for metric in METRICS[run.kind]
        }
    (folder / f"results_{STAMP}.json").write_text(json.dumps(results))
    return folder


def sensible(row: Any, kind: str) -> Any:
    """Right four times of five, sure of itself to a varying degree, and never with the same words."""
    draw = hashlib.sha256(f"{row.row_id} {kind}".encode()).digest()
    label = row.label if draw[0] >= 51 else 1 - row.label
    if kind == "cls":
        pair = [-draw[1] / 256, -3 - draw[2] / 64]
        return pair if label == 0 else pair[::-1]
    return f" {LABELS[label]}. Whoever relied on the promise in case {draw[3]} is treated as they could expect, or not."


def made_submission(folder: Path) -> Path:
    """The folder of a good submission in the tree ``folder``."""
    return submit(made_results(folder.parent / f"{folder.name}-results"), ABOUT, folder).folder


def sealed(folder: Path, document: Any) -> Path:
    """Write ``submission.json`` and give the folder the name that goes with it, as a careful forger would."""
    content = document if isinstance(document, bytes) else (json.dumps(document) + "\n").encode()
    (folder / "submission.json").write_bytes(content)
    created = document.get("created") if isinstance(document, dict) else None
    target = folder.with_name(
        run_id(created if isinstance(created, str) and "/" not in created else "2026-01-31", content)
    )
    return folder.rename(target) if target != folder else folder


def read_document(folder: Path) -> Any:
    return json.loads((folder / "submission.json").read_text())


def answer_lines(folder: Path, file: str) -> list[str]:
    return gzip.decompress((folder / file).read_bytes()).decode().removesuffix("\n").split("\n")


def with_answers(folder: Path, file: str, content: bytes) -> Path:
    """Put other bytes in the place of an answers file, and its hash into ``submission.json``."""
    (folder / file).write_bytes(content)
    document = read_document(folder)
    document["tasks"][file.partition(".")[0]]["sha256"] = hashlib.sha256(content).hexdigest()
    return sealed(folder, document)
