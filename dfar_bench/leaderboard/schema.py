"""The file format of submissions, defined in one place: ``submission.json`` and the lines of its answers files.

A submission is answers and how they were asked for; it claims no figures. ``leaderboard/submission.schema.json`` is
generated from these classes: ``python -m dfar_bench.leaderboard.schema > FILE``.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, StringConstraints, Tag, model_validator
from pydantic.json_schema import models_json_schema

from dfar_bench.datasets import DATASETS
from dfar_bench.leaderboard import fields
from dfar_bench.leaderboard.quotation import MAX_RESPONSE
from dfar_bench.leaderboard.trained_schema import DfarRun, Training, training_sets
from dfar_bench.training.modes import MODES

MAX_TURNS = 16

SCHEMA_VERSION = 2

DUMMY = "dummy"
"""lm_eval's ``--model`` that answers at random."""

Mode = Annotated[str, fields.member("a mode", lambda: ["base", *MODES, "other"])]


class Model(fields.Strict):
    """The model, and which state of it: a commit on the Hub, or a hash of its weights.

    ``weights_sha256`` is the sha256 of one line for each ``*.safetensors`` file, sorted by name: the file's own
    sha256 in hexadecimal, two spaces, its name.
    """

    id: fields.ModelId
    revision: fields.Commit | None = None
    weights_sha256: fields.Sha256 | None = None
    base: fields.ModelId | None = None

    @model_validator(mode="after")
    def _check_state(self) -> Model:
        if (self.revision is None) == (self.weights_sha256 is None):
            raise fields.refusal("needs either revision or weights_sha256, and not both")
        return self


class Recorded(fields.Strict):
    """What lm_eval recorded of the model that it scored; None where it recorded nothing.

    Attributes:
        backend: its ``--model``, such as hf.
        arguments: names of its ``--model_args`` other than pretrained, revision and dtype.
        commit: of the model on the Hub.
        weights_sha256: of local weights, hashed by ``dfar-bench eval`` when they were scored.
        parameters: how many.
    """

    backend: fields.Name
    arguments: Annotated[list[fields.Name], Field(max_length=64)]
    commit: fields.Commit | None = None
    weights_sha256: fields.Sha256 | None = None
    parameters: fields.Count | None = None


Stops = Annotated[list[fields.StopString], Field(max_length=32)]
GenerationArgument = bool | int | float | fields.StopString | Stops | None


class Seeds(fields.Strict):
    """lm_eval's seeds."""

    random: fields.Count | None
    numpy: fields.Count | None
    torch: fields.Count | None
    fewshot: fields.Count | None


class Harness(fields.Strict):
    """How the answers were asked for; see ``runs.run.Harness``. The signature follows from this.

    Attributes:
        prompt: signature of the prompt style.
        limit: always None: runs with --limit are refused.
    """

    lm_eval: fields.Version
    transformers: fields.Version | None
    torch: fields.Version | None
    prompt: fields.Name
    condition: fields.Name
    shots: Annotated[int, Field(ge=0, le=64)]
    multiturn: bool
    chat_template_sha: fields.Sha256 | None
    system_instruction_sha: fields.Sha256 | None
    context: fields.Hash8 | None
    messages: bool
    thinking: bool = False
    dtype: fields.Name | None = None
    batch: fields.Name | None = None
    generation: Annotated[dict[fields.Name, GenerationArgument], Field(max_length=32)] | None
    limit: None
    seeds: Seeds


class SubmittedTask(fields.Strict):
    """The answers to one task: their file, its sha256, and how they were asked for."""

    answers: Annotated[str, StringConstraints(max_length=120)]
    sha256: fields.Sha256
    harness: Harness


class Submission(fields.Strict):
    """``submission.json``."""

    schema_version: Annotated[int, Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)]  # a Literal would take 2.0
    created: fields.Day
    model: Model
    recorded: Recorded | None = None
    mode: Mode
    training: Training
    dfar_run: DfarRun | None
    tasks: Annotated[dict[fields.Name, SubmittedTask], Field(min_length=1, max_length=100)]
    contact: fields.Contact | None = None
    licence: fields.Name | None = None
    url: fields.Link | None = None

    @model_validator(mode="after")
    def _check_recorded(self) -> Submission:
        for name, ours, theirs in (
            ("revision", self.model.revision, self.recorded and self.recorded.commit),
            ("weights_sha256", self.model.weights_sha256, self.recorded and self.recorded.weights_sha256),
        ):
            if ours and theirs and ours != theirs:
                raise fields.refusal(f"model.{name} says {ours}, and recorded {theirs}")
        if self.recorded and self.recorded.backend == DUMMY:
            raise fields.refusal("recorded.backend says that the answers are the random ones of lm_eval's dummy model")
        return self

    @model_validator(mode="after")
    def _check_training(self) -> Submission:
        sets, run = self.training.sets, self.dfar_run
        if self.mode == "base" and (run or any(name in training_sets() for name in sets)):
            raise fields.refusal("mode says base, and training or dfar_run that it was trained on our data")
        if self.mode in MODES and sets == ["none"]:
            raise fields.refusal(f"mode says {self.mode}, and training that it was trained on nothing")
        if run:
            if self.mode in MODES and run.mode != self.mode:
                raise fields.refusal(f"mode says {self.mode}, and dfar_run {run.mode}")
            learned, unleaked = DATASETS[run.split].training_sets
            if learned not in sets and not (run.drop_leaked and unleaked in sets):
                raise fields.refusal(f"dfar_run says that it was trained on {learned}, and training does not")
        return self


class Reference(fields.Strict):
    """Characters of a row's text, quoted in a response; see ``quotation.Part``."""

    row: fields.RowId
    field: Literal["statement", "reason"]
    start: fields.Count
    end: fields.Count
    swapcase: Annotated[list[fields.Count], Field(max_length=MAX_RESPONSE, default_factory=list)]


def _tagged(of_text: str, otherwise: str) -> Discriminator:
    return Discriminator(lambda value: of_text if isinstance(value, str) else otherwise)


Characters = Annotated[str, StringConstraints(max_length=MAX_RESPONSE), Tag("characters")]
Part = Annotated[Characters | Annotated[Reference, Tag("reference")], _tagged("characters", "reference")]
Parts = Annotated[list[Part], Field(min_length=1, max_length=MAX_RESPONSE), Tag("parts")]


Response = Annotated[Characters | Parts, _tagged("characters", "parts")]
"""What a model wrote, as parts if it quotes the data."""


class ResponseLine(fields.Strict):
    """A line of the answers file of a task with written answers.

    Attributes:
        earlier: the responses of the turns before, where there were several.
        cut: whether the limit on tokens ended the response; None where that was not recorded.
        left_out: characters of a thought that the response had as well; whether it was cut off is estimated with them.
    """

    row_id: fields.RowId
    doc_hash: fields.Hash16
    response: Response
    earlier: Annotated[list[Response], Field(max_length=MAX_TURNS, default_factory=list)]
    cut: bool | None = None
    left_out: Annotated[int, Field(ge=0, le=100_000_000)] = 0


class ChoiceLine(fields.Strict):
    """A line of the answers file of a task by likelihood: the log-likelihood (natural) of each label.

    Attributes:
        earlier: the responses of the turns before, where there were several.
    """

    row_id: fields.RowId
    doc_hash: fields.Hash16
    log_likelihoods: Annotated[list[fields.LogLikelihood], Field(min_length=2, max_length=100)]
    earlier: Annotated[list[Response], Field(max_length=MAX_TURNS, default_factory=list)]


def json_schema() -> str:
    """Return the JSON Schema of ``submission.json``; ``$defs`` also has the lines of the answers files."""
    models: list[tuple[type[BaseModel], Literal["validation"]]] = [
        (model, "validation") for model in (Submission, ResponseLine, ChoiceLine)
    ]
    _, definitions = models_json_schema(models)
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A submission to the dfar-bench leaderboard",
        "$ref": "#/$defs/Submission",
        **definitions,
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(json_schema(), end="")
