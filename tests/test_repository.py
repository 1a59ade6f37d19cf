"""What must not be in the repository, and what a user gets who installs the wheel."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import pytest
from harness import ROOT

from dfar_bench import __version__
from dfar_bench.datasets import DATASETS, available, read_published, rows
from dfar_bench.text import words

LONG = 10
"""So many words in a row are a quotation."""


@cache
def tracked() -> list[str]:
    """The files that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


def runs_of_words(text: str) -> set[tuple[str, ...]]:
    sequence = words(text)
    return set(zip(*(sequence[start:] for start in range(LONG))))


@pytest.mark.usefixtures("paper")
def test_no_sentence_of_the_published_data() -> None:
    known: set[tuple[str, ...]] = set()
    for name, dataset in DATASETS.items():
        if dataset.publishable or not available(name):
            continue
        for row in (*rows(name)["train"], *rows(name)["test"]):
            known |= runs_of_words(row.statement) | runs_of_words(row.reason)
        for file in dataset.files:  # what is not in a row, too
            for line in read_published(dataset, file)[0].decode("utf-8").splitlines():
                known |= runs_of_words(line)
    assert len(known) > 100_000
    contents = {name: (ROOT / name).read_text(encoding="utf-8", errors="replace") for name in tracked()}
    assert {name for name, text in contents.items() if runs_of_words(text) & known} == set()


def test_no_absolute_path_of_a_machine() -> None:
    paths = re.compile(rb"/(?:home|Users|root|work)/\w+")
    assert {name: found for name in tracked() if (found := paths.findall((ROOT / name).read_bytes()))} == {}


def test_the_wheel_holds_the_package_and_its_tasks(tmp_path: Path) -> None:
    """Built from the files that git tracks or would track, as a release would be."""
    for name in tracked():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "source" / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path]
    done = subprocess.run([*command, tmp_path / "source"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == {
        *(name for name in tracked() if name.startswith("dfar_bench/")),
        *(
            f"lm_eval/{name}".replace("/tasks/", "/tasks/dfar_bench/")
            for name in tracked()
            if name.startswith("tasks/")
        ),
    }


def test_one_version_everywhere() -> None:
    """A release is cited, described and tagged by the version of the package."""
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    described = re.search(r"^## \[(.+)\] - ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert cited
    assert described
    assert (cited[1], described[1]) == (__version__, __version__)


@pytest.mark.parametrize(
    ("tag", "dated", "fault"),
    [
        ("v1.1.0", "2026-01-02", None),
        ("1.1.0", "2026-01-02", "the tag is 1.1.0 and the version 1.1.0: tag v1.1.0"),
        ("v1.0.0", "2026-01-02", "the tag is v1.0.0"),
        ("v1.1.0", "Unreleased", "dates 1.1.0 'Unreleased'"),
        ("v1.1.0", None, r"has no section '## \[1.1.0\] - DATE'"),
    ],
)
def test_notes_of_a_release(tag: str, dated: str | None, fault: str | None) -> None:
    specification = importlib.util.spec_from_file_location("notes", ROOT / ".ci" / "notes.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    newest = f"## [1.1.0] - {dated}\n\n### Added\n\n- This.\n\n" if dated else ""
    changelog = f"# Changelog\n\n{newest}## [1.0.0] - 2026-01-01\n\n- That.\n"
    if fault:
        with pytest.raises(ValueError, match=fault):
            module.notes(tag, "1.1.0", changelog)
    else:
        assert module.notes(tag, "1.1.0", changelog) == "### Added\n\n- This."
