"""From examples to batches, with the beginning that the examples share computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from dfar_bench.text import common_prefix
from dfar_bench.training.examples import IGNORED

LINE_TOKENS = 512
"""Where examples share a prefix, a new line of the batch begins after about this many tokens."""

SHARES_PREFIX = frozenset({"gemma3_text", "gpt2", "gpt_neox", "llama", "mistral", "opt", "phi3", "qwen2", "qwen3"})
"""Model types for which the tests show that a batch with a shared prefix has the loss of separate rows."""


def can_share_prefix(config: Any, longest: int) -> bool:
    """Whether ``Collator(share_prefix=True)`` is exact for a model.

    Args:
        config: the model's configuration, with its attention implementation.
        longest: the number of tokens of the longest example.
    """
    window = getattr(config, "sliding_window", None)
    return (
        config.model_type in SHARES_PREFIX  # false for a multimodal model, even around such a text model
        and config._attn_implementation == "sdpa"  # accepts a mask for every pair of tokens
        and (window is None or window >= longest)  # a narrower one would need its own mask
    )


@dataclass
class Collator:
    """Makes a batch of the examples of one step.

    Without ``share_prefix``, each line of the batch is one example, padded on the right.

    With it, each line holds the prefix that all examples of the batch share, then several examples without it: the
    prefix is computed once per line and almost nothing is padded. Each token attends to the prefix and to its own
    example, at the positions it would have alone, so that the losses are the same (with dropout, the examples of a
    line share the noise of the prefix). The prefix is 19 of the 45 tokens of an L example and 18 of the 139 of an L+R
    example. Attention grows with the square of the line's length, hence ``LINE_TOKENS``.

    The last token of a text is never an input, as nothing is predicted from it.
    """

    pad_token_id: int
    share_prefix: bool = False

    def __call__(self, features: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Make a batch.

        Args:
            features: ``input_ids``, ``labels`` and ``number`` (of the training row) of each example.

        Returns:
            ``input_ids``, ``attention_mask`` and, with a shared prefix, ``position_ids`` for the model.
            ``shift_labels``: the token to predict at each position, or ``IGNORED``; ``labels``: the same, for the
            trainer, which counts them. ``numbers`` of the rows, and the number of ``tokens`` of their texts.
        """
        inputs = [feature["input_ids"][:-1] for feature in features]
        targets = [feature["labels"][1:] for feature in features]
        batch = self._with_shared_prefix(inputs, targets) if self.share_prefix else self._padded(inputs, targets)
        return {
            **batch,
            "labels": batch["shift_labels"],
            "numbers": torch.tensor([feature["number"] for feature in features]),
            "tokens": torch.tensor(sum(len(feature["input_ids"]) for feature in features)),
        }

    def _padded(self, inputs: list[list[int]], targets: list[list[int]]) -> dict[str, torch.Tensor]:
        def pad(lines: list[list[int]], value: int) -> torch.Tensor:
            return pad_sequence([torch.tensor(line) for line in lines], batch_first=True, padding_value=value)

        return {
            "input_ids": pad(inputs, self.pad_token_id),
            "attention_mask": pad([[1] * len(ids) for ids in inputs], 0),
            "shift_labels": pad(targets, IGNORED),
        }

    def _with_shared_prefix(self, inputs: list[list[int]], targets: list[list[int]]) -> dict[str, torch.Tensor]:
        first_learned = min(next(i for i, target in enumerate(line) if target != IGNORED) for line in targets)
        shared = min(common_prefix(*inputs), first_learned)
        rest = [len(ids) - shared for ids in inputs]
        lines = balance(rest, -(-sum(rest) // max(LINE_TOKENS - shared, 1)))
        width = shared + max(sum(rest[number] for number in line) for line in lines)

        shape = (len(lines), width)
        input_ids = torch.full(shape, self.pad_token_id)
        shift_labels = torch.full(shape, IGNORED)
        position_ids = torch.zeros(shape, dtype=torch.long)
        owner = torch.full(shape, -1)  # 0: the shared prefix; n + 1: example n; -1: padding
        for row, line in enumerate(lines):
            pieces = [(0, inputs[0][:shared], targets[0][:shared], 0)]
            pieces += [(number + 1, inputs[number][shared:], targets[number][shared:], shared) for number in line]
            end = 0
            for piece_owner, ids, target, position in pieces:
                place = slice(end, end := end + len(ids))
                input_ids[row, place] = torch.tensor(ids, dtype=torch.long)
                shift_labels[row, place] = torch.tensor(target, dtype=torch.long)
                position_ids[row, place] = torch.arange(position, position + len(ids))
                owner[row, place] = piece_owner
        order = torch.arange(width)
        same_text = (owner[:, None] == 0) | (owner[:, :, None] == owner[:, None])
        return {
            "input_ids": input_ids,
            "attention_mask": (same_text & (order[:, None] >= order))[:, None],
            "position_ids": position_ids,
            "shift_labels": shift_labels,
        }


def balance(lengths: Sequence[int], lines: int) -> list[list[int]]:
    """Distribute examples over lines of about equal length: longest first, each to the shortest line.

    Returns:
        The indices of the examples in each line; no line is empty.
    """
    filled: list[list[int]] = [[] for _ in range(min(lines, len(lengths)))]
    for number in sorted(range(len(lengths)), key=lambda number: -lengths[number]):
        min(filled, key=lambda line: sum(lengths[n] for n in line)).append(number)
    return filled
