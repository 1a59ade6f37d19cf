"""From lm_eval's output folder to a submission folder.

Only what the schema names is carried over, so whatever else lm_eval and the training recorded of their machine stays
there. Texts taken from ``dfar_run.json`` are scrubbed; in all other fields, paths and access tokens are refused.
Responses lose their thoughts and nothing else; those that quote the data are stored as parts.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dfar_bench.datasets import get_dataset
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.answers_file import answer_line, answers_name, pack
from dfar_bench.leaderboard.faults import RefusedError, of_validation, shown
from dfar_bench.leaderboard.identity import check_commit, check_weights, recorded
from dfar_bench.leaderboard.row_set import rows_of
from dfar_bench.leaderboard.schema import SCHEMA_VERSION, Harness, Submission
from dfar_bench.leaderboard.submission import (
    FILE,
    UNFINISHED,
    imitations,
    model_folder,
    model_folders,
    run_id,
)
from dfar_bench.leaderboard.trained import dfar_run
from dfar_bench.leaderboard.verified import VerifiedSubmission
from dfar_bench.leaderboard.verify import verify
from dfar_bench.runs.log import runs_by_task
from dfar_bench.runs.rescore import Score
from dfar_bench.runs.run import Run
from dfar_bench.scoring import Estimate
from dfar_bench.training.modes import trainable


@dataclass(frozen=True)
class About:
    """What a submitter says of a model, as typed; the schema checks it.

    Attributes:
        revision: the commit on the Hub.
        weights: a folder of ``*.safetensors``, given instead of a revision.
        training: names of training sets; empty to take what ``dfar_run`` says, or none for a base model.
        dfar_run: a ``dfar_run.json``, or None.
    """

    model_id: str
    mode: str
    revision: str | None = None
    weights: Path | None = None
    base: str | None = None
    training: tuple[str, ...] = ()
    description: str | None = None
    dfar_run: Path | None = None
    contact: str | None = None
    licence: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Submitted:
    """A submission that is in its place and has been verified.

    Attributes:
        new: False if it was there before.
        differing: metrics, behind their tasks, for which lm_eval printed other values.
        remarks: what could not be checked of the model, as sentences.
    """

    folder: Path
    verified: VerifiedSubmission
    new: bool
    differing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def submit(results: Sequence[Path], about: About, out: Path) -> Submitted:
    """Make a submission of the runs in folders, and verify it.

    Args:
        results: what was given to lm_eval as ``--output_path``; several where one model was scored in several runs.
        out: the tree of submissions.

    Raises:
        InputError: says what is missing or mixed up in the results, or wrong with what was said of the model;
            nothing is written then.
    """
    runs, where = _read_runs(results), " and ".join(map(str, results))
    files = {answers_name(name): _answers(run) for name, run in runs.items()}
    sha256, remarks = _check_model(runs, about)
    document = _document(runs, files, about, sha256)
    try:
        submission = Submission.model_validate(document)
    except ValidationError as error:
        field, reason = of_validation(error, document)[0]
        raise InputError(f"{where} cannot be submitted: {field}: {reason}.") from None
    content = (json.dumps(submission.model_dump(), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    files[FILE] = content
    folder = Path(model_folder(about.model_id)) / run_id(submission.created, content)
    if other := imitations([*{*model_folders(out), str(folder.parent)}]).get(str(folder.parent)):
        raise InputError(
            f"{about.model_id} is easily mistaken for {shown(other)}, which is in {out} already: choose another name."
        )
    done = _put(files, out, folder)
    return replace(done, differing=tuple(_differing(runs, done.verified)), remarks=tuple(remarks))


def find_dfar_run(results: Sequence[Path]) -> Path | None:
    """Find the ``dfar_run.json`` beside the model that a run in one of the folders was made with."""
    records = (run.scored.training_record for run in _read_runs(results).values())
    return next((record for record in records if record), None)


def _read_runs(results: Sequence[Path]) -> dict[str, Run]:
    """Read the runs of folders by task, all of them complete, and of one model."""
    runs = runs_by_task(*results, part="folder")
    for run in runs.values():
        if not run.harness.recorded:
            raise InputError(
                f"{run.files[0]} has no results_*.json beside it, which says how it was made: "
                "submit the folder as lm_eval wrote it."
            )
        if run.harness.limit is not None:
            raise InputError(
                f"{run.files[0]} was made with --limit {shown(run.harness.limit)}: run the whole test set."
            )
        answered, data = tuple(output.row for output in run.outputs), run.task.dataset.name
        if not run.complete and answered != rows_of(data, sampled=True):
            sample = ", or the moral suite's sample" if rows_of(data, sampled=True) else ""
            raise InputError(
                f"{run.files[0]} holds {len(answered)} of {run.expected} rows: run the whole test set{sample}."
            )
    models = {json.dumps([run.model, _apart_from_dtype(run)], default=str): name for name, run in runs.items()}
    if len(models) > 1:
        raise InputError(
            f"the model, or its --model_args apart from dtype, differ between {' and '.join(models.values())}: "
            "submit the folder of each by itself."
        )
    return runs


def _apart_from_dtype(run: Run) -> dict[str, Any]:
    """Return a run's model arguments without the dtype, which is recorded for each task."""
    return {name: value for name, value in run.scored.arguments.items() if name != "dtype"}


def _check_model(runs: Mapping[str, Run], about: About) -> tuple[str | None, list[str]]:
    """Return the hash of local weights, if they are what was named, and what could not be checked of the model."""
    if about.revision is not None:
        return None, check_commit(runs.values(), about.model_id, about.revision)
    return check_weights(runs.values(), about.weights) if about.weights else (None, [])


def _answers(run: Run) -> bytes:
    lines = []
    for output in run.outputs:
        try:
            lines.append(answer_line(output, run.task))
        except RefusedError as refused:
            field, reason = refused.faults[0]
            raise InputError(f"{run.files[0]}, row {output.row.row_id}: {field}: {reason}.") from None
    return pack(lines)


def _document(
    runs: Mapping[str, Run], files: Mapping[str, bytes], about: About, weights_sha256: str | None
) -> dict[str, Any]:
    """Return ``submission.json``, not yet checked."""
    trained = dfar_run(about.dfar_run) if about.dfar_run else None
    days = [run.created for run in runs.values() if run.created]
    if len(days) < len(runs):
        raise InputError("the results file holds no date: submit the folder as lm_eval wrote it.")
    return {
        "schema_version": SCHEMA_VERSION,
        "created": max(days),
        "model": {
            "id": about.model_id,
            "revision": about.revision,
            "weights_sha256": weights_sha256,
            "base": about.base,
        },
        "recorded": recorded(list(runs.values())),
        "mode": about.mode,
        "training": {"sets": _training_sets(about, trained), "description": about.description},
        "dfar_run": trained,
        "tasks": {
            name: {
                "answers": answers_name(name),
                "sha256": hashlib.sha256(files[answers_name(name)]).hexdigest(),
                "harness": {
                    "prompt": run.style,
                    "condition": run.condition.signature,
                    **{name: value for name, value in vars(run.harness).items() if name in Harness.model_fields},
                },
            }
            for name, run in runs.items()
        },
        "contact": about.contact,
        "licence": about.licence,
        "url": about.url,
    }


def _training_sets(about: About, trained: Mapping[str, Any] | None) -> list[str]:
    if about.training:
        return list(about.training)
    if trained:
        if trained["split"] not in trainable():
            raise InputError(f"{about.dfar_run} names a data set that has no train rows: name another file.")
        runs = [run for run in (trained, trained.get("base_run")) if run]
        return list(dict.fromkeys(get_dataset(run["split"]).training_set(bool(run["drop_leaked"])) for run in runs))
    if about.mode != "base":
        raise InputError("say what the model was trained on, with --training or --dfar-run.")
    return ["none"]


def _differing(runs: Mapping[str, Run], verified: VerifiedSubmission) -> list[str]:
    return [
        f"{name}: {metric.name}"
        for name, task in verified.tasks.items()
        for metric in runs[name].metrics
        if Score(Estimate(task.metrics[metric.name]), runs[name].printed_of(metric, get_judge())).differs
    ]


def _put(files: Mapping[str, bytes], out: Path, folder: Path) -> Submitted:
    """Write a submission beside its place, verify it there, and move it in one go."""
    target = out / folder
    if target.exists() or target.is_symlink():
        return _existing(files, target)
    parent = next((parent for parent in (out, *out.absolute().parents) if parent.exists()), out)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=parent) as beside:
        written = Path(beside) / folder
        written.mkdir(parents=True)
        for name, content in files.items():
            (written / name).write_bytes(content)
        result = verify(written)
        if isinstance(result, list):
            raise InputError(f"what would be submitted has faults: {'; '.join(map(str, result))}.")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(written, target)
        except OSError:
            if not target.exists():
                raise
            return _existing(files, target)  # by another process, just now
    return Submitted(target, replace(result, folder=target), new=True)


def _existing(files: Mapping[str, bytes], target: Path) -> Submitted:
    result = verify(target)
    there = {path.name: path.read_bytes() for path in target.iterdir() if path.is_file()} if target.is_dir() else {}
    if isinstance(result, list) or there != dict(files):
        raise InputError(f"{target} is there already and holds something else: remove it, or choose another --out.")
    return Submitted(target, result, new=False)
