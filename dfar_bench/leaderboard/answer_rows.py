"""Rows and answers as pages hold them: each test row once per data set, each answer once per run.

Everything is packed as JSON, gzip and base64, which nothing in it can mistake for markup.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dfar_bench.datasets import Dataset
from dfar_bench.leaderboard.answers_file import Stored
from dfar_bench.leaderboard.own_copy import key, keys
from dfar_bench.leaderboard.row_set import RowSet
from dfar_bench.scoring import Answer, Argument, Choice


def pack_rows(row_set: RowSet) -> str:
    """Pack test rows, sorted by id.

    Each has its ``id``, the name of its contrast ``group``, whether it is ``leaked``, the right ``label`` (null: there
    is none), ``at`` (see ``own_copy``), the ``sizes`` of statement and reason in characters, by which a wrong copy is
    noticed, and these ``texts`` themselves where they may be published, else null.
    """
    dataset = row_set.dataset
    return _pack(
        [
            {
                "id": row.row_id,
                "group": row.group_id,
                "leaked": row.leaked,
                "label": row.label if dataset.has_right_answer(row) else None,
                "at": key(row),
                "sizes": (len(row.statement), len(row.reason)),
                "texts": (row.statement, row.reason) if dataset.publishable else None,
            }
            for row in row_set.rows
        ]
    )


def pack_answers(dataset: Dataset, tasks: Iterable[tuple[str, Sequence[Answer], Sequence[Stored]]]) -> str:
    """Pack what was answered to a data set, by kind of task, in the order of row ids.

    An answer has the index of its ``verdict`` (null: none can be read), how far that is ``right`` (½ for a tie of two),
    and the ``probability`` of the verdict, or the judge's ``code`` and the ``response``: a text, or the parts in which
    it is stored, each reference with ``at`` (see ``own_copy``).

    Args:
        tasks: name of the kind, answers sorted by row id, and these as they are stored.
    """
    places = keys(dataset)
    return _pack(
        {
            kind: [_shown(answer, stored, places) for answer, stored in zip(answers, stored_answers, strict=True)]
            for kind, answers, stored_answers in tasks
        }
    )


def _shown(answer: Answer, stored: Stored, places: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"right": answer.credit}
    if isinstance(answer, Choice):
        shown |= {"verdict": answer.predicted, "probability": round(answer.confidence, 4)}
    elif isinstance(answer, Argument):
        response: Any = stored
        if isinstance(stored, list):
            response = [part if isinstance(part, str) else {**part, "at": places[part["row"]]} for part in stored]
        shown |= {"verdict": answer.verdict, "code": answer.code, "response": response}
    return shown


def _pack(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
