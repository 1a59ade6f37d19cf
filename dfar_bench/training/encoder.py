"""Fine-tune an encoder (BERT and its relatives) to tell labels from statements, several times, with transformers.

The defaults are what the encoders' authors recommend: Devlin et al. (2019), appendix A.3, name batches of 16 or 32, a
learning rate of 5e-5, 3e-5 or 2e-5, and 2, 3 or 4 epochs, with linear warm-up and decay.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

from dfar_bench.datasets import Row, get_dataset, rows
from dfar_bench.errors import InputError, one_line
from dfar_bench.runs.baselines import training_sets
from dfar_bench.runs.encoders import Encoder, Fit, Settings, Trial, data_hash, read_encoder
from dfar_bench.scoring import SEED
from dfar_bench.training.base import find_base

SEEDS = (1, 2, 3)
EPOCHS, LEARNING_RATES = (3,), (5e-5,)
BATCH_SIZE, WARMUP, WEIGHT_DECAY = 32, 0.1, 0.01
MAX_TOKENS = 512
PARTS = 10
"""One part in ten of the train rows is held out to choose epochs and learning rate."""


def fit_encoder(
    source: str,
    data: str,
    *,
    seeds: Sequence[int] = SEEDS,
    epochs: Sequence[int] = EPOCHS,
    learning_rates: Sequence[float] = LEARNING_RATES,
    path: Path | None = None,
    on_progress: Callable[[str], object] = lambda fit: None,
) -> Encoder:
    """Train an encoder on all train rows and on those that do not leak, once per seed, and predict the test rows.

    Several epochs or learning rates are compared on held-out train rows, never on test rows; see ``hold_out``.

    Args:
        source: its folder, or its name on the Hub.
        path: what is finished is written here after every fit, and what is found here is not trained again.
        on_progress: called with a few words before each training.

    Raises:
        InputError: there are no train rows, the encoder cannot be loaded, or the file is of another run.
    """
    train, test = rows(data)["train"], rows(data)["test"]
    sets = training_sets(train, test)
    encoder = _planned(source, data, tuple(dict.fromkeys(epochs)), tuple(dict.fromkeys(learning_rates)))
    if path and path.exists():
        encoder = _resumed(encoder, path)

    def save(grown: Encoder) -> Encoder:
        if path:
            grown.write(path)
        return grown

    encoder = save(encoder)  # a file that cannot be written is noticed before the first training
    candidates = list(product(encoder.settings.epochs, encoder.settings.learning_rates))
    if len(candidates) > 1:
        tried = {(trial.epochs, trial.learning_rate) for trial in encoder.trials}
        for candidate in candidates:
            if candidate not in tried:
                on_progress("choice between {} epochs, learning rate {:g}".format(*candidate))
                trial = _try(source, encoder.settings, *candidate, sets.get("unleaked", sets["all"]), min(seeds))
                encoder = save(replace(encoder, trials=(*encoder.trials, trial)))
        best = max(encoder.trials, key=lambda trial: trial.right)
        candidates = [(best.epochs, best.learning_rate)]
    found = {(fit.trained_on, fit.seed) for fit in encoder.fits}
    for seed, (trained_on, members) in product(dict.fromkeys(seeds), sets.items()):
        if (trained_on, seed) not in found:
            on_progress(f"seed {seed}, trained on {trained_on}")
            labels = predict(source, members, test, encoder.settings, *candidates[0], seed)
            fit = Fit(trained_on, seed, len(members), *candidates[0], "".join(map(str, labels)))
            encoder = save(replace(encoder, fits=(*encoder.fits, fit)))
    return encoder


def _planned(source: str, data: str, epochs: tuple[int, ...], learning_rates: tuple[float, ...]) -> Encoder:
    import torch

    settings = Settings(
        epochs,
        learning_rates,
        BATCH_SIZE,
        WARMUP,
        WEIGHT_DECAY,
        "cuda" if torch.cuda.is_available() else "cpu",
        {name: version(name) for name in ("torch", "transformers", "tokenizers", "accelerate")},
    )
    name = Path(source).absolute().name if Path(source).is_dir() else source
    return Encoder(data, data_hash(data), name, find_base(source).state, settings)


def _resumed(planned: Encoder, path: Path) -> Encoder:
    """Return what a file holds of the run that is planned.

    Raises:
        InputError: it is of another run.
    """
    before = read_encoder(path)
    old, new = ({**vars(one), **vars(one.settings)} for one in (before, planned))
    for name in ("data", "weights", *vars(planned.settings)):
        if old[name] != new[name]:
            raise InputError(
                f"{path} holds verdicts with {name} {old[name]!r}, not {new[name]!r}: name another file, or delete it."
            )
    return before


def _try(
    source: str, settings: Settings, epochs: int, learning_rate: float, members: Sequence[Row], seed: int
) -> Trial:
    kept, held_out = hold_out(members)
    labels = predict(source, kept, held_out, settings, epochs, learning_rate, seed)
    right = sum(label == row.label for label, row in zip(labels, held_out, strict=True))
    return Trial(epochs, learning_rate, len(held_out), right)


def hold_out(members: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Divide train rows into nine parts in ten and one to choose settings on, contrast groups whole."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(n_splits=PARTS, shuffle=True, random_state=SEED)
    labels, groups = [row.label for row in members], [row.group_id for row in members]
    kept, held_out = next(splitter.split(labels, labels, groups))
    return [members[number] for number in kept], [members[number] for number in held_out]


def predict(
    source: str,
    train: Sequence[Row],
    test: Sequence[Row],
    settings: Settings,
    epochs: int,
    learning_rate: float,
    seed: int,
) -> list[int]:
    """Train an encoder on statements and return the labels that it predicts of others.

    In float32; the same seed gives the same labels on the same machine.

    Raises:
        InputError: it cannot be loaded, or its training diverges.
    """
    import numpy as np
    from transformers import DataCollatorWithPadding, PrinterCallback, ProgressCallback, Trainer, TrainingArguments

    tokenizer, load = _loader(source, train[0])
    limit = min(tokenizer.model_max_length, MAX_TOKENS)

    def encoded(members: Sequence[Row]) -> list[dict[str, Any]]:
        tokens = tokenizer([row.statement for row in members], truncation=True, max_length=limit)
        return [
            {**{name: values[number] for name, values in tokens.items()}, "labels": row.label}
            for number, row in enumerate(members)
        ]

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            seed=seed,
            num_train_epochs=epochs,
            learning_rate=learning_rate,
            per_device_train_batch_size=settings.batch_size,
            per_device_eval_batch_size=64,
            warmup_steps=settings.warmup,
            weight_decay=settings.weight_decay,
            train_sampling_strategy="group_by_length",
            full_determinism=settings.device == "cuda",  # a CPU needs no more than the seed
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            use_cpu=settings.device == "cpu",
            dataloader_pin_memory=settings.device == "cuda",
        )
        trainer = Trainer(
            args=arguments,
            model_init=load,  # called after the seed is set, as the classifier's weights are random
            train_dataset=encoded(train),
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        for callback in (PrinterCallback, ProgressCallback):  # the caller shows which fit it is
            trainer.remove_callback(callback)
        trainer.train()
        arguments.train_sampling_strategy = "random"  # grouped by length, predictions too would be in another order
        logits = trainer.predict(encoded(test)).predictions
    logits = logits[0] if isinstance(logits, tuple) else logits
    if not np.isfinite(logits).all():
        raise InputError(f"--encoder {source} diverges at a learning rate of {learning_rate:g}: choose a lower one.")
    return [int(label) for label in logits.argmax(axis=1)]


def _loader(source: str, row: Row) -> tuple[Any, Callable[[], Any]]:
    """Return the tokenizer, and what loads the encoder with a new classifier for the labels of a row's data set."""
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    labels = len(get_dataset(row.dataset).labels)

    def load() -> Any:
        level = logging.get_verbosity()
        logging.set_verbosity_error()  # it would say that the classifier is new
        try:
            model, found = AutoModelForSequenceClassification.from_pretrained(
                source, num_labels=labels, dtype="float32", output_loading_info=True, ignore_mismatched_sizes=True
            )
        except (OSError, ValueError, SafetensorError) as error:
            raise InputError(f"--encoder {source} cannot be loaded: {one_line(error)}") from None
        finally:
            logging.set_verbosity(level)
        body = f"{model.base_model_prefix}."
        if lacking := [name for name in found["missing_keys"] if name.startswith(body) and "pooler" not in name]:
            raise InputError(f"--encoder {source} lacks weights, {min(lacking)} first: name a whole encoder.")
        return model

    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise InputError(f"--encoder {source} cannot be loaded: {one_line(error)}") from None
    if tokenizer.pad_token is None:
        raise InputError(f"--encoder {source} has no padding token, so it is not an encoder: name one such as BERT.")
    return tokenizer, load
