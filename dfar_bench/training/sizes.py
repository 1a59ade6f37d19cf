"""How large a model and its training are, told from its configuration alone: for ``--dry_run`` and disk space."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from dfar_bench.errors import InputError, on_one_line

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class Sizes:
    """Numbers of parameters. ``trainable`` are the adapter's, or all of them; ``largest_layer`` is one module's."""

    total: int
    trainable: int
    largest_layer: int


def sizes(config: Any, peft_config: Any, trust_remote_code: bool = False) -> Sizes:
    """Count parameters on a model without weights.

    Args:
        config: the base model's configuration.
        peft_config: the adapter's, or None for full fine-tuning.

    Raises:
        InputError: the adapter does not fit the model.
    """
    import torch
    from peft import get_peft_model
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoModelForCausalLM

    with torch.device("meta"):
        known = MODEL_FOR_CAUSAL_LM_MAPPING.get(
            type(config), None
        )  # made directly: from_config would partition for ZeRO-3
        try:
            model = (
                known(config)
                if known
                else AutoModelForCausalLM.from_config(config, trust_remote_code=trust_remote_code)
            )
        except ValueError as error:
            raise InputError(
                f"{config.model_type} is no causal language model that transformers can make "
                f"({on_one_line(error)}): choose another, or add --trust_remote_code true if you trust it."
            ) from None
        base = sum(parameter.numel() for parameter in model.parameters())
        largest = max(sum(p.numel() for p in module.parameters(recurse=False)) for module in model.modules())
        if peft_config is None:
            return Sizes(base, base, largest)
        try:
            model = get_peft_model(model, peft_config)
        except (ValueError, AttributeError, TypeError) as error:
            raise InputError(
                f"PEFT cannot put this adapter on a {config.model_type} model ({on_one_line(error)}): choose "
                "other --lora_target_modules, --lora_dropout 0 for fused experts, or --full."
            ) from None
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return Sizes(sum(p.numel() for p in model.parameters()), trainable, largest)


def weight_bytes(model: Any, config: Any) -> float:
    """Bytes of one weight of the base model.

    Args:
        model: TRL's ``ModelConfig``.
        config: the base model's configuration.
    """
    if model.load_in_4bit or model.load_in_8bit:
        return 0.5 if model.load_in_4bit else 1
    kept = str(config.dtype or "float32").removeprefix("torch.")
    return _BYTES.get(kept if model.dtype in (None, "auto") else model.dtype, 4)


def steps(rows: int, tokens: int, training: Any) -> int:
    """Optimizer steps of a run, as the trainer counts them; about as many where rows are packed.

    Args:
        tokens: of all rows together.
        training: TRL's ``SFTConfig``.
    """
    if training.max_steps > 0:
        return int(training.max_steps)
    if training.packing:
        rows = math.ceil(tokens / training.max_length)
    epochs: float = training.num_train_epochs
    batch: int = training.per_device_train_batch_size * training.world_size
    accumulated: int = training.gradient_accumulation_steps
    return math.ceil(math.ceil(math.ceil(rows / batch) / accumulated) * epochs)


def disk_needed(found: Sizes, weight_bytes: float, checkpoints: int) -> int:
    """About how many bytes a run writes: the model, the checkpoints kept, and one more, as the oldest goes last.

    A checkpoint holds the weights, with DeepSpeed twice, and in float32 two Adam moments and a copy of the weights.

    Args:
        checkpoints: kept at a time; 0 for none.
    """
    weights = found.trainable * (4 if found.trainable < found.total else weight_bytes)
    written = checkpoints + 1 if checkpoints else 0
    return int(weights + written * (2 * weights + 12 * found.trainable))


def memory_by_stage(found: Sizes, weight_bytes: float, devices: int) -> dict[str, tuple[int, int]]:
    """Bytes on each device, and on the host of each machine, that model and optimizer take; activations come on top.

    What is trained is counted by DeepSpeed's own estimators (16-bit mixed precision with Adam in float32). Frozen
    weights have no gradients and no optimizer states, so they are counted by their own size: whole on each device
    up to stage 2, a share of them in stage 3. DeepSpeed has no estimator for stage 1 and for plain DDP: stage 1 is
    stage 2 with unshared gradients, DDP is stage 2 on one device.

    Args:
        weight_bytes: a frozen weight's size.
        devices: on one machine.
    """
    from deepspeed.runtime.zero.stage3 import estimate_zero3_model_states_mem_needs as zero3
    from deepspeed.runtime.zero.stage_1_and_2 import estimate_zero2_model_states_mem_needs as zero2

    trained = found.trainable
    frozen = int((found.total - trained) * weight_bytes)
    gradients = 6 * trained  # in 16 and in 32 bits, as DeepSpeed's estimator for stage 2 has it

    def two(count: int, offload: bool) -> tuple[int, int]:
        host, device = zero2(trained, num_gpus_per_node=count, cpu_offload=offload)
        return frozen + device, host

    def three(offload: bool) -> tuple[int, int]:
        host, device, _ = zero3(
            trained, found.largest_layer, num_gpus_per_node=devices, cpu_offload=offload, cpu_offload_params=offload
        )
        return (device, host + frozen) if offload else (device + frozen // devices, host)

    whole, host = two(devices, False)
    return {
        "ddp": (two(1, False)[0], host),
        "zero1": (whole + gradients - gradients // devices, host),
        "zero2": (whole, host),
        "zero2_offload": two(devices, True),
        "zero3": three(False),
        "zero3_offload": three(True),
    }


def report(plan: dict[str, Any], found: Sizes, frozen_bytes: float, steps: int, devices: int) -> str:
    """What ``--dry_run`` prints.

    Args:
        plan: what ``dfar_run.json`` would hold.
        steps: optimizer steps of the whole run.
        devices: that the run was started with; more are shown beside it.
    """
    counts = sorted({devices, 1, 2, 4, 8})
    tables = {count: memory_by_stage(found, frozen_bytes, count) for count in counts}
    data = plan["data"]
    lines = [
        f"rows                 {data['rows']:,}"
        + "".join(f", {n:,} left out ({why})" for why, n in data["left_out"].items()),
        f"tokens               {data['tokens']:,} an epoch, longest row {data['longest']}",
        f"steps                {steps:,}",
        f"parameters           {found.total:,}, trained {found.trainable:,} ({found.trainable / found.total:.2%})",
        "",
        "GB a device for model and optimizer (host memory of the machine in brackets), without activations:",
        f"{'':14}" + "".join(f"{f'{count} device' + 's' * (count > 1):>18}" for count in counts),
    ]
    for stage in tables[counts[0]]:
        cells = (tables[count][stage] for count in counts)
        lines.append(
            f"{stage:14}" + "".join(f"{f'{device / 1e9:.3g} ({host / 1e9:.3g})':>18}" for device, host in cells)
        )
    return "\n".join(lines)
