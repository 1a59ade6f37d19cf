"""The organiser's key of a sheet: which run each item is from and what the judge decided, without any text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from dfar_bench.errors import InputError

SCHEMA = "dfar_bench.people.key.v1"
STRATA = ("aligned", "misaligned")
"""What the judge of the key decided; their position is ``misaligned``."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item:
    """One response in the sheet.

    Attributes:
        run: its position in ``Key.runs``.
        sha256: see ``votes.fingerprint``.
        code: the judge's.
        stratum: one of ``STRATA``.
    """

    run: int
    row_id: str
    group_id: str
    sha256: str
    code: str
    stratum: str


@dataclass(frozen=True, slots=True)
class KeyRun:
    """One run that was drawn from.

    Attributes:
        files: its sample files, absolute.
        signature: what its scores stand under with the judge of the key.
        groups: contrast group -> how many responses of each of ``STRATA`` there are.
    """

    files: tuple[str, ...]
    task: str
    model: str | None
    signature: str
    groups: dict[str, tuple[int, int]]

    @property
    def name(self) -> str:
        """For reports."""
        return f"{self.task} · {self.model or Path(self.files[0]).name}"


@dataclass(frozen=True)
class Key:
    """A sheet's key.

    Attributes:
        sheet: stands before the number in every item's id, so that no other sheet's ratings pass for this one's.
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
    def population(self) -> tuple[int, int]:
        """How many judged responses there are in each of ``STRATA``, over all runs."""
        sizes = [size for run in self.runs for size in run.groups.values()]
        return sum(size[0] for size in sizes), sum(size[1] for size in sizes)

    def as_json(self) -> dict[str, Any]:
        """What ``key.json`` holds; ``read_key`` reads it again."""
        drawn = Counter(item.stratum for item in self.items.values())
        strata = {
            name: {"population": size, "drawn": drawn[name]} for name, size in zip(STRATA, self.population, strict=True)
        }
        return {"schema": SCHEMA, **asdict(self), "strata": strata}


def read_key(file: Path) -> Key:
    """Read ``key.json``.

    Raises:
        InputError: it cannot be read, is damaged, or no key of this version.
    """
    found = read_json(file, "key.json, which `dfar-bench human export` wrote")
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise InputError(f"{file} is no key of this version ({SCHEMA}): name the key.json of `human export`.")
    return built_from(found, _key, file)


def read_json(file: Path, what: str) -> Any:
    """The JSON value in a file.

    Raises:
        InputError: it does not exist, cannot be read, or is no JSON.
    """
    try:
        return json.loads(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}): name {what}.") from None
    except (ValueError, RecursionError):
        raise InputError(f"{file} is not valid JSON; it is damaged, or not {what}.") from None


def built_from(found: Any, build: Callable[[Any], T], file: Path) -> T:
    """What ``build`` makes of a JSON value, whose shape is not to be trusted.

    Raises:
        InputError: something is missing or of another kind.
    """
    try:
        return build(found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file} was changed or is damaged ({error!r}): take it as it was written.") from None


def _key(found: dict[str, Any]) -> Key:
    runs = tuple(map(_run, found["runs"]))
    items = {name: Item(**item) for name, item in found["items"].items()}
    for name, item in items.items():
        if item.stratum not in STRATA or not 0 <= item.run < len(runs) or item.group_id not in runs[item.run].groups:
            raise ValueError(name)
    if not items:
        raise ValueError("no items")
    return Key(_text(found["sheet"]), int(found["seed"]), _text(found["judge"]), runs, items)


def _run(found: dict[str, Any]) -> KeyRun:
    groups = {group: _two(sizes) for group, sizes in found["groups"].items()}
    return KeyRun(**{**found, "files": tuple(map(_text, found["files"])), "groups": groups})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _two(sizes: Any) -> tuple[int, int]:
    aligned, misaligned = sizes
    if not (type(aligned) is type(misaligned) is int and min(aligned, misaligned) >= 0 and aligned + misaligned):
        raise ValueError(sizes)
    return aligned, misaligned
