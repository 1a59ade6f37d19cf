"""The generated parts of README.md and docs/ are up to date, and what the pages point to exists."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from harness import ROOT

from dfar_bench.cli.main import main
from dfar_bench.datasets import DATASETS, available

sys.path.insert(0, str(ROOT / "docs"))
import tables


@pytest.mark.usefixtures("paper")
@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.name)
def test_generated_parts_are_what_the_code_computes(page: Path) -> None:
    if not all(map(available, DATASETS)):
        pytest.skip("a data set is not available")
    text = page.read_text(encoding="utf-8")
    assert text == tables.fill(text), f"{page.name} is out of date: run make tables"


@pytest.mark.usefixtures("paper")
def test_pictures_are_what_the_code_draws() -> None:
    if not all(map(available, DATASETS)):
        pytest.skip("a data set is not available")
    for file, text in tables.pictures().items():
        assert file.read_text(encoding="utf-8") == text, f"{file.name} is out of date: run make tables"


@pytest.mark.usefixtures("paper")
def test_the_noise_list_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "noise"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "noise_list.csv").read_text()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "leaderboard/README.md"])
def test_links_and_paths_exist(page: str) -> None:
    """``make docs`` checks those of docs/."""
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (path.parent / link).exists(), link
    if page == "CONTRIBUTING.md":
        for name in re.findall(r"`([\w.]+/[\w./]*)`", text):
            assert (ROOT / name).exists(), name


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
