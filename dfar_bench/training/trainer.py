"""TRL's SFTTrainer with our batches and loss, a fixed order of the rows, and a stop at numbers that are not finite."""

from __future__ import annotations

import inspect
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from datasets import Dataset
from transformers import PrinterCallback, ProgressCallback, TrainerCallback
from transformers.trainer_pt_utils import get_length_grouped_indices
from trl import SFTTrainer

from dfar_bench.errors import InputError
from dfar_bench.training.collator import Collator, can_share_prefix
from dfar_bench.training.examples import IGNORED, Example
from dfar_bench.training.loss import completion_nll, scored_positions


class TrainingError(InputError):
    """An error in one process during training, unlike those that all processes raise before it."""


class DfarTrainer(SFTTrainer):  # type: ignore[misc]
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
        self.remove_callback(PrinterCallback)
        self.remove_callback(ProgressCallback)
        self.speed = Speed()
        self.add_callback(self.speed)
        if sys.stderr.isatty() and not self.args.disable_tqdm:
            self.add_callback(TokensPerSecond(self.speed, self.args.world_size))
        if plain:
            return
        self._signature_columns = ["input_ids", "labels", "number"]
        self.model_accepts_loss_kwargs = True  # compute_loss divides by the tokens of all processes itself
        model = self.accelerator.unwrap_model(self.model)
        model = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._keeps_logits = "logits_to_keep" in inspect.signature(model.forward).parameters
        longest = max(len(example.input_ids) for example in examples)
        possible = can_share_prefix(model.config, longest) and IGNORED in examples[0].labels[1:]
        if share_prefix and not possible:
            raise InputError(
                f"--share_prefix is not possible here (model type {model.config.model_type}, attention "
                f"{model.config._attn_implementation}, longest row {longest} tokens): leave it out."
            )
        self.data_collator.share_prefix = possible if share_prefix is None else share_prefix

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochOrder:
        data = self.train_dataset if train_dataset is None else train_dataset
        grouped = self.args.train_sampling_strategy == "group_by_length"
        group = self.args.train_batch_size * self.args.gradient_accumulation_steps
        lengths = [len(ids) for ids in data["input_ids"]]
        # The epoch is read from the state: set_epoch does not reach the sampler of a resumed run on several processes.
        return EpochOrder(lengths, group if grouped else None, self.args.seed, lambda: int(self.state.epoch or 0))

    def _run_epoch(self, *arguments: Any, **others: Any) -> None:
        # transformers checks for the end only after a step, so a run resumed at its end would train one too many.
        if self.state.global_step < self.state.max_steps:
            super()._run_epoch(*arguments, **others)

    def training_step(self, *arguments: Any, **others: Any) -> torch.Tensor:
        plugin, engine = self.args.deepspeed_plugin, self.deepspeed  # the engine exists from the first step on
        wanted, actual = plugin and plugin.zero_stage, engine and engine.zero_optimization_stage()
        if wanted != actual:
            raise InputError(f"ZeRO stage {wanted} was set up, but {actual} is used: check accelerate's configuration.")
        loss: torch.Tensor = super().training_step(*arguments, **others)
        return loss

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
        count = (targets != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        loss = completion_nll(logits, targets[:, positions]) / count
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes  # the gradients are averaged over processes
        if self.aux_loss_enabled:
            loss = loss + self.router_aux_loss_coef * outputs.aux_loss / self.current_gradient_accumulation_steps
        self.speed.examples += len(inputs["numbers"])
        self.speed.tokens += int(inputs["tokens"])
        return self._require_finite(loss, inputs["numbers"])

    def _require_finite(self, loss: torch.Tensor, numbers: torch.Tensor | None) -> torch.Tensor:
        if not math.isfinite(loss.item()):
            ids = [] if numbers is None else [self.examples[number].row.row_id for number in numbers.tolist()]
            where = f"step {self.state.global_step + 1} ({'rows ' + ', '.join(ids) if ids else 'rows unknown'})"
            raise TrainingError(
                f"the loss is {loss.item()} at {where}, so training stops; earlier checkpoints are intact. Lower the "
                "learning rate, or train in float32."
            )
        return loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        # Gradients can overflow while the loss is still finite; the next loss would show it, but after the weights
        # are lost. With fp16 such steps are skipped.
        if not self.args.fp16 and not math.isfinite(float(logs.get("grad_norm", 0))):
            raise TrainingError(
                f"the gradient is {logs['grad_norm']} at step {self.state.global_step}, so training stops. Lower the "
                "learning rate, or train in float32."
            )
        super().log(logs, start_time)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        if state_dict:
            # DeepSpeed returns tied weights under each of their names, and all copies would be written.
            for name, source in getattr(self.model, "all_tied_weights_keys", {}).items():
                if name in state_dict and source in state_dict:
                    del state_dict[name]
        super()._save(output_dir, state_dict)

    def create_model_card(self, *arguments: Any, **others: Any) -> None:
        """Write no card into checkpoints; the finished model gets ours."""


class EpochOrder(torch.utils.data.Sampler[int]):
    """The order of the rows in an epoch, determined by seed and epoch alone.

    transformers takes its grouping by length from the global random generator, so that a resumed run would not
    continue its epoch in the order in which it was interrupted.

    Args:
        lengths: tokens of each example.
        group: how many neighbours should be of similar length; None for plain shuffling.
        epoch: returns the number of the epoch that begins.
    """

    def __init__(self, lengths: Sequence[int], group: int | None, seed: int, epoch: Callable[[], int]) -> None:
        self.lengths, self.group, self.seed, self.epoch = lengths, group, seed, epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch())
        if self.group is None:
            return iter(torch.randperm(len(self), generator=generator).tolist())
        return iter(get_length_grouped_indices(self.lengths, self.group, generator=generator))


class Speed(TrainerCallback):  # type: ignore[misc]
    """Counts this process's examples, text tokens (without padding) and seconds; logs checkpoints and the last step."""

    def __init__(self) -> None:
        self.examples = self.tokens = 0
        self.seconds = self._start = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self._start = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self.seconds = time.perf_counter() - self._start
        # A resumed run begins a new average of the losses, so an undisturbed one must do so after each checkpoint too.
        control.should_log |= control.should_save or state.global_step >= state.max_steps

    def on_epoch_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        control.should_log |= control.should_save


class TokensPerSecond(ProgressCallback):  # type: ignore[misc]
    """The progress bar of transformers, with tokens per second and the loss added."""

    def __init__(self, speed: Speed, processes: int) -> None:
        super().__init__()
        self._speed, self._processes = speed, processes
        self._loss: dict[str, str] = {}

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        super().on_step_end(args, state, control, **others)
        if self.training_bar is not None and self._speed.seconds:
            rate = self._speed.tokens * self._processes / self._speed.seconds
            self.training_bar.set_postfix({"tokens/s": f"{rate:,.0f}", **self._loss})

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **others: Any) -> None:
        if logs and "loss" in logs:
            self._loss = {"loss": f"{float(logs['loss']):.4f}"}
