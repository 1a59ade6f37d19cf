"""The verdict of a free text: tables of cases, human reasons, and time."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path

import pytest

from dfar_bench.datasets import rows
from dfar_bench.reading import Reading, parse_verdict

NAMES = {0: "ethical", 1: "unethical", None: "none"}
ESCAPES = {"n": "\n", "t": "\t", "\\": "\\"}


def table(name: str) -> list[list[str]]:
    """Tab-separated lines without quoting; the last column is the text, with \\n, \\t and \\\\ escaped."""
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").split("\n")[1:]
    cells = [line.split("\t") for line in lines if line]
    return [[*front, re.sub(r"\\(.)", lambda m: ESCAPES[m[1]], text)] for *front, text in cells]


CASES = table("verdict_cases.tsv")
KINDS = dict.fromkeys(kind for kind, _, _ in CASES)


def test_the_table_is_large_and_covers_every_verdict() -> None:
    assert len({text for _, _, text in CASES}) == len(CASES) >= 300
    assert min(Counter(expected for _, expected, _ in CASES).values()) >= 50
    assert {expected for _, expected, _ in CASES} == set(NAMES.values())


@pytest.mark.parametrize("kind", KINDS)
def test_cases(kind: str) -> None:
    cases = [(text, expected) for of_kind, expected, text in CASES if of_kind == kind]
    assert [(text, NAMES[Reading(text).verdict]) for text, _ in cases] == cases


def test_cases_by_authors_who_never_saw_the_parser() -> None:
    """310 responses as fine-tuned models, chat models, base models and annotators write them, in two rounds.

    When first run, 141 of the first 160 and 138 of the other 150 were right. The rules then learned from both, so
    this is a floor, not an estimate.
    """
    cases = table("verdict_cases_unseen.tsv")
    wrong = [text for expected, text in cases if NAMES[Reading(text).verdict] != expected]
    assert len(cases) == 310
    assert len(wrong) <= 10, wrong


def test_human_reasons_of_mini() -> None:
    """No human reason is read as the opposite of its label."""
    everything = [*rows("mini")["train"], *rows("mini")["test"]]
    assert not [row.row_id for row in everything if parse_verdict(row.reason) == 1 - row.label]


@pytest.mark.usefixtures("paper")
def test_human_reasons_of_paper() -> None:
    """Golden: of the test reasons in which a verdict is read, 455 of 471 agree with the label."""
    verdicts = [(parse_verdict(row.reason), row.label) for row in rows("paper")["test"]]
    assert sum(verdict is not None for verdict, _ in verdicts) == 471
    assert sum(verdict == label for verdict, label in verdicts) == 455


def test_the_words_of_a_quoted_statement_are_not_the_answers_own() -> None:
    statement = "I should not have to pay because my friends say it is fine and they cannot prove it."
    for label, name in enumerate(("ethical", "unethical")):
        for answer in (
            f'The statement "{statement}" is {name}.',
            f"Saying '{statement[:-1]}' is {name.upper()}, since …",
        ):
            assert Reading(answer, statement).verdict == label
    assert Reading(statement, statement).verdict is None


def test_asserted_verdicts_are_in_order_and_leave_out_what_is_only_entertained() -> None:
    text = "ethical. It would be wrong if he knew. Some say it is unethical. Is it wrong? No. It is wrong to lie."
    assert Reading(text).asserted == (0, 1)
    assert Reading("").asserted == ()


@pytest.mark.parametrize(
    "text",
    [
        "ethical\n",
        "So it is ethical. ",
        "It may be wrong. ",
        "if so, it is unethical; ",
        "is it ethical or unethical ",
        "not ",
        "whether, ",
        "?!",
        "\0\ufffd",
    ],
)
def test_long_texts_take_time_in_proportion(text: str) -> None:
    def seconds(repeats: int) -> float:  # of this process, whatever else the machine does
        times = []
        for _ in range(3):
            start = time.process_time()
            parse_verdict(text * repeats)
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(10_000) < 40 * seconds(1_000) + 0.05
