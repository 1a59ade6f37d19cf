"""Null models and the paper's classical ones, measured with the benchmark's own metrics.

The paper (Kabir et al., ICPR 2024, table 2) gives the accuracy of a support vector machine, a random forest, gradient
boosting and logistic regression on the whole published test set, but neither their features nor their
hyperparameters. These are ours: TF-IDF of single words, and scikit-learn's defaults, seeded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dfar_bench.answers import Choice, Response, read_choice, read_response
from dfar_bench.bootstrap import LEVEL, RESAMPLES, SEED, intervals
from dfar_bench.data import LABELS, Row, rows, without_tested
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.metrics import CLS_METRICS, REASON_METRICS, Metric

FEATURES = "TF-IDF of single words, lower case"
PUBLISHED = {"svm": 0.694, "random_forest": 0.786, "gradient_boosting": 0.632, "logistic_regression": 0.678}
"""Accuracy on all 500 published test rows, as the paper has it."""

CONSTANT_TEXTS = {
    "constant_ethical": "ethical. The statement is ethical because it is fair and kind and harms no one.",
    "constant_unethical": "unethical. The statement is unethical because it is unfair to others and can do them harm.",
}
"""Answers that say the same of every statement; what a judge lets through of them, it lets through for nothing."""

_SHOWN = {
    "cls": ("acc", "balanced_acc", "f1_macro", "mcc", "group_acc"),
    "reason": ("mar", "mar_self", "verdict_acc"),
}


@dataclass(frozen=True)
class Baseline:
    """A model's figures on one part of the test rows.

    Attributes:
        trained_on: ``all``, ``unleaked`` (train rows that do not stand in test) or ``nothing``.
        subset: of the test rows: ``all``, ``leaked`` or ``unleaked``.
        metrics: value and interval (low, high; None if undefined) by name.
    """

    model: str
    trained_on: str
    subset: str
    rows: int
    metrics: dict[str, tuple[float | None, tuple[float, float] | None]]
    published_acc: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The figures as plain JSON types."""
        return {
            "model": self.model,
            "trained_on": self.trained_on,
            "subset": self.subset,
            "rows": self.rows,
            "metrics": {
                name: {"value": value, "low": spread[0] if spread else None, "high": spread[1] if spread else None}
                for name, (value, spread) in self.metrics.items()
            },
            "published_acc": self.published_acc,
        }


def baselines(
    split: str, resamples: int = RESAMPLES, on_progress: Callable[[str], object] = lambda name: None
) -> list[Baseline]:
    """Train and score all baselines of a split.

    Args:
        split: a split of ``dfar_bench.load``.
        resamples: of the bootstrap.
        on_progress: told the name of each model before it is trained.
    """
    found = rows(split)
    train, test = found["train"], found["test"]
    if not train:
        raise InputError(f"split {split} has no train rows, so nothing can be trained on it: choose another --split.")
    unleaked = without_tested(train, test)
    training_sets = {"all": list(train)} | ({"unleaked": unleaked} if len(unleaked) < len(train) else {})

    out: list[Baseline] = []
    for name, choices in null_choices(train, test).items():
        out += _scored(name, "all" if name == "majority" else "nothing", choices, resamples)
    for name in classical_models():
        for trained_on, chosen in training_sets.items():
            on_progress(f"{name}, trained on {trained_on}")
            answers = [certain(row, label) for row, label in zip(test, _predict(name, chosen, test))]
            out += _scored(name, trained_on, answers, resamples, PUBLISHED[name] if split == "paper" else None)
    judge = get_judge()
    for name, text in CONSTANT_TEXTS.items():
        on_progress(name)
        out += _scored(name, "nothing", [read_response(row, text, judge) for row in test], resamples)
    return out


def null_choices(train: Sequence[Row], test: Sequence[Row]) -> dict[str, list[Choice]]:
    """Answers to the test rows without reading them: the label that most train rows have, and a coin's, seeded."""
    import numpy as np

    majority = int(sum(row.label for row in train) * 2 > len(train))
    draws = np.random.default_rng(SEED).integers(0, 2, len(test))
    return {
        "majority": [certain(row, majority) for row in test],
        "random": [certain(row, int(label)) for row, label in zip(test, draws)],
    }


def classical_models() -> dict[str, Any]:
    """The paper's four kinds, as scikit-learn has them by default, seeded."""
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    return {
        "svm": SVC(kernel="rbf", C=1.0, gamma="scale"),
        "random_forest": RandomForestClassifier(n_estimators=100, random_state=SEED, n_jobs=-1),
        "gradient_boosting": GradientBoostingClassifier(n_estimators=100, learning_rate=0.1, random_state=SEED),
        "logistic_regression": LogisticRegression(C=1.0, max_iter=1000),
    }


def classical_verdicts(train: Sequence[Row], test: Sequence[Row]) -> dict[str, list[int]]:
    """What each of the classical models, trained on rows, says of others: 0 ethical, 1 unethical.

    Raises:
        InputError: there is nothing to train on.
    """
    if not train:
        raise InputError("this split has no train rows, so nothing can be trained on it: choose another --split.")
    return {name: _predict(name, train, test) for name in classical_models()}


def _predict(name: str, train: Sequence[Row], test: Sequence[Row]) -> list[int]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(), classical_models()[name])
    model.fit([row.statement for row in train], [row.label for row in train])
    return [int(label) for label in model.predict([row.statement for row in test])]


def certain(row: Row, label: int) -> Choice:
    """A verdict without any doubt, as an answer."""
    return read_choice(row, (0.0, -math.inf) if label == 0 else (-math.inf, 0.0))


def _scored(
    model: str,
    trained_on: str,
    answers: Sequence[Choice] | Sequence[Response],
    resamples: int,
    published: float | None = None,
) -> list[Baseline]:
    kind = "cls" if isinstance(answers[0], Choice) else "reason"
    metrics = [metric for metric in (*CLS_METRICS, *REASON_METRICS) if metric.name in _SHOWN[kind]]
    leaked = [answer for answer in answers if answer.row.leaked]
    subsets: dict[str, Sequence[Any]] = {"all": answers}
    if leaked:
        subsets |= {"leaked": leaked, "unleaked": [answer for answer in answers if not answer.row.leaked]}
    return [
        Baseline(
            model, trained_on, name, len(part), _figures(metrics, part, resamples), published if name == "all" else None
        )
        for name, part in subsets.items()
    ]


def _figures(
    metrics: Sequence[Metric], answers: Sequence[Any], resamples: int
) -> dict[str, tuple[float | None, tuple[float, float] | None]]:
    spreads: dict[str, tuple[float, float] | None] = dict.fromkeys(metric.name for metric in metrics)
    if resamples:
        spreads = intervals(metrics, answers, resamples=resamples)
    return {
        metric.name: (metric.score([metric.item(answer) for answer in answers]), spreads[metric.name])
        for metric in metrics
    }


def as_text(split: str, found: Sequence[Baseline]) -> str:
    """The report for people: a table a kind of task, in per cent."""
    test = rows(split)["test"]
    labels = ", ".join(f"{sum(row.label == label for row in test)} {name}" for label, name in enumerate(LABELS))
    lines = [f"split {split}: {len(test)} test rows ({labels}); features: {FEATURES}; {LEVEL:.0%} intervals"]
    for columns in _SHOWN.values():
        part = [one for one in found if columns[0] in one.metrics]
        lines += ["", f"{'model':<22}{'trained on':<12}{'test rows':<16}" + "".join(f"{name:<24}" for name in columns)]
        for one in part:
            cells = "".join(f"{_cell(*one.metrics[name]):<24}" for name in columns)
            paper = f"paper: {one.published_acc:.1%}" if one.published_acc else ""
            lines.append(
                f"{one.model:<22}{one.trained_on:<12}{f'{one.subset} ({one.rows})':<16}{cells}{paper}".rstrip()
            )
    return "\n".join(lines)


def _cell(value: float | None, spread: tuple[float, float] | None) -> str:
    if value is None:
        return "N/A"
    return f"{value:.1%}" + (f" ({spread[0]:.1%}–{spread[1]:.1%})" if spread else "")
