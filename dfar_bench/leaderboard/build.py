"""Build the site: score all submissions again, rank them, write the pages to a new folder, and put it in place at once.

The same submissions, data and version give the same bytes: there is no date of the build, and nothing depends on the
order in which a disk lists its files.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dfar_bench.datasets import DATASETS
from dfar_bench.errors import InputError
from dfar_bench.judges import Judge, get_judge
from dfar_bench.leaderboard.board import Table, data_with_submissions, make_tables, submission_key
from dfar_bench.leaderboard.charts import scatter
from dfar_bench.leaderboard.classical import read_classical
from dfar_bench.leaderboard.comparison import comparison
from dfar_bench.leaderboard.entries import Entry, judge_errs
from dfar_bench.leaderboard.export import results
from dfar_bench.leaderboard.facts import Facts, facts_of
from dfar_bench.leaderboard.faults import Fault
from dfar_bench.leaderboard.links import PREVIEW, Links
from dfar_bench.leaderboard.pages import page, picture
from dfar_bench.leaderboard.profile import profiles
from dfar_bench.leaderboard.report import Checked, verify_all
from dfar_bench.leaderboard.reported import Reported, read_reported
from dfar_bench.leaderboard.reproduced import read_outcomes
from dfar_bench.leaderboard.slopes import slopes
from dfar_bench.leaderboard.sources import Tree, is_address, opened
from dfar_bench.leaderboard.submission import model_folder
from dfar_bench.scoring import KINDS, METRICS

SITE_BYTES = 150 * 10**6
"""What free static hosting serves without complaint; a larger site is built all the same."""

MARK = ".dfar-board"
"""A file in every site, by which a folder is known as one that may be replaced."""


@dataclass
class Built:
    """The outcome of a build. ``site`` is None if nothing was written, because of ``faults``; ``size`` is in bytes."""

    site: Path | None
    submissions: int = 0
    size: int = 0
    faults: list[Fault] = field(default_factory=list)


def build(
    trees: Path | Sequence[Path | str],
    out: Path,
    *,
    cache: Path | None = None,
    splits: Sequence[str] = (),
    reported: Path | None = None,
    baselines: Path | None = None,
    reproduced: Path | None = None,
    skip_faulty: bool = False,
    without_answers: bool = False,
    links: Links | None = None,
) -> Built:
    """Build the site of all submissions in folders and pinned archives.

    Args:
        trees: a folder, or several trees: folders, and addresses of archives (``sources.py``).
        out: the site's folder; an existing one is replaced if it is a site.
        cache: see ``report.verify_all``.
        splits: names of the data sets to show; all if empty.
        reported: a folder of published tables (``reported.py``).
        baselines: a folder of the classical models' verdicts (``classical.py``).
        reproduced: a folder of outcomes of submissions that were run again (``reproduced.py``).
        skip_faulty: build without submissions that have a fault, rather than not at all.
        without_answers: leave out what the models answered, row by row, which is most of a large site.
        links: where the pages lead.

    Raises:
        InputError: a folder or an archive is not what it should be, or the published data cannot be read.
    """
    out = Path(os.path.abspath(out))
    given = [trees] if isinstance(trees, Path) else list(trees)
    _check_out(out, [Path(tree) for tree in given if not is_address(tree)])
    published = read_reported(reported) if reported and reported.is_dir() else []
    judge = get_judge()
    with opened(given) as sources:
        several = [tree.name for tree in sources] if len(sources) > 1 else []
        folders = [tree.folder for tree in sources]
        report = verify_all(folders, names=several, derive=facts_of, judge=judge, cache=cache)
        places = {f"{entry.folder.parent.name}/{entry.run}": entry.folder for entry in report.entries}
        outcomes, faulty = read_outcomes(reproduced, places) if reproduced else ({}, [])
    faults = [*(fault.within(tree.name) for tree in sources for fault in tree.faults), *report.faults, *faulty]
    if faults and not skip_faulty:
        return Built(None, len(report.entries), faults=faults)
    submitted = [Facts.model_validate(entry.value).with_flags(entry.same_answers) for entry in report.entries]
    submitted = [facts.with_outcome(outcomes.get(submission_key(facts))) for facts in submitted]
    names = data_with_submissions(submitted, splits)
    classical = read_classical(baselines, names) if baselines else {}
    tables = make_tables(submitted, judge, classical, names)
    size = 0
    with _beside(out) as site:
        files = _files(
            tables,
            submitted,
            published,
            judge,
            sources,
            report.entries,
            links or Links(),
            with_answers=not without_answers,
        )
        for path, content in files:
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_bytes(content)
            size += len(content)
    return Built(out, len(submitted), size, faults)


def _files(
    tables: Mapping[str, Sequence[Table]],
    submitted: Sequence[Facts],
    published: Sequence[Reported],
    judge: Judge,
    trees: Sequence[Tree],
    verified: Sequence[Checked],
    links: Links,
    *,
    with_answers: bool,
) -> Iterator[tuple[str, bytes]]:
    """Yield the path and content of every file of the site."""
    shared: dict[str, Any] = {"datasets": DATASETS, "metrics": METRICS, "links": links}
    yield MARK, b"made by dfar-bench board build; replaced by the next build\n"
    yield PREVIEW, picture(PREVIEW)
    yield from results(tables, published, judge).items()
    drawn = {table: (scatter(table), slopes(table)) for members in tables.values() for table in members}
    errs = {table: judge_errs((*table.ranked, *table.apart)) for table in drawn}
    index = {"tables": tables, "drawn": drawn, "errs": errs, "reported": published, "judge": judge.signature}
    yield "index.html", page("index.html", "index.js", **index, **shared)
    places: dict[str, list[tuple[Entry, Table]]] = {}
    for members in tables.values():
        yield from comparison(members, links, with_answers=with_answers)
        for table in members:
            for entry in (*table.ranked, *table.apart):
                places.setdefault(entry.key, []).append((entry, table))
    for facts in tqdm(submitted, desc="pages", unit=" pages", disable=None, leave=False):
        if where := places.get(submission_key(facts)):
            context = {"facts": facts, "places": where, "kinds": KINDS}
            yield f"runs/{submission_key(facts)}.html", page("run.html", "copy.js", root="../../", **context, **shared)
    counts = [sum(number in entry.found_in for entry in verified) for number in range(len(trees))]
    origins = [
        (facts, entry, key if (key := submission_key(facts)) in places else "")
        for facts, entry in zip(submitted, verified)
    ]
    yield "sources.html", page("sources.html", links=links, trees=list(zip(trees, counts)), origins=origins)
    for profile in profiles(tables, published):
        path = f"models/{model_folder(profile.model)}.html"
        yield path, page("profile.html", profile=profile, root="../", **shared)


def _check_out(out: Path, trees: Iterable[Path]) -> None:
    """Refuse to replace anything that is not a site of ours."""
    if out.exists() and not ((out / MARK).is_file() or (out.is_dir() and not any(out.iterdir()))):
        raise InputError(f"{out} exists and is not a board: name another --out, or a new folder.")
    if any(Path(os.path.abspath(tree)).is_relative_to(out) for tree in trees):
        raise InputError(f"{out} holds the submissions: name another --out.")


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of ``out`` once it is complete; a failure before leaves ``out`` alone."""
    out = Path(os.path.realpath(out))  # a link stays, and what it points to is replaced
    out.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
    new.chmod(0o755)
    old = new.with_suffix(".old")
    try:
        yield new
        if out.exists():
            out.rename(old)
        try:
            new.rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)
