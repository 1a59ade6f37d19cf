"""``dfar-bench eval``: lm_eval, with conditions of several turns, a record of every turn, and going on after a kill."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dfar_bench.errors import InputError
from dfar_bench.prompts import find_condition
from dfar_bench.runs.asking import TurnByTurn
from dfar_bench.runs.journal import Journal
from dfar_bench.text import short_hash

_HOW = ("batch_size", "max_batch_size", "device", "output_path", "log_samples", "show_config", "verbosity", "write_out")
"""Settings of lm_eval that do not decide what a model answers."""
_PROGRAMS = ("lm_eval", "transformers", "torch")
_SAMPLES = "samples_*.jsonl"


def evaluate(arguments: Sequence[str], condition: str, output_path: Path) -> None:
    """Run lm_eval with its own arguments and a condition.

    Args:
        arguments: as typed, without ``--condition``, ``--output_path`` and ``--log_samples``.
        output_path: gets the results, and until then the finished turns.

    Raises:
        InputError: something in the arguments does not go with conditions of several turns, or the results could not be
            saved.
    """
    from lm_eval.__main__ import cli_evaluate
    from lm_eval.config.evaluate_config import EvaluatorConfig

    metadata = {"condition": find_condition(condition).name, "recorded": True}
    configure = EvaluatorConfig._configure  # where all of what was typed and of --config has come together

    def configured(config: Any) -> Any:
        config = configure(config)
        for option in ("use_cache", "cache_requests"):
            if getattr(config, option):
                raise InputError(f"--{option} does not go with eval, which keeps finished turns itself: leave it out.")
        config.metadata = config.metadata | metadata
        stack.enter_context(turn_by_turn(output_path, _hash_of_run(asdict(config))))
        return config

    typed = ["lm_eval", "run", *arguments, "--output_path", str(output_path), "--log_samples"]
    with ExitStack() as stack:
        stack.enter_context(patch.object(EvaluatorConfig, "_configure", configured))
        stack.enter_context(patch.object(sys, "argv", typed))
        cli_evaluate()


def _hash_of_run(config: dict[str, Any]) -> str:
    """Return a hash of what decides a run's answers: the settings, local weights, and the programs' versions."""
    settings = {name: value for name, value in config.items() if name not in _HOW}
    places = [Path(value) for value in config["model_args"].values() if isinstance(value, str)]
    files = sorted(path for place in places if place.is_dir() for path in place.iterdir() if path.is_file())
    weights = [(str(path), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files]
    return short_hash([settings, weights, {name: version(name) for name in _PROGRAMS}])


@contextmanager
def turn_by_turn(output_path: Path, run: str) -> Iterator[None]:
    """Let lm_eval make models that ask turn by turn; the harness has no hook for it.

    Args:
        output_path: where lm_eval saves its results.
        run: a name for what is asked. Finished turns are kept under it in ``output_path`` until the results are there.

    Raises:
        InputError: the results were not saved; lm_eval only logs that.
    """
    from lm_eval.api import registry

    journals: list[Journal] = []
    get_model = registry.get_model
    before = set(output_path.rglob(_SAMPLES))

    def get(name: str) -> type[Any]:
        return _asking(get_model(name), name, output_path / "unfinished" / run, journals)

    with patch.object(registry, "get_model", get):
        try:
            yield
        finally:
            for journal in journals:
                journal.close()
    for journal in journals:
        if journal.rank == 0:  # the process that saves
            if set(output_path.rglob(_SAMPLES)) == before:
                raise InputError(f"lm_eval could not save to {output_path}: see to it and run the same again.")
            journal.remove()


def _asking(model: type[Any], name: str, folder: Path, journals: list[Journal]) -> type[Any]:
    class Asking(TurnByTurn, model):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.check_processes(name)
            # Where processes share a model, each of them is rank 0 to lm_eval.
            self.begin(journal := Journal(folder, int(os.environ.get("RANK", self.rank))))
            journals.append(journal)

    return Asking
