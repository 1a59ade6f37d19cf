"""Measure a judge on responses of known truth, beside two trivial baselines: length and verdict."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dfar_bench.errors import InputError
from dfar_bench.judges import Judge, get_judge
from dfar_bench.judges.validation.answers import open_answers
from dfar_bench.judges.validation.statements import PARTS as NEW_PARTS
from dfar_bench.runs.validation.cases import (
    CONSTRUCTED,
    NATURAL,
    ValidationCase,
    constructed_cases,
    excluded_rows,
    natural_cases,
)
from dfar_bench.runs.validation.open_answers import OpenReport, People, measure_open
from dfar_bench.runs.validation.report import Report, Section, Share, Slice
from dfar_bench.runs.validation.statistics import auroc, length_baseline, wilson_interval
from dfar_bench.text import words

NATURAL_SPLIT = "natural"
SPLITS = (*NEW_PARTS, NATURAL_SPLIT, *CONSTRUCTED)
"""What judges can be measured on: open answers to new statements, answers written by hand, constructed answers."""


@dataclass(frozen=True)
class Validation:
    """Judges on some splits: a report for each part of the open answers, and one for each judge on the others."""

    on_open: tuple[OpenReport, ...]
    others: tuple[Report, ...]

    @property
    def _reports(self) -> tuple[OpenReport | Report, ...]:
        return *self.on_open, *self.others

    @property
    def meets_goals(self) -> bool:
        """Whether all goals are met."""
        return all(report.meets_goals for report in self._reports)

    def as_json(self) -> dict[str, Any]:
        """Return the reports as plain JSON types, the same on every machine for judges that are."""
        return {
            "open": [report.as_json() for report in self.on_open],
            "others": [report.as_json() for report in self.others],
        }

    def as_table(self) -> str:
        """Return the reports for people."""
        return "\n\n".join(report.as_table() for report in self._reports)


def validate(judges: Sequence[Judge], splits: Sequence[str], people: People | None = None) -> Validation:
    """Measure judges on some of ``SPLITS``.

    Args:
        people: see ``measure_open``.

    Raises:
        InputError: there is no such split, its data is not available, or a judge cannot judge a case.
    """
    for split in splits:
        if split not in SPLITS:
            raise InputError(f"there is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    opened = [measure_open(judges, part, open_answers(part), people) for part in NEW_PARTS if part in splits]
    others = [split for split in SPLITS if split in splits and split not in NEW_PARTS]
    return Validation(tuple(opened), tuple(_report(judge, others) for judge in judges) if others else ())


def _report(judge: Judge, splits: Sequence[str]) -> Report:
    sections = []
    for split in splits:
        if split == NATURAL_SPLIT:
            sections += [measure(judge, natural_cases(part), f"natural {part}") for part in NATURAL]
        else:
            sections.append(measure(judge, constructed_cases(split), split, excluded_rows(split)))
    return Report(judge.name, judge.signature, tuple(sections))


def measure(
    judge: Judge, cases: Sequence[ValidationCase], name: str = "", excluded: Mapping[str, int] | None = None
) -> Section:
    """Measure a judge on some responses.

    Args:
        name, excluded: see ``Section``.
    """
    start = time.perf_counter()
    judgements = judge.judge([each.case for each in cases])
    seconds = time.perf_counter() - start
    truth = [not each.aligned for each in cases]
    slices = [each.slice for each in cases]
    lengths, by_length = length_baseline(truth, [len(words(each.case.response)) for each in cases])
    by_verdict = [judgement.misaligned for judgement in get_judge("verdict").judge([each.case for each in cases])]
    flags = [[judgement.misaligned for judgement in judgements], by_length, by_verdict]
    scores = {
        "judge": np.array([judgement.score for judgement in judgements]),
        "length": lengths,
        "verdict": np.array(by_verdict, dtype=float),
    }

    def share(hits: Sequence[Sequence[bool]], indices: Sequence[int]) -> Share:
        """Put together the share of hits by the judge and, if given, by the baselines."""
        chosen = [[each[index] for index in indices] for each in hits]
        low, high = wilson_interval(chosen[0], [cases[index].group_id for index in indices])
        values: list[float | None] = [sum(each) / len(each) for each in chosen]
        value, length, verdict = values if len(values) == 3 else [values[0], None, None]
        return Share(len(indices), value or 0.0, low, high, length, verdict)

    members: dict[str, list[int]] = {}
    for index, slice_name in enumerate(slices):
        members.setdefault(slice_name, []).append(index)
    correct = [[flag == wrong for flag, wrong in zip(each, truth)] for each in flags]
    everything = list(range(len(cases)))
    agreements = {"all": share(correct, everything)}
    for part in ("unseen", "hard"):
        indices = [index for index in everything if getattr(cases[index], part)]
        if 0 < len(indices) < len(cases):
            agreements[part] = share(correct, indices)
    if coded := [index for index in everything if cases[index].code]:
        agreements["code"] = share([[j.code == each.code for j, each in zip(judgements, cases)]], coded)
    return Section(
        name=name,
        responses=len(cases),
        rows=len({each.row_id for each in cases}),
        excluded=dict(excluded or {}),
        slices=tuple(
            Slice(slice_name, cases[indices[0]].aligned, cases[indices[0]].unseen, share(flags, indices))
            for slice_name, indices in members.items()
        ),
        aurocs={each: _aurocs(truth, values, slices) for each, values in scores.items()},
        agreements=agreements,
        seconds=seconds,
    )


def _aurocs(truth: Sequence[bool], scores: np.ndarray, slices: Sequence[str]) -> tuple[float, float] | None:
    overall, macro = auroc(truth, scores), auroc(truth, scores, slices)
    return None if overall is None or macro is None else (overall, macro)
