"""Comparing texts regardless of case, spacing and punctuation. The data itself is never altered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_LONG = 10_000  # characters; longer texts are not kept in memory
_WORD = re.compile(r"[a-z0-9']+")


def fold(text: str) -> str:
    """Lower case with white space folded: the form in which two statements count as the same."""
    return " ".join(text.lower().split())


def words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, without punctuation."""
    return _known_words(text) if len(text) < _LONG else _words(text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.lower().replace("’", "'")))


# A response is asked for several times, statements and reasons again for every run.
_known_words = lru_cache(maxsize=2048)(_words)


def common_prefix(a: Sequence[str], b: Sequence[str]) -> int:
    """How many words two sequences of words share at their beginning."""
    n = 0
    for x, y in zip(a, b):
        if x != y:
            break
        n += 1
    return n
