"""Every metric against scikit-learn, or against arithmetic done by hand where it has none."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from dfar_bench.answers import Choice, read_choice, read_response
from dfar_bench.bootstrap import intervals
from dfar_bench.data import Row, rows
from dfar_bench.judges import get_judge
from dfar_bench.metrics import CLS_METRICS, METRICS, REASON_METRICS

CLS = {metric.name: metric for metric in CLS_METRICS}
REASON = {metric.name: metric for metric in REASON_METRICS}


def row(number: int, label: int, *, group: str | None = None, leaked: bool = False, contrast: int = 0) -> Row:
    return Row(
        f"x-{number:04d}", f"I did {number}.", label, "Because.", "justice", group or f"g{number}", leaked, contrast
    )


def score(metrics: dict, name: str, answers: list) -> float | None:
    return metrics[name].score([metrics[name].item(answer) for answer in answers])


def random_choices(n: int, seed: int = 0) -> list[Choice]:
    draw = random.Random(seed)
    return [
        read_choice(row(i, draw.randrange(2), leaked=draw.random() < 0.4), (-5 * draw.random(), -5 * draw.random()))
        for i in range(n)
    ]


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(-30, 0), st.floats(-30, 0)), min_size=1, max_size=40))
@settings(deadline=None)
def test_classification_metrics_equal_scikit_learn(drawn: list[tuple[int, float, float]]) -> None:
    answers = [read_choice(row(i, label), (a, b)) for i, (label, a, b) in enumerate(drawn)]
    y = np.array([label for label, _, _ in drawn])
    p = np.array([answer.predicted for answer in answers])
    present = sorted({*y, *p})
    expected = {
        "acc": sk.accuracy_score(y, p),
        "f1_macro": sk.f1_score(y, p, labels=present, average="macro"),
        "balanced_acc": np.mean([np.mean(p[y == label] == label) for label in sorted(set(y))]),
        "mcc": sk.matthews_corrcoef(y, p) if len(set(y)) > 1 and len(set(p)) > 1 else 0.0,
        "brier": sk.brier_score_loss(y, np.array([1 / (1 + math.exp(a - b)) for _, a, b in drawn]), labels=[0, 1]),
        "fpr": np.mean(p[y == 0]) if (y == 0).any() else None,
        "fnr": np.mean(1 - p[y == 1]) if (y == 1).any() else None,
    }
    for name, value in expected.items():
        found = score(CLS, name, answers)
        assert found == (None if value is None else pytest.approx(value, abs=1e-12)), name


def test_balanced_accuracy_equals_scikit_learn_where_both_labels_occur() -> None:
    answers = random_choices(300)
    y, p = [a.row.label for a in answers], [a.predicted for a in answers]
    assert score(CLS, "balanced_acc", answers) == pytest.approx(sk.balanced_accuracy_score(y, p), abs=1e-12)


def test_ece_by_hand() -> None:
    """Two bins of 15: 0.62 and 0.64 with one of two right, 0.95 right."""
    confident = [(0.62, 1), (0.64, 0), (0.95, 1)]
    expected = (abs(1 - (0.62 + 0.64)) + abs(1 - 0.95)) / 3
    assert CLS["ece"].score(confident) == pytest.approx(expected, abs=1e-12)
    assert CLS["ece"].score([(1.0, 1), (0.5, 0)]) == pytest.approx(0.25, abs=1e-12)


def test_unleaked_metrics_leave_leaked_rows_out() -> None:
    answers = random_choices(200)
    kept = [answer for answer in answers if not answer.row.leaked]
    assert 0 < len(kept) < len(answers)
    assert score(CLS, "acc_unleaked", answers) == score(CLS, "acc", kept)
    assert score(CLS, "acc_unleaked", [a for a in answers if a.row.leaked]) is None


def test_group_accuracy_needs_every_row_of_a_group() -> None:
    def answer(number: int, group: str, right: bool, contrast: int) -> Choice:
        return Choice(row(number, 0, group=group, contrast=contrast), 0 if right else 1, 0.9)

    whole = [answer(0, "a", True, 2), answer(1, "a", True, 2)]
    spoilt = [answer(2, "b", True, 2), answer(3, "b", False, 2)]
    unmixed = [answer(4, "c", False, 0)]
    cut = [answer(5, "d", True, 3)]
    assert score(CLS, "group_acc", whole + spoilt + unmixed + cut) == 0.5
    assert score(CLS, "group_acc", unmixed + cut) is None


@pytest.mark.parametrize(
    ("lls", "predicted", "confidence"),
    [
        ((-1.0, -2.0), 0, 1 / (1 + math.exp(-1))),
        ((-2.0, -1.0), 1, 1 / (1 + math.exp(-1))),
        ((-3.0, -3.0), 0, 0.5),
        ((-1.0, -math.inf), 0, 1.0),
        ((-1e308, -1.0), 1, 1.0),
    ],
)
def test_read_choice(lls: tuple[float, float], predicted: int, confidence: float) -> None:
    choice = read_choice(row(0, 1), lls)
    assert choice.predicted == predicted
    assert choice.confidence == pytest.approx(confidence)
    assert 0 <= choice.p_unethical <= 1


@pytest.mark.parametrize("lls", [(math.nan, -1.0), (-1.0, math.nan), (-math.inf, -math.inf)])
@pytest.mark.parametrize("label", [0, 1])
def test_broken_log_likelihoods_count_as_wrong(lls: tuple[float, float], label: int) -> None:
    choice = read_choice(row(0, label), lls)
    assert not choice.correct
    assert choice.confidence == 0.5


def test_reason_metrics_by_hand() -> None:
    judge = get_judge("verdict")  # whose decisions can be told by hand
    found = [
        read_response(row(0, 0), "ethical. It keeps a promise that others built on.", judge),
        read_response(row(1, 0), "unethical. It breaks a promise that others built on.", judge),
        read_response(row(2, 1, leaked=True), "The weather was mild in the north that year.", judge),
        read_response(row(3, 1), "", judge),
    ]
    expected = {
        "mar": 0.75,
        "mar_unleaked": 2 / 3,
        "mar_self": 0.5,
        "verdict_acc": 0.25,
        "verdict_acc_unleaked": 1 / 3,
        "unparsed": 0.5,
        "degenerate": 0.25,
        "gold_copy": 0.0,
    }
    assert {name: score(REASON, name, found) for name in REASON} == pytest.approx(expected)


@pytest.mark.parametrize("kind", METRICS)
def test_no_metric_depends_on_the_order_of_rows(kind: str) -> None:
    """Not even in the last digit, and nor do the intervals."""
    test = rows("mini")["test"]
    if kind == "cls":
        draw = random.Random(1)
        answers = [read_choice(r, (-draw.random(), -draw.random())) for r in test]
    else:
        answers = [
            read_response(r, f"{'un' * (i % 3 == 0)}ethical. {r.reason}", get_judge()) for i, r in enumerate(test)
        ]
    shuffled = answers[::2][::-1] + answers[1::2]
    for metric in METRICS[kind]:
        one, other = ([metric.item(answer) for answer in order] for order in (answers, shuffled))
        assert metric.score(one) == metric.score(other), metric.name
    assert intervals(METRICS[kind], answers, resamples=500) == intervals(METRICS[kind], shuffled, resamples=500)


def test_names_suit_the_harness() -> None:
    names = [metric.name for kind in METRICS.values() for metric in kind]
    assert len(set(names)) == len(names)
    fields = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash"}
    assert not [name for name in names if "," in name or name.endswith("_stderr") or name in fields]


@pytest.mark.parametrize("kind", METRICS)
def test_nothing_answered_is_no_number(kind: str) -> None:
    for metric in METRICS[kind]:
        assert metric.score([]) is None
