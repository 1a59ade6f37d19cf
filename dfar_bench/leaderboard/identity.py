"""Is the model that a submitter names the one that was scored? Whatever the harness recorded must agree."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError
from dfar_bench.files import weights_hash
from dfar_bench.leaderboard.faults import shown, shown_name
from dfar_bench.leaderboard.schema import DUMMY
from dfar_bench.runs.run import Run
from dfar_bench.runs.scored_model import COMMIT

_CHANGING = ("tokenizer", "subfolder", "gguf_file")
_KNOWN = ("pretrained", "revision", "dtype")
"""Model arguments of which a submission says more than the name."""


def check_commit(runs: Iterable[Run], model_id: str, revision: str) -> list[str]:
    """Check that runs are of a commit on the Hub.

    Returns:
        What could not be checked, as sentences.

    Raises:
        InputError: it is not a commit, or the harness recorded another one, or a dummy.
    """
    if not COMMIT.fullmatch(revision):
        raise InputError(
            f"--revision {shown(revision)} is not a commit: give its 40 digits, which the Hub shows under Files."
        )
    remarks: list[str] = []
    for run in runs:
        _refuse_dummy(run)
        remarks += _loaded_with(run)
        commit, place = run.scored.commit, run.scored.place
        if commit and commit != revision:
            raise InputError(
                f"{run.files[0]} was made with the commit {commit}, not {revision}: give that one, or score this one."
            )
        if commit is None:
            remarks.append(f"no commit was recorded; we take your word that it was {revision[:12]}")
        if place and place[1] != model_id:
            remarks.append(f"the run loaded {place[0]}={place[1]}; we take your word that this is {model_id}")
    return list(dict.fromkeys(remarks))


def check_weights(runs: Iterable[Run], folder: Path) -> tuple[str, list[str]]:
    """Check that runs are of the weights in a folder.

    Returns:
        Their hash, and what could not be checked, as sentences.

    Raises:
        InputError: the harness recorded other weights, another folder or a dummy, or the files are newer than a run.
    """
    sha256 = weights_hash(folder)
    remarks: list[str] = []
    changed = max(path.stat().st_mtime for path in folder.glob("*.safetensors"))
    for run in runs:
        _refuse_dummy(run)
        remarks += _loaded_with(run)
        file, place, hashed = run.files[0], run.scored.place, run.scored.weights_sha256
        if hashed and hashed != sha256:
            raise InputError(
                f"{folder} holds other weights (sha256 {sha256[:12]}…) than were scored in {file} ({hashed[:12]}…): "
                "name the folder that was scored, or score this one."
            )
        if hashed:
            continue
        if place is None:
            remarks.append(f"the results name no model; we take your word that it was the one in {folder}")
        elif os.path.realpath(folder) != (os.path.isdir(place[1]) and os.path.realpath(place[1])):
            raise InputError(
                f"{file} was made with {place[0]}={shown_name(place[1])}, which is not {folder}: "
                "name the folder that was scored, from where lm_eval ran, or score this one."
            )
        elif run.started is not None and changed > run.started:
            raise InputError(
                f"{folder} was changed at {_clock(changed)}, and scored before, at {_clock(run.started)}: "
                "score it again with dfar-bench eval, which records a hash of the weights."
            )
        else:
            remarks.append(
                f"lm_eval hashes no weights, so that those in {folder} were scored is known only from the times of the "
                "files; dfar-bench eval records a hash"
            )
    return sha256, list(dict.fromkeys(remarks))


def recorded(runs: Sequence[Run]) -> dict[str, Any] | None:
    """Return what a submission carries over of the model that was scored: what all runs agree on; no value typed."""
    models = [run.scored for run in runs]
    if any(model.backend is None for model in models):
        return None
    agreed: dict[str, Any] = {}
    for name in ("backend", "commit", "weights_sha256", "parameters"):
        values = {getattr(model, name) for model in models}
        agreed[name] = values.pop() if len(values) == 1 else None
    others = {str(name) for model in models for name, value in model.arguments.items() if _tells(name, value)}
    return {**agreed, "arguments": sorted(others)}


def _tells(name: object, value: object) -> bool:
    """Whether a submission names a model argument; one that does nothing is left out."""
    return name not in _KNOWN and not (name == "trust_remote_code" and str(value) == "False")


def _loaded_with(run: Run) -> list[str]:
    """Name the arguments that make another model of the same files; neither a commit nor a hash tells of them."""
    named = ", ".join(name for name in _CHANGING if run.scored.arguments.get(name))
    return [f"the run loaded the model with {named}, of which only the name is submitted"] if named else []


def _refuse_dummy(run: Run) -> None:
    if run.scored.backend == DUMMY:
        raise InputError(f"{run.files[0]} holds the random answers of lm_eval's dummy model: score a model.")


def _clock(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")
