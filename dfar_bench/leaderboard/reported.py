"""Figures published elsewhere. They are shown apart and never ranked, as their answers are not public.

They are read from ``leaderboard/reported/*.json``, in this form.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from dfar_bench.datasets import DATASETS, get_dataset
from dfar_bench.errors import InputError
from dfar_bench.leaderboard.fields import Link
from dfar_bench.leaderboard.schema import Strict

Share = Annotated[float, Field(ge=0, le=1)]
Words = Annotated[str, Field(min_length=1, max_length=600)]
DataName = Annotated[str, AfterValidator(lambda name: _known(name))]


def _known(name: str) -> str:
    try:
        return get_dataset(name).name
    except InputError as error:
        raise ValueError(str(error)) from None


class ReportedFigures(Strict):
    """What was published for one test set; rates between 0 and 1."""

    acc: Share | None = None
    mar: Share | None = None


class ReportedRow(Strict):
    """A model's figures by data set. ``mode`` is as in a submission, None where it does not apply."""

    model: Words
    mode: Words | None
    figures: dict[DataName, ReportedFigures]


class Reported(Strict):
    """A published table: its source, and what must be known to read it."""

    title: Words
    source: Words
    url: Link
    notes: list[Words]
    rows: Annotated[list[ReportedRow], Field(min_length=1, max_length=200)]

    @property
    def data(self) -> list[str]:
        """Names of the data sets that it has figures for."""
        return [name for name in DATASETS if any(name in row.figures for row in self.rows)]


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
