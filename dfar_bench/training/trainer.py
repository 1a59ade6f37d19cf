"""TRL's SFTTrainer with our batches and loss."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset
from transformers.utils import is_triton_available
from trl import SFTTrainer

from dfar_bench.errors import InputError
from dfar_bench.training.collator import Collator, can_share_prefix
from dfar_bench.training.examples import IGNORED, Example
from dfar_bench.training.loss import completion_nll, scored_positions
from dfar_bench.training.steady import Steady


class DfarTrainer(Steady, SFTTrainer):  # type: ignore[misc]
    """Trains on examples.

    Args:
        examples: the training rows; a row of the trainer's dataset names its example by ``number``.
        plain: use TRL's batches and loss, as the paper's recipe does. The loss is the same, only slower.
        share_prefix: see ``Collator``; None uses it wherever it is exact.
        others: as for ``SFTTrainer``.
    """

    def __init__(
        self, *, examples: Sequence[Example], plain: bool = False, share_prefix: bool | None = None, **others: Any
    ) -> None:
        columns = {
            "input_ids": [example.input_ids for example in examples],
            "labels": [example.labels for example in examples],
            "number": list(range(len(examples))),
        }
        self.plain, self.examples = plain, examples
        collator = None if plain else Collator(others["processing_class"].pad_token_id)
        super().__init__(train_dataset=Dataset.from_dict(columns), data_collator=collator, **others)
        self.watch()
        if plain:
            return
        self._signature_columns = ["input_ids", "labels", "number"]
        self.model_accepts_loss_kwargs = True  # compute_loss divides by the tokens of all processes itself
        model = self.accelerator.unwrap_model(self.model)
        model = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._keeps_logits = "logits_to_keep" in inspect.signature(model.forward).parameters
        # TRL's kernels never make the logits; without Triton its head scores every position, which is slower than ours.
        self.fused_lm_head = is_triton_available() and self.accelerator.device.type in ("cuda", "xpu")
        longest = max(len(example.input_ids) for example in examples)
        possible = can_share_prefix(model.config, longest) and IGNORED in examples[0].labels[1:]
        if share_prefix and not possible:
            raise InputError(
                f"--share_prefix is not possible here (model type {model.config.model_type}, attention "
                f"{model.config._attn_implementation}, longest row {longest} tokens): leave it out."
            )
        self.data_collator.share_prefix = possible if share_prefix is None else share_prefix

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Mean negative log-likelihood per learned token, over the tokens of all processes and accumulated batches."""
        if self.plain:
            self.speed.examples += len(inputs["input_ids"])  # of packed rows: lines
            text = inputs["attention_mask"].sum() if "attention_mask" in inputs else inputs["input_ids"].numel()
            self.speed.tokens += int(text)
            loss = super().compute_loss(model, inputs, num_items_in_batch=num_items_in_batch)
            return self._require_finite(loss, None)
        targets = inputs["shift_labels"]
        shown: dict[str, Any] = {
            name: inputs[name] for name in ("input_ids", "attention_mask", "position_ids") if name in inputs
        }
        if self.aux_loss_enabled:
            shown["output_router_logits"] = True
        count = (targets != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        if self.fused_lm_head:
            outputs = model(**shown, shift_labels=targets, fused_lm_head=True)
            loss = -outputs.log_probs.sum() / count
        else:
            positions = scored_positions(targets)
            if self._keeps_logits:
                shown["logits_to_keep"] = positions
            outputs = model(**shown, use_cache=False)
            logits = outputs.logits if self._keeps_logits else outputs.logits[:, positions]
            loss = completion_nll(logits, targets[:, positions]) / count
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes  # the gradients are averaged over processes
        if self.aux_loss_enabled:
            loss = loss + self.router_aux_loss_coef * outputs.aux_loss / self.current_gradient_accumulation_steps
        self.speed.examples += len(inputs["numbers"])
        self.speed.tokens += int(inputs["tokens"])
        return self._require_finite(loss, inputs["numbers"])
