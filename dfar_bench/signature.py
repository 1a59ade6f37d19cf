"""The signature that says how a score came about, in the manner of sacrebleu.

Two scores may be compared only if their signatures agree.
"""

from __future__ import annotations

from collections.abc import Mapping


def signature(fields: Mapping[str, object]) -> str:
    """Such as ``dfar|split:paper|task:reason|prompt:llama2.v1|…``; fields without a value (None) are left out."""
    return "|".join(["dfar", *(f"{name}:{value}" for name, value in fields.items() if value is not None)])
