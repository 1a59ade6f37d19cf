"""Training modes: what a model learns to write.

To add one, add a ``Mode`` to ``MODES``, here or in a file named in ``DFAR_BENCH_PLUGINS``. Nothing here imports
PyTorch, as pages and the command line read the titles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dfar_bench.datasets import DATASETS, Row, rows, without_leaked
from dfar_bench.prompts import gold_completion, make_prompt
from dfar_bench.registry import Registry


def train_rows(dataset: str, drop_leaked: bool) -> Sequence[Row]:
    """Return the train rows of a data set.

    Args:
        drop_leaked: leave out the rows whose statement is also in the test set.
    """
    parts = rows(dataset)
    return without_leaked(parts["train"], parts["test"]) if drop_leaked else parts["train"]


def gold_text(style: str, condition: str, row: Row) -> tuple[str, str]:
    """Return the prompt for a row and what people would answer."""
    return make_prompt(style, condition, row).text, gold_completion(style, condition, row)


def sft_trainer() -> type[Any]:
    """Load the trainer of modes that imitate the training texts."""
    from dfar_bench.training.trainer import DfarTrainer

    return DfarTrainer


@dataclass(frozen=True)
class Mode:
    """One way of training.

    Attributes:
        name: as in ``--mode`` and ``dfar_run.json``.
        title: for tables and pages, such as "L+R".
        learns: what the model learns to write, such as "labels and reasons".
        condition: the prompt condition it is trained under.
        rows: (data set, drop_leaked) -> the training rows.
        text: (prompt style, condition, row) -> prompt and completion; the completion begins with a space.
        trainer: returns the trainer class; it may import PyTorch. See ``DfarTrainer`` for what it is called with.
    """

    name: str
    title: str
    learns: str
    condition: str
    rows: Callable[[str, bool], Sequence[Row]] = field(default=train_rows, repr=False)
    text: Callable[[str, str, Row], tuple[str, str]] = field(default=gold_text, repr=False)
    trainer: Callable[[], type[Any]] = field(default=sft_trainer, repr=False)

    @property
    def description(self) -> str:
        """Such as "labels and reasons (L+R)"."""
        return f"{self.learns} ({self.title})"


MODES: Registry[Mode] = Registry("mode")
MODES.add(Mode("l", title="L", learns="labels alone", condition="label"))
MODES.add(Mode("lr", title="L+R", learns="labels and reasons", condition="reason"))


def trainable() -> list[str]:
    """Return the names of the data sets that have train rows."""
    return [name for name, dataset in DATASETS.items() if dataset.examples_from == name]
