"""Verify one submission: check its form, score its answers with our own data and judge, and list everything wrong.

Nothing of a submission is executed, imported or followed; see ``untrusted``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dfar_bench.datasets import DATASETS, available
from dfar_bench.errors import InputError
from dfar_bench.judges import Judge, get_judge
from dfar_bench.leaderboard.answers_file import Stored, answers_name, prompts_of, read_answers
from dfar_bench.leaderboard.contamination import contamination
from dfar_bench.leaderboard.faults import Fault, RefusedError, of_validation, shown
from dfar_bench.leaderboard.flags import Flag, inconsistency, same_judge, task_flags
from dfar_bench.leaderboard.quotation import quotes
from dfar_bench.leaderboard.schema import SCHEMA_VERSION, Submission, SubmittedTask
from dfar_bench.leaderboard.submission import (
    FILE,
    Opened,
    is_future,
    model_folder,
    open_submission,
    run_id,
)
from dfar_bench.leaderboard.untrusted import parse
from dfar_bench.leaderboard.verified import VerifiedSubmission, VerifiedTask
from dfar_bench.prompts import find_condition
from dfar_bench.runs.run import Harness as RunHarness
from dfar_bench.runs.run import Run
from dfar_bench.scoring import Answer, Task, tasks
from dfar_bench.training.modes import MODES


def verify(folder: Path, judge: Judge | None = None) -> VerifiedSubmission | list[Fault]:
    """Verify one submission.

    Args:
        folder: ``…/org__name/date-hash``; its names matter.
        judge: the default one if None.

    Returns:
        The submission with its figures, or all its faults.

    Raises:
        InputError: the published data is not available.
    """
    return verify_opened(open_submission(folder), judge or get_judge())


def read(folder: Path) -> tuple[Submission, dict[str, Run]]:
    """Return what a submission says, and its runs by task.

    Raises:
        InputError: it is not a submission or has a fault, or the published data is not available.
    """
    if not os.path.lexists(folder / FILE):
        raise InputError(f"{folder} is not a submission: name its folder, ORG__NAME/RUN.")
    result = _read(open_submission(folder))
    if isinstance(result, list):
        raise InputError(f"{result[0]} (dfar-bench verify names every fault of this submission).")
    submission, runs = result
    return submission, {name: replace(run, model=submission.model.id) for name, (run, _) in runs.items()}


def submitted_runs(folder: Path) -> dict[str, Run]:
    """Return the runs in a submission, by task; see ``read``."""
    return read(folder)[1]


def verify_opened(opened: Opened, judge: Judge) -> VerifiedSubmission | list[Fault]:
    """Verify a submission whose files have been read; see ``verify``."""
    result = _read(opened)
    if isinstance(result, list):
        return result
    submission, runs = result
    verified = {name: _score(run, stored, submission, judge) for name, (run, stored) in runs.items()}
    ranked_by = submission.dfar_run.ranked_by if submission.dfar_run else None
    pleased = (
        same_judge(ranked_by, judge.signature) if any(task.task.kind.judged for task in verified.values()) else None
    )
    flags = (*_compare_tasks(verified), *filter(None, [pleased]))
    return VerifiedSubmission(opened.folder, submission, verified, flags)


Runs = dict[str, tuple[Run, tuple[Stored, ...]]]
"""The runs of a submission by task, each with its answers as the file holds them."""


def _read(opened: Opened) -> tuple[Submission, Runs] | list[Fault]:
    """Check the form of a submission and read its answers; no judge is needed."""
    faults = list(opened.faults)
    if FILE not in opened.files:
        return faults
    try:
        submission = read_submission(opened.files[FILE])
    except RefusedError as refused:
        return [*faults, *refused.of(opened.where(FILE))]
    checked = (*_check_names(opened, submission), *_check_quotations(submission))
    faults += [Fault(opened.where(FILE), *fault) for fault in checked]
    runs: Runs = {}
    for name, submitted in submission.tasks.items():
        if name in tasks():
            result = _read_task(tasks()[name], submitted, opened)
            if isinstance(result, list):
                faults += result
            else:
                run, stored = result
                runs[name] = replace(run, tuned=submission.mode != "base"), stored
    return faults or (submission, runs)


def read_submission(content: bytes) -> Submission:
    """Parse the bytes of ``submission.json``.

    Raises:
        RefusedError: with everything that is wrong with it.
    """
    document = parse(content)
    version = document.get("schema_version") if isinstance(document, dict) else None
    if isinstance(version, int) and version != SCHEMA_VERSION:
        reason = f"is {shown(version)}, and this version reads {SCHEMA_VERSION}: run dfar-bench submit again"
        raise RefusedError(("schema_version", reason))
    try:
        return Submission.model_validate(document)
    except ValidationError as error:
        raise RefusedError(*of_validation(error, document)) from None


def _read_task(task: Task, submitted: SubmittedTask, opened: Opened) -> tuple[Run, tuple[Stored, ...]] | list[Fault]:
    file, place, harness = answers_name(task.name), f"tasks.{task.name}.", submitted.harness
    faults = [Fault(opened.where(FILE), place + name, reason) for name, reason in _check_task(task, submitted, opened)]
    try:
        prompts = prompts_of(task.dataset.name, harness.prompt, harness.condition)
    except RefusedError as refused:
        return [*faults, *refused.of(opened.where(FILE), f"{place}harness.")]
    if file not in opened.files:
        if not any(fault.file == opened.where(file) for fault in opened.faults):
            faults.append(Fault(opened.where(file), "file", "is missing"))
        return faults
    try:
        answers = read_answers(opened.files[file], task, prompts)
    except RefusedError as refused:
        return [*faults, *refused.of(opened.where(file))]
    if faults:
        return faults
    limit: Any = (harness.generation or {}).get("max_gen_toks")
    outputs = tuple(
        replace(output, prompt=replace(output.prompt, thinking=harness.thinking), limit=limit)
        for output in answers.outputs
    )
    run = Run(
        task=task,
        style=harness.prompt,
        condition=find_condition(harness.condition, task.dataset),
        outputs=outputs,
        harness=RunHarness(**harness.model_dump(exclude={"prompt", "condition"})),
    )
    return run, answers.stored


def _score(run: Run, stored: tuple[Stored, ...], submission: Submission, judge: Judge) -> VerifiedTask:
    answers = tuple(run.answers(judge))
    return VerifiedTask(
        task=run.task,
        run=run,
        harness=submission.tasks[run.task.name].harness,
        answers=answers,
        stored=stored,
        signature=run.signature(judge),
        metrics={metric.name: metric.of(answers) for metric in run.metrics},
        flags=run_flags(run, answers, submission.mode),
        contamination=contamination(submission, run.task.dataset.name),
        error_rates=run.error_rates(judge),
    )


def run_flags(run: Run, answers: Sequence[Answer], mode: str | None = None) -> tuple[Flag, ...]:
    """Return the flags of the answers of a run.

    Args:
        mode: what the model was trained on, if that is known.
    """
    trained_on_verdicts = mode is not None and mode in MODES and not MODES[mode].with_reason
    return task_flags(answers, verdicts_alone=trained_on_verdicts or not run.condition.with_reason)


def _check_names(opened: Opened, submission: Submission) -> Iterator[tuple[str, str]]:
    """Check that folder, files and fields agree."""
    if opened.folder.parent.name != (name := model_folder(submission.model.id)):
        yield "model.id", f"is {submission.model.id}, so the folder must be called {name}"
    if opened.folder.name != (name := run_id(submission.created, opened.files[FILE])):
        yield "folder", f"its name must be {name}, from the date and the content of this file"
    if is_future(submission.created):
        yield "created", f"is {submission.created}, which is in the future"
    for name in submission.tasks:
        if name not in tasks():
            yield f"tasks.{shown(name)}", f"is not a task of the benchmark; choose one of {', '.join(tasks())}"
    for file in opened.files:
        if file != FILE and file not in map(answers_name, submission.tasks):
            yield "tasks", f"has no task for the file {file}"


def _check_quotations(submission: Submission) -> Iterator[tuple[str, str]]:
    """Check that no field quotes data that may not be published, as far as that data is available."""
    datasets = [dataset for dataset in DATASETS.values() if not dataset.publishable and available(dataset.name)]
    for name, value in submission.model_dump().items():
        text = " ".join(_texts(value))
        if any(quotes(dataset, text) for dataset in datasets):
            yield name, "quotes a statement or human reason of the data; leave it out"


def _texts(value: object) -> Iterator[str]:
    """Yield every string in a JSON value, and the keys, some of which the submitter chooses."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _check_task(task: Task, submitted: SubmittedTask, opened: Opened) -> Iterator[tuple[str, str]]:
    """Check what can be checked without reading the answers."""
    file, generation = answers_name(task.name), submitted.harness.generation
    if submitted.answers != file:
        yield "answers", f"is {shown(submitted.answers)}, and must be {file}"
    if file in opened.files and hashlib.sha256(opened.files[file]).hexdigest() != submitted.sha256:
        yield "sha256", f"is not that of {file}; the file was changed or damaged"
    if (generation is None) != task.kind.chooses:
        yield "harness.generation", "must be an object for tasks with written answers, and null for others"
    elif generation is not None and not _is_limit(generation.get("max_gen_toks")):
        yield "harness.generation.max_gen_toks", "must be a whole number of tokens, at least 1"


def _is_limit(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _compare_tasks(verified: Mapping[str, VerifiedTask]) -> Iterator[Flag]:
    for task in verified.values():
        other = verified.get(task.task.dataset.task_name("reason"))
        if task.task.kind.name == "cls" and other:
            flag = inconsistency(task.metrics["acc"], other.metrics["verdict_acc"], other.metrics["unparsed"])
            if flag:
                yield flag
