"""Measure how far a language model's moral judgements, and the reasons it gives, agree with people's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datasets import DatasetDict

__version__ = "0.2.0"
__all__ = ["__version__", "list_datasets", "load"]


def load(name: str) -> DatasetDict:
    """Load a data set as a ``datasets.DatasetDict`` with ``train`` and ``test``.

    Args:
        name: ``paper`` (the 4,500/500 rows of Kabir et al., ICPR 2024, as published), ``clean`` (the same statements
            split without leakage), ``mini`` (written for this project, shipped), or another of ``list_datasets()``.
            Published files are looked for in ``DFAR_BENCH_DATA``, then in the cache, then downloaded.

    Returns:
        Columns ``row_id``, ``statement``, ``label`` (for DFAR 0 ethical, 1 unethical), ``reason``, ``domain``,
        ``group_id`` (contrast group) and ``leaked`` (the statement is also in train).

    Raises:
        dfar_bench.errors.InputError: there is no such data set, or its files are not available or are not the published
            ones.
    """
    from dfar_bench.datasets import dataset_dict

    return dataset_dict(name)


def list_datasets() -> list[str]:
    """List the names that ``load`` takes."""
    from dfar_bench.datasets import DATASETS

    return list(DATASETS)
