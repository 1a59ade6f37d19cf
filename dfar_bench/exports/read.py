"""Read what is to be exported: submissions, verified and scored here, and lm_eval's logged samples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from dfar_bench.errors import InputError
from dfar_bench.exports.result import Result
from dfar_bench.files import TRAINING_RECORD, read_json
from dfar_bench.judges import Judge
from dfar_bench.leaderboard.faults import Fault, of_validation, shown
from dfar_bench.leaderboard.fields import ModelId
from dfar_bench.leaderboard.report import verify_all
from dfar_bench.leaderboard.submission import FILE
from dfar_bench.leaderboard.verified import VerifiedSubmission
from dfar_bench.leaderboard.verify import run_flags
from dfar_bench.runs.log import find_runs, read_run
from dfar_bench.runs.run import Run
from dfar_bench.text import short_hash


def read_results(paths: Sequence[Path], judge: Judge, model_id: str | None = None) -> tuple[list[Result], list[Fault]]:
    """Read and score all results among paths.

    Args:
        paths: submissions' folders, or folders of them; and samples files of lm_eval, or folders of those.
        model_id: the model of the samples, where these do not name it as the Hub does.

    Returns:
        The results, and the faults of submissions; these have no result.

    Raises:
        InputError: a path holds nothing of the kind, samples cannot be read, or it is not known of which model they
            are.
    """
    paths = [path.parent if path.name == FILE else path for path in paths]
    submitted = [path for path in paths if _holds_submissions(path)]
    logged = [path for path in paths if path not in submitted]
    if model_id and not logged:
        raise InputError("--model-id is for samples of lm_eval; a submission names its model: leave it out.")
    report = verify_all(submitted, derive=_of_submission, judge=judge) if submitted else None
    results = [
        replace(result, flags=(*result.flags, *dict.fromkeys(flag.kind for flag in entry.same_answers)))
        for entry in (report.entries if report else ())
        for result in entry.value
    ]
    runs = [read_run(files) for files in find_runs(logged)]
    names = sorted({str(run.model) for run in runs})
    if model_id and len(names) > 1:
        raise InputError(f"the samples are of several models ({', '.join(map(shown, names))}): export them one by one.")
    results += [_of_run(run, _model_of(run, model_id), judge) for run in runs]
    return results, report.faults if report else []


def _holds_submissions(path: Path) -> bool:
    """Whether a path is the folder of a submission, of a model, or a whole tree."""
    return any(next(path.glob(place + FILE), None) is not None for place in ("", "*/", "*/*/"))


def _of_submission(verified: VerifiedSubmission) -> list[Result]:
    model = verified.submission.model
    flags = [flag.kind for flag in verified.flags]
    return [
        Result(
            model=model.id,
            run_id=verified.run,
            revision=f"revision:{model.revision}" if model.revision else f"sha256:{model.weights_sha256}",
            created=verified.submission.created,
            run=task.run,
            answers=task.answers,
            signature=task.signature,
            error_rates=task.error_rates,
            contamination=task.contamination,
            flags=tuple(dict.fromkeys([*(flag.kind for flag in task.flags), *flags])),
        )
        for task in verified.tasks.values()
    ]


def _of_run(run: Run, model: str, judge: Judge) -> Result:
    answers = tuple(run.answers(judge))
    outputs = [(output.row.row_id, output.value) for output in run.outputs]
    content = short_hash([run.task.name, run.style, run.condition.signature, outputs])
    return Result(
        model=model,
        run_id=f"{run.created or 'undated'}-{content}",
        revision="",
        created=run.created,
        run=run,
        answers=answers,
        signature=run.signature(judge),
        error_rates=run.error_rates(judge),
        flags=tuple(flag.kind for flag in run_flags(run, answers, _mode_of(run))),
    )


def _mode_of(run: Run) -> str | None:
    """Return what a model was trained on; None if no record of that is beside it."""
    record = run.scored.training_record
    training = read_json(record, f"the {TRAINING_RECORD} of the model") if record else None
    mode = training.get("mode") if isinstance(training, dict) else None
    return mode if isinstance(mode, str) else None


def _model_of(run: Run, model_id: str | None) -> str:
    """Return the name of the model that was run; a folder or an adapter has none that others know."""
    where = run.files[0].parent
    name = model_id or run.model or ""
    if not model_id and (run.tuned or os.path.exists(name)):
        raise InputError(f"{where} is of a local or fine-tuned model: name it with --model-id ORG/NAME.")
    try:
        return TypeAdapter[str](ModelId).validate_python(name)
    except ValidationError as error:
        ((_, reason),) = of_validation(error, name)
        raise InputError(f"the model {shown(name)} of {where} {reason}: name it with --model-id ORG/NAME.") from None
