"""The paper's classical models on the board: their verdicts, kept in ``leaderboard/baselines/SPLIT.json``.

``dfar-bench baselines --verdicts FILE`` trains them and writes such a file. It holds verdicts and no figures, so that
these are computed when the board is built, as those of submissions are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from dfar_bench.baselines import FEATURES, classical_models, classical_verdicts
from dfar_bench.data import Row, rows, without_tested
from dfar_bench.errors import InputError
from dfar_bench.leaderboard.fields import Sha256, Word
from dfar_bench.leaderboard.schema import Strict


class Classical(Strict):
    """Verdicts on the test rows of a split, in their order: a string of 0 (ethical) and 1 (unethical) a model.

    ``rows_sha256`` is the hash of ids, statements and labels of train and test rows, so that a file of other data is
    noticed.
    """

    split: Literal["paper", "clean", "mini"]
    features: str
    train_rows: Annotated[int, Field(ge=1)]
    rows_sha256: Sha256
    verdicts: dict[Word, Annotated[str, Field(pattern="^[01]+$")]]


def classical(split: str) -> Classical:
    """Train the four on the train rows that do not stand in test, and have them answer the test rows."""
    train, test = _parts(split)
    found = {name: "".join(map(str, verdicts)) for name, verdicts in classical_verdicts(train, test).items()}
    return Classical.model_validate(
        {
            "split": split,
            "features": FEATURES,
            "train_rows": len(train),
            "rows_sha256": _hash(train, test),
            "verdicts": found,
        }
    )


def read_classical(folder: Path, splits: Iterable[str]) -> dict[str, Classical]:
    """The files of a folder for splits, of those that have one.

    Raises:
        InputError: a file is not in the form, or of other data than ours.
    """
    found = {}
    for split in splits:
        path = folder / f"{split}.json"
        if not path.is_file():
            continue
        again = f"make it again with dfar-bench baselines --split {split} --verdicts {path}"
        try:
            one = Classical.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise InputError(f"{path}: {error.errors()[0]['msg']}: {again}.") from None
        train, test = _parts(split)
        made_of = (one.split, one.train_rows, one.rows_sha256, {*one.verdicts}, {*map(len, one.verdicts.values())})
        if made_of != (split, len(train), _hash(train, test), {*classical_models()}, {len(test)}):
            raise InputError(f"{path} is of other data or models: {again}.")
        found[split] = one
    return found


def _parts(split: str) -> tuple[Sequence[Row], Sequence[Row]]:
    found = rows(split)
    return without_tested(found["train"], found["test"]), found["test"]


def _hash(train: Sequence[Row], test: Sequence[Row]) -> str:
    parts = [[(row.row_id, row.statement, row.label) for row in part] for part in (train, test)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
