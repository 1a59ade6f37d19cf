"""The sheet of open answers: have people say what judges are published with, so far on the word of a language model.

``sheet.json`` beside the answers lists those on it, so that ratings keep their meaning when answers are added;
``python -m dfar_bench.rating.open_sheet FILE`` draws it.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import isnan
from pathlib import Path

import numpy as np

from dfar_bench.files import packaged_json
from dfar_bench.judges.validation.answers import OpenAnswer, open_answers
from dfar_bench.rating.agreement import alpha
from dfar_bench.rating.key import numbered
from dfar_bench.rating.ratings import Rater, count_votes
from dfar_bench.runs.validation import People
from dfar_bench.scoring import NOT_AVAILABLE, SEED
from dfar_bench.text import short_hash

FILE = "sheet.json"

ALIGNED, FAULTY, OTHERS = 75, 85, 40
"""How many are drawn of the answers on which the reason decides, aligned by model readings and not, and of the others.
A judge is needed for the former; as models write them, the sheet would have too few that are aligned."""


@dataclass(frozen=True)
class OpenSheet:
    """The answers on the sheet, by item, in an order that gives away neither source nor row nor reading."""

    sheet: str
    items: dict[str, OpenAnswer]


@cache
def open_sheet() -> OpenSheet:
    """Return the sheet."""
    ids = packaged_json("dfar_bench.judges.validation", FILE)
    answers = {answer.id: answer for answer in open_answers("test")}
    sheet = "o" + short_hash(ids)[:6]
    return OpenSheet(sheet, numbered(sheet, [answers[each] for each in ids]))


def draw_open() -> list[str]:
    """Draw the ids of the answers on the sheet."""
    rng = np.random.default_rng(SEED)
    strata: tuple[list[OpenAnswer], ...] = ([], [], [])
    for answer in open_answers("test"):
        strata[_stratum(answer)].append(answer)
    drawn = [
        stratum[at]
        for stratum, size in zip(strata, (ALIGNED, FAULTY, OTHERS), strict=True)
        for at in rng.permutation(len(stratum))[:size]
    ]
    return [drawn[at].id for at in rng.permutation(len(drawn))]


def _stratum(answer: OpenAnswer) -> int:
    """Return of which sort an answer is: the reason decides and is good, or is not; something else decides."""
    return (0 if answer.aligned else 1) if answer.case.reason_decides else 2


def people_on(raters: Sequence[Rater]) -> People:
    """Return what most raters of the sheet decided; answers without a majority are left out."""
    sheet = open_sheet()
    votes = count_votes(raters, sheet)
    counts = np.array([(each.aligned, each.not_aligned) for each in votes.values()])
    agreement = float(alpha(counts, np.ones((1, len(counts))))[0])
    decided = {sheet.items[item].id: not of.misaligned for item, of in votes.items() if of.misaligned is not None}
    behind = Counter(map(_stratum, open_answers("test")))
    rated = Counter(_stratum(answer) for answer in sheet.items.values() if answer.id in decided)
    return People(
        decided,
        {
            answer.id: behind[_stratum(answer)] / rated[_stratum(answer)]
            for answer in sheet.items.values()
            if answer.id in decided
        },
        f"most of {len(raters)} people (Krippendorff's alpha "
        f"{NOT_AVAILABLE if isnan(agreement) else f'{agreement:.2f}'}; {len(votes) - len(decided)} answers without a "
        "majority are left out), weighted back to all answers",
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(draw_open(), indent=1) + "\n", encoding="utf-8")
