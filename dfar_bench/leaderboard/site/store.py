"""Facts and packed rows of submissions on disk, by the hash of all that they depend on."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from dfar_bench.judges import Judge
from dfar_bench.leaderboard.faults import Fault
from dfar_bench.leaderboard.folder import content_key, open_submission
from dfar_bench.leaderboard.site.facts import Facts, facts_of, packed_rows
from dfar_bench.leaderboard.verify import verified_files
from dfar_bench.whole_files import write_whole


class Store:
    """A folder of facts, which processes may share.

    What is in it is believed, so it must come from where nobody but us writes.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def facts(self, folder: Path, judge: Judge) -> tuple[str, Facts] | list[Fault]:
        """The key and the facts of a submission folder, computed if they are not there yet; or its faults."""
        opened = open_submission(folder)
        key = content_key(opened, judge)
        kept = self.folder / f"{key}.json"
        if not opened.faults and self._rows(key).is_file():
            try:
                return key, Facts.model_validate_json(kept.read_bytes())
            except (OSError, ValidationError):
                pass  # as if it were not there
        found = verified_files(opened, judge)
        if isinstance(found, list):
            return found
        facts = facts_of(found)
        write_whole(kept, facts.model_dump_json())
        write_whole(self._rows(key), packed_rows(found))
        return key, facts

    def rows(self, key: str) -> str:
        """The packed rows of a submission whose facts were asked for."""
        return self._rows(key).read_text("ascii")

    def _rows(self, key: str) -> Path:
        return self.folder / f"{key}.rows"
