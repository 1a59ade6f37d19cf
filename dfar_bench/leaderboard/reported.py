"""Figures published elsewhere. They are shown apart and never ranked, as they were not submitted with their answers.

They are read from ``leaderboard/reported/*.json``, in this form.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from dfar_bench.datasets import DATASETS, get_dataset
from dfar_bench.errors import InputError
from dfar_bench.leaderboard.fields import Link, Strict
from dfar_bench.scoring import METRICS

Words = Annotated[str, Field(min_length=1, max_length=600)]
DataName = Annotated[str, AfterValidator(lambda name: _known(name))]
MetricName = Annotated[str, AfterValidator(lambda name: _metric(name))]
Figures = Annotated[
    dict[MetricName, Annotated[float, Field(allow_inf_nan=False)]], AfterValidator(lambda figures: _in_range(figures))
]


def _known(name: str) -> str:
    try:
        return get_dataset(name).name
    except InputError as error:
        raise ValueError(str(error)) from None


def _metric(name: str) -> str:
    try:
        return METRICS.find(name).name
    except InputError as error:
        raise ValueError(str(error)) from None


def _in_range(figures: dict[str, float]) -> dict[str, float]:
    for name, value in figures.items():
        if METRICS[name].per_cent and abs(value) > 1:
            raise ValueError(f"{name} is {value}: write rates as between 0 and 1")
    return figures


class ReportedRow(Strict):
    """A model's figures by data set and metric: shares between 0 and 1, the standard deviation of x as ``x_sd``.

    ``mode`` is as in a submission, None where it does not apply.
    """

    model: Words
    mode: Words | None
    figures: dict[DataName, Figures]


class Reported(Strict):
    """A published table: its source, and what must be known to read it. ``titles``: of metrics, where not as usual."""

    title: Words
    source: Words
    url: Link
    notes: list[Words]
    titles: Annotated[dict[MetricName, Words], Field(default_factory=dict)]
    rows: Annotated[list[ReportedRow], Field(min_length=1, max_length=200)]

    @property
    def columns(self) -> list[tuple[str, str]]:
        """The data sets and metrics that it has figures for; a deviation belongs to its metric."""
        filled = {(data, metric) for row in self.rows for data, figures in row.figures.items() for metric in figures}
        deviations = {(data, f"{metric}_sd") for data, metric in filled}
        return [(data, metric) for data in DATASETS for metric in METRICS if (data, metric) in filled - deviations]


def read_reported(folder: Path) -> list[Reported]:
    """Read the published tables of a folder, in the order of file names.

    Raises:
        InputError: a file does not have the form.
    """
    tables = []
    for path in sorted(folder.glob("*.json")):
        try:
            tables.append(Reported.model_validate_json(path.read_bytes()))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise InputError(f"{path} does not have the form of a published table: {where}: {first['msg']}.") from None
    return tables
