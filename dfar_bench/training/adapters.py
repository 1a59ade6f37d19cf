"""LoRA adapters: how they are configured, and that they hold something when they are saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError


def lora_config(model: Any, config: Any) -> Any:
    """The adapter that TRL's ``ModelConfig`` describes; all linear layers where PEFT knows no default targets.

    Args:
        model: TRL's ``ModelConfig``.
        config: the base model's configuration.
    """
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN
    from trl import get_peft_config

    if model.lora_r < 1:
        raise InputError(f"--lora_r is {model.lora_r}: it must be 1 or more.")
    model.use_peft = True
    if model.lora_target_modules is None and model.lora_target_parameters is None:
        # Spelt out, as PEFT does not find its own defaults for every mixture of experts.
        model.lora_target_modules = KNOWN.get(config.model_type, "all-linear")
    return get_peft_config(model)


def refuse_empty(folder: Path, adapter: bool) -> None:
    """Make sure that the saved weights are there: a partitioned model can be saved as tensors of no length.

    Args:
        folder: of the saved model.
        adapter: whether an adapter should lie there.

    Raises:
        InputError: nothing, or nothing trained, was saved.
    """
    from safetensors import safe_open

    files = sorted(folder.glob("adapter_model*.safetensors" if adapter else "model*.safetensors"))
    trained = False
    for file in files:
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118  not a dict
                tensor = tensors.get_tensor(name)
                if not tensor.numel():
                    raise InputError(f"{file} holds {name} without a single number: it was saved in parts.")
                # B begins as zero, so one that is not shows that training has arrived here.
                trained = trained or not adapter or ("lora_B" in name and bool(tensor.any()))
    if not trained:
        raise InputError(f"{folder} holds no {'adapter with trained weights' if adapter else 'weights'}.")
