"""Null models and classical models, scored with the benchmark's own metrics."""

from __future__ import annotations

import json

import pytest

from dfar_bench.baselines import CONSTANT_TEXTS, Baseline, as_text, baselines, classical_models
from dfar_bench.cli import main
from dfar_bench.data import rows

CLASSICAL = ("svm", "random_forest", "gradient_boosting", "logistic_regression")


@pytest.fixture(scope="module")
def mini() -> list[Baseline]:
    return baselines("mini", resamples=1000)


def test_every_model_is_there_once(mini: list[Baseline]) -> None:
    assert [one.model for one in mini] == ["majority", "random", *CLASSICAL, *CONSTANT_TEXTS]
    assert {(one.subset, one.rows, one.published_acc) for one in mini} == {("all", 52, None)}
    assert list(classical_models()) == list(CLASSICAL)


def test_null_models_have_the_figures_they_must_have(mini: list[Baseline]) -> None:
    by_name = {one.model: one.metrics for one in mini}
    unethical = sum(row.label for row in rows("mini")["test"]) / 52
    assert by_name["majority"]["acc"][0] in (unethical, 1 - unethical)
    assert by_name["majority"]["balanced_acc"][0] == 0.5
    assert by_name["majority"]["group_acc"][0] == 0
    ethical, against = by_name["constant_ethical"], by_name["constant_unethical"]
    assert ethical["verdict_acc"][0] == pytest.approx(1 - unethical)
    assert ethical["verdict_acc"][0] + against["verdict_acc"][0] == pytest.approx(1)
    # A fluent constant text is let through wherever its verdict is right: the floor that every MAR stands on.
    assert ethical["mar"][0] == pytest.approx(unethical)
    for one in mini:
        for name, (value, spread) in one.metrics.items():
            assert value is not None, name
            if spread:
                assert spread[0] - 1e-9 <= value <= spread[1] + 1e-9


def test_the_report_and_the_document_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baselines", "--split", "mini", "--resamples", "0", "--json"]) == 0
    out = capsys.readouterr()
    assert not out.err
    document = json.loads(out.out)
    assert document["intervals"] is None
    found = {one["model"]: one["metrics"] for one in document["baselines"]}
    text = as_text("mini", baselines("mini", resamples=0))
    for name in CLASSICAL:
        (line,) = (line for line in text.splitlines() if line.startswith(name))
        assert f"{found[name]['acc']['value']:.1%}" in line
    assert main(["baselines", "--split", "none"]) == 2


@pytest.mark.usefixtures("paper")
def test_figures_on_the_published_data() -> None:
    # Pinned: LEAKAGE.md quotes them.
    acc = {
        (one.model, one.trained_on, one.subset): round(one.metrics["acc"][0] or 0, 3)
        for one in baselines("paper", resamples=0)
        if "acc" in one.metrics
    }
    assert {key: acc[key] for key in acc if key[0] in ("random_forest", "logistic_regression", "majority")} == {
        ("majority", "all", "all"): 0.596,
        ("majority", "all", "leaked"): 0.513,
        ("majority", "all", "unleaked"): 0.646,
        ("random_forest", "all", "all"): 0.774,
        ("random_forest", "all", "leaked"): 0.995,
        ("random_forest", "all", "unleaked"): 0.640,
        ("random_forest", "unleaked", "all"): 0.606,
        ("random_forest", "unleaked", "leaked"): 0.550,
        ("random_forest", "unleaked", "unleaked"): 0.640,
        ("logistic_regression", "all", "all"): 0.678,
        ("logistic_regression", "all", "leaked"): 0.746,
        ("logistic_regression", "all", "unleaked"): 0.637,
        ("logistic_regression", "unleaked", "all"): 0.614,
        ("logistic_regression", "unleaked", "leaked"): 0.587,
        ("logistic_regression", "unleaked", "unleaked"): 0.630,
    }
