"""``hub``: what the Hugging Face Hub reads, https://huggingface.co/docs/hub/eval-results.

``ORG__NAME/.eval_results/*.yaml`` goes into the model's repository, and ``eval.yaml`` into that of the benchmark's data
set, which it registers. A leaderboard of the Hub has one number for each model, and more of it is better. So each
metric of ours is a leaderboard (a "task" there), and lower-is-better rates are exported as one minus the rate:
``one_minus_mar``. It compares all that it holds, so only runs that were asked in the usual way are taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dfar_bench.datasets import DATASETS
from dfar_bench.errors import InputError
from dfar_bench.exports.base import FORMATS, Format, Options
from dfar_bench.exports.result import Figure, Result
from dfar_bench.judges import get_judge
from dfar_bench.prompts import find_condition
from dfar_bench.scoring import LEVEL, Estimate, Metric, Task

FRAMEWORK = "dfar-bench"
_TURNED = "one_minus_"
_COMMENT = f"""\
# Registers a data set on the Hugging Face Hub as a benchmark: https://huggingface.co/docs/hub/eval-results
# The Hub keeps the list of evaluation frameworks. Before this file is pushed, {FRAMEWORK} must be on it:
# https://github.com/huggingface/huggingface.js/blob/main/packages/tasks/src/eval.ts
"""


def _hub(results: Sequence[Result], options: Options) -> dict[str, bytes]:
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    from dfar_bench.leaderboard.submission import model_folder

    dataset_id = _check(options)
    entries: dict[str, list[EvalResultEntry]] = defaultdict(list)
    boards: dict[str, str] = {}
    for result in results:
        if not result.run.complete:
            raise InputError(
                f"{result.model} answered {len(result.run.outputs)} of {result.run.expected} rows of "
                f"{result.task.name}: leaderboards of the Hub compare whole test sets; run it without --limit."
            )
        if result.contaminated:
            raise InputError(
                f"{result.model} was trained on statements that {result.task.name} tests: leaderboards of the Hub rank "
                f"every result; leave out {result.run_id}."
            )
        if unusual := _unusual(result):
            raise InputError(
                f"{result.model} was asked {result.task.name} with {', '.join(unusual)}: leaderboards of the Hub take "
                "what was asked under the task's own condition, in the prompt of the model's kind, without examples or "
                f"a system prompt; leave out {result.run_id}."
            )
        for board, metric in leaderboards(result.task).items():
            if (figure := result.figure(metric.name)) and not result.words_for(metric):
                boards[board] = result.task.dataset.name
                estimate = _turned(figure.estimate) if _TURNED in board else figure.estimate
                entry = EvalResultEntry(
                    dataset_id=dataset_id,
                    task_id=board,
                    value=estimate.value,
                    date=result.created,
                    source_url=options.source_url,
                    notes="; ".join(_notes(result, figure, estimate)),
                )
                entries[f"{model_folder(result.model)}/.eval_results/{FRAMEWORK}-{result.run_id}.yaml"].append(entry)
    if not entries:
        raise InputError(
            "none of these results has a figure of which more, or less, is better: there is nothing to rank."
        )
    files = {path: _yaml(eval_result_entries_to_yaml(of_file)) for path, of_file in entries.items()}
    return {**files, "eval.yaml": _COMMENT.encode() + _yaml(_registration(boards))}


def _unusual(result: Result) -> list[str]:
    """Return the fields of a signature that keep its scores apart from those that were asked in the usual way."""
    from dfar_bench.leaderboard.board import keeps_apart

    kind, apart = result.task.kind, keeps_apart(str(result.signature)).fields
    usual = {"condition": find_condition(kind.condition, result.task.dataset).signature, "shots": "0"}
    checked = ("condition", "shots", "prompt", "chat", "system", "context")
    return [f"{name}:{apart[name]}" for name in checked if name in apart and apart[name] != usual.get(name)]


def leaderboards(task: Task) -> dict[str, Metric]:
    """Return the leaderboards of a task: the metrics of its columns on our board of which more is better, by name.

    Of those of which less is better, only those are there, as one minus the rate, by which ours ranks.
    """
    from dfar_bench.leaderboard.entries import columns

    found = {}
    for column in columns(task.dataset):
        metric = column.metric
        if metric.kind == task.kind.name and metric.higher_is_better is not None:
            if metric.higher_is_better:
                found[f"{task.name}_{metric.name}"] = metric
            elif column.ranked and metric.per_cent:
                found[f"{task.name}_{_TURNED}{metric.name}"] = metric
    return found


def _turned(estimate: Estimate) -> Estimate:
    """Return one minus a rate."""
    value, low, high = (None if x is None else round(1 - x, 10) for x in (estimate.value, estimate.high, estimate.low))
    return Estimate(value, low, high)


def _notes(result: Result, figure: Figure, estimate: Estimate) -> Iterator[str]:
    signature = result.signature
    yield f"condition {signature.get('condition')} ({result.run.condition.title})"
    if estimate.interval:
        low, high = estimate.interval
        yield f"{LEVEL:.0%} interval {low:.4f} to {high:.4f}"
    yield f"n = {figure.n}"
    if figure.metric.judged:
        yield f"judge {signature.get('judge')}"
        yield result.judge_errs
    if result.flags:
        yield f"flags: {', '.join(result.flags)}"
    if result.revision:
        yield f"model {result.revision}"
    yield f"signature {signature}"


def _registration(boards: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of ``eval.yaml``. A repository with several data sets needs a configuration for each.

    Args:
        boards: the data set of each leaderboard.
    """
    datasets = [DATASETS[name] for name in dict.fromkeys(boards.values())]
    several = len(datasets) > 1
    about = [f"{dataset.title}: {dataset.description}" for dataset in datasets]
    question = "Do a language model's moral judgements, and the reasons it gives, agree with people's?"
    return {
        "name": "dfar-bench" if several else datasets[0].title,
        "description": " ".join([question, *about, "Rates are between 0 and 1."]),
        "evaluation_framework": FRAMEWORK,
        "tasks": [
            {"id": board, **({"config": name} if several else {}), "split": "test"} for board, name in boards.items()
        ],
    }


def _check(options: Options) -> str:
    """Return the data set's name on the Hub.

    Raises:
        InputError: it is not one, or another judge than the default one decides.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    if options.judge.signature != get_judge().signature:
        raise InputError("leaderboards of the Hub compare figures of one judge, the default one: leave out --judge.")
    dataset_id = options.require("dataset_id", "the benchmark's data set on the Hub")
    try:
        validate_repo_id(dataset_id)
    except HFValidationError:
        dataset_id = ""
    if "/" not in dataset_id:
        raise InputError("--dataset-id is not the name of a repository on the Hub: write it as ORG/NAME.")
    return dataset_id


def _yaml(document: Any) -> bytes:
    import yaml

    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100).encode()


FORMATS.add(Format("hub", _hub, _check))
