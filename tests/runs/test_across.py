"""What data sets share: equal and near statements, found whatever the order."""

from __future__ import annotations

import json

import pytest
from harness import ROOT

from dfar_bench.cli.main import main
from dfar_bench.datasets import DATASETS, available, near_between, near_pairs, rows
from dfar_bench.runs.across import Across, Shared
from dfar_bench.scoring import find_task


def test_near_statements_of_two_lists() -> None:
    first = ["I fed the hens at dawn.", "A tram was late.", "We sold the old boat."]
    second = ["we sold the OLD boat", "I fed the hens at dusk.", "Nothing of the kind happened here."]
    assert near_between(first, second, 0.5) == {(2, 0), (0, 1)}
    assert near_between(second, first, 0.5) == {(0, 2), (1, 0)}
    assert near_between(first, [], 0.5) == near_between([], first, 0.5) == set()


def test_it_finds_what_the_comparison_within_one_list_finds() -> None:
    statements = [row.statement for row in rows("mini")["train"]]
    half = len(statements) // 2
    within = near_pairs(statements, 0.4)
    crossing = {(int(a), int(b) - half) for a, b in zip(within.row, within.col) if a < half <= b}
    assert near_between(statements[:half], statements[half:], 0.4) == crossing


def test_shares_in_both_directions() -> None:
    matrix = Across({"a": 10, "b": 4, "c": 1}, (Shared("a", "b", 1, 2, 1), Shared("a", "c", 0, 0, 0)))
    assert (matrix.share("a", "b"), matrix.share("b", "a"), matrix.share("a", "a")) == (0.2, 0.25, 1.0)
    assert matrix.share("b", "c") == 0.0  # pairs that share nothing need not be stored
    assert "  a and b: 1; 2, 1\n  the other 1 pairs: nothing" in matrix.as_text()


def test_the_committed_sample_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    if not all(available(name) for name, dataset in DATASETS.items() if dataset.suite):
        pytest.skip("a data set of the suite is not available")
    assert main(["data", "sample"]) == 0
    printed = capsys.readouterr().out
    assert printed == (ROOT / "docs" / "moral_suite_200.json").read_text()
    for task, numbers in json.loads(printed).items():
        test = rows(find_task(task).dataset.name)["test"]
        assert min(200, len(test)) <= len(numbers) <= 232
        assert numbers == sorted(set(numbers))
        assert numbers[-1] < len(test)
