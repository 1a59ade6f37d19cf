"""What is exported: one task of one run, scored here."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from dfar_bench.judges.validation.rates import UNKNOWN, ErrorRates
from dfar_bench.runs.run import Run
from dfar_bench.scoring import METRICS, Answer, Estimate, Metric, Signature, Task, estimates

if TYPE_CHECKING:
    from dfar_bench.leaderboard.contamination import Contamination


@dataclass(frozen=True)
class Figure:
    """A metric's value.

    Attributes:
        name: the metric's, with ``_adjusted`` where it is adjusted for the errors of the judge.
        n: the number of answers that count in it.
    """

    name: str
    metric: Metric
    estimate: Estimate
    n: int


@dataclass(frozen=True)
class Result:
    """One task of one run.

    Attributes:
        model: ``org/name``.
        run_id: names the run among those of its model.
        revision: of the model, as declared: ``revision:`` and the Hub's, or ``sha256:`` and the hash of its weights;
            "" where that is not known.
        created: the day of the run, in UTC, such as 2026-01-31.
        contamination: whether it was trained on test statements; None where nothing was declared.
        flags: the kinds of flags it has; see ``leaderboard.flags``.
    """

    model: str
    run_id: str
    revision: str
    created: str | None
    run: Run = field(repr=False)
    answers: tuple[Answer, ...] = field(repr=False)
    signature: Signature
    error_rates: ErrorRates | None = field(default=None, repr=False)
    contamination: Contamination | None = None
    flags: tuple[str, ...] = ()

    @property
    def task(self) -> Task:
        return self.run.task

    @property
    def contaminated(self) -> bool | None:
        """Whether it was trained on test statements; None where that is not known."""
        return self.contamination.contaminated if self.contamination else None

    @property
    def judge_errs(self) -> str:
        """How often the judge errs on answers of such models, in words; "" where no judge decides."""
        return str(self.error_rates or UNKNOWN) if self.task.kind.judged else ""

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """All metrics in order, each followed by its adjusted form if it has one; slow, as it computes intervals."""
        from dfar_bench.scoring.adjustment import adjustments

        computed = estimates(self.run.metrics, self.answers)
        adjusted = adjustments(self.answers, self.error_rates)
        found = []
        for name, estimate in computed.items():
            metric = METRICS[name]
            counted = sum(metric.item(answer) is not None for answer in self.answers)
            found.append(Figure(name, metric, estimate, counted))
            if name in adjusted:
                found.append(Figure(f"{name}_adjusted", metric, adjusted[name], counted))
        return tuple(found)

    @cached_property
    def _mix(self) -> list[float] | None:
        from dfar_bench.leaderboard.entries import mix_of

        return mix_of({figure.name: figure.estimate for figure in self.figures})

    def words_for(self, metric: Metric) -> str:
        """Return what stands in place of a figure that would mislead, as on the board; "" where the figure stands."""
        from dfar_bench.leaderboard.entries import words_for

        return words_for(metric, self._mix)

    def figure(self, name: str) -> Figure | None:
        """Return the figure of a name; None if there is none, or it is undefined."""
        return next((each for each in self.figures if each.name == name and each.estimate.value is not None), None)
