"""Thoughts before an answer, and answers that were cut off. The texts are ours."""

from __future__ import annotations

import pytest

from dfar_bench.prompts import Prompt
from dfar_bench.reading import Reading, expects_thought, opens_thought, seems_cut, split_thought, without_thought

ANSWER = "Unethical. It breaks a promise."
HARMONY = "<|channel|>analysis<|message|>Is it ethical? Perhaps.<|end|><|start|>assistant<|channel|>final<|message|>"


@pytest.mark.parametrize(
    "response",
    [
        ANSWER,
        f"<think>It may be ethical.</think>{ANSWER}",
        f"[THINK]It may be ethical.[/THINK]{ANSWER}",
        f"<|START_THINKING|>Ethical?<|END_THINKING|>{ANSWER}",
        f"<think>One.</think><think>Two.</think>{ANSWER}",
        f"{HARMONY}{ANSWER}<|return|>",
        f"analysisIt may be ethical.assistantfinal{ANSWER}",
        f"final{ANSWER}",
        f"{ANSWER}<think>\n\n</think>\n",
        f"<think>One.</think>{ANSWER}<think>Two.</think><think></think>",
    ],
)
def test_thoughts_are_taken_off(response: str) -> None:
    assert split_thought(response) == (ANSWER, True)
    assert Reading(response).verdict == 1


@pytest.mark.parametrize(
    "response",
    ["<think>It is ethical, or", HARMONY.partition("<|end|>")[0], "analysisIt is ethical, or", "[THINK]Ethical"],
)
def test_a_thought_that_does_not_end_has_no_answer(response: str) -> None:
    assert split_thought(response) == ("", False)
    reading = Reading(response)
    assert reading.unfinished_thought
    assert reading.verdict is None


def test_what_is_left_of_channels_may_begin_with_a_small_letter() -> None:
    assert split_thought("analysisIt may be right.assistantfinalethical. It is kind.") == ("ethical. It is kind.", True)


@pytest.mark.parametrize("thinking", [False, True])
@pytest.mark.parametrize(
    "response",
    ["", ANSWER, f"Hm.</think>{ANSWER}", f"<think>Hm.</think>{ANSWER}", "<think>Hm", f"{ANSWER}<think>Hm", HARMONY[:40],
     f"{HARMONY}{ANSWER}", f"Hm.</think>{ANSWER}<think>Hm", f"analysisHm.assistantfinal{ANSWER}"],
)  # fmt: skip
def test_an_emptied_thought_leaves_the_same_answer(response: str, thinking: bool) -> None:
    assert split_thought(without_thought(response, thinking), thinking) == split_thought(response, thinking)
    assert "Hm" not in without_thought(response, thinking) or split_thought(response, thinking)[0] == response


def test_tags_in_great_number_cost_little() -> None:
    for text in ("<think></think>" * 70_000, "[/THINK]" + "<think></think>" * 70_000, "<think>" * 150_000):
        assert split_thought(text)[0] == ""


def test_a_thought_that_the_template_opens() -> None:
    thinking = Prompt(thinking=True)
    assert Reading(f"It may be ethical.</think>{ANSWER}", "", thinking).answer == ANSWER
    assert Reading("It is ethical.", "", thinking).unfinished_thought
    assert not Reading("It is ethical.").unfinished_thought


@pytest.mark.parametrize(
    ("context", "opens", "expects"),
    [
        ("<|im_start|>assistant\n", False, False),
        ("<|im_start|>assistant\n<think>\n", True, True),
        ("<|im_start|>assistant\n<think>\n\n</think>\n\n", False, False),
        ("[THINK]so[/THINK] and then [THINK]", True, True),
        ("<|end|><|start|>assistant", False, True),
        ("<|im_start|>system\nReason in <think> tags first.<|im_end|>\n<|im_start|>assistant\n", False, False),
    ],
)
def test_what_a_chat_template_opens(context: str, opens: bool, expects: bool) -> None:
    assert (opens_thought(context), expects_thought(context)) == (opens, expects)


@pytest.mark.parametrize(
    ("answer", "cut"),
    [
        ("ethical", False),
        ("Ethical. It keeps a promise that somebody relied on, and so it is", True),
        ("Ethical. It keeps a promise that somebody relied on, and so it is right.", False),
        ("Ethical. It keeps a promise that somebody relied on, and so it is **right.**”", False),
        ("Unethical", False),
    ],
)
def test_whether_an_answer_seems_cut(answer: str, cut: bool) -> None:
    assert seems_cut(answer, limit=30) == cut
