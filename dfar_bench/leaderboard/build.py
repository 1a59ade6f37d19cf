"""Build the site: verify all submissions, rank them, write the pages to a new folder, and put it in place at once.

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
from typing import Any

from tqdm import tqdm

from dfar_bench.datasets import DATASETS
from dfar_bench.errors import InputError
from dfar_bench.judges import Judge, get_judge
from dfar_bench.leaderboard.board import (
    Table,
    data_with_submissions,
    how_asked,
    keeps_apart,
    make_tables,
    submission_key,
)
from dfar_bench.leaderboard.charts import scatter
from dfar_bench.leaderboard.classical import read_classical
from dfar_bench.leaderboard.entries import Entry, judge_errs
from dfar_bench.leaderboard.export import results
from dfar_bench.leaderboard.facts import Facts, facts_of
from dfar_bench.leaderboard.faults import Fault
from dfar_bench.leaderboard.links import PREVIEW, Links
from dfar_bench.leaderboard.own_copy import layouts
from dfar_bench.leaderboard.pages import data_block, page, picture
from dfar_bench.leaderboard.ranks import clusters
from dfar_bench.leaderboard.report import verify_all
from dfar_bench.leaderboard.reported import Reported, read_reported
from dfar_bench.leaderboard.slopes import slopes
from dfar_bench.scoring import KINDS, METRICS, RESAMPLES, SEED

MARK = ".dfar-board"
"""A file in every site, by which a folder is known as one that may be replaced."""


@dataclass
class Built:
    """The outcome of a build. ``site`` is None if nothing was written, because of ``faults``."""

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
    links: Links | None = None,
) -> Built:
    """Build the site of a folder of submissions.

    Args:
        out: the site's folder; an existing one is replaced if it is a site.
        cache: see ``report.verify_all``.
        splits: names of the data sets to show; all if empty.
        reported: a folder of published tables (``reported.py``).
        baselines: a folder of the classical models' verdicts (``classical.py``).
        skip_faulty: build without submissions that have a fault, rather than not at all.
        links: where the pages lead.

    Raises:
        InputError: a folder is not what it should be, or the published data cannot be read.
    """
    out = Path(os.path.abspath(out))
    _check_out(out, tree)
    published = read_reported(reported) if reported and reported.is_dir() else []
    judge = get_judge()
    report = verify_all([tree], derive=facts_of, judge=judge, cache=cache)
    if report.faults and not skip_faulty:
        return Built(None, len(report.entries), report.faults)
    submitted = [Facts.model_validate(entry.value).with_flags(entry.same_answers) for entry in report.entries]
    names = data_with_submissions(submitted, splits)
    classical = read_classical(baselines, names) if baselines else {}
    tables = make_tables(submitted, judge, classical, names)
    with _beside(out) as site:
        for path, content in _files(tables, submitted, published, judge, links or Links()):
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_bytes(content)
    return Built(out, len(submitted), report.faults)


def _files(
    tables: Mapping[str, Sequence[Table]],
    submitted: Sequence[Facts],
    published: Sequence[Reported],
    judge: Judge,
    links: Links,
) -> Iterator[tuple[str, bytes]]:
    """Yield the path and content of every file of the site."""
    shared = {"datasets": DATASETS, "metrics": METRICS, "links": links}
    yield MARK, b"made by dfar-bench board build; replaced by the next build\n"
    yield PREVIEW, picture(PREVIEW)
    yield from results(tables, published, judge).items()
    drawn = {table: (scatter(table), slopes(table)) for members in tables.values() for table in members}
    errs = {table: judge_errs((*table.ranked, *table.apart)) for table in drawn}
    index = {"tables": tables, "drawn": drawn, "errs": errs, "reported": published, "judge": judge.signature}
    yield "index.html", page("index.html", "index.js", **index, **shared)
    places: dict[str, list[tuple[Entry, Table]]] = {}
    for name, members in tables.items():
        data = data_block(_comparable(members))
        title = DATASETS[name].title
        yield (
            f"compare-{name}.html",
            page("compare.html", "compare.js", title=title, data=data, resamples=RESAMPLES, **shared),
        )
        for table in members:
            for entry in (*table.ranked, *table.apart):
                places.setdefault(entry.key, []).append((entry, table))
    for facts in tqdm(submitted, desc="pages", unit=" pages", disable=None, leave=False):
        if where := places.get(submission_key(facts)):
            files = [layout for _, table in where for layout in layouts(table.dataset.name)]
            titles = {name: kind.title for name, kind in KINDS.items()}
            block = data_block({"layouts": files, "titles": titles})
            context = {"facts": facts, "places": where, "kinds": KINDS, "layouts": files, "files": block}
            yield f"runs/{submission_key(facts)}.html", page("run.html", "run.js", root="../../", **context, **shared)


def _comparable(tables: Sequence[Table]) -> dict[str, Any]:
    """Return what a comparison page computes from and shows.

    That is the bits of every share, the contrast groups of the rows, and of each entry its signatures by title of task
    (``asked``), the fields to compare them by (``signatures``), and how often the judge errs on such answers.
    """
    dataset = tables[0].dataset
    without = set() if dataset.has_leak else {metric.unleaked for metric in METRICS.values()}
    counted: dict[str, int] = {}  # which rows count: the same for most entries, so kept once
    entries = {}
    for table in tables:
        for entry in (*table.ranked, *table.apart, *table.baselines):
            bits = {
                name: (hits, counted.setdefault(rows, len(counted)))
                for task in entry.tasks.values()
                for name, (hits, rows) in task.bits.items()
                if name not in without
            }
            asked = {kind: task.signature for kind, task in entry.tasks.items() if task.signature}
            run = f" ({entry.facts.run})" if entry.is_baseline else f" · {entry.facts.run}"
            entries[entry.key] = {
                "key": entry.key,
                "name": entry.facts.model,
                "label": f"{entry.facts.model}{run}",
                "contaminated": bool(entry.contaminated),
                "bits": bits,
                "asked": {KINDS[kind].title: text for kind, text in asked.items()},
                "judgeErrs": judge_errs([entry]),
                "signatures": {kind: how_asked(text) for kind, text in asked.items()},
                "byKind": [kind for kind, text in asked.items() if "prompt" not in keeps_apart(text).fields],
            }
    return {
        "clusters": clusters(dataset.name),
        "counted": list(counted),
        "entries": list(entries.values()),
        "metrics": [
            {"name": metric.name, "title": metric.title, "higher": metric.higher_is_better}
            for metric in METRICS.values()
        ],
        "resamples": RESAMPLES,
        "seed": SEED,
    }


def _check_out(out: Path, tree: Path) -> None:
    """Refuse to replace anything that is not a site of ours."""
    if out.exists() and not ((out / MARK).is_file() or (out.is_dir() and not any(out.iterdir()))):
        raise InputError(f"{out} exists and is not a board: name another --out, or a new folder.")
    if Path(os.path.abspath(tree)).is_relative_to(out):
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
