"""How a question is put (styles), and what is asked for (conditions)."""

from dfar_bench.prompts.conditions import CONDITIONS, Condition, Turn, find_condition
from dfar_bench.prompts.styles import (
    CHAT_STYLE,
    DEFAULT_STYLE,
    STOPS,
    STYLES,
    Prompt,
    Style,
    find_style,
    gold_answer,
    gold_completion,
    make_prompt,
)

__all__ = [
    "CHAT_STYLE",
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
