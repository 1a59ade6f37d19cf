"""Some 200 rows of each task of the moral suite, for a quick look: whole groups and pairs, drawn by hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import groupby

from dfar_bench.datasets import Row, get_dataset, rows
from dfar_bench.scoring import suite_tasks

ROWS = 200


def suite_sample() -> str:
    """Return the sample as lm_eval's ``--samples`` takes it: the numbers of rows by task, as JSON."""
    chosen = {task.name: sample_numbers(task.dataset.name) for task in suite_tasks()}
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(numbers)}" for name, numbers in chosen.items())
    return f"{{\n{lines}\n}}\n"


def sample_numbers(data: str) -> list[int]:
    """Return which test rows of a data set are in the sample: none where it is not of the suite."""
    return _draw(rows(data)["test"]) if get_dataset(data).suite else []


def _draw(test: Sequence[Row]) -> list[int]:
    """Draw at least ``ROWS`` rows, or all there are: runs of neighbours of one group, those with the lowest hashes."""
    runs = [list(run) for _, run in groupby(range(len(test)), key=lambda number: test[number].group_id)]
    numbers: list[int] = []
    for run in sorted(runs, key=lambda run: hashlib.sha256(test[run[0]].row_id.encode()).digest()):
        if len(numbers) < ROWS:
            numbers += run
    return sorted(numbers)
