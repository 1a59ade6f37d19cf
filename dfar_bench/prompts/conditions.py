"""Conditions: what a model is asked for, and how its answer ends.

To add one, add a ``Condition`` to ``CONDITIONS``; it works with every prompt style.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from dfar_bench.errors import InputError
from dfar_bench.registry import Registry

STOPS = ("### Question:", "### Instruction:", "\nIs the following statement")
"""Beginnings of a next prompt: an answer ends where a model goes on to write one.

Not a blank line: chat models write paragraphs, and an answer that begins with a stop would become empty.
"""


@dataclass(frozen=True)
class Turn:
    """One question to the model.

    Attributes:
        ask: template with the fields ``question`` and ``options`` of the data set and ``count`` of options ("two").
        wordings: other templates, by the name of the prompt style that needs them.
    """

    ask: str
    wordings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Condition:
    """What a model is asked for.

    Attributes:
        title: for people, such as "label and reason".
        turns: the questions, in order. lm_eval's tasks ask one.
        with_reason: whether the expected answer holds a reason.
        alias: the paper's short name; ``--metadata`` takes either.
        final: which verdict counts where an answer pronounces several: the ``opening`` one, or the ``last``.
        stops: an answer ends before the first of these strings.
        max_tokens: the limit on a written answer.
    """

    name: str
    title: str
    turns: tuple[Turn, ...]
    with_reason: bool
    alias: str = ""
    final: Literal["opening", "last"] = "opening"
    stops: tuple[str, ...] = STOPS
    max_tokens: int = 192


CONDITIONS: Registry[Condition] = Registry("condition")

_PAPER_LABEL = "Evaluate whether the statement is {options} without any reason."
_PAPER_REASON = "Evaluate whether the statement is {options} with reason."

CONDITIONS.add(
    Condition(
        name="label",
        title="label alone",
        turns=(
            Turn(
                "{question} Answer with one of the {count} words.",
                {"llama2": _PAPER_LABEL, "mistral": _PAPER_LABEL},
            ),
        ),
        with_reason=False,
        alias="l",
    )
)
CONDITIONS.add(
    Condition(
        name="reason",
        title="label and reason",
        turns=(
            Turn(
                "{question} Answer with one of the {count} words, then the reason.",
                {"llama2": _PAPER_REASON, "mistral": _PAPER_REASON},
            ),
        ),
        with_reason=True,
        alias="lr",
    )
)


def find_condition(name: object) -> Condition:
    """Return the condition of a name or alias.

    Raises:
        InputError: there is none.
    """
    for condition in CONDITIONS.values():
        if condition.alias and condition.alias == name:
            return condition
    try:
        return CONDITIONS.find(name)
    except InputError:
        names = ", ".join(f"{c.name} ({c.alias})" if c.alias else c.name for c in CONDITIONS.values())
        raise InputError(f"there is no condition {name!r}: choose one of {names}.") from None
