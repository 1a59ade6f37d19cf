"""Run a submission again: the commands, made of checked fields only, and how far the answers are the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from dfar_bench.errors import InputError
from dfar_bench.files import weights_hash
from dfar_bench.judges import Judge
from dfar_bench.leaderboard.faults import shown
from dfar_bench.leaderboard.reproduced import MAX_DIFFERING, Outcome, TaskOutcome
from dfar_bench.leaderboard.schema import Submission
from dfar_bench.leaderboard.submission import FILE
from dfar_bench.leaderboard.verify import read
from dfar_bench.prompts import default_style
from dfar_bench.reading import without_thought
from dfar_bench.runs.run import Run
from dfar_bench.runs.suite_sample import sample_numbers
from dfar_bench.scoring import Answer, Argument, Output, verdict_of

_BACKENDS = ("hf", "hf-auto", "huggingface", "vllm")
_DTYPES = ("float32", "float16", "bfloat16")
_GENERATION = ("max_gen_toks", "do_sample", "temperature", "top_p", "top_k", "min_p", "repetition_penalty")
"""Generation arguments that are passed on, if they are numbers. Others may name code to load, such as
``custom_generate``."""
_VERSIONS = ("dfar_bench", "lm_eval")


@dataclass(frozen=True)
class Plan:
    """What is run: commands as one would type them, but for their output folder; ``unknown`` was not recorded."""

    submission: Submission
    runs: Mapping[str, Run]
    commands: list[list[str]]
    unknown: tuple[str, ...]


def plan(folder: Path, model: Path | None, device: str | None = None) -> Plan:
    """Plan how to run a submission again.

    Args:
        folder: of the submission.
        model: the folder of its weights, if they are not on the Hub.
        device: of lm_eval; None for its default.

    Raises:
        InputError: the submission has a fault, or does not say enough, or asks for something that is not run here; or
            the weights are others.
    """
    submission, runs = read(folder)
    recorded = any(len(run.condition.turns) > 1 or _has_ends(run) for run in runs.values())
    program = ["dfar-bench", "eval"] if recorded else ["lm_eval"]
    tasks: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for name, run in runs.items():
        words = [*_model(submission, run, model), *_how(run, recorded=recorded)]
        tasks.setdefault((tuple(words), run.complete), []).append(name)
    last = [] if recorded else ["--log_samples"]
    last += ["--device", device] if device else []
    unknown = [name for name in ("dtype", "batch") if any(getattr(run.harness, name) is None for run in runs.values())]
    unknown += [] if submission.recorded else ["other model arguments"]
    commands = [
        [*program, *words, "--tasks", ",".join(names), *([] if complete else _sample(names, runs)), *last]
        for (words, complete), names in tasks.items()
    ]
    return Plan(submission, runs, commands, tuple(unknown))


def _sample(names: Sequence[str], runs: Mapping[str, Run]) -> list[str]:
    return ["--samples", json.dumps({name: sample_numbers(runs[name].task.dataset.name) for name in names})]


def _has_ends(run: Run) -> bool:
    return any(output.cut is not None for output in run.outputs)


def _model(submission: Submission, run: Run, folder: Path | None) -> Iterator[str]:
    model, recorded, dtype = submission.model, submission.recorded, run.harness.dtype
    if recorded and recorded.arguments:
        _refuse(f"was scored with the model arguments {', '.join(recorded.arguments)}, which are not passed on")
    if recorded and recorded.backend not in _BACKENDS:
        _refuse(f"was scored with --model {shown(recorded.backend)}, which is not run; only {', '.join(_BACKENDS)} are")
    if dtype is not None and dtype not in _DTYPES:
        _refuse(f"was scored in {shown(dtype)}, which is none of {', '.join(_DTYPES)}")
    if model.weights_sha256 is None and folder is not None:
        raise InputError(
            f"{model.id} is to be loaded from the Hub, at the commit that was submitted: leave out --model."
        )
    if model.weights_sha256 and folder is None:
        raise InputError(f"{model.id} was submitted with local weights: name their folder with --model.")
    if folder is not None and (found := weights_hash(folder)) != model.weights_sha256:
        raise InputError(
            f"{folder} holds other weights (sha256 {found[:12]}…) than were submitted "
            f"({str(model.weights_sha256)[:12]}…): name the folder that holds those."
        )
    arguments = [f"pretrained={folder or model.id}"]
    arguments += [] if folder else [f"revision={model.revision}"]
    arguments += [f"dtype={dtype}"] if dtype else []
    yield from ("--model", recorded.backend if recorded else "hf", "--model_args", ",".join(arguments))


def _how(run: Run, *, recorded: bool) -> Iterator[str]:
    """Yield how a task is asked; what it does by default is left out."""
    harness, kind = run.harness, run.task.kind
    if harness.system_instruction_sha is not None:
        _refuse("was asked with a system instruction, of which it holds the hash alone")
    chat = harness.chat_template_sha is not None
    style, metadata = run.style.partition(".")[0], {}
    if style != default_style(run.task.dataset, chat=chat):
        metadata["prompt"] = style
    if run.condition.name != kind.condition:
        if recorded:
            yield from ("--condition", run.condition.name)
        else:
            metadata["condition"] = run.condition.name
    if metadata:
        yield from ("--metadata", json.dumps(metadata))
    if chat:
        yield "--apply_chat_template"
    if harness.shots:
        yield from ("--num_fewshot", str(harness.shots))
        if chat and not harness.multiturn:
            yield from ("--fewshot_as_multiturn", "false")
    if harness.batch is not None:
        if not re.fullmatch(r"auto(:[0-9]{1,4})?|[1-9][0-9]{0,5}", harness.batch):
            _refuse(f"was scored with the batch size {shown(harness.batch)}, which is not one")
        yield from ("--batch_size", harness.batch)
    if generation := _generation(run):
        yield from ("--gen_kwargs", json.dumps(generation))
    seeds = [harness.seeds.get(name) for name in ("random", "numpy", "torch", "fewshot")]
    yield from ("--seed", ",".join(map(str, seeds)))


def _generation(run: Run) -> dict[str, bool | int | float]:
    """Return the generation arguments that differ from the task's own."""
    if run.harness.generation is None:
        return {}
    given = dict(run.harness.generation)
    until = given.pop("until", None)
    if ([until] if isinstance(until, str) else until) != list(run.outputs[0].prompt.stops):
        _refuse(f"was generated until {shown(until)}, which are not the prompt's own strings")
    usual = {"do_sample": False, "max_gen_toks": run.condition.max_tokens}
    changed = {name: value for name, value in given.items() if value != usual.get(name)}
    for name, value in changed.items():
        if name not in _GENERATION or not isinstance(value, bool | int | float):
            _refuse(f"was generated with {shown(name)}={shown(value)}, which is not passed on")
    return changed


def _refuse(reason: str) -> NoReturn:
    raise InputError(f"this submission cannot be reproduced: it {reason}.")


def outcome(folder: Path, plan: Plan, again: Mapping[str, Run], judge: Judge) -> Outcome:
    """Compare the answers of a submission with those of its plan.

    Args:
        folder: of the submission.
        again: the new runs, by task.

    Raises:
        InputError: a task was not answered, or not asked in the same way, or another model answered.
    """
    for name, run in plan.runs.items():
        if name not in again or len(again[name].outputs) < len(run.outputs):
            raise InputError(f"{name} was not answered anew, or in part only: run it again.")
        if differing := _asked_otherwise(run, again[name], judge):
            raise InputError(f"{name} was asked differently from the submission: {'; '.join(differing)}.")
        _check_model(plan.submission, again[name])
    return Outcome(
        schema_version=1,
        submission=f"{folder.parent.name}/{folder.name}",
        sha256=hashlib.sha256((folder / FILE).read_bytes()).hexdigest(),
        created=datetime.now(UTC).date().isoformat(),
        unknown=list(plan.unknown),
        tasks={name: _compare(run, again[name], judge) for name, run in plan.runs.items()},
    )


def _asked_otherwise(first: Run, second: Run, judge: Judge) -> list[str]:
    """Name what is not as it was; what the submission does not say may be anything."""
    differing = first.signature(judge).differences(second.signature(judge))
    out = [f"{n} {a}, now {b}" for n, (a, b) in differing.items() if a != "-" and n not in _VERSIONS]
    if first.harness.chat_template_sha != second.harness.chat_template_sha:
        out.append("the chat template is another")
    return out


def _check_model(submission: Submission, run: Run) -> None:
    for submitted, found in (
        (submission.model.revision, run.scored.commit),
        (submission.model.weights_sha256, run.scored.weights_sha256),
    ):
        if submitted and found and submitted != found:
            raise InputError(f"{run.files[0]} was made with {found}, not with {submitted}: run the submission again.")


def _compare(first: Run, second: Run, judge: Judge) -> TaskOutcome:
    outputs = list(zip(first.outputs, second.outputs, strict=True))
    answers = first.answers(judge), second.answers(judge)
    figures = {metric.name: (metric.of(answers[0]), metric.of(answers[1])) for metric in first.metrics}
    distances = [
        abs(a - b)
        for one, other in outputs
        if not isinstance(one.value, str) and not isinstance(other.value, str)
        for a, b in zip(one.value, other.value, strict=True)
    ]
    return TaskOutcome(
        signature=str(second.signature(judge)),
        rows=len(outputs),
        equal=sum(_plain(one) == _plain(other) for one, other in outputs),
        verdicts_differ=sum(verdict_of(a) != verdict_of(b) for a, b in zip(*answers, strict=True)),
        codes_differ=_codes_differ(*answers) if first.task.kind.judged else None,
        largest=max(distances, default=None),
        metrics={name: None if a is None or b is None else b - a for name, (a, b) in figures.items()},
    )


def _codes_differ(first: Sequence[Answer], second: Sequence[Answer]) -> int:
    pairs = zip(first, second, strict=True)
    return sum(isinstance(a, Argument) and isinstance(b, Argument) and a.code != b.code for a, b in pairs)


def _plain(output: Output) -> tuple[Any, ...]:
    """Return an answer without its thoughts, which submissions leave out."""
    thinking = output.prompt.thinking
    texts = (output.value, *output.earlier)
    return tuple(without_thought(text, thinking) if isinstance(text, str) else text for text in texts)


def figures_text(outcome: Outcome) -> str:
    """Format an outcome for people."""
    lines = [outcome.word if outcome.holds else f"{outcome.word}: at most {MAX_DIFFERING:.0%} of a task may differ"]
    for name, task in outcome.tasks.items():
        largest = "" if task.largest is None else f", log-likelihoods differ by {task.largest:.2g} at most"
        lines.append(f"  {name}: {task.text}{largest}")
        moved = [f"{metric} {value:+.4f}" for metric, value in task.metrics.items() if value]
        lines.append(f"    {', '.join(moved) or 'no metric differs'}")
    return "\n".join(lines)
