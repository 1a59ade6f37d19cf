"""What cannot work is refused here, before a model is loaded."""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dfar_bench.datasets import Row, rows
from dfar_bench.errors import InputError
from dfar_bench.training.modes import MODES, Mode, train_rows
from dfar_bench.training.subset import evenly

if TYPE_CHECKING:
    from dfar_bench.training.options import Options

_UNUSED = {
    "resume_from_checkpoint": None,
    "save_only_model": False,
    "eval_strategy": "no",
    "data_seed": None,
    "chat_template_path": None,
}
"""Options of TRL that would do nothing or harm here, with the values they have if not given."""


_DPO_LOSSES = (
    "sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired",
    "apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm",
)  # fmt: skip
"""TRL checks the name of a loss only when it computes it."""


def refuse_other_modes_options(mode: Mode, options: Options) -> None:
    """Refuse options of other modes, which would do nothing, and a weight that is none."""
    defaults = type(options)()
    for name in mode.not_its_options:
        if getattr(options, name) != getattr(defaults, name):
            users = ", ".join(other.name for other in MODES.values() if name in other.options)
            raise InputError(f"--{name} is for {users}, not for --mode {mode.name}: leave it out.")
    if not isinstance(options.kappa, int | float) or not 0 <= options.kappa <= 1:
        raise InputError(f"--kappa is {options.kappa}: it must be from 0 to 1.")


def choose_rows(mode: Mode, options: Options) -> tuple[Sequence[Row], dict[str, int]]:
    """Return the training rows, and the number of rows left out for each reason; those of a limit are evenly spaced.

    Raises:
        InputError: the mode is not for this data set, or there are no rows.
    """
    dataset, limit = options.split or "", options.limit
    if dataset not in mode.splits:
        choice = ", ".join(mode.splits)
        raise InputError(f"--mode {mode.name} cannot be trained on --split {dataset}: choose one of {choice}.")
    chosen, left_out = mode.rows(options), {}
    if mode.data and len(chosen) < (all_rows := len(train_rows(options))):
        left_out["tied"] = all_rows - len(chosen)  # agents to whom both actions are worth the same
    if options.drop_leaked:
        left_out["leaked"] = len(mode.rows(replace(options, drop_leaked=False))) - len(chosen)
    if limit is not None and limit < 1:
        raise InputError(f"--limit is {limit}: it must be 1 or more.")
    if limit is not None and limit < len(chosen):
        left_out["limit"] = len(chosen) - limit
        chosen = evenly(chosen, limit)
    if not chosen:
        where = f"--pairs {options.pairs}" if options.pairs else f"--split {dataset}"
        raise InputError(f"{where} holds nothing to train on: choose another.")
    return chosen, left_out


def refuse_others_pairs(plan: dict[str, Any]) -> None:
    """Make sure that pairs were written by the model that is trained: it is the reference."""
    pairs, base = plan.get("pairs"), plan["base_model"]
    if pairs and (base["weights"] is None or base["weights"] != pairs["weights"]):
        raise InputError(
            f"the pairs were written by {pairs['model']}, not by {base['name']} (other weights): train that model, "
            "merged with train/merge.py, or make pairs with this one."
        )


def leak_note(options: Options) -> str | None:
    """Return what training on leaked rows means for scores; None if there are none among the rows."""
    test = rows(options.split or "")["test"]
    leaked = sum(row.leaked for row in test)
    if options.drop_leaked or not leaked:
        return None
    return (
        f"{leaked} of the {len(test)} test statements are among the train rows: of this model's scores only the "
        "_unleaked ones can be quoted. --drop_leaked true leaves those rows out."
    )


def refuse_contradictions(options: Options, training: Any, model: Any) -> None:
    """Refuse combinations of options that cannot work or would not do what they say.

    Args:
        training: TRL's ``SFTConfig``.
        model: TRL's ``ModelConfig``.
    """
    import torch
    from transformers.utils import is_bitsandbytes_available

    sft = hasattr(training, "packing")  # else preferences, with TRL's own batches and loss
    quantized, ours, plugin = (
        model.load_in_4bit or model.load_in_8bit,
        sft and not options.plain,
        training.deepspeed_plugin,
    )
    if quantized and options.full:
        raise InputError(
            "--full trains all weights, which 4- and 8-bit weights do not allow: leave one of the two out."
        )
    if quantized and not torch.cuda.is_available():
        raise InputError("QLoRA (--load_in_4bit, --load_in_8bit) needs a GPU, and there is none: leave it out.")
    if quantized and not is_bitsandbytes_available():
        raise InputError("QLoRA needs bitsandbytes, which is not installed: pip install 'dfar-bench[qlora]'.")
    if model.load_in_4bit and plugin and plugin.zero_stage == 3 and model.bnb_4bit_quant_storage != model.dtype:
        raise InputError(f"QLoRA with ZeRO-3 needs --bnb_4bit_quant_storage {model.dtype}, the dtype of the weights.")
    if training.n_gpu > 1:
        raise InputError("one process sees several GPUs: use accelerate launch, or set CUDA_VISIBLE_DEVICES=0.")
    if training.train_sampling_strategy not in ("random", "group_by_length"):
        raise InputError("--train_sampling_strategy must be random or group_by_length.")
    if not sft:
        refuse_for_preferences(options, training)
    if options.plain and options.share_prefix:
        raise InputError("--share_prefix is for our batches, --plain asks for TRL's: leave one of the two out.")
    if ours and (training.loss_type != "nll" or training.label_smoothing_factor):
        raise InputError("a loss other than the negative log-likelihood needs --plain true.")
    if ours and training.neftune_noise_alpha and options.share_prefix is not False:
        raise InputError("NEFTune noise would be shared by the rows of a batch: add --share_prefix false.")
    for name in ("packing", "padding_free", "assistant_only_loss", "activation_offloading"):
        if ours and getattr(training, name):
            raise InputError(f"--{name} is for TRL's batches: add --plain true, or leave it out.")
    for name, unset in _UNUSED.items():
        if getattr(training, name, unset) != unset:
            raise InputError(
                f"--{name} is not used here: a run resumes by itself, evaluates nothing, shuffles by --seed and uses "
                "the prompts of --prompt; leave it out."
            )


def refuse_for_preferences(options: Options, training: Any) -> None:
    """Refuse what TRL's DPOTrainer would ignore, or notice only after the first step.

    Args:
        training: TRL's ``DPOConfig``.
    """
    if options.full:
        raise InputError(
            "--full is not for preferences: an adapter is trained, and the model without it compared with."
        )
    for name in ("plain", "share_prefix"):
        if getattr(options, name):
            raise InputError(f"--{name} is for imitating texts, not for preferences: leave it out.")
    for name in (
        "sync_ref_model",
        "padding_free",
        "label_smoothing_factor",
        "neftune_noise_alpha",
        "ref_model_init_kwargs",
    ):
        if getattr(training, name, None):
            raise InputError(f"--{name} does not go with preferences here: leave it out.")
    if unknown := set(training.loss_type) - set(_DPO_LOSSES):
        raise InputError(f"--loss_type {min(unknown)} is none of TRL's: choose among {', '.join(_DPO_LOSSES)}.")


def refuse_missing_zero(training: Any, stage: int | None) -> None:
    """Make sure that DeepSpeed runs if it was asked for.

    Args:
        training: TRL's ``SFTConfig``.
        stage: the ZeRO stage asked for; None for whatever the launcher has set up.
    """
    import torch

    plugin = training.deepspeed_plugin
    if stage is not None and stage != (plugin.zero_stage if plugin else 0):
        actual = f"stage {plugin.zero_stage}" if plugin else "no DeepSpeed"
        raise InputError(
            f"--zero_stage is {stage}, but this run has {actual}: start it with accelerate launch --config_file "
            "ds_configs/accelerate_zero….yaml."
        )
    if os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true") and plugin is None:
        raise InputError(
            "accelerate launch --cpu ignores the DeepSpeed part of its configuration and starts one plain process: "
            "leave out --cpu (use_cpu in accelerate's configuration) and pass --use_cpu true to sft.py."
        )
    if plugin is not None and training.use_cpu and torch.accelerator.is_available():
        raise InputError(
            "--use_cpu true with DeepSpeed needs hidden GPUs: put CUDA_VISIBLE_DEVICES= before the command."
        )


def refuse_missing_compiler() -> None:
    """Make sure that DeepSpeed can compile its communication for CPUs, which it does once per machine on Linux."""
    if sys.platform != "linux" or os.environ.get("ACCELERATE_USE_DEEPSPEED") != "true":
        return
    compiler = os.environ.get("CXX", "c++")
    header = Path(sysconfig.get_path("include"), "Python.h")
    missing = None if shutil.which(compiler) else f"a C++ compiler ({compiler})"
    missing = missing or (None if header.exists() else f"Python's header files ({header})")
    if missing:
        raise InputError(
            f"DeepSpeed on CPUs needs {missing}: install it (Debian: apt install g++ python3-dev), or train without "
            "DeepSpeed (ds_configs/accelerate_ddp.yaml)."
        )


def refuse_bad_output(folder: Path, needed: int) -> None:
    """Make sure that a folder can be written and has enough space.

    Args:
        needed: bytes that the checkpoints and the model are expected to take.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        own = sum(file.stat().st_size for file in folder.glob("checkpoint-*/**/*") if file.is_file())
        free = shutil.disk_usage(folder).free + own  # checkpoints of this run are replaced by later ones
    except OSError as error:
        raise InputError(f"--output_dir {folder} cannot be written ({error.strerror}): choose another.") from None
    if free < needed:
        raise InputError(
            f"--output_dir {folder} has {free / 1e9:.2f} GB free, but checkpoints and model need about "
            f"{needed / 1e9:.2f} GB: free some space, choose another folder, or lower --save_total_limit."
        )


def lock(folder: Path) -> Any:
    """Lock an output folder for as long as the returned object, or the process, lives.

    Raises:
        InputError: another run has locked it.
    """
    from filelock import FileLock, Timeout

    file_lock = FileLock(folder / ".lock")
    try:
        file_lock.acquire(timeout=0)
    except Timeout:
        raise InputError(f"another run is writing to {folder}: wait for it, or choose another --output_dir.") from None
    return file_lock


def refuse_unshared_output(folder: Path, training: Any) -> None:
    """Make sure that all machines see one output folder, as each process writes its part of a checkpoint there.

    To be called on all processes.
    """
    from accelerate.utils import gather_object

    marker = folder / f".seen-by-all-{os.environ.get('MASTER_PORT', '')}"
    if training.process_index == 0:
        marker.touch()
    training.distributed_state.wait_for_everyone()
    missing = any(gather_object([not marker.exists()]))  # gathered, so that all refuse and none waits for the others
    if training.process_index == 0:
        marker.unlink()
    if missing:
        raise InputError(
            f"--output_dir {folder} is not the same folder on all machines: it must be on a file system they share."
        )


def last_complete_checkpoint(folder: Path, processes: int) -> Path | None:
    """Return the latest checkpoint that was not interrupted while it was written.

    The first process writes the trainer's state last; each process writes the state of its random generator.
    """
    complete = []
    for path in folder.glob("checkpoint-*"):
        number = path.name.removeprefix("checkpoint-")
        try:
            state = json.loads((path / "trainer_state.json").read_text())
            if state["global_step"] == int(number) and len(list(path.glob("rng_state*.pth"))) == processes:
                complete.append((int(number), path))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return max(complete)[1] if complete else None
