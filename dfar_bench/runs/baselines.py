"""Trivial baselines and the paper's classical models, scored with the benchmark's own metrics.

The paper (Kabir et al., ICPR 2024, table 2) gives the accuracy of a support vector machine, a random forest, gradient
boosting and logistic regression on the whole published test set, but neither their features nor their hyperparameters.
These are ours: TF-IDF of single words, and scikit-learn's defaults, seeded.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dfar_bench.datasets import Dataset, Row, get_dataset, rows, without_leaked
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.scoring import (
    KINDS,
    LEVEL,
    NOT_AVAILABLE,
    RESAMPLES,
    SEED,
    Answer,
    Estimate,
    Kind,
    Metric,
    Output,
    estimates,
)

FEATURES = "TF-IDF of single words, lower case"
PUBLISHED = {"svm": 0.694, "random_forest": 0.786, "gradient_boosting": 0.632, "logistic_regression": 0.678}
"""The paper's accuracy on all 500 published test rows."""

_CONSTANT = {
    "ethical": "ethical. The statement is ethical because it is fair and kind and harms no one.",
    "unethical": "unethical. The statement is unethical because it is unfair to others and can do them harm.",
}


@dataclass(frozen=True)
class Baseline:
    """A baseline's figures on one part of the test rows.

    Attributes:
        trained_on: ``all``, ``unleaked`` (train rows that are not in the test set) or ``nothing``.
        subset: of the test rows: ``all``, ``leaked`` or ``unleaked``.
        metrics: by name, those of ``kind``.
    """

    model: str
    kind: str
    trained_on: str
    subset: str
    rows: int
    metrics: dict[str, Estimate]
    published_acc: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figures as plain JSON types."""
        return asdict(self)


def baselines(
    name: str, resamples: int = RESAMPLES, on_progress: Callable[[str], object] = lambda model: None
) -> list[Baseline]:
    """Train and score all baselines of a data set.

    Args:
        resamples: of the bootstrap; 0 leaves the intervals out.
        on_progress: called with the name of each model before it is trained.

    Raises:
        InputError: the data set has no train rows.
    """
    dataset = get_dataset(name)
    train, test = rows(name)["train"], rows(name)["test"]
    sets = training_sets(train, test)
    models: list[tuple[str, str, list[Output]]] = []
    for model, outputs in trivial_choices(train, test, len(dataset.labels)).items():
        models.append((model, "all" if model == "majority" else "nothing", outputs))
    for model in classical_models():
        for trained_on, members in sets.items():
            on_progress(f"{model}, trained on {trained_on}")
            models.append((model, trained_on, certain_choices(test, _predict(model, members, test), dataset)))
    for model, text in constant_texts(dataset).items():
        models.append((model, "nothing", [Output(row, text) for row in test]))

    scored = []
    for model, trained_on, outputs in models:
        for kind in answered_kinds(dataset, outputs):
            published = PUBLISHED.get(model) if name == "paper" else None
            answers = kind.read(outputs, get_judge())
            scored += _score(model, kind, trained_on, answers, resamples, published)
    return scored


def answered_kinds(dataset: Dataset, outputs: Sequence[Output]) -> list[Kind]:
    """Return the kinds of task of a data set that outputs are answers to: written ones, or log-likelihoods."""
    chosen = not isinstance(outputs[0].value, str)
    return [kind for name in dataset.kinds if (kind := KINDS[name]).chooses == chosen]


def trivial_choices(train: Sequence[Row], test: Sequence[Row], labels: int = 2) -> dict[str, list[Output]]:
    """Choose labels without reading the test rows: the most frequent label of the train rows, and a random one."""
    import numpy as np

    counts = Counter(row.label for row in train)
    majority = max(range(labels), key=lambda label: counts[label])
    draws = np.random.default_rng(SEED).integers(0, labels, len(test))
    return {
        "majority": [certain_choice(row, majority, labels) for row in test],
        "random": [certain_choice(row, int(label), labels) for row, label in zip(test, draws)],
    }


def constant_texts(dataset: Dataset) -> dict[str, str]:
    """Return the constant responses, one per label; what a judge accepts of them says nothing about a model."""
    return {
        f"constant_{label.replace(' ', '_')}": _CONSTANT.get(
            label, f"{label}. The statement is {label} because most people would say so."
        )
        for label in dataset.labels
    }


def certain_choice(row: Row, label: int, labels: int = 2) -> Output:
    """Return the log-likelihoods of a model that is certain of a label."""
    return Output(row, tuple(0.0 if index == label else -math.inf for index in range(labels)))


def certain_choices(test: Sequence[Row], verdicts: Sequence[int], dataset: Dataset) -> list[Output]:
    """Return the same for one label per row."""
    return [certain_choice(row, label, len(dataset.labels)) for row, label in zip(test, verdicts, strict=True)]


def classical_models() -> dict[str, Any]:
    """Return the paper's four models with scikit-learn's defaults, seeded."""
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
    """Train each of the classical models and return the labels that it predicts.

    Raises:
        InputError: there are no train rows.
    """
    _check_train(train)
    return {name: _predict(name, train, test) for name in classical_models()}


def training_sets(train: Sequence[Row], test: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the sets of train rows to train on: ``all``, and ``unleaked`` if that is another one.

    Raises:
        InputError: there are no train rows.
    """
    _check_train(train)
    unleaked = without_leaked(train, test)
    return {"all": list(train)} | ({"unleaked": unleaked} if len(unleaked) < len(train) else {})


def subsets(answers: Sequence[Answer]) -> dict[str, Sequence[Answer]]:
    """Return the answers to all test rows, and to ``leaked`` and ``unleaked`` ones if there are any that leak."""
    if not any(answer.row.leaked for answer in answers):
        return {"all": answers}
    return {
        "all": answers,
        "leaked": [answer for answer in answers if answer.row.leaked],
        "unleaked": [answer for answer in answers if not answer.row.leaked],
    }


def rows_hash(train: Sequence[Row], test: Sequence[Row]) -> str:
    """Hash ids, statements and labels of train and test rows, so that changed data is noticed."""
    parts = [[(row.row_id, row.statement, row.label) for row in part] for part in (train, test)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _check_train(train: Sequence[Row]) -> None:
    if not train:
        raise InputError("this data set has no train rows, so nothing can be trained on it: choose another --split.")


def _predict(name: str, train: Sequence[Row], test: Sequence[Row]) -> list[int]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(), classical_models()[name])
    model.fit([row.statement for row in train], [row.label for row in train])
    return [int(label) for label in model.predict([row.statement for row in test])]


def _score(
    model: str, kind: Kind, trained_on: str, answers: Sequence[Answer], resamples: int, published: float | None
) -> list[Baseline]:
    return [
        Baseline(
            model,
            kind.name,
            trained_on,
            subset,
            len(part),
            estimates(kind.metrics, part, resamples=resamples),
            published if subset == "all" else None,
        )
        for subset, part in subsets(answers).items()
    ]


def as_text(name: str, scored: Sequence[Baseline], made: str) -> str:
    """Format the figures for people: one table per kind of task, with the board's columns.

    Args:
        made: how the models were made, for the first line.
    """
    test, dataset = rows(name)["test"], get_dataset(name)
    labels = ", ".join(
        f"{sum(row.label == index for row in test)} {label}" for index, label in enumerate(dataset.labels)
    )
    lines = [f"{name}: {len(test)} test rows ({labels}); {made}; {LEVEL:.0%} intervals"]
    width = max(20, *(len(baseline.model) for baseline in scored)) + 2
    for kind in map(KINDS.__getitem__, dict.fromkeys(baseline.kind for baseline in scored)):
        columns = [metric for metric in kind.metrics if metric.column is not None]
        lines += [
            "",
            f"{'model':<{width}}{'trained on':<12}{'test rows':<16}"
            + "".join(f"{metric.name:<24}" for metric in columns),
        ]
        for baseline in scored:
            if baseline.kind == kind.name:
                part = f"{baseline.subset} ({baseline.rows})"
                cells = "".join(f"{_cell(baseline.metrics[metric.name], metric):<24}" for metric in columns)
                paper = f"paper: {baseline.published_acc:.1%}" if baseline.published_acc else ""
                lines.append(f"{baseline.model:<{width}}{baseline.trained_on:<12}{part:<16}{cells}{paper}".rstrip())
    return "\n".join(lines)


def _cell(estimate: Estimate, metric: Metric) -> str:
    if estimate.value is None:
        return NOT_AVAILABLE
    form = ".1%" if metric.per_cent else ".2f"
    interval = f" ({estimate.low:{form}}–{estimate.high:{form}})" if estimate.interval else ""
    return f"{estimate.value:{form}}{interval}"
