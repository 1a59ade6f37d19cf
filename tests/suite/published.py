"""Published files that only tests need: answers of models, to which our metrics are held."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dfar_bench.files import check_sha256


def published(name: str, sha256: str) -> str:
    """Return a file's text; skip where it is not at hand."""
    folder = os.environ.get("DFAR_BENCH_DATA")
    if not folder or not (path := Path(folder) / name).is_file():
        pytest.skip(f"set DFAR_BENCH_DATA to a folder with {name}")
    return check_sha256(path, sha256).decode()
