"""``dfar_run.json``: what was trained, on which data, how, and with which result."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dfar_bench.datasets import row_hash
from dfar_bench.errors import InputError
from dfar_bench.files import TRAINING_RECORD, atomic_write, read_json, weights_hash
from dfar_bench.training.examples import Example

if TYPE_CHECKING:
    import torch

SCHEMA_VERSION = 1

_PACKAGES = ("dfar-bench", "torch", "transformers", "trl", "peft", "accelerate", "deepspeed", "datasets")
_FIXED = (
    "mode", "split", "drop_leaked", "prompt", "method", "seed", "base_model", "base_run", "data", "pairs", "arguments",
    "distribution",
)  # fmt: skip
# Arguments (or prefixes of them) that do not change what is learned, and so may differ when a run is resumed.
_MAY_DIFFER = (
    "output_dir", "log", "report_to", "run_name", "disable_tqdm", "save_", "resume_", "hub_", "push_", "ddp_timeout",
)  # fmt: skip
_NOT_RECORDED = ("output_dir", "logging_dir", "run_name", "hub_token", "push_to_hub_token")


def data_record(examples: Sequence[Example], left_out: dict[str, int]) -> dict[str, Any]:
    """Describe the training data: counts, the hash of all texts in order, and the hash of every row id."""
    texts = hashlib.sha256()
    for example in examples:
        texts.update(json.dumps([example.row.row_id, *example.texts]).encode())
    return {
        "rows": len(examples),
        "tokens": sum(example.tokens for example in examples),
        "longest": max(example.longest for example in examples),
        "sha256": texts.hexdigest(),
        "row_ids": [row_hash(example.row.row_id) for example in examples],
        "left_out": left_out,
    }


def packages() -> dict[str, str]:
    """Return the versions of the packages that the result depends on."""
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def base_weights(name: str, revision: str) -> str | None:
    """Return what tells a model's weights from others: their hash, or the commit of a model on the Hub."""
    if not Path(name).is_dir():
        return base_commit(name, revision)
    return weights_hash(Path(name)) if any(Path(name).glob("*.safetensors")) else None


def base_run(name: str) -> dict[str, Any] | None:
    """Return what a base model in a folder was trained on by ``train/sft.py``; None if that is not recorded there."""
    before = read(Path(name)) if Path(name).is_dir() else None
    if before is None:
        return None
    earlier = before.get("base_run") or {"row_ids": []}
    own = {name: before[name] for name in ("mode", "split", "drop_leaked")}
    return {**own, "row_ids": list(dict.fromkeys([*before["data"]["row_ids"], *earlier["row_ids"]]))}


def base_commit(name: str, revision: str) -> str | None:
    """Return the commit of a model that was loaded from the Hub; None for a folder outside the Hub's cache."""
    from transformers.utils import cached_file, extract_commit_hash

    commit: str | None = extract_commit_hash(cached_file(name, "config.json", revision=revision), None)
    return commit


def plain_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments as JSON values, without the output folder and secrets."""
    recorded = {name: value for name, value in arguments.items() if name not in _NOT_RECORDED}
    return dict(sorted(json.loads(json.dumps(recorded, default=str)).items()))


def write(folder: Path, record: dict[str, Any]) -> None:
    """Write the record of a folder, atomically."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, **record}, indent=1, ensure_ascii=False)
    atomic_write(folder / TRAINING_RECORD, text + "\n")


def read(folder: Path) -> dict[str, Any] | None:
    """Return the record of a folder; None if there is none.

    Raises:
        InputError: it cannot be read, or was written by a later version.
    """
    path = folder / TRAINING_RECORD
    if not path.exists():
        return None
    record = read_json(path, "the record of a training run, or choose another --output_dir")
    if not isinstance(record, dict) or record.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"{path} does not have schema version {SCHEMA_VERSION}: choose another --output_dir.")
    return record


def refuse_another_run(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    """Make sure that the run recorded in a folder is the one that is starting.

    Raises:
        InputError: names the first setting that differs.
    """
    for name, old, new in _differences({n: before.get(n) for n in _FIXED}, {n: now.get(n) for n in _FIXED}):
        if name in ("base_model.commit", "base_model.weights", "base_run") and old is None:
            continue  # a record from before it was recorded
        raise InputError(
            f"{folder} holds a run with {name} {_short(old)}, but this one has {_short(new)}, so it cannot be resumed: "
            "choose another --output_dir, or delete that run."
        )


def _differences(before: Any, now: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*before, *now]):
            if not (name == "arguments" and key.startswith(_MAY_DIFFER)):
                yield from _differences(before.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif before != now:
        yield name, before, now


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:50] + "…"


def describe_distribution(training: Any) -> dict[str, Any]:
    """Describe how the launcher distributes the work.

    Args:
        training: TRL's ``SFTConfig``.
    """
    plugin = training.deepspeed_plugin
    zero = {} if plugin is None else plugin.deepspeed_config.get("zero_optimization", {})
    devices = {name: (zero.get(f"offload_{name}") or {}).get("device", "none") for name in ("optimizer", "param")}
    return {
        "type": "DEEPSPEED" if plugin is not None else training.distributed_state.distributed_type.value,
        "zero_stage": None if plugin is None else plugin.zero_stage,
        "offload": [name for name, device in devices.items() if device != "none"],
        "processes": training.world_size,
        "device": training.device.type,
    }


def result(trainer: Any, checkpoint: Path | None) -> dict[str, Any]:
    """Describe losses, speed and memory of a finished run; to be called on all processes.

    Args:
        checkpoint: where the run was resumed, if it was; the speed is that since then.
    """
    import torch

    speed, device = trainer.speed, trainer.accelerator.device
    own = torch.tensor([[speed.examples, speed.tokens, peak_memory(device)]], dtype=torch.int64, device=device)
    examples, tokens, memory = trainer.accelerator.gather(own).T.tolist()
    names = ("step", "epoch", "loss", "grad_norm", "learning_rate")
    logged = [entry for entry in trainer.state.log_history if "loss" in entry]
    history = [{name: entry[name] for name in names if name in entry} for entry in logged]
    return {
        "share_prefix": getattr(trainer.data_collator, "share_prefix", False),
        "resumed_from_step": int(checkpoint.name.rpartition("-")[2]) if checkpoint else None,
        "loss": {"final": history[-1]["loss"], "steps": trainer.state.global_step, "history": history},
        "speed": {
            "seconds": speed.seconds,
            "examples_per_second": sum(examples) / speed.seconds if speed.seconds else 0.0,
            "tokens_per_second": sum(tokens) / speed.seconds if speed.seconds else 0.0,
        },
        "peak_memory_bytes": memory,
    }


def peak_memory(device: torch.device) -> int:
    """Return this process's peak memory in bytes: that of its GPU if it trains on one, else main memory."""
    import resource

    import torch

    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
