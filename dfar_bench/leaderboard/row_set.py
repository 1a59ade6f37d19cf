"""Which rows a table of the board is about: a whole test set, or the moral suite's sample of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from dfar_bench.datasets import Dataset, Row, rows
from dfar_bench.runs.suite_sample import sample_numbers


@dataclass(frozen=True)
class RowSet:
    """Test rows that submissions answer; scores on different rows are never ranked against each other."""

    dataset: Dataset
    sampled: bool = False

    @property
    def key(self) -> str:
        """What it is called in addresses."""
        return f"{self.dataset.name}-sample" if self.sampled else self.dataset.name

    @property
    def title(self) -> str:
        return f"{self.dataset.title}, sample" if self.sampled else self.dataset.title

    @property
    def rows(self) -> tuple[Row, ...]:
        """Its rows, sorted by id."""
        return rows_of(self.dataset.name, sampled=self.sampled)


@cache
def rows_of(data: str, *, sampled: bool = False) -> tuple[Row, ...]:
    """Return the test rows of a data set, sorted by id.

    Args:
        sampled: those of the moral suite's sample alone; none where the data set is not of the suite.
    """
    test = rows(data)["test"]
    found = [test[number] for number in sample_numbers(data)] if sampled else test
    return tuple(sorted(found, key=lambda row: row.row_id))


@cache
def clusters(data: str, *, sampled: bool = False) -> tuple[int, ...]:
    """Return the number of the contrast group of each row, rows sorted by id and groups by name."""
    found = rows_of(data, sampled=sampled)
    numbers = {name: number for number, name in enumerate(sorted({row.group_id for row in found}))}
    return tuple(numbers[row.group_id] for row in found)
