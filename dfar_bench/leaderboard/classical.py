"""The verdicts of the paper's classical models, kept in ``leaderboard/baselines/NAME.json``.

``dfar-bench baselines --split NAME --verdicts FILE`` trains them and writes such a file. It holds verdicts and no
figures: these are computed when the board is built, as those of submissions are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from dfar_bench.datasets import Row, rows, without_leaked
from dfar_bench.errors import InputError
from dfar_bench.leaderboard.fields import Strict
from dfar_bench.runs.baselines import FEATURES, classical_models, classical_verdicts, rows_hash


class Classical(Strict):
    """Predicted labels on the test rows of a data set, in their order: a string with one digit per row, by model.

    ``rows_sha256`` is the hash of ids, statements and labels of train and test rows, so that changed data is noticed.
    """

    data: str
    features: str
    train_rows: Annotated[int, Field(ge=1)]
    rows_sha256: str
    verdicts: dict[str, Annotated[str, Field(pattern="^[0-9]+$")]]


def classical(name: str) -> Classical:
    """Train the models on the train rows that are not in the test set, and predict the test rows."""
    train, test = _parts(name)
    verdicts = {model: "".join(map(str, labels)) for model, labels in classical_verdicts(train, test).items()}
    return Classical(
        data=name,
        features=FEATURES,
        train_rows=len(train),
        rows_sha256=rows_hash(train, test),
        verdicts=verdicts,
    )


def read_classical(folder: Path, names: Iterable[str]) -> dict[str, Classical]:
    """Read the files of those data sets that have one.

    Raises:
        InputError: a file has the wrong form, or belongs to other data than ours.
    """
    files = {}
    for name in names:
        path = folder / f"{name}.json"
        if not path.is_file():
            continue
        remedy = f"make it again with dfar-bench baselines --split {name} --verdicts {path}"
        try:
            file = Classical.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise InputError(f"{path}: {error.errors()[0]['msg']}: {remedy}.") from None
        train, test = _parts(name)
        belongs_to = (
            file.data,
            file.train_rows,
            file.rows_sha256,
            set(file.verdicts),
            {*map(len, file.verdicts.values())},
        )
        if belongs_to != (name, len(train), rows_hash(train, test), set(classical_models()), {len(test)}):
            raise InputError(f"{path} belongs to other data or models: {remedy}.")
        files[name] = file
    return files


def _parts(name: str) -> tuple[Sequence[Row], Sequence[Row]]:
    parts = rows(name)
    return without_leaked(parts["train"], parts["test"]), parts["test"]
