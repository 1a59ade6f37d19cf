"""What must not stand in the repository."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

from dfar_bench.data import rows
from dfar_bench.text import words

RUN = 10


def tracked() -> Iterator[tuple[str, str]]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            yield name, (ROOT / name).read_text(encoding="utf-8", errors="replace")


def runs(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return set(zip(*(found[i:] for i in range(RUN))))


@pytest.mark.usefixtures("paper")
def test_no_sentence_of_the_published_data() -> None:
    """No ten words in a row of DFAR, nor of ETHOS where that file is at hand."""
    known: set[tuple[str, ...]] = set()
    for part in rows("paper").values():
        for row in part:
            known |= runs(row.statement) | runs(row.reason)
    ethos = Path(os.environ.get("DFAR_BENCH_DATA", "")) / "ethos" / "Ethos_Dataset_Binary.csv"
    if ethos.is_file():
        for line in ethos.read_text(encoding="utf-8").splitlines():
            known |= runs(line)
    assert len(known) > 100_000
    assert not {name: found for name, text in tracked() if (found := runs(text) & known)}


def test_no_absolute_path_of_a_machine() -> None:
    paths = re.compile(r"/(?:home|Users|root|work)/\w+")
    assert not {name: found for name, text in tracked() if (found := paths.findall(text))}
