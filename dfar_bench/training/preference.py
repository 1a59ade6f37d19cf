"""TRL's DPOTrainer on pairs of answers: one is chosen, the other rejected.

The loss is that of Rafailov et al. 2023 (arXiv 2305.18290) plus the negative log-likelihood of the chosen answer, which
keeps it likely. The reference is the model as it was before: the adapter that is trained is new, so without it the
model is the one that wrote the pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset
from trl import DPOTrainer

from dfar_bench.training.examples import Example
from dfar_bench.training.steady import Steady


class PreferenceTrainer(Steady, DPOTrainer):  # type: ignore[misc]
    """Trains on examples whose rows hold both answers among their facts; see ``DfarTrainer``."""

    def __init__(
        self, *, examples: Sequence[Example], plain: bool = False, share_prefix: bool | None = None, **others: Any
    ) -> None:
        del plain, share_prefix  # refused before; see checks.refuse_for_preferences
        columns = {
            "prompt": [example.prompt for example in examples],
            "chosen": [example.completion for example in examples],
            "rejected": [example.rejected for example in examples],
        }
        self.examples = examples
        super().__init__(train_dataset=Dataset.from_dict(columns), **others)
        self.watch()

    def lengths(self, data: Any) -> list[int]:
        """See ``Steady.lengths``; both answers count."""
        columns = (data[name] for name in ("prompt_ids", "chosen_ids", "rejected_ids"))
        return [2 * len(prompt) + len(chosen) + len(rejected) for prompt, chosen, rejected in zip(*columns)]

    def compute_loss(self, model: Any, inputs: dict[str, Any], *arguments: Any, **others: Any) -> torch.Tensor:
        """See ``DPOTrainer``."""
        self.speed.examples += len(inputs["input_ids"]) // 2
        self.speed.tokens += int(inputs["attention_mask"].sum())
        return self._require_finite(super().compute_loss(model, inputs, *arguments, **others), None)
