"""The model that trainings begin with, before it is loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError, one_line
from dfar_bench.files import weights_hash


@dataclass(frozen=True)
class BaseModel:
    """A model in a folder, or on the Hub.

    Attributes:
        path: the folder, absolute, or the name on the Hub.
        revision: the commit on the Hub; None for a folder.
        state: what tells its weights from others: the commit, or their hash.
    """

    path: str
    revision: str | None
    state: str


def find_base(model: str) -> BaseModel:
    """Find a model and what tells its state.

    Raises:
        InputError: there is no such model, or its folder holds no weights.
    """
    if Path(model).is_dir():
        return BaseModel(os.path.abspath(model), None, weights_hash(Path(model)))
    from transformers import AutoConfig

    try:
        revision = str(AutoConfig.from_pretrained(model)._commit_hash)
    except (OSError, ValueError) as error:
        raise InputError(f"there is no model {model}: {one_line(error)}") from None
    return BaseModel(model, revision, revision)


def load_tokenizer(base: BaseModel) -> Any:
    """Load the tokenizer of a model.

    Raises:
        InputError: there is none.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(base.path, revision=base.revision or "main")
    except (OSError, ValueError) as error:
        raise InputError(f"the tokenizer of {base.path} cannot be loaded: {one_line(error)}") from None
