"""The parts of training one by one: texts, batches, loss, refusals, sizes, record."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dfar_bench import prompts
from dfar_bench.data import LABELS, rows
from dfar_bench.errors import InputError
from dfar_bench.training import TrainingError, preflight, record, sizes
from dfar_bench.training.examples import IGNORED, Collator, Example, common_prefix, examples, spread
from dfar_bench.training.loss import completion_nll, scored_positions
from dfar_bench.training.scratch import make_model, make_tokenizer
from tests.conftest import ROOT

MINI = rows("mini")["train"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return make_tokenizer((f"{row.statement} {row.reason}" for row in MINI), 600)


@pytest.fixture(scope="module")
def sft() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_sft", ROOT / "train/sft.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Texts


@pytest.mark.parametrize("mode", prompts.MODES)
@pytest.mark.parametrize("style", list(prompts.STYLES))
def test_what_is_learned_is_the_completion_and_the_end(style: str, mode: str, tokenizer: Any) -> None:
    for row, one in zip(MINI[:20], examples(MINI[:20], style, mode, tokenizer)):
        learned = [token for token, label in zip(one.input_ids, one.labels) if label != IGNORED]
        assert one.labels[-len(learned) :] == learned
        assert learned[-1] == tokenizer.eos_token_id
        assert one.input_ids.count(tokenizer.eos_token_id) == 1
        answer = prompts.answer(style, mode, LABELS[row.label], row.reason)
        assert tokenizer.decode(learned[:-1]) == f" {answer}"
        shown = tokenizer.decode(one.input_ids[: -len(learned)])
        assert shown == prompts.prompt(style, mode, row.statement)


def test_the_prompt_is_learned_as_well_where_that_is_asked(tokenizer: Any) -> None:
    one = examples(MINI[:1], "llama2", "l", tokenizer, completion_only=False)[0]
    assert one.labels == one.input_ids


def test_a_tokenizer_that_ends_texts_by_itself_ends_them_once(tokenizer: Any) -> None:
    class Ending:
        eos_token_id = tokenizer.eos_token_id

        def __call__(self, texts: list[str]) -> dict[str, list[list[int]]]:
            return {"input_ids": [[*ids, self.eos_token_id] for ids in tokenizer(texts)["input_ids"]]}

    assert examples(MINI[:3], "plain", "l", Ending()) == examples(MINI[:3], "plain", "l", tokenizer)  # type: ignore[arg-type]


# Batches


def features(*texts: tuple[list[int], int]) -> list[dict[str, Any]]:
    """Token ids, and from which on they are learned."""
    return [
        {"input_ids": ids, "labels": [IGNORED] * start + ids[start:], "number": number}
        for number, (ids, start) in enumerate(texts)
    ]


def test_lines_are_padded_on_the_right_and_the_last_token_is_no_input() -> None:
    batch = Collator(0)(features(([7, 8, 1, 2, 9], 3), ([7, 5, 9], 2)))
    assert batch["input_ids"].tolist() == [[7, 8, 1, 2], [7, 5, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert batch["shift_labels"].tolist() == [[-100, -100, 2, 9], [-100, 9, -100, -100]]
    assert batch["tokens"] == 8
    assert batch["numbers"].tolist() == [0, 1]
    assert "position_ids" not in batch


def test_a_shared_beginning_stands_once_and_each_text_sees_only_it_and_itself() -> None:
    batch = Collator(0, share_prefix=True)(features(([7, 8, 1, 2, 9], 3), ([7, 8, 5, 9], 3)))
    assert batch["input_ids"].tolist() == [[7, 8, 1, 2, 5]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 2]]
    assert batch["shift_labels"].tolist() == [[-100, -100, 2, 9, 9]]
    assert batch["attention_mask"][0, 0].int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 1, 1, 0],
        [1, 1, 0, 0, 1],
    ]


def test_equal_texts_share_no_token_that_is_learned_from() -> None:
    # Two copies of one text must count twice.
    batch = Collator(0, share_prefix=True)(features(([7, 8, 1, 9], 2), ([7, 8, 1, 9], 2)))
    assert batch["input_ids"].tolist() == [[7, 8, 1, 8, 1]]
    assert batch["shift_labels"].tolist() == [[-100, 1, 9, 1, 9]]


def test_lines_end_where_attention_would_cost_more_than_it_saves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dfar_bench.training.examples.LINE", 6)
    batch = Collator(0, share_prefix=True)(features(([7, 8, 1, 9], 3), ([7, 8, 2, 3, 4, 9], 5), ([7, 8, 5, 6, 9], 4)))
    assert batch["input_ids"].tolist() == [[7, 8, 2, 3, 4], [7, 8, 5, 6, 1]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 2]]
    assert batch["shift_labels"].tolist() == [[-100, -100, -100, -100, 9], [-100, -100, -100, 9, 9]]
    assert batch["attention_mask"][1, 0].int()[4].tolist() == [1, 1, 0, 0, 1]
    padded = Collator(0, share_prefix=True)(features(([7, 8, 1, 9], 3), ([7, 8, 2, 3, 4, 4, 9], 6)))
    assert padded["input_ids"].tolist() == [[7, 8, 2, 3, 4, 4], [7, 8, 1, 0, 0, 0]]
    assert padded["shift_labels"][1].tolist() == [-100, -100, 9, -100, -100, -100]
    assert not padded["attention_mask"][1, 0, :3, 3:].any()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=20), st.integers(1, 30))
def test_every_example_stands_in_one_line(lengths: list[int], lines: int) -> None:
    found = spread(lengths, lines)
    assert sorted(number for line in found for number in line) == list(range(len(lengths)))
    assert all(found)


def test_common_prefix() -> None:
    assert common_prefix([[1, 2, 3], [1, 2], [1, 2, 4]]) == 2
    assert common_prefix([[1], [2]]) == 0


# Loss


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_loss_and_its_gradient_are_cross_entropys(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dfar_bench.training.loss._CHUNK", 3 * 50)  # several pieces
    torch.manual_seed(0)
    start = (torch.randn(2, 7, 50) * 4).to(dtype)
    targets = torch.randint(0, 50, (2, 7))
    targets[0, :3] = targets[1, 5:] = IGNORED
    wanted_for = start.float().clone().requires_grad_()
    wanted = torch.nn.functional.cross_entropy(wanted_for.flatten(0, 1), targets.flatten(), reduction="sum") * 0.5
    wanted.backward()
    leaf = start.clone().requires_grad_()
    found = completion_nll(leaf * 1, targets) * 0.5
    found.backward()
    assert found.item() == pytest.approx(wanted.item(), rel=1e-6)
    assert wanted_for.grad is not None
    assert leaf.grad is not None
    tolerance = 1e-6 if dtype == torch.float32 else 4e-3
    assert leaf.grad.float().sub(wanted_for.grad).abs().max() < tolerance


def test_huge_logits_do_not_overflow_and_missing_numbers_show() -> None:
    assert completion_nll(torch.tensor([[[1e30, -1e30]]]), torch.tensor([[0]])).item() == 0
    assert completion_nll(torch.tensor([[[float("nan"), 0.0]]]), torch.tensor([[0]])).isnan()


def test_scored_positions_are_those_of_any_line() -> None:
    assert scored_positions(torch.tensor([[-100, 3, -100, -100], [-100, -100, 5, -100]])).tolist() == [1, 2]


# Refusals


def test_leaked_rows_are_left_out_and_counted() -> None:
    leaky = {"train": MINI, "test": tuple(replace(row, statement=row.statement.upper()) for row in MINI[::4])}
    kept, left_out = preflight.chosen_rows(leaky, drop_leaked=True, limit=10)
    assert left_out == {"leaked": 31, "limit": 83}
    assert len({row.row_id for row in kept}) == 10
    assert not {row.row_id for row in kept} & {row.row_id for row in MINI[::4]}
    assert {row.domain for row in kept} == {"justice", "commonsense"}
    with pytest.raises(InputError, match="--limit is 0"):
        preflight.chosen_rows(leaky, drop_leaked=False, limit=0)
    with pytest.raises(InputError, match="no training row"):
        preflight.chosen_rows({"train": MINI, "test": MINI}, drop_leaked=True, limit=None)


@pytest.mark.usefixtures("paper")
def test_the_published_train_set_without_its_leaked_rows() -> None:
    split = rows("paper")
    kept, left_out = preflight.chosen_rows(split, drop_leaked=True, limit=None)
    assert left_out == {"leaked": 4500 - len(kept)}
    assert len(kept) == 4311
    leaked = {row.statement for row in split["test"] if row.leaked}
    assert not leaked & {row.statement for row in kept}


def made(*lengths: int) -> list[Example]:
    return [Example(f"row-{n}", "p", "c", [1] * n, [1] * n) for n in lengths]


def test_rows_that_are_too_long_are_named_never_cut() -> None:
    assert preflight.fitting(made(5, 9), None, False) == made(5, 9)
    assert preflight.fitting(made(5, 9), 9, False) == made(5, 9)
    with pytest.raises(InputError, match=r"1 of 2 training rows .* the 8 tokens .* row-9 \(9\)\."):
        preflight.fitting(made(5, 9), 8, False)
    assert preflight.fitting(made(5, 9), 8, True) == made(5)
    with pytest.raises(InputError, match="and 3 more"):
        preflight.fitting(made(*range(11, 19)), 10, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--load_in_4bit", "true", "--full", "false"], "needs a GPU"),
        (["--load_in_4bit", "true", "--full", "true"], "leave one of the two out"),
        (["--packing", "true"], "--plain true"),
        (["--loss_type", "dft"], "--plain true"),
        (["--neftune_noise_alpha", "5"], "--share_prefix false"),
        (["--zero_stage", "2"], "no DeepSpeed"),
        (["--plain", "true", "--share_prefix", "true"], "leave one of the two out"),
        (["--resume_from_checkpoint", "x"], "--resume_from_checkpoint has no place here"),
        (["--save_only_model", "true"], "--save_only_model has no place here"),
        (["--eval_strategy", "epoch"], "--eval_strategy has no place here"),
        (["--data_seed", "3"], "--data_seed has no place here"),
        (["--train_sampling_strategy", "sequential"], "random or group_by_length"),
        (["--plain", "true", "--packing", "true", "--max_length", "30"], "longer than the 30 tokens"),
        (["--full", "false", "--lora_r", "0"], "--lora_r is 0"),
        (["--full", "false", "--lora_target_modules", "nothing"], "other --lora_target_modules"),
        (["--split", "none"], "no split 'none'"),
        (["--prompt", "none"], "no prompt style 'none'"),
        (["--mode", "none"], "no mode 'none'"),
        (["--max_length", "30"], "longer than the 30 tokens"),
        (["--model_name_or_path", "no/such/model"], "no model at no/such/model"),
        (["--bf16", "true", "--fp16", "true"], "do not go together"),
        (["--config", "no.yaml"], "no.yaml"),
        (["--share_prefix", "true", "--attn_implementation", "eager"], "share_prefix is not possible here"),
    ],
)
def test_impossible_runs_are_refused_and_leave_nothing(
    options: list[str], message: str, sft: ModuleType, tiny_model: Path, tmp_path: Path
) -> None:
    base = ["--config", str(ROOT / "train/configs/demo.yaml"), "--model_name_or_path", str(tiny_model), "--mode", "l"]
    if "--config" in options:
        base = base[2:]
    with pytest.raises(InputError, match=message):
        sft.main([*base, "--output_dir", str(tmp_path / "out"), *options])
    assert not list(tmp_path.rglob("*.safetensors"))
    assert "share_prefix" in message or not (tmp_path / "out").exists()


def test_a_machine_without_compiler_cannot_run_deepspeed(
    sft: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")  # as accelerate launch says it
    monkeypatch.setenv("CXX", str(tmp_path / "c++"))
    with pytest.raises(InputError, match=r"a C\+\+ compiler \(.*c\+\+\): install it"):
        sft.main(["--mode", "l", "--model_name_or_path", "M"])


def test_what_is_missing_is_named(sft: ModuleType) -> None:
    with pytest.raises(InputError, match="--mode is missing"):
        sft.main(["--model_name_or_path", "M"])
    with pytest.raises(InputError, match="--model_name_or_path is missing"):
        sft.main(["--mode", "l"])


def test_an_unknown_option_in_a_file_is_refused(sft: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "typo.yaml").write_text("learning_rat: 1.0e-4\n")
    with pytest.raises(InputError, match="learning_rat"):
        sft.main(["--config", str(tmp_path / "typo.yaml"), "--mode", "l", "--model_name_or_path", "M"])


def test_an_output_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        preflight.refuse_bad_output(tmp_path / "file" / "out", 1)
    with pytest.raises(InputError, match="GB free"):
        preflight.refuse_bad_output(tmp_path / "out", 2**60)
    preflight.refuse_bad_output(tmp_path / "out", 1)
    assert not list((tmp_path / "out").iterdir())


def test_a_checkpoint_cut_short_is_passed_over(tmp_path: Path) -> None:
    assert preflight.last_whole_checkpoint(tmp_path, 1) is None
    for name, state in (("2", '{"global_step": 2}'), ("10", '{"global_step": 10}'), ("20", '{"glob'), ("x", "{}")):
        (tmp_path / f"checkpoint-{name}").mkdir()
        (tmp_path / f"checkpoint-{name}" / "trainer_state.json").write_text(state)
        (tmp_path / f"checkpoint-{name}" / "rng_state.pth").touch()
    (tmp_path / "checkpoint-30").mkdir()
    assert preflight.last_whole_checkpoint(tmp_path, 1) == tmp_path / "checkpoint-10"
    assert preflight.last_whole_checkpoint(tmp_path, 2) is None  # the other process was still writing


def test_checkpoints_of_an_unknown_run_are_not_resumed(sft: ModuleType, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "out/checkpoint-2").mkdir(parents=True)
    (tmp_path / "out/checkpoint-2/trainer_state.json").write_text('{"global_step": 2}')
    (tmp_path / "out/checkpoint-2/rng_state.pth").touch()
    with pytest.raises(InputError, match="of another run"):
        sft.main(demo(tiny_model, tmp_path / "out"))


# Runs


def demo(model: Path, out: Path, *options: str) -> list[str]:
    config = ["--config", str(ROOT / "train/configs/demo.yaml"), "--model_name_or_path", str(model)]
    return [*config, "--mode", "l", "--output_dir", str(out), "--max_steps", "3", "--save_strategy", "no", *options]


def test_a_loss_that_is_no_number_stops_the_run(sft: ModuleType, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"the (loss|gradient) is (nan|inf) at step [23]\b"):
        sft.main(demo(tiny_model, tmp_path / "out", "--learning_rate", "1e38", "--optim", "sgd"))
    assert json.loads((tmp_path / "out/dfar_run.json").read_text())["status"] == "running"
    with pytest.raises(TrainingError, match=r"at step 2 \(rows mini-train-\d{4}(, mini-train-\d{4}){7}\)"):
        sft.main(demo(tiny_model, tmp_path / "rows", "--learning_rate", "1e38", "--max_grad_norm", "0"))


def test_a_run_is_recorded_and_not_done_twice(
    sft: ModuleType, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    sft.main(demo(tiny_model, out, "--drop_leaked", "true"))
    run = json.loads((out / "dfar_run.json").read_text())
    assert (run["schema_version"], run["status"], run["mode"], run["split"]) == (1, "finished", "l", "mini")
    assert (run["prompt"], run["method"], run["seed"]) == ("llama2.v1", "full", 42)
    assert run["data"]["row_ids"] == [record.row_hash(row.row_id) for row in MINI]
    assert run["data"]["left_out"] == {"leaked": 0}
    assert run["distribution"] == {"type": "NO", "zero_stage": None, "offload": [], "processes": 1, "device": "cpu"}
    assert [step["step"] for step in run["loss"]["history"]] == [1, 2, 3]
    assert run["speed"]["tokens_per_second"] > run["speed"]["examples_per_second"] > 0
    assert run["packages"]["trl"]
    assert run["base_model"]["parameters"] == run["base_model"]["trained"]
    arguments = json.dumps(run["arguments"])
    assert '"learning_rate": 0.002' in arguments
    assert str(out) not in arguments

    before = (out / "dfar_run.json").read_bytes()
    sft.main(demo(tiny_model, out, "--drop_leaked", "true"))
    assert "nothing to do" in capsys.readouterr().out
    with pytest.raises(InputError, match="with drop_leaked true, this one has false"):
        sft.main(demo(tiny_model, out))
    with pytest.raises(InputError, match=r"arguments.learning_rate 0.002, this one has 0.1"):
        sft.main(demo(tiny_model, out, "--drop_leaked", "true", "--learning_rate", "0.1"))
    assert (out / "dfar_run.json").read_bytes() == before


def test_another_world_size_or_other_data_is_another_run(tmp_path: Path) -> None:
    now = {"distribution": {"processes": 2}, "data": {"sha256": "a"}, "arguments": {"save_steps": 1, "output_dir": "x"}}
    record.refuse_another_run(now, {**now, "arguments": {"save_steps": 9, "output_dir": "y"}}, tmp_path)
    with pytest.raises(InputError, match=r"distribution.processes 2, this one has 1"):
        record.refuse_another_run(now, {**now, "distribution": {"processes": 1}}, tmp_path)
    with pytest.raises(InputError, match=r"data.sha256"):
        record.refuse_another_run(now, {**now, "data": {"sha256": "b"}}, tmp_path)


@pytest.mark.parametrize("content", ["", "[1]", '{"schema_version": 9}'])
def test_a_record_of_another_kind_is_refused(content: str, tmp_path: Path) -> None:
    assert record.read(tmp_path) is None
    (tmp_path / record.FILE).write_text(content)
    with pytest.raises(InputError, match=record.FILE):
        record.read(tmp_path)


@pytest.mark.parametrize("name", ["paper_llama2", "paper_mistral"])
@pytest.mark.parametrize("mode", prompts.MODES)
def test_the_papers_recipes_run_on_todays_trl(
    name: str, mode: str, sft: ModuleType, tiny_model: Path, tmp_path: Path
) -> None:
    # Without the 4-bit weights and the paged optimizer, which need a GPU.
    sft.main(
        ["--config", str(ROOT / f"train/configs/{name}.yaml"), "--model_name_or_path", str(tiny_model)]
        + ["--mode", mode, "--split", "mini", "--output_dir", str(tmp_path / "out"), "--max_steps", "2"]
        + ["--load_in_4bit", "false", "--dtype", "float32", "--optim", "adamw_torch", "--use_cpu", "true"]
    )
    run = json.loads((tmp_path / "out/dfar_run.json").read_text())
    assert run["status"] == "finished"
    assert run["prompt"] == f"{name.removeprefix('paper_')}.v1"
    assert run["arguments"]["lora_r"] == 64


def test_dry_run_prints_and_leaves_nothing(
    sft: ModuleType, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sft.main(demo(tiny_model, tmp_path / "out", "--dry_run", "true", "--max_steps", "-1"))
    printed = capsys.readouterr().out
    assert "rows                 124" in printed
    assert "steps                48\n" in printed  # 124 rows by 8, three times
    assert all(stage in printed for stage in ("ddp", "zero1", "zero2_offload", "zero3_offload"))
    assert not (tmp_path / "out").exists()


# Sizes


def test_memory_is_what_the_zero_paper_says_for_full_training() -> None:
    # Rajbhandari et al. 2020, table 1, counts 2 + 2 + 12 bytes; DeepSpeed's estimators count 4 more, for gradients.
    found = sizes.memory_by_stage(sizes.Sizes(10**9, 10**9, 10**8), 2, 8)
    assert found["ddp"][0] == 20 * 10**9
    assert found["zero2"][0] == 2 * 10**9 + 18 * 10**9 // 8
    assert found["zero1"][0] == found["zero2"][0] + 6 * 10**9 * 7 // 8
    assert found["zero3"][0] == 4 * 10**8 + 18 * 10**9 // 8
    assert found["zero2_offload"][0] == 2 * 10**9
    assert found["zero3_offload"][0] == 4 * 10**8


def test_frozen_weights_have_neither_gradients_nor_optimizer_states() -> None:
    found = sizes.memory_by_stage(sizes.Sizes(10**9, 10**6, 10**6), 2, 4)
    assert found["ddp"][0] == pytest.approx(2 * 10**9, rel=0.02)
    assert found["zero3"][0] == pytest.approx(5 * 10**8, rel=0.03)


def test_parameters_are_counted_without_weights(tiny_model: Path) -> None:
    from peft import LoraConfig
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(tiny_model)
    real = sum(p.numel() for p in AutoModelForCausalLM.from_pretrained(tiny_model).parameters())
    assert sizes.sizes(config, None).total == sizes.sizes(config, None).trainable == real
    lora = sizes.sizes(config, LoraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    assert lora.trainable == 2 * 4 * (32 + 32)
    assert lora.total == real + lora.trainable


def test_a_model_made_on_the_spot_is_the_same_each_time(tmp_path: Path) -> None:
    texts = [row.statement for row in MINI]
    make_model(tmp_path / "deep/one", texts)
    make_model(tmp_path / "two", texts)
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("deep/one", "two"))
    assert one == two
    make_model(tmp_path / "two", texts, hidden=64)  # left alone
    assert (tmp_path / "two/model.safetensors").read_bytes() == two
    assert {path.name for path in tmp_path.iterdir()} == {"deep", "two"}


def test_the_launcher_is_given_what_each_strategy_is_named_after() -> None:
    for path in sorted((ROOT / "ds_configs").glob("accelerate_zero*.yaml")):
        config = yaml.safe_load(path.read_text())
        name = path.stem.removeprefix("accelerate_")
        assert config["distributed_type"] == "DEEPSPEED"
        assert config["deepspeed_config"]["deepspeed_config_file"] == f"ds_configs/{name}.json"
        zero = json.loads((ROOT / f"ds_configs/{name}.json").read_text())["zero_optimization"]
        assert zero["stage"] == int(name[4])
        assert ("offload_optimizer" in zero) == name.endswith("_offload")


def test_plain_packing_keeps_its_rows_apart(sft: ModuleType, tiny_model: Path, tmp_path: Path) -> None:
    # Best-fit packing tells the rows of a line apart by a column that must reach the collator.
    losses = []
    for name, options in {"packed": ["--packing", "true", "--max_length", "512"], "apart": []}.items():
        out = tmp_path / name
        one_batch = ["--per_device_train_batch_size", "64", "--limit", "12", "--plain", "true", "--logging_steps", "1"]
        sft.main(demo(tiny_model, out, "--max_steps", "1", *one_batch, *options))
        losses.append(json.loads((out / "dfar_run.json").read_text())["loss"]["final"])
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_another_end_token_is_the_one_that_is_learned(sft: ModuleType, tiny_model: Path, tmp_path: Path) -> None:
    sft.main(demo(tiny_model, tmp_path / "out", "--eos_token", "<|end|>"))
    run = json.loads((tmp_path / "out/dfar_run.json").read_text())
    assert run["arguments"]["eos_token"] == "<|end|>"
    sft.main(demo(tiny_model, tmp_path / "usual"))
    assert json.loads((tmp_path / "usual/dfar_run.json").read_text())["loss"] != run["loss"]


def test_the_card_asks_with_the_prompt_that_was_trained(sft: ModuleType, tiny_model: Path, tmp_path: Path) -> None:
    sft.main(demo(tiny_model, tmp_path / "out", "--prompt", "mistral"))
    assert """dfar_mini_reason --metadata '{"prompt": "mistral"}'""" in (tmp_path / "out/README.md").read_text()


def test_all_weights_are_trained_in_32_bits(sft: ModuleType, tiny_model: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    sft.main(demo(tiny_model, tmp_path / "out", "--dtype", "bfloat16", "--bf16", "true"))
    kept = load_file(tmp_path / "out/model.safetensors")
    assert {tensor.dtype for tensor in kept.values()} == {torch.float32}


def test_steps_of_packed_rows_are_counted_by_their_tokens() -> None:
    training = SimpleNamespace(
        max_steps=-1,
        packing=True,
        max_length=100,
        num_train_epochs=2.0,
        per_device_train_batch_size=4,
        world_size=2,
        gradient_accumulation_steps=1,
    )
    assert sizes.steps(1000, 8000, training) == 20
    training.packing = False
    assert sizes.steps(1000, 8000, training) == 250
