"""Folders of submissions: finding them, opening them, how they are named, and what a verification depends on."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path

from dfar_bench.datasets import DATASETS, available, rows
from dfar_bench.errors import InputError
from dfar_bench.judges import Judge
from dfar_bench.leaderboard.answers_file import ANSWERS_BYTES, answers_name
from dfar_bench.leaderboard.faults import Fault, RefusedError, shown_name
from dfar_bench.leaderboard.untrusted import MIB, read_regular
from dfar_bench.scoring import tasks

FILE = "submission.json"
SUBMISSION_BYTES = MIB
FOLDER_BYTES = 24 * MIB
UNFINISHED = ".submit-"
"""Prefix of folders in which a submission is being written, or was by a process that was killed."""

_RUN_ID = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{8}", re.ASCII)
_MODEL_FOLDER = re.compile(r"[a-z0-9][a-z0-9._-]{,95}__[a-z0-9][a-z0-9._-]{,95}", re.ASCII | re.IGNORECASE)
_SEPARATORS = str.maketrans("_.", "--")
_SHAPES = str.maketrans("1I0", "llo")


def model_folder(model_id: str) -> str:
    """Return the folder name of a model's submissions, such as ``org__name``."""
    return model_id.replace("/", "__", 1)


def run_id(created: str, content: bytes) -> str:
    """Return a submission's folder name: its date, and a hash of ``submission.json``, which holds the other hashes."""
    return f"{created}-{hashlib.sha256(content).hexdigest()[:8]}"


def file_limits() -> dict[str, int]:
    """Return the files that a submission may have, with the most bytes of each."""
    return {FILE: SUBMISSION_BYTES} | {answers_name(task): ANSWERS_BYTES for task in tasks()}


def is_place(model: str, run: str) -> bool:
    """Whether names are those of a model's folder and, in it, of a submission's; neither can lead elsewhere."""
    return bool(_MODEL_FOLDER.fullmatch(model) and _RUN_ID.fullmatch(run))


def find_submissions(paths: Iterable[Path]) -> tuple[list[Path], list[Fault]]:
    """Find the submission folders among paths, each once, and whatever else is where only such folders belong.

    A path may be a submission's folder, a model's (``org__name``) or a whole tree.

    Raises:
        InputError: a path does not exist or is not a folder.
    """
    folders: dict[Path, None] = {}
    faults: list[Fault] = []
    for path in paths:
        if not path.is_dir():
            raise InputError(f"{path} is not a folder: name a submission, or the folder that holds submissions.")
        path = Path(os.path.abspath(path))  # without following links, which are refused below
        if (path / FILE).exists() or _RUN_ID.fullmatch(path.name):
            folders[path] = None
            continue
        models = [path] if "__" in path.name else _subfolders(path, "models (org__name)", faults, of_all=True)
        for model in models:
            if not (runs := _subfolders(model, "submissions", faults)):
                faults.append(Fault(shown_name(model.name), "folder", "holds no submission"))
            folders |= dict.fromkeys(runs)
    return list(folders), faults


def is_placeholder(path: Path) -> bool:
    """Whether a path is the empty file that keeps a folder without others in Git."""
    status = path.lstat()
    return path.name == ".gitkeep" and stat.S_ISREG(status.st_mode) and not status.st_size


def is_future(day: str) -> bool:
    """Whether a day such as 2026-01-31 has begun nowhere yet."""
    return date.fromisoformat(day) > datetime.now(UTC).date() + timedelta(days=1)


def _subfolders(folder: Path, of_what: str, faults: list[Fault], *, of_all: bool = False) -> list[Path]:
    """Return the subfolders of a model's folder, or of that of all, which may have a placeholder."""
    folders = []
    for entry in sorted(folder.iterdir()):
        where = f"{shown_name(folder.name)}/{shown_name(entry.name)}"
        if entry.is_symlink() or not entry.is_dir():
            if not (of_all and is_placeholder(entry)):
                faults.append(Fault(where, "name", f"does not belong there; only folders of {of_what} do"))
        elif not entry.name.startswith(UNFINISHED):
            folders.append(entry)
        elif any(entry.iterdir()):
            faults.append(Fault(where, "folder", "was left behind by an interrupted submit; delete it"))
    return folders


@dataclass(frozen=True)
class Opened:
    """The files of a submission folder, by name, read and not yet trusted; and what is wrong with the others."""

    folder: Path
    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def where(self, name: str = "") -> str:
        """Return how messages name one of its files, or the folder itself."""
        return "/".join(shown_name(part) for part in (self.folder.parent.name, self.folder.name, name) if part)


def open_submission(folder: Path) -> Opened:
    """Read the files of a submission folder that belong there, none of them larger than allowed."""
    opened = Opened(folder)
    if folder.is_symlink() or folder.parent.is_symlink():
        opened.faults.append(Fault(opened.where(), "folder", "is a link, or is in one; links are not followed"))
        return opened
    limits = file_limits()
    total = 0
    for path in sorted(folder.iterdir()):
        try:
            if path.name not in limits:
                raise RefusedError(("name", f"does not belong there; only {FILE} and the answers files of tasks do"))
            content = read_regular(path, limits[path.name])
            total += len(content)
            if total > FOLDER_BYTES:
                raise RefusedError(("size", f"with it the folder has more than {FOLDER_BYTES:,} bytes"))
            opened.files[path.name] = content
        except RefusedError as refused:
            opened.faults.extend(refused.of(opened.where(path.name)))
    if not (folder / FILE).is_symlink() and not (folder / FILE).exists():
        opened.faults.append(Fault(opened.where(FILE), "file", "is missing"))
    return opened


def content_key(opened: Opened, judge: Judge) -> str:
    """Hash what the verification of a submission depends on: its files and names, this code, the judge and the data.

    Contamination and quotations are found with other data sets too, so it counts which of them are available.
    """
    names = (opened.folder.parent.name, opened.folder.name)
    datasets = sorted({task.dataset.name for name, task in tasks().items() if answers_name(name) in opened.files})
    parts = [ascii(names), code_hash(), judge.signature, *map(_data_hash, datasets)]
    parts += [f"{name} {available(name)}" for name in DATASETS]
    parts += [f"{name} {hashlib.sha256(content).hexdigest()}" for name, content in sorted(opened.files.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@cache
def _data_hash(dataset: str) -> str:
    return hashlib.sha256(repr(rows(dataset)["test"]).encode()).hexdigest()


@cache
def code_hash() -> str:
    """Hash this package's code and data, such as a judge's numbers and errors: whatever may change a result."""
    root = Path(str(resources.files("dfar_bench")))
    digest = hashlib.sha256()
    for path in sorted(path for ending in ("py", "npz", "json", "jsonl") for path in root.rglob(f"*.{ending}")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def imitations(folders: Sequence[str]) -> dict[str, str]:
    """Find model folders that are easily mistaken for another, or whose organisation is, each with that other one.

    Names look alike if they differ in case, in the separator between words, or in characters of similar shape (l, I
    and 1; O and 0; rn and m).
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
    """Return the names of the model folders of a tree, sorted; none where there is no tree yet."""
    if not tree.is_dir():
        return []
    return sorted(entry.name for entry in tree.iterdir() if "__" in entry.name and not entry.is_symlink())


def _looks(folder: str) -> Iterator[tuple[str, str]]:
    """Yield what a folder's model and organisation look like at a glance."""
    for whose, name in (("model", folder), ("organisation", folder.partition("__")[0])):
        separated = name.translate(_SEPARATORS)
        yield whose, separated.lower()
        yield whose, separated.translate(_SHAPES).lower().replace("rn", "m")


def _named(folder: str, look: tuple[str, str]) -> str:
    return folder if look[0] == "model" else f"{folder.partition('__')[0]}__…"
