"""``baselines``: trivial, classical and fine-tuned models to compare with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dfar_bench.cli.options import FINE, AsJson, Resamples, Split, print_json
from dfar_bench.errors import InputError
from dfar_bench.scoring import RESAMPLES


def baselines(
    split: Split = "paper",
    resamples: Resamples = RESAMPLES,
    as_json: AsJson = False,
    verdicts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the classical models' verdicts for the board instead of the table; with --encoder, keep each "
            "training's verdicts there and do not train again what is there.",
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Fine-tune this encoder instead: a folder, or a name on the Hub."),
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(metavar="N", min=0, max=2**32 - 1, help="Of the encoder; may be repeated (default: 1, 2, 3)."),
    ] = None,
    epochs: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N", min=1, help="Of the encoder; if repeated, chosen on held-out train rows (default: 3)."
        ),
    ] = None,
    learning_rate: Annotated[
        list[float] | None, typer.Option(metavar="X", help="The same, of the learning rate (default: 5e-5).")
    ] = None,
) -> int:
    """Score trivial baselines and the paper's classical models, or a fine-tuned encoder.

    Majority, random and constant text, and four classical models trained on the split's statements; on the paper
    split for leaked and unleaked rows apart, trained with and without the leaked rows, beside the published figures.

    With --encoder a transformers model such as BERT is fine-tuned in their place, once per seed; the mean over seeds
    has an interval over rows and seeds.
    """
    if encoder is not None:
        return _encoder(encoder, split, seed or (), epochs or (), learning_rate or (), verdicts, resamples, as_json)
    if seed or epochs or learning_rate:
        raise InputError("--seed, --epochs and --learning-rate are for --encoder: name one, or leave them out.")
    from dfar_bench.runs.baselines import FEATURES, as_text
    from dfar_bench.runs.baselines import baselines as score_baselines

    if verdicts:
        from dfar_bench.files import atomic_write
        from dfar_bench.leaderboard.classical import classical

        atomic_write(verdicts, classical(split).model_dump_json(indent=1) + "\n")
        print(verdicts)
        return FINE
    with _progress() as show:
        scored = score_baselines(split, resamples, show)
    if as_json:
        figures = [baseline.as_json() for baseline in scored]
        print_json({"split": split, "features": FEATURES, "intervals": _intervals(resamples), "baselines": figures})
    else:
        print(as_text(split, scored, f"features: {FEATURES}"))
    return FINE


def _encoder(
    source: str,
    split: str,
    seeds: Sequence[int],
    epochs: Sequence[int],
    learning_rates: Sequence[float],
    file: Path | None,
    resamples: int,
    as_json: bool,
) -> int:
    from dfar_bench.runs.baselines import as_text
    from dfar_bench.runs.encoders import encoder_baselines, memory, memory_as_text, seeds_answers
    from dfar_bench.training.encoder import EPOCHS, LEARNING_RATES, SEEDS, fit_encoder
    from dfar_bench.training.options import set_up_libraries

    if not all(0 < rate < 1 for rate in learning_rates):
        raise InputError("--learning-rate must be above 0 and below 1.")
    set_up_libraries()
    with _progress() as show:
        fitted = fit_encoder(
            source,
            split,
            seeds=seeds or SEEDS,
            epochs=epochs or EPOCHS,
            learning_rates=learning_rates or LEARNING_RATES,
            path=file,
            on_progress=show,
        )
    scored = encoder_baselines(fitted, resamples)
    remembered = memory(seeds_answers(fitted, "unleaked"), seeds_answers(fitted, "all"), resamples)
    if as_json:
        print_json(
            {
                "split": split,
                "encoder": fitted.about,
                "intervals": _intervals(resamples),
                "baselines": [baseline.as_json() for baseline in scored],
                "memory": {subset: asdict(one) for subset, one in remembered.items()},
            }
        )
    else:
        print("\n".join([as_text(split, scored, fitted.description), *memory_as_text(remembered)]))
    return FINE


def _intervals(resamples: int) -> dict[str, float] | None:
    from dfar_bench.scoring import LEVEL, SEED

    return {"level": LEVEL, "resamples": resamples, "seed": SEED} if resamples else None


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show which model is being trained, on a terminal."""
    from tqdm import tqdm

    with tqdm(disable=None, unit=" models", leave=False) as bar:

        def show(name: str) -> None:
            bar.set_description(name)
            bar.update()

        yield show
