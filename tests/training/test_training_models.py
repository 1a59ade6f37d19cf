"""Any causal language model: each architecture is trained, merged and scored, and our batches teach what rows teach.

The models are tiny and random, but their weights are spread widely enough (``initializer_range``) for every token's
position and every attended token to show in the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from harness import ROOT, evaluate
from safetensors.torch import load_file
from sft_runs import losses, record, sft

from dfar_bench.datasets import rows
from dfar_bench.errors import InputError
from dfar_bench.training.collator import SHARES_PREFIX, can_share_prefix
from dfar_bench.training.examples import IGNORED, Example, make_examples
from dfar_bench.training.merge import merge
from dfar_bench.training.modes import MODES
from dfar_bench.training.options import Options
from dfar_bench.training.scratch import make_tokenizer

LIMIT = 12
"""Training rows; fewer than a batch holds, so that every step sees all of them and losses can be compared."""

_SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 512}
_GATED = {**_SIZE, "num_key_value_heads": 2, "intermediate_size": 64}
_GEMMA3 = {**_GATED, "head_dim": 8, "layer_types": ["sliding_attention", "full_attention"]}

# Dropout is off, as a random loss equals no other.
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", _GATED),
    "gpt2": ("gpt2", {**_SIZE, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}),
    "opt": ("opt", {**_SIZE, "ffn_dim": 64, "word_embed_proj_dim": 32, "dropout": 0.0}),
    "gpt_neox": ("gpt_neox", {**_SIZE, "intermediate_size": 64, "attention_dropout": 0.0, "hidden_dropout": 0.0}),
    "qwen3": ("qwen3", {**_GATED, "head_dim": 8}),
    "gemma3": ("gemma3_text", {**_GEMMA3, "sliding_window": 512}),
    "gemma3_narrow": ("gemma3_text", {**_GEMMA3, "sliding_window": 64}),
    "phi3": ("phi3", _GATED),
    "mistral": ("mistral", {**_GATED, "sliding_window": 512}),
    "mistral_narrow": ("mistral", {**_GATED, "sliding_window": 64}),
    "qwen2": ("qwen2", _GATED),
    "bloom": ("bloom", {"hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "mixtral": ("mixtral", {**_GATED, "num_local_experts": 4}),
}
SHARING = ("llama", "gpt2", "opt", "gpt_neox", "qwen3", "gemma3", "phi3", "mistral", "qwen2")
NARROW = ("gemma3_narrow", "mistral_narrow")
EAGER = pytest.param("llama", {"attn_implementation": "eager"}, id="eager")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return make_tokenizer((f"{row.statement} {row.reason}" for row in rows("mini")["train"]), 600)


@pytest.fixture(scope="module")
def base(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes the folder of an untrained model, once."""
    from transformers import AutoConfig, AutoModelForCausalLM

    @cache
    def make(name: str) -> Path:
        kind, own = ARCHITECTURES[name]
        shared = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1, "initializer_range": 0.2}
        config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), **shared, **own)
        folder = tmp_path_factory.mktemp("base") / name
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            AutoModelForCausalLM.from_config(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="module")
def train(base: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Trains an architecture by the recipe of ``fast.yaml``, once for the same options; returns the output folder."""

    @cache
    def run(name: str, mode: str, *options: object) -> Path:
        folder = tmp_path_factory.mktemp("runs") / f"{name}-{mode}"
        sft("--config", ROOT / "train/configs/fast.yaml", "--model_name_or_path", base(name), "--output_dir", folder,
            "--mode", mode, "--split", "mini", "--limit", LIMIT, "--max_steps", 3, "--logging_steps", 1,
            "--save_strategy", "no", "--use_cpu", "true", "--bf16", "false", "--dtype", "float32",
            "--lora_dropout", 0, "--learning_rate", 5e-3, *options)  # fmt: skip
        return folder

    return run


def load(folder: Path, **how: Any) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype="float32", **how)


def training_rows(tokenizer: Any, mode: str, count: int) -> list[Example]:
    """Those that ``--limit`` takes: evenly spaced."""
    every = rows("mini")["train"]
    chosen = [every[number * len(every) // count] for number in range(count)]
    return make_examples(chosen, MODES[mode], Options(prompt="llama2"), tokenizer)


def plain_loss(model: Any, examples: Sequence[Example]) -> torch.Tensor:
    """Mean over learned tokens as in a textbook: each row alone, all its logits, no mask, no positions."""
    total, count = torch.zeros(()), 0
    for example in examples:
        targets = torch.tensor(example.labels[1:])
        logits = model(torch.tensor([example.input_ids])).logits[0, :-1]
        total = total + torch.nn.functional.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum")
        count += int((targets != IGNORED).sum())
    return total / count


@torch.no_grad()
def logits(model: Any, tokenizer: Any) -> torch.Tensor:
    """On a few statements that were not trained on."""
    ids = [tokenizer(row.statement)["input_ids"] for row in rows("mini")["test"][:3]]
    return torch.cat([model(torch.tensor([line])).logits[0] for line in ids])


def assert_trained(folder: Path, base: Path, tokenizer: Any, mode: str) -> None:
    """The first loss is that of the untrained model, whose adapter adds nothing yet; the last is lower."""
    assert record(folder)["status"] == "finished"
    with torch.no_grad():
        before = plain_loss(load(base), training_rows(tokenizer, mode, LIMIT)).item()
    assert losses(folder)[0] == pytest.approx(before, abs=1e-5)
    assert losses(folder)[-1] < before - 1e-3


@pytest.mark.parametrize(
    ("name", "mode"),
    [("llama", "l"), *((name, "lr") for name in ("llama", "gpt2", "opt", "gpt_neox", "qwen3", "gemma3", "phi3"))],
)
def test_it_trains_loads_and_merges(
    name: str, mode: str, base: Any, train: Any, tokenizer: Any, tmp_path: Path
) -> None:
    from peft import PeftModel

    folder = train(name, mode)
    run = record(folder)
    assert (run["base_model"]["type"], run["method"]) == (ARCHITECTURES[name][0], "lora")
    assert (run["data"]["rows"], run["loss"]["steps"], run["share_prefix"]) == (LIMIT, 3, True)
    adapter = load_file(folder / "adapter_model.safetensors")
    assert all(bool(tensor.any()) for tensor in adapter.values())
    assert sum(tensor.numel() for tensor in adapter.values()) == run["base_model"]["trained"] > 0
    assert_trained(folder, base(name), tokenizer, mode)

    untrained = logits(load(base(name)).eval(), tokenizer)
    trained = logits(PeftModel.from_pretrained(load(base(name)), folder).eval(), tokenizer)
    assert (trained - untrained).abs().max() > 0.05
    merge(folder, tmp_path / "merged")
    assert not list((tmp_path / "merged").glob("adapter*"))
    assert record(tmp_path / "merged")["merged"]
    torch.testing.assert_close(logits(load(tmp_path / "merged").eval(), tokenizer), trained, rtol=1e-5, atol=1e-5)


def test_lm_eval_scores_adapter_and_merged_model_alike(base: Any, train: Any, tmp_path: Path) -> None:
    merge(train("gemma3", "lr"), tmp_path / "merged")
    places = [{"pretrained": base("gemma3"), "peft": train("gemma3", "lr")}, {"pretrained": tmp_path / "merged"},
              {"pretrained": base("gemma3")}]  # fmt: skip
    scores = []
    for number, place in enumerate(places):
        arguments = ",".join(f"{key}={value}" for key, value in {**place, "dtype": "float32"}.items())
        how = {"model": "hf", "model_args": arguments, "limit": 4, "batch_size": 4, "device": "cpu"}
        samples = evaluate(tmp_path / str(number), "dfar_mini_cls", **how).samples("dfar_mini_cls")
        scores.append([float(likelihood) for sample in samples for likelihood, _ in sample["filtered_resps"]])
    adapter, merged, untrained = scores
    assert len(adapter) == 8
    assert merged == pytest.approx(adapter, abs=1e-4)
    assert untrained != pytest.approx(adapter, abs=0.01)


def test_merging_names_what_is_wrong(train: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no adapter_config\.json"):
        merge(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="exists"):
        merge(train("llama", "lr"), tmp_path)
    with pytest.raises(InputError, match="name it with --base"):
        merge(train("llama", "lr"), tmp_path / "out", base=str(tmp_path / "none"))
    assert not list(tmp_path.iterdir())


def trainer_of(
    model: Any, examples: Sequence[Example], tokenizer: Any, folder: Path, share_prefix: bool | None = None
) -> Any:
    """The trainer of ``train/sft.py``, on all weights of a model and one batch of rows."""
    from trl import SFTConfig

    from dfar_bench.training.trainer import DfarTrainer

    how = SFTConfig(output_dir=str(folder), per_device_train_batch_size=len(examples), max_length=None, use_cpu=True,
                    bf16=False, activation_checkpointing=False, report_to="none")  # fmt: skip
    return DfarTrainer(model=model, args=how, examples=examples, share_prefix=share_prefix, processing_class=tokenizer)


def batch_loss(trainer: Any, share: bool) -> torch.Tensor:
    """That of the trainer's only batch, padded or with a shared prefix, whatever the trainer would choose."""
    trainer.data_collator.share_prefix = share
    (batch,) = trainer.get_train_dataloader()
    lines = len(batch["input_ids"])  # one for L, two for L+R, whose texts do not all fit in one
    assert lines < len(trainer.examples) if share else lines == len(trainer.examples)
    return trainer.compute_loss(trainer.model, batch)


def gradients(model: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters()}


def assert_same_gradients(actual: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    """Each within 1e-4 of its own length; some are zero but for rounding, and are compared with the longest."""
    assert actual.keys() == expected.keys()
    longest = max(float(gradient.norm()) for gradient in expected.values())
    for name, gradient in expected.items():
        allowed = 1e-4 * max(float(gradient.norm()), 1e-3 * longest)
        assert float((actual[name] - gradient).norm()) <= allowed, name


def test_every_type_that_shares_is_tested() -> None:
    assert {ARCHITECTURES[name][0] for name in SHARING} == SHARES_PREFIX


@pytest.mark.parametrize("mode", ["l", "lr"])
@pytest.mark.parametrize("name", [*SHARING, *NARROW, "bloom"])
def test_a_batch_teaches_what_its_rows_teach(name: str, mode: str, base: Any, tokenizer: Any, tmp_path: Path) -> None:
    """Padded, or with a shared prefix, by our loss or by TRL's, which GPUs use: as separate rows, and all gradients."""
    examples = training_rows(tokenizer, mode, 4)
    assert len({len(example.input_ids) for example in examples}) > 1
    model = load(base(name)).train()
    trainer = trainer_of(model, examples, tokenizer, tmp_path)
    assert trainer.data_collator.share_prefix == (name in SHARING)
    expected = plain_loss(model, examples)
    expected_gradients = gradients(model, expected)
    assert not trainer.fused_lm_head  # this test runs on a CPU
    for share, trainer.fused_lm_head in product({False, name in SHARING}, (False, True)):
        loss = batch_loss(trainer, share)
        assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
        assert_same_gradients(gradients(model, loss), expected_gradients)


@pytest.mark.parametrize("name", ["gemma3", "mistral"])
def test_the_narrowest_window_that_shares(name: str, base: Any, tokenizer: Any, tmp_path: Path) -> None:
    """As wide as the longest row, so that every token of a row sees all others before it."""
    examples = training_rows(tokenizer, "lr", 4)
    longest = max(len(example.input_ids) for example in examples)
    model = load(base(name), sliding_window=longest)
    assert can_share_prefix(model.config, longest)
    assert not can_share_prefix(model.config, longest + 1)
    trainer = trainer_of(model, examples, tokenizer, tmp_path, share_prefix=True)
    assert batch_loss(trainer, True).item() == pytest.approx(plain_loss(model, examples).item(), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "how"), [*(pytest.param(name, {}, id=name) for name in (*NARROW, "bloom", "mixtral")), EAGER]
)
def test_sharing_is_refused_where_it_would_be_wrong(
    name: str, how: dict[str, str], base: Any, tokenizer: Any, tmp_path: Path
) -> None:
    """A window narrower than a row, a type without a test, and attention that would ignore the mask."""
    examples = training_rows(tokenizer, "l", 4)
    model = load(base(name), **how)
    trainer = trainer_of(model, examples, tokenizer, tmp_path)
    assert not trainer.data_collator.share_prefix
    with pytest.raises(InputError, match="share_prefix is not possible here"):
        trainer_of(model, examples, tokenizer, tmp_path, share_prefix=True)
    if name not in ("bloom", "mixtral"):
        expected = plain_loss(model, examples).item()
        assert batch_loss(trainer, False).item() == pytest.approx(expected, abs=1e-5)
        assert batch_loss(trainer, True).item() != pytest.approx(expected, abs=1e-3)


def test_padded_batches_train(base: Any, train: Any, tokenizer: Any) -> None:
    folder = train("bloom", "l")
    assert not record(folder)["share_prefix"]
    assert_trained(folder, base("bloom"), tokenizer, "l")


def test_a_mixture_of_experts_learns_to_use_all_experts(base: Any, train: Any, tokenizer: Any) -> None:
    """The loss is TRL's, which adds that of the router; so it is higher than that of the rows."""
    ours, plain = train("mixtral", "l"), train("mixtral", "l", "--plain", "true")
    assert [record(folder)["share_prefix"] for folder in (ours, plain)] == [False, False]
    assert losses(ours)[0] == pytest.approx(losses(plain)[0], abs=1e-5)
    assert losses(ours) == pytest.approx(losses(plain), abs=1e-4)
    with torch.no_grad():
        assert losses(ours)[0] > plain_loss(load(base("mixtral")), training_rows(tokenizer, "l", LIMIT)) + 1e-4


def test_plain_batches_have_the_same_losses(train: Any) -> None:
    """Over three batches of an epoch, so also in the same order; after the first, gradients have their effect."""
    three_batches = ("--per_device_train_batch_size", 4)
    ours, plain = train("llama", "lr", *three_batches), train("llama", "lr", *three_batches, "--plain", "true")
    assert [record(folder)["share_prefix"] for folder in (ours, plain)] == [True, False]
    assert losses(ours)[0] == pytest.approx(losses(plain)[0], abs=1e-5)
    assert losses(ours) == pytest.approx(losses(plain), abs=1e-4)
