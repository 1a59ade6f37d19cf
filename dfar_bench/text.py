"""Text comparison that ignores case, spacing and punctuation. The data itself is never altered."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Hashable, Sequence
from functools import lru_cache
from itertools import takewhile

_WORD = re.compile(r"[a-z0-9']+")
_CACHED_CHARACTERS = 10_000


def normalize(text: str) -> str:
    """Lower-case a text and collapse its white space: statements that agree in this form are the same statement."""
    return " ".join(text.lower().split())


def words(text: str) -> tuple[str, ...]:
    """Split a text into lower-case words without punctuation."""
    return _cached_words(text) if len(text) < _CACHED_CHARACTERS else _words(text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(_folded(text)))


def _folded(text: str) -> str:
    return text.lower().replace("’", "'")


def word_places(text: str) -> list[tuple[str, int, int]]:
    """Return the words of a text, each with the characters [start, end) that it stands for."""
    folded = _folded(text)
    # "İ" alone becomes longer when it is lower-cased.
    places = range(len(text)) if len(folded) == len(text) else [n for n, c in enumerate(text) for _ in c.lower()]
    return [(m[0], places[m.start()], places[m.end() - 1] + 1) for m in _WORD.finditer(folded)]


# Statements and reasons come again for every run.
_cached_words = lru_cache(maxsize=2048)(_words)


def common_prefix(*sequences: Sequence[Hashable]) -> int:
    """Count the words, or tokens, that all sequences share at their beginning."""
    return sum(1 for _ in takewhile(lambda items: len(set(items)) == 1, zip(*sequences)))


def policy_hash(code: str) -> str:
    """Hash an inline script or style the way a Content Security Policy names it, without the quotes."""
    return f"sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}"


def short_hash(value: object) -> str:
    """Hash a JSON value to eight hexadecimal digits, independent of the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]
