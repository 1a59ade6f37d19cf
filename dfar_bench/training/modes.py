"""Training modes: what a model learns to write.

To add one, add a ``Mode`` to ``MODES``, here or in a file named in ``DFAR_BENCH_PLUGINS``. Nothing here imports
PyTorch, as pages and the command line read the titles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from dfar_bench.datasets import DATASETS, Row, rows, without_leaked
from dfar_bench.prompts import gold_completion, make_prompt
from dfar_bench.registry import Registry

if TYPE_CHECKING:
    from dfar_bench.training.options import Options

Text = Callable[["Options", Row], tuple[str, str]]
"""Returns the prompt for a row and the completion, which begins with a space."""


def train_rows(dataset: str, drop_leaked: bool) -> Sequence[Row]:
    """Return the train rows of a data set.

    Args:
        drop_leaked: leave out the rows whose statement is also in the test set.
    """
    parts = rows(dataset)
    return without_leaked(parts["train"], parts["test"]) if drop_leaked else parts["train"]


def gold_text(condition: str) -> Text:
    """Make texts in which people answer under a prompt condition."""

    def text(options: Options, row: Row) -> tuple[str, str]:
        style = options.prompt or ""
        return make_prompt(style, condition, row).text, gold_completion(style, condition, row)

    return text


def agent_text(moral: bool, options: Options, row: Row) -> tuple[str, str]:
    """Make a text in which homo oeconomicus or homo moralis chooses in a game."""
    from dfar_bench.suite.games import training_text

    return training_text(options.prompt or "", row, options.kappa if moral else 0.0, options.reasons)


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
        text: see ``Text``.
        options: names of the options in ``Options`` that are for this mode, and perhaps others, but not for all.
        data: the one data set that it is for; "" where it is for all with statements, labels and reasons.
        rows: (data set, drop_leaked) -> the training rows.
        trainer: returns the trainer class; it may import PyTorch. See ``DfarTrainer`` for what it is called with.
    """

    name: str
    title: str
    learns: str
    text: Text = field(repr=False)
    options: tuple[str, ...] = ()
    data: str = ""
    rows: Callable[[str, bool], Sequence[Row]] = field(default=train_rows, repr=False)
    trainer: Callable[[], type[Any]] = field(default=sft_trainer, repr=False)

    @property
    def description(self) -> str:
        """Such as "labels and reasons (L+R)"."""
        return f"{self.learns} ({self.title})"

    @property
    def splits(self) -> list[str]:
        """Names of the data sets that it can be trained on; the first is the default."""
        return [self.data] if self.data else [name for name in trainable() if "reason" in DATASETS[name].kinds]


MODES: Registry[Mode] = Registry("mode")
MODES.add(Mode("l", "L", "labels alone", gold_text("label")))
MODES.add(Mode("lr", "L+R", "labels and reasons", gold_text("reason")))
MODES.add(
    Mode(
        "oeconomicus",
        "homo oeconomicus",
        "choices in games that pay most",
        partial(agent_text, False),
        ("reasons",),
        data="games",
    )
)
MODES.add(
    Mode(
        "moralis",
        "homo moralis",
        "choices in games that also ask what if everybody did so",
        partial(agent_text, True),
        ("kappa", "reasons"),
        data="games",
    )
)


def trainable() -> list[str]:
    """Return the names of the data sets that have train rows to train on."""
    return [name for name, dataset in DATASETS.items() if dataset.trains]
