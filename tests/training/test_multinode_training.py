"""Training on several nodes: here two that are both this machine, and a SLURM that only sets variables."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
from harness import ROOT, evaluate
from safetensors.torch import load_file
from sft_runs import ENVIRONMENT, free_port, losses, record

SCRIPT = "train/multinode.sh"
ZERO3 = "ds_configs/accelerate_zero3.yaml"
ASKED = ("NNODES", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT", "PROCS_PER_NODE")
TWO_NODES = dict(zip(ASKED, ("2", "0", "127.0.0.1", "29500", "1")))


def environment(first_on_path: Path = Path(sys.executable).parent, **own: str) -> dict[str, str]:
    """Ours, without what a cluster would have set."""
    kept = {name: value for name, value in os.environ.items() if name not in ASKED and not name.startswith("SLURM_")}
    return {**kept, **ENVIRONMENT, "PATH": f"{first_on_path}{os.pathsep}{os.environ['PATH']}", **own}


def stop(node: subprocess.Popen[bytes]) -> None:
    """Kill a launcher and its workers, each of which leads a process group of its own."""
    if node.poll() is None:
        workers = psutil.Process(node.pid).children(recursive=True)
        os.killpg(node.pid, signal.SIGKILL)
        node.wait()
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                worker.kill()


def test_two_nodes_train_one_model_that_lm_eval_scores(tiny_model: Path, tmp_path: Path) -> None:
    folder, port = tmp_path / "run", free_port()
    options = ["--config", "train/configs/demo.yaml", "--mode", "lr", "--max_steps", "16"]
    command = [ROOT / SCRIPT, ZERO3, *options, "--model_name_or_path", tiny_model, "--output_dir", folder]
    logs = [tmp_path / f"node{rank}.log" for rank in (0, 1)]
    nodes: list[subprocess.Popen[bytes]] = []
    try:
        for rank, log in enumerate(logs):
            own = environment(**{**TWO_NODES, "NODE_RANK": str(rank), "MASTER_PORT": port})
            with log.open("wb") as out:
                node = subprocess.Popen(command, cwd=ROOT, env=own, stdout=out, stderr=out, start_new_session=True)
            nodes.append(node)
        statuses = [node.wait(timeout=600) for node in nodes]
    finally:
        for node in nodes:
            stop(node)
    printed = [log.read_text() for log in logs]
    assert statuses == [0, 0], "\n".join(text[-3000:] for text in printed)
    run = record(folder)
    assert run["status"] == "finished"
    assert (run["distribution"]["processes"], run["distribution"]["zero_stage"]) == (2, 3)
    assert losses(folder)[-1] < losses(folder)[0] - 0.3
    assert "labels and reasons (L+R): 124 rows, ZeRO-3 on 2 processes (cpu)" in printed[0]
    assert "ZeRO-3" not in printed[1]
    # The second node has written its part of the checkpoint where the first one looks for it.
    assert len(list((folder / "checkpoint-16").rglob("*_optim_states.pt"))) == 2
    # Gathered from both nodes, whole, and the tied embedding once.
    saved = load_file(folder / "model.safetensors")
    assert saved["model.embed_tokens.weight"].shape == (600, 32)
    assert "lm_head.weight" not in saved
    how = {"model": "hf", "model_args": f"pretrained={folder}", "device": "cpu", "limit": 2}
    scored = evaluate(tmp_path / "scores", "dfar_mini_cls", "dfar_mini_reason", **how)
    assert len(scored.samples("dfar_mini_reason")) == len(scored.samples("dfar_mini_cls")) == 2


def refusal(*arguments: str, where: Path = ROOT, **variables: str) -> str:
    """What the script prints before it exits with status 2: one line."""
    done = subprocess.run(
        [ROOT / SCRIPT, *arguments], capture_output=True, text=True, cwd=where, env=environment(**variables)
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("multinode.sh: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_what_is_missing_or_wrong_is_named(tmp_path: Path) -> None:
    for missing in ASKED:
        assert f"{missing} is not set" in refusal(ZERO3, **{**TWO_NODES, missing: ""})
    assert "the first argument must be" in refusal(**TWO_NODES)
    assert "not 'ds_configs/none.yaml'" in refusal("ds_configs/none.yaml", **TWO_NODES)
    assert f"start it in {ROOT}" in refusal(str(ROOT / ZERO3), where=tmp_path, **TWO_NODES)
    assert "NODE_RANK must be a number, not 'one'" in refusal(ZERO3, **{**TWO_NODES, "NODE_RANK": "one"})
    assert "NODE_RANK is 2, but must be 0 to 1" in refusal(ZERO3, **{**TWO_NODES, "NODE_RANK": "2"})


def test_slurm_sets_what_is_needed(tmp_path: Path) -> None:
    """The batch file and the script are real; SLURM's commands and accelerate print what they were given."""
    commands = {
        "srun": 'while [[ $1 == --* ]]; do shift; done; for SLURM_NODEID in 0 1; do export SLURM_NODEID; "$@"; done',
        "scontrol": '[[ $* == "show hostnames gpu[7-8]" ]] && printf "gpu7\\ngpu8\\n"',
        "accelerate": 'printf "%s|" "$@"; echo',
    }
    for name, body in commands.items():
        (tmp_path / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    job = {"NNODES": "2", "JOB_NODELIST": "gpu[7-8]", "JOB_ID": "1234567", "GPUS_ON_NODE": "4", "CPUS_PER_TASK": "8"}
    done = subprocess.run(
        ["bash", "train/slurm.sbatch", ZERO3, "--mode", "l", "--output_dir", "two words"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(tmp_path, **{f"SLURM_{name}": value for name, value in job.items()}),
    )
    assert (done.returncode, done.stderr) == (0, "")
    for rank, line in enumerate(done.stdout.splitlines()):
        launcher, arguments = line.split("train/sft.py|")
        assert arguments == "--mode|l|--output_dir|two words|"
        assert launcher.startswith(f"launch|--config_file|{ZERO3}|--num_machines|2|--machine_rank|{rank}|")
        assert "|--num_processes|8|--main_process_ip|gpu7|--main_process_port|24567|" in launcher
    assert done.stdout.count("\n") == 2
