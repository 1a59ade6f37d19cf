"""What a response is, before anybody judges it: degenerate, echo, refusal, copy; and how it is read."""

from __future__ import annotations

import pytest

from dfar_bench.datasets import rows
from dfar_bench.prompts import CONDITIONS, STYLES, Condition, Prompt, Style, Turn, make_prompt
from dfar_bench.reading import Reading, is_gold_copy
from dfar_bench.reading.properties import is_degenerate, is_echo, is_refusal

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
    assert Reading(response).answer == answer


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


@pytest.mark.parametrize("name", ["mini", "paper"])
def test_no_human_reason_is_degenerate_or_an_echo(name: str, request: pytest.FixtureRequest) -> None:
    if name == "paper":
        request.getfixturevalue("paper")
    for row in (*rows(name)["train"], *rows(name)["test"]):
        reading = Reading(row.reason, row.statement, make_prompt("llama2", "reason", row))
        assert not reading.degenerate, row.row_id
        assert not reading.echo, row.row_id


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
    ("response", "reason", "copy"),
    [
        (REASON, REASON, True),
        (f" ethical. {REASON.upper()} And more.", REASON, True),
        ("ethical. " + " ".join(REASON.split()[:25]), REASON, True),
        ("ethical. " + " ".join(REASON.split()[:24]) + " Som", REASON, True),
        ("ethical. " + " ".join(REASON.split()[:12]), REASON, False),
        ("ethical. " + " ".join(REASON.split()[:15]) + " which is why I would do the same at any time.", REASON, False),
        ("Keeping a purse that is not yours is theft.", REASON, False),
        ("", REASON, False),
        ("", "", False),
        ("anything", " ", False),
    ],
)
def test_gold_copy(response: str, reason: str, copy: bool) -> None:
    assert is_gold_copy(response, reason) == copy


@pytest.mark.parametrize(
    ("response", "opening", "last"),
    [
        ("unethical. No, wait: nobody was harmed, so the statement is ethical.", 1, 0),
        ("ethical. It keeps a promise.", 0, 0),
        ("I cannot say.", None, None),
        ("Some may say that it is unethical. It is ethical. It would be wrong if he knew.", 0, 0),
    ],
)
def test_the_condition_says_which_verdict_counts(response: str, opening: int | None, last: int | None) -> None:
    assert Reading(response).verdict == opening
    assert Reading(response, STATEMENT, Prompt(final="last")).verdict == last


def test_the_stops_of_the_prompt_end_the_answer() -> None:
    assert Reading("ethical. END unethical.", STATEMENT, Prompt(stops=("END",))).answer == "ethical. "
    assert "###" in Reading("ethical. ### Question: unethical?", STATEMENT, Prompt(stops=())).answer


def test_words_of_the_prompt_that_was_shown_count_as_nothing_new() -> None:
    """But not those of its statement, which an argument may use, nor those of other prompts."""
    prompt = Prompt(f"Consider harm, fairness, duty. {STATEMENT} Verdict:")
    bare, echo = "ethical. Harm, fairness, duty.", f"Verdict: {STATEMENT} Consider harm, fairness."
    assert Reading(bare, STATEMENT, prompt).bare
    assert Reading(echo, STATEMENT, prompt).echo
    assert not Reading(bare, STATEMENT).bare
    assert not Reading(echo, STATEMENT).echo
    assert not Reading("ethical. I returned the lost purse to its owner.", STATEMENT, prompt).bare


def test_a_new_prompt_changes_no_reading_of_earlier_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    test = rows("mini")["test"]

    def readings() -> list[tuple[object, ...]]:
        made = [Reading(f"ethical. {row.reason}", row.statement, make_prompt("llama2", "lr", row)) for row in test]
        return [(r.answer, r.verdict, r.asserted, r.degenerate, r.refusal, r.echo, r.bare) for r in made]

    before = readings()
    vocabulary = " ".join(row.reason for row in test)
    style = Style("wordy", 1, vocabulary + " {ask} {statement}", "{label}", "{label}. {reason}")
    monkeypatch.setitem(STYLES._entries, "wordy", style)
    condition = Condition("wordy", "wordy", (Turn(vocabulary),), with_reason=True, stops=("the", "ethical"))
    monkeypatch.setitem(CONDITIONS._entries, "wordy", condition)
    assert readings() == before
    wordy = make_prompt("wordy", "wordy", test[0])
    assert Reading(f"ethical. {test[0].reason}", test[0].statement, Prompt(wordy.text)).bare
