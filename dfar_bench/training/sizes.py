"""Size of a model and of its training, from its configuration alone: for ``--dry_run`` and disk space."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from dfar_bench.errors import InputError, one_line

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class Sizes:
    """Numbers of parameters.

    Attributes:
        trainable: those of the adapter, or all.
        largest_layer: those of the largest single module.
        weight_bytes: size of one weight of the base model.
    """

    total: int
    trainable: int
    largest_layer: int
    weight_bytes: float


def count_parameters(config: Any, peft_config: Any, weight_bytes: float = 4, trust_remote_code: bool = False) -> Sizes:
    """Count parameters on a model without weights.

    Args:
        config: the base model's configuration.
        peft_config: the adapter's configuration; None for full fine-tuning.

    Raises:
        InputError: the adapter does not fit the model.
    """
    import torch
    from peft import get_peft_model
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoModelForCausalLM

    with torch.device("meta"):
        # Built directly if possible, as from_config would partition the model for ZeRO-3.
        model_class = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
        try:
            if model_class:
                model = model_class(config)
            else:
                model = AutoModelForCausalLM.from_config(config, trust_remote_code=trust_remote_code)
        except ValueError as error:
            raise InputError(
                f"{config.model_type} is not a causal language model that transformers can build ({one_line(error)}): "
                "choose another, or add --trust_remote_code true if you trust it."
            ) from None
        largest = max(sum(p.numel() for p in module.parameters(recurse=False)) for module in model.modules())
        if peft_config is not None:
            try:
                model = get_peft_model(model, peft_config)
            except (ValueError, AttributeError, TypeError) as error:
                raise InputError(
                    f"PEFT cannot put this adapter on a {config.model_type} model ({one_line(error)}): choose other "
                    "--lora_target_modules, --lora_dropout 0 for fused experts, or --full."
                ) from None
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return Sizes(sum(p.numel() for p in model.parameters()), trainable, largest, weight_bytes)


def weight_bytes(model: Any, config: Any) -> float:
    """Return the size of one weight of the base model.

    Args:
        model: TRL's ``ModelConfig``.
        config: the base model's configuration.
    """
    if model.load_in_4bit or model.load_in_8bit:
        return 0.5 if model.load_in_4bit else 1
    saved = str(config.dtype or "float32").removeprefix("torch.")
    return _BYTES.get(saved if model.dtype in (None, "auto") else model.dtype, 4)


def count_steps(rows: int, tokens: int, training: Any) -> int:
    """Count the optimizer steps of a run as the trainer does; approximately if rows are packed.

    Args:
        tokens: those of all rows together.
        training: TRL's ``SFTConfig``.
    """
    if training.max_steps > 0:
        return int(training.max_steps)
    if getattr(training, "packing", False):
        rows = math.ceil(tokens / training.max_length)
    batches: int = math.ceil(rows / (training.per_device_train_batch_size * training.world_size))
    steps: float = math.ceil(batches / training.gradient_accumulation_steps) * training.num_train_epochs
    return math.ceil(steps)


def disk_needed(sizes: Sizes, checkpoints: int) -> int:
    """Estimate the bytes a run writes: the model, its checkpoints, and one more, as the oldest is deleted last.

    A checkpoint holds the weights (DeepSpeed writes them twice), two Adam moments and a float32 copy of the weights.

    Args:
        checkpoints: the number kept at a time; 0 if none is saved.
    """
    weights = sizes.trainable * (4 if sizes.trainable < sizes.total else sizes.weight_bytes)
    written = checkpoints + 1 if checkpoints else 0
    return int(weights + written * (2 * weights + 12 * sizes.trainable))


def memory_by_strategy(sizes: Sizes, devices: int) -> dict[str, tuple[float, float]]:
    """Estimate the memory of model and optimizer in 16-bit mixed precision with Adam, without activations.

    As DeepSpeed's own estimates, which do not know frozen weights: each trained weight takes 2 bytes for itself, 6 for
    its gradient (in 16 and in 32 bits) and 12 for the optimizer. A frozen weight takes only its own size.

    Args:
        devices: those of one machine.

    Returns:
        Bytes on each device, and bytes of main memory per machine.
    """
    trained, layer = sizes.trainable, sizes.largest_layer
    frozen = (sizes.total - trained) * sizes.weight_bytes
    return {
        "ddp": (frozen + 20 * trained, 0),
        "zero1": (frozen + (8 + 12 / devices) * trained, 0),
        "zero2": (frozen + (2 + 18 / devices) * trained, 0),
        "zero2_offload": (frozen + 2 * trained, 1.5 * max(4 * devices, 16) * trained),
        "zero3": ((frozen + 18 * trained) / devices + 4 * layer, 0),
        "zero3_offload": (4 * layer, frozen + 27 * trained),
    }


def report(data: dict[str, Any], sizes: Sizes, steps: int, devices: int) -> str:
    """Return what ``--dry_run`` prints.

    Args:
        data: as in ``dfar_run.json``.
        devices: those of this run; more are shown for comparison.
    """
    counts = sorted({devices, 1, 2, 4, 8})
    left_out = "".join(f", {count:,} left out ({reason})" for reason, count in data["left_out"].items())
    lines = [
        f"rows                 {data['rows']:,}{left_out}",
        f"tokens               {data['tokens']:,} per epoch, longest row {data['longest']}",
        f"steps                {steps:,}",
        f"parameters           {sizes.total:,}, trained {sizes.trainable:,} ({sizes.trainable / sizes.total:.2%})",
        "",
        "GB per device for model and optimizer (main memory of the machine in brackets), without activations:",
        f"{'':14}" + "".join(f"{f'{count} device' + 's' * (count > 1):>18}" for count in counts),
    ]
    tables = [memory_by_strategy(sizes, count) for count in counts]
    for strategy in tables[0]:
        cells = (f"{table[strategy][0] / 1e9:.3g} ({table[strategy][1] / 1e9:.3g})" for table in tables)
        lines.append(f"{strategy:14}" + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)
