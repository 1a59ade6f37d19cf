"""The commands for one model, as one would type them: train, merge, score, submit. Its folder is ``place``.

place/model, place/merged (of an adapter), place/results
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dfar_bench.errors import InputError
from dfar_bench.experiments.steps import Step, typed


def refuse_paths(*paths: Path | str) -> None:
    """Refuse paths that would mean something else in lm_eval's ``--model_args``."""
    if set("".join(map(str, paths))) & set(",{"):
        named = " or ".join(map(str, paths))
        raise InputError(f"lm_eval cannot read {named}: choose paths without commas and braces.")


def train(title: str, words: Sequence[str], place: Path) -> Step:
    """Train a model into ``place/model``; ``words`` are all but the output folder."""
    return Step(f"Train {title}", [*words, "--output_dir", typed(place / "model")], makes=trained(place), mark=True)


def trained(place: Path) -> Path:
    """Return the mark of a finished training: the model's own files are there before its record is complete."""
    return place / ".trained"


def merge(title: str, place: Path) -> Step:
    """Merge the adapter in ``place/model`` into ``place/merged``, in float32: 16 bits would round the update."""
    words = ["python", "train/merge.py", typed(place / "model"), "--out", typed(place / "merged"), "--dtype", "float32"]
    return Step(f"Merge the adapter of {title}", words, makes=place / "merged")


def score(
    title: str,
    model: str,
    revision: str | None,
    tasks: Sequence[str],
    options: Sequence[str],
    results: Path,
    args: str = "",
) -> Step:
    """Score a model into the folder ``results``.

    Args:
        revision: its commit on the Hub; None for a folder.
        options: of lm_eval, as they are typed.
        args: more of its ``--model_args``.
    """
    model_args = ",".join(filter(None, [f"pretrained={model}", f"revision={revision}" if revision else "", args]))
    words = ["lm_eval", "--model", "hf", "--model_args", model_args, "--tasks", ",".join(tasks), *options]
    part = results.with_name(f".{results.name}")
    return Step(f"Score {title}", [*words, "--output_path", typed(part), "--log_samples"], makes=results, part=part)


def submit(
    title: str,
    model: str,
    revision: str | None,
    model_id: str,
    about: Sequence[str],
    results: Sequence[Path],
    tree: Path,
) -> Step:
    """Submit the scores in the folders ``results``, together.

    Args:
        model, revision: see ``score``.
        about: options of ``dfar-bench submit`` that say how the model was made.
        tree: the folder of all submissions.
    """
    words = ["dfar-bench", "submit", *map(typed, results), "--model-id", model_id, *about]
    words += ["--revision", revision] if revision else ["--weights", model]
    return Step(f"Submit {title}", [*words, "--out", typed(tree)])
