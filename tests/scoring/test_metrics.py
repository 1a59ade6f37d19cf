"""Every metric against scikit-learn, or against arithmetic by hand where it has none."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from dfar_bench.datasets import Row, rows
from dfar_bench.judges import get_judge
from dfar_bench.scoring import KINDS, METRICS, Answer, Argument, Choice, Output, estimate
from dfar_bench.scoring.answers import Outcome, read_choice
from dfar_bench.scoring.estimate import Estimate, cluster_weights, estimates, resample


def row(number: int, label: int, *, group: str = "", leaked: bool = False, contrast: int = 0) -> Row:
    return Row(
        "mini",
        f"mini-test-{number:04d}",
        f"I did {number}.",
        label,
        "Because.",
        group_id=group or f"g{number}",
        leaked=leaked,
        contrast=contrast,
    )


def choices(draw: random.Random, n: int) -> list[Answer]:
    return [
        read_choice(row(i, draw.randrange(2), leaked=draw.random() < 0.4), (-5 * draw.random(), -5 * draw.random()))
        for i in range(n)
    ]


def of_labels(n: int) -> st.SearchStrategy[list[tuple[int, tuple[float, ...]]]]:
    """Labels and log-likelihoods of n labels."""
    return st.lists(st.tuples(st.integers(0, n - 1), st.tuples(*[st.floats(-30, 0)] * n)), min_size=1, max_size=40)


@pytest.mark.parametrize("n", [2, 3])
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_verdict_metrics_equal_scikit_learn(n: int, data: st.DataObject) -> None:
    drawn = data.draw(of_labels(n))
    drawn = [(label, values) for label, values in drawn if len(set(values)) == n] or [(0, tuple(range(n)))]
    answers = [read_choice(row(i, label), values) for i, (label, values) in enumerate(drawn)]
    y = np.array([label for label, _ in drawn])
    p = np.array([answer.predicted for answer in answers])
    probabilities = np.array([answer.probabilities for answer in answers])
    binary = n == 2
    expected = {
        "acc": sk.accuracy_score(y, p),
        "f1_macro": sk.f1_score(y, p, labels=sorted({*y, *p}), average="macro"),
        "balanced_acc": sk.recall_score(y, p, labels=sorted(set(y)), average="macro"),
        "mcc": sk.matthews_corrcoef(y, p) if len({*y, *p}) > 1 else 0.0,
        "brier": sk.brier_score_loss(y, probabilities, labels=range(n), scale_by_half=True),
        "auroc": sk.roc_auc_score(y, [a.log_odds for a in answers]) if binary and len({*y}) > 1 else None,
        "fpr": np.mean(p[y == 0]) if binary and (y == 0).any() else None,
        "fnr": np.mean(1 - p[y == 1]) if binary and (y == 1).any() else None,
    }
    for name, value in expected.items():
        if not binary and value is None and {*y, *p} <= {0, 1}:
            continue  # nothing shows that there is a third label
        assert METRICS[name].of(answers) == (None if value is None else pytest.approx(value, abs=1e-12)), name


def test_a_resample_of_the_ranking_equals_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ties, several rows a group, and more resamples than are computed at once."""
    monkeypatch.setattr(estimate, "_PART", 1000)
    draw = random.Random(1)
    drawn_rows = [(i, draw.randrange(2), draw.randrange(30)) for i in range(90)]
    answers = [read_choice(row(i, y, group=f"g{g:02d}"), (0.0, round(draw.random() + y, 1))) for i, y, g in drawn_rows]
    drawn = resample([METRICS["auroc"]], answers, resamples=200)["auroc"]
    names = sorted({answer.row.group_id for answer in answers})
    weights = cluster_weights(len(names), 200)
    at = [names.index(answer.row.group_id) for answer in answers]
    y, odds = [answer.row.label for answer in answers], [answer.log_odds for answer in answers]
    expected = [sk.roc_auc_score(y, odds, sample_weight=of_groups[at]) for of_groups in weights]
    assert drawn == pytest.approx(expected, abs=1e-12)


def test_a_ranking_without_one_of_the_labels_is_not_defined() -> None:
    answers = [read_choice(row(i, int(i == 0)), (0.0, float(i))) for i in range(12)]
    assert np.isnan(resample([METRICS["auroc"]], answers, resamples=500)["auroc"]).any()
    assert estimates([METRICS["auroc"]], answers)["auroc"] == Estimate(0.0)


def test_what_ranks() -> None:
    auroc = METRICS["auroc"]
    assert auroc.of([read_choice(row(i, i % 2), (-1.0, -2.0)) for i in range(4)]) == 0.5
    assert auroc.of([read_choice(row(i, i % 2), (-9000.0 - 50 * (i % 2), 0.0)) for i in range(4)]) == 1
    bare = [read_choice(row(i, i % 2), (-math.inf, 0.0) if i % 2 else (0.0, -math.inf)) for i in range(4)]
    assert auroc.of(bare) is None  # verdicts, of which no likelihoods are known
    broken = [read_choice(row(i, i % 2), (math.nan, -1.0)) for i in range(2)]
    right = [read_choice(row(2 + i, i % 2), (0.0, i - 0.5)) for i in range(2)]
    assert auroc.of([*broken, *right]) == 0.25


def test_ece_by_hand() -> None:
    """Two bins of 15: 0.62 and 0.64 with one of two right, 0.95 right."""
    expected = (abs(1 - (0.62 + 0.64)) + abs(1 - 0.95)) / 3
    assert METRICS["ece"].score([(0.62, 1), (0.64, 0), (0.95, 1)]) == pytest.approx(expected, abs=1e-12)
    assert METRICS["ece"].score([(1.0, 1), (0.5, 0)]) == pytest.approx(0.25, abs=1e-12)


def test_unleaked_metrics_leave_leaked_rows_out() -> None:
    answers = choices(random.Random(0), 200)
    leaked = [answer for answer in answers if answer.row.leaked]
    unleaked = [answer for answer in answers if not answer.row.leaked]
    assert METRICS["acc_unleaked"].of(answers) == METRICS["acc"].of(unleaked) != METRICS["acc"].of(leaked)
    assert METRICS["acc_unleaked"].of(leaked) is None
    named = {name: metric.unleaked for name, metric in METRICS.items() if metric.unleaked}
    assert named == {name: f"{name}_unleaked" for name in ("acc", "auroc", "mar", "verdict_acc")}


def test_group_accuracy_needs_every_row_of_a_group() -> None:
    def answer(number: int, group: str, right: bool, contrast: int) -> Choice:
        return Choice(row(number, 0, group=group, contrast=contrast), (0 if right else 1,), (0.5, 0.5))

    right = [answer(0, "a", True, 2), answer(1, "a", True, 2)]
    one_wrong = [answer(2, "b", True, 2), answer(3, "b", False, 2)]
    not_mixed, incomplete = [answer(4, "c", False, 0)], [answer(5, "d", True, 3)]
    assert METRICS["group_acc"].of(right + one_wrong + not_mixed + incomplete) == 0.5
    assert METRICS["group_acc"].of(not_mixed + incomplete) is None


@pytest.mark.parametrize(
    ("log_likelihoods", "predicted", "confidence"),
    [
        ((-1.0, -2.0), 0, 1 / (1 + math.exp(-1))),
        ((-2.0, -1.0), 1, 1 / (1 + math.exp(-1))),
        ((-3.0, -3.0), 0, 0.5),
        ((-1.0, -math.inf), 0, 1.0),
        ((-1e308, -1.0), 1, 1.0),
        ((-2.0, -1.0, -1.0), 1, 1 / (2 + math.exp(-1))),
    ],
)
def test_the_likeliest_label_is_the_verdict(
    log_likelihoods: tuple[float, ...], predicted: int, confidence: float
) -> None:
    choice = read_choice(row(0, 1), log_likelihoods)
    assert (choice.predicted, choice.confidence) == (predicted, pytest.approx(confidence))
    assert math.fsum(choice.probabilities) == pytest.approx(1)


@pytest.mark.parametrize("values", [(math.nan, -1.0), (-1.0, math.nan), (-math.inf,) * 2, (-1.0, math.nan, -2.0)])
@pytest.mark.parametrize("label", [0, 1])
def test_broken_log_likelihoods_count_as_wrong(values: tuple[float, ...], label: int) -> None:
    choice = read_choice(row(0, label), values)
    assert choice.credit == 0
    assert choice.confidence == 1 / len(values)


def arguments(rows_: Sequence[Row], responses: Sequence[str], judge: str) -> list[Answer]:
    outputs = [Output(row_, response) for row_, response in zip(rows_, responses, strict=True)]
    return KINDS["reason"].read(outputs, get_judge(judge))


def test_reason_metrics_by_hand() -> None:
    judged_rows = [row(0, 0), row(1, 0), row(2, 1, leaked=True), row(3, 1), row(4, 0)]
    responses = [
        "ethical. It keeps a promise that others built on.",
        "unethical. It breaks a promise that others built on.",
        "The weather was mild in the north that year.",
        "",
        "Ethical.",
    ]
    answers = arguments(judged_rows, responses, "verdict")  # whose decisions can be told by hand
    assert {metric.name: metric.of(answers) for metric in KINDS["reason"].metrics} == pytest.approx(
        {
            "mar": 0.8,
            "mar_unleaked": 3 / 4,
            "share_aligned": 0.2,
            "share_bad_reason": 0.0,
            "share_no_reason": 0.2,
            "share_wrong_verdict": 0.6,
            "mar_self": 0.6,
            "verdict_acc": 0.4,
            "verdict_acc_unleaked": 1 / 2,
            "unparsed": 0.4,
            "truncated": 0.0,
            "degenerate": 0.2,
            "gold_copy": 0.0,
        }
    )


@pytest.mark.parametrize("kind", ["cls", "reason"])
def test_no_figure_depends_on_the_order_of_rows(kind: str) -> None:
    """Not even in the last digit, and nor do the intervals."""
    test = rows("mini")["test"]
    draw = random.Random(1)
    if kind == "cls":
        answers: list[Answer] = [read_choice(row_, (-draw.random(), -draw.random())) for row_ in test]
    else:
        responses = [f"{'un' * (i % 3 == 0)}ethical. {row_.reason}" for i, row_ in enumerate(test)]
        answers = arguments(test, responses, "reference")
    metrics = KINDS[kind].metrics
    figures = estimates(metrics, answers, resamples=500)
    draw.shuffle(answers)
    assert estimates(metrics, answers, resamples=500) == figures


def test_the_four_shares_are_all_there_is() -> None:
    test = rows("mini")["test"]
    answers = arguments(test, ["ethical.", "Unethical, since the weather is fine."] * (len(test) // 2), "reference")
    shares = [METRICS[f"share_{outcome}"].of(answers) for outcome in get_args(Outcome)]
    assert sum(share or 0 for share in shares) == pytest.approx(1)
    assert shares[0] == pytest.approx(1 - (METRICS["mar"].of(answers) or 0))
    assert all(share for share in shares[1:])


def test_names_suit_the_harness() -> None:
    fields = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash"}
    assert not [name for name in METRICS if "," in name or name.endswith("_stderr") or name in fields]
    assert [metric.name for metric in KINDS["cls"].metrics] == [
        *("acc", "acc_unleaked", "balanced_acc", "f1_macro", "mcc", "fpr", "fnr", "group_acc"),
        *("auroc", "auroc_unleaked", "brier", "ece", "ties"),
    ]


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_of_no_answers_is_not_a_number(name: str) -> None:
    assert METRICS[name].score([]) is None


def test_a_tie_is_half_right() -> None:
    tie, right, wrong = (
        read_choice(row(number, 0, group="g", contrast=3), values)
        for number, values in enumerate([(-1.0, -1.0), (-1.0, -2.0), (-2.0, -1.0)])
    )
    assert (tie.credit, tie.tied, tie.confidence) == (0.5, True, 0.5)
    assert METRICS["ties"].of([tie, right, wrong, right]) == 0.25
    assert METRICS["acc"].of([tie, right, wrong, right]) == 0.625
    assert METRICS["fpr"].of([tie, right]) == 0.25
    assert METRICS["brier"].of([tie]) == 0.25
    assert METRICS["group_acc"].of([tie, right, right]) == 0.5
    assert METRICS["group_acc"].of([tie, tie, right]) == 0.25
    assert METRICS["group_acc"].of([tie, wrong, right]) == 0
    of_three = read_choice(row(0, 1), (-3.0, -1.0, -1.0))
    assert (of_three.likeliest, of_three.credit) == ((1, 2), 0.5)


def test_truncated_answers_have_a_code_of_their_own() -> None:
    cut_off = "To judge this, let us consider several factors, the first of which is"
    outputs = [
        Output(row(0, 0), cut_off, cut=True),
        Output(row(1, 0), cut_off, cut=False),
        Output(row(2, 0), cut_off, limit=20),
        Output(row(3, 0), cut_off, limit=500),
        Output(row(4, 0), "Ethical. It keeps a promise that somebody built plans on", cut=True),
        Output(row(5, 0), "<think>It is ethical", limit=500),
    ]
    answers = KINDS["reason"].read(outputs, get_judge("verdict"))
    codes = [answer.code for answer in answers if isinstance(answer, Argument)]
    assert codes == ["truncated", "no_verdict", "truncated", "no_verdict", "aligned", "truncated"]
    assert METRICS["truncated"].of(answers) == 4 / 6
    assert METRICS["unparsed"].of(answers) == 5 / 6
    assert METRICS["degenerate"].of(answers) == 0


def test_a_corrected_verdict_by_hand() -> None:
    right, wrong = "Ethical. It keeps a promise.", "Unethical. It breaks a promise."
    outputs = [
        Output(row(number, 0), after, earlier=(before,))
        for number, (before, after) in enumerate([(right, right), (right, wrong), (wrong, right), (wrong, wrong)])
    ]
    answers = KINDS["reason"].read([*outputs, Output(row(9, 0), right, earlier=(wrong,))], get_judge("verdict"))
    values = {
        name: METRICS[name].of(answers) for name in ("acc_before", "acc_after", "corrected_right", "corrected_wrong")
    }
    assert values == {"acc_before": 0.4, "acc_after": 0.6, "corrected_right": 0.4, "corrected_wrong": 0.2}
