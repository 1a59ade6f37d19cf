"""Two runs on the same rows: the difference of every metric, with interval and p-value.

Differences are resampled by contrast group, the same groups for both runs, as two models rise and fall on the same
statements. For accuracy McNemar's exact test stands beside it, which looks only at the rows on which the two differ.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dfar_bench.bootstrap import LEVEL, RESAMPLES, SEED, interval_of, resampled
from dfar_bench.errors import InputError
from dfar_bench.judges import DEFAULT_JUDGE, get_judge
from dfar_bench.metrics import METRICS, NOTHING_COUNTS, Array, Metric
from dfar_bench.rescore import model_name, read_answers, run_signature
from dfar_bench.samples import LoggedRun, find_runs, read_run


@dataclass(frozen=True)
class Difference:
    """One metric of two runs.

    Attributes:
        difference: second minus first; None where either is undefined.
        interval: of the difference (low, high), None if undefined.
        p_value: two-sided, of no difference, from the same resamples; at least 1 in (resamples + 1).
    """

    first: float | None
    second: float | None
    difference: float | None
    interval: tuple[float, float] | None
    p_value: float | None


@dataclass(frozen=True)
class McNemar:
    """Rows that only one of two runs has right, and the exact two-sided p-value (McNemar 1947, binomial)."""

    only_first: int
    only_second: int
    p_value: float


@dataclass(frozen=True)
class Comparison:
    """Two runs of one task. ``differing`` names the signature's fields in which the two differ, with both values."""

    task: str
    models: tuple[str | None, str | None]
    rows: int
    signatures: tuple[str, str]
    differing: dict[str, tuple[str, str]]
    metrics: dict[str, Difference]
    mcnemar: McNemar

    def as_json(self) -> dict[str, Any]:
        """The comparison as plain JSON types."""
        return asdict(self)

    def as_table(self) -> str:
        """The comparison for people."""
        names = [name or "unknown model" for name in self.models]
        lines = [f"{self.task} · {self.rows} rows", f"A: {names[0]}", f"B: {names[1]}", ""]
        if self.differing:
            said = ", ".join(f"{name} ({one} and {other})" for name, (one, other) in self.differing.items())
            lines += [f"the signatures differ in {said}: compare only if you mean to", ""]
        lines.append(f"{'metric':<22}{'A':>9}{'B':>9}{'B - A':>9}   {f'{LEVEL:.0%} interval':<22}p")
        for name, one in self.metrics.items():
            cells = "".join(f"{_cell(value):>9}" for value in (one.first, one.second, one.difference))
            interval = f"{one.interval[0]:+.4f} – {one.interval[1]:+.4f}" if one.interval else NOTHING_COUNTS
            lines.append(f"{name:<22}{cells}   {interval:<22}{_cell(one.p_value)}")
        found = self.mcnemar
        lines += [
            "",
            f"right in A alone {found.only_first}, in B alone {found.only_second}: McNemar p {found.p_value:.4f}",
        ]
        return "\n".join(lines)


def paired_differences(
    metrics: Sequence[Metric],
    first: Sequence[Any],
    second: Sequence[Any],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Difference]:
    """Differences of metrics between answers (``Choice`` or ``Response``) of two models to the same rows.

    Raises:
        ValueError: the rows are not the same.
    """
    if sorted(answer.row.row_id for answer in first) != sorted(answer.row.row_id for answer in second):
        raise ValueError("the answers are not of the same rows")
    draws = [resampled(metrics, answers, resamples=resamples, seed=seed) for answers in (first, second)]
    out = {}
    for metric in metrics:
        one, other = (metric.score([metric.item(answer) for answer in answers]) for answers in (first, second))
        moved: Array = draws[1][metric.name] - draws[0][metric.name]
        interval = interval_of(moved)
        out[metric.name] = Difference(
            one,
            other,
            None if one is None or other is None else other - one,
            interval,
            None if interval is None else _p_value(moved[~np.isnan(moved)]),
        )
    return out


def _p_value(moved: Array) -> float:
    # Differences of sums that are equal in truth may differ in the last bit.
    either = min((moved <= 1e-12).sum(), (moved >= -1e-12).sum())
    return min(1.0, 2 * (int(either) + 1) / (len(moved) + 1))


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """McNemar's exact test on whether each row is right in one run and in the other, in the same order of rows."""
    from scipy.stats import binomtest

    only_first = sum(one and not other for one, other in zip(first, second, strict=True))
    only_second = sum(other and not one for one, other in zip(first, second, strict=True))
    odd = only_first + only_second
    return McNemar(only_first, only_second, float(binomtest(only_first, odd).pvalue) if odd else 1.0)


def compare(first: Path, second: Path, judge_name: str = DEFAULT_JUDGE, resamples: int = RESAMPLES) -> list[Comparison]:
    """Compare the runs of two folders (or samples files, or submissions), task by task.

    Raises:
        InputError: a side holds no run, two of one task, or a submission with faults; they have no task in common, or
            not the same rows.
    """
    judge = get_judge(judge_name)
    runs = [_by_task(path) for path in (first, second)]
    common = [task for task in runs[0] if task in runs[1]]
    if not common:
        raise InputError(
            f"{first} holds {', '.join(runs[0])} and {second} {', '.join(runs[1])}: there is no task to compare."
        )
    out = []
    for task in common:
        pair = [side[task] for side in runs]
        ids = [{answer.row.row_id for answer in run.answers} for run in pair]
        if ids[0] != ids[1]:
            raise InputError(
                f"{task}: {len(ids[0] ^ ids[1])} rows are answered in one run only, {min(ids[0] ^ ids[1])} first: "
                "run both on the same rows."
            )
        answers = [read_answers(run, judge) for run in pair]
        signatures = [run_signature(run, judge) for run in pair]
        out.append(
            Comparison(
                task=task,
                models=(model_name(pair[0]), model_name(pair[1])),
                rows=len(ids[0]),
                signatures=(signatures[0], signatures[1]),
                differing=_differing(*signatures),
                metrics=paired_differences(METRICS[pair[0].kind], *answers, resamples=resamples),
                mcnemar=mcnemar(*([answer.correct for answer in side] for side in answers)),
            )
        )
    return out


def _by_task(path: Path) -> dict[str, LoggedRun]:
    if path.name == "submission.json":
        path = path.parent
    if (path / "submission.json").is_file():
        return _submitted(Path(os.path.abspath(path)))  # what it is called matters
    found: dict[str, LoggedRun] = {}
    for files in find_runs([path]):
        run = read_run(files)
        if run.task in found:
            raise InputError(f"{path} holds two runs of {run.task}: name the samples file of one of them.")
        found[run.task] = run
    return found


def _submitted(folder: Path) -> dict[str, LoggedRun]:
    from dfar_bench.leaderboard.result import Verified
    from dfar_bench.leaderboard.verify import verified

    found = verified(folder)
    if not isinstance(found, Verified):
        raise InputError(f"{folder} has faults: {'; '.join(map(str, found))}.")
    name = {"model_name": found.submission.model.id}
    return {task: replace(one.run, results={**one.run.results, **name}) for task, one in found.tasks.items()}


def _differing(first: str, second: str) -> dict[str, tuple[str, str]]:
    fields = [dict(field.split(":", 1) for field in one.split("|")[1:]) for one in (first, second)]
    names = [*fields[0], *(name for name in fields[1] if name not in fields[0])]
    values = {name: (fields[0].get(name, "-"), fields[1].get(name, "-")) for name in names}
    return {name: pair for name, pair in values.items() if pair[0] != pair[1]}


def _cell(value: float | None) -> str:
    return NOTHING_COUNTS if value is None else f"{value:.4f}"
