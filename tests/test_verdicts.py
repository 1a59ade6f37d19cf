from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from dfar_bench.data import rows
from dfar_bench.verdicts import parse_verdict

HERE = Path(__file__).parent
NAMES = {0: "ethical", 1: "unethical", None: "none"}
ESCAPES = {"n": "\n", "t": "\t", "\\": "\\"}


def table(name: str) -> list[list[str]]:
    """Tab-separated lines without quoting; the last column is the text, with \\n, \\t and \\\\ escaped."""
    lines = (HERE / name).read_text(encoding="utf-8").split("\n")[1:]
    cells = [line.split("\t") for line in lines if line]
    return [[*front, re.sub(r"\\(.)", lambda m: ESCAPES[m[1]], text)] for *front, text in cells]


CASES = table("verdict_cases.tsv")


def test_the_table_is_large_and_covers_every_verdict() -> None:
    assert len(CASES) >= 300
    assert len({text for _, _, text in CASES}) == len(CASES)
    for verdict in NAMES.values():
        assert sum(expected == verdict for _, expected, _ in CASES) >= 50


@pytest.mark.parametrize(("kind", "expected", "text"), CASES)
def test_case(kind: str, expected: str, text: str) -> None:
    assert NAMES[parse_verdict(text)] == expected


def test_cases_written_by_authors_who_never_saw_the_parser() -> None:
    """310 responses as fine-tuned models, chat models, base models and annotators write them, in two rounds.

    When first run, 141 of the first 160 and 138 of the other 150 were right. The rules then learned from both, so
    this is a floor, not an estimate.
    """
    cases = table("verdict_cases_unseen.tsv")
    wrong = [text for expected, text in cases if NAMES[parse_verdict(text)] != expected]
    assert len(cases) == 310
    assert len(wrong) <= 10, wrong


def test_human_reasons_of_mini() -> None:
    """No human reason is read as the opposite of its label."""
    everything = [*rows("mini")["train"], *rows("mini")["test"]]
    assert not [row.row_id for row in everything if parse_verdict(row.reason) == 1 - row.label]


@pytest.mark.usefixtures("paper")
def test_human_reasons_of_paper() -> None:
    """Golden: of the test reasons in which a verdict is read, 455 of 471 agree with the label."""
    read = [(parse_verdict(row.reason), row.label) for row in rows("paper")["test"]]
    assert sum(verdict is not None for verdict, _ in read) == 471
    assert sum(verdict == label for verdict, label in read) == 455


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
    def seconds(repeats: int) -> float:
        start = time.perf_counter()
        parse_verdict(text * repeats)
        return time.perf_counter() - start

    seconds(100)
    assert seconds(20_000) < 40 * seconds(2_000) + 0.05
