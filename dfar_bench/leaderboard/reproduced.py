"""``leaderboard/reproduced/ORG__NAME/RUN.json``: how closely a maintainer's rerun reproduced a submission's answers.

``reproduce`` writes these files, and maintainers alone add them: a badge that came with a submission would be its own
submitter's word, so the check of pull requests refuses the two together. They are checked as submissions are all the
same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator

from dfar_bench.leaderboard import fields
from dfar_bench.leaderboard.faults import Fault, RefusedError, of_validation, shown_name
from dfar_bench.leaderboard.row_set import rows_of
from dfar_bench.leaderboard.submission import FILE, SUBMISSION_BYTES, is_future, is_placeholder
from dfar_bench.leaderboard.untrusted import parse, read_regular
from dfar_bench.leaderboard.verify import read_submission
from dfar_bench.scoring import tasks

OUTCOME_BYTES = 64 * 1024
MAX_DIFFERING = 0.05
"""Share of rows whose verdicts, and whose judge's codes, may differ in a run that counts as reproduced. Other hardware
rounds differently, and a written answer that differs in one word goes on differently; another model differs in far more
of them."""


class TaskOutcome(fields.Strict):
    """One task, run again.

    Attributes:
        signature: of the new answers.
        equal: rows whose answers are the same to the last character, or bit.
        verdicts_differ: rows whose verdicts are not the same; no verdict is one of its own.
        codes_differ: rows to which the judge gives another code; None where none decides.
        largest: the largest difference of a log-likelihood; None for written answers.
        metrics: the new figure minus the submission's, by name; None where one of them has none.
    """

    signature: Annotated[str, StringConstraints(max_length=1000, pattern=r"^[\w.+/|:?-]*$")]
    rows: fields.Count
    equal: fields.Count
    verdicts_differ: fields.Count
    codes_differ: fields.Count | None
    largest: Annotated[float, Field(ge=0)] | None
    metrics: Annotated[dict[fields.Name, float | None], Field(max_length=100)]

    @model_validator(mode="after")
    def _check_counts(self) -> TaskOutcome:
        if self.equal + self.verdicts_differ > self.rows or (self.codes_differ or 0) > self.rows:
            raise fields.refusal("has more rows that are equal or differ than rows")
        return self

    @property
    def holds(self) -> bool:
        """Whether it differs in no more than ``MAX_DIFFERING``."""
        return max(self.verdicts_differ, self.codes_differ or 0) <= MAX_DIFFERING * self.rows

    @property
    def text(self) -> str:
        """How much was equal, in words."""
        codes = "" if self.codes_differ is None else f", {self.codes_differ} of the judge's codes differ"
        return f"{self.equal} of {self.rows} answers equal, {self.verdicts_differ} verdicts differ{codes}"


class Outcome(fields.Strict):
    """The outcome of a reproduction run.

    Attributes:
        submission: its folder's name behind that of its model.
        sha256: of its ``submission.json``.
        created: the day on which it was run again.
        unknown: what the submission does not record, so that it was run again with lm_eval's defaults.
    """

    schema_version: Literal[1]
    submission: Annotated[str, StringConstraints(max_length=250)]
    sha256: fields.Sha256
    created: fields.Day
    unknown: Annotated[list[fields.Name], Field(max_length=16, default_factory=list)]
    tasks: Annotated[dict[fields.Name, TaskOutcome], Field(min_length=1, max_length=100)]

    @property
    def holds(self) -> bool:
        """Whether the submission counts as reproduced."""
        return all(task.holds for task in self.tasks.values())

    @property
    def word(self) -> str:
        """The badge. Where a setting had to be guessed, other answers say nothing against the submission."""
        if self.holds:
            return "reproduced"
        return "could not be run alike" if self.unknown else "not reproduced"

    @property
    def text(self) -> str:
        """How much was equal, as a sentence without its full stop."""
        parts = [f"{name}: {task.text}" for name, task in self.tasks.items()]
        parts += [f"not recorded, so left at lm_eval's defaults: {', '.join(self.unknown)}"] if self.unknown else []
        return "; ".join([f"run again by a maintainer on {self.created}", *parts])


def outcome_file(submission: Path) -> Path:
    """Return the path of the outcome of a submission's folder, below the folder of all outcomes."""
    return Path(submission.parent.name) / f"{submission.name}.json"


def read_outcomes(folder: Path, submissions: Mapping[str, Path]) -> tuple[dict[str, Outcome], list[Fault]]:
    """Read the outcomes of submissions.

    Args:
        folder: of all outcomes; it need not exist.
        submissions: the folders of submissions without fault, by ``ORG__NAME/RUN``.

    Returns:
        The outcomes that have no fault, by the same names, and all faults.
    """
    outcomes, faults = {}, []
    if folder.is_dir():
        models = [path for path in folder.iterdir() if not is_placeholder(path)]
        for path in sorted(path for model in models for path in _members(model)):
            where = "/".join(map(shown_name, path.relative_to(folder.parent).parts))
            name = "/".join(path.relative_to(folder).with_suffix("").parts)
            try:
                if path.suffix != ".json" or name not in submissions:
                    raise RefusedError(("name", "is not that of a submission that is there and has no fault"))
                outcomes[name] = _read(path, name, submissions[name])
            except RefusedError as refused:
                faults += refused.of(where)
    return outcomes, faults


def _members(model: Path) -> list[Path]:
    """Return what is in a folder of outcomes, or the path itself if it is none, which is refused by its name."""
    return list(model.iterdir()) if model.is_dir() and not model.is_symlink() else [model]


def _read(path: Path, name: str, submission: Path) -> Outcome:
    document = parse(read_regular(path, OUTCOME_BYTES))
    try:
        outcome = Outcome.model_validate(document)
    except ValidationError as error:
        raise RefusedError(*of_validation(error, document)) from None
    if outcome.submission != name:
        raise RefusedError(("submission", f"must be {name}"))
    if is_future(outcome.created):
        raise RefusedError(("created", f"is {outcome.created}, which is in the future"))
    content = read_regular(submission / FILE, SUBMISSION_BYTES)
    if outcome.sha256 != hashlib.sha256(content).hexdigest():
        raise RefusedError(("sha256", f"is not that of the {FILE} there"))
    submitted = read_submission(content).tasks
    if outcome.tasks.keys() != submitted.keys():
        raise RefusedError(("tasks", f"must be those of the submission: {', '.join(submitted)}"))
    for task, result in outcome.tasks.items():
        sampled = "|rows:" in result.signature
        if result.rows != (count := len(rows_of(tasks()[task].dataset.name, sampled=sampled))):
            what = "the suite's sample" if sampled else "the test set"
            raise RefusedError((f"tasks.{task}.rows", f"is {result.rows}, and {what} has {count}"))
        if (result.codes_differ is None) == tasks()[task].kind.judged:
            raise RefusedError((f"tasks.{task}.codes_differ", "must be a number where a judge decides, and else null"))
    return outcome
