"""The commands of the demo, as one would type them in a checkout."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from dfar_bench.data import task_name
from dfar_bench.demo.steps import Step
from dfar_bench.metrics import METRICS

ROOT = Path(__file__).parents[2]
"""The checkout: ``train/`` and ``ds_configs/`` are not part of the package."""

NAMES = {"base": "base", "l": "L", "lr": "L+R"}
"""The three models: what stands for them in paths, and what people call them."""

TRAINED = {"l": "labels alone", "lr": "labels and reasons"}

TINY_EPOCHS = 40
"""After which the tiny model knows its reasons by heart, and so can put words together."""


@dataclass(frozen=True)
class Base:
    """The model that all begins with.

    Attributes:
        name: for people.
        place: a folder, or a name on the Hub.
        revision: the commit on the Hub; None for a folder.
        tiny: whether it was made for the demo.
    """

    name: str
    place: str
    revision: str | None = None
    tiny: bool = False


def commands(folder: Path, split: str, base: Base) -> list[Step]:
    """All commands, in order; without those that merge adapters if the whole model is trained, as the tiny one is.

    Args:
        folder: an absolute path, under which all lies that they write.
    """
    trained = {kind: folder / kind / ("model" if base.tiny else "merged") for kind in TRAINED}
    places = {"base": base.place, **{kind: _shown(path) for kind, path in trained.items()}}
    return [
        *(_train(folder / kind, kind, split, base) for kind in TRAINED),
        *(_merge(folder / kind, kind) for kind in TRAINED if not base.tiny),
        *(_score(folder / kind, kind, split, place, base) for kind, place in places.items()),
        *(_submit(folder, kind, place, base) for kind, place in places.items()),
        Step("Verify: every figure again from the answers", ("dfar-bench", "verify", _shown(folder / "submissions"))),
        Step(
            "Build the board",
            ("dfar-bench", "board", "build", _shown(folder / "submissions"), "--out", _shown(folder / "board")),
        ),
    ]


def environment(base: Base) -> dict[str, str]:
    """The environment variables in which the commands run."""
    given = {"TOKENIZERS_PARALLELISM": "false", "LMEVAL_LOG_LEVEL": "WARNING", **os.environ}
    for name in ("DFAR_BENCH_DATA", "DFAR_BENCH_CACHE", "HF_HOME"):  # the commands run in another folder
        if given.get(name):
            given[name] = os.path.abspath(given[name])
    if base.tiny:  # needs no network, and no GPU where there is one
        given |= {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    if not _gpus(base):  # each process would take one core, or all of them
        given.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // _processes(base))))
    return given


def identifier(name: str) -> str:
    """A name as it may stand in the id of a submitted model, and in that of a folder."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name)[:80].strip("-") or "model"


def _gpus(base: Base) -> int:
    import torch

    return 0 if base.tiny else torch.cuda.device_count()


def _processes(base: Base) -> int:
    return _gpus(base) or (2 if base.tiny else 1)


def _train(place: Path, kind: str, split: str, base: Base) -> Step:
    launch = ("accelerate", "launch", "--config_file", "ds_configs/accelerate_zero2.yaml")
    words = [*launch, "--num_processes", str(_processes(base)), "--main_process_port", "0", "train/sft.py"]
    words += ["--config", f"train/configs/{'demo' if base.tiny else 'fast'}.yaml", "--zero_stage", "2"]
    words += ["--mode", kind, "--split", split, "--model_name_or_path", base.place]
    words += ["--model_revision", base.revision] if base.revision else []
    words += ["--drop_leaked", "true"] if split == "paper" else []
    words += ["--num_train_epochs", str(TINY_EPOCHS)] if base.tiny else []
    words += [] if _gpus(base) or base.tiny else ["--bf16", "false", "--dtype", "float32"]
    words += ["--output_dir", _shown(place / "model")]
    # The model card is written last; what was interrupted before goes on from its last checkpoint.
    return Step(f"Train {NAMES[kind]}: {TRAINED[kind]}", words, makes=place / "model" / "README.md")


def _merge(place: Path, kind: str) -> Step:
    words = ("python", "train/merge.py", _shown(place / "model"), "--out", _shown(place / "merged"))
    return Step(f"Merge the adapter of {NAMES[kind]}", words, makes=place / "merged")


def _score(place: Path, kind: str, split: str, model: str, base: Base) -> Step:
    part = place / ".results"  # of an interrupted run
    state = f",revision={base.revision}" if base.revision and kind == "base" else ""
    tasks = ",".join(task_name(split, one) for one in METRICS)
    words = ["lm_eval", "--model", "hf", "--model_args", f"pretrained={model}{state}", "--tasks", tasks]
    words += ["--batch_size", "16", "--output_path", _shown(part), "--log_samples"]
    return Step(f"Score {NAMES[kind]}", words, makes=place / "results", writes=part)


def _submit(folder: Path, kind: str, model: str, base: Base) -> Step:
    name = f"demo/{identifier(base.name)}"
    words = ["dfar-bench", "submit", _shown(folder / kind / "results"), "--model-id", f"{name}-{kind}"]
    words += ["--revision", base.revision] if base.revision and kind == "base" else ["--weights", model]
    words += ["--mode", kind]
    if kind in TRAINED:
        words += ["--base", f"{name}-base", "--dfar-run", _shown(folder / kind / "model" / "dfar_run.json")]
    return Step(f"Submit {NAMES[kind]}", (*words, "--out", _shown(folder / "submissions")))


def _shown(path: Path) -> str:
    """As it would be typed in the checkout."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
