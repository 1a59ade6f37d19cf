"""The task class that the YAML files in ``tasks/`` name: data, prompts and scoring for lm-evaluation-harness.

A task file says only which data set and kind it is (``task_files`` generates them); all else follows from these.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from datasets import Dataset
from lm_eval.api.task import ConfigurableTask

from dfar_bench.datasets import Row, get_dataset, rows
from dfar_bench.judges import get_judge
from dfar_bench.prompts import (
    default_style,
    find_condition,
    find_style,
    make_prompt,
)
from dfar_bench.reading import opens_thought, split_thought
from dfar_bench.runs import refuse
from dfar_bench.runs.documents import documents
from dfar_bench.runs.run import AGAINST_TIES, JUDGED_BY, MANY_TIES
from dfar_bench.runs.turns import Said, parse_compared, parse_transcript
from dfar_bench.scoring import KINDS, NOT_AVAILABLE, Answer, Choice, Metric, Output, Task, by_label

_log = logging.getLogger("lm_eval.dfar_bench")  # below the harness's logger, so that it is shown with the rest


class DfarTask(ConfigurableTask):  # type: ignore[misc]
    """A kind of task on a data set, asked in the prompt style and condition that ``--metadata`` names.

    Where it names no prompt style, that of chat models is taken if a chat template is applied. Written responses are
    judged in one batch, after the last one has come. With ``recorded`` in the metadata a response is what
    ``dfar-bench eval`` makes of it: the record of all turns.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        where, metadata = config["dataset_kwargs"], config.get("metadata") or {}
        self._task = Task(get_dataset(where["data"]), KINDS[where["kind"]])
        self._recorded = bool(metadata.get("recorded"))
        with refuse.in_a_sentence():
            refuse.names(metadata)
            dataset = self._task.dataset
            self._style_is_chosen = "prompt" in metadata
            self._style = find_style(metadata.get("prompt", default_style(dataset)), dataset).name
            asked = metadata.get("condition", metadata.get("mode", self._task.kind.condition))
            self._condition = find_condition(asked, dataset)
            refuse.condition(self._task, self._condition, recorded=self._recorded)
            refuse.thoughts_taken_off(self._task, self._condition, metadata)
            if self._task.kind.judged:  # whatever is wrong with the judge must show before the model runs
                config = {**config, "metadata": {**metadata, JUDGED_BY: get_judge().signature}}
            self._documents = self._make_documents()
        self._answers: dict[str, Answer] = {}
        self._config_file = {k: v for k, v in config.items() if k != "class"}
        super().__init__(config={**self._config_file, **self._settings()})

    def _make_documents(self) -> dict[str, list[dict[str, Any]]]:
        return documents(self._task, self._style, self._condition.name, recorded=self._recorded)

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
                for metric in self._metrics
            ],
        }
        if kind.chooses:
            choice = {
                "doc_to_target": "label",
                "doc_to_choice": [texts[0] for texts in find_style(self._style).choices(self._task_rows[0])],
                "fewshot_config": {"sampler": "first_n", "doc_to_target": "answer"},
            }
            fixed = {"doc_to_choice": "choices", "gen_prefix": "opening", "target_delimiter": ""}
            return {**settings, **choice, **(fixed if self._task.dataset.style else {})}
        generation = {
            "until": list(self._prompt(self._task_rows[0]).stops),
            "do_sample": False,
            "max_gen_toks": self._condition.max_tokens,
        }
        return {
            **settings,
            "doc_to_target": "answer",
            "fewshot_config": {"sampler": "first_n"},
            "generation_kwargs": generation,
        }

    def download(self, dataset_kwargs: dict[str, Any] | None = None, **_: Any) -> None:
        """Build the documents; called by the harness."""
        self.dataset = {part: Dataset.from_list(docs) for part, docs in self._documents.items()}

    def fewshot_docs(self) -> Any:
        """Return the few-shot examples, None if there are none; the harness would take test rows instead."""
        return self.dataset.get("fewshot")

    def set_config(self, key: str, value: Any, update: bool = False) -> None:
        """Change a setting; called by the harness with what was typed."""
        if key == "num_fewshot" and value:
            with refuse.in_a_sentence():
                refuse.examples(self._task, self._condition, value, available=len(self._documents.get("fewshot", ())))
        if key == "generation_kwargs":
            with refuse.in_a_sentence():
                refuse.other_limits(value)
        super().set_config(key, value, update)

    def build_all_requests(self, *, apply_chat_template: bool = False, **options: Any) -> None:
        """Build the requests; called by the harness, which says only now whether there is a chat template."""
        chat_style = default_style(self._task.dataset, chat=True)
        if apply_chat_template and not self._style_is_chosen and self._style != chat_style:
            self._ask_in(chat_style)
        style, condition = find_style(self._style), self._condition
        asked = (self._task.name, self._task.dataset.name, style.signature, condition.signature)
        _log.info("%s: data %s, prompt %s, condition %s", *asked)
        if warning := self._task.dataset.content_warning:
            _log.warning("content warning: %s", warning)
        with refuse.in_a_sentence():
            refuse.style(style, condition, chat=apply_chat_template)
            if self._task.kind.chooses and options.get("chat_template"):
                refuse.template(self._task, options["chat_template"])
        super().build_all_requests(apply_chat_template=apply_chat_template, **options)

    def _ask_in(self, style: str) -> None:
        """Make everything that follows from the prompt style again, and keep what was typed."""
        of_default = self._settings().get("generation_kwargs", {})
        typed = {
            key: value
            for key, value in (self.config.generation_kwargs or {}).items()
            if key not in of_default or value != of_default[key]
        }
        shots, names = self.config.num_fewshot, list(self._metric_fn_list)
        random = getattr(self, "fewshot_rnd", None)  # the harness seeds it before it builds requests
        self._style = style
        self._documents = self._make_documents()
        super().__init__(config={**self._config_file, **self._settings()})
        self.set_config("num_fewshot", shots)
        if typed:
            self.set_config("generation_kwargs", typed, update=True)
        if names == ["bypass"]:
            self.override_metric("bypass")
        self.fewshot_rnd = random

    @cached_property
    def _task_rows(self) -> Sequence[Row]:
        return rows(self._task.dataset.name)["test"]

    @cached_property
    def _rows(self) -> dict[str, Row]:
        return {row.row_id: row for row in self._task_rows}

    @property
    def _metrics(self) -> tuple[Metric, ...]:
        return self._task.kind.metrics_under(self._condition)

    def _prompt(self, row: Row) -> Any:
        return make_prompt(self._style, self._condition.name, row)

    @property
    def _predict_only(self) -> bool:
        return "bypass" in self.aggregation()  # the harness's own metric in the place of ours

    def apply_filters(self) -> Any:
        """Read and judge all outputs at once; called by the harness when the model has answered."""
        filtered = super().apply_filters()
        if self._predict_only:
            return filtered
        of_row: dict[str, list[Any]] = {}
        for instance in sorted(self._instances, key=lambda instance: instance.idx):
            of_row.setdefault(instance.doc["row_id"], []).append(instance)
        outputs = [self._output(row_id, instances) for row_id, instances in of_row.items()]
        answers = self._task.kind.read(outputs, get_judge())
        self._answers = {answer.row.row_id: answer for answer in answers}
        self._warn_of_ties(answers)
        return filtered

    def _output(self, row_id: str, instances: list[Any]) -> Output:
        row = self._rows[row_id]
        context = instances[0].args[0]
        thinking = isinstance(context, str) and opens_thought(context)
        prompt = replace(self._prompt(row), thinking=thinking)
        responses = [instance.filtered_resps["none"] for instance in instances]
        if self._task.kind.chooses:
            values, earlier = parse_compared(responses, turns=len(self._condition.turns) - 1)
            return Output(row, by_label(values, find_style(self._style).choices(row)), prompt, earlier)
        # A missing response is logged by the harness as "None", so it is read as that here, too.
        said = [Said(str(responses[0]))]
        if self._recorded:
            said = parse_transcript(responses[0], turns=len(self._condition.turns))
            answer = split_thought(said[-1].text, thinking)[0]
            # Half a surrogate pair could not be saved; it is kept in the record.
            instances[0].filtered_resps["none"] = answer.encode(errors="replace").decode()
        limit = instances[0].args[1].get("max_gen_toks")
        return Output(row, said[-1].text, prompt, tuple(turn.text for turn in said[:-1]), said[-1].cut, limit)

    def _warn_of_ties(self, answers: Sequence[Answer]) -> None:
        ties = sum(isinstance(answer, Choice) and answer.tied for answer in answers)
        if ties > MANY_TIES * len(answers):
            many = f"in {ties} of {len(answers)} rows the labels are exactly as likely, which counts as half right"
            _log.warning("%s: %s: %s.", self._task.name, many, AGAINST_TIES)

    def process_results(self, doc: dict[str, Any], results: Any) -> dict[str, Any]:
        """Return what one answer contributes to each metric; called by the harness."""
        if self._predict_only:
            return super().process_results(doc, results)  # type: ignore[no-any-return]
        answer = self._answers[doc["row_id"]]
        return {metric.name: metric.item(answer) for metric in self._metrics}


def _scored_by_the_class(doc: dict[str, Any], results: Any) -> dict[str, Any]:
    """Stand for ``DfarTask.process_results`` in the configuration that the harness writes into its results."""
    raise NotImplementedError


def _aggregation(metric: Metric) -> Callable[[Sequence[Any]], float | str]:
    def aggregate(items: Sequence[Any]) -> float | str:
        score = metric.score(items)
        return NOT_AVAILABLE if score is None else score

    return aggregate
