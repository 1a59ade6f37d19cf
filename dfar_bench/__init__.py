"""Measure how far a language model's moral judgements, and the reasons it gives, agree with people's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datasets import DatasetDict

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(split: str) -> DatasetDict:
    """One of the benchmark's data sets as a ``datasets.DatasetDict`` with ``train`` and ``test``.

    Args:
        split: ``paper`` (the 4,500/500 rows of Kabir et al., ICPR 2024, as published; found in
            ``DFAR_BENCH_DATA``, in the cache, or downloaded) or ``mini`` (written for this project, shipped).

    Returns:
        Columns ``row_id, statement, label`` (0 ethical, 1 unethical)``, reason, domain``
        (``justice`` or ``commonsense``)``, group_id`` (contrast group)``, leaked`` (the statement also
        stands in train).

    Raises:
        dfar_bench.errors.InputError: unknown split, or data that cannot be had or are not the published ones.
    """
    from dfar_bench.data import dataset_dict

    return dataset_dict(split)
