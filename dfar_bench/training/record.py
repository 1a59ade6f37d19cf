"""``dfar_run.json``: what was trained, on what, how, and what came of it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dfar_bench.data import row_hash
from dfar_bench.errors import InputError
from dfar_bench.training.examples import Example
from dfar_bench.whole_files import write_whole

FILE = "dfar_run.json"
SCHEMA_VERSION = 1
PACKAGES = ("dfar-bench", "torch", "transformers", "trl", "peft", "accelerate", "deepspeed", "datasets")

# Arguments that may change between two starts of one run: they do not change what is learned.
_FREE = (
    "output_dir",
    "log",
    "report_to",
    "run_name",
    "disable_tqdm",
    "save_",
    "resume_",
    "hub_",
    "push_",
    "ddp_timeout",
)
_SECRETS = ("hub_token", "push_to_hub_token")
_PLACES = ("output_dir", "logging_dir", "run_name")
_FIXED = ("mode", "split", "drop_leaked", "prompt", "method", "seed", "base_model", "data", "arguments", "distribution")


def data_record(made: Sequence[Example], left_out: dict[str, int]) -> dict[str, Any]:
    """What was trained on: number of rows, hash of all texts in order, hash of every row id, rows left out by why."""
    texts = hashlib.sha256()
    for one in made:
        texts.update(json.dumps([one.row_id, one.prompt, one.completion]).encode())
    return {
        "rows": len(made),
        "tokens": sum(len(one.input_ids) for one in made),
        "longest": max(len(one.input_ids) for one in made),
        "sha256": texts.hexdigest(),
        "row_ids": [row_hash(one.row_id) for one in made],
        "left_out": left_out,
    }


def packages() -> dict[str, str]:
    """Versions of what the result depends on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def plain_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments as JSON can hold them, without places on this machine."""
    kept = {name: value for name, value in arguments.items() if name not in (*_PLACES, *_SECRETS)}
    return dict(sorted(json.loads(json.dumps(kept, default=str)).items()))


def write(folder: Path, record: dict[str, Any]) -> None:
    """Write a record in one go: a reader never sees half of one."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, **record}, indent=1, ensure_ascii=False)
    write_whole(folder / FILE, text + "\n")


def read(folder: Path) -> dict[str, Any] | None:
    """The record of a folder; None where there is none.

    Raises:
        InputError: it cannot be read, or was written by a later version.
    """
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / FILE} cannot be read ({error}): choose another --output_dir.") from None
    if not isinstance(found, dict) or found.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"{folder / FILE} is not of schema version {SCHEMA_VERSION}: choose another --output_dir.")
    return found


def refuse_another_run(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    """Make sure that a run in a folder that already holds one is the same run.

    Raises:
        InputError: names the first setting that differs.
    """
    for name, was, is_now in _differences({n: before.get(n) for n in _FIXED}, {n: now.get(n) for n in _FIXED}):
        raise InputError(
            f"{folder} holds a run with {name} {_short(was)}, this one has {_short(is_now)}: it cannot be resumed "
            "with other settings; choose another --output_dir, or delete that one."
        )


def _differences(before: Any, now: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *(key for key in now if key not in before)]:
            if not (name == "arguments" and key.startswith(_FREE)):
                yield from _differences(before.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif before != now:
        yield name, before, now


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:50] + "…"


def asked_distribution(training: Any) -> dict[str, Any]:
    """How the work is spread, as the launcher has set it up.

    Args:
        training: TRL's ``SFTConfig``.
    """
    plugin = training.deepspeed_plugin
    zero = {} if plugin is None else plugin.deepspeed_config.get("zero_optimization", {})
    offload = {name: zero.get(f"offload_{name}") or {} for name in ("optimizer", "param")}
    return {
        "type": "DEEPSPEED" if plugin is not None else training.distributed_state.distributed_type.value,
        "zero_stage": None if plugin is None else plugin.zero_stage,
        "offload": [name for name, how in offload.items() if how.get("device", "none") != "none"],
        "processes": training.world_size,
        "device": training.device.type,
    }


def engaged_distribution(trainer: Any) -> dict[str, Any]:
    """How the work is really spread, asked of the DeepSpeed engine itself where there is one."""
    engine = trainer.deepspeed
    device = trainer.accelerator.device.type
    state = trainer.accelerator.state
    offload = {}
    if engine is not None:
        offload = {"optimizer": engine.zero_offload_optimizer(), "param": engine.zero_offload_param()}
    return {
        "type": state.distributed_type.value,
        "zero_stage": None if engine is None else engine.zero_optimization_stage(),
        "offload": [name for name, how in offload.items() if how is not None and str(how.device) != "none"],
        "processes": state.num_processes,
        "device": device,
    }


def outcome(trainer: Any, checkpoint: Path | None) -> dict[str, Any]:
    """Losses, speed and memory of a finished run; to be called on all processes."""
    import torch

    speed, device = trainer.speed, trainer.accelerator.device
    done = torch.tensor([speed.examples, speed.tokens, peak_memory()], dtype=torch.float64, device=device)
    each = trainer.accelerator.gather(done[None]).tolist()
    examples, tokens = (sum(line[place] for line in each) for place in (0, 1))
    history = [
        {name: entry[name] for name in ("step", "epoch", "loss", "grad_norm", "learning_rate") if name in entry}
        for entry in trainer.state.log_history
        if "loss" in entry
    ]
    return {
        "distribution": engaged_distribution(trainer),
        "share_prefix": getattr(trainer.data_collator, "share_prefix", False),
        "resumed_from_step": int(checkpoint.name.rpartition("-")[2]) if checkpoint else None,
        "loss": {"final": history[-1]["loss"], "steps": trainer.state.global_step, "history": history},
        "speed": {  # since the last start
            "seconds": speed.seconds,
            "examples_per_second": examples / speed.seconds if speed.seconds else 0.0,
            "tokens_per_second": tokens / speed.seconds if speed.seconds else 0.0,
        },
        "peak_memory_bytes": [int(line[2]) for line in each],
    }


def peak_memory() -> int:
    """The most bytes this process has held: on its GPU where it has one, else in main memory."""
    import resource
    import sys

    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024
