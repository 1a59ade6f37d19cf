"""The finished turns of a run that is not finished, from which it goes on after a kill."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from dfar_bench.errors import InputError
from dfar_bench.runs.turns import Said


class Journal(Mapping[str, Said]):
    """Finished turns by key, in a folder of this run alone: a file for each process, which reads those of all.

    Args:
        rank: the number of this process.

    Raises:
        InputError: another run writes there now.
    """

    def __init__(self, folder: Path, rank: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.rank = folder, rank
        self._file = (folder / f"rank{rank}.jsonl").open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise InputError(f"the same run is at work in {folder} now: name another --output_path.") from None
        self._turns: dict[str, Said] = {}
        for path in sorted(folder.glob("rank*.jsonl")):
            for line in path.read_bytes().split(b"\n"):
                with suppress(ValueError, TypeError, KeyError):  # a kill may have cut a line
                    entry = dict(json.loads(line))
                    key = entry.pop("key")
                    self._turns[key] = Said(**entry)
        self._file.seek(0, 2)
        if self._file.tell():
            self._file.write("\n")  # so that a cut line does not spoil the next

    def __getitem__(self, key: str) -> Said:
        return self._turns[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._turns)

    def __len__(self) -> int:
        return len(self._turns)

    def add(self, key: str, said: Said) -> None:
        """Add a turn, which survives a kill once this returns."""
        self._turns[key] = said
        self._file.write(json.dumps({"key": key, **asdict(said)}) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Stop writing, and leave the file for the next run, unless nothing was written."""
        if not self._file.tell():
            (self.folder / f"rank{self.rank}.jsonl").unlink(missing_ok=True)  # while it is locked
        self._file.close()
        self._remove_if_empty(self.folder)

    def remove(self) -> None:
        """Remove the folder: the run is finished, and what all processes said is saved elsewhere."""
        self._file.close()
        shutil.rmtree(self.folder, ignore_errors=True)  # another process may be removing its own file
        self._remove_if_empty(self.folder)

    @staticmethod
    def _remove_if_empty(folder: Path) -> None:
        for unfinished in (folder, folder.parent):
            with suppress(OSError):  # other processes or runs are unfinished, or it is gone
                unfinished.rmdir()
