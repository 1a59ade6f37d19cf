"""Comparing texts regardless of case, spacing and punctuation. The data itself is never altered."""

from __future__ import annotations

import re

_WORD = re.compile(r"[a-z0-9']+")
_APOSTROPHES = str.maketrans("’‘", "''")


def fold(text: str) -> str:
    """Lower case with white space folded: the form in which two statements count as the same."""
    return " ".join(text.lower().split())


def words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return _WORD.findall(text.lower().translate(_APOSTROPHES))


def common_prefix(a: list[str], b: list[str]) -> int:
    """How many words two word lists share at their beginning."""
    n = 0
    for x, y in zip(a, b):
        if x != y:
            break
        n += 1
    return n
