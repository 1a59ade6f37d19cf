"""From rows to token ids, and from token ids to batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from dfar_bench import prompts
from dfar_bench.data import LABELS, Row

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of a token that is not learned."""

LINE = 512
"""Tokens after which another line begins, where examples stand behind a shared beginning."""

SHARES_PREFIX = frozenset({"gemma3_text", "gpt2", "gpt_neox", "llama", "mistral", "opt", "phi3", "qwen2", "qwen3"})
"""Model types for which the tests show that a batch behind one prefix gives the loss of separate rows."""


@dataclass(frozen=True)
class Example:
    """A training text of a row. ``labels`` are as long as ``input_ids``; prompt tokens are ``IGNORED``."""

    row_id: str
    prompt: str
    completion: str
    input_ids: list[int]
    labels: list[int]


def examples(
    rows: Sequence[Row], style: str, mode: str, tokenizer: PreTrainedTokenizerBase, completion_only: bool = True
) -> list[Example]:
    """What a model is shown and what it learns to write, the end-of-text token included.

    Prompt and completion are tokenized together, as the harness does it, so that a model is scored on the tokens
    it was trained on; the completion begins where that differs from the prompt's own tokens.

    Args:
        style: a key of ``prompts.STYLES``.
        mode: ``l`` or ``lr``.
        completion_only: learn the completion; if not, the prompt as well, as the paper's notebooks do.
    """
    asked = [prompts.prompt(style, mode, row.statement) for row in rows]
    answered = [prompts.completion(style, mode, LABELS[row.label], row.reason) for row in rows]
    shown = tokenizer(asked)["input_ids"]
    whole = tokenizer([prompt + completion for prompt, completion in zip(asked, answered)])["input_ids"]
    end = tokenizer.eos_token_id
    made = []
    for row, prompt, completion, prompt_ids, ids in zip(rows, asked, answered, shown, whole):
        learned_from = common_prefix([prompt_ids, ids]) if completion_only else 0
        ids = ids if ids[-1] == end else [*ids, end]
        labels = [IGNORED] * learned_from + ids[learned_from:]
        made.append(Example(row.row_id, prompt, completion, ids, labels))
    return made


def common_prefix(sequences: Sequence[Sequence[int]]) -> int:
    """How many tokens all sequences have in common at their beginning."""
    return sum(1 for _ in takewhile(lambda tokens: len(set(tokens)) == 1, zip(*sequences)))


def can_share_prefix(config: Any, longest: int) -> bool:
    """Whether ``Collator(share_prefix=True)`` is exact for a model: see ``Collator``.

    Args:
        config: the model's configuration, with the attention implementation chosen.
        longest: tokens of the longest training text.
    """
    window = getattr(config, "sliding_window", None)
    return (
        config.model_type in SHARES_PREFIX  # which a multimodal model is not, even around such a text model
        and config._attn_implementation == "sdpa"  # takes a mask for every pair of tokens
        and (window is None or window >= longest)  # which leaves no room for one of its own
    )


@dataclass
class Collator:
    """Makes a batch of the examples of one step.

    Without ``share_prefix``: one example a line, padded on the right.

    With it: several examples in a line, behind the tokens that all examples of the batch have in common at their
    beginning, which are then computed once a line; almost nothing is padded. Each token attends to the common
    beginning and to its own example, at the positions it would have alone, so that the losses are the same (with
    dropout, the examples of a line have the noise of the beginning in common). The instruction is 19 of the 45 tokens
    of an L example and 18 of the 139 of an L+R example. The attention grows with the square of the line, which is why
    lines end at about ``LINE`` tokens.

    A text's last token is never an input: nothing is predicted from it.
    """

    pad_token_id: int
    share_prefix: bool = False

    def __call__(self, features: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Batch examples with ``input_ids``, ``labels`` and ``number`` (of the training row).

        Returns:
            ``input_ids``, ``attention_mask`` and, behind a shared beginning, ``position_ids`` for the model.
            ``shift_labels``: what is to be predicted at each position, or ``IGNORED``. ``labels``: the same, for
            the trainer that counts them. ``numbers`` of the rows and how many ``tokens`` the texts have.
        """
        import torch

        inputs = [feature["input_ids"][:-1] for feature in features]
        targets = [feature["labels"][1:] for feature in features]
        batch = self._behind_one_beginning(inputs, targets) if self.share_prefix else self._padded(inputs, targets)
        return {
            **batch,
            "labels": batch["shift_labels"],
            "numbers": torch.tensor([feature["number"] for feature in features]),
            "tokens": torch.tensor(sum(len(feature["input_ids"]) for feature in features)),
        }

    def _padded(self, inputs: list[list[int]], targets: list[list[int]]) -> dict[str, torch.Tensor]:
        import torch

        lengths = torch.tensor([len(ids) for ids in inputs])
        width = int(lengths.max())

        def padded(lines: list[list[int]], filler: int) -> torch.Tensor:
            return torch.tensor([line + [filler] * (width - len(line)) for line in lines])

        return {
            "input_ids": padded(inputs, self.pad_token_id),
            "attention_mask": (torch.arange(width)[None] < lengths[:, None]).long(),
            "shift_labels": padded(targets, IGNORED),
        }

    def _behind_one_beginning(self, inputs: list[list[int]], targets: list[list[int]]) -> dict[str, torch.Tensor]:
        import torch

        learned_from = min(next(i for i, target in enumerate(line) if target != IGNORED) for line in targets)
        shared = min(common_prefix(inputs), learned_from)
        rest = [len(ids) - shared for ids in inputs]
        lines = spread(rest, -(-sum(rest) // max(LINE - shared, 1)))
        width = shared + max(sum(rest[number] for number in line) for line in lines)

        shape = (len(lines), width)
        input_ids = torch.full(shape, self.pad_token_id)
        shift_labels = torch.full(shape, IGNORED)
        position_ids = torch.zeros(shape, dtype=torch.long)
        owner = torch.full(shape, -1)  # 0 for the shared beginning, then the number of the example, from 1
        for place, line in enumerate(lines):
            pieces = [(0, inputs[0][:shared], targets[0][:shared], 0)]
            pieces += [(number + 1, inputs[number][shared:], targets[number][shared:], shared) for number in line]
            at = 0
            for owned_by, ids, target, position in pieces:
                here = slice(at, at := at + len(ids))
                input_ids[place, here] = torch.tensor(ids, dtype=torch.long)
                shift_labels[place, here] = torch.tensor(target, dtype=torch.long)
                position_ids[place, here] = torch.arange(position, position + len(ids))
                owner[place, here] = owned_by
        order = torch.arange(width)
        sees_text = (owner[:, None] == 0) | (owner[:, :, None] == owner[:, None])
        return {
            "input_ids": input_ids,
            "attention_mask": (sees_text & (order[:, None] >= order))[:, None],
            "position_ids": position_ids,
            "shift_labels": shift_labels,
        }


def spread(lengths: Sequence[int], lines: int) -> list[list[int]]:
    """Spread numbered examples over lines of about equal length: the longest first, each to the shortest line.

    Returns:
        The numbers in each line, none of which is empty.
    """
    filled: list[list[int]] = [[] for _ in range(min(lines, len(lengths)))]
    for number in sorted(range(len(lengths)), key=lambda number: -lengths[number]):
        min(filled, key=lambda line: sum(lengths[n] for n in line)).append(number)
    return filled
