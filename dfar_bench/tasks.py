"""What the YAML files in ``tasks/`` name: data, scoring and aggregation for lm-evaluation-harness.

Every metric's aggregation is reachable under the metric's own name (``!function dfar_bench.tasks.mar``).
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dfar_bench import prompts
from dfar_bench.answers import Choice, Response, read_choice, read_response
from dfar_bench.data import LABELS, Row, rows, without_tested
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.metrics import CLS_METRICS, METRICS, NOTHING_COUNTS, REASON_METRICS, Metric

if TYPE_CHECKING:
    from datasets import Dataset

DEFAULT_MODES = {"cls": "l", "reason": "lr"}
"""The prompt each kind of task asks with, unless ``--metadata '{"mode": …}'`` says otherwise."""

ROW_FIELDS = tuple(Row.__dataclass_fields__)

_FEWSHOT_POOL = 64
_ELSEWHERE = {
    "split": "choose the task of that split, such as dfar_mini_cls",
    "kind": "choose the task of that kind, such as dfar_reason",
    "style": "the prompt style goes by the name of prompt",
    "judge": "another judge is for dfar-bench rescore --judge",
}

_log = logging.getLogger("lm_eval.dfar_bench")  # below the harness's logger, so that it is shown with the rest


def _is_not_general_advice(record: logging.LogRecord) -> bool:
    """False for what the harness says of any task with data of its own; the README says which metadata ours take."""
    said = str(record.msg)
    return not (said.startswith(("dfar_", "ethos_")) and "Custom kwargs can be passed" in said)


logging.getLogger("lm_eval.api.task").addFilter(_is_not_general_advice)


def dataset(
    *, data_split: str, task_kind: str, prompt: str = prompts.DEFAULT_STYLE, mode: str | None = None, **others: Any
) -> dict[str, Dataset]:
    """The documents of one task.

    The harness calls this with the task's ``dataset_kwargs`` and everything in its metadata, model arguments
    included; what is not ours is ignored, unless it looks like one of ours misspelt.

    Args:
        data_split: a split of ``dfar_bench.load``.
        task_kind: ``cls`` or ``reason``.
        prompt: a prompt style (``--metadata '{"prompt": "mistral"}'``).
        mode: ``l`` or ``lr``; the kind's own if None.

    Returns:
        ``test``, and ``fewshot``: train rows in a fixed order that alternates the labels, none of which is
        also a test statement. The harness takes the first n, so that few-shot prompts do not depend on how the
        rows are spread over processes.
    """
    from datasets import Dataset

    mode = DEFAULT_MODES[task_kind] if mode is None else mode
    try:
        _refuse_misspelt(others)
        get_judge()  # whatever is wrong with it shall show before the model runs, not after
        found = rows(data_split)
        shown = found["train"] or rows("paper")["train"]  # a split that has only test rows borrows DFAR's
        documents = {"test": found["test"], "fewshot": _fewshot_pool(shown, found["test"])}
        asked = {part: [document(row, prompt, mode) for row in chosen] for part, chosen in documents.items()}
    except InputError as error:
        if _under_the_harness_command():
            print(f"dfar-bench: {error}", file=sys.stderr)
            raise SystemExit(2) from None
        raise
    if data_split == "ethos":
        _log.warning("content warning: ETHOS consists of online comments, many of them hateful and offensive")
    style = prompts.style(prompt).signature
    _log.info("dfar_bench %s: split %s, prompt %s, mode %s", task_kind, data_split, style, mode)
    return {part: Dataset.from_list(docs) for part, docs in asked.items()}


def _under_the_harness_command() -> bool:
    """Whether ``lm_eval`` or ``python -m lm_eval`` was typed: a person reads, and expects a sentence, no traceback."""
    program = Path(sys.argv[0])
    return program.stem in ("lm_eval", "lm-eval") or program.parent.name == "lm_eval"


def _refuse_misspelt(others: dict[str, Any]) -> None:
    for name in others:
        meant = get_close_matches(name.lower(), ("prompt", "mode"), n=1, cutoff=0.65)
        if meant and not name.startswith("model"):  # model_id and the like are model arguments
            raise InputError(f"the metadata holds {name!r}, which means nothing here: did you mean {meant[0]!r}?")
        if name in _ELSEWHERE:
            raise InputError(f"the metadata holds {name!r}, which means nothing here: {_ELSEWHERE[name]}.")


def document(row: Row, prompt: str, mode: str) -> dict[str, Any]:
    """A row as the harness sees it: the row's fields, the prompt and what people would answer."""
    return {
        **asdict(row),
        "prompt_style": prompts.style(prompt).signature,
        "mode": mode,
        "prompt": prompts.prompt(prompt, mode, row.statement),
        "answer": prompts.answer(prompt, mode, LABELS[row.label], row.reason),
    }


def _fewshot_pool(train: Sequence[Row], test: Sequence[Row]) -> list[Row]:
    shuffled = sorted(
        without_tested(train, test),
        key=lambda row: hashlib.sha256(row.row_id.encode()).digest(),
    )
    by_label = [[row for row in shuffled if row.label == label] for label in (0, 1)]
    return [row for pair in zip(*by_label) for row in pair][:_FEWSHOT_POOL]


def process_cls(doc: dict[str, Any], results: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """Per-row values of the ``cls`` metrics from the log-likelihoods of the two labels."""
    ethical, unethical = (log_likelihood for log_likelihood, _ in results)
    return _items(CLS_METRICS, read_choice(_row(doc), (ethical, unethical)))


def process_reason(doc: dict[str, Any], results: Sequence[str]) -> dict[str, Any]:
    """Per-row values of the ``reason`` metrics from the generated text."""
    # A missing answer is logged by the harness as "None", so it is read as that here, too.
    return _items(REASON_METRICS, read_response(_row(doc), str(results[0]), get_judge()))


def _row(doc: dict[str, Any]) -> Row:
    return Row(**{name: doc[name] for name in ROW_FIELDS})


def _items(metrics: Sequence[Metric], answer: Choice | Response) -> dict[str, Any]:
    return {metric.name: metric.item(answer) for metric in metrics}


def _aggregation(metric: Metric) -> Callable[[Sequence[Any]], float | str]:
    def aggregate(items: Sequence[Any]) -> float | str:
        score = metric.score(items)
        return NOTHING_COUNTS if score is None else score

    return aggregate


_AGGREGATIONS = {metric.name: _aggregation(metric) for kind in METRICS.values() for metric in kind}


def __getattr__(name: str) -> Callable[[Sequence[Any]], float | str]:
    try:
        return _AGGREGATIONS[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
