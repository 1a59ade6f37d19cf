"""Reasoning that a model writes before its answer, and how to tell a finished answer from one that was cut off."""

from __future__ import annotations

import re

# The tags of Qwen, DeepSeek and most others, of Magistral, of Cohere's Command A, and of Seed-OSS.
_TAGS = (
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<seed:think>", "</seed:think>"),
)
_HARMONY = "<|channel|>"
_HARMONY_FINAL = "<|channel|>final<|message|>"
_HARMONY_ENDS = re.compile(r"<\|(?:return|end|start|call)\|>")
_HARMONY_TURN = "<|start|>assistant"
# What is left of harmony's channels where special tokens were dropped: "analysisLet us see …assistantfinalUnethical. …"
_STRIPPED_THOUGHT = re.compile(r"analysis(?=[A-Z\"'*])")
_STRIPPED_FINAL = re.compile(r"(?:\A|assistant)final(?=[A-Z\"'*])")

_CLOSING = " \t\r\n\"'”’»)]}*_`"
_SENTENCE_ENDS = ".!?…。"
_CHARACTERS_PER_TOKEN = 2
"""English has more than four; a text with fewer characters than this a token cannot have used up its tokens."""


def opens_thought(context: str) -> bool:
    """Whether what a model was shown ends inside a thought, so that its answer begins there."""
    return any(context.rfind(opening) > context.rfind(closing) for opening, closing in _TAGS)


def expects_thought(context: str) -> bool:
    """Whether no verdict can follow at once: the context opens a thought, or leaves harmony's channel to be named."""
    return opens_thought(context) or context.endswith(_HARMONY_TURN)


def has_thought(text: str) -> bool:
    """Whether a raw response holds marks of a thought."""
    return _HARMONY in text or any(tag in text for pair in _TAGS for tag in pair)


def split_thought(response: str, thinking: bool = False) -> tuple[str, bool]:
    """Take the thought off a response.

    Args:
        thinking: whether the response begins inside a thought.

    Returns:
        The answer, and whether every thought was closed. Where one was not, there is no answer behind it.
    """
    if _HARMONY in response:
        _, final, answer = response.rpartition(_HARMONY_FINAL)
        return (_HARMONY_ENDS.split(answer)[0], True) if final else ("", False)
    if _STRIPPED_THOUGHT.match(response) or _STRIPPED_FINAL.match(response):
        *_, answer = parts = _STRIPPED_FINAL.split(response)
        return (answer, True) if len(parts) > 1 else ("", False)
    end, size = max((response.rfind(closing), len(closing)) for _, closing in _TAGS)
    if end >= 0:
        response = response[end + size :]
    elif thinking:
        return "", False
    start = min((at for opening, _ in _TAGS if (at := response.find(opening)) >= 0), default=-1)
    return (response, True) if start < 0 else (response[:start], False)


def seems_cut(answer: str, limit: int) -> bool:
    """Estimate whether an answer was cut off by the limit on its tokens, from the text alone.

    Used where no stop reason was recorded. An answer seems cut if it does not end with a sentence, closing marks aside,
    and is long enough to have reached the limit.

    Args:
        limit: in tokens.
    """
    text = answer.rstrip(_CLOSING)
    return len(answer) >= _CHARACTERS_PER_TOKEN * limit and not text.endswith(tuple(_SENTENCE_ENDS))
