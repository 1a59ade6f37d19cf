"""Responses that quote the data: nothing of it is stored, and everything is restored."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfar_bench.datasets import DATASETS, Row, get_dataset, rows
from dfar_bench.leaderboard.answers_file import doc_hash, pack, prompts_of, read_answers
from dfar_bench.leaderboard.faults import RefusedError
from dfar_bench.leaderboard.quotation import MAX_RESPONSE, RUN, WHOLE, Part, literal_text, quote, quotes, restore
from dfar_bench.scoring import Task, find_task
from dfar_bench.text import words

PAPER = get_dataset("paper")
pytestmark = pytest.mark.usefixtures("paper")


def is_long(row: Row) -> bool:
    return len(words(row.statement)) >= WHOLE


def parts_of(row: Row, text: str) -> list[Part]:
    """Take a response apart, and check all that must hold of every response."""
    dataset = get_dataset(row.dataset)
    parts = quote(dataset, row, text)
    assert not isinstance(parts, str)
    assert restore(dataset, parts) == text
    assert restore(dataset, json.loads(json.dumps(parts))) == text
    assert not quotes(dataset, literal_text(parts))
    assert quote(dataset, row, text) == parts
    return parts


@pytest.mark.parametrize("name", ["paper", "clean", "ethos"])
def test_what_is_a_quotation(name: str) -> None:
    """Any text of the data, wherever and however it is written; and nothing because it is about the same."""
    dataset, train = get_dataset(name), rows("paper")["train"]
    recited = next(row for row in train if "'" in " ".join(row.reason.split()[1 : RUN + 1]))
    said = words(recited.reason)
    assert quotes(dataset, recited.reason)
    assert quotes(dataset, recited.reason.replace("'", "’"))
    assert quotes(dataset, f"unethical: {'… '.join(said[1 : RUN + 1]).upper()}")
    assert not quotes(dataset, f"unethical. {' '.join(said[1:RUN])}, so")
    assert not quotes(dataset, f"{' '.join(said[:6])} thus {' '.join(said[6:12])}")
    assert all(quotes(dataset, f"ethical. {row.statement}") for row in rows(name)["test"][:200] if is_long(row))
    assert not quotes(dataset, "")
    assert not quotes(dataset, " ethical. It is what people expect of one another, and nobody is harmed by it at all.")


def test_a_short_text_is_quoted_as_a_whole_only() -> None:
    row = next(row for row in rows("paper")["test"] if WHOLE < len(words(row.statement)) < RUN)
    assert quotes(PAPER, f"ethical. “{row.statement}” is no harm")
    assert not quotes(PAPER, f"ethical. “{' '.join(row.statement.split()[:-1])}” is no harm")
    assert not quotes(PAPER, " ".join(words(row.statement)[1:]))


def test_texts_that_may_be_published_are_not_quotations() -> None:
    row = rows("mini")["test"][0]
    assert quote(get_dataset("mini"), row, f"{row.statement} {row.reason}") == f"{row.statement} {row.reason}"


def test_every_data_set_that_shows_unpublishable_examples_covers_them() -> None:
    for dataset in DATASETS.values():
        if dataset.examples_from and not get_dataset(dataset.examples_from).publishable:
            example = next(row for row in rows(dataset.examples_from)["train"] if is_long(row))
            assert quotes(dataset, example.statement), dataset.name


def test_the_own_row_comes_first_then_the_lowest_id() -> None:
    row = next(row for row in rows("paper")["test"] if row.leaked and is_long(row))
    twin = min(train.row_id for train in rows("paper")["train"] if words(train.statement) == words(row.statement))
    other = next(other for other in rows("paper")["test"] if not other.leaked)
    (own,) = (part for part in parts_of(row, f"ethical. {row.statement}") if isinstance(part, dict))
    assert (own["row"], own["field"], own["start"]) == (row.row_id, "statement", 0)
    first = next(part for part in parts_of(other, f"ethical. {row.statement}") if isinstance(part, dict))
    assert first["row"] <= twin


def test_only_what_differs_is_literal() -> None:
    row = next(row for row in rows("paper")["test"] if "'" in row.reason and row.reason[0].isupper())
    reason = row.reason.rstrip(".")
    at = reason.index("'")
    text = f"ethical. {reason[0].lower()}{reason[1:].replace(chr(39), '’', 1)}!"
    key = {"row": row.row_id, "field": "reason"}
    end = len(reason) if reason[-1].isalnum() else next(n for n in range(len(reason), 0, -1) if reason[n - 1].isalnum())
    expected = [
        "ethical. ",
        {**key, "start": 0, "end": at, "swapcase": [0]},
        "’",
        {**key, "start": at + 1, "end": end},
        reason[end:] + "!",
    ]
    assert parts_of(row, text) == expected
    (shouted,) = (part for part in parts_of(row, row.reason.upper()) if isinstance(part, dict))
    assert (shouted["start"], shouted["end"]) == (0, end)


def test_a_quotation_around_another_one_is_found() -> None:
    """What is left of a statement, with another one inside it, would be readable as well."""
    row, other = [row for row in rows("paper")["test"] if len(words(row.statement)) == 14][:2]
    halves = row.statement.split()
    text = f"{' '.join(halves[:7])} {other.statement} {' '.join(halves[7:])}"
    assert {part["row"] for part in parts_of(row, text) if isinstance(part, dict)} >= {row.row_id}
    assert not set(words(literal_text(parts_of(row, text)))) & set(words(row.statement))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), noise=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_response_is_restored(seed: int, noise: str) -> None:
    draw = random.Random(seed)
    change: list[Callable[[str], str]] = [
        str.upper,
        str.swapcase,
        str.title,
        lambda text: text.replace(" ", "  "),
        lambda text: text.replace("'", "’"),
        lambda text: "".join(c.swapcase() if draw.random() < 0.3 else c for c in text),
        lambda text: text[draw.randrange(len(text)) :],
        lambda text: " ".join([text] * 3),
    ]
    row = draw.choice(rows("paper")["test"])
    quoted = [draw.choice(change)(text) for text in (row.reason, draw.choice(rows("paper")["train"]).statement)]
    text = noise.join(["ethical. ", *quoted, " "])
    if isinstance(quote(PAPER, row, text), list):
        parts_of(row, text)


def test_look_alike_letters_are_never_stored_as_a_quotation() -> None:
    """The Kelvin sign and the dotted capital i are k and i in lower case."""
    row = next(row for row in rows("paper")["test"] if row.reason.count("i") > 5)
    text = row.reason.replace("i", "\u0130").replace("k", "\u212a")
    assert quote(PAPER, row, text) == text


REASON: Task = find_task("dfar_reason")
LINE = 5


def reference(**fields: Any) -> list[Part]:
    return ["so ", {"row": "paper-test-0005", "field": "statement", "start": 0, "end": 4, **fields}]


HOSTILE: dict[str, tuple[Any, str]] = {
    "literally": (None, "response: quotes the data literally: run submit again, which stores references"),
    "spread over parts": ("spread", "response: quotes the data literally"),
    "an unknown row": (reference(row="paper-test-9999"), "response: refers to 'paper-test-9999', which is not a row"),
    "a row of other data": (
        reference(row="mini-test-0001"),
        "response: refers to 'mini-test-0001', which is not a row",
    ),
    "a row with an escape": (reference(row="\x1b[2J"), r"response: refers to '\x1b[2J', which is not a row"),
    "beyond the text": (reference(end=90_000), "response: refers to characters 0 to 90000 of the statement of"),
    "backwards": (reference(start=4, end=2), "response: refers to characters 4 to 2"),
    "nothing": (reference(start=2, end=2), "response: refers to characters 2 to 2"),
    "negative": (reference(start=-3), "response.1.start: input should be greater than or equal to 0, not -3"),
    "a label": (reference(field="label"), "response.1.field: input should be 'statement' or 'reason', not 'label'"),
    "another field": (reference(label=1), "response.1.label: is not a field of a submission"),
    "half a reference": (["so ", {"row": "paper-test-0005"}], "response.1.field: is missing"),
    "case elsewhere": (reference(swapcase=[9]), "response: swaps the case of character 9 of paper-test-0005"),
    "no parts": ([], "response: list should have at least 1 item"),
    "a number": (["so ", 7], "response.1: is not a JSON object"),
    "parts in parts": ([["so"]], "response.0: is not a JSON object"),
    "too many parts": (["x"] * (MAX_RESPONSE + 1), "response: list should have at most 50000 items"),
    "too long together": (reference()[1:] * 20_000, "response: is longer than 50,000 characters when its parts are"),
    "a token in parts": (["hf_aB3aB3", "aB3aB3aB3aB3aB3"], "response: holds what looks like an access token"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_parts_are_refused(name: str) -> None:
    (response, sentence), prompts = HOSTILE[name], prompts_of("paper", "llama2.v1", "reason")
    statement = rows("paper")["test"][LINE].statement
    if response is None:
        response = statement
    elif response == "spread":
        response = [*f"{statement} {rows('paper')['test'][LINE].reason}".split(), reference()[1]]
    lines = [
        {"row_id": row.row_id, "doc_hash": doc_hash(row, prompts[row.row_id]), "response": "ethical."}
        for row in rows("paper")["test"]
    ]
    lines[LINE]["response"] = response
    with pytest.raises(RefusedError) as refused:
        read_answers(pack(lines), REASON, prompts)
    assert str(refused.value).startswith(sentence)
    assert str(refused.value).endswith("(line 6)")
    assert statement not in str(refused.value)
