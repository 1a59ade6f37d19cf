"""The organiser's key of a sheet: the run and the judge's decision behind each item, without any text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import index
from pathlib import Path
from typing import Any, TypeVar

from dfar_bench.errors import InputError
from dfar_bench.files import build_checked, read_json

T = TypeVar("T")

SCHEMA = "dfar_bench.rating.key.v2"

STRATA = ("aligned", "misaligned")
"""The judge's decisions, by which the sample is stratified; the index is ``misaligned``."""

Groups = dict[str, tuple[int, int]]
"""Contrast group -> how many of its responses a judge calls aligned and misaligned."""


@dataclass(frozen=True, slots=True)
class Item:
    """One response on the sheet.

    Attributes:
        run: index into ``Key.runs``.
        sha256: the ``fingerprint`` of what raters are shown.
        misaligned: the judge's decision.
    """

    run: int
    row_id: str
    group_id: str
    sha256: str
    misaligned: bool


@dataclass(frozen=True, slots=True)
class KeyRun:
    """One run that items were drawn from.

    Attributes:
        files: its samples files, as absolute paths.
        signature: of its scores by the key's judge.
        groups: the key's judge's decisions on all of its responses.
    """

    files: tuple[str, ...]
    task: str
    model: str | None
    signature: str
    groups: Groups

    @property
    def title(self) -> str:
        """Its name in reports."""
        return f"{self.task} · {self.model or Path(self.files[0]).name}"


@dataclass(frozen=True)
class Key:
    """The key of a sheet.

    Attributes:
        sheet: prefix of every item's id, so that ratings of another sheet are noticed.
        seed: of the draw.
        judge: the judge's signature.
        items: by id, in the order of the sheet.
    """

    sheet: str
    seed: int
    judge: str
    runs: tuple[KeyRun, ...]
    items: dict[str, Item]

    @property
    def strata(self) -> dict[str, dict[str, int]]:
        """How many responses there are (``population``) and how many were drawn, for each of ``STRATA``."""
        return {
            name: {
                "population": sum(sizes[stratum] for run in self.runs for sizes in run.groups.values()),
                "drawn": sum(item.misaligned == stratum for item in self.items.values()),
            }
            for stratum, name in enumerate(STRATA)
        }

    def as_json(self) -> dict[str, Any]:
        """Return the content of ``key.json``."""
        return {"schema": SCHEMA, **asdict(self), "strata": self.strata}


def numbered(sheet: str, members: Sequence[T]) -> dict[str, T]:
    """Name the members of a sheet, in their order, so that a spreadsheet keeps the names as they are."""
    width = len(str(len(members)))
    return {f"{sheet}-{number:0{width}}": member for number, member in enumerate(members, start=1)}


def read_key(path: Path) -> Key:
    """Read ``key.json``.

    Raises:
        InputError: it cannot be read, is damaged, or is not a key of this version.
    """
    value = read_json(path, "key.json, which `dfar-bench human export` wrote")
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise InputError(f"{path} is not a key of this version ({SCHEMA}): name the key.json of `human export`.")
    return build_checked(value, _build, path)


def _build(value: dict[str, Any]) -> Key:
    runs = tuple(
        KeyRun(tuple(map(str, run["files"])), run["task"], run["model"], run["signature"], _groups(run["groups"]))
        for run in value["runs"]
    )
    items = {name: Item(**item) for name, item in value["items"].items()}
    for name, item in items.items():
        run_exists = 0 <= index(item.run) < len(runs)
        if not run_exists or item.group_id not in runs[item.run].groups or not isinstance(item.misaligned, bool):
            raise ValueError(f"item {name}")
    if not items:
        raise ValueError("no items")
    return Key(str(value["sheet"]), index(value["seed"]), str(value["judge"]), runs, items)


def _groups(value: dict[str, Any]) -> Groups:
    groups = {group: (index(aligned), index(misaligned)) for group, (aligned, misaligned) in value.items()}
    if any(min(sizes) < 0 for sizes in groups.values()):
        raise ValueError("a negative number of responses")
    return groups
