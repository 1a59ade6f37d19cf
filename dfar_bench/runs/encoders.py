"""The verdicts of fine-tuned encoders (BERT and its relatives), and what they say about memory.

One file per data set and encoder holds verdicts and no text. Figures are computed from it, with the benchmark's own
metrics, for every seed and as means over seeds. ``training.encoder`` fills such a file, one fit after the other.

The paper (Kabir et al., ICPR 2024, table 2) gives the accuracy of BERT and DistilBERT on the whole published test set,
but neither which ones nor how they were trained.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar, get_origin, get_type_hints

from dfar_bench.datasets import get_dataset, rows
from dfar_bench.errors import InputError
from dfar_bench.files import atomic_write, build_checked, read_json
from dfar_bench.judges import get_judge
from dfar_bench.runs.baselines import Baseline, certain_choices, rows_hash, subsets, training_sets
from dfar_bench.scoring import KINDS, RESAMPLES, Answer, estimates
from dfar_bench.scoring.seeds import OverSeeds, compare_modes, mean_over_seeds

SCHEMA_VERSION = 1
PUBLISHED = {"bert": 0.786, "distilbert": 0.782}
"""The paper's accuracy on all 500 published test rows, by the first part of a model's name."""


@dataclass(frozen=True)
class Settings:
    """How an encoder is trained.

    Attributes:
        epochs, learning_rates: if there is more than one pair, it is chosen on held-out train rows.
        batch_size: rows per step.
        warmup: share of the steps in which the learning rate rises; after them it falls linearly to 0.
        weight_decay: of AdamW.
        device: ``cpu`` or ``cuda``; the weights are float32.
        packages: versions of the libraries that the verdicts depend on.
    """

    epochs: tuple[int, ...]
    learning_rates: tuple[float, ...]
    batch_size: int
    warmup: float
    weight_decay: float
    device: str
    packages: dict[str, str]


@dataclass(frozen=True)
class Trial:
    """Epochs and a learning rate that were tried: how many of the held-out train rows were right."""

    epochs: int
    learning_rate: float
    rows: int
    right: int


@dataclass(frozen=True)
class Fit:
    """One training: ``verdicts`` has one digit per test row, in their order.

    Attributes:
        trained_on: ``all`` or ``unleaked`` train rows.
    """

    trained_on: str
    seed: int
    train_rows: int
    epochs: int
    learning_rate: float
    verdicts: str


@dataclass(frozen=True)
class Encoder:
    """An encoder's verdicts on one data set.

    Attributes:
        rows_sha256: see ``baselines.rows_hash``, of all train and test rows.
        model: its name, without folders.
        weights: the hash of its weights before training (``files.weights_hash``), or its commit on the Hub.
    """

    data: str
    rows_sha256: str
    model: str
    weights: str
    settings: Settings
    trials: tuple[Trial, ...] = ()
    fits: tuple[Fit, ...] = ()

    @property
    def published_acc(self) -> float | None:
        """What the paper reports of an encoder of this name on this data set."""
        return PUBLISHED.get(self.model.rpartition("/")[2].split("-")[0].lower()) if self.data == "paper" else None

    def fits_on(self, trained_on: str) -> list[Fit]:
        """Return the fits on one set of train rows, by seed."""
        return sorted((fit for fit in self.fits if fit.trained_on == trained_on), key=lambda fit: fit.seed)

    @property
    def about(self) -> dict[str, Any]:
        """All but the verdicts, as plain JSON types."""
        return {name: value for name, value in asdict(self).items() if name not in ("data", "fits")}

    @property
    def description(self) -> str:
        """How it was trained, in one line."""
        how = " or ".join(
            dict.fromkeys(f"{fit.epochs} epochs, learning rate {fit.learning_rate:g}" for fit in self.fits)
        )
        return f"{self.model} ({self.weights[:12]}), {how}, batches of {self.settings.batch_size}"

    def write(self, path: Path) -> None:
        """Write the file, atomically."""
        document = {"schema_version": SCHEMA_VERSION, **asdict(self)}
        atomic_write(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def read_encoder(path: Path) -> Encoder:
    """Read a file of verdicts.

    Raises:
        InputError: it cannot be read, has the wrong form, or belongs to other rows than ours.
    """
    document = read_json(path, "a file that dfar-bench baselines --encoder wrote")
    encoder = build_checked(document, _encoder, path)
    parts = rows(encoder.data)
    sizes = {name: len(members) for name, members in training_sets(parts["train"], parts["test"]).items()}
    fits = [(fit.trained_on, fit.train_rows) for fit in encoder.fits]
    if encoder.rows_sha256 != data_hash(encoder.data) or not set(fits) <= set(sizes.items()):
        raise InputError(f"{path} belongs to other rows: make it again with dfar-bench baselines --encoder.")
    if len({(fit.trained_on, fit.seed) for fit in encoder.fits}) < len(fits):
        raise InputError(f"{path} has two trainings with the same seed: make it again.")
    digits = {str(label) for label in range(len(get_dataset(encoder.data).labels))}
    for fit in encoder.fits:
        if len(fit.verdicts) != len(parts["test"]) or not set(fit.verdicts) <= digits:
            raise InputError(
                f"{path}, seed {fit.seed}: the verdicts are not {len(parts['test'])} digits, each one of "
                f"{', '.join(sorted(digits))}: make it again."
            )
    return encoder


T = TypeVar("T")


def _encoder(document: dict[str, Any]) -> Encoder:
    """Build an encoder from JSON that cannot be trusted."""
    if document["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema version {document['schema_version']}")
    settings = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document["settings"].items()
    }
    built = {
        "settings": _typed(Settings, settings),
        "trials": tuple(_typed(Trial, trial) for trial in document["trials"]),
        "fits": tuple(_typed(Fit, fit) for fit in document["fits"]),
    }
    return _typed(Encoder, {name: value for name, value in document.items() if name != "schema_version"} | built)


def _typed(kind: type[T], values: dict[str, Any]) -> T:
    """Build a dataclass whose values must have the types it declares; those within tuples and dicts are not checked."""
    made = kind(**values)
    for name, declared in get_type_hints(kind).items():
        if not isinstance(value := getattr(made, name), get_origin(declared) or declared):
            raise TypeError(f"{name} is {value!r}")
    return made


def data_hash(name: str) -> str:
    """Hash the train and test rows of a data set."""
    parts = rows(name)
    return rows_hash(parts["train"], parts["test"])


def seeds_answers(encoder: Encoder, trained_on: str) -> list[list[Answer]]:
    """Return the answers to all test rows of the fits on one set of train rows: one list per seed."""
    dataset, test = get_dataset(encoder.data), rows(encoder.data)["test"]
    return [
        KINDS["cls"].read(certain_choices(test, [int(digit) for digit in fit.verdicts], dataset), get_judge())
        for fit in encoder.fits_on(trained_on)
    ]


def encoder_baselines(encoder: Encoder, resamples: int = RESAMPLES) -> list[Baseline]:
    """Score the fits of an encoder: per set of train rows and part of the test rows, every seed and then their mean.

    Args:
        resamples: of the bootstrap; 0 leaves the intervals out.
    """
    kind, scored = KINDS["cls"], []
    for trained_on in dict.fromkeys(fit.trained_on for fit in encoder.fits):
        fits, answers = encoder.fits_on(trained_on), seeds_answers(encoder, trained_on)
        by_subset = [subsets(one) for one in answers]
        for subset in by_subset[0]:
            parts = [one[subset] for one in by_subset]
            published = encoder.published_acc if subset == "all" else None
            each = [
                (f"{encoder.model}, seed {fit.seed}", estimates(kind.metrics, part, resamples=resamples))
                for fit, part in zip(fits, parts)
            ]
            if len(fits) > 1:
                mean = mean_over_seeds(kind.metrics, parts, resamples=resamples)
                each.append((f"{encoder.model}, mean of {len(fits)}", mean))
            scored += [
                Baseline(model, kind.name, trained_on, subset, len(parts[0]), metrics, published)
                for model, metrics in each
            ]
    return scored


def memory(
    without: Sequence[Sequence[Answer]], with_them: Sequence[Sequence[Answer]], resamples: int = RESAMPLES
) -> dict[str, OverSeeds]:
    """Compare training on all rows with training without the leaked ones.

    Args:
        without: the answers of models trained without the leaked rows, by seed.
        with_them: those of models that read them as well.

    Returns:
        By part of the test rows, accuracy: first without the leaked rows, second with them, so that their difference
        is what having read test rows is worth. Nothing for data without a leak, or if one of the two was not trained.
    """
    if not without or not with_them:
        return {}
    acc = [metric for metric in KINDS["cls"].metrics if metric.name == "acc"]
    parts: list[list[dict[str, Sequence[Answer]]]] = [[subsets(one) for one in side] for side in (without, with_them)]
    return {
        subset: compare_modes(acc, *([one[subset] for one in side] for side in parts), resamples=resamples)["acc"]
        for subset in parts[0][0]
    }


def memory_as_text(remembered: Mapping[str, OverSeeds]) -> list[str]:
    """Format what the leaked rows are worth for people, in per cent and percentage points; [] for nothing."""
    lines = []
    for subset, one in remembered.items():
        interval = (
            " ({:+.1f} to {:+.1f})".format(*(100 * end for end in ends)) if (ends := one.difference.interval) else ""
        )
        sides = f"{one.first:.1%} without, {one.second:.1%} with them"
        lines.append(f"  {subset:<10}{sides}: {100 * (one.second - one.first):+.1f}{interval}")
    return ["", "accuracy, trained without and with the leaked rows, means over seeds:", *lines] if lines else []
