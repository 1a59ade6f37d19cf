"""What a text says: its verdict, and whether it is a refusal, an echo, a loop or a bare word."""

from dfar_bench.reading.properties import is_bare, is_gold_copy, own_answer
from dfar_bench.reading.reading import Reading
from dfar_bench.reading.verdict import parse_verdict

__all__ = ["Reading", "is_bare", "is_gold_copy", "own_answer", "parse_verdict"]
