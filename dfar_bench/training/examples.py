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
    text = config.get_text_config()
    window = getattr(text, "sliding_window", None)
    return (
        text.model_type in SHARES_PREFIX
        and config._attn_implementation == "sdpa"  # takes a mask for every pair of tokens
        and (window is None or window >= longest)  # which leaves no room for one of its own
    )


@dataclass
class Collator:
    """Makes a batch of the examples of one step.

    Without ``share_prefix``: one example a line, padded on the right.

    With it: all examples in one line behind the tokens that they have in common at their beginning, which are then
    computed once; nothing is padded. Each token attends to the common beginning and to its own example, at the
    positions it would have alone, so that the losses are the same. The instruction is 19 of the 45 tokens of an
    L example, which is why this pays there. The attention grows with the square of the line, which is why it does
    not for L+R.

    A text's last token is never an input: nothing is predicted from it.
    """

    pad_token_id: int
    share_prefix: bool = False

    def __call__(self, features: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Batch examples with ``input_ids``, ``labels`` and ``number`` (of the training row).

        Returns:
            ``input_ids``, ``attention_mask`` and, for one line, ``position_ids`` for the model. ``shift_labels``:
            what is to be predicted at each position, or ``IGNORED``. ``labels``: the same, for the trainer that
            counts them. ``numbers`` of the rows and how many ``tokens`` the texts have.
        """
        import torch

        inputs = [feature["input_ids"][:-1] for feature in features]
        targets = [feature["labels"][1:] for feature in features]
        batch = self._in_one_line(inputs, targets) if self.share_prefix else self._line_by_line(inputs, targets)
        return {
            **batch,
            "labels": batch["shift_labels"],
            "numbers": torch.tensor([feature["number"] for feature in features]),
            "tokens": torch.tensor(sum(len(feature["input_ids"]) for feature in features)),
        }

    def _line_by_line(self, inputs: list[list[int]], targets: list[list[int]]) -> dict[str, torch.Tensor]:
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

    def _in_one_line(self, inputs: list[list[int]], targets: list[list[int]]) -> dict[str, torch.Tensor]:
        import torch

        learned_from = min(next(i for i, target in enumerate(line) if target != IGNORED) for line in targets)
        shared = min(common_prefix(inputs), learned_from)
        rest = [len(ids) - shared for ids in inputs]
        # 0 for the shared beginning, then the number of the example, from 1
        owner = torch.repeat_interleave(torch.arange(len(inputs) + 1), torch.tensor([shared, *rest]))
        order = torch.arange(len(owner))
        attends = (order[:, None] >= order) & ((owner == 0) | (owner[:, None] == owner))
        line, learned = inputs[0][:shared], targets[0][:shared]
        for ids, target in zip(inputs, targets):
            line = line + ids[shared:]
            learned = learned + target[shared:]
        positions = torch.cat([torch.arange(shared), *(shared + torch.arange(length) for length in rest)])
        return {
            "input_ids": torch.tensor([line]),
            "attention_mask": attends[None, None],
            "position_ids": positions[None],
            "shift_labels": torch.tensor([learned]),
        }
