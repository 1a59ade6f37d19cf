"""The page on which any two entries of a data set are compared, and the files of answers that it opens.

The page computes from bits and row ids that it holds itself. Answers are in one file per run and data set, which it
opens in a hidden frame when the run is chosen: a page that was opened from disk may read no other file, but a frame can
hand over what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dfar_bench.leaderboard.answer_rows import pack_rows
from dfar_bench.leaderboard.board import Table, how_asked, keeps_apart
from dfar_bench.leaderboard.entries import Entry, judge_errs
from dfar_bench.leaderboard.links import Links
from dfar_bench.leaderboard.own_copy import layouts
from dfar_bench.leaderboard.pages import data_block, page
from dfar_bench.leaderboard.ranks import clusters
from dfar_bench.scoring import KINDS, METRICS, RESAMPLES, SEED
from dfar_bench.scoring.statistics import group_statistics


def comparison(name: str, tables: Sequence[Table], links: Links, *, with_answers: bool) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of a data set's comparison page, and of its entries' answers."""
    dataset = tables[0].dataset
    every = [entry for table in tables for entry in (*table.ranked, *table.apart, *table.baselines)]
    entries = list({entry.key: entry for entry in every}.values())
    yield (
        f"compare-{name}.html",
        page(
            "compare.html",
            *("data.js", "own_copy.js", "rows.js", "compare.js"),
            dataset=dataset,
            links=links,
            layouts=layouts(name),
            data=data_block(
                {
                    **_comparable(tables, entries),
                    "layouts": layouts(name),
                    "title": dataset.title,
                    "withAnswers": with_answers,
                }
            ),
            rows=pack_rows(name),
            resamples=RESAMPLES,
        ),
    )
    for entry in entries if with_answers else ():
        root = "../" * (entry.key.count("/") + 2)
        context = {"entry": entry, "dataset": dataset, "links": links, "answers": entry.facts.rows[name], "root": root}
        yield f"answers/{name}/{entry.key}.html", page("answers.html", "hand_over.js", **context)


def _comparable(tables: Sequence[Table], entries: Sequence[Entry]) -> dict[str, Any]:
    """Return what the page computes from and shows.

    That is the bits of every share, the contrast groups of the rows, and of each entry its signatures by title of task
    (``asked``), the fields to compare them by (``signatures``), and how often the judge errs on such answers.
    """
    dataset = tables[0].dataset
    without = set() if dataset.has_leak else {metric.unleaked for metric in METRICS.values()}
    counted: dict[str, int] = {}  # which rows count: the same for most entries, so kept once
    shown = []
    for entry in entries:
        bits = {
            name: (hits, counted.setdefault(rows, len(counted)))
            for task in entry.tasks.values()
            for name, (hits, rows) in task.bits.items()
            if name not in without
        }
        asked = {kind: task.signature for kind, task in entry.tasks.items() if task.signature}
        run = f" ({entry.facts.run})" if entry.is_baseline else f" · {entry.facts.run}"
        shown.append(
            {
                "key": entry.key,
                "name": entry.facts.model,
                "label": f"{entry.facts.model}{run}",
                "isBaseline": entry.is_baseline,
                "contaminated": bool(entry.contaminated),
                "bits": bits,
                "asked": {KINDS[kind].title: text for kind, text in asked.items()},
                "judgeErrs": judge_errs([entry]),
                "signatures": {kind: how_asked(text) for kind, text in asked.items()},
                "byKind": [kind for kind, text in asked.items() if "prompt" not in keeps_apart(text).fields],
            }
        )
    return {
        "name": dataset.name,
        "clusters": clusters(dataset.name),
        "counted": list(counted),
        "entries": shown,
        "kinds": [{"name": kind, "title": KINDS[kind].title} for kind in dataset.kinds],
        "labels": dataset.labels,
        "metrics": [
            {
                "name": metric.name,
                "kind": metric.kind,
                "title": metric.title,
                "higher": metric.higher_is_better,
                "ofGroups": metric.statistics is group_statistics,
            }
            for metric in METRICS.values()
        ],
        "resamples": RESAMPLES,
        "seed": SEED,
    }
