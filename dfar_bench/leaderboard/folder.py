"""The folders of submissions: which there are, what lies in them, and what a verdict on one depends on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

from dfar_bench import __version__
from dfar_bench.data import rows
from dfar_bench.errors import InputError
from dfar_bench.judges import Judge
from dfar_bench.leaderboard.faults import Fault, RefusedError, shown_name
from dfar_bench.leaderboard.names import RUN_ID
from dfar_bench.leaderboard.reading import ANSWERS_BYTES, FOLDER_BYTES, SUBMISSION_BYTES, read_regular
from dfar_bench.leaderboard.schema import TASKS
from dfar_bench.sources import DFAR_FILES, at_hand

FILE = "submission.json"

_MOST = {FILE: SUBMISSION_BYTES, **{f"{task}.jsonl.gz": ANSWERS_BYTES for task in TASKS}}
"""The files of a submission, and how many bytes each may have."""


def answers_name(task: str) -> str:
    """The name of a task's answers file."""
    return f"{task}.jsonl.gz"


UNFINISHED = ".submit-"
"""How folders begin in which a submission is being made, or was, by a process that was killed."""


def find_submissions(paths: Iterable[Path]) -> tuple[list[Path], list[Fault]]:
    """The submission folders among paths, each once, and what else lies about where only such folders should.

    A path may be a submission's folder, a model's (``org__name``) or a whole tree.

    Raises:
        InputError: a path does not exist or is no folder.
    """
    found: dict[Path, None] = {}
    faults: list[Fault] = []
    for path in paths:
        if not path.is_dir():
            raise InputError(f"{path} is no folder: name a submission, or the folder in which submissions lie.")
        path = Path(os.path.abspath(path))  # without following links, which are refused below
        if (path / FILE).exists() or RUN_ID.fullmatch(path.name):
            found[path] = None
        elif "__" in path.name:
            _runs(path, found, faults)
        else:
            for entry in sorted(path.iterdir()):
                if entry.name.startswith(UNFINISHED):
                    continue
                if entry.is_dir() and not entry.is_symlink():
                    _runs(entry, found, faults)
                elif entry.name != ".gitkeep":
                    reason = "is no model folder; only folders such as org__name belong there"
                    faults.append(Fault(shown_name(entry.name), "name", reason))
    return list(found), faults


def _runs(model: Path, found: dict[Path, None], faults: list[Fault]) -> None:
    entries = sorted(model.iterdir())
    if not entries:
        faults.append(Fault(shown_name(model.name), "folder", "is empty"))
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            found[entry] = None
        else:
            where = f"{shown_name(model.name)}/{shown_name(entry.name)}"
            faults.append(Fault(where, "name", "does not belong there; only folders of submissions do"))


@dataclass(frozen=True)
class Opened:
    """The files of a submission folder, by name, read and not yet believed; and what is wrong with the rest."""

    folder: Path
    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def where(self, name: str = "") -> str:
        """A file of it, or the folder itself, as messages name it."""
        return "/".join(shown_name(part) for part in (self.folder.parent.name, self.folder.name, name) if part)


def open_submission(folder: Path) -> Opened:
    """Read the files of a submission folder that belong there, none of them larger than allowed."""
    opened = Opened(folder)
    if folder.is_symlink() or folder.parent.is_symlink():
        reason = "is a link, or lies in one; links are not followed"
        opened.faults.append(Fault(opened.where(), "folder", reason))
        return opened
    total = 0
    for path in sorted(folder.iterdir()):
        try:
            if path.name not in _MOST:
                expected = f"{FILE} and <task>.jsonl.gz of a DFAR task do"
                raise RefusedError(("name", f"does not belong there; only {expected}"))
            content = read_regular(path, _MOST[path.name])
            total += len(content)
            if total > FOLDER_BYTES:
                raise RefusedError(("size", f"with it the folder has more than {FOLDER_BYTES:,} bytes"))
            opened.files[path.name] = content
        except RefusedError as refused:
            opened.faults.extend(refused.of(opened.where(path.name)))
    if not (folder / FILE).is_symlink() and not (folder / FILE).exists():
        opened.faults.append(Fault(opened.where(FILE), "file", "is missing"))
    return opened


@cache
def _data_hash(split: str) -> str:
    return hashlib.sha256(repr(rows(split)["test"]).encode()).hexdigest()


@cache
def code_hash() -> str:
    """Of all code of this package and the judge's numbers: whatever may decide otherwise after a change."""
    return files_hash(Path(str(resources.files("dfar_bench"))), "**/*.py", "**/*.npz")


def files_hash(root: Path, *patterns: str) -> str:
    """Of the files under a folder that match glob patterns: of their names and contents."""
    found = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()}):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def content_key(opened: Opened, judge: Judge) -> str:
    """What the verdict on a submission depends on, as one hash: its files and names, this code, judge and data.

    What it was trained on is told by the published data, so whether that is at hand counts whatever it is tested on.
    """
    names = (opened.folder.parent.name, opened.folder.name)
    splits = sorted({TASKS[task][0] for task in TASKS if answers_name(task) in opened.files})
    parts = [ascii(names), __version__, code_hash(), judge.signature, *map(_data_hash, splits)]
    parts.append(str(at_hand(*DFAR_FILES)))
    parts += [f"{name} {hashlib.sha256(content).hexdigest()}" for name, content in sorted(opened.files.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
