"""The commands of an experiment: train, merge, score and submit for each cell of the grid.

FOLDER/base/results           the base model's scores
FOLDER/MODE-SEED/             model, merged (of an adapter), results: a cell
FOLDER/submissions/, logs/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dfar_bench.datasets import get_dataset
from dfar_bench.experiments.grid import Experiment, Option, training_options
from dfar_bench.experiments.steps import Step, typed
from dfar_bench.training.modes import MODES


@dataclass(frozen=True)
class Cell:
    """One training and its scores, or the base model's scores.

    Attributes:
        mode: a training mode, or ``base``.
        seed: None for the base model.
    """

    mode: str
    seed: int | None

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.mode if self.seed is None else f"{self.mode}-{self.seed}"

    @property
    def title(self) -> str:
        """For people."""
        return "base" if self.seed is None else f"{MODES[self.mode].title}, seed {self.seed}"


def cells(experiment: Experiment) -> list[Cell]:
    """Return the cells in the order in which they run: seed by seed, so that early ones can be compared."""
    trained = [Cell(mode, seed) for seed in experiment.seeds for mode in experiment.modes]
    return [*([Cell("base", None)] if experiment.score_base else []), *trained]


def results_of(folder: Path, cell: Cell) -> Path:
    """Return the folder of a cell's scores."""
    return folder / cell.name / "results"


def steps_of(experiment: Experiment, cell: Cell, folder: Path, tokens: Mapping[str, int]) -> list[Step]:
    """Return the commands of a cell; all that they write is under ``folder``, an absolute path."""
    place, scored, title = folder / cell.name, experiment.base, cell.title
    dataset, steps = get_dataset(experiment.split), []
    about = ["--mode", cell.mode, "--weights", scored]
    if cell.seed is not None:
        options = training_options(experiment, cell.mode, dict(tokens))
        words = ["accelerate", "launch", "--main_process_port", "0", *experiment.launch, "train/sft.py"]
        words += ["--mode", cell.mode, "--split", experiment.split, "--seed", str(cell.seed)]
        words += ["--model_name_or_path", experiment.base, *_words(options)]
        words += ["--drop_leaked", "true"] if dataset.has_leak and "drop_leaked" not in options else []
        trained = typed(place / "model")
        card = place / "model" / "README.md"  # written last
        steps.append(Step(f"Train {title}", [*words, "--output_dir", trained], makes=card))
        scored = trained
        if options.get("full") is not True:
            scored = typed(place / "merged")
            merge = ["python", "train/merge.py", trained, "--out", scored]
            steps.append(Step(f"Merge the adapter of {title}", merge, makes=place / "merged"))
        about = ["--mode", cell.mode, "--weights", scored, "--dfar-run", f"{trained}/dfar_run.json"]
        about += ["--base", f"{experiment.organisation}/{experiment.name}-base"] if experiment.organisation else []
    words = ["lm_eval", "--model", "hf", "--model_args", f"pretrained={scored},{experiment.model_args}"]
    words += ["--tasks", ",".join(experiment.tasks), *_words(experiment.score)]
    words += ["--output_path", typed(place / ".results"), "--log_samples"]
    steps.append(Step(f"Score {title}", words, makes=place / "results", part=place / ".results"))
    if experiment.organisation:
        model = f"{experiment.organisation}/{experiment.name}-{cell.name}"
        words = ["dfar-bench", "submit", typed(place / "results"), "--model-id", model, *about]
        submitted, tree = place / ".submitted", typed(folder / "submissions")
        steps.append(Step(f"Submit {title}", [*words, "--out", tree], makes=submitted, done=submitted))
    return steps


def _words(options: Mapping[str, Option]) -> list[str]:
    """Return options as they are typed."""
    words = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{name}", *(str(one).lower() if isinstance(one, bool) else str(one) for one in values)]
    return words
