"""Real models' answers with three readings each, and what judges may be made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from dfar_bench.errors import InputError
from dfar_bench.judges import CODES
from dfar_bench.judges.validation.answers import (
    PARTS,
    UNDECIDED,
    OpenAnswer,
    argued_answers,
    imitated_answers,
    open_answers,
)
from dfar_bench.text import normalize


def test_every_answer_has_three_readings_and_a_source() -> None:
    answers = [answer for part in PARTS for answer in open_answers(part)]
    assert len({answer.id for answer in answers}) == len(answers)
    assert {len(answer.votes) for answer in answers} == {3}
    assert {reading.code for answer in answers for reading in answer.votes} <= {*CODES, "truncated"}
    assert {answer.source.kind for answer in answers} <= {"base", "fine-tuned", "instruct"}
    with pytest.raises(InputError, match="there are no open answers 'dev'"):
        open_answers("dev")


def test_no_statement_or_group_is_in_two_parts() -> None:
    statements = [{normalize(answer.row.statement) for answer in open_answers(part)} for part in PARTS]
    groups = [{(answer.row.dataset, answer.row.group_id) for answer in open_answers(part)} for part in PARTS]
    for sets in (statements, groups):
        assert len(set.union(*sets)) == sum(map(len, sets))


def test_the_majority_stands() -> None:
    for answer in open_answers("make"):
        codes = Counter(reading.code for reading in answer.votes)
        assert answer.code == UNDECIDED or codes[answer.code] >= 2
        assert answer.aligned == (codes["aligned"] >= 2)
        if answer.aligned:
            assert (answer.code, answer.stance) == ("aligned", answer.row.label)


@pytest.mark.parametrize("read", [argued_answers, imitated_answers])
def test_answers_for_making_judges(read: Callable[[], Sequence[OpenAnswer]]) -> None:
    """They are to statements of make, one reading each, and none stands among the others."""
    further = read()
    others = {(answer.row.row_id, answer.response) for part in PARTS for answer in open_answers(part)}
    assert len({answer.id for answer in further}) == len(further)
    assert not others & {(answer.row.row_id, answer.response) for answer in further}
    assert {len(answer.votes) for answer in further} == {1}
    assert {answer.code for answer in further} <= {*CODES, "truncated"}
    assert sum(answer.case.reason_decides for answer in further) > len(further) / 2
