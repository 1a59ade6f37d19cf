"""``dfar-bench eval``: lm_eval, with conditions of several turns, a record of every turn, and going on after a kill."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dfar_bench.errors import InputError, one_line
from dfar_bench.prompts import find_condition
from dfar_bench.runs.asking import TurnByTurn
from dfar_bench.runs.journal import Journal
from dfar_bench.runs.scored_model import WEIGHTS, local_weights
from dfar_bench.text import short_hash

_HOW = ("batch_size", "max_batch_size", "device", "output_path", "log_samples", "show_config", "verbosity", "write_out")
"""Settings of lm_eval that do not decide what a model answers."""
_PROGRAMS = ("lm_eval", "transformers", "torch")
_RESULTS = "results_*.json"


def evaluate(arguments: Sequence[str], condition: str | None, output_path: Path) -> None:
    """Run lm_eval with its own arguments and a condition.

    Args:
        arguments: as typed, without ``--condition``, ``--output_path`` and ``--log_samples``.
        condition: None for each task's own.
        output_path: gets the results, and until then the finished turns.

    Raises:
        InputError: something in the arguments does not go with conditions of several turns, or the results could not be
            saved.
    """
    from lm_eval.__main__ import cli_evaluate
    from lm_eval.config.evaluate_config import EvaluatorConfig

    if output_path.suffix == ".json":
        raise InputError(f"--output_path {output_path} must be a folder: leave out .json.")
    if condition is not None:
        find_condition(condition)
    metadata = {"recorded": True} | ({} if condition is None else {"condition": condition})
    configure = EvaluatorConfig._configure  # where all of what was typed and of --config has come together

    def configured(config: Any) -> Any:
        with _in_a_sentence():
            config = configure(config)
        if not config.tasks:
            raise InputError("no task is named: add --tasks, such as --tasks dfar_clean_reason.")
        for option in ("use_cache", "cache_requests"):
            if getattr(config, option):
                raise InputError(f"--{option} does not go with eval, which keeps finished turns itself: leave it out.")
        for name in ("condition", "mode"):
            if name in config.metadata and name not in config.model_args:  # lm_eval puts both together
                raise InputError(f"the metadata holds {name!r}: say it by --condition instead.")
        config.metadata = config.metadata | metadata
        stack.enter_context(turn_by_turn(output_path, _hash_of_run(asdict(config))))
        return config

    typed = ["lm_eval", "run", *arguments, "--output_path", str(output_path), "--log_samples"]
    with ExitStack() as stack:
        stack.enter_context(patch.object(EvaluatorConfig, "_configure", configured))
        process_tasks = _in_a_sentence()(EvaluatorConfig.process_tasks)
        stack.enter_context(patch.object(EvaluatorConfig, "process_tasks", process_tasks))
        stack.enter_context(patch.object(sys, "argv", typed))
        cli_evaluate()


@contextmanager
def _in_a_sentence() -> Iterator[None]:
    """Say what lm_eval finds wrong in what was typed without a traceback."""
    try:
        yield
    except ValueError as error:
        raise InputError(f"lm_eval: {one_line(error).rstrip('.')}.") from None


def _hash_of_run(config: dict[str, Any]) -> str:
    """Return a hash of what decides a run's answers: the settings, local weights, and the programs' versions."""
    settings = {name: value for name, value in config.items() if name not in _HOW}
    # os.path.isdir, unlike Path.is_dir, takes any text: it may be an option or a secret and too long for a path.
    places = [Path(value) for value in config["model_args"].values() if isinstance(value, str) and os.path.isdir(value)]
    files = sorted(path for place in places for path in place.iterdir() if path.is_file())
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
    before = set(output_path.rglob(_RESULTS))

    def get(name: str) -> type[Any]:
        with _in_a_sentence():
            model = get_model(name)
        return _asking(model, name, output_path / "unfinished" / run, journals)

    with patch.object(registry, "get_model", get):
        try:
            yield
        finally:
            for journal in journals:
                journal.close()
    for journal in journals:
        if journal.rank == 0:  # the process that saves
            new = set(output_path.rglob(_RESULTS)) - before
            if not new or not all(map(_is_saved, new)):
                raise InputError(f"lm_eval could not save to {output_path}: see to it and run the same again.")
            journal.remove()


def _is_saved(results: Path) -> bool:
    """Whether a results file is whole, and beside it are as many samples of each of its tasks as it counts."""
    stamp = results.stem.removeprefix("results_")
    try:
        for task, count in json.loads(results.read_text(encoding="utf-8"))["n-samples"].items():
            samples = results.with_name(f"samples_{task}_{stamp}.jsonl")
            if samples.read_bytes().count(b"\n") < max(count["effective"], 1):  # 0 after --predict_only
                return False
    except (OSError, ValueError, KeyError):
        return False
    return True


def _asking(model: type[Any], name: str, folder: Path, journals: list[Journal]) -> type[Any]:
    class Asking(TurnByTurn, model):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.check_processes(name)
            # Where processes share a model, each of them is rank 0 to lm_eval.
            self.begin(journal := Journal(folder, int(os.environ.get("RANK", self.rank))))
            journals.append(journal)
            self._weights = local_weights(kwargs) if journal.rank == 0 else None

        def get_model_info(self) -> dict[str, Any]:
            """Return what lm_eval records of the model, with a hash of local weights."""
            info = super().get_model_info() if hasattr(model, "get_model_info") else {}
            return {**info, WEIGHTS: self._weights}

    return Asking
