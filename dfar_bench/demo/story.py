"""Base, L and L+R of one model: trained, scored, submitted, verified and shown on a board.

FOLDER/base/        model (if it is made here), results
FOLDER/l/, lr/      model, merged (of an adapter), results
FOLDER/submissions/, FOLDER/board/
FOLDER/logs/        what each command printed
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from dfar_bench import __version__
from dfar_bench.data import rows
from dfar_bench.demo.commands import ROOT, Base, commands, environment
from dfar_bench.demo.steps import run_all
from dfar_bench.demo.summary import summary
from dfar_bench.errors import InputError, on_one_line

TINY = {"vocabulary": 1_000, "hidden": 128, "layers": 2}
"""The model that is made where none is named: half a million parameters, random weights."""


def tell(folder: Path, split: str = "mini", model: str | None = None) -> None:
    """Run the commands that have not been run before; print the table of results, and where the board is.

    Args:
        folder: for all that is made.
        model: a name on the Hub or a folder; None for a tiny one, made on the spot.

    Raises:
        InputError: no checkout, no training stack, no such model or data, a folder with another demo in it, or the
            complaint of a command that failed; what had been done before stays.
    """
    _refuse_incomplete_install()
    rows(split)  # what is wrong with the data shall show before a model is trained
    folder = folder.absolute()
    with _claimed(folder, {"model": model, "split": split, "version": __version__}):
        shutil.rmtree(folder / "submissions", ignore_errors=True)  # made again of the results, in seconds
        base = _base(folder, split, model)
        run_all(commands(folder, split, base), ROOT, folder / "logs", environment(base))
        print(f"\n{summary(split, folder)}\n")
        if model is None:
            print(
                "So small a model, with random weights to begin with, learns the form of an answer and little ethics: "
                "it is\nright about as often as a coin. The same with a real one: "
                "dfar-bench demo --model ORG/NAME --split paper\n"
            )
        print(f"board: {folder / 'board' / 'index.html'}")


def _refuse_incomplete_install() -> None:
    if not (ROOT / "train" / "sft.py").is_file():
        raise InputError("the demo needs a checkout of the repository, with train/ in it: install with pip install -e.")
    if missing := [name for name in ("trl", "peft", "deepspeed", "jinja2", "pydantic") if find_spec(name) is None]:
        raise InputError(f"the demo needs {', '.join(missing)}: pip install -e '.[train,board]'.")


@contextmanager
def _claimed(folder: Path, story: dict[str, str | None]) -> Iterator[None]:
    """Keep a folder to one story, and to one process at a time."""
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=0):
            record = folder / "demo.json"
            if record.exists() and json.loads(record.read_text()) != story:
                raise InputError(f"{folder} holds another demo ({record} says which): choose another --out.")
            record.write_text(json.dumps(story) + "\n")
            yield
    except Timeout:
        raise InputError(f"another demo is at work in {folder}: wait for it, or choose another --out.") from None


def _base(folder: Path, split: str, model: str | None) -> Base:
    """Make the tiny model, or find out which state the named one is in."""
    if model is None:
        from transformers.utils.logging import disable_progress_bar

        from dfar_bench.training.scratch import make_model

        disable_progress_bar()
        made = folder / "base" / "model"
        make_model(made, (f"{row.statement} {row.reason}" for row in rows(split)["train"]), **TINY)
        return Base("tiny", str(made), tiny=True)
    if Path(model).is_dir():
        return Base(Path(model).resolve().name, str(Path(model).absolute()))
    from transformers import AutoConfig

    try:
        return Base(model.rpartition("/")[2], model, revision=AutoConfig.from_pretrained(model)._commit_hash)
    except (OSError, ValueError) as error:
        raise InputError(f"there is no model {model}: {on_one_line(error)}") from None
