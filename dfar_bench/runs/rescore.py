"""Recompute the metrics of finished runs from their saved answers, with confidence intervals.

No model is run. The values equal what lm_eval printed to the last digit, and that is checked wherever the harness's
results file is beside the samples.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError
from dfar_bench.judges import DEFAULT_JUDGE, Judge, get_judge
from dfar_bench.judges.validation.rates import UNKNOWN, ErrorRates
from dfar_bench.runs.log import find_runs, read_run
from dfar_bench.runs.run import AGAINST_TIES, MANY_TIES, Run
from dfar_bench.runs.specificity import NAME as SPECIFICITY
from dfar_bench.runs.specificity import specificity
from dfar_bench.scoring import LEVEL, NOT_AVAILABLE, RESAMPLES, SEED, Estimate, Signature, count_codes, estimates
from dfar_bench.scoring.adjustment import adjustments
from dfar_bench.scoring.estimate import MIN_CLUSTERS


@dataclass(frozen=True)
class Score:
    """One metric of one run.

    Attributes:
        printed: what lm_eval reported for it, None if unknown or not comparable; see ``Run.printed_of``.
    """

    estimate: Estimate
    printed: float | str | None = None

    @property
    def differs(self) -> bool:
        """Whether lm_eval printed something else."""
        value = NOT_AVAILABLE if self.estimate.value is None else self.estimate.value
        return self.printed is not None and self.printed != value


@dataclass(frozen=True)
class Rescored:
    """A run with its scores by metric name, their signature, and how often the judge gave each code.

    ``error_rates`` are the judge's (``Run.error_rates``), and ``adjusted`` the metrics that were adjusted for them
    (``scoring.adjustment``).
    """

    run: Run
    signature: Signature
    scores: dict[str, Score]
    codes: dict[str, int]
    resamples: int
    error_rates: ErrorRates | None = None
    adjusted: Mapping[str, Estimate] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return {
            "task": self.run.task.name,
            "data": self.run.task.dataset.name,
            "model": self.run.model,
            "files": [str(file) for file in self.run.files],
            "rows": len(self.run.outputs),
            "expected_rows": self.run.expected,
            "signature": str(self.signature),
            "intervals": {"level": LEVEL, "resamples": self.resamples, "seed": SEED} if self.resamples else None,
            "metrics": {
                name: {**score.estimate.as_json(), "printed": score.printed} for name, score in self.scores.items()
            },
            "codes": self.codes,
            "adjusted": {name: estimate.as_json() for name, estimate in self.adjusted.items()},
            "judge_error_rates": self.error_rates.as_json() if self.error_rates else None,
        }

    def as_table(self) -> str:
        """Return the report for people."""
        rows = f"{len(self.run.outputs)} of {self.run.expected} rows"
        lines = [f"{self.run.task.name} · {self.run.model or 'unknown model'} · {rows}"]
        lines += [*(file.name for file in self.run.files), ""]
        width = name_width(self.scores)
        lines.append(f"{'metric':<{width}}{'value':>8}   {LEVEL:.0%} interval")
        for name, score in self.scores.items():
            note = f"   lm_eval printed {score.printed}" if score.differs else ""
            lines.append(f"{name:<{width}}{figure(score.estimate.value):>8}   {interval(score.estimate)}{note}")
            if name in self.adjusted:
                estimate = self.adjusted[name]
                lines.append(f"{'  adjusted':<{width}}{figure(estimate.value):>8}   {interval(estimate)}")
        lines.append("")
        if self.resamples and not any(score.estimate.interval for score in self.scores.values()):
            lines.append(f"no intervals: fewer than {MIN_CLUSTERS} contrast groups were answered")
        ties = self.scores.get("ties")
        if ties and (ties.estimate.value or 0) > MANY_TIES:
            lines.append(f"more than {MANY_TIES:.0%} ties, which count as half right: {AGAINST_TIES}")
        if self.run.task.kind.judged and not self.run.cuts_recorded:
            lines.append("truncated is an estimate: the log does not say why answers ended")
        if self.codes:
            lines.append("codes: " + ", ".join(f"{code} {count}" for code, count in self.codes.items()))
            lines.append(str(self.error_rates or UNKNOWN))
            if self.adjusted:
                lines.append("adjusted: for the judge's errors where the reason decides (Rogan and Gladen)")
        lines.append(f"signature: {self.signature}")
        if all(score.printed is None for score in self.scores.values()):
            lines.append("not compared with lm_eval's own figures: no results file with them is beside the samples")
        return "\n".join(lines)


@dataclass(frozen=True)
class Spread:
    """How far one model's scores on one task depend on the prompt: lowest and highest value by metric."""

    model: str
    task: str
    prompts: tuple[str, ...]
    ranges: dict[str, tuple[float, float]]

    def as_text(self) -> str:
        """Return the spread for people."""
        ranges = ", ".join(f"{name} {figure(low)} to {figure(high)}" for name, (low, high) in self.ranges.items())
        return f"{self.task} · {self.model} in {len(self.prompts)} prompts: {ranges}"


def spreads(scored: Sequence[Rescored]) -> list[Spread]:
    """Return the spread of every model that was asked the same in several prompts.

    Runs whose model is not recorded are left out; of several in one prompt the first counts.
    """
    groups: dict[tuple[str, str, Signature], dict[tuple[str, str], Rescored]] = {}
    for run in scored:
        if run.run.model:
            model = json.dumps([run.run.model, run.run.scored.arguments], sort_keys=True, default=str)
            asked = (run.signature.get("prompt"), run.signature.get("chat"))
            group = groups.setdefault((model, run.run.task.name, run.signature.comparable()), {})
            group.setdefault(asked, run)
    return [_spread(list(group.values())) for group in groups.values() if len(group) > 1]


def _spread(scored: Sequence[Rescored]) -> Spread:
    run = scored[0].run
    values = {
        metric.name: [of.scores[metric.name].estimate.value for of in scored] for metric in run.metrics if metric.ranked
    }
    known = {name: [value for value in of if value is not None] for name, of in values.items()}
    ranges = {name: (min(of), max(of)) for name, of in known.items() if len(of) == len(scored)}
    return Spread(str(run.model), run.task.name, tuple(of.signature.get("prompt") for of in scored), ranges)


def name_width(names: Iterable[str]) -> int:
    """Return the width of a table's column of metrics."""
    return max(22, 2 + max(map(len, names)))


def figure(value: float | None) -> str:
    """Format a value for a table."""
    return NOT_AVAILABLE if value is None else f"{value:z.4f}"


def interval(estimate: Estimate, sign: str = "") -> str:
    """Format the interval of an estimate for a table."""
    return f"{estimate.low:{sign}z.4f} – {estimate.high:{sign}z.4f}" if estimate.interval else NOT_AVAILABLE


def per_cent(estimate: Estimate, sign: str = "") -> str:
    """Format an estimate with its interval in per cent, such as 50.0 (42.3–57.7)."""
    if estimate.value is None:
        return NOT_AVAILABLE
    value, low, high = (f"{100 * (part or 0):{sign}z.1f}" for part in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({low}–{high})" if estimate.interval else value


def rescore(
    paths: Iterable[Path],
    judge_name: str = DEFAULT_JUDGE,
    resamples: int = RESAMPLES,
    *,
    with_specificity: bool = False,
    on_bad_run: Callable[[InputError], object] | None = None,
) -> list[Rescored]:
    """Score every run among files and folders.

    Args:
        resamples: of the bootstrap; 0 leaves the intervals out.
        with_specificity: whether to ask the judge of sibling statements, too; see ``specificity``.
        on_bad_run: called with the error of every run that cannot be read, so that it does not hide the others; if
            None, the first one raises.

    Raises:
        InputError: see ``log.find_runs`` and ``log.read_run``.
    """
    judge = get_judge(judge_name)
    scored = []
    for files in find_runs(paths):
        try:
            scored.append(rescore_run(read_run(files), judge, resamples, with_specificity=with_specificity))
        except InputError as error:
            if on_bad_run is None:
                raise
            on_bad_run(error)
    return scored


def rescore_run(run: Run, judge: Judge, resamples: int = RESAMPLES, *, with_specificity: bool = False) -> Rescored:
    """Score one run; see ``rescore``."""
    answers = run.answers(judge)
    computed = estimates(run.metrics, answers, resamples=resamples)
    scores = {metric.name: Score(computed[metric.name], run.printed_of(metric, judge)) for metric in run.metrics}
    if with_specificity and run.task.kind.judged:
        scores[SPECIFICITY] = Score(specificity(run, judge, resamples=resamples))
    rates = run.error_rates(judge)
    adjusted = adjustments(answers, rates, resamples=resamples)
    return Rescored(run, run.signature(judge), scores, count_codes(answers), resamples, rates, adjusted)
