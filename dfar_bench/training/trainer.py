"""TRL's SFTTrainer with our loss, our bookkeeping, and a stop at the first loss that is not a number."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from transformers import PrinterCallback, ProgressCallback, TrainerCallback
from transformers.trainer_pt_utils import get_length_grouped_indices
from trl import SFTTrainer

from dfar_bench.errors import InputError
from dfar_bench.training import TrainingError
from dfar_bench.training.examples import IGNORED, Example, can_share_prefix
from dfar_bench.training.loss import completion_nll, scored_positions
from dfar_bench.training.record import asked_distribution, engaged_distribution


class DfarTrainer(SFTTrainer):  # type: ignore[misc]
    """Trains on ``Example`` rows that ``Collator`` has batched.

    Args:
        made: the training rows; a row of the dataset names its own by ``number``.
        plain: leave batches and loss to TRL, as the paper's recipe does. The loss is the same, only slower.
        share_prefix: see ``Collator``; None takes it where it is exact.
    """

    def __init__(
        self, *, made: Sequence[Example], plain: bool = False, share_prefix: bool | None = None, **others: Any
    ) -> None:
        from datasets import Dataset

        columns = {
            "input_ids": [one.input_ids for one in made],
            "labels": [one.labels for one in made],
            "number": list(range(len(made))),
        }
        self.plain = plain
        super().__init__(train_dataset=Dataset.from_dict(columns), **others)
        for loud in (PrinterCallback, ProgressCallback):
            self.remove_callback(loud)
        self.made = made
        self.engaged: dict[str, Any] | None = None
        self.asked = asked_distribution(self.args)
        self.speed = Speed()
        self.add_callback(self.speed)
        self.add_callback(Watch())
        if plain:
            return
        self.model_accepts_loss_kwargs = True  # compute_loss divides by the tokens of all processes itself
        base = self.accelerator.unwrap_model(self.model)
        base = base.get_base_model() if hasattr(base, "get_base_model") else base
        self._keeps_logits = "logits_to_keep" in inspect.signature(base.forward).parameters
        longest = max(len(one.input_ids) for one in made)
        possible = can_share_prefix(base.config, longest) and IGNORED in made[0].labels[1:]
        if share_prefix and not possible:
            raise InputError(
                f"share_prefix is not possible here (model type {base.config.model_type}, attention "
                f"{base.config._attn_implementation}, longest row {longest} tokens): leave it out."
            )
        self.data_collator.share_prefix = possible if share_prefix is None else share_prefix

    def _set_signature_columns_if_needed(self) -> None:
        if self.plain:
            super()._set_signature_columns_if_needed()
        else:
            self._signature_columns = ["input_ids", "labels", "number"]

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochOrder:
        data = self.train_dataset if train_dataset is None else train_dataset
        grouped = self.args.train_sampling_strategy == "group_by_length"
        together = self.args.train_batch_size * self.args.gradient_accumulation_steps
        lengths = [len(ids) for ids in data["input_ids"]]
        # Asked of the state: set_epoch does not reach the sampler of a resumed run on several processes.
        return EpochOrder(lengths, together if grouped else None, self.args.seed, lambda: int(self.state.epoch or 0))

    def training_step(self, *arguments: Any, **others: Any) -> torch.Tensor:
        if self.engaged is None:  # the engine exists from here on
            self.engaged = engaged_distribution(self)
            if self.engaged != self.asked:
                raise InputError(
                    f"asked for {self.asked}, but {self.engaged} is at work: see accelerate's configuration."
                )
        loss: torch.Tensor = super().training_step(*arguments, **others)
        return loss

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Mean negative log-likelihood a learned token, over the tokens of all processes and accumulated batches."""
        if self.plain:
            self.speed.examples += len(inputs["input_ids"])  # of packed lines: lines
            self.speed.tokens += inputs["input_ids"].numel()
            loss = super().compute_loss(model, inputs, num_items_in_batch=num_items_in_batch)
            return self._finite(loss, None)
        targets = inputs["shift_labels"]
        positions = scored_positions(targets)
        shown: dict[str, Any] = {
            name: inputs[name] for name in ("input_ids", "attention_mask", "position_ids") if name in inputs
        }
        if self._keeps_logits:
            shown["logits_to_keep"] = positions
        if self.aux_loss_enabled:
            shown["output_router_logits"] = True
        outputs = model(**shown, use_cache=False)
        logits = outputs.logits if self._keeps_logits else outputs.logits[:, positions]
        items = (targets != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        loss = completion_nll(logits, targets[:, positions]) / items
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes  # the gradients are averaged over processes
        if self.aux_loss_enabled:
            loss = loss + self.router_aux_loss_coef * outputs.aux_loss / self.current_gradient_accumulation_steps
        self.speed.examples += len(inputs["numbers"])
        self.speed.tokens += int(inputs["tokens"])
        return self._finite(loss, inputs["numbers"])

    def _finite(self, loss: torch.Tensor, numbers: torch.Tensor | None) -> torch.Tensor:
        if math.isfinite(loss.item()):
            return loss
        rows = "rows unknown" if numbers is None else "rows " + ", ".join(self.made[n].row_id for n in numbers.tolist())
        raise TrainingError(
            f"the loss is {loss.item()} at step {self.state.global_step + 1} ({rows}): training stops here; "
            "the checkpoints before it are whole. A lower learning rate, or float32, is the usual cure."
        )

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        if state_dict:
            # DeepSpeed hands over tied weights under each of their names, and all of them would be written.
            for name, source in getattr(self.model, "all_tied_weights_keys", {}).items():
                if name in state_dict and source in state_dict:
                    del state_dict[name]
        super()._save(output_dir, state_dict)

    def create_model_card(self, *arguments: Any, **others: Any) -> None:
        """Checkpoints get none; the finished model gets ours."""


class EpochOrder(torch.utils.data.Sampler[int]):
    """The order of an epoch as a function of seed and epoch alone.

    The trainer's own grouping by length takes it from the state of the global random generator, so that a resumed
    run goes through the rest of its epoch in another order than the run that was interrupted.

    Args:
        lengths: tokens of each example.
        together: how many neighbours are to be of similar length; None for plain shuffling.
        epoch: the number of the epoch that begins.
    """

    def __init__(self, lengths: Sequence[int], together: int | None, seed: int, epoch: Callable[[], int]) -> None:
        self.lengths, self.together, self.seed, self.epoch = lengths, together, seed, epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch())
        if self.together is None:
            return iter(torch.randperm(len(self), generator=generator).tolist())
        return iter(get_length_grouped_indices(self.lengths, self.together, generator=generator))


class Watch(TrainerCallback):  # type: ignore[misc]
    """Stops at gradients that are not numbers, and logs the last step, whatever ``logging_steps`` is.

    Gradients can overflow while the loss is still finite; the next loss would tell, but the weights are gone.
    """

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        control.should_log = control.should_log or state.global_step >= state.max_steps

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **others: Any) -> None:
        norm = (logs or {}).get("grad_norm")
        if norm is not None and not math.isfinite(float(norm)) and not args.fp16:  # fp16 skips such a step by itself
            raise TrainingError(
                f"the gradient is {norm} at step {state.global_step}: training stops here. "
                "A lower learning rate, or float32, is the usual cure."
            )


class Speed(TrainerCallback):  # type: ignore[misc]
    """Examples and text tokens that this process has trained on, padding not counted, and the seconds it took."""

    def __init__(self) -> None:
        self.examples = self.tokens = 0
        self.seconds = 0.0
        self._since: float | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self._since = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        assert self._since is not None
        self.seconds = time.perf_counter() - self._since


class TokensPerSecond(ProgressCallback):  # type: ignore[misc]
    """The trainer's progress bar, which shows the time left, with tokens per second and the loss behind it."""

    def __init__(self, speed: Speed, processes: int) -> None:
        super().__init__()
        self._speed, self._processes = speed, processes
        self._shown: dict[str, str] = {}

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        super().on_step_end(args, state, control, **others)
        if self.training_bar is not None and self._speed.seconds:
            rate = self._speed.tokens * self._processes / self._speed.seconds
            self.training_bar.set_postfix({"tokens/s": f"{rate:,.0f}", **self._shown})

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **others: Any) -> None:
        if logs and "loss" in logs:
            self._shown = {"loss": f"{float(logs['loss']):.4f}"}
