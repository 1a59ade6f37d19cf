"""The part of ``submission.json`` that says how a model was trained, with what is kept of ``dfar_run.json``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from dfar_bench.datasets import DATASETS
from dfar_bench.leaderboard import fields
from dfar_bench.training.modes import MODES, trainable


def training_sets() -> dict[str, tuple[str, bool]]:
    """Return the known training sets: name -> data set, and whether rows that leak into its test set were dropped."""
    return {
        train: (name, unleaked)
        for unleaked in (False, True)
        for name in trainable()
        for train in [DATASETS[name].training_sets[unleaked]]
    }


TrainingSet = Annotated[str, fields.member("a training set", lambda: ["none", *training_sets(), "other"])]
TrainedMode = Annotated[str, fields.member("a training mode", lambda: MODES)]
TrainedDataset = Annotated[str, fields.member("a data set with train rows", trainable)]


class Training(fields.Strict):
    """What the model was trained on, as far as it concerns the benchmark; ``other`` must be described."""

    sets: Annotated[list[TrainingSet], Field(min_length=1, max_length=20)]
    description: fields.Text | None = None

    @model_validator(mode="after")
    def _check_sets(self) -> Training:
        if len(set(self.sets)) < len(self.sets):
            raise fields.refusal("names a set twice")
        if "none" in self.sets and len(self.sets) > 1:
            raise fields.refusal("says none, and another set")
        if "other" in self.sets and self.description is None:
            raise fields.refusal("says other, and has no description")
        return self


class TrainedBase(fields.Strict):
    """The model that was fine-tuned."""

    name: fields.Text
    type: fields.Name
    parameters: fields.Count
    trained: fields.Count


class TrainedRows(fields.Strict):
    """The training rows: how many, and ``row_hash`` of each row's id, joined by spaces, in the order of training."""

    rows: fields.Count
    tokens: fields.Count
    sha256: fields.Sha256
    row_ids: fields.RowHashes

    @model_validator(mode="after")
    def _check_count(self) -> TrainedRows:
        if (count := len(self.row_ids.split())) != self.rows:
            raise fields.refusal(f"names {count} row_ids for {self.rows} rows")
        return self


class Distribution(fields.Strict):
    """How the training was distributed."""

    type: fields.Name
    zero_stage: Annotated[int, Field(ge=0, le=3)] | None
    offload: Annotated[list[fields.Name], Field(max_length=4)]
    processes: Annotated[int, Field(ge=1, le=100_000)]
    device: fields.Name


class BaseRun(fields.Strict):
    """What the base model was trained on before, where ``train/sft.py`` recorded that."""

    mode: TrainedMode
    split: TrainedDataset
    drop_leaked: bool
    row_ids: fields.RowHashes


class DfarRun(fields.Strict):
    """What the board needs of ``dfar_run.json``, which train/sft.py writes."""

    mode: TrainedMode
    split: TrainedDataset
    drop_leaked: bool
    prompt: fields.Name
    method: fields.Name
    seed: fields.Count
    base_model: TrainedBase
    data: TrainedRows
    packages: Annotated[dict[fields.Name, fields.Version], Field(max_length=20)]
    distribution: Distribution
    steps: fields.Count
    final_loss: float
    ranked_by: fields.Name | None = None
    base_run: BaseRun | None = None
    tokens_per_second: Annotated[float, Field(ge=0, le=1e12)]
    arguments: Annotated[dict[fields.Name, bool | int | float | None], Field(max_length=20)]
