"""How the data sets of this folder are asked: conditions in words of their own, and a choice by likelihood."""

from __future__ import annotations

from typing import Any

from dfar_bench.prompts.conditions import CONDITIONS, Condition, Turn
from dfar_bench.scoring.answers import read_choices
from dfar_bench.scoring.kinds import KINDS, Kind

NO_YES = ((" No", " no", "No", "no"), (" Yes", " yes", "Yes", "yes"))
"""The continuations that mean the labels "no" and "yes"."""

ONE_TWO = ((" 1",), (" 2",))
"""Those that mean the options of ``which_option``."""


def add_condition(data: str, name: str, title: str, *turns: Turn, **options: Any) -> None:
    """Add a condition of a data set; for ``options`` see ``Condition``."""
    CONDITIONS.add(Condition(f"{data}:{name}", title, turns, with_reason=False, wording="v1", data=data, **options))


def add_kind(data: str, title: str, condition: str) -> None:
    """Add the one kind of task of a data set, which is named as that, and its default condition."""
    KINDS.add(Kind(data, title, f"{data}:{condition}", "multiple_choice", read_choices))


def which_option(question: str) -> Turn:
    """Ask for one of two options, (1) and (2), whose number is the answer."""
    return Turn(f"{question}\nAnswer: ", {"messages": question}, opening="Option")
