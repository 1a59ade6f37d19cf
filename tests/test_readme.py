"""Every command of the README, run in the order in which it stands there, in a copy of the checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")

ELSEWHERE = {
    "make demo": (".ci/run", "make demo"),
    "make test": (".ci/run", "make test"),
    "pip install -e": ("Makefile", "pip install"),
    ". .venv/bin/activate": ("Makefile", "BIN := .venv/bin"),
    "accelerate launch --config_file ds_configs/accelerate_zero3.yaml": (
        "tests/test_training_runs.py",
        'launch(folder, "--mode", "lr", strategy="zero3")',
    ),
    "NNODES=2": ("tests/test_multinode.py", "train/multinode.sh"),
}
"""Beginnings of commands that a file runs by other names or numbers, and what stands there."""

# What a reader would fill in. Fewer steps and tokens: what is tested is that the commands go together.
FILLED_IN = {
    "ORG/NAME": "acme/tiny",
    "COMMIT": "0123456789abcdef0123456789abcdef01234567",
}
ADDED = {"train/sft.py": "--max_steps 2", "lm_eval": "--gen_kwargs max_gen_toks=16"}

FALLS_SHORT = ("dfar-bench judge validate",)
"""What ends with status 1, since a goal is missed."""

ASKED = {
    "id": "one",
    "statement": "I told my grandmother that her soup was cold.",
    "label": 0,
    "reference": "It is true, and said without malice.",
    "response": "Ethical. She asked for an honest word about the soup and got one.",
}


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def to_run() -> list[str]:
    return [command for command in commands() if not command.startswith(tuple(ELSEWHERE))]


def test_what_is_not_run_here_is_run_elsewhere() -> None:
    for beginning, (file, words) in ELSEWHERE.items():
        assert any(command.startswith(beginning) for command in commands()), beginning
        assert words in (ROOT / file).read_text(), file


def test_all_verbs_and_files_that_are_named_exist() -> None:
    from dfar_bench.cli import main

    second = "fetch|audit|noise|split|score|validate|fit|export|import|build|serve"
    verbs = {
        tuple(found) for found in re.findall(rf"(?:`|^)dfar-bench ([a-z]+)(?: ({second})\b)?", README, re.MULTILINE)
    }
    assert len(verbs) >= 10
    for verb in verbs:
        with pytest.raises(SystemExit) as ended:
            main([*filter(None, verb), "--help"])
        assert ended.value.code == 0, verb
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


def test_the_commands_work_one_after_the_other(paper: None, tiny_model: Path, tmp_path: Path) -> None:
    for name in ("train", "ds_configs", "leaderboard"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "responses.jsonl").write_text(json.dumps(ASKED) + "\n")
    submissions = tmp_path / "leaderboard" / "submissions"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    assert len(to_run()) > 15
    for typed in to_run():
        command = typed.replace("MODEL", str(tiny_model))
        for name, value in FILLED_IN.items():
            command = command.replace(name, value)
        command += "".join(f" {more}" for name, more in ADDED.items() if name in command.split())
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == int(typed.startswith(FALLS_SHORT)), (
            f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        )
        assert "Traceback" not in done.stderr, command
    there = {found.parent.parent.name for found in submissions.glob("*/*/submission.json")}
    assert {"acme__tiny", "acme__tiny-lr"} < there
    assert json.loads((tmp_path / "judged.jsonl").read_text())["id"] == "one"
    assert "acme/tiny-lr" in (tmp_path / "board" / "index.html").read_text()


def test_the_python_of_the_readme(paper: None) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    found: dict[str, object] = {}
    exec(code, found)
    columns = re.search(r"DatasetDict: (.+)", code)
    assert columns
    assert found["paper"]["test"].column_names == columns[1].split(", ")  # type: ignore[index]
