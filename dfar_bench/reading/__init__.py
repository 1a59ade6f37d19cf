"""What a text says: its verdict, and whether it is a refusal, an echo, a loop or a bare word."""

from dfar_bench.reading.properties import is_bare, is_gold_copy
from dfar_bench.reading.reading import Reading
from dfar_bench.reading.thinking import (
    expects_thought,
    has_thought,
    opens_thought,
    seems_cut,
    split_thought,
    without_thought,
)
from dfar_bench.reading.verdict import parse_verdict

VERSION = 2
"""Of how verdicts are read. Part of the signatures of judges that read them, so raise it with every change."""

__all__ = [
    "VERSION",
    "Reading",
    "expects_thought",
    "has_thought",
    "is_bare",
    "is_gold_copy",
    "opens_thought",
    "parse_verdict",
    "seems_cut",
    "split_thought",
    "without_thought",
]
