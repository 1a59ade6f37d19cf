"""Base, L and L+R of one model: trained, scored, submitted, verified and shown on a board.

FOLDER/base/        model (if it is made here), results
FOLDER/l/, lr/      model, merged (of an adapter), results
FOLDER/submissions/, FOLDER/board/
FOLDER/logs/        what each command printed
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from dfar_bench import __version__
from dfar_bench.data import rows
from dfar_bench.demo.commands import ROOT, Base, commands, environment, identifier
from dfar_bench.demo.steps import run_all
from dfar_bench.demo.summary import summary
from dfar_bench.errors import InputError, on_one_line
from dfar_bench.whole_files import write_whole

TINY = {"vocabulary": 1_000, "hidden": 128, "layers": 2}
"""The model that is made where none is named: half a million parameters, random weights."""

NEEDS = ("accelerate", "deepspeed", "filelock", "jinja2", "peft", "pydantic", "trl")


def tell(folder: Path | None = None, split: str = "mini", model: str | None = None) -> None:
    """Run the commands that have not been run before; print the table of results, and where the board is.

    Args:
        folder: for all that is made; None for ``runs/demo``, or ``runs/demo-NAME-SPLIT`` if a model or split is named.
        model: a name on the Hub or a folder; None for a tiny one, made on the spot.

    Raises:
        InputError: no checkout, no training stack, no such model or data, a folder with another demo in it, or the
            complaint of a command that failed; what had been done before stays.
    """
    _refuse_incomplete_install()
    rows(split)  # what is wrong with the data shall show before a model is trained
    name = "tiny" if model is None else Path(os.path.abspath(model)).name
    usual = "runs/demo" if (split, model) == ("mini", None) else f"runs/demo-{identifier(name)}-{split}"
    folder = Path(os.path.abspath(folder or usual))
    base = _base(folder, name, model)
    for place in (str(folder), base.place):
        if set(place) & set(",{"):
            raise InputError(f"lm_eval cannot be told of {place}: choose a path without comma and brace.")
    story = _story(split, base)
    with _claimed(folder, story):
        if base.tiny:
            _make(Path(base.place), split)
        shutil.rmtree(folder / "submissions", ignore_errors=True)  # made again of the results, in seconds
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
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        raise InputError(f"the demo needs {', '.join(missing)}: pip install -e '.[train,board]'.")


@contextmanager
def _claimed(folder: Path, story: Mapping[str, str | None]) -> Iterator[None]:
    """Keep a folder to one story, and to one process at a time."""
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        record = folder / "demo.json"
        if not record.exists() and any(path.name != ".lock" for path in folder.iterdir()):
            raise InputError(f"{folder} holds something else than a demo: choose another --out.")
        with FileLock(folder / ".lock", timeout=0):
            if record.exists() and record.read_text() != json.dumps(story):
                which = "another demo, or one of another version"
                raise InputError(f"{folder} holds {which}: delete it, or choose another --out.")
            write_whole(record, json.dumps(story))
            yield
    except Timeout:
        raise InputError(f"another demo is at work in {folder}: wait for it, or choose another --out.") from None


def _make(place: Path, split: str) -> None:
    from transformers.utils.logging import disable_progress_bar

    from dfar_bench.training.scratch import make_model

    disable_progress_bar()
    make_model(place, (f"{row.statement} {row.reason}" for row in rows(split)["train"]), **TINY)


def _story(split: str, base: Base) -> dict[str, str | None]:
    """All that the results follow from: where one of these is another, so is the demo."""
    from dfar_bench.leaderboard.folder import code_hash, files_hash
    from dfar_bench.leaderboard.trained import weights_hash

    local = not base.tiny and Path(base.place).is_dir()
    return {
        "name": base.name,
        "base": base.place,
        "state": weights_hash(Path(base.place)) if local else base.revision,
        "split": split,
        "version": __version__,
        "code": code_hash(),
        "recipes": files_hash(ROOT, "train/*", "train/configs/*", "ds_configs/*", "tasks/*"),
    }


def _base(folder: Path, name: str, model: str | None) -> Base:
    """Where the model is or is to be made, and which state it is in."""
    if model is None:
        return Base(name, str(folder / "base" / "model"), tiny=True)
    if Path(model).is_dir():
        if not any(Path(model).glob("*.safetensors")):
            raise InputError(f"{model} holds no *.safetensors: save the model in that format.")
        return Base(name, os.path.abspath(model))
    from transformers import AutoConfig

    try:
        return Base(name, model, revision=AutoConfig.from_pretrained(model)._commit_hash)
    except (OSError, ValueError) as error:
        raise InputError(f"there is no model {model}: {on_one_line(error)}") from None
