"""How a question is put (styles), and what is asked for (conditions)."""

from dfar_bench.prompts.conditions import CONDITIONS, STOPS, Condition, Turn, find_condition
from dfar_bench.prompts.styles import (
    DEFAULT_STYLE,
    STYLES,
    Prompt,
    Style,
    find_style,
    gold_answer,
    gold_completion,
    make_prompt,
)

__all__ = [
    "CONDITIONS",
    "DEFAULT_STYLE",
    "STOPS",
    "STYLES",
    "Condition",
    "Prompt",
    "Style",
    "Turn",
    "find_condition",
    "find_style",
    "gold_answer",
    "gold_completion",
    "make_prompt",
]
