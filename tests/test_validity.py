"""Responses of known truth, and what is measured on them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass

import pytest
from test_repository import runs

from dfar_bench.data import rows
from dfar_bench.errors import InputError
from dfar_bench.judges import Case, Judge, Judgement, get_judge
from dfar_bench.responses import is_degenerate, is_refusal
from dfar_bench.text import words
from dfar_bench.validity import openings, texts
from dfar_bench.validity.items import Item, dropped, items
from dfar_bench.validity.kinds import KINDS, unusable
from dfar_bench.validity.measures import areas, by_length, interval
from dfar_bench.validity.natural import PARTS, natural_items
from dfar_bench.validity.paraphrase import SYNONYMS, paraphrased
from dfar_bench.validity.report import AREA, CAUGHT, FLAGGED
from dfar_bench.validity.stance import flipped, neutralised, reworded, sentences
from dfar_bench.validity.suite import run, validate
from dfar_bench.verdicts import parse_verdict

DIGEST = """
import hashlib
from dfar_bench.validity.items import items
print(hashlib.sha256(repr([(i.kind, i.row_id, i.case) for i in items("mini")]).encode()).hexdigest())
"""


@dataclass(frozen=True)
class Told(Judge):
    """A judge that knows the truth, or says the same of everything."""

    truth: dict[Case, bool]
    name: str = "told"
    signature: str = "told.v1"

    def judge(self, case: Case) -> Judgement:
        misaligned = self.truth[case]
        return Judgement(misaligned, False, float(misaligned), "generic" if misaligned else "aligned")


@pytest.fixture(params=["mini", "paper"])
def split(request: pytest.FixtureRequest) -> str:
    """Both splits, the paper's only where its data is at hand."""
    if request.param == "paper":
        request.getfixturevalue("paper")
    return str(request.param)


def of_kind(kind: str, split: str = "mini") -> list[Item]:
    return [item for item in items(split) if item.kind == kind]


def test_every_kind_is_there_often_enough(split: str) -> None:
    counts = Counter(item.kind for item in items(split))
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 30, counts
    for item in items(split):
        assert item.aligned == KINDS[item.kind].aligned
        assert item.unseen == KINDS[item.kind].unseen


@pytest.mark.usefixtures("paper")
def test_rows_of_the_paper_that_are_left_out() -> None:
    assert dropped("paper") == {"reason_against_label": 6, "reason_of_another_row": 3, "reason_repeated": 1}
    assert dropped("mini") == {}
    assert len({item.row_id for item in items("paper")}) == 311 - 10
    assert set(unusable(rows("paper")["test"])).isdisjoint(item.row_id for item in items("paper"))


def test_the_same_in_every_process() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    here = hashlib.sha256(repr([(i.kind, i.row_id, i.case) for i in items("mini")]).encode()).hexdigest()
    assert digests == {here}


def test_flipped_responses_pronounce_the_other_verdict(split: str) -> None:
    for kind in ("verdict_flipped", "sibling_opposite", "other_reason_opposite_label"):
        found = of_kind(kind, split)
        other = sum(parse_verdict(item.case.response) == 1 - item.case.label for item in found)
        assert other >= 0.98 * len(found), kind


def test_aligned_responses_do_not_pronounce_the_other_verdict(split: str) -> None:
    for kind in (kind for kind in KINDS.values() if kind.aligned):
        found = of_kind(kind.name, split)
        other = sum(parse_verdict(item.case.response) == 1 - item.case.label for item in found)
        assert other <= 0.02 * len(found), kind


def test_right_verdicts_of_misaligned_responses() -> None:
    """What only the argument gives away."""
    kinds = ("opposite_argument", "opposite_argument_spelled", "other_reason_same_label", "generic", "generic_long")
    for kind in (*kinds, "contradicting_last", "off_topic", "bare_verdict", "keyword_stuffing", "word_salad"):
        found = of_kind(kind)
        assert sum(parse_verdict(item.case.response) == item.case.label for item in found) >= 0.95 * len(found), kind


def test_kinds_are_what_they_say() -> None:
    for kind in ("no_verdict_word", "antonym_flip"):
        assert not any(re.search("ethical", item.case.response, re.IGNORECASE) for item in of_kind(kind))
    assert all(is_degenerate(item.case.response) for kind in ("loop", "empty") for item in of_kind(kind))
    assert all(
        is_refusal(item.case.response) for item in of_kind("refusal") if "Unfortunately" not in item.case.response
    )
    assert all(parse_verdict(item.case.response) is None for item in of_kind("refusal"))
    assert all(item.case.statement.rstrip(".") in item.case.response for item in of_kind("no_verdict"))
    for item in of_kind("human"):
        assert item.case.response.endswith(item.case.reference)
    for item in of_kind("opposite_argument"):
        _, _, argument = item.case.response.partition("thical")
        assert "ethical" not in argument.lower(), item
    for item in of_kind("reordered"):
        assert item.case.response.split(". ", 1)[1] != item.case.reference
        assert sorted(words(item.case.response))[1:] != []
        assert Counter(words(item.case.response)[1:]) == Counter(words(item.case.reference))


def test_borrowed_reasons_come_from_elsewhere() -> None:
    group = {row.reason: row.group_id for part in rows("mini").values() for row in part}
    for kind in ("other_reason_same_label", "other_reason_opposite_label"):
        for item in of_kind(kind):
            (lender,) = {home for reason, home in group.items() if item.case.response.endswith(reason)}
            assert lender != item.group_id
    for item in of_kind("sibling_opposite"):
        assert item.group_id in {home for reason, home in group.items() if item.case.response.endswith(reason)}


def test_there_is_material_enough() -> None:
    assert len({text for side in texts.GENERIC for text in side}) >= 24
    assert len(set(texts.OFF_TOPIC)) >= 16
    assert len(SYNONYMS) >= 150
    for label, forms in enumerate(openings.SPOKEN):
        assert all(parse_verdict(form) == label for form in forms)
    for label, forms in enumerate(openings.DOUBLE_NEGATION):
        assert all(parse_verdict(form) != 1 - label for form in forms)


@pytest.mark.usefixtures("paper")
def test_no_sentence_of_dfar_ships() -> None:
    own = [
        *texts.OFF_TOPIC,
        *texts.REFUSALS,
        *texts.UNDECIDED,
        *(text for side in texts.GENERIC + texts.GENERIC_UNSEEN for text in side),
    ]
    known = set().union(*(runs(f"{row.statement} {row.reason}") for part in rows("paper").values() for row in part))
    assert not any(runs(text) & known for text in own)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Taking it is unethical.", "Taking it is ethical."),
        ("It is not right to shout.", "It is not wrong to shout."),
        ("That was a good decision, and ethical.", "That was a bad decision, and unethical."),
        ("So it's completely okay.", "So it's not completely okay."),
        ("He took the right turn.", "He took the right turn."),
    ],
)
def test_flipped(text: str, other: str) -> None:
    assert flipped(text) == other


def test_words_of_sentences() -> None:
    assert sentences("Mr. Reed came at 3 a.m. today. He  left.") == ["Mr. Reed came at 3 a.m. today.", "He left."]
    assert reworded("An ethical act. It is unethical to lie.") == "A decent act. It is wrong to lie."
    assert neutralised("Hiding the letter is unethical. It kept two old friends apart for years, and neither of them "
                       "ever learned who had been standing between them, which is unethical.") == (
        "Hiding the letter, that is the case at hand. It kept two old friends apart for years, and neither of them "
        "ever learned who had been standing between them."
    )  # fmt: skip
    assert neutralised("This is unethical.") == ""
    assert paraphrased("If it rains, pupils cannot start.", "x") in (
        "If it rains, students can't start.",
        "Students can't start if it rains.",
        "If it rains, students cannot start.",
        "Students cannot start if it rains.",
    )


def test_a_judge_that_knows() -> None:
    found = items("mini")
    told = run(Told({item.case: not item.aligned for item in found}), found, "mini")
    assert told.holds
    assert all(kind.rate == float(not kind.aligned) for kind in told.kinds)
    assert told.areas[0] == (1.0, 1.0)
    assert told.agreements[0].share == 1.0


@pytest.mark.parametrize("says", [True, False])
def test_a_judge_that_always_says_the_same(says: bool) -> None:
    found = items("mini")
    constant = run(Told(dict.fromkeys((item.case for item in found), says)), found, "mini")
    assert all(kind.rate == float(says) for kind in constant.kinds)
    assert all(kind.holds == (kind.aligned != says) for kind in constant.kinds)
    assert constant.areas[0] == (0.5, 0.5)
    assert constant.kinds[0].interval[0] < constant.kinds[0].interval[1]


def test_natural_responses() -> None:
    for part in PARTS:
        found = natural_items(part)
        assert len(found) >= 100
        assert {item.aligned for item in found} == {True, False}
        assert all(item.aligned == (item.code == "aligned") for item in found)
        assert {item.unseen for item in found} == {part == "unseen"}
    with pytest.raises(InputError, match="no natural responses 'test'"):
        natural_items("test")


def test_the_report() -> None:
    report = validate(get_judge("verdict"), ["mini"], ["dev"])
    document = report.as_json()
    assert document == validate(get_judge("verdict"), ["mini"], ["dev"]).as_json()
    assert "seconds" not in json.dumps(document, allow_nan=False)
    assert document["goals"] == {"caught": CAUGHT, "flagged": FLAGGED, "auroc": AREA}
    mini, dev = document["sections"]
    assert set(mini["kinds"]) == set(KINDS)
    assert mini["kinds"]["bare_verdict"]["flagged"] == 1.0
    assert mini["kinds"]["other_reason_same_label"] == {
        "aligned": False, "unseen": False, "n": 176, "flagged": 0.0, "low": 0.0, "high": 0.080296, "goal_holds": False,
        "length": mini["kinds"]["other_reason_same_label"]["length"], "verdict": 0.0,
    }  # fmt: skip
    assert not report.holds
    assert dev["agreement"]["code"]["verdict"] is None
    assert {"all", "hard", "code"} == set(dev["agreement"])
    errors = [1 - kind["flagged"] for kind in mini["kinds"].values() if not kind["aligned"]]
    assert errors == sorted(errors, reverse=True)
    table = report.as_table()
    assert "responses a second" in table
    assert max(map(len, table.splitlines())) <= 120


def test_other_splits_have_none() -> None:
    with pytest.raises(InputError, match="no constructed responses for 'ethos'"):
        items("ethos")


def test_intervals() -> None:
    flags = [True] * 10 + [False] * 30
    alone = interval(flags, [str(place) for place in range(40)])
    assert alone == pytest.approx((0.14187, 0.40194), abs=1e-4)  # Wilson's, as scipy gives it
    grouped = interval(flags, [str(place // 10) for place in range(40)])
    assert grouped[0] < alone[0] < alone[1] < grouped[1]
    assert interval([True] * 40, ["a"] * 40)[1] == 1.0
    assert interval([True] * 40, ["a"] * 40)[0] < 0.95


def test_every_kind_counts_alike_in_the_macro_area() -> None:
    def item(kind: str, aligned: bool, response: str = "One two.") -> Item:
        return Item(kind, "r", Case("s", 0, "", response), aligned, False, "g")

    found = [item("human", True)] + [item("echo", False)] * 3 + [item("loop", False)]
    kinds = [one.kind for one in found]
    import numpy as np

    assert areas(found, kinds, np.array([0.5, 1, 1, 1, 0])) == (0.75, 0.5)
    assert areas(found[1:], kinds[1:], np.ones(4)) is None
    scores, flags = by_length([item("human", True, "Many words are here."), item("echo", False, "Few.")])
    assert flags == [False, True]
    assert scores[1] > scores[0]
