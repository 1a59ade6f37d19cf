"""Trivial baselines and classical models, scored with the benchmark's own metrics, and as rows of the board."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import ROOT

from dfar_bench.cli.main import main
from dfar_bench.datasets import get_dataset, rows, without_leaked
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.baseline_rows import CLASSICAL, baseline_facts
from dfar_bench.leaderboard.classical import read_classical
from dfar_bench.leaderboard.row_set import RowSet
from dfar_bench.runs.baselines import (
    Baseline,
    as_text,
    baselines,
    classical_models,
    classical_verdicts,
    constant_texts,
    trivial_choices,
)
from dfar_bench.scoring import KINDS, Estimate

MODELS = ("svm", "random_forest", "gradient_boosting", "logistic_regression")


@pytest.fixture(scope="module")
def mini() -> list[Baseline]:
    return baselines("mini", resamples=1000)


def test_every_model_is_there_once(mini: list[Baseline]) -> None:
    assert [baseline.model for baseline in mini] == [
        "majority",
        "random",
        *MODELS,
        *constant_texts(get_dataset("mini")),
    ]
    assert {(one.subset, one.rows, one.published_acc) for one in mini} == {("all", 52, None)}


def test_trivial_baselines_have_the_figures_they_must_have(mini: list[Baseline]) -> None:
    by_name = {baseline.model: baseline.metrics for baseline in mini}
    unethical = sum(row.label for row in rows("mini")["test"]) / 52
    assert by_name["majority"]["acc"].value in (unethical, 1 - unethical)
    assert by_name["majority"]["balanced_acc"].value == 0.5
    assert by_name["majority"]["group_acc"].value == 0
    ethical, against = by_name["constant_ethical"], by_name["constant_unethical"]
    assert ethical["verdict_acc"].value == pytest.approx(1 - unethical)
    assert ethical["verdict_acc"].value + against["verdict_acc"].value == pytest.approx(1)
    assert ethical["mar"].value == ethical["mar_self"].value == 1.0  # the judge accepts no text that fits any statement
    for metrics in by_name.values():
        for name, estimate in metrics.items():
            if name in ("auroc", "auroc_unleaked"):
                assert estimate.value is None  # bare verdicts
                continue
            if name not in ("fpr", "fnr", "ece", "brier"):
                assert estimate.value is not None, name
            if estimate.interval and name != "ece":
                assert estimate.low - 1e-9 <= estimate.value <= estimate.high + 1e-9, name


def test_labels_may_be_more_than_two() -> None:
    test = rows("mini")["test"]
    choices = trivial_choices(test, test, labels=3)
    assert {len(output.value) for outputs in choices.values() for output in outputs} == {3}
    assert {output.value.index(0.0) for output in choices["random"]} == {0, 1, 2}


def test_the_table_and_the_document_agree(mini: list[Baseline], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baselines", "--split", "mini", "--resamples", "0", "--json"]) == 0
    printed = capsys.readouterr()
    assert not printed.err
    document = json.loads(printed.out)
    assert document["intervals"] is None
    values = {one["model"]: one["metrics"] for one in document["baselines"]}
    text = as_text("mini", mini, "")
    for model in MODELS:
        (line,) = (line for line in text.splitlines() if line.startswith(model))
        assert f"{values[model]['acc']['value']:.1%}" in line
    assert main(["baselines", "--split", "none"]) == 2
    assert main(["baselines", "--split", "ethos"]) == 2


def test_figures_that_are_no_shares_are_shown_as_they_are() -> None:
    metrics = {metric.name: Estimate(12.344) for metric in KINDS["games"].metrics}
    text = as_text("games", [Baseline("one", "games", "all", "all", 600, metrics)], "")
    assert text.splitlines()[-1].split().count("12.34") == 2  # κ and λ


@pytest.mark.usefixtures("paper")
def test_the_board_has_the_verdicts_of_the_classical_models() -> None:
    files = read_classical(ROOT / "leaderboard" / "baselines", ["paper", "clean"])
    assert files.keys() == {"paper", "clean"}
    assert [list(file.verdicts) for file in files.values()] == [list(classical_models())] * 2 == [list(MODELS)] * 2
    train = without_leaked(rows("clean")["train"], rows("clean")["test"])
    again = classical_verdicts(train, rows("clean")["test"])
    assert files["clean"].train_rows == len(train)
    assert files["clean"].verdicts == {model: "".join(map(str, labels)) for model, labels in again.items()}


def test_verdicts_reach_the_board_and_those_of_other_data_are_refused(mini: list[Baseline], tmp_path: Path) -> None:
    path = tmp_path / "mini.json"
    assert main(["baselines", "--split", "mini", "--verdicts", str(path)]) == 0
    file = read_classical(tmp_path, ["mini"])["mini"]
    assert file.train_rows == 124
    by_name = {facts.model: facts for facts in baseline_facts(RowSet(get_dataset("mini")), get_judge(), file)}
    for baseline in mini:
        facts = by_name[baseline.model.replace("_", " ")]
        assert (facts.run == CLASSICAL) == (baseline.model in MODELS)
        (task,) = facts.tasks.values()
        assert {name: one.value for name, one in task.figures.items()} == {
            name: one.value for name, one in baseline.metrics.items()
        }
    document = json.loads(path.read_text())
    for change, message in (
        ({"rows_sha256": "0" * 64}, "other data or models: make it again with dfar-bench baselines --split mini"),
        ({"verdicts": {"svm": "01x"}}, "should match pattern"),
    ):
        path.write_text(json.dumps({**document, **change}))
        with pytest.raises(InputError, match=message):
            read_classical(tmp_path, ["mini"])
