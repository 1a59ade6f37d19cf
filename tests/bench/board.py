"""The leaderboard at scale: how fast submissions are verified, the board built, and its table ready in a browser.

The submissions are made on the spot, with random answers to the whole test set. Responses come from a pool of a few a
row, since a judge would have to read each of half a million to know what to claim; the rate of verifying is taken
from some whose responses are all different.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from dfar_bench.answers import Response, read_choice, read_responses
from dfar_bench.data import LABELS, Row, rows, task_name
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.answers_file import answer_line, doc_hashes, packed
from dfar_bench.leaderboard.names import model_folder
from dfar_bench.leaderboard.schema import SCHEMA_VERSION, Harness
from dfar_bench.leaderboard.site.build import build
from dfar_bench.leaderboard.tree import verify
from dfar_bench.leaderboard.verify import logged_run, run_id
from dfar_bench.metrics import METRICS
from dfar_bench.prompts import STOPS
from dfar_bench.rescore import run_signature
from dfar_bench.samples import LoggedAnswer
from dfar_bench.tasks import DEFAULT_MODES
from tests.bench.figures import Figure, at_least, at_most
from tests.bench.measuring import SPLIT, Size, UnmeasuredError, core_seconds, seconds, tried
from tests.real_browser import CHROMIUM

CREATED = "2026-01-31"
POOL = 4
MODES = ("base", "l", "lr", "other")

# From the beginning of the navigation to the frame after the scripts have run.
PAINTED = """new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(
performance.getEntriesByType('paint').at(-1)?.startTime ?? performance.now()))))"""
LOADED = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
SORTED = """new Promise((done) => { const start = performance.now();
document.querySelectorAll('table.board thead button')[5].click();
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))); })"""

figure, part = partial(Figure, "board"), partial(tried, "board")


def measure(size: Size) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        yield from part("verified", verifying, folder / "different", size.all_different)
        yield from part("build", building, folder, size.submissions)
        if keep := os.environ.get("DFAR_BENCH_KEEP_BOARD"):
            shutil.copytree(folder / "board", keep, dirs_exist_ok=True)
        yield from part("usable in a browser", browsing, folder / "board" / "index.html")


def verifying(tree: Path, count: int) -> Iterator[Figure]:
    """How fast submissions to both tasks are verified."""
    for number in range(count):
        make(tree, SPLIT, number, different=True)
    known = tree.with_name("known.json")
    verify([next(tree.iterdir())])  # the judge is loaded once
    reports = []
    anew = core_seconds(lambda: reports.append(verify([tree], known)))
    again = seconds(lambda: verify([tree], known))
    if faults := reports[0].faults:
        raise UnmeasuredError(f"a submission made for this has a fault: {faults[0]}")
    yield figure("verified", count / anew, "submissions/core-s", at_least(3))
    yield figure("unchanged ones skipped", count / again, "submissions/s")


def building(folder: Path, count: int) -> Iterator[Figure]:
    """How long it takes to build the board, and how large it gets."""
    for number in range(count):
        make(folder / "tree", SPLIT, number)
    site = folder / "board"
    build_anew = partial(build, folder / "tree", site, cache=folder / "cache")
    yield figure("submissions", count, "submissions")
    yield figure("build, cold", seconds(build_anew), "s")
    yield figure("build, warm", seconds(build_anew), "s", at_most(30))
    yield figure("index.html", (site / "index.html").stat().st_size / 2**20, "MiB", at_most(2))
    yield figure("compare page", (site / f"compare-{SPLIT}.html").stat().st_size / 2**20, "MiB")
    yield figure("whole site", sum(p.stat().st_size for p in site.rglob("*") if p.is_file()) / 2**20, "MiB")


def browsing(page: Path) -> Iterator[Figure]:
    """Until the table is there and answers, and until it is sorted anew."""
    times, sorts = browser_seconds(page)
    yield figure("usable in a browser", statistics.median(times), "s", at_most(1))
    yield figure("usable, slowest of five", max(times), "s")
    yield figure("sorted anew", statistics.median(sorts), "s")


def browser_seconds(page: Path) -> tuple[list[float], list[float]]:
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        raise UnmeasuredError("no chromium on the PATH")
    if not page.exists():
        raise UnmeasuredError("there is no board to look at")
    times, sorts = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for _ in range(5):
            tab = browser.new_page()
            tab.goto(page.as_uri())
            times.append(max(tab.evaluate(PAINTED), tab.evaluate(LOADED)) / 1000)
            sorts.append(tab.evaluate(SORTED) / 1000)
            tab.close()
        browser.close()
    return times, sorts


def make(tree: Path, split: str, number: int, *, different: bool = False) -> None:
    """Write a submission with random answers.

    Args:
        different: every response another one.
    """
    draw = random.Random(f"{number} {different}")
    share = draw.uniform(0.4, 0.95)
    test = sorted(rows(split)["test"], key=lambda row: row.row_id)
    choices = []
    for row in test:
        right, margin = draw.random() < share, draw.expovariate(1)
        label = row.label if right else 1 - row.label
        choices.append((-0.1, -0.1 - margin) if label == 0 else (-0.1 - margin, -0.1))
    if different:
        texts = [_text(row, draw.random() < share, f"{number} {draw.random()}") for row in test]
        responses = read_responses(list(zip(test, texts)), get_judge())
    else:
        picked = [draw.randrange(POOL // 2) + (POOL // 2) * (draw.random() > share) for _ in test]
        texts = [_pool(split)[at][one][0] for at, one in enumerate(picked)]
        responses = [_pool(split)[at][one][1] for at, one in enumerate(picked)]
    name = f"lab{number % 37:02}/model-of-some-size-{number:04}"
    answered = {"cls": choices, "reason": texts}
    read = {"cls": [read_choice(row, both) for row, both in zip(test, choices)], "reason": responses}
    folder = tree / model_folder(name) / "making"
    folder.mkdir(parents=True)
    mode = MODES[number % len(MODES)]
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "created": CREATED,
        "model": {"id": name, "revision": "main", "weights_sha256": None, "base": None},
        "mode": mode,
        "training": {"sets": ["none" if mode == "base" else "other"], "description": "made for the benchmark"},
        "dfar_run": None,
        "tasks": {},
    }
    if mode != "base":
        document["model"]["base"] = f"lab{number % 37:02}/model-of-some-size-{number - number % 4:04}"
    for kind in METRICS:
        task, content, harness = _answers(split, kind, test, answered[kind])
        (folder / f"{task}.jsonl.gz").write_bytes(content)
        run = logged_run(task, harness, tuple(LoggedAnswer(row, one) for row, one in zip(test, answered[kind])))
        document["tasks"][task] = {
            "signature": run_signature(run, get_judge()),
            "rows": len(test),
            "answers": f"{task}.jsonl.gz",
            "sha256": hashlib.sha256(content).hexdigest(),
            "metrics": {one.name: one.score([one.item(answer) for answer in read[kind]]) for one in METRICS[kind]},
            "harness": harness.model_dump(),
        }
    written = (json.dumps(document) + "\n").encode()
    (folder / "submission.json").write_bytes(written)
    folder.rename(folder.with_name(run_id(CREATED, written)))


def _answers(split: str, kind: str, test: Sequence[Row], answered: Sequence[Any]) -> tuple[str, bytes, Harness]:
    mode = DEFAULT_MODES[kind]
    hashes = doc_hashes(split, "llama2.v1", mode)
    lines = [answer_line(LoggedAnswer(row, one), hashes[row.row_id]) for row, one in zip(test, answered)]
    generation = {"until": list(STOPS), "do_sample": False, "max_gen_toks": 192} if kind == "reason" else None
    harness = Harness.model_validate(
        {
            "lm_eval": "0.4.13", "transformers": None, "torch": None, "prompt": "llama2.v1", "mode": mode,
            "num_fewshot": 0, "fewshot_as_multiturn": False, "chat_template_sha": None,
            "system_instruction_sha": None, "context": None, "messages": False, "generation_kwargs": generation,
            "limit": None, "seeds": {"random": 1, "numpy": 1, "torch": 1, "fewshot": 1},
        }
    )  # fmt: skip
    return task_name(split, kind), packed(lines), harness


@cache
def _pool(split: str) -> list[list[tuple[str, Response]]]:
    """A few responses a row with what the judge makes of them; the first half has the human verdict."""
    test = sorted(rows(split)["test"], key=lambda row: row.row_id)
    texts = [[_text(row, one < POOL // 2, str(one)) for one in range(POOL)] for row in test]
    read = read_responses([(row, text) for row, some in zip(test, texts) for text in some], get_judge())
    return [[(text, read[at * POOL + one]) for one, text in enumerate(some)] for at, some in enumerate(texts)]


def _text(row: Row, right: bool, salt: str) -> str:
    """Half of one human reason and half of another, so that the judge has something to read."""
    draw = random.Random(f"{row.row_id} {salt}")
    train = rows(row.row_id.partition("-")[0])["train"] or rows("paper")["train"]
    one, other = (draw.choice(train).reason.split() for _ in range(2))
    label = row.label if right else 1 - row.label
    return f" {LABELS[label]}. {' '.join([*one[: len(one) // 2], *other[len(other) // 2 :]])}"
