"""The model that was scored, as the harness's results record it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dfar_bench.files import TRAINING_RECORD, weights_hash

COMMIT = re.compile(r"[0-9a-f]{40}")
WEIGHTS = "weights_sha256"
"""Key under which ``dfar-bench eval`` adds the hash of local weights to what lm_eval records of a model."""

_ADAPTERS = {"peft": "peft_sha", "lora_local_path": "peft_sha", "delta": "delta_sha"}
"""The arguments that name weights which are put on the model's, with the key under which their commit is recorded."""
_PLACES = (*_ADAPTERS, "pretrained", "model")


@dataclass(frozen=True)
class ScoredModel:
    """A model as the results record it. None where they do not say.

    Attributes:
        backend: lm_eval's ``--model``, such as ``hf``.
        arguments: its ``--model_args``.
        commit: of the model, or of its adapter, on the Hub.
        weights_sha256: ``files.weights_hash`` of the folder it was loaded from; only ``dfar-bench eval`` records it.
        parameters: how many it has.
    """

    backend: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    commit: str | None = None
    weights_sha256: str | None = None
    parameters: int | None = None

    @property
    def places(self) -> dict[str, str]:
        """The adapter and the model that were named, by argument: folders, or names on the Hub or at an endpoint."""
        named = {name: self.arguments.get(name) for name in _PLACES}
        return {name: place for name, place in named.items() if isinstance(place, str) and place}

    @property
    def place(self) -> tuple[str, str] | None:
        """The argument and the place of the weights that tell it from others: those of its adapter, if it has one."""
        return next(iter(self.places.items()), None)

    @property
    def training_record(self) -> Path | None:
        """The record of a training beside the adapter or model, if it is still there."""
        paths = (os.path.join(place, TRAINING_RECORD) for place in self.places.values())
        return next((Path(path) for path in paths if os.path.isfile(path)), None)

    @property
    def tuned(self) -> bool:
        """Whether an adapter was loaded, or the record of a training is beside the model."""
        return any(name in self.places for name in _ADAPTERS) or self.training_record is not None


def scored_model(results: Mapping[str, Any]) -> ScoredModel:
    """Read what lm_eval's results say of the model."""
    config = results.get("config")
    config = config if isinstance(config, dict) else {}
    arguments = _arguments(config.get("model_args"))
    backend = results.get("model_source") or config.get("model")
    parameters = config.get("model_num_parameters")
    recorded = ScoredModel(arguments=arguments)
    sha = config.get(_ADAPTERS.get(recorded.place[0], "model_sha") if recorded.place else "model_sha")
    if not sha and not any(map(os.path.isdir, recorded.places.values())):
        sha = arguments.get("revision")
    return ScoredModel(
        backend=backend if isinstance(backend, str) and re.fullmatch(r"[\w.-]{1,60}", backend) else None,
        arguments=arguments,
        commit=_matching(COMMIT, sha),
        weights_sha256=_matching(re.compile(r"[0-9a-f]{64}"), config.get(WEIGHTS)),
        parameters=parameters if type(parameters) is int and 0 < parameters <= 10**15 else None,
    )


def local_weights(arguments: Mapping[str, Any]) -> str | None:
    """Hash the weights that model arguments name; None if they are not ``*.safetensors`` in a folder."""
    place = ScoredModel(arguments=arguments).place
    if place is None or not os.path.isdir(place[1]) or not any(Path(place[1]).glob("*.safetensors")):
        return None
    return weights_hash(Path(place[1]))


def _arguments(model_args: object) -> Mapping[str, Any]:
    """Return lm_eval's model arguments, which are text or an object."""
    if isinstance(model_args, str):
        return dict(part.partition("=")[::2] for part in model_args.split(",") if part)
    return model_args if isinstance(model_args, dict) else {}


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
