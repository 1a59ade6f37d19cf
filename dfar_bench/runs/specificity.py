"""Does a reason fit this statement, and cease to fit its sibling with the other label?

In the manner of CLOMO (Huang et al., ACL 2024, arXiv 2311.17438), where an argument must follow a changed premise.
Statements of a contrast group begin alike, so a reason that a judge accepts for both says little about either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dfar_bench.datasets import Row, rows
from dfar_bench.judges import Case, Judge
from dfar_bench.runs.run import Run
from dfar_bench.scoring import RESAMPLES, Argument, Estimate, Metric, estimates

NAME = "reason_specificity"


def specificity(run: Run, judge: Judge, *, resamples: int = RESAMPLES) -> Estimate:
    """Estimate the mean of c(statement) · (1 − c(sibling)) over answers with people's verdict and a reason.

    c is how far the judge accepts the reason, 0 to 1, where people's verdict were the one that it argues for. No human
    reason is shown: it names what the statement is about. Several siblings are averaged.

    Returns:
        An estimate in 0–1. No value if no answer counts: rows outside mixed contrast groups and bare
        verdicts do not.

    Raises:
        InputError: the judge cannot decide new cases, as people's ratings cannot.
    """
    siblings = _siblings(rows(run.task.dataset.name)["test"])
    asked: list[tuple[str, bool]] = []
    cases: list[Case] = []
    answers = run.answers(judge)
    for answer in answers:
        others = siblings.get(answer.row.row_id)
        if not isinstance(answer, Argument) or not others or not answer.case.reason_decides:
            continue
        prompt = answer.case.prompt
        for row in (answer.row, *others):
            text = prompt.text.replace(
                answer.row.statement, row.statement
            )  # else its words would not count as repeated
            asked.append((answer.row.row_id, row is answer.row))
            cases.append(Case(row.statement, answer.row.label, "", answer.case.response, replace(prompt, text=text)))
    accepted: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for key, judgement in zip(asked, judge.judge(cases), strict=True):
        accepted[key].append(1 - judgement.score)
    values = {
        row_id: own[0] * (1 - float(np.mean(accepted[row_id, False])))
        for (row_id, is_own), own in accepted.items()
        if is_own
    }
    metric = Metric(NAME, run.task.kind.name, lambda answer: values.get(answer.row.row_id), "Reason specificity")
    return estimates([metric], answers, resamples=resamples)[NAME]


def _siblings(test: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of a contrast group that have the other label, by row id."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in test:
        if row.contrast:
            groups[row.group_id].append(row)
    return {
        row.row_id: [other for other in members if other.label != row.label]
        for members in groups.values()
        for row in members
    }
