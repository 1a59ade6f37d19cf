"""Score a submission again from its answers, with our own data and judge, and say all that is wrong with it.

Nothing of a submission is run, imported or followed; see ``reading``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from dfar_bench import __version__
from dfar_bench.data import rows
from dfar_bench.judges import Judge, get_judge
from dfar_bench.leaderboard.answers_file import doc_hashes, read_answers_file
from dfar_bench.leaderboard.contamination import contamination
from dfar_bench.leaderboard.faults import Fault, RefusedError, of_validation, shown
from dfar_bench.leaderboard.flags import Flag, odds, task_flags
from dfar_bench.leaderboard.folder import FILE, Opened, answers_name, content_key, open_submission
from dfar_bench.leaderboard.names import model_folder
from dfar_bench.leaderboard.reading import decoded, parsed
from dfar_bench.leaderboard.result import Verified, VerifiedTask
from dfar_bench.leaderboard.schema import SCHEMA_VERSION, TASKS, Harness, Submission, Task
from dfar_bench.metrics import METRICS
from dfar_bench.rescore import read_answers, run_signature
from dfar_bench.samples import LoggedAnswer, LoggedRun

TOLERANCE = 1e-9
"""How far a claim may be from what the answers give; sums of other processors may differ in the last digits."""

SCORED_ALIKE = frozenset({__version__})
"""The versions of this package whose data and metrics are those of this one."""


def verified(folder: Path, judge: Judge | None = None) -> Verified | list[Fault]:
    """Verify one submission.

    Args:
        folder: ``…/org__name/run``; what it is called matters.
        judge: the tasks' own if None.

    Returns:
        What is known of it, or all its faults.

    Raises:
        InputError: our own data is not at hand.
    """
    return verified_files(open_submission(folder), judge)


def verified_files(opened: Opened, judge: Judge | None = None) -> Verified | list[Fault]:
    """Verify a submission whose files have been read; see ``verified``."""
    judge = judge or get_judge()
    faults = list(opened.faults)
    if FILE not in opened.files:
        return [*faults, *_unclaimed(opened)]
    try:
        submission = read_submission(opened.files[FILE])
    except RefusedError as refused:
        return [*faults, *refused.of(opened.where(FILE)), *_unclaimed(opened)]
    faults += [Fault(opened.where(FILE), *fault) for fault in _names(opened, submission)]
    tasks: dict[str, VerifiedTask] = {}
    for name, task in submission.tasks.items():
        if name in TASKS:
            checked = _task(name, task, opened, submission, judge)
            if isinstance(checked, VerifiedTask):
                tasks[name] = checked
            else:
                faults += checked
    if faults:
        return faults
    return Verified(opened.folder, content_key(opened, judge), submission, tasks, _flags(tasks))


def read_submission(content: bytes) -> Submission:
    """The submission in a file's bytes.

    Raises:
        RefusedError: with all that is wrong with it.
    """
    document = parsed(decoded(content))
    version = document.get("schema_version") if isinstance(document, dict) else None
    if isinstance(version, int) and version != SCHEMA_VERSION:
        raise RefusedError(("schema_version", f"is {shown(version)}; this version reads {SCHEMA_VERSION}"))
    try:
        return Submission.model_validate(document)
    except ValidationError as error:
        raise RefusedError(*of_validation(error, document)) from None


def run_id(created: str, content: bytes) -> str:
    """What a submission's folder is called: its date, and a hash of the file that holds the hashes of the others."""
    return f"{created}-{hashlib.sha256(content).hexdigest()[:8]}"


def logged_run(name: str, task: Harness, answers: tuple[LoggedAnswer, ...]) -> LoggedRun:
    """A task's answers as if they had been read from the harness's own files, so that all that scores those fits."""
    split, kind = TASKS[name]
    facts = {
        "n-shot": {name: task.num_fewshot},
        "fewshot_as_multiturn": task.fewshot_as_multiturn,
        "chat_template_sha": task.chat_template_sha,
        "system_instruction_sha": task.system_instruction_sha,
        "lm_eval_version": task.lm_eval,
        "config": {"torch_seed": task.seeds.torch},
    }
    return LoggedRun(
        files=(),
        task=name,
        split=split,
        kind=kind,
        prompt=task.prompt,
        mode=task.mode,
        answers=answers,
        expected=len(answers),
        generation=task.generation_kwargs,
        context=task.context,
        messages=task.messages,
        results=facts,
    )


def _names(opened: Opened, submission: Submission) -> Iterator[tuple[str, str]]:
    """Whether folder, files and fields agree with one another."""
    if opened.folder.parent.name != (wanted := model_folder(submission.model.id)):
        yield "model.id", f"is {submission.model.id}, so the folder must be called {wanted}"
    if opened.folder.name != (wanted := run_id(submission.created, opened.files[FILE])):
        yield "folder", f"its name must be {wanted}: it is made from the date and the content of this file"
    if date.fromisoformat(submission.created) > datetime.now(UTC).date() + timedelta(days=1):
        yield "created", f"is {submission.created}, which is in the future"
    for name in submission.tasks:
        if name not in TASKS:
            yield f"tasks.{name}", f"is no task of the benchmark; choose among {', '.join(TASKS)}"
    for file in opened.files:
        if file != FILE and file not in {answers_name(name) for name in submission.tasks}:
            yield "tasks", f"has no task for the file {file}"


def _task(name: str, task: Task, opened: Opened, submission: Submission, judge: Judge) -> VerifiedTask | list[Fault]:
    file, where = answers_name(name), opened.where(FILE)
    split, kind = TASKS[name]
    faults = [Fault(where, f"tasks.{name}.{field}", reason) for field, reason in _facts(name, task, opened)]
    try:
        hashes = doc_hashes(split, task.harness.prompt, task.harness.mode)
    except RefusedError as refused:
        return [*faults, *(Fault(where, f"tasks.{name}.harness.{field}", reason) for field, reason in refused.faults)]
    if file not in opened.files:
        refused_before = any(fault.file == opened.where(file) for fault in opened.faults)
        return faults if refused_before else [*faults, Fault(opened.where(file), "file", "is missing")]
    try:
        answers = read_answers_file(opened.files[file], split, kind, hashes)
    except RefusedError as refused:
        return [*faults, *refused.of(opened.where(file))]
    run = logged_run(name, task.harness, answers)
    read = read_answers(run, judge)
    metrics = {metric.name: metric.score([metric.item(answer) for answer in read]) for metric in METRICS[kind]}
    signature = run_signature(run, judge)
    for field, reason in (*_claims(task.metrics, metrics), *_signature(task.signature, signature)):
        faults.append(Fault(where, f"tasks.{name}.{field}", reason))
    if faults:
        return faults
    flags = task_flags(kind, answers, read)
    return VerifiedTask(
        name, split, kind, signature, run, tuple(read), metrics, flags, contamination(submission, split)
    )


def _unclaimed(opened: Opened) -> list[Fault]:
    """The faults of answers files of which nobody can say what was asked."""
    faults = []
    for name, (split, kind) in TASKS.items():
        if (file := answers_name(name)) in opened.files:
            try:
                read_answers_file(opened.files[file], split, kind, None)
            except RefusedError as refused:
                faults += refused.of(opened.where(file))
    return faults


def _facts(name: str, task: Task, opened: Opened) -> Iterator[tuple[str, str]]:
    """What can be said of a task without reading its answers."""
    split, kind = TASKS[name]
    file = answers_name(name)
    if task.answers != file:
        yield "answers", f"is {shown(task.answers)}, and must be {file}"
    if file in opened.files and hashlib.sha256(opened.files[file]).hexdigest() != task.sha256:
        yield "sha256", f"is not that of {file}; the file was changed or damaged"
    if task.rows != (expected := len(rows(split)["test"])):
        yield "rows", f"is {task.rows}; the test set has {expected}"
    if (task.harness.generation_kwargs is None) != (kind == "cls"):
        yield "harness.generation_kwargs", "must be null for a cls task, and an object for a reason task"
    elif (asked := (task.harness.generation_kwargs or {}).get("max_gen_toks")) is not None and (
        not isinstance(asked, int) or isinstance(asked, bool) or asked < 1
    ):
        yield "harness.generation_kwargs.max_gen_toks", "must be a whole number of tokens, at least 1"


def _claims(claimed: Mapping[str, float | None], found: Mapping[str, float | None]) -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        if name not in claimed:
            yield f"metrics.{name}", "is missing"
            continue
        claim = claimed[name]
        same = claim == value if claim is None or value is None else abs(claim - value) <= TOLERANCE
        if not same:
            yield f"metrics.{name}", f"is claimed to be {_figure(claim)}, and the answers give {_figure(value)}"
    for name in sorted(claimed.keys() - found.keys()):
        yield f"metrics.{name}", "is no metric of this task; remove it"


def _figure(value: float | None) -> str:
    return "null" if value is None else repr(value)


def _signature(claimed: str, found: str) -> Iterator[tuple[str, str]]:
    """Where the claimed signature differs from the recomputed one, field by field."""
    theirs, ours = (dict(field.split(":", 1) for field in one.split("|")[1:]) for one in (claimed, found))
    version = theirs.get("dfar_bench", "")
    if version in SCORED_ALIKE:
        ours["dfar_bench"] = version
    else:
        known = ", ".join(sorted(SCORED_ALIKE))
        reason = (
            f"was made by dfar_bench {version or '?'}; this one scores what {known} made: submit it again with that"
        )
        yield "signature", reason
        return
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        if theirs.get(name) != ours.get(name):
            yield "signature", f"says {name}:{theirs.get(name, '-')}, and the facts here give {ours.get(name, '-')}"
    if theirs == ours and claimed != "|".join(["dfar", *(f"{name}:{value}" for name, value in ours.items())]):
        yield "signature", "names a field twice, or its fields in another order"


def _flags(tasks: Mapping[str, VerifiedTask]) -> tuple[Flag, ...]:
    """The flags of all tasks together."""
    out = []
    for one in tasks.values():
        for other in tasks.values():
            if (one.kind, other.kind) == ("cls", "reason") and one.split == other.split:
                out.append(odds((one.metrics["acc"], other.metrics["verdict_acc"]), other.metrics["unparsed"]))
    return tuple(flag for flag in out if flag)
