"""CONTRIBUTING.md names only what there is."""

from __future__ import annotations

import contextlib
import re
from importlib import import_module

from conftest import ROOT

from dfar_bench.cli import main

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILE = re.compile(r"[\w.-]*/[\w./-]*|[\w.-]+\.(?:py|md|sh|txt|toml|cff|csv|tsv|json|jsonl|yaml|yml|npz)")
MADE = "`make tea`, `make lint`, `dfar-bench bake`, `data.py`, `tests/gone.py`, `gone.md`, `judges.GONE`, `GONE_ALSO`"


def in_package(dotted: str) -> bool:
    """Whether `module.NAME` can be imported."""
    module, _, name = f"dfar_bench.{dotted.removeprefix('dfar_bench.')}".rpartition(".")
    with contextlib.suppress(ImportError):
        return hasattr(import_module(module), name)
    return False


def is_verb(words: list[str]) -> bool:
    """Whether `dfar-bench` has this verb, or a family this one."""
    try:
        return main([*(word for word in words[:2] if word.isalpha()), "--help"]) == 0
    except SystemExit as ended:
        return ended.code == 0


def missing(page: str) -> set[str]:
    """What a page quotes that does not exist."""
    quoted = {" ".join(one.split()) for one in re.findall(r"`([^`]+)`", page)}
    files = {word for one in quoted for word in one.split() if FILE.fullmatch(word)}
    dotted = {one for one in quoted - files if re.fullmatch(r"[a-z_]+(?:\.\w+)+", one)}
    constants = {found[1] for one in quoted if (found := re.fullmatch(r"([A-Z_]{4,})(?:=1)?", one))}
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    code = "".join(file.read_text() for part in ("dfar_bench", "tests") for file in sorted((ROOT / part).rglob("*.py")))
    return {
        *(name for name in files if not any((folder / name).exists() for folder in (ROOT, ROOT / "dfar_bench"))),
        *(name for name in dotted if not in_package(name)),
        *(name for name in constants if not re.search(rf"\b{name}\b(?!`)", code)),
        *(one for one in quoted if one.startswith("make ") and one.split()[1] not in targets),
        *(one for one in quoted if one.startswith("dfar-bench ") and not is_verb(one.split()[1:])),
    }


def test_all_that_is_named_exists() -> None:
    assert missing(PAGE) == set()
    assert missing(MADE) == {"make tea", "dfar-bench bake", "tests/gone.py", "gone.md", "judges.GONE", "GONE" + "_ALSO"}
