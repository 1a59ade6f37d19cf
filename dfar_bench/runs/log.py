"""Read what ``lm_eval --log_samples`` wrote, trusting none of it.

Statement, label and reason are taken from our own data by row id; what the file says of them must agree. A run is what
one call of the harness wrote for one task: usually one file, but several when rows were spread over processes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dfar_bench.datasets import DATASETS
from dfar_bench.errors import InputError
from dfar_bench.files import read_jsonl
from dfar_bench.prompts import CONDITIONS
from dfar_bench.runs.run import JUDGED_BY, Harness, Run
from dfar_bench.runs.sample import Sample
from dfar_bench.runs.scored_model import scored_model
from dfar_bench.scoring import KINDS, Output, Task, tasks
from dfar_bench.text import short_hash

_NAME = re.compile(r"samples_(?P<task>.+?)_(?P<stamp>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?)(?P<part>.*)\.jsonl")
_HOW_TO_LOG = "lm_eval writes them with --log_samples --output_path FOLDER"
_FORMER_JUDGE = "reference.v1.e9e92464"  # of runs from before it was recorded
_WHAT = "a samples file of lm_eval (--log_samples)"


def find_runs(paths: Iterable[Path]) -> list[tuple[Path, ...]]:
    """Find the sample files of each run among files and folders (searched recursively), sorted by name.

    Files in one folder that carry the same task and time are parts of one run.

    Raises:
        InputError: a path does not exist, or a folder holds no samples of our tasks.
    """
    runs: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        for file in map(Path.resolve, _sample_files(path)):
            match = _NAME.fullmatch(file.name)
            key = (str(file.parent), match["task"], match["stamp"]) if match else (str(file),)
            files = runs.setdefault(key, [])
            if file not in files:
                files.append(file)
    return [tuple(files) for _, files in sorted(runs.items())]


def _sample_files(path: Path) -> list[Path]:
    if path.is_dir():
        ours = tasks()
        files = [
            file
            for file in sorted(path.rglob("samples_*.jsonl"))
            if (match := _NAME.fullmatch(file.name)) and match["task"] in ours and file.is_file()
        ]
        if not files:
            raise InputError(f"{path} holds no samples of our tasks (samples_*.jsonl): {_HOW_TO_LOG}.")
        return files
    if not path.is_file():
        raise InputError(f"{path} does not exist: name a samples file or the folder given to --output_path.")
    if path.suffix == ".json":
        raise InputError(f"{path} is not a samples file: name samples_*.jsonl beside it, or the folder.")
    return [path]


def read_run(files: tuple[Path, ...]) -> Run:
    """Read the files of one run.

    Raises:
        InputError: names the file and line of the first fault: not JSON (cut off), another task's, made from other data
            or by another version, a row twice, fewer rows than the run is said to have.
    """
    where_seen: dict[str, str] = {}
    outputs: list[Output] = []
    settings: dict[str, Any] = {}
    contexts: list[tuple[str, str]] = []
    bare, messages = True, False
    for file in files:
        for number, value in read_jsonl(file, _WHAT):
            sample = Sample(value, f"{file}, line {number}")
            row = sample.row()
            if row.row_id in where_seen:
                raise InputError(
                    f"{sample.where}: row {row.row_id} is here and at {where_seen[row.row_id]}; remove one of the two."
                )
            where_seen[row.row_id] = sample.where
            output, context = sample.output(row), sample.context()
            _check_agreement(settings, sample.settings(row, output), sample.where)
            outputs.append(output)
            contexts.append((row.row_id, context))
            bare = bare and context == sample.doc["prompt"]
            messages = messages or sample.sent_messages()
    if not outputs:
        raise InputError(f"{files[0]} is empty: {_HOW_TO_LOG}.")
    task = Task(DATASETS[settings["data"]], KINDS[settings["kind"]])
    results = _results_beside(files[0])
    _check_complete(results, task.name, len(outputs), files[0])
    scored = scored_model(results)
    return Run(
        task=task,
        style=settings["prompt"],
        condition=CONDITIONS[settings["condition"]],
        outputs=tuple(sorted(outputs, key=lambda output: output.row.row_id)),
        harness=_harness(results, task.name, settings, contexts if not bare else None, messages),
        files=files,
        model=_text(results.get("model_name")),
        scored=scored,
        tuned=scored.tuned,
        started=_time(results.get("date")),
        printed=_printed(_section(results, "results", task.name)),
        printed_by=_text(_section(results, "configs", task.name, "metadata").get(JUDGED_BY)) or _FORMER_JUDGE,
    )


def _check_agreement(settings: dict[str, Any], of_sample: dict[str, Any], where: str) -> None:
    for name, value in of_sample.items():
        if settings.setdefault(name, value) != value:
            raise InputError(
                f"{where}: {name} is {value} here but {settings[name]} before; "
                f"these samples are of different runs, score them one by one."
            )


def _results_beside(file: Path) -> dict[str, Any]:
    match = _NAME.fullmatch(file.name)
    beside = file.with_name(f"results_{match['stamp']}.json") if match else None
    if beside is None or not beside.is_file():
        return {}
    try:
        results = json.loads(beside.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError):
        raise InputError(f"{beside} is not valid JSON; it is cut off or damaged: restore it or remove it.") from None
    return results if isinstance(results, dict) else {}


def _section(results: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return an object inside a results file, {} where the file has none of that name."""
    value: Any = results
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _check_complete(results: dict[str, Any], task: str, count: int, file: Path) -> None:
    effective = _section(results, "n-samples", task).get("effective")
    if isinstance(effective, int) and effective not in (0, count):  # 0 after --predict_only
        raise InputError(
            f"{file} holds {count} rows of {task}, but its run scored {effective}: "
            f"the file is cut off, or parts of it are missing."
        )


def runs_by_task(*paths: Path, part: str = "samples file") -> dict[str, Run]:
    """Read the runs of folders or samples files, by task.

    Args:
        part: what holds one run alone, for the error message.

    Raises:
        InputError: see ``read_run``; or there are two runs of one task.
    """
    runs: dict[str, Run] = {}
    for files in find_runs(paths):
        run = read_run(files)
        if run.task.name in runs:
            where = " and ".join(map(str, paths))
            raise InputError(f"two runs of {run.task.name} are in {where}: name the {part} of one of them.")
        runs[run.task.name] = run
    return runs


def _harness(
    results: dict[str, Any],
    task: str,
    settings: dict[str, Any],
    contexts: list[tuple[str, str]] | None,
    messages: bool,
) -> Harness:
    config = _section(results, "config")
    shots = _section(results, "n-shot").get(task)
    torch = re.search(r"^PyTorch version: (\S+)$", str(results.get("pretty_env_info")), re.MULTILINE)
    return Harness(
        lm_eval=_text(results.get("lm_eval_version")),
        transformers=_text(results.get("transformers_version")),
        torch=torch[1] if torch and torch[1][0].isdigit() else None,
        shots=shots if isinstance(shots, int) else None,
        multiturn=bool(results.get("fewshot_as_multiturn")),
        chat_template_sha=_text(results.get("chat_template_sha")),
        system_instruction_sha=_text(results.get("system_instruction_sha")),
        context=None if contexts is None else short_hash(sorted(contexts)),
        messages=messages,
        thinking=settings["thinking"],
        dtype=dtype[6:] if (dtype := str(config.get("model_dtype"))).startswith("torch.") else None,
        batch=None if config.get("batch_size") is None else str(config["batch_size"]),
        generation=settings["generation"],
        limit=config.get("limit"),
        seeds={name: config.get(f"{name}_seed") for name in ("random", "numpy", "torch", "fewshot")},
        recorded=bool(results),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _time(date: object) -> float | None:
    """Return a POSIX time that a calendar has."""
    try:
        time = float(date)  # type: ignore[arg-type]
        datetime.fromtimestamp(time, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return time


def _printed(results: dict[str, Any]) -> dict[str, float | str]:
    """Return lm_eval's own figures, as numbers where they are numbers."""
    printed: dict[str, float | str] = {}
    for key, value in results.items():
        name, _, filter_name = key.partition(",")
        if filter_name == "none" and not name.endswith("_stderr"):
            finite = isinstance(value, int | float) and math.isfinite(value)
            printed[name] = value if finite else str(value)
    return printed
