"""Figures published elsewhere. They are shown apart and never ranked: nobody here has seen the answers.

``leaderboard/reported/*.json``, in this form.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from dfar_bench.data import SPLITS
from dfar_bench.errors import InputError
from dfar_bench.leaderboard.fields import Link
from dfar_bench.leaderboard.schema import Strict

Split = Literal["paper", "clean", "mini", "ethos"]
Share = Annotated[float, Field(ge=0, le=1)]
Words = Annotated[str, Field(min_length=1, max_length=600)]


class ReportedFigures(Strict):
    """What was published for one test set; rates between 0 and 1."""

    acc: Share | None = None
    mar: Share | None = None


class ReportedRow(Strict):
    """A model's figures by split. ``mode`` is as in a submission, None where it means nothing."""

    model: Words
    mode: Words | None
    figures: dict[Split, ReportedFigures]


class Reported(Strict):
    """A published table: where it stands, and what must be known to read it."""

    title: Words
    source: Words
    url: Link
    notes: list[Words]
    rows: Annotated[list[ReportedRow], Field(min_length=1, max_length=200)]

    @property
    def splits(self) -> list[str]:
        """Those that it has figures for, in their order."""
        return [split for split in SPLITS if any(split in row.figures for row in self.rows)]


def read_reported(folder: Path) -> list[Reported]:
    """The published tables in a folder, by file name.

    Raises:
        InputError: a file is not in the form.
    """
    out = []
    for path in sorted(folder.glob("*.json")):
        try:
            out.append(Reported.model_validate_json(path.read_bytes()))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise InputError(f"{path} is not in the form of a published table: {where}: {first['msg']}.") from None
    return out
