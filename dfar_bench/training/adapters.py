"""LoRA adapters: their configuration, and a check that saved weights are really there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError


def lora_config(model: Any, config: Any) -> Any:
    """Return the adapter described by TRL's ``ModelConfig``; on all linear layers if PEFT has no default targets.

    Args:
        model: TRL's ``ModelConfig``.
        config: the base model's configuration.
    """
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as DEFAULT_TARGETS
    from trl import get_peft_config

    if model.lora_r < 1:
        raise InputError(f"--lora_r is {model.lora_r}: it must be 1 or more.")
    model.use_peft = True
    if model.lora_target_modules is None and model.lora_target_parameters is None:
        # Explicit, as PEFT does not apply its own defaults to every mixture of experts.
        model.lora_target_modules = DEFAULT_TARGETS.get(config.model_type, "all-linear")
    return get_peft_config(model)


def refuse_empty(folder: Path, adapter: bool) -> None:
    """Make sure that the saved weights are there: a partitioned model can be saved as tensors of size 0.

    Args:
        folder: the saved model.
        adapter: whether it is an adapter.

    Raises:
        InputError: nothing was saved, or nothing that was trained.
    """
    from safetensors import safe_open

    files, trained = sorted(folder.glob("adapter_model*.safetensors" if adapter else "model*.safetensors")), False
    for file in files:
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118  not a dict
                tensor = tensors.get_tensor(name)
                if not tensor.numel():
                    raise InputError(f"{file} holds {name} without any numbers: it was saved in parts.")
                # B starts as zeros, so any other value shows that it was trained.
                trained = trained or not adapter or ("lora_B" in name and bool(tensor.any()))
    if not files:
        raise InputError(f"{folder} holds no {'adapter' if adapter else 'weights'}.")
    if not trained:
        raise InputError(
            f"the adapter in {folder} was not changed by training, probably as the learning rate was 0 in all steps "
            "(warm-up): train more steps, or lower --warmup_steps."
        )
