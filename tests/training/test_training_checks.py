"""What a run refuses, records, estimates, and leaves behind."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from harness import ROOT
from safetensors.torch import load_file
from sft_runs import DEMO, demo, losses, record, sft

from dfar_bench.datasets import row_hash, rows
from dfar_bench.errors import InputError
from dfar_bench.files import TRAINING_RECORD
from dfar_bench.training import checks, modes
from dfar_bench.training import record as records
from dfar_bench.training.modes import MODES
from dfar_bench.training.options import Options
from dfar_bench.training.scratch import make_model
from dfar_bench.training.sizes import Sizes, count_parameters, memory_by_strategy
from dfar_bench.training.steady import TrainingError

MINI = rows("mini")["train"]


def test_leaked_rows_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    leaky = {"train": MINI, "test": tuple(replace(row, statement=row.statement.upper()) for row in MINI[::4])}
    monkeypatch.setattr(modes, "rows", lambda name: leaky)
    chosen, left_out = checks.choose_rows(MODES["l"], Options(split="mini", drop_leaked=True, limit=10))
    assert left_out == {"leaked": 31, "limit": 83}
    assert len({row.row_id for row in chosen}) == 10
    assert not {row.row_id for row in chosen} & {row.row_id for row in MINI[::4]}
    assert {row.domain for row in chosen} == {"justice", "commonsense"}


@pytest.mark.usefixtures("paper")
def test_training_on_leaked_rows_says_what_that_means() -> None:
    note = checks.leak_note(Options(split="paper"))
    assert note is not None
    assert note.startswith("189 of the 500 test statements are among the train rows")
    assert checks.leak_note(Options(split="paper", drop_leaked=True)) is None
    assert checks.leak_note(Options(split="mini")) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--load_in_4bit", "true", "--full", "false"], "needs a GPU"),
        (["--load_in_4bit", "true", "--full", "true"], "leave one of the two out"),
        (["--packing", "true"], "--plain true"),
        (["--neftune_noise_alpha", "5"], "--share_prefix false"),
        (["--zero_stage", "2"], "no DeepSpeed"),
        (["--plain", "true", "--share_prefix", "true"], "leave one of the two out"),
        (["--resume_from_checkpoint", "x"], "--resume_from_checkpoint is not used here"),
        (["--eval_strategy", "epoch"], "--eval_strategy is not used here"),
        (["--train_sampling_strategy", "sequential"], "random or group_by_length"),
        (["--full", "false", "--lora_r", "0"], "--lora_r is 0"),
        (["--full", "false", "--lora_target_modules", "nothing"], "other --lora_target_modules"),
        (["--split", "none"], "no data set 'none'"),
        (["--split", "ethos"], "--mode l cannot be trained on --split ethos: choose one of paper, clean, mini"),
        (["--limit", "0"], "--limit is 0"),
        (["--mode", "moralis"], "--mode moralis cannot be trained on --split mini: choose one of games"),
        (["--mode", "moralis", "--split", "games", "--kappa", "2"], "--kappa is 2.0: it must be from 0 to 1"),
        (["--mode", "oeconomicus", "--kappa", "1"], "--kappa is for moralis, not for --mode oeconomicus"),
        (["--reasons", "true"], "--reasons is for oeconomicus, moralis, not for --mode l"),
        (["--prompt", "none"], "no prompt style 'none'"),
        (["--mode", "none"], "no mode 'none': choose one of l, lr"),
        (["--max_length", "30"], "longer than the 30 tokens"),
        (["--model_name_or_path", "no/such/model"], "no/such/model cannot be loaded"),
        (["--bf16", "true", "--fp16", "true"], "these options cannot be used"),
        (["--config=no.yaml"], "no.yaml"),
        (["--eos_token", "<none>"], "--eos_token <none> is not in the vocabulary"),
        (["--pad_token", "<none>"], "--pad_token <none> is not in the vocabulary"),
        (["--output_dir", "/proc/out"], "--output_dir /proc/out cannot be written"),
        (["--save_total_limit", "1000000000000"], "GB free, but checkpoints and model need"),
        (["--share_prefix", "true", "--attn_implementation", "eager"], "share_prefix is not possible here"),
    ],
)
def test_impossible_runs_are_refused_without_a_model(
    options: list[str], message: str, tiny_model: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if "ethos" in options:
        request.getfixturevalue("paper")
    config = () if "--config=no.yaml" in options else DEMO
    with pytest.raises(InputError, match=message):
        sft(*config, "--model_name_or_path", tiny_model, "--mode", "l", "--output_dir", tmp_path / "out", *options)
    assert not list(tmp_path.rglob("*.safetensors"))
    assert (tmp_path / "out").exists() == ("GB free" in message or "share_prefix is" in message)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ACCELERATE_USE_CPU": "true"}, "accelerate launch --cpu ignores the DeepSpeed part"),
        (
            {"ACCELERATE_USE_DEEPSPEED": "true", "CXX": "no/c++"},
            r"DeepSpeed on CPUs needs a C\+\+ compiler \(no/c\+\+\)",
        ),
    ],
)
def test_launches_that_cannot_work_are_refused(
    variables: dict[str, str], message: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=message):
        demo(tiny_model, tmp_path / "out")


def test_missing_and_unknown_options_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--mode is missing"):
        sft("--model_name_or_path", "M")
    with pytest.raises(InputError, match="--model_name_or_path is missing"):
        sft("--mode", "l")
    (tmp_path / "typo.yaml").write_text("learning_rat: 1.0e-4\n")
    with pytest.raises(InputError, match="learning_rat"):
        sft("--config", tmp_path / "typo.yaml", "--mode", "l", "--model_name_or_path", "M")


def test_an_incomplete_checkpoint_is_skipped_and_that_of_another_run_refused(tiny_model: Path, tmp_path: Path) -> None:
    for name, state in (("2", '{"global_step": 2}'), ("10", '{"global_step": 10}'), ("20", '{"glob'), ("x", "{}")):
        (tmp_path / f"checkpoint-{name}").mkdir()
        (tmp_path / f"checkpoint-{name}" / "trainer_state.json").write_text(state)
        (tmp_path / f"checkpoint-{name}" / "rng_state.pth").touch()
    (tmp_path / "checkpoint-30").mkdir()
    assert checks.last_complete_checkpoint(tmp_path, 1) == tmp_path / "checkpoint-10"
    assert checks.last_complete_checkpoint(tmp_path, 2) is None  # the other process was still writing
    with pytest.raises(InputError, match="from another run"):
        demo(tiny_model, tmp_path)


# Runs


def test_numbers_that_are_not_finite_stop_the_run(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"the (loss|gradient) is (nan|inf) at step [23]\b"):
        demo(tiny_model, tmp_path / "out", "--learning_rate", "1e38", "--optim", "sgd")
    assert record(tmp_path / "out")["status"] == "running"
    with pytest.raises(TrainingError, match=r"at step 2 \(rows mini-train-\d{4}(, mini-train-\d{4}){7}\)"):
        demo(tiny_model, tmp_path / "rows", "--learning_rate", "1e38", "--max_grad_norm", "0")


def test_a_run_is_recorded_and_not_repeated(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    # All weights are trained in 32 bits, whatever --dtype says; and the card asks with the prompt of the training.
    options = ("--drop_leaked", "true", "--dtype", "bfloat16", "--bf16", "true", "--prompt", "mistral")
    demo(tiny_model, out, *options)
    run = record(out)
    assert (run["schema_version"], run["status"], run["mode"], run["split"]) == (1, "finished", "l", "mini")
    assert (run["prompt"], run["method"], run["seed"]) == ("mistral.v1", "full", 42)
    assert run["data"]["row_ids"] == [row_hash(row.row_id) for row in MINI]
    assert run["data"]["left_out"] == {"leaked": 0}
    assert run["distribution"] == {"type": "NO", "zero_stage": None, "offload": [], "processes": 1, "device": "cpu"}
    assert [step["step"] for step in run["loss"]["history"]] == [1, 2, 3]
    assert run["speed"]["tokens_per_second"] > run["speed"]["examples_per_second"] > 0
    assert run["packages"]["trl"]
    assert run["base_model"]["parameters"] == run["base_model"]["trained"]
    assert run["arguments"]["learning_rate"] == 0.002
    assert str(out) not in json.dumps(run["arguments"])
    assert {tensor.dtype for tensor in load_file(out / "model.safetensors").values()} == {torch.float32}
    card = (out / "README.md").read_text()
    assert """dfar_mini_reason --metadata '{"prompt": "mistral"}'""" in card
    assert "labels alone (L)" in card
    assert run["data"]["sha256"] in card
    assert str(tmp_path) not in card

    before = (out / "dfar_run.json").read_bytes()
    demo(tiny_model, out, *options, "--save_total_limit", "9")
    assert "nothing to do" in capsys.readouterr().out
    with pytest.raises(InputError, match="with drop_leaked true, but this one has false"):
        demo(tiny_model, out, *options[2:])
    with pytest.raises(InputError, match=r"arguments.learning_rate 0.002, but this one has 0.1"):
        demo(tiny_model, out, *options, "--learning_rate", "0.1")
    with pytest.raises(InputError, match=r"distribution\.processes 1, but this one has 2"):
        records.refuse_another_run(run, {**run, "distribution": {**run["distribution"], "processes": 2}}, out)
    old, new = ({**run, "base_model": {**run["base_model"], "commit": commit}} for commit in ("a", "b"))
    with pytest.raises(InputError, match=r'base_model\.commit "a", but this one has "b"'):
        records.refuse_another_run(old, new, out)
    del old["base_model"]["commit"]  # as in records of earlier versions
    records.refuse_another_run(old, new, out)
    assert (out / "dfar_run.json").read_bytes() == before


def test_a_run_killed_after_its_last_checkpoint_trains_no_further(tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        demo(tiny_model, out, "--save_strategy", "steps", "--save_steps", 3)
        run, weights = record(out), load_file(out / "model.safetensors")
        if run["resumed_from_step"] is None:
            first, trained = run, weights
            records.write(out, {**run, "status": "running"})
    assert run["resumed_from_step"] == 3
    assert run["loss"] == first["loss"]
    assert all(tensor.equal(trained[name]) for name, tensor in weights.items())


def test_the_commit_of_the_base_model_is_recorded(tiny_model: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "models--a--b/snapshots" / ("0" * 40)  # as in the Hub's cache
    shutil.copytree(tiny_model, snapshot)
    demo(snapshot, tmp_path / "out", "--limit", 8, "--max_steps", 1)
    assert record(tmp_path / "out")["base_model"]["commit"] == "0" * 40
    assert records.base_commit(str(tiny_model), "main") is None


@pytest.mark.parametrize("content", ["", "[1]", '{"schema_version": 9}'])
def test_an_unreadable_record_is_refused(content: str, tmp_path: Path) -> None:
    assert records.read(tmp_path) is None
    (tmp_path / TRAINING_RECORD).write_text(content)
    with pytest.raises(InputError, match=TRAINING_RECORD):
        records.read(tmp_path)


@pytest.mark.parametrize(("name", "mode"), [("paper_llama2", "lr"), ("paper_mistral", "l")])
def test_the_recipes_of_the_paper_run_on_the_current_trl(
    name: str, mode: str, tiny_model: Path, tmp_path: Path
) -> None:
    # Without 4-bit weights and the paged optimizer, which need a GPU.
    out = tmp_path / "out"
    sft("--config", ROOT / f"train/configs/{name}.yaml", "--model_name_or_path", tiny_model, "--mode", mode,
        "--split", "mini", "--output_dir", out, "--max_steps", 2, "--load_in_4bit", "false", "--dtype", "float32",
        "--optim", "adamw_torch", "--use_cpu", "true")  # fmt: skip
    assert record(out)["status"] == "finished"
    assert record(out)["prompt"] == f"{name.removeprefix('paper_')}.v1"
    assert record(out)["arguments"]["lora_r"] == 64


def test_plain_packing_keeps_rows_separate(tiny_model: Path, tmp_path: Path) -> None:
    # Best-fit packing marks the rows of a line in a column that must reach the collator.
    final = []
    for name, options in {"packed": ("--packing", "true", "--max_length", 512), "separate": ()}.items():
        one_batch = ("--max_steps", 1, "--per_device_train_batch_size", 64, "--limit", 12, "--plain", "true")
        demo(tiny_model, tmp_path / name, *one_batch, *options)
        final += losses(tmp_path / name)
        speed = record(tmp_path / name)["speed"]  # without padding
        counted = speed["tokens_per_second"] * speed["seconds"]
        assert counted == pytest.approx(record(tmp_path / name)["data"]["tokens"])
    assert final[0] == pytest.approx(final[1], abs=1e-5)


def test_the_end_token_can_be_chosen(tiny_model: Path, tmp_path: Path) -> None:
    for name, options in {"other": ("--eos_token", "<|end|>"), "usual": ()}.items():
        demo(tiny_model, tmp_path / name, "--max_steps", 1, "--limit", 8, *options)
    assert record(tmp_path / "other")["arguments"]["eos_token"] == "<|end|>"
    assert losses(tmp_path / "other") != losses(tmp_path / "usual")


def test_a_dry_run_prints_and_leaves_nothing(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo(tiny_model, tmp_path / "out", "--dry_run", "true", "--max_steps", -1)
    printed = capsys.readouterr().out
    assert "rows                 124" in printed
    assert "steps                48\n" in printed  # 124 rows by 8, three times
    assert all(strategy in printed for strategy in ("ddp", "zero1", "zero2_offload", "zero3_offload"))
    assert not (tmp_path / "out").exists()


# Sizes


@pytest.mark.parametrize(("frozen", "devices"), [(0, 8), (10**9, 4)])
def test_memory_agrees_with_deepspeed(frozen: int, devices: int) -> None:
    from deepspeed.runtime.zero.stage3 import estimate_zero3_model_states_mem_needs as zero3
    from deepspeed.runtime.zero.stage_1_and_2 import estimate_zero2_model_states_mem_needs as zero2

    trained, layer = 10**8, 10**7
    memory = memory_by_strategy(Sizes(frozen + trained, trained, layer, 2), devices)
    for offload, end in ((False, ""), (True, "_offload")):
        host, device = zero2(trained, num_gpus_per_node=devices, cpu_offload=offload)
        assert memory[f"zero2{end}"] == pytest.approx((2 * frozen + device, offload * host))
        host, device, _ = zero3(trained, layer, devices, cpu_offload=offload, cpu_offload_params=offload)
        own = 2 * frozen / devices
        assert memory[f"zero3{end}"] == pytest.approx((device + own * (not offload), offload * (2 * frozen + host)))
    assert memory["ddp"][0] == memory_by_strategy(Sizes(frozen + trained, trained, layer, 2), 1)["zero2"][0]
    assert memory["zero2"][0] < memory["zero1"][0] < memory["ddp"][0]


def test_parameters_are_counted_without_weights(tiny_model: Path) -> None:
    from peft import LoraConfig
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(tiny_model)
    whole = sum(tensor.numel() for tensor in load_file(tiny_model / "model.safetensors").values())
    assert count_parameters(config, None).total == count_parameters(config, None).trainable == whole
    lora = count_parameters(config, LoraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    assert lora.trainable == 2 * 4 * (32 + 32)
    assert lora.total == whole + lora.trainable


def test_a_scratch_model_is_the_same_each_time_and_is_not_overwritten(tmp_path: Path) -> None:
    one, two = tmp_path / "deep/one", tmp_path / "two"
    make_model(one, [row.statement for row in MINI])
    make_model(two, [row.statement for row in MINI])
    make_model(two, ["other"], hidden=64)
    assert (one / "model.safetensors").read_bytes() == (two / "model.safetensors").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"deep", "two"}
