"""Each package imports only from those before it, and each heavy library has its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from harness import ROOT

BASE = ("errors", "text", "files", "registry")
ORDER = (
    "datasets",
    "prompts",
    "reading",
    "judges",
    "scoring",
    "suite",
    "runs",
    "rating",
    "training",
    "leaderboard",
    "exports",
    "experiments",
    "cli",
)
RANK = dict.fromkeys(BASE, 0) | {name: rank for rank, name in enumerate(ORDER, start=1)}
TORCH = ("torch", "transformers", "trl", "peft", "deepspeed", "accelerate")
PLACES = {name: {"training", "cli"} for name in TORCH} | {
    **{name: {"judges", "training", "cli"} for name in ("torch", "transformers")},
    "lm_eval": {"runs", "cli"},
    "jinja2": {"rating", "leaderboard"},
}

PACKAGE = ROOT / "dfar_bench"
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
MODULES = {name.removesuffix(".__init__"): path for name, path in MODULES.items()}


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield the module of every import that is executed, and whether it is inside a function."""

    def visit(node: ast.AST, inside: bool) -> Iterator[tuple[str, bool]]:
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, inside) for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for alias in names:
                    submodule = f"{module}.{alias.name}"
                    yield (submodule if submodule in MODULES else module), inside
            case ast.ImportFrom():
                raise AssertionError(f"{path} imports relative to itself, line {node.lineno}: write the whole name")
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                return
            case _:
                inside = inside or isinstance(node, ast.FunctionDef)
                for child in ast.iter_child_nodes(node):
                    yield from visit(child, inside)

    return visit(ast.parse(path.read_text(encoding="utf-8")), False)


IMPORTS = {name: list(imports(path)) for name, path in MODULES.items()}


def test_packages_import_only_from_those_before_them() -> None:
    wrong = []
    for name in MODULES:
        package = name.split(".")[1:2]
        if not package:
            continue  # dfar_bench itself, which is the public interface
        for imported, inside in IMPORTS[name]:
            first, *rest = imported.split(".")
            if first == "dfar_bench" and rest and RANK[rest[0]] > RANK[package[0]]:
                wrong.append(f"{name} imports {imported}")
            if first in PLACES and (package[0] not in PLACES[first] or (package == ["cli"] and not inside)):
                wrong.append(f"{name} imports {imported}")
    assert not wrong
    assert {name.split(".")[1] for name in MODULES if "." in name} == set(RANK)


def test_there_is_no_import_cycle() -> None:
    graph = {name: {imported for imported, _ in IMPORTS[name]} & set(MODULES) - {name} for name in MODULES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)
