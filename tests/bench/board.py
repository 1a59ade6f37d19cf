"""The board at scale: the speed of verifying and building, and the time until its table can be used in a browser.

Submissions answer the whole test set and no two give the same answers. They are written as the board's tests write
them.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from dfar_bench.datasets import get_dataset
from dfar_bench.leaderboard.build import build
from dfar_bench.leaderboard.report import verify_all
from tests.bench.figures import Figure
from tests.bench.measuring import SPLIT, Size, UnmeasuredError, attempt, core_seconds, fresh_cache, seconds

sys.path += [str(Path(__file__).parents[1] / folder) for folder in (".", "leaderboard")]

from board_site import answering, write_submission
from real_browser import CHROMIUM

# From the start of the navigation to the frame after the scripts have run.
PAINTED = """new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(
performance.getEntriesByType('paint').at(-1)?.startTime ?? performance.now()))))"""
LOADED = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
SORTED = """new Promise((done) => { const start = performance.now();
document.querySelectorAll('table.board thead .sort')[2].click();
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))); })"""

figure, part = partial(Figure, "board"), partial(attempt, "board")


def measure(size: Size) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with fresh_cache():
            yield from part("verified", measure_verifying, folder / "verified", size.verified)
        yield from part("build", measure_building, folder, size.submissions)
        if keep := os.environ.get("DFAR_BENCH_KEEP_BOARD"):
            shutil.copytree(folder / "board", keep, dirs_exist_ok=True)
        yield from part("usable in a browser", measure_page, folder / "board" / "index.html")


def write_submissions(tree: Path, count: int) -> None:
    """Write submissions of base models and of models that were tuned from them on other data."""
    dataset = get_dataset(SPLIT)
    names = tuple(f"{dataset.task}_{kind}" for kind in dataset.kinds)
    tuned = {"mode": "other", "training": {"sets": ["other"], "description": "made for the benchmark"}}
    for number in range(count):
        model = f"lab{number % 37:02}/model-of-some-size-{number:04}"
        base = f"lab{number % 37:02}/model-of-some-size-{number - number % 4:04}"
        fields = {"base": base, **tuned} if number % 4 else {}
        write_submission(tree, model, answering(0.4 + number * 7 % 11 / 20, model), names, **fields)


def measure_verifying(tree: Path, count: int) -> Iterator[Figure]:
    """Verify submissions whose answers no judge has read, then as if on a machine whose judges have read them."""
    write_submissions(tree, count + 1)
    loading, *others = sorted(tree.iterdir())
    verify_all([loading])  # loads the judge
    shutil.rmtree(loading)
    for name in ("new", "again"):
        work = partial(verify, tree, tree.with_name(f"known_{name}"))
        yield figure(f"verified, {name}", len(others) / core_seconds(work), "submissions/core-s")
    yield figure("unchanged ones skipped", len(others) / seconds(work), "submissions/s")


def verify(tree: Path, known: Path) -> None:
    if faults := verify_all([tree], cache=known).faults:
        raise UnmeasuredError(f"a submission that was written for this has a fault: {faults[0]}")


def measure_building(folder: Path, count: int) -> Iterator[Figure]:
    write_submissions(folder / "tree", count)
    site = folder / "board"
    build_site = partial(build, folder / "tree", site, cache=folder / "cache")
    build_site()
    yield figure("submissions", count, "submissions")
    yield figure("build, warm", seconds(build_site), "s")
    yield figure("index.html", (site / "index.html").stat().st_size / 2**20, "MiB")
    yield figure("compare page", (site / f"compare-{SPLIT}.html").stat().st_size / 2**20, "MiB")
    yield figure("whole site", sum(p.stat().st_size for p in site.rglob("*") if p.is_file()) / 2**20, "MiB")


def measure_page(page: Path) -> Iterator[Figure]:
    """Open the page until its table reacts, and sort the table."""
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        raise UnmeasuredError("no chromium on the PATH")
    if not page.exists():
        raise UnmeasuredError("there is no board to open")
    usable, sorting = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for _ in range(5):
            tab = browser.new_page()
            tab.goto(page.as_uri())
            usable.append(max(tab.evaluate(PAINTED), tab.evaluate(LOADED)) / 1000)
            sorting.append(tab.evaluate(SORTED) / 1000)
            tab.close()
        browser.close()
    yield figure("usable in a browser", statistics.median(usable), "s")
    yield figure("usable, slowest of five", max(usable), "s")
    yield figure("sorted", statistics.median(sorting), "s")
