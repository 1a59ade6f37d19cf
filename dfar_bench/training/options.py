"""Options of ``train/sft.py``, and the settings of the libraries that it uses."""

from __future__ import annotations

import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from dfar_bench.datasets import get_dataset
from dfar_bench.errors import InputError, one_line
from dfar_bench.prompts import default_style
from dfar_bench.training.modes import MODES


@dataclass
class Options:
    """What ``train/sft.py`` adds to TRL's options; its help says what each does."""

    mode: str | None = None
    split: str | None = None
    drop_leaked: bool = False
    prompt: str | None = None
    kappa: float = 0.5
    reasons: bool = False
    pairs: str | None = None
    full: bool = False
    dry_run: bool = False
    limit: int | None = None
    drop_long: bool = False
    scratch: str | None = None
    zero_stage: int | None = None
    share_prefix: bool | None = None
    plain: bool = False


def parse(words: list[str], configs: Path) -> tuple[Options, Any, Any]:
    """Parse the command line and the YAML file it names.

    Args:
        configs: the folder of the modes' recipes.

    Returns:
        The options, TRL's settings of the mode (``SFTConfig`` or ``DPOConfig``), and TRL's ``ModelConfig``.

    Raises:
        InputError: an option is unknown, missing, or contradicts another.
    """
    set_up_libraries()
    import torch

    from dfar_bench.training.checks import refuse_missing_compiler

    words = [part for word in words for part in (word.split("=", 1) if word.startswith("--config=") else [word])]
    if not torch.accelerator.is_available():
        words = ["--use_cpu", "true", *words]  # the user's own value comes later and wins
        refuse_missing_compiler()  # first, as parsing SFTConfig starts DeepSpeed

    import yaml
    from trl import ModelConfig, TrlParser

    class Parser(TrlParser):  # type: ignore[misc]
        def error(self, message: str) -> NoReturn:
            raise ValueError(message)

    prog = "train/sft.py"
    try:
        ours, _ = Parser((Options,), prog=prog).parse_args_and_config(words, return_remaining_strings=True)
        mode = MODES.get(ours.mode, MODES["lr"]) if isinstance(ours.mode, str) else MODES["lr"]
        if "--config" not in words:
            words = ["--config", str(configs / mode.recipe), *words]
        parser = Parser((Options, mode.config(), ModelConfig), prog=prog)
        if "--help_all" in words:
            parser.print_help()
            raise SystemExit(0)
        options, training, model = parser.parse_args_and_config(words)
    except (ValueError, TypeError, IndexError, OSError, ImportError, yaml.YAMLError) as error:
        raise InputError(f"these options cannot be used: {one_line(error)}") from None
    # From here on all processes may refuse; one that leaves earlier breaks the others' connections with a traceback.
    training.distributed_state.wait_for_everyone()
    if model.model_name_or_path is None:
        model.model_name_or_path = options.scratch
    else:
        options.scratch = None
    for name, value in (("mode", options.mode), ("model_name_or_path", model.model_name_or_path)):
        if value is None:
            raise InputError(f"--{name} is missing: see train/sft.py --help.")
    mode = MODES.find(options.mode)
    options.split = options.split or mode.splits[0]
    options.prompt = options.prompt or default_style(get_dataset(options.split))
    if training.output_dir == "trainer_output":  # TRL's default
        training.output_dir = f"runs/{Path(model.model_name_or_path).name}-{options.split}-{options.mode}"
    return options, training, model


def set_up_libraries() -> None:
    """Silence known warnings, and progress bars if nobody watches; before the libraries are imported."""
    import torch

    # DeepSpeed compiles with ninja. The one beside this Python may not be in PATH, and another one compiles all again.
    os.environ["PATH"] = os.pathsep.join(dict.fromkeys([str(Path(sys.executable).parent), *os.get_exec_path()]))
    if not torch.accelerator.is_available():
        os.environ.setdefault("DS_ACCELERATOR", "cpu")  # else DeepSpeed warns on import
    # TRL and PEFT say gradient_checkpointing where transformers 5 says activation_checkpointing.
    warnings.filterwarnings("ignore", "`(is_)?gradient_checkpointing.*deprecated", FutureWarning)
    # DeepSpeed calls functions of torch.distributed by their old names, at every step of stage 3.
    warnings.filterwarnings("ignore", "`torch.distributed.*deprecated", FutureWarning)
    # PEFT corrects this setting itself where the layer type requires it, as in GPT-2.
    warnings.filterwarnings("ignore", "fan_in_fan_out is set to False", UserWarning)
    if not sys.stderr.isatty():
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        from datasets import disable_progress_bars
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bars()
        disable_progress_bar()
