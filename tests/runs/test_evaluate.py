"""``dfar-bench eval``: the hash under which a run's finished turns are kept."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from lm_eval.config.evaluate_config import EvaluatorConfig

from dfar_bench.runs.evaluate import _hash_of_run


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
