"""The task class that the YAML files in ``tasks/`` name: data, prompts and scoring for lm-evaluation-harness.

A task file says only which data set and kind it is (``task_files`` generates them); all else follows from these.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from datasets import Dataset
from lm_eval.api.task import ConfigurableTask

from dfar_bench.datasets import Row, get_dataset, rows, without_leaked
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.prompts import DEFAULT_STYLE, find_condition, find_style, gold_answer, make_prompt
from dfar_bench.scoring import KINDS, NOT_AVAILABLE, Answer, Metric, Output, Task

_FEWSHOT_POOL = 64
_OPTIONS = ("prompt", "condition", "mode")
_ELSEWHERE = {
    "split": "choose the task of that data set, such as dfar_mini_cls",
    "data": "choose the task of that data set, such as dfar_mini_cls",
    "kind": "choose the task of that kind, such as dfar_reason",
    "style": "the prompt style is called prompt",
    "judge": "to use another judge, run dfar-bench rescore --judge afterwards",
}

_log = logging.getLogger("lm_eval.dfar_bench")  # below the harness's logger, so that it is shown with the rest


class DfarTask(ConfigurableTask):  # type: ignore[misc]
    """A kind of task on a data set, asked in the prompt style and condition that ``--metadata`` names.

    Written responses are judged in one batch, after the last one has come.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        where = config["dataset_kwargs"]
        self._task = Task(get_dataset(where["data"]), KINDS[where["kind"]])
        try:
            self._style, self._condition = _asked(config.get("metadata") or {}, self._task.kind.condition)
            if self._task.kind.judged:
                get_judge()  # whatever is wrong with the judge must show before the model runs
            self._documents = documents(self._task, self._style, self._condition)
        except InputError as error:
            raise _for_the_command(error) from None
        self._answers: dict[str, Answer] = {}
        super().__init__(config={**{k: v for k, v in config.items() if k != "class"}, **self._settings()})

    def _settings(self) -> dict[str, Any]:
        kind = self._task.kind
        settings: dict[str, Any] = {
            "test_split": "test",
            "fewshot_split": "fewshot" if "fewshot" in self._documents else None,
            "output_type": kind.output_type,
            "doc_to_text": "prompt",
            "target_delimiter": " ",
            "fewshot_delimiter": "\n\n",
            "process_results": _scored_by_the_class,
            "metric_list": [
                {
                    "metric": metric.name,
                    "aggregation": _aggregation(metric),
                    "higher_is_better": metric.higher_is_better,
                }
                for metric in kind.metrics
            ],
        }
        if kind.output_type == "multiple_choice":
            choice = {
                "doc_to_target": "label",
                "doc_to_choice": list(self._task.dataset.labels),
                "fewshot_config": {"sampler": "first_n", "doc_to_target": "answer"},
            }
            return {**settings, **choice}
        condition = find_condition(self._condition)
        generation = {
            "until": list(condition.stops),
            "do_sample": False,
            "max_gen_toks": condition.max_tokens,
        }
        return {
            **settings,
            "doc_to_target": "answer",
            "fewshot_config": {"sampler": "first_n"},
            "generation_kwargs": generation,
        }

    def download(self, dataset_kwargs: dict[str, Any] | None = None, **_: Any) -> None:
        """Build the documents; called by the harness."""
        dataset = self._task.dataset
        if dataset.content_warning:
            _log.warning("content warning: %s", dataset.content_warning)
        style = find_style(self._style).signature
        _log.info("%s: data %s, prompt %s, condition %s", self._task.name, dataset.name, style, self._condition)
        self.dataset = {part: Dataset.from_list(docs) for part, docs in self._documents.items()}

    def fewshot_docs(self) -> Any:
        """Return the few-shot examples, None if there are none; the harness would take test rows instead."""
        return self.dataset.get("fewshot")

    def set_config(self, key: str, value: Any, update: bool = False) -> None:
        """Change a setting; called by the harness with what was typed."""
        if key == "num_fewshot" and value and "fewshot" not in self._documents:
            name = self._task.dataset.name
            raise _for_the_command(InputError(f"{name} has no few-shot examples: leave out --num_fewshot {value}."))
        super().set_config(key, value, update)

    @cached_property
    def _rows(self) -> dict[str, Row]:
        return {row.row_id: row for row in rows(self._task.dataset.name)["test"]}

    @property
    def _predict_only(self) -> bool:
        return "bypass" in self.aggregation()  # the harness's own metric in the place of ours

    def apply_filters(self) -> Any:
        """Read and judge all outputs at once; called by the harness when the model has answered."""
        filtered = super().apply_filters()
        if self._predict_only:
            return filtered
        values: dict[str, list[Any]] = {}
        for instance in sorted(self._instances, key=lambda instance: instance.idx):
            values.setdefault(instance.doc["row_id"], []).append(instance.filtered_resps["none"])
        outputs = [self._output(row_id, responses) for row_id, responses in values.items()]
        answers = self._task.kind.read(outputs, get_judge())
        self._answers = {answer.row.row_id: answer for answer in answers}
        return filtered

    def _output(self, row_id: str, responses: list[Any]) -> Output:
        row = self._rows[row_id]
        prompt = make_prompt(self._style, self._condition, row)
        if self._task.kind.output_type == "multiple_choice":
            return Output(row, tuple(log_likelihood for log_likelihood, _ in responses), prompt)
        # A missing response is logged by the harness as "None", so it is read as that here, too.
        return Output(row, str(responses[0]), prompt)

    def process_results(self, doc: dict[str, Any], results: Any) -> dict[str, Any]:
        """Return what one answer contributes to each metric; called by the harness."""
        if self._predict_only:
            return super().process_results(doc, results)  # type: ignore[no-any-return]
        answer = self._answers[doc["row_id"]]
        return {metric.name: metric.item(answer) for metric in self._task.kind.metrics}


def _scored_by_the_class(doc: dict[str, Any], results: Any) -> dict[str, Any]:
    """Stand for ``DfarTask.process_results`` in the configuration that the harness writes into its results."""
    raise NotImplementedError


def _asked(metadata: dict[str, Any], default_condition: str) -> tuple[str, str]:
    """Return the names of prompt style and condition that the metadata ask for.

    The metadata also hold the model's arguments; what is not ours is ignored, unless it looks like a misspelling.
    """
    for name in metadata:
        close = get_close_matches(name.lower(), _OPTIONS, n=1, cutoff=0.65)
        if name not in _OPTIONS and close and not name.startswith(("model", "config")):
            raise InputError(f"the metadata holds {name!r}, which means nothing here: did you mean {close[0]!r}?")
        if name in _ELSEWHERE:
            raise InputError(f"the metadata holds {name!r}, which means nothing here: {_ELSEWHERE[name]}.")
    style = metadata.get("prompt", DEFAULT_STYLE)
    condition = metadata.get("condition", metadata.get("mode", default_condition))
    return find_style(style).name, find_condition(condition).name


def _for_the_command(error: InputError) -> BaseException:
    """Return what to raise: where ``lm_eval`` was typed, a person expects a sentence and not a traceback."""
    program = Path(sys.argv[0])
    if program.stem in ("lm_eval", "lm-eval") or program.parent.name == "lm_eval":
        print(f"dfar-bench: {error}", file=sys.stderr)
        return SystemExit(2)
    return error


def documents(task: Task, style: str, condition: str) -> dict[str, list[dict[str, Any]]]:
    """Build the documents of a task.

    Returns:
        ``test``, and ``fewshot``: train rows in a fixed order that alternates the labels, none of which is also a test
        statement. The harness takes the first n, so that few-shot prompts do not depend on how the rows are spread
        over processes.

    Raises:
        InputError: the data cannot be had, or there is no such style or condition.
    """
    test = rows(task.dataset.name)["test"]
    source = task.dataset.examples_from
    examples = _fewshot_pool(rows(source)["train"], test) if source else []
    parts: dict[str, Sequence[Row]] = {"test": test, "fewshot": examples}
    return {
        part: [document(row, task, style, condition) for row in members] for part, members in parts.items() if members
    }


def document(row: Row, task: Task, style: str, condition: str) -> dict[str, Any]:
    """Return a row as the harness sees it: the row's fields, the prompt, and what people would answer."""
    return {
        **asdict(row),
        "shares": list(row.shares),
        "kind": task.kind.name,
        "prompt_style": find_style(style).signature,
        "condition": condition,
        "prompt": make_prompt(style, condition, row).text,
        "answer": gold_answer(style, condition, row),
    }


def _fewshot_pool(train: Sequence[Row], test: Sequence[Row]) -> list[Row]:
    shuffled = sorted(without_leaked(train, test), key=lambda row: hashlib.sha256(row.row_id.encode()).digest())
    labels = sorted({row.label for row in shuffled})
    by_label = [[row for row in shuffled if row.label == label] for label in labels]
    return [row for group in zip(*by_label) for row in group][:_FEWSHOT_POOL]


def _aggregation(metric: Metric) -> Callable[[Sequence[Any]], float | str]:
    def aggregate(items: Sequence[Any]) -> float | str:
        score = metric.score(items)
        return NOT_AVAILABLE if score is None else score

    return aggregate
