"""One line of a samples file of lm_eval, checked against our own data."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

from dfar_bench.datasets import DATASETS, Row, rows
from dfar_bench.errors import InputError
from dfar_bench.prompts import STYLES, Condition, Prompt, find_condition, make_prompt
from dfar_bench.reading import opens_thought
from dfar_bench.runs.documents import row_fields
from dfar_bench.runs.turns import Said, parse_compared, parse_transcript
from dfar_bench.scoring import KINDS, Output, by_label

_STRINGS = ("dataset", "row_id", "prompt_style", "condition", "prompt")


class Sample:
    """One line of a samples file; every method raises InputError if the line is not what a task of ours logs."""

    def __init__(self, value: Any, where: str) -> None:
        self.where = where
        self._sample = value if isinstance(value, dict) else {}
        doc = self._sample.get("doc")
        self.doc: dict[str, Any] = doc if isinstance(doc, dict) else {}
        if not all(isinstance(self.doc.get(name), str) for name in _STRINGS):
            raise InputError(f"{where}: this is not a sample of a task of this version: score samples that are.")

    def row(self) -> Row:
        """Return our own row; what the sample says of it must be the same."""
        row_id = self.doc["row_id"]
        row, fields = _test_rows(self.doc["dataset"]).get(row_id, (None, {}))
        if row is None:
            raise InputError(
                f"{self.where}: {row_id!r} is not a test row of {', '.join(DATASETS)}: score the tasks' own samples."
            )
        for name, value in fields.items():
            if self.doc.get(name) != value:
                raise InputError(
                    f"{self.where}: the {name} of {row_id} is not that of the data here: "
                    f"the samples were made from other data or by another version; run the task again."
                )
        return row

    def prompt(self, row: Row) -> Prompt:
        """Return the prompt that was to be shown, which must be that of this version."""
        style, _, version = self.doc["prompt_style"].partition(".v")
        if style not in STYLES:
            raise InputError(f"{self.where}: unknown prompt {self.doc['prompt_style']!r}: run the task again.")
        condition = self.condition().name
        try:
            prompt = make_prompt(style, condition, row)
        except InputError as error:
            raise InputError(f"{self.where}: {error}") from None
        if str(STYLES[style].version) != version or prompt.text != self.doc["prompt"]:
            raise InputError(
                f"{self.where}: the prompt {self.doc['prompt_style']} is not that of this version "
                f"({STYLES[style].signature}): run the task again, or install the version that made the samples."
            )
        return replace(prompt, thinking=opens_thought(self.context()))

    def condition(self) -> Condition:
        """Return the condition under which the model was asked."""
        try:
            return find_condition(self.doc["condition"], DATASETS.get(self.doc["dataset"]))
        except InputError as error:
            raise InputError(f"{self.where}: {error}") from None

    def output(self, row: Row) -> Output:
        """Return the response, or the log-likelihoods of the labels, which must be what the samples say they are."""
        prompt = self.prompt(row)
        responses = self._sample.get("filtered_resps")
        if isinstance(responses, list) and len(responses) == 1 and isinstance(responses[0], str):
            *before, last = self._said(responses[0])
            return Output(row, last.text, prompt, tuple(turn.text for turn in before), last.cut, self._limit())
        choices = STYLES[self.doc["prompt_style"].partition(".v")[0]].choices(row)
        texts = [text for of_label in choices for text in of_label]
        try:
            values, earlier = parse_compared(responses, turns=len(self.condition().turns) - 1)
            if len(values) != len(texts):
                raise ValueError
        except (TypeError, ValueError, OverflowError, LookupError):
            raise InputError(
                f"{self.where}: filtered_resps holds neither one text nor {len(texts)} log-likelihoods with what was "
                "said before: run the task again."
            ) from None
        continuations = [self._argument(1, of=number) for number in range(len(texts))]
        if [text.strip() if isinstance(text, str) else text for text in continuations] != [t.strip() for t in texts]:
            raise InputError(f"{self.where}: the log-likelihoods are not of {' and '.join(texts)}: run the task again.")
        return Output(row, by_label(values, choices), prompt, earlier)

    def _said(self, answer: str) -> list[Said]:
        """Return what the model said in every turn: one, unless ``dfar-bench eval`` asked."""
        if not self.doc.get("recorded"):
            return [Said(answer)]
        try:
            return parse_transcript(self._sample["resps"][0][0], turns=len(self.condition().turns))
        except (KeyError, IndexError, TypeError, ValueError):
            raise InputError(f"{self.where}: resps does not hold what was said in every turn: run it again.") from None

    def _limit(self) -> int | None:
        generation = self._argument(1)
        limit = generation.get("max_gen_toks") if isinstance(generation, dict) else None
        return limit if isinstance(limit, int) else None

    def settings(self, row: Row, output: Output) -> dict[str, Any]:
        """Return what all samples of a run have in common."""
        generation = self._argument(1) if isinstance(output.value, str) else None
        if isinstance(output.value, str) and not isinstance(generation, dict):
            raise InputError(f"{self.where}: arguments.gen_args_0 holds no generation arguments: run the task again.")
        kinds = [kind for kind in DATASETS[row.dataset].kinds if KINDS[kind].chooses == (generation is None)]
        kind = self.doc.get("kind", kinds[0] if kinds else "?")
        if kind not in kinds:
            raise InputError(f"{self.where}: {row.dataset} has no task of the kind {kind!r}: run the task again.")
        return {
            "data": row.dataset,
            "kind": kind,
            "prompt": self.doc["prompt_style"],
            "condition": self.condition().name,
            "thinking": opens_thought(self.context()),
            "generation": generation,
        }

    def context(self) -> str:
        """Return what the model was shown."""
        context = self._argument(0)
        if not isinstance(context, str | list) or not context:
            raise InputError(f"{self.where}: arguments.gen_args_0 holds no context: run the task again.")
        shown = _contents(context) if isinstance(context, list) else [context]
        if not any(self.doc["prompt"].strip() in text for text in shown):
            raise InputError(
                f"{self.where}: the model was not shown the prompt {self.doc['prompt_style']}: lm_eval's "
                f"--cache_requests mixes up prompt styles; run the task again with --cache_requests refresh."
            )
        return json.dumps(context) if isinstance(context, list) else context

    def sent_messages(self) -> bool:
        """Whether the context is a list of chat messages."""
        return isinstance(self._argument(0), list)

    def _argument(self, number: int, of: int = 0) -> Any:
        try:
            return self._sample["arguments"][f"gen_args_{of}"][f"arg_{number}"]
        except (KeyError, TypeError):
            raise InputError(f"{self.where}: arguments.gen_args_{of} is missing or cut: run the task again.") from None


def _contents(context: list[Any]) -> list[str]:
    """Return the texts of chat messages, which the harness logs as a list of one JSON text (its ``JsonChatStr``)."""
    try:
        texts = [message["content"] for message in json.loads(context[0])]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
    return [text for text in texts if isinstance(text, str)]


@cache
def _test_rows(dataset: str) -> dict[str, tuple[Row, dict[str, Any]]]:
    """Our test rows by id, each with its fields as JSON gives them back."""
    if dataset not in DATASETS:
        return {}
    return {row.row_id: (row, json.loads(json.dumps(row_fields(row)))) for row in rows(dataset)["test"]}
