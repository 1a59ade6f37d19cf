"""Merge a LoRA adapter into its base model."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dfar_bench.errors import InputError, one_line
from dfar_bench.training import record
from dfar_bench.training.options import set_up_libraries


def merge(adapter: Path, out: Path, base: str | None = None, dtype: str | None = None) -> None:
    """Write the merged model with its tokenizer, record and card.

    Args:
        adapter: the output folder of a finished ``train/sft.py``, or any LoRA adapter with its tokenizer.
        out: must not exist; it appears when it is complete.
        base: the base model's name or folder, if it is not the one that the adapter names.
        dtype: that of the merged weights; by default that of the training run, or else of the base model.

    Raises:
        InputError: there is no adapter with weights, no base model, or ``out`` exists.
    """
    if out.exists():
        raise InputError(f"--out {out} exists: choose another, or delete it.")
    if not (adapter / "adapter_config.json").exists():
        raise InputError(f"{adapter} holds no adapter_config.json: name the output folder of a LoRA run.")
    set_up_libraries()

    from peft import PeftConfig, PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from dfar_bench.training.adapters import refuse_empty
    from dfar_bench.training.card import write_card

    refuse_empty(adapter, adapter=True)
    run = record.read(adapter)
    arguments = run["arguments"] if run else {}
    trust = arguments.get("trust_remote_code", False)
    revision = "main" if base else arguments.get("model_revision") or "main"  # the recorded one is of the run's base
    base = base or PeftConfig.from_pretrained(adapter).base_model_name_or_path
    try:
        tokenizer = AutoTokenizer.from_pretrained(adapter, trust_remote_code=trust)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the tokenizer in {adapter} cannot be loaded ({one_line(error)}): copy the base model's there."
        ) from None
    try:
        model = AutoModelForCausalLM.from_pretrained(
            base, dtype=dtype or arguments.get("dtype") or "auto", revision=revision, trust_remote_code=trust
        )
    except (OSError, ValueError) as error:
        raise InputError(f"the base model {base} cannot be loaded ({one_line(error)}): name it with --base.") from None
    merged = PeftModel.from_pretrained(model, adapter).merge_and_unload(safe_merge=True)

    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        merged.save_pretrained(part)
        tokenizer.save_pretrained(part)
        if run:
            run["merged"] = True
            record.write(part, run)
            write_card(part, run)
        os.replace(part, out)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise InputError(f"--out {out} cannot be written ({error.strerror}): choose another.") from None
