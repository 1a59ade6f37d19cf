"""Training on several nodes: here two that are this machine twice, and a SLURM that only sets variables."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from conftest import ROOT

SCRIPT = "train/multinode.sh"
ZERO2 = "ds_configs/accelerate_zero2.yaml"
ASKED = ("NNODES", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT", "PROCS_PER_NODE")
TWO_NODES = dict(zip(ASKED, ("2", "0", "127.0.0.1", "29500", "1")))


def environment(first_on_path: Path = Path(sys.executable).parent, **own: str) -> dict[str, str]:
    """Ours, without what a cluster would have set."""
    kept = {name: value for name, value in os.environ.items() if name not in ASKED and not name.startswith("SLURM_")}
    return {**kept, "PATH": f"{first_on_path}{os.pathsep}{os.environ['PATH']}", "HF_HUB_OFFLINE": "1", **own}


def refusal(*arguments: str, where: Path = ROOT, **variables: str) -> str:
    """What the script says before it exits with status 2: one line."""
    done = subprocess.run(
        [ROOT / SCRIPT, *arguments], capture_output=True, text=True, cwd=where, env=environment(**variables)
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("multinode.sh: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def stop(node: subprocess.Popen[bytes]) -> None:
    """Kill a launcher's process group, and its workers, each of which leads a group of its own."""
    if node.poll() is None:
        workers = psutil.Process(node.pid).children(recursive=True)
        os.killpg(node.pid, signal.SIGKILL)
        node.wait()
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                worker.kill()


@pytest.mark.parametrize("script", [SCRIPT, "train/slurm.sbatch"])
def test_bash_reads_it(script: str) -> None:
    subprocess.run(["bash", "-n", script], check=True, cwd=ROOT)


def test_two_nodes_train_one_model(tiny_model: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    folder = tmp_path / "run"
    run = ["--config", "train/configs/demo.yaml", "--mode", "l", "--max_steps", "2"]
    command = [ROOT / SCRIPT, ZERO2, *run, "--model_name_or_path", tiny_model, "--output_dir", folder]
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
    said = [log.read_text() for log in logs]
    assert statuses == [0, 0], "\n".join(text[-3000:] for text in said)
    record = json.loads((folder / "dfar_run.json").read_text())
    assert record["status"] == "finished"
    assert (record["distribution"]["processes"], record["distribution"]["zero_stage"]) == (2, 2)
    assert record["loss"]["steps"] == 2
    assert [*folder.glob("adapter_model*.safetensors"), *folder.glob("model*.safetensors")]
    # The second node has put its part of the checkpoint where the first looks for it, and has left the talking to it.
    assert len(list((folder / "checkpoint-2").rglob("*_optim_states.pt"))) == 2
    assert ["ZeRO-2 on 2 processes" in text for text in said] == [True, False]


@pytest.mark.parametrize("missing", ASKED)
def test_what_is_missing_is_named(missing: str) -> None:
    assert f"{missing} is not set" in refusal(ZERO2, **{**TWO_NODES, missing: ""})


def test_what_cannot_work_is_refused(tmp_path: Path) -> None:
    assert "the first argument must be" in refusal(**TWO_NODES)
    assert "not 'ds_configs/none.yaml'" in refusal("ds_configs/none.yaml", **TWO_NODES)
    assert f"start it in {ROOT}" in refusal(str(ROOT / ZERO2), where=tmp_path, **TWO_NODES)
    assert "NODE_RANK must be a number, not 'one'" in refusal(ZERO2, **{**TWO_NODES, "NODE_RANK": "one"})
    assert "2 nodes are counted from 0 to 1" in refusal(ZERO2, **{**TWO_NODES, "NODE_RANK": "2"})


def test_slurm_tells_what_is_needed(tmp_path: Path) -> None:
    """The batch file and the script in between are real; SLURM's commands and accelerate say what they were told."""
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
        ["bash", "train/slurm.sbatch", ZERO2, "--mode", "l", "--output_dir", "two words"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(tmp_path, **{f"SLURM_{name}": value for name, value in job.items()}),
    )
    assert (done.returncode, done.stderr) == (0, "")
    for rank, line in enumerate(done.stdout.splitlines()):
        launcher, arguments = line.split("train/sft.py|")
        assert arguments == "--mode|l|--output_dir|two words|"
        assert launcher.startswith(f"launch|--config_file|{ZERO2}|--num_machines|2|--machine_rank|{rank}|")
        assert "|--num_processes|8|--main_process_ip|gpu7|--main_process_port|24567|" in launcher
    assert done.stdout.count("\n") == 2
