"""Training modes: what a model learns to write.

To add one, add a ``Mode`` to ``MODES``, here or in a file named in ``DFAR_BENCH_PLUGINS``. Nothing here imports
PyTorch, as pages and the command line read the titles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dfar_bench.datasets import DATASETS, Row, rows, without_leaked
from dfar_bench.errors import InputError
from dfar_bench.prompts import gold_completion, make_prompt
from dfar_bench.registry import Registry

if TYPE_CHECKING:
    from dfar_bench.training.options import Options

Text = Callable[["Options", Row], tuple[str, str]]
"""Returns the prompt for a row and the completion, which begins with a space."""


def train_rows(options: Options) -> Sequence[Row]:
    """Return the train rows of a data set, without the leaked ones if that is wanted."""
    parts = rows(options.split or "")
    return without_leaked(parts["train"], parts["test"]) if options.drop_leaked else parts["train"]


def pair_rows(options: Options) -> Sequence[Row]:
    """Return the train row of each pair in the file that ``--pairs`` names; see ``pairs.with_answers``.

    Raises:
        InputError: there is no such file, or it was made from other rows or in another prompt style.
    """
    from dfar_bench.training.pairs import read_pairs, with_answers

    if options.pairs is None:
        raise InputError("--mode dpo needs --pairs FILE: make it with dfar-bench pairs.")
    head, pairs = read_pairs(Path(options.pairs))
    for name in ("split", "prompt"):
        if (made := head.get(name)) != (wanted := getattr(options, name)):
            raise InputError(f"{options.pairs} was made with --{name} {made}, not {wanted}: say the same here.")
    made = with_answers(rows(options.split or "")["train"], pairs, Path(options.pairs))
    wanted_ids = {row.row_id for row in train_rows(options)}
    return [row for row in made if row.row_id in wanted_ids]


def describe_pairs(options: Options) -> dict[str, Any]:
    """Return how the pairs were made, for the record."""
    from dfar_bench.training.pairs import read_pairs

    return {"pairs": read_pairs(Path(options.pairs or ""))[0]}


def chosen_text(options: Options, row: Row) -> tuple[str, str]:
    """Make the text of a pair with the chosen answer."""
    return make_prompt(options.prompt or "", "reason", row).text, f" {row.facts['chosen']}"


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


def agent_rows(moral: bool, options: Options) -> Sequence[Row]:
    """Return the decisions in games in which an agent prefers one action to the other."""
    from dfar_bench.suite.games import is_clear

    kappa = options.kappa if moral else 0.0
    return [row for row in train_rows(options) if is_clear(row, kappa)]


def sft_trainer() -> type[Any]:
    """Load the trainer of modes that imitate the training texts."""
    from dfar_bench.training.trainer import DfarTrainer

    return DfarTrainer


def sft_config() -> type[Any]:
    """Load the settings that ``sft_trainer`` takes."""
    from trl import SFTConfig

    config: type[Any] = SFTConfig
    return config


def dpo_trainer() -> type[Any]:
    """Load the trainer of modes that prefer one answer to another."""
    from dfar_bench.training.preference import PreferenceTrainer

    return PreferenceTrainer


def dpo_config() -> type[Any]:
    """Load the settings that ``dpo_trainer`` takes."""
    from trl import DPOConfig

    config: type[Any] = DPOConfig
    return config


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
        rows: returns the training rows.
        trainer: returns the trainer class; it may import PyTorch. See ``DfarTrainer`` for what it is called with.
        config: returns the class of TRL's settings for that trainer.
        recipe: the file of ``train/configs`` that holds the defaults.
        about: what else goes into the record.
        with_reason: whether what it learns to write may hold reasons.
        goes_on_from: the mode whose merged model is its base model; "" for any model.
    """

    name: str
    title: str
    learns: str
    text: Text = field(repr=False)
    options: tuple[str, ...] = ()
    data: str = ""
    rows: Callable[[Options], Sequence[Row]] = field(default=train_rows, repr=False)
    trainer: Callable[[], type[Any]] = field(default=sft_trainer, repr=False)
    config: Callable[[], type[Any]] = field(default=sft_config, repr=False)
    recipe: str = "fast.yaml"
    about: Callable[[Options], dict[str, Any]] = field(default=lambda options: {}, repr=False)
    with_reason: bool = True
    goes_on_from: str = ""

    @property
    def description(self) -> str:
        """Such as "labels and reasons (L+R)"."""
        return f"{self.learns} ({self.title})"

    @property
    def not_its_options(self) -> list[str]:
        """Options of other modes."""
        return [n for n in dict.fromkeys(n for m in MODES.values() for n in m.options) if n not in self.options]

    @property
    def splits(self) -> list[str]:
        """Names of the data sets that it can be trained on; the first is the default."""
        return [self.data] if self.data else [name for name in trainable() if "reason" in DATASETS[name].kinds]


MODES: Registry[Mode] = Registry("mode")
MODES.add(Mode("l", "L", "labels alone", gold_text("label"), with_reason=False))
MODES.add(Mode("lr", "L+R", "labels and reasons", gold_text("reason")))
MODES.add(
    Mode(
        "dpo",
        "L+R, DPO",
        "labels and reasons, and to prefer better reasons",
        chosen_text,
        ("pairs",),
        rows=pair_rows,
        trainer=dpo_trainer,
        config=dpo_config,
        recipe="dpo.yaml",
        about=describe_pairs,
        goes_on_from="lr",
    )
)
MODES.add(
    Mode(
        "oeconomicus",
        "homo oeconomicus",
        "choices in games that pay most",
        partial(agent_text, False),
        ("reasons",),
        data="games",
        rows=partial(agent_rows, False),
    )
)
MODES.add(
    Mode(
        "moralis",
        "homo moralis",
        "choices in games that weigh what if everybody did so",
        partial(agent_text, True),
        ("kappa", "reasons"),
        data="games",
        rows=partial(agent_rows, True),
    )
)


def trainable() -> list[str]:
    """Return the names of the data sets that have train rows to train on."""
    return [name for name, dataset in DATASETS.items() if dataset.trains]
