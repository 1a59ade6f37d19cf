"""What every trainer of ours adds to TRL's: a fixed order of the rows, exact resuming, a stop at numbers not finite."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerCallback
from transformers.trainer_pt_utils import get_length_grouped_indices

from dfar_bench.errors import InputError

if TYPE_CHECKING:
    from dfar_bench.training.examples import Example


class TrainingError(InputError):
    """An error in one process during training, unlike those that all processes raise before it."""


class Steady(Trainer):  # type: ignore[misc]
    """To be inherited from before one of TRL's trainers.

    Attributes:
        examples: the training rows; a row of the trainer's dataset names its example by ``number``.
        speed: counts what ``compute_loss`` reports to it.
    """

    examples: Sequence[Example]
    speed: Speed

    def watch(self) -> None:
        """Count speed, and show progress if somebody watches; to be called once the trainer is made."""
        self.remove_callback(PrinterCallback)
        self.remove_callback(ProgressCallback)
        self.speed = Speed()
        self.add_callback(self.speed)
        if sys.stderr.isatty() and not self.args.disable_tqdm:
            self.add_callback(TokensPerSecond(self.speed, self.args.world_size))

    def lengths(self, data: Any) -> list[int]:
        """Return the number of tokens of each row of the trainer's dataset."""
        return [len(ids) for ids in data["input_ids"]]

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochOrder:
        data = self.train_dataset if train_dataset is None else train_dataset
        grouped = self.args.train_sampling_strategy == "group_by_length"
        group = self.args.train_batch_size * self.args.gradient_accumulation_steps
        # The epoch is read from the state: set_epoch does not reach the sampler of a resumed run on several processes.
        lengths, epoch = self.lengths(data), lambda: int(self.state.epoch or 0)
        return EpochOrder(lengths, group if grouped else None, self.args.seed, epoch)

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
