from __future__ import annotations

import re

import pytest

import dfar_bench
from dfar_bench.data import COLUMNS, contrast_groups, parse_published, rows
from dfar_bench.errors import InputError
from dfar_bench.text import common_prefix, fold, words

HEADER = "Statement,Label,Reason\r\n"


def test_load_gives_the_contract_columns() -> None:
    loaded = dfar_bench.load("mini")
    assert set(loaded) == {"train", "test"}
    for part in loaded.values():
        assert tuple(part.column_names) == COLUMNS
        assert set(part["label"]) == {0, 1}
    assert loaded["test"][0]["row_id"] == "mini-test-0000"


def test_unknown_split() -> None:
    with pytest.raises(InputError, match=r"no split 'papr': choose one of paper, clean, mini"):
        dfar_bench.load("papr")


def test_mini_is_balanced_grouped_and_argued() -> None:
    train, test = rows("mini")["train"], rows("mini")["test"]
    everything = train + test
    assert len(everything) >= 160
    assert 0.25 <= len(test) / len(everything) <= 0.35
    for part in (train, test, *([r for r in everything if r.domain == d] for d in ("justice", "commonsense"))):
        assert 0.45 <= sum(row.label for row in part) / len(part) <= 0.55
    assert {row.group_id for row in train}.isdisjoint(row.group_id for row in test)
    assert len({fold(row.statement) for row in everything}) == len(everything)
    assert all(25 <= len(row.reason.split()) <= 80 for row in everything)
    unnamed = [row for row in everything if not re.search(r"ethical", row.reason, re.IGNORECASE)]
    assert 0.2 <= len(unnamed) / len(everything) <= 0.5
    assert len({tuple(words(row.reason)[:3]) for row in everything}) > 0.9 * len(everything)


def test_mini_groups_are_the_ones_that_the_paper_rule_finds() -> None:
    for part in rows("mini").values():
        found = contrast_groups([row.statement for row in part])
        named = {row.group_id: number for row, number in zip(part, found)}
        assert [named[row.group_id] for row in part] == found


def test_mini_reasons_do_not_share_runs_of_words() -> None:
    seen: dict[tuple[str, ...], str] = {}
    for row in (*rows("mini")["train"], *rows("mini")["test"]):
        said = words(row.reason)
        for i in range(len(said) - 7):
            run = tuple(said[i : i + 8])
            assert seen.setdefault(run, row.row_id) == row.row_id, (seen[run], row.row_id, run)


def test_contrast_groups_need_adjacency_and_half_of_the_shorter_statement() -> None:
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


def test_common_prefix() -> None:
    assert common_prefix(["a", "b", "c"], ["a", "b", "d"]) == 2
    assert common_prefix([], ["a"]) == 0


def test_published_rows_keep_their_texts_untouched() -> None:
    content = ("\ufeff" + HEADER + '" I waited. ",0,"Fine.\r\nAnd patient\u00a0too. "\r\n').encode()
    assert parse_published(content, "x.csv") == [(" I waited. ", 0, "Fine.\r\nAnd patient\u00a0too. ")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Statement,Reason\r\na,b\r\n", r"x\.csv has no column Label"),
        (b"", r"x\.csv has no column Label, Reason, Statement"),
        ((HEADER + "I waited,0,Fine\r\nI lied,2,Bad\r\n").encode(), r"x\.csv, row 1: the label is '2'"),
        ((HEADER + "I waited,,Fine\r\n").encode(), r"row 0: the label is ''"),
        ((HEADER + "  ,0,Fine\r\n").encode(), r"row 0: the statement is empty"),
        ((HEADER + "I waited,0,\r\n").encode(), r"row 0: the reason is empty"),
        ((HEADER + "I waited,0\r\n").encode(), r"row 0: the reason is empty"),
        (HEADER.encode() + b"I waited\xff,0,Fine\r\n", r"x\.csv is not UTF-8 \(byte 32\)"),
        ((HEADER + 'I waited,0,"Fine\r\n').encode(), r"x\.csv is not a well-formed CSV file"),
    ],
)
def test_bad_csv(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_published(content, "x.csv")


@pytest.mark.usefixtures("paper")
def test_paper_counts_leakage_and_groups() -> None:
    """The figures measured on the published files; they must never move."""
    train, test = rows("paper")["train"], rows("paper")["test"]
    assert (len(train), sum(row.label for row in train)) == (4500, 1912)
    assert (len(test), sum(row.label for row in test)) == (500, 202)
    leaked = [int(row.row_id[-4:]) for row in test if row.leaked]
    assert leaked == [261, *range(312, 500)]
    unleaked = [row for row in test if not row.leaked]
    assert (len(unleaked), sum(row.label for row in unleaked)) == (311, 110)
    contrast = [row for row in test if row.contrast]
    assert len({row.group_id for row in contrast}) == 56
    assert not any(row.leaked for row in contrast)
    loaded = dfar_bench.load("paper")
    assert loaded["test"].num_rows == 500
    assert sum(loaded["test"]["leaked"]) == 189
