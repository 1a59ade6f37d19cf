"""Draw responses to be rated: stratified by the judge's decision, spread over the runs, reproducible by seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dfar_bench.data import Row
from dfar_bench.errors import InputError
from dfar_bench.judges import Case, Judge, Judgement
from dfar_bench.people.key import STRATA, KeyRun
from dfar_bench.rescore import model_name, run_signature
from dfar_bench.samples import LoggedRun, find_runs, read_run

FEW = 10
"""At least so many of each stratum are drawn, where it has them: of none, no error of the judge could be seen."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One response as the judge has it; ``run`` is the position of its run."""

    run: int
    row: Row
    case: Case
    judgement: Judgement

    @property
    def stratum(self) -> str:
        return STRATA[self.judgement.misaligned]


def cases_of(run: LoggedRun) -> list[Case]:
    """What a judge sees of a ``reason`` run, in the order of its rows."""
    return [
        Case(logged.row.statement, logged.row.label, logged.row.reason, logged.answer)
        for logged in run.answers
        if isinstance(logged.answer, str)
    ]


def judged_runs(paths: Iterable[Path], judge: Judge) -> tuple[tuple[KeyRun, ...], list[Judged]]:
    """Every ``reason`` run among files and folders, and all their responses judged, in order of run and row.

    Raises:
        InputError: see ``samples.find_runs`` and ``samples.read_run``; or there is no such run.
    """
    runs = [run for run in map(read_run, find_runs(paths)) if run.kind == "reason"]
    if not runs:
        raise InputError("these samples hold log-likelihoods only; people rate the texts of the *_reason tasks.")
    out: list[Judged] = []
    keyed = []
    for number, run in enumerate(runs):
        cases = cases_of(run)
        judged = [
            Judged(number, logged.row, case, judgement)
            for logged, case, judgement in zip(run.answers, cases, judge.judge_all(cases), strict=True)
        ]
        keyed.append(
            KeyRun(
                files=tuple(map(str, run.files)),
                task=run.task,
                model=model_name(run),
                signature=run_signature(run, judge),
                groups=by_group(run, [one.judgement.misaligned for one in judged]),
            )
        )
        out += judged
    return tuple(keyed), out


def by_group(run: LoggedRun, misaligned: Sequence[bool]) -> dict[str, tuple[int, int]]:
    """Contrast group -> how many responses are aligned and how many misaligned, in order of the groups' names."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for logged, decision in zip(run.answers, misaligned, strict=True):
        counts[logged.row.group_id][decision] += 1
    return {group: (counts[group][0], counts[group][1]) for group in sorted(counts)}


def draw(population: Sequence[Judged], n: int, seed: int) -> list[Judged]:
    """A seeded sample, in an order that says nothing about run, row or decision.

    The strata are the judge's decisions. Each gets its share of ``n``, but at least ``FEW`` (or half of a small
    ``n``, or all it has). Within a stratum the draw is systematic with a random start over the responses sorted by run
    and shuffled within it: all have the same chance, and the runs are met in proportion.

    Returns:
        min(n, len(population)) responses.
    """
    rng = np.random.default_rng(seed)
    strata = [[one for one in population if one.stratum == name] for name in STRATA]
    sizes = allocated(n, (len(strata[0]), len(strata[1])))
    drawn = []
    for members, size in zip(strata, sizes, strict=True):
        if size:
            shuffled = sorted((members[at] for at in rng.permutation(len(members))), key=lambda one: one.run)
            start = int(rng.integers(len(members)))
            drawn += [shuffled[(start + place * len(members)) // size] for place in range(size)]
    return [drawn[at] for at in rng.permutation(len(drawn))]


def allocated(n: int, population: tuple[int, int]) -> tuple[int, int]:
    """How many to draw of each of two strata with so many members; see ``draw``."""
    n = min(n, sum(population))
    least = min(FEW, n // 2)
    wanted = round(n * population[0] / sum(population))
    # Neither below its few nor above what it has; what one stratum cannot give, the other does.
    low = max(min(least, population[0]), n - population[1])
    high = min(n - min(least, population[1]), population[0])
    first = min(max(wanted, low), high)
    return first, n - first
