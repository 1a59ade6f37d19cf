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
_OPENINGS, _CLOSINGS = zip(*_TAGS, strict=True)
_MARK = re.compile("|".join(re.escape(tag) for tag in (*_OPENINGS, *_CLOSINGS)))
_HARMONY = "<|channel|>"
_HARMONY_FINAL = "<|channel|>final<|message|>"
_HARMONY_ENDS = re.compile(r"<\|(?:return|end|start|call)\|>")
_HARMONY_TURN = "<|start|>assistant"
# What is left of harmony's channels where special tokens were dropped: "analysisLet us see …assistantfinalUnethical. …"
_STRIPPED_THOUGHT = re.compile(r"analysis(?=[A-Z\"'*])")
_STRIPPED_FINAL = re.compile(r"\Afinal(?=[A-Z\"'*])|assistantfinal")

_CLOSING = " \t\r\n\"'”’»)]}*_`"
_SENTENCE_ENDS = ".!?…。"
_CHARACTERS_PER_TOKEN = 2
"""English has more than four; a text with fewer characters than this a token cannot have used up its tokens."""


def opens_thought(context: str) -> bool:
    """Whether what a model was shown ends inside a thought, so that its answer begins there."""
    return context.rstrip().endswith(_OPENINGS)


def expects_thought(context: str) -> bool:
    """Whether no verdict can follow at once: the context opens a thought, or leaves harmony's channel to be named."""
    return opens_thought(context) or context.endswith(_HARMONY_TURN)


def has_thought(text: str) -> bool:
    """Whether a raw response holds marks of a thought."""
    return _HARMONY in text or _MARK.search(text) is not None


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
    return _split_tags(response, thinking)


def _split_tags(response: str, thinking: bool) -> tuple[str, bool]:
    """Return what stands behind the last thought, or, where nothing does, before it."""
    marks = list(_MARK.finditer(response))
    last = max((number for number, mark in enumerate(marks) if mark[0] in _CLOSINGS), default=-1)
    if last < 0 and thinking:
        return "", False
    start = marks[last].end() if last >= 0 else 0
    if last + 1 < len(marks):
        return response[start : marks[last + 1].start()], False
    answer = response[start:]
    while not answer.strip() and last > 0 and marks[last - 1][0] in _OPENINGS:
        end, last = marks[last - 1].start(), last - 2
        answer = response[marks[last].end() if last >= 0 else 0 : end]
        if last < 0 and thinking:
            return "", True
    return answer, True


def without_thought(response: str, thinking: bool = False) -> str:
    """Return a response with its thoughts emptied, which is read as the same answer.

    Args:
        thinking: whether the response begins inside a thought.
    """
    answer, closed = split_thought(response, thinking)
    opening, closing = _TAGS[0]
    short = f"{closing}{answer}" if closed else f"{closing}{answer}{opening}"
    if answer == response or split_thought(short, thinking) != (answer, closed):
        return response
    return short


def seems_cut(answer: str, limit: int, left_out: int = 0) -> bool:
    """Estimate whether an answer was cut off by the limit on its tokens, from the text alone.

    Used where no stop reason was recorded. An answer seems cut if it does not end with a sentence, closing marks aside,
    and is long enough to have reached the limit.

    Args:
        limit: in tokens.
        left_out: characters that the answer had before what is given.
    """
    text = answer.rstrip(_CLOSING)
    return left_out + len(answer) >= _CHARACTERS_PER_TOKEN * limit and not text.endswith(tuple(_SENTENCE_ENDS))
