"""The submission file, defined in one place: ``submission.json`` and the lines of its answers files.

``leaderboard/submission.schema.json`` is made from these classes: ``python -m dfar_bench.leaderboard.schema > FILE``.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.json_schema import models_json_schema

from dfar_bench.data import SPLITS, task_name
from dfar_bench.leaderboard.fields import (
    Contact,
    Count,
    Day,
    Hash8,
    Hash16,
    Licence,
    Link,
    LogLikelihood,
    ModelId,
    Number,
    Response,
    Revision,
    RowHashes,
    RowId,
    Sealed,
    Sha256,
    Signature,
    StopString,
    Text,
    Version,
    Word,
    refusal,
)
from dfar_bench.metrics import METRICS

SCHEMA_VERSION = 1

TASKS = {task_name(split, kind): (split, kind) for split in SPLITS for kind in METRICS}
"""Split and kind of every task that a submission may hold."""

Mode = Literal["base", "l", "lr", "other"]
TrainingSet = Literal["none", "dfar_train", "dfar_train_unleaked", "dfar_clean_train", "dfar_mini_train", "other"]

TRAINING_SETS: dict[str, tuple[str, bool]] = {
    "dfar_train": ("paper", False),
    "dfar_train_unleaked": ("paper", True),
    "dfar_clean_train": ("clean", False),
    "dfar_mini_train": ("mini", False),
}
"""Split, and whether its leaked rows were left out, of the training sets that are known here."""


def training_set(split: str, drop_leaked: bool) -> str:
    """The name of the train rows of a split; only the paper's has rows that leak."""
    known = {what: name for name, what in TRAINING_SETS.items()}
    return known[split, drop_leaked and split == "paper"]


class Strict(BaseModel):
    """No field too many, no value of another type, no number that is not finite; never changed afterwards."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Model(Strict):
    """The model, and which state of it: a revision on the Hub, or a hash of its weights.

    ``weights_sha256`` is the sha256 of one line for each ``*.safetensors`` file, sorted by name: the file's own
    sha256 in hexadecimal, two spaces, its name.
    """

    id: ModelId
    revision: Revision | None = None
    weights_sha256: Sha256 | None = None
    base: ModelId | None = None

    @model_validator(mode="after")
    def _one_state(self) -> Model:
        if (self.revision is None) == (self.weights_sha256 is None):
            raise refusal("needs either revision or weights_sha256, and not both")
        return self


class Training(Strict):
    """What the model was trained on, as far as it concerns DFAR; ``other`` must be described."""

    sets: Annotated[list[TrainingSet], Field(min_length=1, max_length=6)]
    description: Text | None = None

    @model_validator(mode="after")
    def _sensible(self) -> Training:
        if len(set(self.sets)) < len(self.sets):
            raise refusal("names a set twice")
        if "none" in self.sets and len(self.sets) > 1:
            raise refusal("says none, and another set")
        if "other" in self.sets and self.description is None:
            raise refusal("says other, and has no description")
        return self


class TrainedBase(Strict):
    """What was fine-tuned."""

    name: Text
    type: Word
    parameters: Count
    trained: Count


class TrainedRows(Strict):
    """The training rows: how many, and ``row_hash`` of each row's id with spaces between, in the order of training."""

    rows: Count
    tokens: Count
    sha256: Sha256
    row_ids: RowHashes

    @model_validator(mode="after")
    def _all_there(self) -> TrainedRows:
        if (named := len(self.row_ids.split())) != self.rows:
            raise refusal(f"names {named} row_ids for {self.rows} rows")
        return self


class Distribution(Strict):
    """How the training was spread."""

    type: Word
    zero_stage: Annotated[int, Field(ge=0, le=3)] | None
    offload: Annotated[list[Word], Field(max_length=4)]
    processes: Annotated[int, Field(ge=1, le=100_000)]
    device: Word


class DfarRun(Strict):
    """What a board needs to know of ``dfar_run.json``, which train/sft.py writes."""

    mode: Literal["l", "lr"]
    split: Literal["paper", "clean", "mini"]
    drop_leaked: bool
    prompt: Word
    method: Literal["full", "lora", "qlora"]
    seed: Count
    base_model: TrainedBase
    data: TrainedRows
    packages: Annotated[dict[Word, Version], Field(max_length=20)]
    distribution: Distribution
    steps: Count
    final_loss: Number
    tokens_per_second: Annotated[float, Field(ge=0, le=1e12)]
    arguments: Annotated[dict[Word, bool | int | Number | None], Field(max_length=20)]


class Seeds(Strict):
    """The harness's seeds."""

    random: Count | None
    numpy: Count | None
    torch: Count | None
    fewshot: Count | None


class Harness(Strict):
    """How the answers came about. The signature follows from this.

    Attributes:
        context: hash of all that the model was shown if that is more than the bare prompts.
        messages: whether it was sent chat messages rather than text.
        generation_kwargs: None for ``*_cls``.
        limit: None, as a part of a test set is no submission.
    """

    lm_eval: Version
    transformers: Version | None
    torch: Version | None
    prompt: Word
    mode: Literal["l", "lr"]
    num_fewshot: Annotated[int, Field(ge=0, le=64)]
    fewshot_as_multiturn: bool
    chat_template_sha: Sha256 | None
    system_instruction_sha: Sha256 | None
    context: Hash8 | None
    messages: bool
    generation_kwargs: (
        Annotated[
            dict[Word, bool | int | Number | StopString | Annotated[list[StopString], Field(max_length=32)] | None],
            Field(max_length=32),
        ]
        | None
    )
    limit: None
    seeds: Seeds


class Task(Strict):
    """The answers to one task, and what they are claimed to score. Rates are between 0 and 1."""

    signature: Signature
    rows: Annotated[int, Field(ge=1, le=100_000)]
    answers: Annotated[str, StringConstraints(max_length=60)]
    sha256: Sha256
    metrics: Annotated[dict[Word, Number | None], Field(max_length=20)]
    harness: Harness


class Submission(Strict):
    """``submission.json``."""

    schema_version: Annotated[int, Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)]  # a Literal would take true for 1
    created: Day
    model: Model
    mode: Mode
    training: Training
    dfar_run: DfarRun | None
    tasks: Annotated[dict[Word, Task], Field(min_length=1, max_length=len(TASKS))]
    contact: Contact | None = None
    licence: Licence | None = None
    url: Link | None = None

    @model_validator(mode="after")
    def _one_story(self) -> Submission:
        trained_here = [name for name in self.training.sets if name in TRAINING_SETS]
        if self.mode == "base" and (trained_here or self.dfar_run):
            raise refusal("mode says base, and training or dfar_run that it was trained on DFAR")
        if self.mode in ("l", "lr") and self.training.sets == ["none"]:
            raise refusal(f"mode says {self.mode}, and training that it was trained on nothing")
        if self.dfar_run:
            if self.mode in ("l", "lr") and self.dfar_run.mode != self.mode:
                raise refusal(f"mode says {self.mode}, and dfar_run {self.dfar_run.mode}")
            if (learned := training_set(self.dfar_run.split, self.dfar_run.drop_leaked)) not in trained_here:
                raise refusal(f"dfar_run says that it was trained on {learned}, and training does not")
        return self


class ResponseLine(Strict):
    """A line of the answers file of a ``*_reason`` task: the response, sealed if it quotes the data (``seal.py``)."""

    row_id: RowId
    doc_hash: Hash16
    response: Response | None = None
    sealed: Sealed | None = None

    @model_validator(mode="after")
    def _one_form(self) -> ResponseLine:
        if (self.response is None) == (self.sealed is None):
            raise refusal("needs either response or sealed, and not both")
        return self


class ChoiceLine(Strict):
    """A line of the answers file of a ``*_cls`` task: log-likelihoods (natural) of "ethical" and "unethical"."""

    row_id: RowId
    doc_hash: Hash16
    log_likelihoods: Annotated[list[LogLikelihood], Field(min_length=2, max_length=2)]

    @property
    def answer(self) -> tuple[float, float]:
        ethical, unethical = self.log_likelihoods
        return ethical, unethical


LINES: dict[str, type[ResponseLine | ChoiceLine]] = {"cls": ChoiceLine, "reason": ResponseLine}
"""What a line of an answers file holds, by the kind of its task."""


def json_schema() -> str:
    """The JSON Schema of ``submission.json``; ``$defs`` also has the lines of the answers files."""
    models: list[tuple[type[BaseModel], Literal["validation"]]] = [
        (model, "validation") for model in (Submission, *LINES.values())
    ]
    _, found = models_json_schema(models)
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A submission to the dfar-bench leaderboard",
        "$ref": "#/$defs/Submission",
        **found,
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(json_schema(), end="")
