"""What a submission carries over of the model itself: a hash of its weights, and how it was trained."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError
from dfar_bench.leaderboard.text import scrub

_ARGUMENTS = (
    "learning_rate",
    "num_train_epochs",
    "max_steps",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "warmup_steps",
    "weight_decay",
    "bf16",
    "lora_r",
    "lora_alpha",
    "lora_dropout",
    "packing",
)
"""What is kept of a training's arguments: what decides what is learned."""


def weights_hash(folder: Path) -> str:
    """The hash of a model's weights; see ``schema.Model``.

    Raises:
        InputError: the folder holds none.
    """
    found = sorted(folder.glob("*.safetensors"), key=lambda path: path.name)
    if not found:
        raise InputError(f"{folder} holds no *.safetensors: name the model's folder, or give --revision.")
    whole = hashlib.sha256()
    for path in found:
        with path.open("rb") as file:
            whole.update(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n".encode())
    return whole.hexdigest()


def model_places(model_args: object) -> list[str]:
    """What a run's model arguments name as adapter and model, as text or as an object."""
    if isinstance(model_args, str):
        model_args = dict(part.partition("=")[::2] for part in model_args.split(","))
    if not isinstance(model_args, dict):
        return []
    return [place for name in ("peft", "pretrained") if isinstance(place := model_args.get(name), str)]


def dfar_run(path: Path) -> dict[str, Any]:
    """What is carried over of a ``dfar_run.json``.

    Raises:
        InputError: it is none, or of a training that has not finished.
    """
    from dfar_bench.training.record import FILE, SCHEMA_VERSION  # the training imports torch

    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        if run.get("schema_version") != SCHEMA_VERSION or run.get("status") != "finished":
            raise InputError(f"{path} is of another version, or of a training that has not finished: train it first.")
        base, data, spread = run["base_model"], run["data"], run["distribution"]
        return {
            **{name: run[name] for name in ("mode", "split", "drop_leaked", "prompt", "method", "seed")},
            "base_model": {**{name: base[name] for name in ("type", "parameters", "trained")}, "name": _place(base)},
            "data": {**{n: data[n] for n in ("rows", "tokens", "sha256")}, "row_ids": " ".join(data["row_ids"])},
            "packages": {name: scrub(version) for name, version in run["packages"].items()},
            "distribution": {n: spread[n] for n in ("type", "zero_stage", "offload", "processes", "device")},
            "steps": run["loss"]["steps"],
            "final_loss": run["loss"]["final"],
            "tokens_per_second": run["speed"]["tokens_per_second"],
            "arguments": {name: run["arguments"][name] for name in _ARGUMENTS if name in run["arguments"]},
        }
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): name the {FILE} of the model.") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path} is not valid JSON: name the {FILE} of the model.") from None
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no {FILE} of train/sft.py ({error!r} is amiss): name another.") from None


def _place(base: Mapping[str, Any]) -> str:
    """The name of a base model; of a folder, which means nothing elsewhere, the last part."""
    name = str(base["name"])
    on_the_hub = re.fullmatch(r"[\w.-]+/[\w.-]+", name) and not Path(name).is_dir() and not name.startswith(".")
    return scrub(name if on_the_hub else Path(name).name)
