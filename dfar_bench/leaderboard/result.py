"""What is known of a submission that has no fault: the interface to the board."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dfar_bench.answers import Choice, Response
from dfar_bench.bootstrap import intervals
from dfar_bench.leaderboard.contamination import Contamination
from dfar_bench.leaderboard.flags import Flag
from dfar_bench.leaderboard.schema import Submission
from dfar_bench.metrics import METRICS
from dfar_bench.samples import LoggedRun


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one row: whether the verdict is people's, the judge's code (None for ``cls``), the answer given."""

    row_id: str
    correct: bool
    code: str | None
    answer: tuple[float, float] | str


@dataclass(frozen=True)
class VerifiedTask:
    """One task of a submission, scored here.

    Attributes:
        signature: as recomputed.
        answers: sorted by row id, as metrics, ``bootstrap`` and ``compare.paired_differences`` take them.
        metrics: values by name, in the order of ``METRICS``; None where no answer counts.
    """

    task: str
    split: str
    kind: str
    signature: str
    run: LoggedRun = field(repr=False)
    answers: tuple[Choice | Response, ...] = field(repr=False)
    metrics: dict[str, float | None]
    flags: tuple[Flag, ...]
    contamination: Contamination

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float] | None]:
        """95 % intervals by metric; slow, and therefore only computed when asked for."""
        return intervals(METRICS[self.kind], self.answers)

    @property
    def answers_hash(self) -> str:
        """The same for the same answers, however they were written and packed."""
        answers = [(logged.row.row_id, logged.answer) for logged in self.run.answers]
        return hashlib.sha256(json.dumps(answers).encode()).hexdigest()

    @property
    def outcomes(self) -> list[Outcome]:
        """What came of each row, sorted by row id."""
        return [
            Outcome(
                logged.row.row_id,
                answer.correct,
                answer.judgement.code if isinstance(answer, Response) else None,
                logged.answer,
            )
            for logged, answer in zip(self.run.answers, self.answers, strict=True)
        ]

    @property
    def codes(self) -> dict[str, int]:
        """How often the judge gave each code."""
        return dict(sorted(Counter(one.judgement.code for one in self.answers if isinstance(one, Response)).items()))


@dataclass(frozen=True)
class Verified:
    """A submission without fault.

    Attributes:
        key: changes with the submission, this version, the judge and the data.
        flags: those of the submission as a whole; each task has its own.
    """

    folder: Path
    key: str
    submission: Submission
    tasks: dict[str, VerifiedTask]
    flags: tuple[Flag, ...]

    def as_json(self) -> dict[str, Any]:
        """The result without rows and intervals as plain JSON types."""
        return {
            "model": self.submission.model.id,
            "run": self.folder.name,
            "key": self.key,
            "flags": [asdict(flag) for flag in self.flags],
            "tasks": {
                name: {
                    "signature": task.signature,
                    "rows": len(task.answers),
                    "answers_hash": task.answers_hash,
                    "metrics": task.metrics,
                    "codes": task.codes,
                    "flags": [asdict(flag) for flag in task.flags],
                    "contamination": asdict(task.contamination),
                }
                for name, task in self.tasks.items()
            },
        }
