"""Training in processes of its own: every strategy, interrupted and resumed, locked, on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT
from safetensors.torch import load_file
from sft_runs import demo, log, losses, record, run, start, wait

from dfar_bench.training.modes import MODES

LORA = ("--mode", "lr", "--full", "false", "--lora_r", "8", "--lora_dropout", "0", "--max_steps", "4")
STRATEGIES = {  # with ZeRO stage and what is offloaded
    "ddp": (None, []), "zero1": (1, []), "zero2": (2, []), "zero2_offload": (2, ["optimizer"]), "zero3": (3, []),
    "zero3_offload": (3, ["optimizer", "param"]),
}  # fmt: skip


def weights(folder: Path) -> dict[str, Any]:
    (file,) = [*folder.glob("adapter_model.safetensors"), *folder.glob("model.safetensors")]
    return load_file(file)


@pytest.fixture(scope="module")
def ddp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("strategies") / "ddp"
    run(folder, *LORA, strategy="ddp")
    return folder


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_all_strategies_give_the_same_losses_and_weights(strategy: str, ddp: Path) -> None:
    folder = ddp.with_name(strategy)
    if strategy != "ddp":
        run(folder, *LORA, strategy=strategy)
    run_record, (stage, offload) = record(folder), STRATEGIES[strategy]
    kind = "MULTI_CPU" if stage is None else "DEEPSPEED"
    expected = {"type": kind, "zero_stage": stage, "offload": offload, "processes": 2, "device": "cpu"}
    assert run_record["distribution"] == expected
    assert len(losses(folder)) == 4
    assert losses(folder) == pytest.approx(losses(ddp), abs=1e-6)
    trained, expected = weights(folder), weights(ddp)
    assert trained.keys() == expected.keys()
    assert all(trained[name].sub(expected[name]).abs().max() < 1e-5 for name in expected)
    assert any(tensor.any() for name, tensor in trained.items() if "lora_B" in name)
    assert len(run_record["peak_memory_bytes"]) == 2
    assert min(run_record["peak_memory_bytes"]) > 10**8


def test_one_process_with_twice_the_batch_learns_the_same(ddp: Path) -> None:
    # The loss is a mean over the tokens of all processes, so it must not matter how a batch is divided. (SGD, as Adam
    # would magnify the last bits of gradients near zero, which a new adapter has.)
    same = (*LORA, "--train_sampling_strategy", "random", "--optim", "sgd", "--learning_rate", "5")
    one, two = ddp.with_name("one"), ddp.with_name("two")
    run(one, *same, "--per_device_train_batch_size", "16")
    run(two, *same, strategy="ddp")
    assert losses(one) == pytest.approx(losses(two), abs=2e-6)
    assert abs(losses(one)[0] - losses(one)[-1]) > 1e-3


@pytest.mark.parametrize("strategy", [None, "zero2"])
def test_a_killed_run_ends_like_an_undisturbed_one(strategy: str | None, tmp_path: Path) -> None:
    steps = ("--max_steps", "30", "--save_steps", "5", "--logging_steps", "7")
    options = ("--mode", "lr", "--full", "false", "--lora_dropout", "0.1", *steps)
    run(tmp_path / "whole", *options, strategy=strategy)

    folder = tmp_path / "killed"
    running = start(folder, *options, strategy=strategy)
    deadline = time.monotonic() + 300
    while not (folder / "checkpoint-10").exists():
        assert all(process.is_alive() for process in running), log(folder).read_text()[-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    for process in running:
        process.kill()
    wait(running)
    assert record(folder)["status"] == "running"

    printed = run(folder, *options, strategy=strategy)
    resumed = record(folder)
    assert resumed["resumed_from_step"] in range(5, 30, 5)
    assert f"from checkpoint-{resumed['resumed_from_step']}" in printed
    assert resumed["loss"]["history"] == record(tmp_path / "whole")["loss"]["history"]
    expected = weights(tmp_path / "whole")
    assert all(tensor.equal(expected[name]) for name, tensor in weights(folder).items())


def test_agents_in_games_are_trained_like_any_other_model(tiny_model: Path, tmp_path: Path) -> None:
    demo(tiny_model, tmp_path / "out", "--mode", "moralis", "--split", "games", "--reasons", "true", "--limit", "64")
    found = record(tmp_path / "out")
    assert (found["status"], found["prompt"], found["arguments"]["kappa"]) == ("finished", "dialogue.v1", 0.5)


def test_only_one_run_at_a_time_writes_to_a_folder(tmp_path: Path) -> None:
    folder, output = tmp_path / "out", tmp_path / "second.log"
    options = ("--mode", "l", "--max_steps", "100000", "--save_strategy", "no")
    (first,) = start(folder, *options)
    try:
        deadline = time.monotonic() + 300
        while not (log(folder).exists() and "labels alone" in log(folder).read_text()):
            assert first.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert wait(start(folder, *options, output=output)) == [2]
    finally:
        first.kill()
        wait([first])
    assert output.read_text().startswith(f"sft.py: another run is writing to {folder}")


def test_a_launcher_of_several_processes_ends_with_the_sentence(tmp_path: Path) -> None:
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--quiet", "--num_processes", "2"]
    configured = ["--main_process_port", "0", "--config_file", "ds_configs/accelerate_ddp.yaml"]
    done = subprocess.run(
        [
            *launch,
            *configured,
            "train/sft.py",
            "--mode",
            "both",
            "--scratch",
            tmp_path / "base",
            "--output_dir",
            tmp_path / "out",
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    sentence = f"sft.py: there is no mode 'both': choose one of {', '.join(MODES)}."
    said = done.stderr.splitlines()
    assert done.returncode != 0
    assert said.count(sentence) == 1
    assert said[-2] == f"  traceback : {sentence}"
    assert not list(tmp_path.iterdir())


def test_a_terminal_shows_tokens_per_second_and_a_pipe_nothing(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    options = ("--mode", "l", "--max_steps", "8")
    running = start(tmp_path / "out", *options, output=Path(os.ttyname(theirs)))
    shown, deadline = b"", time.monotonic() + 300
    while b"examples/s" not in shown:  # in the last line
        assert select.select([ours], [], [], max(0, deadline - time.monotonic()))[0], shown[-3000:]
        shown += os.read(ours, 65536)
    os.close(theirs)
    os.close(ours)
    wait(running)
    assert record(tmp_path / "out")["status"] == "finished"
    for part in (b"tokens/s=", b"8/8", b"loss="):
        assert part in shown
    assert "\r" not in run(tmp_path / "piped", *options)


def test_help_needs_no_library() -> None:
    command = [sys.executable, "-X", "importtime", "train/sft.py", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    for mode in MODES.values():
        assert f"    {mode.name} " in done.stdout
        assert mode.description in done.stdout
    assert "are used: paper, clean, mini, games (" in done.stdout
    assert " torch" not in done.stderr


def test_without_the_extra_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(name='torch')")
    done = subprocess.run(
        [sys.executable, "train/sft.py", "--mode", "l"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (2, "sft.py: torch is not installed: pip install 'dfar-bench[train]'.\n")
