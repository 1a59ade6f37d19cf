"""Training as users start it: real launches, one process and two, killed, resumed, refused."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from safetensors.torch import load_file

from tests.conftest import ROOT, run_lm_eval

DEMO = ("--config", str(ROOT / "train/configs/demo.yaml"))
LORA = ("--full", "false", "--lora_r", "8", "--lora_dropout", "0", "--max_steps", "4")
ZERO = {
    "ddp": (None, []),
    "zero1": (1, []),
    "zero2": (2, []),
    "zero2_offload": (2, ["optimizer"]),
    "zero3": (3, []),
    "zero3_offload": (3, ["optimizer", "param"]),
}


def launch(
    folder: Path, *options: str, strategy: str | None = None, script: str = "train/sft.py"
) -> subprocess.CompletedProcess[str]:
    """Start a run: by ``accelerate launch`` on two processes if a strategy is named, else in one plain process."""
    done = subprocess.run(
        command(folder, *options, strategy=strategy, script=script),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=400,
    )
    return done


def command(folder: Path, *options: str, strategy: str | None = None, script: str = "train/sft.py") -> list[str]:
    start = [sys.executable]
    if strategy:
        start += ["-m", "accelerate.commands.launch", "--config_file", f"ds_configs/accelerate_{strategy}.yaml"]
        start += ["--num_processes", "2", "--main_process_port", "0"]
    return [*start, script, *DEMO, "--scratch", str(folder.parent / "base"), "--output_dir", str(folder), *options]


def environment() -> dict[str, str]:
    return {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "dfar_run.json").read_text())


def weights(folder: Path) -> dict[str, Any]:
    (file,) = [*folder.glob("adapter_model.safetensors"), *folder.glob("model.safetensors")]
    return load_file(file)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all runs of a strategy start from one and the same base model."""
    return tmp_path_factory.mktemp("strategies")


@pytest.fixture(scope="module")
def ddp(runs: Path) -> Path:
    done = launch(runs / "ddp", "--mode", "lr", *LORA, strategy="ddp")
    assert done.returncode == 0, done.stderr[-3000:]
    return runs / "ddp"


@pytest.mark.parametrize("strategy", list(ZERO))
def test_all_strategies_give_the_same_losses_and_weights(strategy: str, runs: Path, ddp: Path) -> None:
    folder = runs / strategy
    if folder != ddp:
        done = launch(folder, "--mode", "lr", *LORA, strategy=strategy)
        assert done.returncode == 0, done.stderr[-3000:]
    found, reference = record(folder), record(ddp)
    stage, offload = ZERO[strategy]
    assert found["distribution"] == {
        "type": "MULTI_CPU" if stage is None else "DEEPSPEED",
        "zero_stage": stage,
        "offload": offload,
        "processes": 2,
        "device": "cpu",
    }
    losses = [step["loss"] for step in found["loss"]["history"]]
    assert len(losses) == 4
    assert losses == pytest.approx([step["loss"] for step in reference["loss"]["history"]], abs=1e-6)
    trained, wanted = weights(folder), weights(ddp)
    assert trained.keys() == wanted.keys()
    assert all(trained[name].sub(wanted[name]).abs().max() < 1e-5 for name in wanted)
    assert any(tensor.abs().max() > 0 for name, tensor in trained.items() if "lora_B" in name)
    assert len(found["peak_memory_bytes"]) == 2
    assert min(found["peak_memory_bytes"]) > 10**8


def test_one_process_with_twice_the_batch_learns_the_same(runs: Path) -> None:
    # The loss is a mean over the tokens of all processes, so how a batch is spread must not matter. (Adam would
    # blow up the last bits of gradients that are nearly zero, as those of a new adapter are.)
    same = ("--mode", "lr", *LORA, "--train_sampling_strategy", "random", "--optim", "sgd", "--learning_rate", "5")
    one = launch(runs / "one", *same, "--per_device_train_batch_size", "16")
    two = launch(runs / "two", *same, strategy="ddp")
    assert (one.returncode, two.returncode) == (0, 0), (one.stderr + two.stderr)[-3000:]
    alone, spread = ([step["loss"] for step in record(runs / name)["loss"]["history"]] for name in ("one", "two"))
    assert alone == pytest.approx(spread, abs=2e-6)
    assert abs(alone[0] - alone[-1]) > 1e-3


def test_the_demo_of_the_readme_ends_in_a_model_that_lm_eval_scores(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    done = launch(folder, "--mode", "lr", strategy="zero3")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "labels and reasons (L+R): 124 rows, ZeRO-3 on 2 processes (cpu)" in done.stdout
    assert "\r" not in done.stderr + done.stdout  # no progress bar in a pipe
    run = record(folder)
    assert run["status"] == "finished"
    history = run["loss"]["history"]
    assert history[-1]["loss"] < history[0]["loss"] - 0.5
    # Gathered from both processes, whole, and the tied embedding once.
    saved = weights(folder)
    assert saved["model.embed_tokens.weight"].shape == (600, 32)
    assert "lm_head.weight" not in saved
    scored = run_lm_eval(
        tmp_path / "scores",
        "--model",
        "hf",
        "--model_args",
        f"pretrained={folder}",
        "--tasks",
        "dfar_mini",
        "--limit",
        "8",
    )
    assert set(scored.results["results"]) >= {"dfar_mini_cls", "dfar_mini_reason"}
    assert len(scored.samples("dfar_mini_reason")) == 8
    card = (folder / "README.md").read_text()
    assert "labels and reasons (L+R)" in card
    assert run["data"]["sha256"] in card
    assert str(tmp_path) not in card


@pytest.mark.parametrize("strategy", [None, "zero2"])
def test_a_killed_run_ends_as_an_undisturbed_one(strategy: str | None, tmp_path: Path) -> None:
    options = ("--mode", "lr", "--full", "false", "--lora_dropout", "0.1", "--max_steps", "60", "--save_steps", "10")
    whole = launch(tmp_path / "whole", *options, strategy=strategy)
    assert whole.returncode == 0, whole.stderr[-3000:]

    folder = tmp_path / "killed"
    running = subprocess.Popen(
        command(folder, *options, strategy=strategy),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment(),
    )
    deadline = time.monotonic() + 200
    while not (folder / "checkpoint-20").exists():
        assert running.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    # The launcher's workers have sessions of their own, and would live on.
    for process in (*psutil.Process(running.pid).children(recursive=True), psutil.Process(running.pid)):
        process.send_signal(signal.SIGKILL)
    running.wait()
    assert record(folder)["status"] == "running"

    again = launch(folder, *options, strategy=strategy)
    assert again.returncode == 0, again.stderr[-3000:]
    resumed = record(folder)
    assert resumed["resumed_from_step"] in (10, 20, 30, 40, 50)
    assert f"from checkpoint-{resumed['resumed_from_step']}" in again.stdout
    assert resumed["loss"]["history"] == record(tmp_path / "whole")["loss"]["history"]
    trained, wanted = weights(folder), weights(tmp_path / "whole")
    assert all(trained[name].equal(wanted[name]) for name in wanted)


def test_zero_that_was_asked_for_but_is_not_engaged_is_refused(tmp_path: Path) -> None:
    # accelerate launch --cpu ignores the DeepSpeed part of its configuration and starts one plain process.
    done = subprocess.run(
        [sys.executable, "-m", "accelerate.commands.launch", "--cpu"]
        + ["--config_file", "ds_configs/accelerate_zero3.yaml", "train/sft.py", *DEMO]
        + ["--mode", "l", "--scratch", str(tmp_path / "base"), "--output_dir", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=200,
    )
    assert done.returncode != 0
    assert "sft.py: accelerate launch --cpu ignores the DeepSpeed part of its configuration" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_refusal_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    done = launch(tmp_path / "out", "--mode", "both")
    assert done.returncode == 2
    assert done.stderr.startswith("sft.py: ")
    assert "Traceback" not in done.stderr
    assert "choose l (label) or lr" in done.stderr


def test_a_full_disk_is_told_before_training(tmp_path: Path) -> None:
    mounted = tmp_path / "small"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "tmpfs", str(mounted)]
    for rights in ([], ["sudo", "-n"]):
        if shutil.which((rights or mount)[0]) and not subprocess.run([*rights, *mount], capture_output=True).returncode:
            break
    else:
        assert not os.environ.get("DFAR_BENCH_REQUIRE_DATA"), "a small file system must be mountable here"
        pytest.skip("no right to mount a small file system")
    try:
        done = launch(mounted / "out", "--mode", "l", "--scratch", str(tmp_path / "base"))
        assert done.returncode == 2
        assert "GB free" in done.stderr
        assert not list((mounted / "out").iterdir())
    finally:
        subprocess.run([*rights, "umount", str(mounted)], check=True)


def test_help_is_instant_and_needs_no_library() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "train/sft.py", "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0
    assert "--mode l|lr" in done.stdout
    assert " torch" not in done.stderr


def test_a_folder_is_one_runs_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    slow = ("--mode", "l", "--max_steps", "5000", "--save_strategy", "no")
    first = subprocess.Popen(command(folder, *slow), stdout=subprocess.PIPE, cwd=ROOT, env=environment(), text=True)
    try:
        assert first.stdout is not None
        assert "labels alone" in first.stdout.readline()
        second = launch(folder, *slow)
        assert second.returncode == 2
        assert "another run is writing" in second.stderr
    finally:
        first.kill()
        first.wait()


def test_a_terminal_shows_tokens_per_second_and_time_left(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    running = subprocess.Popen(
        command(tmp_path / "out", "--mode", "l", "--max_steps", "8"),
        stdout=subprocess.PIPE,
        stderr=theirs,
        cwd=ROOT,
        env=environment(),
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # the other end is closed
        pass
    assert running.wait() == 0, shown[-2000:]
    assert b"tokens/s=" in shown
    assert b"8/8" in shown
    assert b"loss=" in shown
