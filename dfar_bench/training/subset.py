"""A part of a sequence that represents the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def evenly(items: Sequence[T], limit: int | None) -> Sequence[T]:
    """Return so many items, evenly spaced; all of them if there are fewer, or the limit is None."""
    if limit is None or limit >= len(items):
        return items
    return [items[number * len(items) // limit] for number in range(limit)]
