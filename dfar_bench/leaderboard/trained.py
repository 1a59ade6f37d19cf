"""What a submission carries over of how a model was trained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError
from dfar_bench.files import TRAINING_RECORD, read_json
from dfar_bench.leaderboard.privacy import scrub
from dfar_bench.training.record import SCHEMA_VERSION

_ARGUMENTS = (
    "learning_rate", "num_train_epochs", "max_steps", "per_device_train_batch_size", "gradient_accumulation_steps",
    "warmup_steps", "weight_decay", "bf16", "lora_r", "lora_alpha", "lora_dropout", "packing",
    "kappa", "reasons", "beta",
)  # fmt: skip
"""The arguments of a training that decide what is learned."""


def dfar_run(path: Path) -> dict[str, Any]:
    """Return what a submission carries over of a ``dfar_run.json``.

    Raises:
        InputError: it is not one, or is of a training that has not finished.
    """
    run = read_json(path, f"the {TRAINING_RECORD} of the model")
    try:
        if run.get("schema_version") != SCHEMA_VERSION or run.get("status") != "finished":
            raise InputError(f"{path} is of another version, or of a training that has not finished: train it first.")
        base, data, distribution, base_run = run["base_model"], run["data"], run["distribution"], run.get("base_run")
        return {
            **{name: run[name] for name in ("mode", "split", "drop_leaked", "prompt", "method", "seed")},
            "base_model": {
                **{name: base[name] for name in ("type", "parameters", "trained")},
                "name": _base_name(base),
            },
            "data": {**{n: data[n] for n in ("rows", "tokens", "sha256")}, "row_ids": " ".join(data["row_ids"])},
            "packages": {name: scrub(version) for name, version in run["packages"].items()},
            "distribution": {n: distribution[n] for n in ("type", "zero_stage", "offload", "processes", "device")},
            "steps": run["loss"]["steps"],
            "final_loss": run["loss"]["final"],
            **({"ranked_by": run["pairs"]["judge"]} if "pairs" in run else {}),
            **({"base_run": {**base_run, "row_ids": " ".join(base_run["row_ids"])}} if base_run else {}),
            "tokens_per_second": run["speed"]["tokens_per_second"],
            "arguments": {name: run["arguments"][name] for name in _ARGUMENTS if name in run["arguments"]},
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not a {TRAINING_RECORD} of train/sft.py (missing or malformed: {error!r}): name another."
        ) from None


def _base_name(base: Mapping[str, Any]) -> str:
    """Return the name of a base model; of a folder, which means nothing elsewhere, the last part."""
    name = str(base["name"])
    on_the_hub = re.fullmatch(r"[\w.-]+/[\w.-]+", name) and not Path(name).is_dir() and not name.startswith(".")
    return scrub(name if on_the_hub else Path(name).name)
