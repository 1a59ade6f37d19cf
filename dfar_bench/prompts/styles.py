"""Prompt styles: how a question is put, for evaluation and training alike.

``llama2`` and ``mistral`` are byte for byte the prompts of the paper's notebooks (Kabir et al., ICPR 2024; official
repository at the commit named in ``datasets.dfar``), without the ``<s>`` and ``</s>`` that the Mistral notebooks spell
out and that a tokenizer adds itself. ``plain`` is ours, for models that know neither format.

A training text is ``prompt + completion``. Prompts end without a space and completions begin with one, so that the
border between them is also a border between tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dfar_bench.datasets import Row, get_dataset
from dfar_bench.errors import InputError
from dfar_bench.prompts.conditions import STOPS, Condition, find_condition
from dfar_bench.registry import Registry

DEFAULT_STYLE = "llama2"
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Style:
    """One way of asking. Changing any template changes scores, so it needs a new ``version``.

    Attributes:
        prompt: template with the fields ``ask`` (of the condition) and ``statement``.
        label, reason: templates of the expected answer without and with a reason; fields ``label`` and ``reason``.
    """

    name: str
    version: int
    prompt: str
    label: str
    reason: str

    @property
    def signature(self) -> str:
        """Name and version, such as ``llama2.v1``."""
        return f"{self.name}.v{self.version}"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model was shown for one row, and how its answer is to be read.

    Attributes:
        text: "" where it is not known.
        stops, final: see ``Condition``.
    """

    text: str = ""
    stops: tuple[str, ...] = STOPS
    final: Literal["opening", "last"] = "opening"


STYLES: Registry[Style] = Registry("prompt style")
STYLES.add(
    Style(
        "llama2",
        1,
        prompt="### Question: {ask} Statement: {statement} The statement is \n ### Answer:",
        label="{label}",
        reason="{label}. {reason}",
    )
)
STYLES.add(
    Style(
        "mistral",
        1,
        prompt="\n\n### Instruction:\n {ask}\n\n### Input:\n {statement}\n\n### Response:\n The statement is",
        label="{label}.",
        reason="{label}.{reason}",
    )
)
STYLES.add(
    Style(
        "plain",
        1,
        prompt="{ask}\n\nStatement: {statement}\nAnswer:",
        label="{label}.",
        reason="{label}. {reason}",
    )
)


def find_style(name: object) -> Style:
    """Return the style of a name.

    Raises:
        InputError: there is none.
    """
    return STYLES.find(name)


def make_prompt(style: str, condition: str, row: Row) -> Prompt:
    """Make the prompt that asks about a row; nothing of the statement is trimmed.

    Args:
        style: a name in ``STYLES``.
        condition: a name or alias in ``CONDITIONS``.

    Raises:
        InputError: there is no such style or condition, or the condition has several turns.
    """
    chosen, how = find_style(style), find_condition(condition)
    if len(how.turns) > 1:
        raise InputError(f"the condition {how.name} has {len(how.turns)} turns, and lm_eval's tasks ask one.")
    text = chosen.prompt.format(ask=_ask(chosen, how, row), statement=row.statement)
    return Prompt(text, how.stops, how.final)


def gold_answer(style: str, condition: str, row: Row) -> str:
    """Return what people would answer, without the leading space of ``gold_completion``."""
    chosen, how = find_style(style), find_condition(condition)
    template = chosen.reason if how.with_reason else chosen.label
    return template.format(label=get_dataset(row.dataset).labels[row.label], reason=row.reason)


def gold_completion(style: str, condition: str, row: Row) -> str:
    """Return what a model learns to write after the prompt; the trainer adds the end-of-text token."""
    return " " + gold_answer(style, condition, row)


def _ask(style: Style, condition: Condition, row: Row) -> str:
    dataset = get_dataset(row.dataset)
    turn = condition.turns[0]
    template = turn.wordings.get(style.name, turn.ask)
    count = len(dataset.labels)
    return template.format(
        question=dataset.question,
        options=dataset.options,
        count=_NUMBERS[count] if count < len(_NUMBERS) else count,
    )
