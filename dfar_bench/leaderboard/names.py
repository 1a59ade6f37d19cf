"""Names of models, and of the folders in which their submissions lie."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

RUN_ID = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{8}", re.ASCII)

_SIGNS = str.maketrans("_.", "--")
_SHAPES = str.maketrans("1I0", "llo")


def model_folder(model_id: str) -> str:
    """The folder of a model's submissions, such as ``org__name``."""
    return model_id.replace("/", "__", 1)


def imitations(folders: Sequence[str]) -> dict[str, str]:
    """Model folders that are easily taken for another one, or whose organisation is, each with that other one.

    Alike are names that differ in case, in the sign between words, or in characters of one shape (l, I and 1; O and 0;
    rn and m).
    """
    alike: dict[tuple[str, str], set[str]] = defaultdict(set)
    for folder in folders:
        for look in _looks(folder):
            alike[look].add(_named(folder, look))
    out = {}
    for folder in folders:
        others = {other for look in _looks(folder) for other in alike[look] if other != _named(folder, look)}
        if others:
            out[folder] = min(others)
    return out


def model_folders(tree: Path) -> list[str]:
    """The names of the model folders of a tree, sorted; none where there is no tree yet."""
    if not tree.is_dir():
        return []
    return sorted(entry.name for entry in tree.iterdir() if "__" in entry.name and not entry.is_symlink())


def _looks(folder: str) -> Iterator[tuple[str, str]]:
    """What a folder's model and organisation look like at a glance."""
    for whose, name in (("model", folder), ("organisation", folder.partition("__")[0])):
        signs = name.translate(_SIGNS)
        yield whose, signs.lower()
        yield whose, signs.translate(_SHAPES).lower().replace("rn", "m")


def _named(folder: str, look: tuple[str, str]) -> str:
    return folder if look[0] == "model" else f"{folder.partition('__')[0]}__…"
