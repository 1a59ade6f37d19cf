"""How a question is put (styles), and what is asked for (conditions)."""

from dfar_bench.prompts.conditions import CONDITIONS, Condition, Turn, conditions_of, find_condition
from dfar_bench.prompts.styles import (
    CHAT_STYLE,
    DEFAULT_STYLE,
    FIXED_CHAT_STYLE,
    STOPS,
    STYLES,
    Prompt,
    Style,
    default_style,
    find_style,
    gold_answer,
    gold_completion,
    make_prompt,
    styles_of,
)

__all__ = [
    "CHAT_STYLE",
    "CONDITIONS",
    "DEFAULT_STYLE",
    "FIXED_CHAT_STYLE",
    "STOPS",
    "STYLES",
    "Condition",
    "Prompt",
    "Style",
    "Turn",
    "conditions_of",
    "default_style",
    "find_condition",
    "find_style",
    "gold_answer",
    "gold_completion",
    "make_prompt",
    "styles_of",
]
