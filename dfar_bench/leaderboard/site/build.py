"""Build the site: verify all submissions, rank them, write the pages beside, and put them into place at once.

The same submissions, data and version give the same bytes: there is no date of the build, and nothing depends on the
order in which a disk lists its files.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from tqdm import tqdm

from dfar_bench.bootstrap import RESAMPLES, SEED
from dfar_bench.data import SPLITS
from dfar_bench.errors import InputError
from dfar_bench.judges import Judge, get_judge
from dfar_bench.leaderboard.faults import Fault
from dfar_bench.leaderboard.flags import Flag
from dfar_bench.leaderboard.folder import find_submissions
from dfar_bench.leaderboard.site import board, charts
from dfar_bench.leaderboard.site.board import HIGHER_IS_BETTER, Entry, Group
from dfar_bench.leaderboard.site.classical import read_classical
from dfar_bench.leaderboard.site.export import results
from dfar_bench.leaderboard.site.facts import Facts
from dfar_bench.leaderboard.site.pages import KINDS, data_block, page
from dfar_bench.leaderboard.site.ranks import layout
from dfar_bench.leaderboard.site.reported import read_reported
from dfar_bench.leaderboard.site.store import Store
from dfar_bench.leaderboard.tree import imitation_faults, same_answers

MARK = ".dfar-board"
"""A file in every site, by which a folder is known as one that may be replaced."""


@dataclass
class Built:
    """What came of a build. ``site`` is None if nothing was written, because of ``faults``."""

    site: Path | None
    submissions: int = 0
    faults: list[Fault] = field(default_factory=list)


def build(
    tree: Path,
    out: Path,
    *,
    cache: Path | None = None,
    splits: Sequence[str] = (),
    reported: Path | None = None,
    baselines: Path | None = None,
    skip_faulty: bool = False,
) -> Built:
    """Build the site of a tree of submissions.

    Args:
        out: the site's folder; one that is there is replaced, if it is a site.
        cache: a folder that remembers what was computed of each submission; it is believed, so keep it where only you
            write. A temporary one if None.
        splits: those to show; all if empty.
        reported: a folder of published tables (``reported.py``).
        baselines: a folder of the classical models' verdicts (``classical.py``).
        skip_faulty: build without submissions that have a fault, rather than not at all.

    Raises:
        InputError: a folder is not what it should be, or our own data is not at hand.
    """
    out = Path(os.path.abspath(out))
    _refuse_other(out, tree)
    tables = read_reported(reported) if reported and reported.is_dir() else []
    judge = get_judge()
    with _cache_folder(cache) as folder:
        store = Store(folder)
        keys, found, faults = _facts(tree, store, judge)
        if faults and not skip_faulty:
            return Built(None, len(found), faults)
        shown = board.splits_of(found, [split for split in SPLITS if not splits or split in splits])
        classical = read_classical(baselines, shown) if baselines else {}
        boards = board.groups(found, _same_answers(found), judge, classical, shown)
        with _beside(out) as site:
            for name, content in {
                **results(boards, tables, judge),
                **_fixed(boards, tables, judge),
                MARK: b"made by dfar-bench board build; replaced by the next build\n",
            }.items():
                (site / name).write_bytes(content)
            for path, content in _runs(boards, found, keys, store, judge):
                (site / path).parent.mkdir(parents=True, exist_ok=True)
                (site / path).write_bytes(content)
    return Built(out, len(found), faults)


def _facts(tree: Path, store: Store, judge: Judge) -> tuple[dict[str, str], list[Facts], list[Fault]]:
    """The store's key of each submission by its own, the facts by model and run, and all faults."""
    folders, faults = find_submissions([tree])
    imitating = imitation_faults(folders)
    keys, found = {}, []
    for folder in tqdm(folders, desc="verify", unit=" submissions", disable=None, leave=False):
        one = store.facts(folder, judge)
        if folder in imitating:
            faults.append(imitating[folder])
        if isinstance(one, list):
            faults += one
        elif folder not in imitating:
            key, facts = one
            keys[board.submission_key(facts)] = key
            found.append(facts)
    return keys, sorted(found, key=board.submission_key), faults


def _same_answers(found: Sequence[Facts]) -> dict[str, list[Flag]]:
    hashes = [(facts.model, {name: task.sha256 for name, task in facts.tasks.items()}) for facts in found]
    return {board.submission_key(facts): flags for facts, flags in zip(found, same_answers(hashes))}


def _fixed(boards: Mapping[str, Sequence[Group]], tables: Sequence[object], judge: Judge) -> dict[str, bytes]:
    """The pages that are there however many submissions there are, by name."""
    shared = {"rates": str(judge.error_rates or ""), "higher": HIGHER_IS_BETTER, "titles": board.TITLES}
    splits = [
        {
            "name": split,
            "title": board.TITLES[split],
            "description": board.DESCRIPTIONS[split],
            "count": sum(len(group.ranked) + len(group.apart) for group in groups),
            "groups": groups,
        }
        for split, groups in boards.items()
    ]
    drawn = {
        (split, group.number): SimpleNamespace(scatter=charts.scatter(group), slopes=charts.slopes(group))
        for split, groups in boards.items()
        for group in groups
    }
    out = {
        "index.html": page(
            "index.html",
            "index.js",
            splits=splits,
            drawn=drawn,
            columns=board.COLUMNS,
            counted=lambda split, metric: board.counted(split, metric, HIGHER_IS_BETTER),
            reported=tables,
            judge=judge.signature,
            **shared,
        )
    }
    for split, groups in boards.items():
        out[f"compare-{split}.html"] = page(
            "compare.html",
            "compare.js",
            title=board.TITLES[split],
            data=data_block(_comparable(split, groups)),
            resamples=RESAMPLES,
            **shared,
        )
    return out


def _comparable(split: str, groups: Sequence[Group]) -> dict[str, object]:
    """What a comparison page computes from: which rows are right in each entry, and how rows hang together."""
    of = layout(split)
    entries: dict[str, dict[str, object]] = {}
    for group in groups:
        for entry in (*group.ranked, *group.apart, *group.nulls):
            bits = {metric: packed for task in entry.tasks.values() for metric, packed in task.bits.items()}
            name = entry.facts.model
            entries[entry.key] = {
                "key": entry.key,
                "name": name,
                "label": f"{name} ({entry.facts.run})" if entry.is_null else f"{name} · {entry.facts.run}",
                "apart": entry in group.apart,
                "bits": bits,
                "signatures": {kind: board.comparable(t.signature) for kind, t in entry.tasks.items() if t.signature},
            }
    return {
        "clusters": of.clusters,
        "leaked": [int(one) for one in of.leaked],
        "contrast": of.contrast,
        "entries": list(entries.values()),
        "resamples": RESAMPLES,
        "seed": SEED,
        "higher": HIGHER_IS_BETTER,
    }


def _runs(
    boards: Mapping[str, Sequence[Group]], found: Sequence[Facts], keys: Mapping[str, str], store: Store, judge: Judge
) -> Iterator[tuple[str, bytes]]:
    """The page of every submission, with its path."""
    places: dict[str, list[tuple[Entry, Group]]] = {}
    for groups in boards.values():
        for group in groups:
            for entry in (*group.ranked, *group.apart):
                places.setdefault(entry.key, []).append((entry, group))
    for facts in tqdm(found, desc="pages", unit=" pages", disable=None, leave=False):
        key = board.submission_key(facts)
        if key in places:
            yield (
                f"runs/{key}.html",
                page(
                    "run.html",
                    "run.js",
                    root="../../",
                    facts=facts,
                    places=places[key],
                    packed=store.rows(keys[key]),
                    kinds=KINDS,
                    higher=HIGHER_IS_BETTER,
                    titles=board.TITLES,
                    rates=str(judge.error_rates or ""),
                ),
            )


def _refuse_other(out: Path, tree: Path) -> None:
    """Nothing that is no site of ours is ever replaced."""
    if out.exists() and not ((out / MARK).is_file() or (out.is_dir() and not any(out.iterdir()))):
        raise InputError(f"{out} is there and no board: name another --out, or a new folder.")
    if Path(os.path.abspath(tree)).is_relative_to(out):
        raise InputError(f"{out} holds the submissions: name another --out.")


@contextmanager
def _cache_folder(cache: Path | None) -> Iterator[Path]:
    if cache:
        if cache.exists() and not cache.is_dir():
            raise InputError(f"{cache} is a file: name a folder for --cache.")
        yield cache
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A new folder that takes the place of ``out`` when all is in it; whatever happens before leaves ``out`` alone."""
    out = Path(os.path.realpath(out))  # a link stays, and what it points to is replaced
    out.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
    made.chmod(0o755)
    old = made.with_suffix(".old")
    try:
        yield made
        if out.exists():
            out.rename(old)
        try:
            made.rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)
