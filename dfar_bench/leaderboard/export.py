"""``results.json`` and ``results.csv``: the board's figures for programs.

``results.json`` is an object with ``schema_version`` (4; raised when a field changes its meaning or goes),
``dfar_bench``, ``judge``, ``judge_error_rates`` (a list, by kind of model; see ``judges.validation.rates``),
``intervals``, ``rows`` and ``reported`` (figures published elsewhere). A row is a submission or a baseline on one data
set, in the order of the pages:

- ``data``, ``table`` (rows with the same two may be compared), and by kind of task ``conditions`` and ``signatures``;
- ``status``: ``rescored`` (from its answers; the rest is the submitter's word), ``contaminated`` (the same, not
  ranked), ``trivial`` or ``classical``;
- ``reproduced``: what came of running it again (``reproduced.Outcome``, with ``holds``); null if nobody did;
- ``model``, ``run``, ``mode``, ``base``, ``created``, ``flags``, ``contaminated`` (null where it is not known),
  ``contaminated_rows``, ``contaminated_unleaked_rows``;
- ``ranks``: by metric ``[best, worst]`` place that is not excluded; empty where not ranked;
- ``metrics``: by kind of task and name ``value``, ``low``, ``high``; rates between 0 and 1;
- ``adjusted``: the same by name, of metrics adjusted for the errors of the judge, where those are known.

``results.csv`` has the same rows, with a column for each value.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dfar_bench import __version__
from dfar_bench.judges import Judge
from dfar_bench.judges.validation.rates import KINDS_OF_ANSWERS, error_rates
from dfar_bench.leaderboard.board import Table
from dfar_bench.leaderboard.entries import Entry
from dfar_bench.leaderboard.reported import Reported
from dfar_bench.scoring import KINDS, LEVEL, METRICS, RESAMPLES, SEED, Signature
from dfar_bench.scoring.adjustment import ADJUSTED

SCHEMA_VERSION = 4

_ENDS = ("", "_low", "_high")
"""Of the columns for value, low and high."""
_FIELDS = ("data", "table", "status", "model", "run", "mode", "base", "created")


def results(tables: Mapping[str, Sequence[Table]], reported: Sequence[Reported], judge: Judge) -> dict[str, bytes]:
    """Return the two files by name."""
    rows = [
        _row(entry, table) for members in tables.values() for table in members for entry in (*table.rows, *table.apart)
    ]
    document = {
        "schema_version": SCHEMA_VERSION,
        **provenance(judge),
        "rows": rows,
        "reported": [table.model_dump() for table in reported],
    }
    return {
        "results.json": (json.dumps(document, indent=1, allow_nan=False) + "\n").encode(),
        "results.csv": _csv(rows),
    }


def provenance(judge: Judge) -> dict[str, Any]:
    """Return how figures came about, for a document that holds them."""
    return {
        "dfar_bench": __version__,
        "judge": judge.signature,
        "judge_error_rates": [
            rates.as_json() for kind in KINDS_OF_ANSWERS if (rates := error_rates(judge.signature, kind))
        ],
        "intervals": {"level": LEVEL, "resamples": RESAMPLES, "seed": SEED},
    }


def csv_bytes(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Write rows as CSV. Names of models cannot begin with a sign that spreadsheets take for a formula's."""
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval=None, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _row(entry: Entry, table: Table) -> dict[str, Any]:
    facts = entry.facts
    met = [task.contamination for task in entry.tasks.values() if task.contamination]
    signatures = {kind: task.signature for kind, task in entry.tasks.items() if task.signature}
    return {
        "data": table.row_set.key,
        "table": table.number,
        "status": entry.status,
        "model": facts.model,
        "run": None if entry.is_baseline else facts.run,
        "mode": facts.mode or None,
        "base": facts.base,
        "created": facts.created or None,
        "reproduced": facts.reproduced and {"holds": facts.reproduced.holds, **facts.reproduced.model_dump()},
        "flags": [flag.kind for flag in entry.flags],
        "contaminated": None if entry.is_baseline else entry.contaminated,
        "contaminated_rows": max((one.rows for one in met), default=None),
        "contaminated_unleaked_rows": max((one.unleaked_rows for one in met), default=None),
        "ranks": {metric: [rank.best, rank.worst] for metric, rank in entry.ranks.items()},
        "conditions": {kind: Signature.parse(text).get("condition") for kind, text in signatures.items()},
        "signatures": signatures,
        "metrics": {
            kind: {name: estimate.as_json() for name, estimate in task.figures.items()}
            for kind, task in entry.tasks.items()
        },
        "adjusted": {
            name: estimate.as_json() for task in entry.tasks.values() for name, estimate in task.adjusted.items()
        },
    }


def _csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    ranked = [metric.name for metric in METRICS.values() if metric.ranked]
    names = [
        *_FIELDS,
        "flags",
        "contaminated",
        "reproduced",
        *(f"rank_{metric}_{end}" for metric in ranked for end in ("best", "worst")),
        *(f"{name}{end}" for name in METRICS for end in _ENDS),
        *(f"{name}_adjusted{end}" for name in ADJUSTED for end in _ENDS),
        *(f"{field}_{kind}" for kind in KINDS for field in ("condition", "signature")),
    ]
    flat = []
    for row in rows:
        cells = {name: row[name] for name in (*_FIELDS, "contaminated")} | {"flags": " ".join(row["flags"])}
        cells |= {"reproduced": row["reproduced"] and row["reproduced"]["holds"]}
        for metric, (best, worst) in row["ranks"].items():
            cells |= {f"rank_{metric}_best": best, f"rank_{metric}_worst": worst}
        for kind, figures in row["metrics"].items():
            cells |= {
                f"condition_{kind}": row["conditions"].get(kind),
                f"signature_{kind}": row["signatures"].get(kind),
            }
            for name, figure in figures.items():
                cells |= _cells(name, figure)
        for name, figure in row["adjusted"].items():
            cells |= _cells(f"{name}_adjusted", figure)
        flat.append(cells)
    return csv_bytes(names, flat)


def _cells(name: str, figure: Mapping[str, Any]) -> dict[str, Any]:
    return {name: figure["value"], f"{name}_low": figure["low"], f"{name}_high": figure["high"]}
