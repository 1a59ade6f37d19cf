"""What the board shows of a submission, as plain values that can be kept on disk.

Computing them takes a second a submission, most of it the judge and the intervals; the pages are made of them in no
time. Whether each row is right is kept as bits, since ranks and comparisons follow from those.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from dfar_bench.answers import Choice, Response
from dfar_bench.bootstrap import intervals
from dfar_bench.data import rows
from dfar_bench.leaderboard.contamination import Contamination
from dfar_bench.leaderboard.flags import Flag
from dfar_bench.leaderboard.result import Verified, VerifiedTask
from dfar_bench.leaderboard.seal import quotes, seal
from dfar_bench.metrics import METRICS
from dfar_bench.samples import LoggedAnswer

Figure = tuple[float | None, float | None, float | None]
"""A metric's value, and the ends of its interval; None where undefined."""

BITS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "cls": {"acc": lambda answer: answer.correct},
    "reason": {
        "mar": lambda answer: answer.judgement.misaligned,
        "mar_self": lambda answer: answer.judgement.self_misaligned,
        "verdict_acc": lambda answer: answer.correct,
    },
}
"""What is kept of every row, by the metric of which it is the item."""


class TaskFacts(BaseModel):
    """One task of a submission. ``bits`` are packed as ``packed_bits`` does, in the order of row ids."""

    model_config = ConfigDict(frozen=True)

    split: str
    kind: str
    signature: str
    sha256: str
    figures: dict[str, Figure]
    bits: dict[str, str]
    codes: dict[str, int]
    flags: list[Flag]
    contamination: Contamination | None
    harness: dict[str, Any]


class Facts(BaseModel):
    """A submission. ``about`` has what it says of itself, by label, in the order in which a page shows it."""

    model_config = ConfigDict(frozen=True)

    model: str
    run: str
    created: str
    mode: str
    base: str | None
    about: dict[str, str]
    flags: list[Flag]
    tasks: dict[str, TaskFacts]


def facts_of(verified: Verified) -> Facts:
    """What the board shows of a submission, but for its rows."""
    submission = verified.submission
    return Facts(
        model=submission.model.id,
        run=verified.folder.name,
        created=submission.created,
        mode=submission.mode,
        base=submission.model.base,
        about=_about(verified),
        flags=list(verified.flags),
        tasks={name: _task(task, verified) for name, task in verified.tasks.items()},
    )


def task_facts(split: str, kind: str, answers: Sequence[Any]) -> dict[str, Any]:
    """What follows of the answers to one task (``Choice`` or ``Response``), sorted by row id."""
    metrics = METRICS[kind]
    spreads = intervals(metrics, answers)
    figures = {}
    for metric in metrics:
        low, high = spreads[metric.name] or (None, None)
        figures[metric.name] = (metric.score([metric.item(answer) for answer in answers]), low, high)
    bits = {name: packed_bits([bit(answer) for answer in answers]) for name, bit in BITS[kind].items()}
    return {"split": split, "kind": kind, "figures": figures, "bits": bits}


def packed_bits(bits: Sequence[bool]) -> str:
    """Bits in base64, the first one lowest in the first byte."""
    return base64.b64encode(np.packbits(np.array(bits, dtype=bool), bitorder="little").tobytes()).decode()


def unpacked_bits(text: str, count: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The ``count`` bits that ``packed_bits`` packed, as zeros and ones."""
    return np.unpackbits(np.frombuffer(base64.b64decode(text), dtype=np.uint8), count=count, bitorder="little")


def packed_rows(verified: Verified) -> str:
    """The rows of a submission for its page: JSON by split, gzip, base64.

    That is a third of the size, and whatever a model wrote can be mistaken for markup by nobody. Of each row: its id,
    where it stands in the published files, ``[right, probability of unethical]``, ``[right, code]`` and the response,
    ``{"sealed": …}`` if it quotes the data; None where there is no such task.
    """
    by_split: dict[str, list[list[Any]]] = {}
    for task in verified.tasks.values():
        found = by_split.setdefault(
            task.split, [[row.row_id, places(task.split)[row.row_id], None, None, None] for row in _tested(task.split)]
        )
        for row, logged, answer in zip(found, task.run.answers, task.answers, strict=True):
            if isinstance(answer, Response):
                row[3], row[4] = [int(answer.correct), answer.judgement.code], _published(logged)
            elif isinstance(answer, Choice):
                row[2] = [int(answer.correct), round(answer.p_unethical, 4)]
    text = json.dumps(by_split, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _published(logged: LoggedAnswer) -> str | dict[str, str]:
    """A response as it may stand on a page."""
    text = str(logged.answer)
    return {"sealed": seal(logged.row, text)} if quotes(logged.row, text) else text


@cache
def places(split: str) -> dict[str, str]:
    """Where each test row stands in the published files, by id, such as ``test:261`` (0-based)."""
    if split != "clean":
        return {row.row_id: f"test:{int(row.row_id[-4:])}" for row in _tested(split)}
    # Of a statement that stands there twice, the clean split has one; the two may differ in their reasons.
    paper = {
        (row.statement, row.reason): f"{part}:{int(row.row_id[-4:])}"
        for part, found in rows("paper").items()
        for row in found
    }
    return {row.row_id: paper[row.statement, row.reason] for row in _tested(split)}


def _tested(split: str) -> tuple[Any, ...]:
    return rows(split)["test"]


def _task(task: VerifiedTask, verified: Verified) -> TaskFacts:
    claimed = verified.submission.tasks[task.task]
    return TaskFacts(
        **task_facts(task.split, task.kind, task.answers),
        signature=task.signature,
        sha256=task.answers_hash,
        codes=task.codes,
        flags=list(task.flags),
        contamination=task.contamination,
        harness=claimed.harness.model_dump(),
    )


def _about(verified: Verified) -> dict[str, str]:
    """What a submission says of itself; nothing of this was checked."""
    submission = verified.submission
    model, run = submission.model, submission.dfar_run
    trained = ", ".join(submission.training.sets)
    found = {
        "Revision": model.revision,
        "Hash of the weights": model.weights_sha256,
        "Base model": model.base,
        "Trained on": trained,
        "Training": submission.training.description,
        "Recipe": run
        and f"{run.method}, mode {run.mode}, {run.data.rows:,} rows of {run.split}"
        f"{' without the leaked ones' if run.drop_leaked else ''}, {run.steps:,} steps, seed {run.seed}, "
        f"prompt {run.prompt}, of {run.base_model.name}",
        "Spread": run
        and f"{run.distribution.type}, {run.distribution.processes} processes on {run.distribution.device}"
        + (f", ZeRO stage {run.distribution.zero_stage}" if run.distribution.zero_stage is not None else ""),
        "Licence": submission.licence,
        "Contact": submission.contact,
        "Link": submission.url,
    }
    return {label: value for label, value in found.items() if value}
