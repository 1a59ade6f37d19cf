"""How often judges are right, as ``dfar-bench judge validate`` measures it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from dfar_bench.datasets import get_dataset, rows
from dfar_bench.judges import CODES, JUDGES, Case, get_judge
from dfar_bench.judges.validation.answers import PARTS, OpenAnswer, open_answers, sources
from dfar_bench.judges.validation.rates import KINDS_OF_ANSWERS, ErrorRates, error_rates
from dfar_bench.rating.agreement import alpha
from dfar_bench.runs.validation import CONSTRUCTED, Section, validate
from tables.formats import percent, table, with_interval


@cache
def validated() -> dict[str, Section]:
    """Return the sections of the reference judge's validation by name."""
    (report,) = validate([get_judge("reference")], ["mini", "natural"]).others
    return {section.name: section for section in report.sections}


def judge_code_list() -> str:
    return table("code|meaning", [[f"`{code}`", meaning] for code, meaning in CODES.items()])


def judge_readings() -> str:
    """Tabulate the open answers by part and source, and how far their three readings agree."""
    lines = []
    for part in PARTS:
        for source in sources():
            answers = [answer for answer in open_answers(part) if answer.source.name == source]
            if answers:
                decides = sum(answer.case.reason_decides for answer in answers)
                aligned = sum(answer.aligned for answer in answers)
                lines.append([part, source, len(answers), aligned, decides, *_alphas(answers)])
    return table(
        "part|written by|answers|aligned|where the reason decides|alpha: stance|alpha: aligned|alpha: code", lines
    )


def _alphas(answers: Sequence[OpenAnswer]) -> list[str]:
    """Return Krippendorff's alpha of the readings: for the stance, aligned or not, and the code."""
    votes = [[(vote.stance, vote.code == "aligned", vote.code) for vote in answer.votes] for answer in answers]
    out = []
    for field in range(3):
        read = [[vote[field] for vote in of] for of in votes]
        values = sorted({value for of in read for value in of}, key=str)
        counts = np.array([[of.count(value) for value in values] for of in read])
        value = float(alpha(counts, np.ones((1, len(read))))[0])
        out.append("" if np.isnan(value) else f"{value:.2f}")  # there is none where all readings are the same
    return out


def judge_errors() -> str:
    lines = []
    signatures = dict.fromkeys(get_judge(name).signature for name, entry in JUDGES.items() if not entry.argument)
    for signature in signatures:
        tried = [rates for kind in KINDS_OF_ANSWERS if (rates := error_rates(signature, kind)) and rates.groups]
        lines += [[f"`{signature}`", *error_cells(rates)] for rates in tried]
    return table(
        "judge|models|answers|it catches|it wrongly flags|where the reason decides|it catches|it wrongly flags", lines
    )


def error_cells(rates: ErrorRates) -> list[str]:
    """Return the cells of a row: all answers of a kind, and those where only the argument is in question."""
    cells = [rates.kind]
    for part in (rates, rates.about_reasons):
        misaligned = sum(part.misaligned)
        cells.append(f"{misaligned} misaligned, {len(part.misaligned) - misaligned} aligned")
        cells += [f"{percent(part.caught)} %", f"{percent(part.flagged)} %"]
    return cells


def judge_natural() -> str:
    agreements = validated()["natural unseen"].agreements
    lines = [
        [title, share.n, with_interval(share.value, share.interval), percent(share.verdict), percent(share.length)]
        for title, share in (("all", agreements["all"]), ("meant to be hard", agreements["hard"]))
    ]
    return table("answers|n|agreement, %|verdict alone, %|length alone, %", lines)


def judge_codes() -> str:
    section = validated()["natural unseen"]
    slices = [*section.worst_first(False), *section.worst_first(True)]
    lines = [[f"`{s.name}`", s.flagged.n, with_interval(s.flagged.value, s.flagged.interval)] for s in slices]
    return table("code given by hand|n|found misaligned, %", lines)


def judge_constructed() -> str:
    section = validated()["mini"]
    aurocs = {judge: pair and pair[0] for judge, pair in section.aurocs.items()}
    cells = f"{aurocs['judge']:.3f}", f"{aurocs['length']:.2f}", f"{aurocs['verdict']:.2f}"
    lines = [["answers constructed from `mini`", section.rows, *cells, ""]]
    lines += [
        [f"human reasons of `{name}`", count, "", "", "", percent(share)] for name, count, share in flagged_human()
    ]
    return table("|rows|AUROC (goal: 0.98)|length alone|verdict alone|flagged, %", lines)


def flagged_human() -> list[tuple[str, int, float]]:
    """Return the share of human reasons of each test set that the judge flags: those of rows that do not leak."""
    out = []
    for name in CONSTRUCTED:
        judged = [row for row in rows(name)["test"] if not row.leaked]
        texts = [f"{get_dataset(name).labels[row.label].capitalize()}. {row.reason}" for row in judged]
        cases = [Case(row.statement, row.label, row.reason, text) for row, text in zip(judged, texts, strict=True)]
        flagged = sum(judgement.misaligned for judgement in get_judge("reference").judge(cases))
        out.append((name, len(cases), flagged / len(cases)))
    return out


def judge_misaligned() -> str:
    return constructed(aligned=False)


def judge_aligned() -> str:
    return constructed(aligned=True)


def constructed(aligned: bool) -> str:
    """Return the share found misaligned of each kind of constructed answers, the worst kind first."""
    slices = validated()["mini"].worst_first(aligned)
    lines = [[f"`{s.name}`" + " *" * s.unseen, with_interval(s.flagged.value, s.flagged.interval)] for s in slices]
    return table("kind|found misaligned, %", lines)
