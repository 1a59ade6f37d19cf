"""What is known of a submission without fault: the interface to the board."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dfar_bench.judges.validation.rates import UNKNOWN, ErrorRates
from dfar_bench.leaderboard.answers_file import Stored
from dfar_bench.leaderboard.contamination import Contamination
from dfar_bench.leaderboard.flags import Flag
from dfar_bench.leaderboard.schema import Harness, Submission
from dfar_bench.runs.rescore import figure
from dfar_bench.runs.run import Run
from dfar_bench.scoring import Answer, Estimate, Signature, Task, count_codes, estimates
from dfar_bench.scoring.adjustment import adjustments

WHERE_INTERVALS = "intervals: dfar-bench rescore FOLDER, with a submission's folder, or the board"

_CONTAMINATED = {True: "contaminated", False: "not contaminated", None: "contamination unknown"}


@dataclass(frozen=True)
class VerifiedTask:
    """One task of a submission, scored here.

    Attributes:
        harness: how it was asked for, as ``submission.json`` records it.
        answers: in the order of ``run.outputs``: sorted by row id.
        stored: the answers as the file holds them, in the same order.
        metrics: values by name; None where no answer counts.
        error_rates: see ``Run.error_rates``.
    """

    task: Task
    run: Run = field(repr=False)
    harness: Harness
    answers: tuple[Answer, ...] = field(repr=False)
    stored: tuple[Stored, ...] = field(repr=False)
    signature: Signature
    metrics: dict[str, float | None]
    flags: tuple[Flag, ...]
    contamination: Contamination
    error_rates: ErrorRates | None = None

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """The metrics with 95 % intervals; slow, so computed only when asked for."""
        return estimates(self.run.metrics, self.answers)

    @cached_property
    def adjusted(self) -> dict[str, Estimate]:
        """``mar`` adjusted for the errors of its judge; see ``scoring.adjustment``."""
        return adjustments(self.answers, self.error_rates)

    @property
    def judge_errs(self) -> str | None:
        """How often the judge errs on answers of such models, in words; None where no judge decides."""
        if not self.task.kind.judged:
            return None
        return str(self.error_rates or UNKNOWN)

    @property
    def answers_hash(self) -> str:
        """The same for the same answers, however they are written and packed."""
        answers = [(output.row.row_id, output.value) for output in self.run.outputs]
        return hashlib.sha256(json.dumps(answers).encode()).hexdigest()

    @property
    def codes(self) -> dict[str, int]:
        """How often the judge gave each code."""
        return count_codes(self.answers)


@dataclass(frozen=True)
class VerifiedSubmission:
    """A submission without fault.

    Attributes:
        flags: those of the submission as a whole; each task has its own.
    """

    folder: Path
    submission: Submission
    tasks: dict[str, VerifiedTask]
    flags: tuple[Flag, ...]

    @property
    def model(self) -> str:
        return self.submission.model.id

    @property
    def run(self) -> str:
        return self.folder.name

    def as_json(self) -> dict[str, Any]:
        """Return the result, without rows and intervals, as plain JSON types."""
        return {
            "model": self.model,
            "run": self.run,
            "flags": [asdict(flag) for flag in self.flags],
            "tasks": {
                name: {
                    "signature": str(task.signature),
                    "rows": len(task.answers),
                    "answers_hash": task.answers_hash,
                    "metrics": task.metrics,
                    "judge_errs": task.judge_errs,
                    "codes": task.codes,
                    "flags": [asdict(flag) for flag in task.flags],
                    "contamination": asdict(task.contamination),
                }
                for name, task in self.tasks.items()
            },
        }

    def as_text(self) -> str:
        """Return the figures for people."""
        return f"{summary_text(self.as_json())}\n{WHERE_INTERVALS}"


def summary_text(summary: dict[str, Any]) -> str:
    """Format ``VerifiedSubmission.as_json`` for people."""
    lines = [f"  flag: {flag['text']}" for flag in summary["flags"]]
    for name, task in summary["tasks"].items():
        figures = (f"{metric} {figure(value)}" for metric, value in task["metrics"].items())
        lines += [f"  {name}: {', '.join(figures)}", f"    {task['signature']}"]
        lines += [f"    {task['judge_errs']}"] if task["judge_errs"] else []
        lines += [f"    flag: {flag['text']}" for flag in task["flags"]]
        known = task["contamination"]
        lines.append(f"    {_CONTAMINATED[known['contaminated']]}: {known['why']}")
    return "\n".join(lines)
