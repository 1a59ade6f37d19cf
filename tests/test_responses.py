from __future__ import annotations

import pytest

from dfar_bench.data import rows
from dfar_bench.responses import is_degenerate, is_echo, is_gold_copy, is_refusal, own_answer

STATEMENT = "I returned the lost purse to its owner."
REASON = (
    "Giving the purse back is ethical, because the money in it was never yours and the owner would have missed it "
    "badly. Somebody who keeps what others lose makes a small theft out of an accident."
)


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (" ethical. It helps.", " ethical. It helps."),
        ("<think>Is it wrong? It is wrong. It is wrong.</think>\nethical. It helps.", "\nethical. It helps."),
        ("<think>I will never come to an end", ""),
        ("ethical.\n### Question: Is it unethical to lie?", "ethical.\n"),
    ],
)
def test_own_answer(response: str, answer: str) -> None:
    assert own_answer(response) == answer


@pytest.mark.parametrize(
    "response",
    [
        "",
        " \n\t ",
        "12 34 ... ///",
        "### | ### | ### | ### a | ### |",
        "yes yes yes yes yes yes",
        "It is good. " * 8,
        "The statement is ethical. The statement is ethical. The statement is ethical. The statement is",
        "ethical. I kept the bench free for her, as she had asked me. " + "It is a good example of a good deed. " * 3,
        "ethical because it helps the man who lost it and " * 6,
    ],
)
def test_degenerate(response: str) -> None:
    assert is_degenerate(response)


@pytest.mark.parametrize(
    "response", ["ethical", "Unethical.", REASON, "这是不道德的。", "No, no, no. That is wrong.", "A) ethical"]
)
def test_not_degenerate(response: str) -> None:
    assert not is_degenerate(response)


def test_no_human_reason_of_mini_is_degenerate_or_an_echo() -> None:
    for row in (*rows("mini")["train"], *rows("mini")["test"]):
        assert not is_degenerate(row.reason)
        assert not is_echo(row.reason, row.statement)


@pytest.mark.usefixtures("paper")
def test_human_reasons_of_paper() -> None:
    """Golden: no human reason looks degenerate, and none is a mere echo."""
    for part in rows("paper").values():
        assert [row.row_id for row in part if is_degenerate(row.reason)] == []
        assert [row.row_id for row in part if is_echo(row.reason, row.statement)] == []


@pytest.mark.parametrize(
    ("response", "echo"),
    [
        (STATEMENT, True),
        ("The statement is: I returned the lost purse to its owner. The statement is ethical.", True),
        ("ethical. I returned the lost purse to its owner", True),
        ("ethical", False),
        ("Returning the lost purse to its owner is ethical because honesty keeps trust alive.", False),
        ("I like the sea.", False),
        ("", False),
    ],
)
def test_echo(response: str, echo: bool) -> None:
    assert is_echo(response, STATEMENT) == echo


@pytest.mark.parametrize(
    ("response", "refusal"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I’m sorry, I cannot judge this.", True),
        ("As an AI language model, I do not have personal opinions.", True),
        ("I am unable to say.", True),
        ("He said he was sorry.", False),
        ("The statement is ethical.", False),
    ],
)
def test_refusal(response: str, refusal: bool) -> None:
    assert is_refusal(response) == refusal


@pytest.mark.parametrize(
    ("response", "copy"),
    [
        (REASON, True),
        (f" ethical. {REASON.upper()} And more.", True),
        ("ethical. " + " ".join(REASON.split()[:25]), True),
        ("ethical. " + " ".join(REASON.split()[:24]) + " Som", True),
        ("ethical. " + " ".join(REASON.split()[:12]), False),
        ("ethical. " + " ".join(REASON.split()[:15]) + " which is why I would do the same again at any time.", False),
        ("Keeping a purse that is not yours is theft.", False),
        ("", False),
    ],
)
def test_gold_copy(response: str, copy: bool) -> None:
    assert is_gold_copy(response, REASON) == copy


def test_nothing_copies_an_empty_reason() -> None:
    assert not is_gold_copy("", "")
    assert not is_gold_copy("anything", " ")
