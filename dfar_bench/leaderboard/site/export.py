"""``results.json`` and ``results.csv``: the board's figures for programs.

``results.json`` is an object with ``schema_version`` (1; raised when a field changes its meaning or goes),
``dfar_bench``, ``judge``, ``judge_error_rates``, ``intervals`` and ``rows``. A row is a submission or null model on one
split, ordered as on the pages:

- ``split``, ``group`` (rows of one split and group may be ranked against each other), ``signatures`` by kind of task;
- ``status``: ``verified``, ``contaminated`` (verified, not ranked), ``null`` or ``classical``;
- ``model``, ``run``, ``mode``, ``base``, ``created``, ``flags``, ``contaminated`` (null where it cannot be told),
  ``contaminated_rows``, ``contaminated_unleaked_rows``;
- ``rank_acc``, ``rank_mar``: ``[best, worst]`` place not excluded, null where not ranked;
- ``metrics``: by kind and name ``value``, ``low``, ``high``; rates between 0 and 1.

``reported`` rows stand in a list of their own. ``results.csv`` has the same rows, a column for each figure.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dfar_bench import __version__
from dfar_bench.bootstrap import LEVEL, RESAMPLES, SEED
from dfar_bench.judges import Judge
from dfar_bench.leaderboard.site.board import Entry, Group
from dfar_bench.leaderboard.site.reported import Reported
from dfar_bench.metrics import METRICS

SCHEMA_VERSION = 1

_FIELDS = ("split", "group", "status", "model", "run", "mode", "base", "created")


def results(boards: Mapping[str, Sequence[Group]], reported: Sequence[Reported], judge: Judge) -> dict[str, bytes]:
    """The two files by name."""
    rows = [
        _row(entry, group) for groups in boards.values() for group in groups for entry in (*group.rows, *group.apart)
    ]
    document = {
        "schema_version": SCHEMA_VERSION,
        "dfar_bench": __version__,
        "judge": judge.signature,
        "judge_error_rates": asdict(judge.error_rates) if judge.error_rates else None,
        "intervals": {"level": LEVEL, "resamples": RESAMPLES, "seed": SEED},
        "rows": rows,
        "reported": [table.model_dump() for table in reported],
    }
    return {
        "results.json": (json.dumps(document, indent=1, allow_nan=False) + "\n").encode(),
        "results.csv": _csv(rows),
    }


def _row(entry: Entry, group: Group) -> dict[str, Any]:
    facts = entry.facts
    met = [task.contamination for task in entry.tasks.values() if task.contamination]
    return {
        "split": group.split,
        "group": group.number,
        "status": ("null" if entry.knows_nothing else "classical")
        if entry.is_null
        else "contaminated"
        if entry.contaminated
        else "verified",
        "model": facts.model,
        "run": None if entry.is_null else facts.run,
        "mode": None if entry.is_null else facts.mode,
        "base": facts.base,
        "created": facts.created or None,
        "flags": [flag.kind for flag in entry.flags],
        "contaminated": None if entry.is_null else entry.contaminated,
        "contaminated_rows": max((one.rows for one in met), default=None),
        "contaminated_unleaked_rows": max((one.unleaked_rows for one in met), default=None),
        "rank_acc": _place(entry, "acc"),
        "rank_mar": _place(entry, "mar"),
        "signatures": {kind: task.signature for kind, task in entry.tasks.items() if task.signature},
        "metrics": {
            kind: {name: dict(zip(("value", "low", "high"), found)) for name, found in task.figures.items()}
            for kind, task in entry.tasks.items()
        },
    }


def _place(entry: Entry, metric: str) -> list[int] | None:
    found = entry.ranks.get(metric)
    return [found.best, found.worst] if found else None


def _csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    figures = [(kind, metric.name) for kind, metrics in METRICS.items() for metric in metrics]
    names = [
        *_FIELDS,
        "flags",
        "contaminated",
        *(f"rank_{metric}_{end}" for metric in ("acc", "mar") for end in ("best", "worst")),
        *(f"{name}{end}" for _, name in figures for end in ("", "_low", "_high")),
        *(f"signature_{kind}" for kind in METRICS),
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(list(_cells(row, figures)) for row in rows)
    return out.getvalue().encode()


def _cells(row: Mapping[str, Any], figures: Sequence[tuple[str, str]]) -> Iterator[object]:
    """A row's cells. The names of models cannot begin with a sign that spreadsheets take for a formula's."""
    yield from (row[name] for name in _FIELDS)
    yield " ".join(row["flags"])
    yield row["contaminated"]
    for metric in ("acc", "mar"):
        yield from row[f"rank_{metric}"] or (None, None)
    for kind, name in figures:
        found = row["metrics"].get(kind, {}).get(name, {})
        yield from (found.get(end) for end in ("value", "low", "high"))
    yield from (row["signatures"].get(kind) for kind in METRICS)
