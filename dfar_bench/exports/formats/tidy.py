"""``csv`` and ``json``: one tidy table, with a row for each metric of each task of each run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dfar_bench.exports.base import FORMATS, Format, Options
from dfar_bench.exports.result import Result

COLUMNS = (
    "model", "run", "created", "revision", "data", "task", "condition", "prompt", "metric", "value", "low", "high", "n",
    "remark", "judge", "judge_errs", "contaminated", "flags", "signature",
)  # fmt: skip


def rows(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    """Yield the rows, each with ``COLUMNS``; None where something does not apply or is not known."""
    for result in results:
        signature = result.signature
        same = {
            "model": result.model,
            "run": result.run_id,
            "created": result.created,
            "revision": result.revision or None,
            "data": result.task.dataset.name,
            "task": result.task.name,
            "condition": signature.get("condition"),
            "prompt": signature.get("prompt"),
            "contaminated": result.contaminated,
            "flags": list(result.flags),
            "signature": str(signature),
        }
        for figure in result.figures:
            judged = figure.metric.judged
            own = {
                "metric": figure.name,
                **figure.estimate.as_json(),
                "n": figure.n,
                "remark": result.words_for(figure.metric) or None,
                "judge": signature.get("judge") if judged else None,
                "judge_errs": result.judge_errs if judged else None,
            }
            yield {name: (same | own)[name] for name in COLUMNS}


def _csv(results: Sequence[Result], options: Options) -> dict[str, bytes]:
    from dfar_bench.leaderboard.export import csv_bytes

    flat = ({**row, "flags": " ".join(row["flags"])} for row in rows(results))
    return {"results.csv": csv_bytes(COLUMNS, flat)}


def _json(results: Sequence[Result], options: Options) -> dict[str, bytes]:
    from dfar_bench.leaderboard.export import provenance

    document = {**provenance(options.judge), "rows": list(rows(results))}
    return {"results.json": (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()}


FORMATS.add(Format("csv", _csv, single=True))
FORMATS.add(Format("json", _json, single=True))
