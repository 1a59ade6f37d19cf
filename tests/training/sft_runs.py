"""Runs of ``train/sft.py``, in this process or in processes of their own.

The latter are forked from a server that has imported the libraries once, which takes seconds less than a launch. They
have the environment that ``accelerate launch`` would give them.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import socket
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import torch
from harness import ROOT

from dfar_bench.training.options import parse
from dfar_bench.training.run import train

torch.set_num_threads(1)  # more are slower for tiny models, and far slower on a busy machine; also in forked processes

DEMO = ("--config", str(ROOT / "train/configs/demo.yaml"))
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "DS_ACCELERATOR": "cpu"}

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["dfar_bench.training.trainer", "dfar_bench.training.run", "deepspeed", "peft"])


def sft(*words: object) -> None:
    """Run the script in this process."""
    train(*parse([str(word) for word in words], ROOT / "train/configs"))


def demo(model: Path, out: Path, *options: object) -> None:
    """Train three steps in this process."""
    sft(*DEMO, "--model_name_or_path", model, "--output_dir", out, "--mode", "l", "--max_steps", 3,
        "--save_strategy", "no", *options)  # fmt: skip


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "dfar_run.json").read_text())


def losses(folder: Path) -> list[float]:
    return [entry["loss"] for entry in record(folder)["loss"]["history"]]


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def launcher_environment(strategy: str) -> dict[str, str]:
    """Ask accelerate for the variables that it sets for two processes with one of our configurations."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env

    words = ["--config_file", str(ROOT / f"ds_configs/accelerate_{strategy}.yaml"), "--num_processes", "2"]
    arguments, defaults, _ = _validate_launch_command(launch_command_parser().parse_args([*words, "train/sft.py"]))
    if arguments.use_deepspeed:
        arguments.deepspeed_fields_from_accelerate_config = ",".join(defaults.deepspeed_config)
    prepared = prepare_deepspeed_cmd_env(arguments)[1] if arguments.use_deepspeed else prepare_multi_gpu_env(arguments)
    return {name: value for name, value in prepared.items() if os.environ.get(name) != value}


def _script(words: list[str], environment: dict[str, str], output: Path) -> None:
    terminal_or_file = os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(terminal_or_file, 1)
    os.dup2(terminal_or_file, 2)
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = ["train/sft.py", *words]
    runpy.run_path("train/sft.py", run_name="__main__")


def start(
    folder: Path, *options: str, strategy: str | None = None, output: Path | None = None
) -> list[ForkServerProcess]:
    """Start a run in two processes of a strategy, or in one.

    Args:
        output: a file or terminal; by default ``log(folder, rank)``.
    """
    words = [*DEMO, "--scratch", str(folder.parent / "base"), "--output_dir", str(folder), *options]
    count, shared = (2, launcher_environment(strategy)) if strategy else (1, {})
    port, processes = free_port(), []
    for rank in range(count):
        place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
        place |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        own = {**ENVIRONMENT, **shared, **(place if strategy else {})}
        process = SERVER.Process(target=_script, args=(words, own, output or log(folder, rank)), daemon=True)
        process.start()
        processes.append(process)
    return processes


def log(folder: Path, rank: int = 0) -> Path:
    return folder.with_name(f"{folder.name}-{rank}.log")


def wait(processes: list[ForkServerProcess]) -> list[int | None]:
    """Wait for all processes and return their exit statuses."""
    for process in processes:
        process.join(300)
    return [process.exitcode for process in processes]


def run(folder: Path, *options: str, strategy: str | None = None) -> str:
    """Run to the end and return what the first process printed."""
    statuses = wait(start(folder, *options, strategy=strategy))
    printed = log(folder).read_text()
    assert set(statuses) == {0}, printed[-3000:]
    return printed
