"""From lm_eval's output folder to a submission folder.

Only what the schema names is carried over, so what else the harness and the training wrote of the machine they ran on
stays there; texts that are carried over are scrubbed. Responses are never altered,
but those that quote the data are sealed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.answers_file import answer_line, doc_hashes, packed
from dfar_bench.leaderboard.faults import RefusedError, of_validation, shown
from dfar_bench.leaderboard.folder import FILE, UNFINISHED, answers_name
from dfar_bench.leaderboard.names import imitations, model_folder, model_folders
from dfar_bench.leaderboard.result import Verified
from dfar_bench.leaderboard.schema import SCHEMA_VERSION, Submission, training_set
from dfar_bench.leaderboard.trained import dfar_run, model_places, weights_hash
from dfar_bench.leaderboard.verify import run_id, verified
from dfar_bench.rescore import Rescored, rescore_run
from dfar_bench.samples import LoggedRun, find_runs, read_run, section


@dataclass(frozen=True)
class About:
    """What a submitter says of a model, as typed; the schema checks it.

    Attributes:
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
    """A submission that lies in its place and has been verified.

    Attributes:
        new: False if it had been there before.
        differing: metrics, behind their tasks, for which lm_eval had printed other values.
    """

    folder: Path
    verified: Verified
    new: bool
    differing: tuple[str, ...] = ()


def submit(results: Path, about: About, out: Path) -> Submitted:
    """Make a submission of the runs in a folder, and verify it.

    Args:
        results: what was given to lm_eval as ``--output_path``.
        out: the tree of submissions.

    Raises:
        InputError: says what is missing or mixed up in the results, or wrong with what was said of the model;
            nothing is written then.
    """
    runs = _runs(results)
    judge = get_judge()
    scored = [rescore_run(run, judge, resamples=0) for run in runs.values()]
    files = {answers_name(one.run.task): _answers(one.run) for one in scored}
    document = _document(scored, files, about)
    try:
        submission = Submission.model_validate(document)
    except ValidationError as error:
        field, reason = of_validation(error, document)[0]
        raise InputError(f"{results} cannot be submitted: {field}: {reason}.") from None
    content = (json.dumps(submission.model_dump(), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    files[FILE] = content
    folder = Path(model_folder(about.model_id)) / run_id(submission.created, content)
    if other := imitations([*{*model_folders(out), str(folder.parent)}]).get(str(folder.parent)):
        raise InputError(
            f"{about.model_id} is easily taken for {shown(other)}, which is in {out} already: choose another name."
        )
    differing = [f"{one.run.task}: {name}" for one in scored for name, score in one.scores.items() if score.differs]
    return replace(_put(files, out, folder), differing=tuple(differing))


def find_dfar_run(results: Path) -> Path | None:
    """The ``dfar_run.json`` beside the model that a run in a folder was made with, None if there is none."""
    from dfar_bench.training.record import FILE as RUN_FILE  # the training imports torch

    for run in _runs(results).values():
        for place in model_places(section(run.results, "config").get("model_args")):
            if (found := Path(place) / RUN_FILE).is_file():
                return found
    return None


def _runs(results: Path) -> dict[str, LoggedRun]:
    """The runs of a folder by task, all of them whole, and of one model."""
    found: dict[str, LoggedRun] = {}
    for files in find_runs([results]):
        run = read_run(files)
        if run.task in found:
            raise InputError(f"{results} holds two runs of {run.task}: name the folder of one of them.")
        if not run.results:
            raise InputError(
                f"{files[0]} has no results_*.json beside it, without which nobody knows how it came about: "
                "submit the folder as lm_eval wrote it."
            )
        if (limit := section(run.results, "config").get("limit")) is not None:
            raise InputError(f"{files[0]} was made with --limit {shown(limit)}: run the whole test set.")
        if len(run.answers) < run.expected:
            raise InputError(f"{files[0]} holds {len(run.answers)} of {run.expected} rows: run the whole test set.")
        found[run.task] = run
    models = {json.dumps(_model(run.results)): run for run in found.values()}
    if len(models) > 1:
        tasks = " and ".join(run.task for run in models.values())
        raise InputError(f"{results} holds runs of different models ({tasks}): submit each model by itself.")
    return found


def _model(results: Mapping[str, Any]) -> list[object]:
    return [results.get("model_name"), section(dict(results), "config").get("model_args")]


def _answers(run: LoggedRun) -> bytes:
    hashes = doc_hashes(run.split, run.prompt, run.mode)
    made = []
    for logged in run.answers:
        try:
            made.append(answer_line(logged, hashes[logged.row.row_id]))
        except RefusedError as refused:
            field, reason = refused.faults[0]
            raise InputError(f"{run.files[0]}, row {logged.row.row_id}: {field}: {reason}.") from None
    return packed(made)


def _document(scored: Iterable[Rescored], files: Mapping[str, bytes], about: About) -> dict[str, Any]:
    """``submission.json``, not yet checked."""
    runs = list(scored)
    trained = dfar_run(about.dfar_run) if about.dfar_run else None
    sets = list(about.training)
    if not sets and trained:
        try:
            sets = [training_set(trained["split"], bool(trained["drop_leaked"]))]
        except (KeyError, TypeError):
            raise InputError(f"{about.dfar_run} names a split that nothing is trained on here: name another.") from None
    if not sets and about.mode == "base":
        sets = ["none"]
    if not sets:
        raise InputError("say what the model was trained on, with --training or --dfar-run.")
    return {
        "schema_version": SCHEMA_VERSION,
        "created": max(_created(one.run.results) for one in runs),
        "model": {
            "id": about.model_id,
            "revision": about.revision,
            "weights_sha256": weights_hash(about.weights) if about.weights else None,
            "base": about.base,
        },
        "mode": about.mode,
        "training": {"sets": sets, "description": about.description},
        "dfar_run": trained,
        "tasks": {one.run.task: _task(one, files[answers_name(one.run.task)]) for one in runs},
        "contact": about.contact,
        "licence": about.licence,
        "url": about.url,
    }


def _task(one: Rescored, content: bytes) -> dict[str, Any]:
    return {
        "signature": one.signature,
        "rows": len(one.run.answers),
        "answers": answers_name(one.run.task),
        "sha256": hashlib.sha256(content).hexdigest(),
        "metrics": {name: score.value for name, score in one.scores.items()},
        "harness": _harness(one.run),
    }


def _harness(run: LoggedRun) -> dict[str, Any]:
    results, config = run.results, section(run.results, "config")
    torch = re.search(r"^PyTorch version: (\S+)$", str(results.get("pretty_env_info")), re.MULTILINE)
    return {
        "lm_eval": results.get("lm_eval_version"),
        "transformers": results.get("transformers_version"),
        "torch": torch[1] if torch and torch[1][0].isdigit() else None,
        "prompt": run.prompt,
        "mode": run.mode,
        "num_fewshot": section(results, "n-shot").get(run.task),
        "fewshot_as_multiturn": bool(results.get("fewshot_as_multiturn")),
        "chat_template_sha": results.get("chat_template_sha"),
        "system_instruction_sha": results.get("system_instruction_sha"),
        "context": run.context,
        "messages": run.messages,
        "generation_kwargs": run.generation,
        "limit": None,
        "seeds": {name: config.get(f"{name}_seed") for name in ("random", "numpy", "torch", "fewshot")},
    }


def _created(results: Mapping[str, Any]) -> str:
    """The day of a run, in UTC."""
    date = results.get("date")
    try:
        return datetime.fromtimestamp(float(date), UTC).date().isoformat()  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        raise InputError("the results file holds no date: submit the folder as lm_eval wrote it.") from None


def _put(files: Mapping[str, bytes], out: Path, folder: Path) -> Submitted:
    """Write a submission beside its place, verify it there, and move it in one go."""
    target = out / folder
    if target.exists() or target.is_symlink():
        return _put_before(files, target)
    existing = next((parent for parent in (out, *out.absolute().parents) if parent.exists()), out)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=existing) as beside:
        made = Path(beside) / folder
        made.mkdir(parents=True)
        for name, content in files.items():
            (made / name).write_bytes(content)
        found = verified(made)
        if not isinstance(found, Verified):
            raise InputError(f"what would be submitted has faults: {'; '.join(str(fault) for fault in found)}.")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(made, target)
        except OSError:
            if not target.exists():
                raise
            return _put_before(files, target)  # by another process, just now
    return Submitted(target, found, new=True)


def _put_before(files: Mapping[str, bytes], target: Path) -> Submitted:
    found = verified(target)
    there = {path.name: path.read_bytes() for path in target.iterdir() if path.is_file()} if target.is_dir() else {}
    if there != dict(files) or not isinstance(found, Verified):
        raise InputError(f"{target} is there already and holds something else: remove it, or choose another --out.")
    return Submitted(target, found, new=False)
