"""What sort of model was submitted, and what its training cost: only what was recorded, nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from dfar_bench.leaderboard.schema import Submission
from dfar_bench.leaderboard.trained_schema import DfarRun
from dfar_bench.runs.run import Run

Kind = Literal["base", "fine-tuned", "instruct", "thinking"]
Weights = Literal["Hub", "local", "endpoint"]

TITLES: dict[Kind, str] = {
    "base": "asked without a chat template, and not declared as trained further",
    "fine-tuned": "trained further, as its submitter declares",
    "instruct": "asked under a chat template",
    "thinking": "wrote a thought before its answer",
}
WEIGHTS: dict[Weights, str] = {
    "Hub": "its submitter names a commit on the Hugging Face Hub",
    "local": "its submitter names a hash of local weights",
    "endpoint": "asked through an API of chat messages, behind which the weights cannot be seen",
}
SIZES = {"up to 1B": (0, 1e9), "1B to 10B": (1e9, 1e10), "10B to 100B": (1e10, 1e11), "over 100B": (1e11, float("inf"))}
"""Ranges of parameters: over the first number, up to the second."""


_BATCH = ("per_device_train_batch_size", "gradient_accumulation_steps")
_MOST_EPOCHS = 1e6


class Budget(BaseModel):
    """What a training read: rows, and tokens of prompts and completions, each counted as often as it was read."""

    model_config = ConfigDict(frozen=True)

    rows: int
    tokens: int


class Origin(BaseModel):
    """Facts of a model; None where they are not recorded, and for baselines.

    Attributes:
        parameters: how many the model has, without an adapter's.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind | None = None
    weights: Weights | None = None
    parameters: int | None = None
    budget: Budget | None = None

    @property
    def size(self) -> str | None:
        """Its range of parameters (``SIZES``)."""
        count = self.parameters or 0
        return next((name for name, (over, to) in SIZES.items() if over < count <= to), None)


def origin_of(submission: Submission, runs: Iterable[Run]) -> Origin:
    """Return what is recorded of a submission's model."""
    runs, run, recorded = tuple(runs), submission.dfar_run, submission.recorded
    endpoint = any(one.harness.messages for one in runs)
    return Origin(
        kind=_kind(runs),
        weights="endpoint" if endpoint else "Hub" if submission.model.revision else "local",
        parameters=(recorded and recorded.parameters) or (run.base_model.parameters if run else None),
        budget=_budget(run) if run else None,
    )


def _kind(runs: Iterable[Run]) -> Kind:
    kinds = set[Kind]()
    for run in runs:
        thought = run.harness.thinking or any(output.left_out for output in run.outputs)
        kinds.add("thinking" if thought else run.source_kind)
    return next(kind for kind in ("thinking", "fine-tuned", "instruct", "base") if kind in kinds)


def _budget(run: DfarRun) -> Budget | None:
    """How often the rows were read follows from the epochs, or from the steps if each of their rows is one."""
    epochs, steps, packed = (run.arguments.get(name) for name in ("num_train_epochs", "max_steps", "packing"))
    if steps is not None and steps > 0:
        size, accumulated = (run.arguments.get(name) or 0 for name in _BATCH)
        per_step = 0 if packed else size * accumulated * run.distribution.processes
        epochs = run.steps * per_step / max(1, run.data.rows)
    if not epochs or not 0 < epochs < _MOST_EPOCHS:
        return None
    return Budget(rows=round(epochs * run.data.rows), tokens=round(epochs * run.data.tokens))
