"""What the board shows of a submission, as plain values that can be cached.

Computing them takes a second per submission, most of it the judge and the intervals. Metrics that are shares of rows
are kept as bits, since ranks and comparisons follow from those.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from dfar_bench.datasets import get_dataset
from dfar_bench.leaderboard.answer_rows import pack_answers
from dfar_bench.leaderboard.contamination import Contamination
from dfar_bench.leaderboard.flags import Flag
from dfar_bench.leaderboard.origin import Origin, origin_of
from dfar_bench.leaderboard.reproduced import Outcome
from dfar_bench.leaderboard.schema import Submission
from dfar_bench.leaderboard.verified import VerifiedSubmission, VerifiedTask
from dfar_bench.scoring import Answer, Estimate, Kind, Metric, count_codes
from dfar_bench.scoring.statistics import mean_value

PARTS = 16

Bits = tuple[tuple[str, ...], str]
"""A share as packed bits in the order of row ids: the rows (or groups) that are hits, and those that count. Where ties
make parts of a hit, the hits are packed 2, 4, 8 or 16 (``PARTS``) times: what is at least one part, two, …"""


class TaskFacts(BaseModel):
    """One task.

    Attributes:
        bits: there for metrics that are shares of rows or groups.
        adjusted: what shares are when adjusted for the errors of the judge, where those are known.
        judge_errs: how often the judge errs on answers of such models, in words; "" where that is not known.
    """

    model_config = ConfigDict(frozen=True)

    data: str
    kind: str
    figures: dict[str, Estimate]
    bits: dict[str, Bits]
    signature: str = ""
    codes: dict[str, int] = {}
    flags: list[Flag] = []
    contamination: Contamination | None = None
    adjusted: dict[str, Estimate] = {}
    judge_errs: str = ""
    harness: dict[str, Any] = {}


class Facts(BaseModel):
    """A submission or a baseline.

    Attributes:
        run: the name of the submission's folder, or what sort of baseline it is.
        mode: how it was trained; "" for a baseline.
        about: what the submission says of itself, by label, in the order in which a page shows it; nothing of it was
            checked.
        reproduced: the outcome of its reproduction run, if there was one.
        rows: its answers by data set; see ``pack_answers``.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    run: str
    created: str = ""
    mode: str = ""
    base: str | None = None
    origin: Origin = Origin()
    about: dict[str, str] = {}
    flags: list[Flag] = []
    reproduced: Outcome | None = None
    tasks: dict[str, TaskFacts]
    rows: dict[str, str] = {}

    def with_flags(self, flags: Iterable[Flag]) -> Facts:
        """Return these facts with more flags."""
        return self.model_copy(update={"flags": [*self.flags, *flags]})

    def with_outcome(self, outcome: Outcome | None) -> Facts:
        """Return these facts with the outcome of its reproduction run."""
        return self.model_copy(update={"reproduced": outcome})


def facts_of(verified: VerifiedSubmission) -> dict[str, Any]:
    """Return the facts of a submission as plain JSON types."""
    submission = verified.submission
    facts = Facts(
        model=verified.model,
        run=verified.run,
        created=submission.created,
        mode=submission.mode,
        base=submission.model.base,
        origin=origin_of(submission, [task.run for task in verified.tasks.values()]),
        about=_about(verified),
        flags=list(verified.flags),
        tasks={
            name: task_facts(
                task.task.dataset.name,
                task.task.kind,
                task.answers,
                task.estimates,
                signature=str(task.signature),
                flags=list(task.flags),
                contamination=task.contamination,
                adjusted=task.adjusted,
                judge_errs=str(task.error_rates or ""),
                harness=task.harness.model_dump(mode="json"),
            )
            for name, task in verified.tasks.items()
        },
        rows=_rows(verified),
    )
    return facts.model_dump(mode="json")


def task_facts(
    data: str, kind: Kind, answers: Sequence[Answer], figures: Mapping[str, Estimate], **others: Any
) -> TaskFacts:
    """Return the facts that follow from the answers to one task, sorted by row id, and their estimates."""
    metrics = [metric for metric in kind.all_metrics if metric.name in figures]
    shares = {metric.name: bits for metric in metrics if (bits := share_bits(metric, answers))}
    return TaskFacts(
        data=data, kind=kind.name, figures=dict(figures), bits=shares, codes=count_codes(answers), **others
    )


def share_bits(metric: Metric, answers: Sequence[Answer]) -> Bits | None:
    """Return a metric's bits; None if it is not a share of rows or groups, or of smaller parts than there are."""
    if metric.value is not mean_value:
        return None
    hits, counted = metric.statistics([metric.item(answer) for answer in answers]).T
    parts = next((parts for parts in (1, 2, 4, 8, PARTS) if (hits * parts % 1 == 0).all()), None)
    if parts is None or not (np.isin(counted, (0, 1)).all() and (hits >= 0).all() and (hits <= 1).all()):
        return None
    return tuple(pack(hits * parts >= part) for part in range(1, parts + 1)), pack(counted)


def pack(bits: Any) -> str:
    """Pack bits in base64, the first one lowest in the first byte."""
    return base64.b64encode(np.packbits(np.array(bits, dtype=bool), bitorder="little").tobytes()).decode()


def unpack(text: str, count: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return ``count`` packed bits as zeros and ones."""
    return np.unpackbits(np.frombuffer(base64.b64decode(text), dtype=np.uint8), count=count, bitorder="little")


def _rows(verified: VerifiedSubmission) -> dict[str, str]:
    by_data: dict[str, list[VerifiedTask]] = {}
    for task in verified.tasks.values():
        by_data.setdefault(task.task.dataset.name, []).append(task)
    return {
        name: pack_answers(get_dataset(name), [(task.task.kind.name, task.answers, task.stored) for task in tasks])
        for name, tasks in by_data.items()
    }


def _identified_by(submission: Submission) -> str:
    """Say how it is known which state of the model was scored."""
    model, recorded = submission.model, submission.recorded
    if model.revision:
        return (
            "a commit, as lm_eval recorded it" if recorded and recorded.commit else "a commit, at the submitter's word"
        )
    taken = "when it was scored" if recorded and recorded.weights_sha256 else "when it was submitted"
    return f"a hash of its weights, taken {taken}"


def _about(verified: VerifiedSubmission) -> dict[str, str]:
    submission = verified.submission
    model, run = submission.model, submission.dfar_run
    recipe = distribution = None
    if run:
        recipe = (
            f"{run.method}, mode {run.mode}, {run.data.rows:,} rows of {run.split}"
            f"{' without the leaked ones' if run.drop_leaked else ''}, {run.steps:,} steps, seed {run.seed}, "
            f"prompt {run.prompt}, base model {run.base_model.name}"
        )
        zero, count = run.distribution.zero_stage, run.distribution.processes
        distribution = (
            f"{run.distribution.type}, {count} process{'es' if count > 1 else ''} on {run.distribution.device}"
            f"{'' if zero is None else f', ZeRO stage {zero}'}"
        )
    recorded = submission.recorded
    about = {
        "Identified by": _identified_by(submission),
        "Revision": model.revision,
        "Hash of the weights": model.weights_sha256,
        "Scored with": recorded and f"lm_eval --model {recorded.backend}",
        "Other model arguments": recorded and ", ".join(recorded.arguments),
        "Base model": model.base,
        "Trained on": ", ".join(submission.training.sets),
        "Training": submission.training.description,
        "Recipe": recipe,
        "Distribution": distribution,
        "Licence": submission.licence,
        "Contact": submission.contact,
        "Link": submission.url,
    }
    return {label: value for label, value in about.items() if value}
