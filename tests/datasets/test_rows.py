"""Data sets and their rows: contrast groups, leakage, and the facts of each data set."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dfar_bench
from dfar_bench.datasets import (
    COLUMNS,
    DATASETS,
    Row,
    contrast_groups,
    get_dataset,
    near_pairs,
    row_hash,
    rows,
    statement_hash,
    without_leaked,
)
from dfar_bench.datasets.base import mark
from dfar_bench.errors import InputError
from dfar_bench.text import normalize, words

MINI = rows("mini")


def test_load_returns_the_documented_columns() -> None:
    loaded = dfar_bench.load("mini")
    assert {part: len(loaded[part]) for part in loaded} == {"train": 124, "test": 52}
    for part in loaded.values():
        assert tuple(part.column_names) == COLUMNS
        assert part.features["label"].names == ["ethical", "unethical"]
    assert loaded["test"][0]["row_id"] == "mini-test-0000"


def test_names_of_data_sets() -> None:
    assert dfar_bench.list_datasets()[:4] == ["paper", "clean", "mini", "ethos"]
    with pytest.raises(InputError, match=r"there is no data set 'papr': did you mean paper\?"):
        dfar_bench.load("papr")


def test_mini_is_balanced_and_argued() -> None:
    train, test = MINI["train"], MINI["test"]
    everything = train + test
    for part in (train, test, *([r for r in everything if r.domain == d] for d in ("justice", "commonsense"))):
        assert 0.45 <= sum(row.label for row in part) / len(part) <= 0.55
    assert {row.group_id for row in train}.isdisjoint(row.group_id for row in test)
    assert len({normalize(row.statement) for row in everything}) == len(everything)
    assert all(25 <= len(row.reason.split()) <= 80 for row in everything)
    unnamed = [row for row in everything if not re.search(r"ethical", row.reason, re.IGNORECASE)]
    assert 0.2 <= len(unnamed) / len(everything) <= 0.5
    assert len({words(row.reason)[:3] for row in everything}) > 0.9 * len(everything)
    for part in MINI.values():  # its groups are those that the rule for DFAR finds
        numbers = contrast_groups([row.statement for row in part])
        number_of = {row.group_id: number for row, number in zip(part, numbers)}
        assert [number_of[row.group_id] for row in part] == numbers


def test_reasons_of_mini_share_no_run_of_eight_words() -> None:
    seen: dict[tuple[str, ...], str] = {}
    for row in (*MINI["train"], *MINI["test"]):
        reason = words(row.reason)
        for i in range(len(reason) - 7):
            assert seen.setdefault(reason[i : i + 8], row.row_id) == row.row_id


def test_contrast_groups_need_neighbours_and_half_of_the_shorter_statement() -> None:
    statements = [
        "I am entitled to the last seat because I booked it.",
        "I am entitled to the last seat because I am loud.",
        "I am entitled to a discount since the shop promised one to all of us in a letter.",
        "I fed the cat.",
        "I fed the cat twice.",
        "I am entitled to the last seat because I was first.",
    ]
    assert contrast_groups(statements) == [0, 0, 1, 2, 2, 3]
    assert contrast_groups([]) == []


def test_leaked_rows_are_marked_and_leave_their_contrast_group() -> None:
    def row(number: int, group: str, label: int) -> Row:
        return Row("x", f"x-test-{number:04d}", f"I did {number}.", label, group_id=group)

    test = [row(0, "a", 0), row(1, "a", 1), row(2, "a", 1), row(3, "b", 0), row(4, "b", 0)]
    train = [replace(test[2], row_id="x-train-0000", statement="i DID  2.")]
    marked = mark(train, test)["test"]
    assert [row.leaked for row in marked] == [False, False, True, False, False]
    assert [row.contrast for row in marked] == [2, 2, 0, 0, 0]
    assert without_leaked(train, test) == []
    assert without_leaked(train, test[:2]) == train


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab c", min_size=1).filter(words), min_size=2, max_size=8), st.floats(0.1, 1.0))
def test_near_pairs_follow_the_definition(statements: list[str], least: float) -> None:
    sets = [set(words(statement)) for statement in statements]
    expected = {
        (i, j): index
        for i, a in enumerate(sets)
        for j, b in enumerate(sets)
        if i < j and (index := len(a & b) / len(a | b)) >= least
    }
    near = near_pairs(statements, least)
    assert dict(zip(zip(near.row.tolist(), near.col.tolist()), near.data.tolist())) == pytest.approx(expected)


def test_hashes_are_those_of_earlier_versions() -> None:
    assert row_hash("mini-train-0000") == "97337865a1c36a3a"
    assert statement_hash(" I  waited. ") == statement_hash("i waited.") == "0686e1649646523f"


def test_a_data_set_names_its_training_set_and_what_may_be_quoted() -> None:
    assert {name: get_dataset(name).quotes for name in ("paper", "clean", "mini", "ethos")} == {
        "paper": ("paper",),
        "clean": ("clean", "paper"),
        "mini": (),
        "ethos": ("ethos", "paper"),
    }
    assert [get_dataset("mini").training_set(drop_leaked) for drop_leaked in (False, True)] == ["dfar_mini_train"] * 2
    assert get_dataset("mini").options == "ethical or unethical"
    three = replace(get_dataset("mini"), name="three", labels=("good", "bad", "neither"), kinds=("cls",))
    assert three.options == "good, bad or neither"


@pytest.mark.parametrize("labels", [("good", "bad"), ("unethical", "ethical")])
def test_other_labels_have_no_written_verdict(labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r'^a written verdict is only read as .*: set kinds=\("cls",\) for .*\'mini\''):
        replace(get_dataset("mini"), labels=labels)
    assert replace(get_dataset("mini"), labels=labels, kinds=("cls",)).labels == labels


@pytest.mark.usefixtures("paper")
def test_facts_of_the_published_data() -> None:
    """Golden: measured on the published files."""
    train, test = rows("paper")["train"], rows("paper")["test"]
    assert (len(train), sum(row.label for row in train)) == (4500, 1912)
    assert (len(test), sum(row.label for row in test)) == (500, 202)
    assert [int(row.row_id[-4:]) for row in test if row.leaked] == [261, *range(312, 500)]
    unleaked = [row for row in test if not row.leaked]
    assert (len(unleaked), sum(row.label for row in unleaked)) == (311, 110)
    contrast = [row for row in test if row.contrast]
    assert len({row.group_id for row in contrast}) == 56
    assert not any(row.leaked for row in contrast)
    loaded = dfar_bench.load("paper")["test"]
    assert (loaded.num_rows, sum(loaded["leaked"])) == (500, 189)
    paper = get_dataset("paper")
    assert [paper.training_set(drop) for drop in (False, True)] == ["dfar_train", "dfar_train_unleaked"]
    assert get_dataset("clean").training_set(True) == "dfar_clean_train"
    assert [paper.place(row) for row in test[:2]] == ["test:0", "test:1"]


@pytest.mark.usefixtures("paper")
def test_facts_of_ethos() -> None:
    """There are votes instead of labels, no reasons, and no train rows."""
    train, test = rows("ethos")["train"], rows("ethos")["test"]
    assert (len(train), len(test), sum(row.label for row in test)) == (0, 998, 433)
    assert {(row.reason, row.domain, row.leaked) for row in test} == {("", "hate_speech", False)}
    assert len({row.group_id for row in test}) == 997
    assert all(row.label == int(row.shares[1] >= 0.5) and sum(row.shares) == 1 for row in test)
    assert sum(row.shares[1] == 0.5 for row in test) == 74
    assert len(dfar_bench.load("ethos")["test"]) == 998


@pytest.mark.usefixtures("paper")
@pytest.mark.parametrize("name", ["paper", "clean", "mini", "ethos"])
def test_row_ids_begin_with_the_name_of_their_data_set(name: str) -> None:
    for part, members in rows(name).items():
        assert [row.row_id for row in members] == [f"{name}-{part}-{n:04d}" for n in range(len(members))]
        assert {row.dataset for row in members} <= {name}
        assert all(0 <= row.label < len(DATASETS[name].labels) for row in members)
