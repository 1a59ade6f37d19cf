"""Whether a reason is aligned with people's: one file or folder per judge."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from dfar_bench.judges.base import (
    CODES,
    DEFAULT_JUDGE,
    JUDGES,
    Case,
    Judge,
    JudgeEntry,
    Judgement,
    get_judge,
)

__all__ = [
    "CODES",
    "DEFAULT_JUDGE",
    "JUDGES",
    "Case",
    "Judge",
    "JudgeEntry",
    "Judgement",
    "get_judge",
]

# The order in which judges are listed; others follow by name. A judge's package imports what is heavy when it is made.
for _name in (
    "reference",
    "verdict",
    "llm",
    "human",
    *sorted(module.name for module in pkgutil.iter_modules(__path__)),
):
    if _name not in ("base", "cache", "validation"):
        import_module(f"{__name__}.{_name}")
