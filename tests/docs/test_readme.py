"""The README's commands, one after the other, on saved answers of a dummy model to the data set mini."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from harness import ROOT, HarnessRun, name_model

REPLACED = {"ORG/NAME": "acme/dummy", "COMMIT": "0123456789abcdef0123456789abcdef01234567"}


def commands() -> list[str]:
    """Those of dfar-bench: make demo runs lm_eval and trains, and tests/runs asks a chat endpoint."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("dfar-bench")]


def test_the_commands_of_the_readme_work_together(dummy_mini: HarnessRun, tmp_path: Path) -> None:
    for name in ("base", "lr"):
        shutil.copytree(dummy_mini.folder, tmp_path / "results" / name)
        name_model(tmp_path / "results" / name, pretrained="acme/dummy")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    assert len(commands()) >= 5
    for command in commands():
        for name, value in REPLACED.items():
            command = command.replace(name, value)
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        assert "Traceback" not in done.stderr, command
    assert (tmp_path / "leaderboard" / "submissions" / "acme__dummy").is_dir()
    assert "acme/dummy" in (tmp_path / "board" / "index.html").read_text(encoding="utf-8")
