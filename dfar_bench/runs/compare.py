"""Compare two runs on the same rows: the difference of every metric, with interval and p-value.

Differences are resampled by contrast group, the same groups for both runs, as two models succeed and fail on the same
statements. Beside them stands McNemar's exact test, which looks only at the rows on which the two differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dfar_bench.datasets import Dataset
from dfar_bench.errors import InputError
from dfar_bench.judges import Judge
from dfar_bench.runs.rescore import figure, interval, name_width
from dfar_bench.runs.run import Run
from dfar_bench.scoring import (
    COMPARING,
    LEVEL,
    RESAMPLES,
    Answer,
    Difference,
    McNemar,
    Metric,
    Signature,
    differences,
    mcnemar,
    verdict_of,
)


@dataclass(frozen=True)
class Comparison:
    """Two runs of one task.

    Attributes:
        metrics: second minus first, by name.
        mcnemar: of the rows that have a right answer; None if none has.
        changes: how many verdicts change, by direction, such as "from ethical to unethical".
    """

    task: str
    models: tuple[str | None, str | None]
    rows: int
    signatures: tuple[Signature, Signature]
    metrics: dict[str, Difference]
    mcnemar: McNemar | None
    changes: dict[str, int]

    @property
    def differing(self) -> dict[str, tuple[str, str]]:
        """The signatures' fields in which the two differ, with both values."""
        first, second = self.signatures
        return first.differences(second)

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as plain JSON types."""
        return {
            "task": self.task,
            "models": self.models,
            "rows": self.rows,
            "signatures": [str(signature) for signature in self.signatures],
            "differing": self.differing,
            "metrics": {
                name: {
                    "first": difference.first,
                    "second": difference.second,
                    "difference": difference.estimate.as_json(),
                    "p_value": difference.p_value,
                }
                for name, difference in self.metrics.items()
            },
            "mcnemar": asdict(self.mcnemar) if self.mcnemar else None,
            "changes": self.changes,
        }

    def as_table(self) -> str:
        """Return the comparison for people."""
        a, b = (name or "unknown model" for name in self.models)
        lines = [f"{self.task} · {self.rows} rows", f"A: {a}", f"B: {b}", ""]
        fields = {name: f"{name} ({one} and {other})" for name, (one, other) in self.differing.items()}
        apart = [text for name, text in fields.items() if name in COMPARING]
        shown = [text for name, text in fields.items() if name not in COMPARING]
        if apart:
            lines += [f"not asked alike: {', '.join(apart)}; compare only if you mean to", ""]
        if shown:
            lines += [f"asked or run otherwise: {', '.join(shown)}", ""]
        width = name_width(self.metrics)
        lines.append(f"{'metric':<{width}}{'A':>9}{'B':>9}{'B - A':>9}   {f'{LEVEL:.0%} interval':<22}p")
        for name, of in self.metrics.items():
            cells = "".join(f"{figure(value):>9}" for value in (of.first, of.second, of.estimate.value))
            lines.append(f"{name:<{width}}{cells}   {interval(of.estimate, '+'):<22}{figure(of.p_value)}")
        lines.append("")
        if test := self.mcnemar:
            left_out = f" ({test.ties} ties left out)" if test.ties else ""
            differ = f"right in A only {test.only_first}, in B only {test.only_second}"
            lines.append(f"{differ}: McNemar p {test.p_value:.4f}{left_out}")
        lines += [f"verdicts that change {change}: {count} of {self.rows}" for change, count in self.changes.items()]
        return "\n".join(lines)


def _common_metrics(first: Run, second: Run) -> list[Metric]:
    return [metric for metric in first.metrics if metric in second.metrics]


def _changes(first: Sequence[Answer], second: Sequence[Answer], labels: Sequence[str]) -> dict[str, int]:
    """Count the rows whose verdict changes, by direction; ties and unreadable verdicts are left out."""
    pairs = Counter((verdict_of(a), verdict_of(b)) for a, b in zip(first, second, strict=True))
    changes = sorted((a, b) for a, b in pairs if a is not None and b is not None and a != b)
    return {f"from {labels[a]} to {labels[b]}": pairs[a, b] for a, b in changes}


def _mcnemar(first: Sequence[Answer], second: Sequence[Answer], dataset: Dataset) -> McNemar | None:
    credits = [(a.credit, b.credit) for a, b in zip(first, second, strict=True) if dataset.has_right_answer(a.row)]
    return mcnemar(*zip(*credits)) if credits else None


def compare_runs(
    first: Mapping[str, Run], second: Mapping[str, Run], judge: Judge, resamples: int = RESAMPLES
) -> list[Comparison]:
    """Compare two sets of runs, task by task.

    Raises:
        InputError: they have no task in common, or not the same rows.
    """
    common = [task for task in first if task in second]
    if not common:
        raise InputError(
            f"there is no task to compare: the first holds {', '.join(first)}, the second {', '.join(second)}."
        )
    comparisons = []
    for task in common:
        pair = (first[task], second[task])
        ids = [{output.row.row_id for output in run.outputs} for run in pair]
        if lone := ids[0] ^ ids[1]:
            raise InputError(
                f"{task}: {len(lone)} rows are answered in one run only, {min(lone)} first: run both on the same rows."
            )
        answers = [run.answers(judge) for run in pair]
        comparisons.append(
            Comparison(
                task=task,
                models=(pair[0].model, pair[1].model),
                rows=len(ids[0]),
                signatures=(pair[0].signature(judge), pair[1].signature(judge)),
                metrics=differences(_common_metrics(*pair), *answers, resamples=resamples),
                mcnemar=_mcnemar(answers[0], answers[1], pair[0].task.dataset),
                changes=_changes(answers[0], answers[1], pair[0].task.dataset.labels),
            )
        )
    return comparisons
