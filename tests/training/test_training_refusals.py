"""What a run and a merge refuse for what is in the model's or the adapter's folder, or after training."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sft_runs import demo, record

from dfar_bench.errors import InputError
from dfar_bench.training.merge import merge


@pytest.fixture
def changed(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the model, to be changed."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def edit(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_missing_end_token_can_be_named(changed: Path, tmp_path: Path) -> None:
    edit(changed / "tokenizer_config.json", eos_token=None)
    with pytest.raises(InputError, match=r"no end-of-text token.* name one with --eos_token"):
        demo(changed, tmp_path / "out")
    demo(changed, tmp_path / "out", "--eos_token", "</s>", "--limit", 8, "--max_steps", 1)
    assert record(tmp_path / "out")["arguments"]["eos_token"] == "</s>"


def test_a_configuration_without_a_class_is_refused(changed: Path, tmp_path: Path) -> None:
    edit(changed / "config.json", architectures=None)
    with pytest.raises(InputError, match=r"config\.json of .*/model has no architectures"):
        demo(changed, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--attn_implementation", "flash_attention_2"), "cannot be trained like this: FlashAttention2"),
        (("--full", "false", "--lora_target_modules", "lm_head"), "cannot be trained like this: .*`lm_head`"),
    ],
)
def test_what_the_libraries_refuse_leaves_the_folder_to_another_run(
    options: tuple[str, ...], message: str, tiny_model: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        demo(tiny_model, tmp_path / "out", *options)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]


def test_a_trial_that_ends_in_the_warm_up_says_so(tiny_model: Path, tmp_path: Path) -> None:
    warm_up = ("--full", "false", "--limit", 8, "--max_steps", 1, "--warmup_steps", 0.03)
    with pytest.raises(InputError, match=r"not changed by training, .*learning rate was 0.*--warmup_steps"):
        demo(tiny_model, tmp_path / "out", *warm_up)


def test_merging_asks_for_the_tokenizer_and_another_base_has_its_own_revision(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM

    adapter, revisions, load = tmp_path / "adapter", [], AutoModelForCausalLM.from_pretrained
    demo(tiny_model, adapter, "--full", "false", "--limit", 8, "--max_steps", 1, "--model_revision", "v1")

    def loaded(*place: Any, **how: Any) -> Any:
        revisions.append(how["revision"])
        return load(*place, **how)

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", loaded)
    merge(adapter, tmp_path / "one")
    merge(adapter, tmp_path / "two", base=str(tiny_model))
    assert revisions == ["v1", "main"]
    for file in adapter.glob("token*"):
        file.unlink()
    with pytest.raises(InputError, match=f"the tokenizer in {adapter} cannot be loaded"):
        merge(adapter, tmp_path / "three")
