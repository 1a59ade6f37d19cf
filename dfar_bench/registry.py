"""Registries: the one place where data sets, prompts, judges, metrics and training modes are looked up by name.

Entries of your own live in Python files named in ``DFAR_BENCH_PLUGINS`` (several are separated by ``os.pathsep``).
They are executed once per process, at the first look-up, and add to the registries as our own modules do.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeVar

from dfar_bench.errors import InputError, one_line

PLUGINS = "DFAR_BENCH_PLUGINS"


class Named(Protocol):
    """What a registry holds."""

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


class Registry(Mapping[str, T]):
    """Entries by name, in the order in which they were added.

    Args:
        what: the singular noun for error messages, such as "prompt style".
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._entries: dict[str, T] = {}

    def add(self, entry: T) -> T:
        """Add an entry under its name.

        Raises:
            ValueError: the name is taken.
        """
        if entry.name in self._entries:
            raise ValueError(f"there is a {self._what} {entry.name!r} already")
        self._entries[entry.name] = entry
        return entry

    def find(self, name: object) -> T:
        """Return the entry of a name.

        Raises:
            InputError: there is none; the message names those that exist.
        """
        if isinstance(name, str) and name in self:
            return self[name]
        close = get_close_matches(str(name), self, n=1)
        hint = f"did you mean {close[0]}?" if close else f"choose one of {', '.join(self)}."
        raise InputError(f"there is no {self._what} {name!r}: {hint}")

    def __getitem__(self, name: str) -> T:
        load_plugins()
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        load_plugins()
        return iter(self._entries)

    def __len__(self) -> int:
        load_plugins()
        return len(self._entries)

    # Mapping's own would ask for the plugins anew for every entry, which takes most of the time of reading samples.
    def values(self) -> ValuesView[T]:
        load_plugins()
        return self._entries.values()

    def items(self) -> ItemsView[str, T]:
        load_plugins()
        return self._entries.items()


_loaded: dict[str, InputError | None] = {}
"""The failure of each file, or None. Remembered, as a file that failed half-way cannot add its entries again."""


def load_plugins() -> None:
    """Execute the files named in ``DFAR_BENCH_PLUGINS``, each once.

    Raises:
        InputError: a file does not exist or fails.
    """
    import_module("dfar_bench.suite")  # our own data sets that are made like these files
    for name in filter(None, os.environ.get(PLUGINS, "").split(os.pathsep)):
        if name not in _loaded:
            _loaded[name] = None  # first, as the file itself looks things up
            try:
                _execute(name)
            except InputError as error:
                _loaded[name] = error
        if failure := _loaded[name]:
            raise failure


def _execute(name: str) -> None:
    path = Path(name)
    if not path.is_file():
        raise InputError(f"{PLUGINS} names {name}, which is not a file: correct it or unset it.")
    # Numbered, as files in two folders may have the same name.
    spec = importlib.util.spec_from_file_location(f"dfar_bench_plugin_{len(_loaded)}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{PLUGINS} names {name}, which is not a Python file: correct it or unset it.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"{PLUGINS}: {name} fails ({type(error).__name__}: {one_line(error)}).") from error
