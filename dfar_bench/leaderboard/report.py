"""Verify many submissions: one loop and one cache, for ``verify`` and for the board."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dfar_bench import __version__
from dfar_bench.errors import InputError
from dfar_bench.files import atomic_write
from dfar_bench.judges import Judge, get_judge
from dfar_bench.leaderboard.faults import Fault, shown_name
from dfar_bench.leaderboard.flags import Flag, same_answers
from dfar_bench.leaderboard.submission import (
    FILE,
    Opened,
    content_key,
    find_submissions,
    imitations,
    model_folders,
    open_submission,
)
from dfar_bench.leaderboard.verified import WHERE_INTERVALS, VerifiedSubmission, summary_text
from dfar_bench.leaderboard.verify import verify_opened


@dataclass(frozen=True)
class Checked:
    """A submission without fault.

    Attributes:
        sha256: of ``submission.json``, which holds the hashes of the other files.
        value: what ``derive`` returned for it.
        answers: hash of the answers, by task.
        unchanged: whether it was taken from the cache.
        found_in: the numbers, from 0, of the paths that hold it.
        same_answers: flags on answers that another model's submission has too.
    """

    folder: Path
    sha256: str
    model: str
    run: str
    value: Any = field(repr=False)
    answers: dict[str, str]
    unchanged: bool
    found_in: tuple[int, ...] = ()
    same_answers: tuple[Flag, ...] = ()

    @property
    def summary(self) -> dict[str, Any]:
        """What ``verify`` prints of it, where ``derive`` is ``summary``."""
        flags = [*self.value["flags"], *map(asdict, self.same_answers)]
        return {**self.value, "flags": flags, "unchanged": self.unchanged}


@dataclass(frozen=True)
class Report:
    """The result of verifying: submissions without fault, by model and run, and the faults of all others.

    Attributes:
        judge: its signature.
        checked: how many submissions there are.
    """

    judge: str
    checked: int
    entries: list[Checked]
    faults: list[Fault]

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return {
            "dfar_bench": __version__,
            "judge": self.judge,
            "checked": self.checked,
            "submissions": [entry.summary for entry in self.entries],
            "faults": [asdict(fault) for fault in self.faults],
        }

    def as_text(self) -> str:
        """Return the submissions without fault for people."""
        lines = []
        for entry in self.entries:
            lines.append(f"{entry.model} · {entry.run}{' · unchanged' if entry.unchanged else ''}")
            lines.append(summary_text(entry.summary))
        lines.append(
            f"{len(self.entries)} of {self.checked} submissions re-scored from their answers, judge {self.judge}"
        )
        lines += [WHERE_INTERVALS] if self.entries else []
        return "\n".join(lines)


def summary(submission: VerifiedSubmission) -> dict[str, Any]:
    """Return what ``verify`` prints of a submission."""
    return submission.as_json()


def verify_all(
    paths: Sequence[Path],
    *,
    names: Sequence[str] = (),
    derive: Callable[[VerifiedSubmission], Any] = summary,
    judge: Judge | None = None,
    cache: Path | None = None,
) -> Report:
    """Verify all submissions among paths.

    A submission that is in several of them counts once. If they hold different files under its name, the first is
    taken, and the others are faults.

    Args:
        names: of the paths, to begin the sentences about their faults; by default these do not say which path it is.
        derive: what to keep of a submission without fault; as plain JSON types where there is a cache.
        judge: the default one if None.
        cache: a folder with one file per submission and ``derive``, read instead of scoring a submission again as long
            as nothing changes on which the result depends (``content_key``). It is trusted, so nobody but us may write
            there. A file that cannot be read is made again.

    Raises:
        InputError: a path is not a folder, the cache cannot be one, or the published data is not available.
    """
    judge = judge or get_judge()
    if cache:
        try:
            cache.mkdir(parents=True, exist_ok=True)
        except OSError:
            raise InputError(f"{cache} cannot be a folder for the cache: name another, in a folder of yours.") from None
    found: dict[tuple[str, str], dict[Path, int]] = {}  # by model and run, the folders and the path that each is in
    faults: list[Fault] = []

    def report_faults(number: int, more: Iterable[Fault]) -> None:
        faults.extend(fault.within(names[number] if names else "") for fault in more)

    for number, path in enumerate(paths):
        folders, wrong = find_submissions([path])
        report_faults(number, wrong)
        for folder in folders:
            found.setdefault((folder.parent.name, folder.name), {}).setdefault(folder, number)
    imitating = _imitation_faults([folder for same in found.values() for folder in same])
    entries = []
    for same in tqdm(found.values(), desc="verify", unit=" submissions", disable=None, leave=False):
        (folder, number), *others = same.items()
        opened = open_submission(folder)
        result = _verify(opened, derive, judge, cache)
        if folder in imitating:
            report_faults(number, [imitating[folder]])
        if not isinstance(result, Checked):
            report_faults(number, result)
        elif folder not in imitating:
            entries.append(replace(result, found_in=tuple(same.values())))
        for other, elsewhere in others:
            if (copy := open_submission(other)).files != opened.files or copy.faults:
                what = f"differs from the submission of this name in {names[number] if names else folder}; remove one"
                report_faults(elsewhere, [Fault(copy.where(), "files", what)])
    entries.sort(key=lambda entry: (entry.model, entry.run))
    flags = same_answers([(entry.model, entry.answers) for entry in entries])
    entries = [replace(entry, same_answers=same) for entry, same in zip(entries, flags, strict=True)]
    return Report(judge.signature, len(found), entries, faults)


def _verify(
    opened: Opened, derive: Callable[[VerifiedSubmission], Any], judge: Judge, cache: Path | None
) -> Checked | list[Fault]:
    sha256 = hashlib.sha256(opened.files.get(FILE, b"")).hexdigest()
    file = cache / f"{content_key(opened, judge)}-{derive.__name__}.json" if cache and not opened.faults else None
    if file:
        with suppress(OSError, ValueError, RecursionError, TypeError):  # cut off, or not a file of ours
            return Checked(opened.folder, sha256, **json.loads(file.read_bytes()), unchanged=True)
    result = verify_opened(opened, judge)
    if isinstance(result, list):
        return result
    answers = {name: task.answers_hash for name, task in result.tasks.items()}
    kept = {"model": result.model, "run": result.run, "value": derive(result), "answers": answers}
    if file:
        with suppress(OSError):  # the next time takes longer, that is all
            atomic_write(file, json.dumps(kept, ensure_ascii=False))
    return Checked(opened.folder, sha256, **kept, unchanged=False)


def _imitation_faults(folders: list[Path]) -> dict[Path, Fault]:
    """Return those of submission folders whose model is easily mistaken for another, in its tree or in one before."""
    alike: dict[Path, dict[str, str]] = {}
    known: set[str] = set()
    for tree in dict.fromkeys(folder.parent.parent for folder in folders):
        new = {*model_folders(tree)} - known
        alike[tree] = {name: other for name, other in imitations(sorted(known | new)).items() if name in new}
        known |= new
    out = {}
    for folder in folders:
        if other := alike[folder.parent.parent].get(folder.parent.name):
            reason = f"is easily mistaken for {shown_name(other)}, which is there as well; choose another name"
            out[folder] = Fault(shown_name(folder.parent.name), "model.id", reason)
    return out
