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
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dfar_bench.answers import Response, read_choice, read_responses
from dfar_bench.data import LABELS, Row, rows, task_name
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.answers_file import doc_hashes, packed
from dfar_bench.leaderboard.names import model_folder
from dfar_bench.leaderboard.schema import SCHEMA_VERSION, ChoiceLine, Harness, ResponseLine
from dfar_bench.leaderboard.site.build import build
from dfar_bench.leaderboard.tree import verify
from dfar_bench.leaderboard.verify import logged_run, run_id
from dfar_bench.metrics import METRICS
from dfar_bench.prompts import STOPS
from dfar_bench.rescore import run_signature
from dfar_bench.samples import LoggedAnswer
from dfar_bench.tasks import DEFAULT_MODES

CREATED = "2026-01-31"
SUBMISSIONS = 1_000
HONEST = 20
POOL = 4
MODES = ("base", "l", "lr", "other")


def measure(split: str, count: int = SUBMISSIONS) -> dict[str, Any]:
    """Rates, seconds and bytes for a board of so many submissions to both tasks of a split."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for number in range(HONEST):
            make(folder / "honest", split, number, different=True)
        verify([next((folder / "honest").iterdir())])  # the judge is loaded once
        start = time.process_time()  # of one core, whatever else runs here
        verify([folder / "honest"], folder / "known.json")
        honest = time.process_time() - start
        for number in range(count):
            make(folder / "tree", split, number)
        whole = seconds(lambda: verify([folder / "honest"], folder / "known.json"))
        cold = seconds(lambda: build(folder / "tree", folder / "board", cache=folder / "cache"))
        warm = seconds(lambda: build(folder / "tree", folder / "board", cache=folder / "cache"))
        size = (folder / "board" / "index.html").stat().st_size
        out = {
            "submissions": count,
            "rows": len(rows(split)["test"]),
            "verified a second of a core": round(HONEST / honest, 2),
            "skipped unchanged a second": round(HONEST / whole),
            "build, cold, s": round(cold, 1),
            "build, warm, s": round(warm, 1),
            "index.html, MiB": round(size / 2**20, 2),
            "compare page, MiB": round((folder / "board" / f"compare-{split}.html").stat().st_size / 2**20, 2),
            "site, MiB": round(sum(p.stat().st_size for p in (folder / "board").rglob("*") if p.is_file()) / 2**20),
            "goal": "3 a second, 30 s warm, 2 MiB, usable in 1 s",
        }
        if keep := os.environ.get("DFAR_BENCH_KEEP_BOARD"):
            shutil.copytree(folder / "board", keep, dirs_exist_ok=True)
        return out | usable(folder / "board" / "index.html")


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def usable(page: Path) -> dict[str, float]:
    """Seconds until the table is there and answers, and until it is sorted anew; nothing without a browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return {}
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        return {}
    times, sorts = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for _ in range(5):
            tab = browser.new_page()
            tab.goto(page.as_uri())
            # From the beginning of the navigation to the frame after the scripts have run.
            times.append(
                tab.evaluate(
                    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done("
                    "performance.getEntriesByType('paint').at(-1)?.startTime ?? performance.now()))))"
                )
            )
            ready = tab.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
            times[-1] = max(times[-1], ready)
            sorts.append(
                tab.evaluate(
                    "new Promise((done) => { const start = performance.now();"
                    "document.querySelectorAll('table.board thead button')[5].click();"
                    "requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))); })"
                )
            )
            tab.close()
        browser.close()
    return {
        "usable, s": round(sorted(times)[2] / 1000, 2),
        "usable, slowest of 5, s": round(max(times) / 1000, 2),
        "sorted, s": round(sorted(sorts)[2] / 1000, 2),
    }


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
    lines: list[ChoiceLine | ResponseLine] = [
        ResponseLine(row_id=row.row_id, doc_hash=hashes[row.row_id], response=one)
        if kind == "reason"
        else ChoiceLine(row_id=row.row_id, doc_hash=hashes[row.row_id], log_likelihoods=list(one))
        for row, one in zip(test, answered)
    ]
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
