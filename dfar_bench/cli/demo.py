"""``demo``: train L and L+R, score them beside their base model and prepared answers of real models, build a board.

FOLDER/base/                      the model (if it is made here), results
FOLDER/l/, lr/                    model, merged (of an adapter), results
FOLDER/submissions/, board/, logs/
"""

from __future__ import annotations

import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from dfar_bench import __version__
from dfar_bench.cli.options import FINE
from dfar_bench.datasets import get_dataset, rows
from dfar_bench.errors import InputError
from dfar_bench.experiments import commands
from dfar_bench.experiments.steps import ROOT, Step, claim, environment, run_steps, typed
from dfar_bench.training.base import find_base
from dfar_bench.training.devices import gpu_count
from dfar_bench.training.modes import MODES

# The model that is made where none is named: half a million parameters, random weights; and after how many epochs it
# has learned the form of an answer.
TINY = {"vocabulary": 1_000, "hidden": 128, "layers": 2}
EPOCHS = {"l": 10, "lr": 30}
TRAINED = ("l", "lr")


class Base(NamedTuple):
    """The model that all begins with: a folder, a name on the Hub with its commit, or the tiny one made here."""

    name: str
    path: str
    revision: str | None = None
    tiny: bool = False
    gpus: int = 0

    @property
    def processes(self) -> int:
        """How many processes train it."""
        return self.gpus or (2 if self.tiny else 1)


def demo(
    model: Annotated[str | None, typer.Option(metavar="M", help="A causal language model: Hub or folder.")] = None,
    split: Annotated[
        str, typer.Option(metavar="NAME", help=f"The data set: {', '.join(MODES['lr'].splits)}.")
    ] = "mini",
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Default runs/demo or runs/demo-MODEL-SPLIT.")] = None,
) -> int:
    """Train L and L+R, score both, submit, verify, build a board.

    Trains a model on labels (L) and on labels and reasons (L+R), scores both and their base model, submits and
    verifies all three and builds a board, with the commands that one would type, which are shown. Without --model, a
    tiny model is made on the spot: a few minutes on two processor cores, no network. On mini, answers of real models
    are prepared, which are scored and verified as well. A demo that was interrupted continues where it stopped.
    """
    _check_install()
    if split not in MODES["lr"].splits:
        choice = ", ".join(MODES["lr"].splits)
        raise InputError(f"--split {split} has no train rows: choose one of {choice}.")
    name = Path(os.path.abspath(model)).name if model else "tiny"
    usual = "runs/demo" if (split, model) == ("mini", None) else f"runs/demo-{_identifier(name)}-{split}"
    folder = Path(os.path.abspath(out or usual))
    base, state = Base(name, str(folder / "base" / "model"), tiny=True), None
    if model is not None:
        found = find_base(model)
        base, state = Base(name, found.path, found.revision, gpus=gpu_count()), found.state
    commands.refuse_paths(folder, base.path)
    steps = plan(folder, split, base)  # reads the data, whose faults show before a model is trained
    with claim(folder, "demo.json", {"model": base.path, "state": state, "split": split, "version": __version__}):
        if base.tiny:
            from dfar_bench.training.options import set_up_libraries
            from dfar_bench.training.scratch import make_model

            set_up_libraries()
            make_model(Path(base.path), (f"{row.statement} {row.reason}" for row in rows(split)["train"]), **TINY)
        shutil.rmtree(folder / "submissions", ignore_errors=True)  # made again from the results, in seconds
        run_steps(steps, folder / "logs", _environment(base))
        from dfar_bench.experiments.last_screen import last_screen

        titles = ("untrained" if base.tiny else "base", *(MODES[name].title for name in TRAINED))
        results = {f"{name}, {title}": folder / of / "results" for title, of in zip(titles, ("base", *TRAINED))}
        print("", last_screen(split, results, folder / "board" / "index.html", tiny=base.tiny), sep="\n")
    return FINE


def plan(folder: Path, split: str, base: Base) -> list[Step]:
    """List the commands of the demo; all that they write is under ``folder``, an absolute path."""
    from dfar_bench.experiments.last_screen import prepared_tree

    dataset, model_id = get_dataset(split), f"demo/{_identifier(base.name)}"
    tree, board = folder / "submissions", typed(folder / "board")
    steps = []
    for name in ("base", *TRAINED):
        place, title, scored = folder / name, name, base.path
        revision, about = base.revision, ["--mode", name]
        if name in TRAINED:
            title = MODES[name].title
            words = ["accelerate", "launch", "--config_file", "ds_configs/accelerate_zero2.yaml"]
            words += ["--num_processes", str(base.processes), "--main_process_port", "0", "train/sft.py"]
            words += ["--config", f"train/configs/{'demo' if base.tiny else 'fast'}.yaml", "--zero_stage", "2"]
            words += ["--mode", name, "--split", split, "--model_name_or_path", base.path]
            words += ["--model_revision", revision] if revision else []
            words += ["--drop_leaked", "true"] if dataset.has_leak else []
            words += ["--num_train_epochs", str(EPOCHS[name])] if base.tiny else []
            words += [] if base.gpus or base.tiny else ["--bf16", "false", "--dtype", "float32"]
            steps.append(commands.train(f"{title}: {MODES[name].learns}", words, place))
            trained = scored = typed(place / "model")
            if not base.tiny:
                steps.append(commands.merge(title, place))
                scored = typed(place / "merged")
            revision, about = None, [*about, "--base", f"{model_id}-base", "--dfar-run", f"{trained}/dfar_run.json"]
        tasks = [dataset.task_name(kind) for kind in dataset.kinds]
        steps.append(commands.score(title, scored, revision, tasks, ["--batch_size", "16"], place / "results"))
        steps.append(commands.submit(title, scored, revision, f"{model_id}-{name}", about, [place / "results"], tree))
    trees = [typed(path) for path in (tree, prepared_tree(split)) if path]
    steps.append(Step("Verify the submissions", ["dfar-bench", "verify", *trees]))
    return [*steps, Step("Build the board", ["dfar-bench", "board", "build", *trees, "--out", board])]


def _check_install() -> None:
    if not (ROOT / "train" / "sft.py").is_file():
        raise InputError("the demo needs a checkout of the repository, with train/ in it: install with pip install -e.")
    for package in ("accelerate", "deepspeed", "filelock", "peft", "trl", "jinja2", "pydantic"):
        if find_spec(package) is None:
            raise ModuleNotFoundError(name=package)


def _environment(base: Base) -> dict[str, str]:
    variables = environment(base.processes, base.gpus)
    if base.tiny:  # needs no network, and no GPU where there is one
        variables |= {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    return variables


def _identifier(name: str) -> str:
    """Return a name as it may be in the id of a submitted model and in a folder's name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name)[:80].strip("-") or "model"
