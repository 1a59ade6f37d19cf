"""Text comparison that ignores case, spacing and punctuation. The data itself is never altered."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from functools import lru_cache

_WORD = re.compile(r"[a-z0-9']+")
_CACHED_CHARACTERS = 10_000


def normalize(text: str) -> str:
    """Lower-case a text and collapse its white space: statements that agree in this form are the same statement."""
    return " ".join(text.lower().split())


def words(text: str) -> tuple[str, ...]:
    """Split a text into lower-case words without punctuation."""
    return _cached_words(text) if len(text) < _CACHED_CHARACTERS else _words(text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.lower().replace("’", "'")))


# Statements and reasons come again for every run.
_cached_words = lru_cache(maxsize=2048)(_words)


def common_prefix(a: Sequence[str], b: Sequence[str]) -> int:
    """Count the words that two sequences share at their beginning."""
    n = 0
    for x, y in zip(a, b):
        if x != y:
            break
        n += 1
    return n


def short_hash(value: object) -> str:
    """Hash a JSON value to eight hexadecimal digits, independent of the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]
