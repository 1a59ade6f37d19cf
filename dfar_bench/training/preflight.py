"""What can be refused before a model is loaded, is refused here."""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dfar_bench.data import Row, Rows, without_tested
from dfar_bench.errors import InputError
from dfar_bench.training.examples import Example

_NAMED = 5
"""Rows that an error names; the rest are counted."""


def chosen_rows(split: Rows, drop_leaked: bool, limit: int | None) -> tuple[list[Row], dict[str, int]]:
    """The training rows, and how many were left out by why.

    Args:
        split: both parts of it.
        drop_leaked: leave out the train rows whose statement also stands in the test part.
        limit: take so many, spread evenly over the file, for a try-out.
    """
    kept, left_out = list(split["train"]), {}
    if drop_leaked:
        kept = without_tested(kept, split["test"])
        left_out["leaked"] = len(split["train"]) - len(kept)
    if limit is not None:
        if limit < 1:
            raise InputError(f"--limit is {limit}: it must be 1 or more.")
        if limit < len(kept):
            left_out["limit"] = len(kept) - limit
            kept = [kept[number * len(kept) // limit] for number in range(limit)]
    if not kept:
        raise InputError("there is no training row in this split (or none is left): choose another --split.")
    return kept, left_out


def fitting(made: Sequence[Example], longest: int | None, drop_long: bool) -> list[Example]:
    """The examples that a model can take; nothing is ever cut.

    Args:
        longest: tokens that the model, or ``max_length``, allows; None for no limit.
        drop_long: leave longer ones out instead of refusing them.

    Raises:
        InputError: names the rows that are too long.
    """
    if longest is None:
        return list(made)
    long = [one for one in made if len(one.input_ids) > longest]
    if long and (not drop_long or len(long) == len(made)):
        named = ", ".join(f"{one.row_id} ({len(one.input_ids)})" for one in long[:_NAMED])
        more = f" and {len(long) - _NAMED} more" if len(long) > _NAMED else ""
        raise InputError(
            f"{len(long)} of {len(made)} training rows are longer than the {longest} tokens that the model or "
            f"--max_length allows: {named}{more}. Choose another model or length, or leave them out with --drop_long."
        )
    return [one for one in made if len(one.input_ids) <= longest]


def refuse_impossible(arguments: Any, model: Any, training: Any) -> None:
    """Refuse combinations of arguments that cannot work or would not do what they say.

    Args:
        arguments: ``DfarArguments`` of ``train/sft.py``.
        model: TRL's ``ModelConfig``.
        training: TRL's ``SFTConfig``.
    """
    import torch
    from transformers.utils import is_bitsandbytes_available

    quantized = model.load_in_4bit or model.load_in_8bit
    if quantized and arguments.full:
        raise InputError("--full trains all weights, which 4- or 8-bit weights cannot be: leave one of the two out.")
    if quantized and not torch.cuda.is_available():
        raise InputError("QLoRA (--load_in_4bit, --load_in_8bit) needs a GPU, and there is none: leave it out.")
    if quantized and not is_bitsandbytes_available():
        raise InputError("QLoRA needs bitsandbytes, which is not installed: pip install bitsandbytes.")
    plugin = training.deepspeed_plugin
    if model.load_in_4bit and plugin and plugin.zero_stage == 3 and model.bnb_4bit_quant_storage != model.dtype:
        raise InputError(f"QLoRA under ZeRO-3 needs --bnb_4bit_quant_storage {model.dtype}, the type of the weights.")
    if training.n_gpu > 1:
        raise InputError(
            "one process sees several GPUs: start it with accelerate launch, or set CUDA_VISIBLE_DEVICES=0."
        )
    unused = {
        "resume_from_checkpoint": training.resume_from_checkpoint is not None,
        "save_only_model": training.save_only_model,
        "eval_strategy": training.eval_strategy != "no",
        "data_seed": training.data_seed is not None,
        "chat_template_path": training.chat_template_path is not None,
    }
    for name, given in unused.items():
        if given:
            raise InputError(
                f"--{name} has no place here: a run resumes by itself, evaluates nothing, shuffles by --seed and uses "
                "DFAR's prompts; leave it out."
            )
    if training.train_sampling_strategy not in ("random", "group_by_length"):
        raise InputError("--train_sampling_strategy must be random or group_by_length.")
    if arguments.plain and arguments.share_prefix:
        raise InputError("--share_prefix is our way of batching, --plain TRL's: leave one of the two out.")
    if not arguments.plain:
        for name in ("packing", "padding_free", "assistant_only_loss", "activation_offloading"):
            if getattr(training, name):
                raise InputError(f"--{name} is TRL's own way of batching: add --plain true, or leave it out.")
        if training.loss_type != "nll" or training.label_smoothing_factor:
            raise InputError("another loss than the negative log-likelihood needs --plain true.")
    if training.neftune_noise_alpha and not arguments.plain and arguments.share_prefix is not False:
        raise InputError("NEFTune noise would be shared by the rows of a batch: add --share_prefix false.")


def refuse_missing_zero(training: Any, wanted_stage: int | None) -> None:
    """Make sure that DeepSpeed is at work where it was asked for.

    Args:
        training: TRL's ``SFTConfig``.
        wanted_stage: of ZeRO; None to take what the launcher has set up.
    """
    import torch

    plugin = training.deepspeed_plugin
    stage = plugin.zero_stage if plugin is not None else 0
    if wanted_stage is not None and stage != wanted_stage:
        raise InputError(
            f"--zero_stage {wanted_stage} was asked for, but this run has "
            f"{f'stage {stage}' if plugin else 'no DeepSpeed'}: "
            "start it with accelerate launch --config_file ds_configs/accelerate_zero….yaml."
        )
    if os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true") and plugin is None:
        raise InputError(
            "accelerate launch --cpu ignores the DeepSpeed part of its configuration and starts one plain process: "
            "leave --cpu (use_cpu in accelerate's configuration) out and pass --use_cpu true to sft.py."
        )
    if plugin is not None and training.use_cpu and torch.accelerator.is_available():
        raise InputError(
            "--use_cpu true with DeepSpeed needs the GPUs to be hidden: put CUDA_VISIBLE_DEVICES= before the command."
        )


def refuse_missing_compiler() -> None:
    """DeepSpeed compiles how processor cores exchange gradients on its first run on a machine, on Linux alone.

    Raises:
        InputError: it is about to, and cannot.
    """
    if sys.platform != "linux" or os.environ.get("ACCELERATE_USE_DEEPSPEED") != "true":
        return
    compiler = os.environ.get("CXX", "c++")
    header = Path(sysconfig.get_path("include"), "Python.h")
    missing = None if shutil.which(compiler) else f"a C++ compiler ({compiler})"
    missing = missing or (None if header.exists() else f"Python's header files ({header})")
    if missing:
        raise InputError(
            f"DeepSpeed on processor cores needs {missing}: install it (Debian: apt install g++ python3-dev), or leave "
            "DeepSpeed out (ds_configs/accelerate_ddp.yaml)."
        )


def refuse_bad_output(folder: Path, needed: int) -> None:
    """Make sure that a folder can be written and has room.

    Args:
        needed: bytes that checkpoints and the finished model are expected to take.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"0" * 4096)
            probe.flush()
            os.fsync(probe.fileno())
        mine = sum(file.stat().st_size for file in folder.glob("checkpoint-*/**/*") if file.is_file())
        free = shutil.disk_usage(folder).free + mine  # checkpoints of this run give way to its next ones
    except OSError as error:
        raise InputError(f"--output_dir {folder} cannot be written ({error.strerror}): choose another.") from None
    if free < needed:
        raise InputError(
            f"--output_dir {folder} has {free / 1e9:.2f} GB free, and checkpoints and model need about "
            f"{needed / 1e9:.2f} GB: make room, choose another, or lower --save_total_limit."
        )


def claim(folder: Path) -> Any:
    """Claim an output folder for as long as the returned lock is kept, or the process lives.

    Raises:
        InputError: another run has it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        raise InputError(f"another run is writing to {folder}: wait for it, or choose another --output_dir.") from None


def refuse_unshared_output(folder: Path, training: Any) -> None:
    """Make sure that all machines see one output folder: each process writes its part of a checkpoint there.

    To be called on all processes.
    """
    from accelerate.utils import gather_object

    seen = folder / f".seen-by-all-{os.environ.get('MASTER_PORT', '')}"
    if training.process_index == 0:
        seen.touch()
    training.distributed_state.wait_for_everyone()
    missing = any(gather_object([not seen.exists()]))  # so that all refuse together, and none waits for the others
    if training.process_index == 0:
        seen.unlink()
    if missing:
        raise InputError(
            f"--output_dir {folder} is not one and the same folder on all machines: it must be on a file system that "
            "they share."
        )


def last_whole_checkpoint(folder: Path, processes: int) -> Path | None:
    """The latest checkpoint that was written to its end.

    The trainer's state is what the first process writes last; the others write the state of their random generators.
    """
    found = []
    for path in folder.glob("checkpoint-*"):
        number = path.name.removeprefix("checkpoint-")
        try:
            state = json.loads((path / "trainer_state.json").read_text())
            if state["global_step"] == int(number) and len(list(path.glob("rng_state*.pth"))) == processes:
                found.append((int(number), path))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # killed while writing it
    return max(found)[1] if found else None
