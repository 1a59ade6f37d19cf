"""``dfar-bench eval``: the hash under which a run's finished turns are kept, and that of the weights."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from lm_eval.config.evaluate_config import EvaluatorConfig

from dfar_bench.files import weights_hash
from dfar_bench.runs.evaluate import _hash_of_run
from dfar_bench.runs.scored_model import local_weights, scored_model


def hash_of(model_args: dict[str, Any], **settings: Any) -> str:
    return _hash_of_run(asdict(EvaluatorConfig(model="hf", model_args=model_args, **settings)))


def test_the_hash_is_of_what_decides_the_answers(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.write_text("1")
    model = {"pretrained": str(tmp_path), "trust_remote_code": True}
    before = hash_of(model)
    assert before == hash_of(model, batch_size=8, device="cpu", output_path="elsewhere")
    assert before != hash_of(model, num_fewshot=2)
    weights.write_text("12")
    assert before != hash_of(model)


def test_any_text_may_be_an_argument_of_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = {"pretrained": "org/model", "peft": "", "auth_token": "e" * 300, "odd": "\0"}
    before = hash_of(model)
    (tmp_path / "log").write_text("not of the model")
    assert before == hash_of(model)


def test_local_weights_are_hashed(tmp_path: Path) -> None:
    """Those of the adapter, if there is one: it tells the model from others."""
    for name in ("model", "adapter"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.safetensors").write_text(name)
    (tmp_path / "other").mkdir()
    base, adapter, other = (str(tmp_path / name) for name in ("model", "adapter", "other"))
    assert local_weights({"pretrained": base}) == weights_hash(tmp_path / "model")
    assert local_weights({"pretrained": base, "peft": adapter}) == weights_hash(tmp_path / "adapter")
    for arguments in ({}, {"pretrained": "org/model"}, {"pretrained": other}, {"pretrained": "\0"}, {"pretrained": 3}):
        assert local_weights(arguments) is None


def test_results_of_which_nothing_is_what_it_should_be() -> None:
    odd = {"model": ["hf"], "model_args": 3, "model_sha": "main", "weights_sha256": 7, "model_num_parameters": True}
    for results in ({}, {"config": []}, {"config": odd}, {"config": {"model": "/srv/model"}}):
        assert scored_model(results) == scored_model({})
