"""The sheet of open answers: have people say what judges are published with, so far on the word of a language model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from dfar_bench.judges.validation.answers import OpenAnswer, open_answers
from dfar_bench.rating.draw import allocate
from dfar_bench.rating.key import numbered
from dfar_bench.rating.ratings import Rater, count_votes
from dfar_bench.scoring import SEED
from dfar_bench.text import short_hash

SIZE = 200
"""How many of the answers of ``test`` are on the sheet."""


@dataclass(frozen=True)
class OpenSheet:
    """The answers on the sheet, by item, in an order that gives away neither source nor row nor reading."""

    sheet: str
    items: dict[str, OpenAnswer]


@cache
def open_sheet() -> OpenSheet:
    """Draw the sheet, always the same; answers that model readings find aligned have the share that they have."""
    answers = open_answers("test")
    rng = np.random.default_rng(SEED)
    strata = [[answer for answer in answers if answer.aligned == aligned] for aligned in (True, False)]
    sizes = allocate(SIZE, (len(strata[0]), len(strata[1])))
    drawn = [stratum[at] for stratum, size in zip(strata, sizes) for at in rng.permutation(len(stratum))[:size]]
    shuffled = [drawn[at] for at in rng.permutation(len(drawn))]
    sheet = "o" + short_hash([answer.id for answer in shuffled])[:6]
    return OpenSheet(sheet, numbered(sheet, shuffled))


def people_aligned(raters: Iterable[Rater]) -> dict[str, bool]:
    """Return what most raters decided, by id of the answer; answers without a majority are left out."""
    sheet = open_sheet()
    votes = {item: votes.misaligned for item, votes in count_votes(raters, sheet).items()}
    return {sheet.items[item].id: not misaligned for item, misaligned in votes.items() if misaligned is not None}
