"""What models are asked about: one file per data set.

Every module in this folder is imported here, so a new file is a new data set; nothing else needs to know it.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from dfar_bench.datasets.base import (
    COLUMNS,
    DATASETS,
    LABELS,
    Dataset,
    Row,
    Rows,
    available,
    contrast_groups,
    get_dataset,
    near_between,
    near_pairs,
    read_published,
    row_hash,
    rows,
    statement_hash,
    without_leaked,
)

if TYPE_CHECKING:
    import datasets

__all__ = [
    "COLUMNS",
    "DATASETS",
    "LABELS",
    "Dataset",
    "Row",
    "Rows",
    "available",
    "contrast_groups",
    "dataset_dict",
    "get_dataset",
    "near_between",
    "near_pairs",
    "read_published",
    "row_hash",
    "rows",
    "statement_hash",
    "without_leaked",
]

# The order in which data sets are listed; others follow by name.
for _name in ("dfar", "mini", "ethos", *sorted(module.name for module in pkgutil.iter_modules(__path__))):
    import_module(f"{__name__}.{_name}")


def dataset_dict(name: str) -> datasets.DatasetDict:
    """See ``dfar_bench.load``."""
    from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

    text = Value("string")
    features = Features(dict.fromkeys(COLUMNS, text))
    features["label"] = ClassLabel(names=list(get_dataset(name).labels))
    features["leaked"] = Value("bool")
    return DatasetDict(
        {
            part: Dataset.from_dict({column: [getattr(row, column) for row in members] for column in COLUMNS}, features)
            for part, members in rows(name).items()
        }
    )
