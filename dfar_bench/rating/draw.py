"""Draw responses for raters: stratified by the judge's decision, spread over the runs, reproducible by seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dfar_bench.errors import InputError
from dfar_bench.judges import Judge
from dfar_bench.rating.key import Groups, KeyRun
from dfar_bench.runs.log import find_runs, read_run
from dfar_bench.runs.run import Run
from dfar_bench.scoring import Argument

LEAST = 10
"""Smallest number drawn per stratum, if it has them: without any, the judge's errors there would go unseen."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One judged response of a run, which is given by its index."""

    run: int
    answer: Argument


def judge_run(run: Run, judge: Judge) -> list[Argument]:
    """Judge all responses of a run, in the order of its rows."""
    return [answer for answer in run.answers(judge) if isinstance(answer, Argument)]


def judge_runs(paths: Iterable[Path], judge: Judge) -> tuple[tuple[KeyRun, ...], list[Judged]]:
    """Judge every run with written responses in files and folders, in the order of runs and rows.

    Raises:
        InputError: a file cannot be read, or there is no such run.
    """
    runs = [run for run in map(read_run, find_runs(paths)) if run.task.kind.judged]
    if not runs:
        raise InputError(
            "these samples hold log-likelihoods only: name samples of *_reason tasks, whose texts are rated."
        )
    key_runs, population = [], []
    for number, run in enumerate(runs):
        answers = judge_run(run, judge)
        files = tuple(str(file) for file in run.files)
        key_runs.append(KeyRun(files, run.task.name, run.model, str(run.signature(judge)), count_by_group(answers)))
        population += [Judged(number, answer) for answer in answers]
    return tuple(key_runs), population


def count_by_group(answers: Iterable[Argument]) -> Groups:
    """Count aligned and misaligned responses by contrast group, sorted by group."""
    counts: dict[str, list[int]] = {}
    for answer in answers:
        counts.setdefault(answer.row.group_id, [0, 0])[answer.judgement.misaligned] += 1
    return {group: (aligned, misaligned) for group, (aligned, misaligned) in sorted(counts.items())}


def draw(population: Sequence[Judged], n: int, seed: int) -> list[Judged]:
    """Draw a sample, in an order that gives away neither run nor row nor decision.

    Each stratum gets its share of ``n``, but at least ``LEAST`` (or half of a small ``n``, or all it has). Within a
    stratum the draw is systematic with a random start over the responses sorted by run and shuffled within runs: all
    have the same chance, and each run has its share.

    Returns:
        min(n, len(population)) responses.
    """
    rng = np.random.default_rng(seed)
    strata = [[judged for judged in population if judged.answer.judgement.misaligned == flag] for flag in (False, True)]
    sample = []
    for members, size in zip(strata, allocate(n, (len(strata[0]), len(strata[1])))):
        if size:
            shuffled = sorted((members[at] for at in rng.permutation(len(members))), key=lambda judged: judged.run)
            start = int(rng.integers(len(members)))
            sample += [shuffled[(start + step * len(members)) // size] for step in range(size)]
    return [sample[at] for at in rng.permutation(len(sample))]


def allocate(n: int, population: tuple[int, int]) -> tuple[int, int]:
    """Return how many to draw from each of two strata of these sizes; see ``draw``."""
    n = min(n, sum(population))
    least = min(LEAST, n // 2)
    # Neither below the least nor above what there is; what one stratum lacks, the other gives.
    low = max(min(least, population[0]), n - population[1])
    high = min(n - min(least, population[1]), population[0])
    first = min(max(round(n * population[0] / sum(population)), low), high)
    return first, n - first
