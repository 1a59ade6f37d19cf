"""What a task of lm_eval refuses, before the model runs, in one sentence each."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError
from dfar_bench.prompts import FIXED_CHAT_STYLE, Condition, Style
from dfar_bench.reading import expects_thought, has_thought
from dfar_bench.scoring import Task

_OPTIONS = ("prompt", "condition", "mode")
_ELSEWHERE = {
    "split": "choose the task of that data set, such as dfar_mini_cls",
    "data": "choose the task of that data set, such as dfar_mini_cls",
    "kind": "choose the task of that kind, such as dfar_reason",
    "style": "the prompt style is called prompt",
    "judge": "to use another judge, run dfar-bench rescore --judge afterwards",
}

_OTHER_LIMITS = ("max_tokens", "max_new_tokens", "max_completion_tokens", "max_length")

_log = logging.getLogger("lm_eval.dfar_bench")


def names(metadata: dict[str, Any]) -> None:
    """Refuse metadata that look like a misspelling of ours; they also hold the model's arguments, which are ignored."""
    for name in metadata:
        close = get_close_matches(name.lower(), _OPTIONS, n=1, cutoff=0.65)
        if name not in _OPTIONS and close and not name.startswith(("model", "config")):
            raise InputError(f"the metadata holds {name!r}, which means nothing here: did you mean {close[0]!r}?")
        if name in _ELSEWHERE:
            raise InputError(f"the metadata holds {name!r}, which means nothing here: {_ELSEWHERE[name]}.")


def condition(task: Task, condition: Condition, *, recorded: bool) -> None:
    """Refuse several turns where they cannot be asked.

    Args:
        recorded: whether ``dfar-bench eval`` asks.
    """
    if len(condition.turns) == 1:
        return
    if task.kind.chooses and not task.dataset.style:
        other = task.dataset.task_name("reason")
        raise InputError(
            f"{task.name} compares likelihoods after one turn, and {condition.name} has several: use {other}."
        )
    if not recorded:
        turns = len(condition.turns)
        raise InputError(
            f"{task.name}: {condition.name} has {turns} turns: run dfar-bench eval with the same arguments."
        )


def thoughts_taken_off(task: Task, condition: Condition, metadata: dict[str, Any]) -> None:
    """Refuse that lm_eval takes thoughts off; the metadata hold the model's arguments, too."""
    writes = not task.kind.chooses or len(condition.turns) > 1
    if metadata.get("think_end_token") is not None and writes:
        raise InputError(
            f"{task.name}: with think_end_token lm_eval logs only what follows a thought, and a thought that did not "
            "end looks like an answer: leave it out, thoughts are taken off here."
        )


def style(style: Style, condition: Condition, *, chat: bool) -> None:
    """Refuse a prompt that begins the answer where a thought is to come first, or that needs a chat template."""
    if style.name == FIXED_CHAT_STYLE and not chat:
        raise InputError(f"the prompt {style.name} is for chat templates: add --apply_chat_template, or leave it out.")
    if style.begins_answer and condition.thinks_first:
        what = f"the prompt {style.name} begins the answer, and in {condition.name} a thought comes first"
        raise InputError(f'{what}: choose another, such as --metadata \'{{"prompt": "plain"}}\'.')


def examples(task: Task, condition: Condition, number: int, *, available: int) -> None:
    """Refuse few-shot examples that there are not."""
    if not available:
        raise InputError(f"{task.dataset.name} has no few-shot examples: leave out --num_fewshot {number}.")
    if condition.thinks_first:
        raise InputError(f"no example shows a thought, as {condition.name} needs: leave out --num_fewshot {number}.")
    if number > available:
        raise InputError(f"--num_fewshot {number}: {task.dataset.name} has {available} few-shot examples.")


def other_limits(generation: dict[str, Any]) -> None:
    """Refuse other names for the limit on tokens: signature and metrics would still go by ``max_gen_toks``."""
    for name in _OTHER_LIMITS:
        if name in generation:
            raise InputError(f"--gen_kwargs {name}: the limit on tokens is set by max_gen_toks=N alone: use that.")


def template(task: Task, apply: Callable[[list[dict[str, str]]], Any]) -> None:
    """Refuse likelihoods where no verdict can follow a question at once, and warn where it may not.

    Args:
        apply: the model's own method that applies its chat template.
    """
    name = task.name
    use = "ask other tasks" if task.dataset.style else f"use {task.dataset.task_name('reason')}"
    context = apply([{"role": "user", "content": "?"}])
    if not isinstance(context, str):  # lm_eval's JsonChatStr
        raise InputError(f"{name}: a chat endpoint gives no likelihoods: {use}.")
    if expects_thought(context):
        what = "the chat template opens a thought, after which no verdict can follow at once"
        raise InputError(f"{name}: {what}: {use}.")
    tokenizer = getattr(getattr(apply, "__self__", None), "tokenizer", None)
    if has_thought(str(getattr(tokenizer, "chat_template", ""))) and not has_thought(context):
        _log.warning("%s: likelihoods leave no room for a thought: if the model thinks first, %s.", name, use)


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """Say a refusal in one sentence where ``lm_eval`` was typed: a person expects that and not a traceback."""
    try:
        yield
    except InputError as error:
        program = Path(sys.argv[0])
        if program.stem not in ("lm_eval", "lm-eval") and program.parent.name != "lm_eval":
            raise
        print(f"dfar-bench: {error}", file=sys.stderr)
        raise SystemExit(2) from None
