"""The audit of a data set: golden facts of the published files, and data sets of other kinds."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from dfar_bench.datasets import DATASETS, Dataset, Row
from dfar_bench.runs.audit import NOISE_RULES, as_text, audit, noise_list

audited = cache(audit)


@pytest.mark.usefixtures("paper")
def test_published_facts() -> None:
    """Golden: measured on the published files."""
    report = audited("paper")
    leakage = report["leakage"]
    assert [leakage[name] for name in ("leaked_rows", "same_label", "other_reason_bytes")] == [189, 189, 15]
    assert (leakage["share"], leakage["unleaked_majority"], leakage["distinct_statements"]) == (0.378, 0.6463, 4811)
    assert leakage["unleaked_labels"] == {"ethical": 201, "unethical": 110}
    assert report["nearness"]["unleaked_rows_near_train"] == 29
    groups = report["groups"]
    assert (groups["train"]["groups"], groups["train"]["rows"]) == (831, 2046)
    assert groups["test"] == {"groups": 72, "rows": 269, "sizes": {"2": 8, "3": 3, "4": 61}, "mixed_labels": 56}
    encoding = {part: [len(row_ids) for row_ids in faults.values()] for part, faults in report["encoding"].items()}
    assert encoding == {"train": [1, 127, 4, 48, 383], "test": [18, 4, 0, 0, 28]}
    repeats = {part: sum(len(ids) - 1 for ids in texts["reasons"]) for part, texts in report["duplicates"].items()}
    assert repeats == {"train": 9, "test": 1}
    reasons = {part: [len(row_ids) for row_ids in rules.values()] for part, rules in report["reasons"].items()}
    assert reasons == {"train": [198, 538], "test": [16, 29]}
    assert [report["files"][name]["byte_order_mark"] for name in sorted(report["files"])] == [True, False]
    assert {rule for _, rule in noise_list(report)} == set(NOISE_RULES)


@pytest.mark.usefixtures("paper")
def test_the_text_gives_the_leaked_rows_as_ranges() -> None:
    text = as_text(audited("paper"))
    assert "leakage: 189 of 500 test rows (37.8%) are also in train, 189 with the same label" in text
    assert "test rows 261, 312–499 (from 0)" in text


def test_mini_has_no_leak_no_duplicates_and_no_shared_groups() -> None:
    report = audited("mini")
    assert report["leakage"]["leaked_rows"] == report["nearness"]["groups_on_both_sides"] == 0
    assert report["duplicates"]["test"] == {"statements": [], "reasons": []}


def test_three_labels_and_no_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict parser, which knows DFAR's two labels, is not asked; the text leaves out reasons and domains."""
    test = tuple(Row("moods", f"moods-test-{n:04d}", f"It is day {n}.", n % 3, group_id=str(n)) for n in range(6))
    moods = Dataset(
        "moods",
        "moods",
        "Moods",
        "",
        lambda: {"train": (), "test": test},
        labels=("good", "neutral", "bad"),
        kinds=("cls",),
    )
    monkeypatch.setitem(DATASETS._entries, "moods", moods)
    report: dict[str, Any] = audit("moods")
    assert report["leakage"]["unleaked_labels"] == {"good": 2, "neutral": 2, "bad": 2}
    assert noise_list(report) == []
    text = as_text(report)
    assert "test: 6 rows (2 good, 2 neutral, 2 bad); mean number of words: 4.0 per statement\n" in text
    assert "reasons" not in text.replace("0 reasons", "")
