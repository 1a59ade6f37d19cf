"""The page on which any two entries of a row set are compared, and the files of answers that it opens.

The page computes from bits and row ids that it holds itself. Answers are in one file per run and data set, which it
opens in a hidden frame when the run is chosen: a page that was opened from disk may read no other file, but a frame can
hand over what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dfar_bench.datasets import Dataset
from dfar_bench.judges import CODES
from dfar_bench.leaderboard.answer_rows import pack_rows
from dfar_bench.leaderboard.board import Table, keeps_apart
from dfar_bench.leaderboard.entries import Entry, judge_errs
from dfar_bench.leaderboard.links import Links
from dfar_bench.leaderboard.own_copy import layouts
from dfar_bench.leaderboard.pages import data_block, page
from dfar_bench.leaderboard.row_set import RowSet, clusters
from dfar_bench.scoring import KINDS, METRICS, RESAMPLES, SEED, Metric, Signature
from dfar_bench.scoring.statistics import group_statistics

FIELDS = {
    "batch": "batch size",
    "chat": "chat template",
    "dfar_bench": "version of dfar-bench",
    "ends": "how cut-off answers are known",
    "gen": "settings of generation",
    "lm_eval": "version of lm-eval",
    "max_gen_toks": "limit on tokens",
    "seed": "seed of sampled answers",
    "shots": "examples",
    "system": "system prompt",
}
"""What fields of signatures are called, where their names do not say it."""


def comparison(tables: Sequence[Table], links: Links, *, with_answers: bool) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of a row set's comparison page, and of its entries' answers."""
    row_set, dataset = tables[0].row_set, tables[0].dataset
    every = [entry for table in tables for entry in (*table.ranked, *table.apart, *table.baselines)]
    entries = list({entry.key: entry for entry in every}.values())
    measured = _measured(dataset, entries)
    yield (
        f"compare-{row_set.key}.html",
        page(
            "compare.html",
            *("data.js", "own_copy.js", "rows.js", "compare.js"),
            row_set=row_set,
            links=links,
            layouts=layouts(dataset.name),
            data=data_block(
                {
                    **_comparable(row_set, entries, measured),
                    "layouts": layouts(dataset.name),
                    "title": row_set.title,
                    "withAnswers": with_answers,
                }
            ),
            rows=pack_rows(row_set),
            resamples=RESAMPLES,
            codes=CODES,
            measured=measured,
            metrics=METRICS,
        ),
    )
    for entry in entries if with_answers else ():
        root = "../" * (entry.key.count("/") + 2)
        context = {"entry": entry, "row_set": row_set, "answers": entry.facts.rows[dataset.name], "root": root}
        yield f"answers/{row_set.key}/{entry.key}.html", page("answers.html", "hand_over.js", **context)


def _measured(dataset: Dataset, entries: Sequence[Entry]) -> list[Metric]:
    """Return the metrics that are shares and that any entry has; those over unleaked rows where there is a leak."""
    names = {name for entry in entries for task in entry.tasks.values() for name in task.bits}
    if not dataset.has_leak:
        names -= {metric.unleaked for metric in METRICS.values()}
    return [metric for metric in METRICS.values() if metric.name in names]


def _comparable(row_set: RowSet, entries: Sequence[Entry], measured: Sequence[Metric]) -> dict[str, Any]:
    """Return what the page computes from and shows.

    That is the bits of every share, the contrast groups of the rows, and of each entry its signatures by title of task
    (``asked``), their fields (``signatures``) and which of these keep scores apart (``apart``) by kind, the words that
    stand in place of figures that would mislead, and how often the judge errs on such answers.
    """
    dataset, names = row_set.dataset, {metric.name for metric in measured}
    counted: dict[str, int] = {}  # which rows count: the same for most entries, so kept once
    shown = []
    for entry in entries:
        bits = {
            name: (hits, counted.setdefault(rows, len(counted)))
            for task in entry.tasks.values()
            for name, (hits, rows) in task.bits.items()
            if name in names
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
                "words": {metric.name: words for metric in measured if (words := entry.has_words_for(metric))},
                "asked": {KINDS[kind].title: text for kind, text in asked.items()},
                "judgeErrs": judge_errs([entry]),
                "signatures": {kind: Signature.parse(text).fields for kind, text in asked.items()},
                "apart": {kind: list(keeps_apart(text).fields) for kind, text in asked.items()},
            }
        )
    return {
        "name": row_set.key,
        "clusters": clusters(dataset.name, sampled=row_set.sampled),
        "counted": list(counted),
        "entries": shown,
        "fields": FIELDS,
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
            for metric in measured
        ],
        "resamples": RESAMPLES,
        "seed": SEED,
    }
