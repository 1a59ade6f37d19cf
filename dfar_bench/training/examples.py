"""From rows to token ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dfar_bench.datasets import Row
from dfar_bench.errors import InputError
from dfar_bench.text import common_prefix

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from dfar_bench.training.modes import Mode
    from dfar_bench.training.options import Options

IGNORED = -100
"""The label of a token that is not learned."""

_MAX_NAMED = 5
"""Rows named in an error; the others are counted."""


@dataclass(frozen=True)
class Example:
    """The training text of a row.

    Attributes:
        labels: as long as ``input_ids``; tokens that are not learned are ``IGNORED``.
        rejected: the other answer, of a pair; None where there is one answer.
        rejected_tokens: of the prompt and the other answer; 0 where there is none.
    """

    row: Row
    prompt: str
    completion: str
    input_ids: list[int]
    labels: list[int]
    rejected: str | None = None
    rejected_tokens: int = 0

    @property
    def texts(self) -> list[str]:
        """All that is learned from, with the prompt first."""
        return [self.prompt, self.completion, *([] if self.rejected is None else [self.rejected])]

    @property
    def tokens(self) -> int:
        """Tokens of its texts that go through the model."""
        return len(self.input_ids) + self.rejected_tokens

    @property
    def longest(self) -> int:
        """Tokens of its longest text."""
        return max(len(self.input_ids), self.rejected_tokens)


def make_examples(
    rows: Sequence[Row], mode: Mode, options: Options, tokenizer: PreTrainedTokenizerBase, completion_only: bool = True
) -> list[Example]:
    """Make the training texts of rows, including the end-of-text token.

    Prompt and completion are tokenized together, as lm_eval does it, so that a model is scored on the tokens it was
    trained on. The completion begins at the first token that differs from the prompt's own tokens.

    Args:
        options: with the prompt style.
        completion_only: learn only the completion; otherwise the prompt too, as the paper's notebooks do.
    """
    texts = [mode.text(options, row) for row in rows]
    prompt_ids = tokenizer([prompt for prompt, _ in texts])["input_ids"]
    text_ids = tokenizer([prompt + completion for prompt, completion in texts])["input_ids"]
    end = tokenizer.eos_token_id
    examples = []
    for row, (prompt, completion), shown, ids in zip(rows, texts, prompt_ids, text_ids):
        start = common_prefix(shown, ids) if completion_only else 0
        ids = ids if ids[-1] == end else [*ids, end]
        examples.append(
            Example(row, prompt, completion, ids, [IGNORED] * start + ids[start:], *_rejected(row, prompt, tokenizer))
        )
    return examples


def _rejected(row: Row, prompt: str, tokenizer: PreTrainedTokenizerBase) -> tuple[str, int] | tuple[()]:
    """Return the rejected answer of a pair, and the tokens of prompt and answer with the end; () for other rows."""
    if "rejected" not in row.facts:
        return ()
    text = f" {row.facts['rejected']}"
    return text, len(tokenizer(prompt + text)["input_ids"]) + 1


def drop_too_long(examples: Sequence[Example], longest: int | None, drop: bool) -> list[Example]:
    """Return the examples that fit a model; none is ever truncated.

    Args:
        longest: the number of tokens allowed by the model or ``max_length``; None for no limit.
        drop: leave out longer examples instead of refusing them.

    Raises:
        InputError: names the rows that are too long.
    """
    long = [] if longest is None else [example for example in examples if example.longest > longest]
    if long and (not drop or len(long) == len(examples)):
        named = ", ".join(f"{example.row.row_id} ({example.longest})" for example in long[:_MAX_NAMED])
        more = f" and {len(long) - _MAX_NAMED} more" if len(long) > _MAX_NAMED else ""
        raise InputError(
            f"{len(long)} of {len(examples)} training rows are longer than the {longest} tokens allowed by the model "
            f"or --max_length: {named}{more}; choose another model or length, or leave them out with --drop_long."
        )
    return [example for example in examples if longest is None or example.longest <= longest]
