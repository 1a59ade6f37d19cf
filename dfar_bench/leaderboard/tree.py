"""Verify many submissions: each fault of each of them, and those skipped that have not changed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dfar_bench import __version__
from dfar_bench.judges import Judge, get_judge
from dfar_bench.leaderboard.faults import Fault, shown_name
from dfar_bench.leaderboard.flags import Flag
from dfar_bench.leaderboard.folder import content_key, find_submissions, open_submission
from dfar_bench.leaderboard.names import imitations, model_folders
from dfar_bench.leaderboard.result import Verified
from dfar_bench.leaderboard.verify import verified_files
from dfar_bench.whole_files import write_whole


@dataclass
class Report:
    """What came of verifying.

    Attributes:
        submissions: a plain summary of each submission without fault (``Verified.as_json``), by model and run;
            ``unchanged`` says whether it was skipped.
        faults: of all others.
    """

    judge: str
    checked: int = 0
    submissions: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON types."""
        return {
            "dfar_bench": __version__,
            "judge": self.judge,
            "checked": self.checked,
            "submissions": self.submissions,
            "faults": [fault.as_json() for fault in self.faults],
        }

    def as_text(self) -> str:
        """The submissions without fault, for people."""
        lines = []
        for one in self.submissions:
            lines.append(f"{one['model']} · {one['run']}{' · unchanged' if one['unchanged'] else ''}")
            lines += [f"  flag: {flag['text']}" for flag in one["flags"]]
            for name, task in one["tasks"].items():
                figures = ", ".join(
                    f"{metric} {'N/A' if value is None else f'{value:.4f}'}"
                    for metric, value in task["metrics"].items()
                )
                lines += [f"  {name}: {figures}", f"    {task['signature']}"]
                lines += [f"    flag: {flag['text']}" for flag in task["flags"]]
                known = {True: "contaminated", False: "not contaminated", None: "contamination unknown"}
                found = task["contamination"]
                lines.append(f"    {known[found['contaminated']]}: {found['why']}")
        lines.append(f"{len(self.submissions)} of {self.checked} submissions verified, judge {self.judge}")
        return "\n".join(lines)


def verify(paths: Iterable[Path], cache: Path | None = None, judge: Judge | None = None) -> Report:
    """Verify all submissions among paths.

    Args:
        cache: a file in which the summaries of submissions without fault are kept, so that they need not be scored
            again as long as nothing changes on which the verdict depends. What is in it is believed, so it must come
            from where nobody but us writes. A file that cannot be read counts as empty, and one that cannot be
            written stays as it is.

    Raises:
        InputError: a path is no folder, or our own data is not at hand.
    """
    judge = judge or get_judge()
    folders, faults = find_submissions(paths)
    report = Report(judge.signature, len(folders), faults=faults)
    known = _read(cache) if cache else {}
    imitating = imitation_faults(folders)
    kept = {}
    for folder in tqdm(folders, desc="verify", unit=" submissions", disable=None, leave=False):
        found = _one(folder, known, judge)
        if folder in imitating:
            found = [imitating[folder], *(found if isinstance(found, list) else [])]
        if isinstance(found, list):
            report.faults += found
        else:
            report.submissions.append(found)
            kept[found["key"]] = {**found, "flags": list(found["flags"])}
    hashes = [
        (one["model"], {name: task["answers_hash"] for name, task in one["tasks"].items()})
        for one in report.submissions
    ]
    for one, flags in zip(report.submissions, same_answers(hashes)):
        one["flags"] += map(asdict, flags)
    if cache:
        with suppress(OSError):  # the next time takes longer, that is all
            write_whole(cache, json.dumps({**known, **kept}))  # two processes may share it
    return report


def _one(folder: Path, known: dict[str, Any], judge: Judge) -> dict[str, Any] | list[Fault]:
    opened = open_submission(folder)
    summary = None if opened.faults else known.get(content_key(opened, judge))
    if summary is not None:
        return {**summary, "flags": list(summary["flags"]), "unchanged": True}
    found = verified_files(opened, judge)
    return {**found.as_json(), "unchanged": False} if isinstance(found, Verified) else found


def imitation_faults(folders: Iterable[Path]) -> dict[Path, Fault]:
    """Those of submission folders whose model is easily taken for another one of the same tree."""
    folders = list(folders)
    trees = {folder.parent.parent for folder in folders}
    alike = {tree: imitations(model_folders(tree)) for tree in trees}
    out = {}
    for folder in folders:
        if other := alike[folder.parent.parent].get(folder.parent.name):
            reason = f"is easily taken for {shown_name(other)}, which is there as well; choose another name"
            out[folder] = Fault(shown_name(folder.parent.name), "model.id", reason)
    return out


def same_answers(submissions: Sequence[tuple[str, Mapping[str, str]]]) -> list[list[Flag]]:
    """For each submission flags on answers that another model's submission has, too, however they are packed.

    Args:
        submissions: model, and hash of the answers by task.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    for model, hashes in submissions:
        for sha256 in hashes.values():
            owners[sha256].add(model)
    return [
        [
            Flag("same_answers", f"the answers to {name} are, to the last character, those of {', '.join(others)}")
            for name, sha256 in hashes.items()
            if (others := sorted(owners[sha256] - {model}))
        ]
        for model, hashes in submissions
    ]


def _read(cache: Path) -> dict[str, Any]:
    try:
        found = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return {key: one for key, one in entries if isinstance(one, dict) and one.get("key") == key}
