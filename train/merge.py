"""Merge a LoRA adapter into its base model, which makes a model that stands alone.

    python train/merge.py ADAPTER --out DIR [--base MODEL] [--dtype float32]

An adapter of a QLoRA run is merged into the base model's full weights, not into the 4-bit ones.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from dfar_bench.errors import InputError, on_one_line


def merge(adapter: Path, out: Path, base: str | None, dtype: str | None) -> None:
    """Write model, tokenizer, record and card of the merged model.

    Args:
        adapter: a finished output folder of ``train/sft.py``, or any LoRA adapter with its tokenizer.
        out: must not exist; it appears when everything in it is written.
        base: where the base model lies, if not where the adapter says.
        dtype: of the merged weights; that of the training run, or else of the base model, if None.

    Raises:
        InputError: there is no adapter with weights, no base model, or something at ``out``.
    """
    if out.exists():
        raise InputError(f"--out {out} exists: choose another, or delete it.")
    if not (adapter / "adapter_config.json").exists():
        raise InputError(f"{adapter} holds no adapter_config.json: give the output folder of a LoRA run.")

    from dfar_bench.training import record  # first, as it silences warnings of the others

    from peft import PeftConfig, PeftModel  # isort: skip
    from transformers import AutoModelForCausalLM, AutoTokenizer  # isort: skip

    from dfar_bench.training.adapters import refuse_empty
    from dfar_bench.training.card import write_card

    refuse_empty(adapter, adapter=True)
    run = record.read(adapter)
    base = base or PeftConfig.from_pretrained(adapter).base_model_name_or_path
    trained_with = run["arguments"] if run else {}
    dtype = dtype or trained_with.get("dtype") or "auto"
    where = {
        "revision": trained_with.get("model_revision") or "main",
        "trust_remote_code": trained_with.get("trust_remote_code", False),
    }
    try:
        model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, **where)
        tokenizer = AutoTokenizer.from_pretrained(adapter)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the base model {base} cannot be loaded ({on_one_line(error)}): name it with --base."
        ) from None
    merged = PeftModel.from_pretrained(model, adapter).merge_and_unload(safe_merge=True)

    beside = out.with_name(f".{out.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        merged.save_pretrained(beside)
        tokenizer.save_pretrained(beside)
        if run:
            run["merged"] = True
            record.write(beside, run)
            write_card(beside, run)
        os.replace(beside, out)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise InputError(f"--out {out} cannot be written ({error.strerror}): choose another.") from None


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="train/merge.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("adapter", type=Path, help="output folder of train/sft.py")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; must not exist")
    parser.add_argument("--base", help="the base model's name or folder, if not where the adapter says")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], help="of the merged weights")
    given = parser.parse_args()
    if not sys.stderr.isatty():
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    try:
        merge(given.adapter, given.out, given.base, given.dtype)
    except InputError as error:
        print(f"merge.py: {error}", file=sys.stderr)
        return 2
    print(given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
