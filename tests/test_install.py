"""What a user gets who installs the wheel: the tasks inside lm_eval, and nothing left after uninstalling."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT


def run(*command: object, **options: object) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the files that git tracks or would track, as a release would be."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, source)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_tasks_data_and_nothing_strange(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "dfar_bench/mini.jsonl" in names
    assert {f"lm_eval/tasks/dfar_bench/{path.name}" for path in (ROOT / "tasks").iterdir()} <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"dfar_bench", "lm_eval"}


def test_install_score_uninstall(wheel: Path, tmp_path: Path) -> None:
    """In an environment with an lm_eval of its own; the other libraries are borrowed from this one."""
    environment = tmp_path / "env"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    spec = importlib.util.find_spec("lm_eval")
    assert spec is not None
    assert spec.origin is not None
    skip = shutil.ignore_patterns("__pycache__", "dfar_bench")
    shutil.copytree(Path(spec.origin).parent, site / "lm_eval", ignore=skip)
    borrowed = sysconfig.get_path("purelib")
    # Behind the environment's own packages, and without the editable dfar_bench of this one.
    (site / "borrowed.pth").write_text(f"import sys; sys.path.append({borrowed!r})\n")
    before = {path.relative_to(site) for path in site.rglob("*") if "__pycache__" not in path.parts}
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel)
    where = run(python, "-c", "import dfar_bench, lm_eval; print(dfar_bench.__file__, lm_eval.__file__)", cwd=tmp_path)
    assert where.count(str(site)) == 2
    out = run(python, "-m", "lm_eval", "--model", "dummy", "--tasks", "dfar_mini", "--limit", "8", cwd=tmp_path)
    assert "dfar_mini_reason" in out
    run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "dfar-bench")
    after = {path.relative_to(site) for path in site.rglob("*") if "__pycache__" not in path.parts}
    assert after == before
