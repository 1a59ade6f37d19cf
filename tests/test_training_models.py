"""Any causal language model: each architecture is trained, merged and scored, and the fast way is the plain way.

The models are tiny and random, but their weights are spread widely enough (``initializer_range``) for every token's
position and every attended token to show in the loss.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from conftest import ROOT

from dfar_bench.data import rows
from dfar_bench.errors import InputError
from dfar_bench.training.examples import IGNORED, SHARES_PREFIX, Collator, Example, can_share_prefix, examples
from dfar_bench.training.scratch import make_tokenizer

MODES = ("l", "lr")
LIMIT = 12
"""Training rows; fewer than a batch holds, so that every step sees all of them and losses can be compared."""

_SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 512}
_GATED = {**_SIZE, "num_key_value_heads": 2, "intermediate_size": 64}
_GEMMA3 = {**_GATED, "head_dim": 8, "layer_types": ["sliding_attention", "full_attention"]}

# Dropout is off: a random loss equals no other.
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
NAMED = ("llama", "gpt2", "opt", "gpt_neox", "qwen3", "gemma3", "phi3")
"""Trained, loaded, merged and scored; the others stand for what is special about them."""

SHARING = (*NAMED, "mistral", "qwen2")
NARROW = ("gemma3_narrow", "mistral_narrow")
NOT_SHARING = (*NARROW, "bloom", "mixtral")


@cache
def script(name: str) -> ModuleType:
    """A script of ``train/``, which is no package, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "train" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where TrlParser looks for the types of the arguments
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """For matrices of this size, further threads are slower, and much so where other work runs beside the tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tokenizer():
    return make_tokenizer((f"{row.statement} {row.reason}" for row in rows("mini")["train"]), 600)


@pytest.fixture(scope="session")
def base(tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes the folder of an untrained model."""
    from transformers import AutoConfig, AutoModelForCausalLM

    @cache
    def made(name: str) -> Path:
        kind, own = ARCHITECTURES[name]
        shared = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1, "initializer_range": 0.2}
        config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), **shared, **own)
        folder = tmp_path_factory.mktemp("base") / name
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            AutoModelForCausalLM.from_config(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def train(base: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Runs ``train/sft.py`` on an architecture, once for the same arguments; gives its output folder."""

    @cache
    def run(name: str, mode: str, *more: str) -> Path:
        folder = tmp_path_factory.mktemp("runs") / f"{name}-{mode}"
        words = {
            "config": ROOT / "train" / "configs" / "fast.yaml",
            "model_name_or_path": base(name),
            "output_dir": folder,
            "mode": mode,
            "split": "mini",
            "limit": LIMIT,
            "max_steps": 3,
            "logging_steps": 1,
            "save_strategy": "no",
            "use_cpu": "true",
            "bf16": "false",
            "dtype": "float32",
            "lora_dropout": 0,
            "learning_rate": 5e-3,
        }
        script("sft").main([*(str(part) for key, value in words.items() for part in (f"--{key}", value)), *more])
        return folder

    return run


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "dfar_run.json").read_text())


def losses(folder: Path) -> list[float]:
    return [entry["loss"] for entry in record(folder)["loss"]["history"]]


def load(folder: Path, **how: Any):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype="float32", **how)


def adapted(folder: Path, adapter: Path):
    from peft import PeftModel

    return PeftModel.from_pretrained(load(folder), adapter).eval()


def training_rows(tokenizer, mode: str, count: int) -> list[Example]:
    """Those that ``--limit`` takes: spread evenly over the file."""
    found = rows("mini")["train"]
    return examples([found[n * len(found) // count] for n in range(count)], "llama2", mode, tokenizer)


def plain_loss(model, made: Sequence[Example]) -> torch.Tensor:
    """Mean over learned tokens as a textbook has it: each row alone, all its logits, no mask, no positions."""
    summed, count = torch.zeros(()), 0
    for one in made:
        targets = torch.tensor(one.labels[1:])
        logits = model(torch.tensor([one.input_ids])).logits[0, :-1]
        summed = summed + torch.nn.functional.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum")
        count += int((targets != IGNORED).sum())
    return summed / count


@torch.no_grad()
def log_likelihood(model, tokenizer, context: str, continuation: str) -> float:
    """Of a continuation, tokenized together with its context."""
    begin, ids = len(tokenizer(context)["input_ids"]), torch.tensor(tokenizer(context + continuation)["input_ids"])
    scores = model(ids[None]).logits[0, :-1].log_softmax(-1)
    return scores.gather(1, ids[1:, None])[begin - 1 :].sum().item()


@torch.no_grad()
def logits(model, tokenizer) -> torch.Tensor:
    """On a few statements that were not trained on."""
    ids = [tokenizer(row.statement)["input_ids"] for row in rows("mini")["test"][:3]]
    return torch.cat([model(torch.tensor([one])).logits[0] for one in ids])


@pytest.fixture(scope="session")
def merged(train: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Runs ``train/merge.py`` on a trained adapter, once."""

    @cache
    def run(name: str, mode: str) -> Path:
        folder = tmp_path_factory.mktemp("merged") / f"{name}-{mode}"
        script("merge").merge(train(name, mode), folder, None, None)
        return folder

    return run


def untrained_loss(folder: Path, made: Sequence[Example]) -> float:
    with torch.no_grad():
        return plain_loss(load(folder), made).item()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMED)
def test_it_trains(name: str, mode: str, base, train, tokenizer) -> None:
    """The first loss is the untrained model's, whose adapter adds nothing yet; the last is lower."""
    from safetensors.torch import load_file

    folder = train(name, mode)
    run = record(folder)
    assert (run["status"], run["base_model"]["type"]) == ("finished", ARCHITECTURES[name][0])
    assert (run["data"]["rows"], run["loss"]["steps"], run["share_prefix"]) == (LIMIT, 3, True)
    adapter = load_file(folder / "adapter_model.safetensors")
    assert all(bool(tensor.any()) for tensor in adapter.values())
    assert sum(tensor.numel() for tensor in adapter.values()) == run["base_model"]["trained"] > 0
    before = untrained_loss(base(name), training_rows(tokenizer, mode, LIMIT))
    assert losses(folder)[0] == pytest.approx(before, abs=1e-5)
    assert losses(folder)[-1] < before - 1e-3


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMED)
def test_peft_loads_it_and_merging_changes_nothing(name: str, mode: str, base, train, merged, tokenizer) -> None:
    untrained = logits(load(base(name)).eval(), tokenizer)
    trained = logits(adapted(base(name), train(name, mode)), tokenizer)
    assert (trained - untrained).abs().max() > 0.05
    folder = merged(name, mode)
    assert not list(folder.glob("adapter*"))
    alone = logits(load(folder).eval(), tokenizer)
    torch.testing.assert_close(alone, trained, rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="session")
def score() -> Callable[..., list[dict[str, Any]]]:
    """What the stock harness logs for each statement."""
    import lm_eval
    from lm_eval.tasks import TaskManager

    manager = TaskManager()

    def scored(**model_args: Path) -> list[dict[str, Any]]:
        results = lm_eval.simple_evaluate(
            model="hf",
            model_args=",".join(f"{name}={value}" for name, value in {**model_args, "dtype": "float32"}.items()),
            tasks=["dfar_mini_cls"],
            limit=4,
            batch_size=4,
            device="cpu",
            bootstrap_iters=0,
            task_manager=manager,
        )
        assert results is not None
        return results["samples"]["dfar_mini_cls"]

    return scored


@pytest.mark.parametrize("name", NAMED)
def test_the_harness_scores_it(name: str, base, train, merged, score, tokenizer) -> None:
    """Adapter and merged model get the log-likelihoods that PEFT's model gives by itself."""
    model = adapted(base(name), train(name, "l"))
    with_adapter, alone = score(pretrained=base(name), peft=train(name, "l")), score(pretrained=merged(name, "l"))
    assert len(with_adapter) == len(alone) == 4
    for sample, other in zip(with_adapter, alone):
        assert sample["doc"] == other["doc"]
        found, again = ([likelihood for likelihood, _ in one["filtered_resps"]] for one in (sample, other))
        expected = [log_likelihood(model, tokenizer, *asked) for asked in sample["arguments"]]
        assert [continuation for _, continuation in sample["arguments"]] == [" ethical", " unethical"]
        assert found == pytest.approx(expected, abs=1e-4)
        assert again == pytest.approx(found, abs=1e-4)
        with model.disable_adapter():
            untrained = [log_likelihood(model, tokenizer, *asked) for asked in sample["arguments"]]
        assert found != pytest.approx(untrained, abs=0.01)


def trainer_of(model, made: Sequence[Example], tokenizer, output: Path, share_prefix: bool | None = None):
    """The trainer of ``train/sft.py``, on all weights of a model and one batch of rows."""
    from trl import SFTConfig

    from dfar_bench.training.trainer import DfarTrainer

    how = SFTConfig(
        output_dir=str(output),
        per_device_train_batch_size=len(made),
        max_length=None,
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        report_to="none",
    )
    return DfarTrainer(
        model=model,
        args=how,
        made=made,
        share_prefix=share_prefix,
        data_collator=Collator(tokenizer.pad_token_id),
        processing_class=tokenizer,
    )


def batch_loss(trainer, share: bool) -> torch.Tensor:
    """Of the trainer's only batch, padded or behind one prefix, whatever the trainer would choose."""
    trainer.data_collator.share_prefix = share
    (batch,) = trainer.get_train_dataloader()
    lines = len(batch["input_ids"])  # one for L, two for L+R, whose texts do not all fit in one
    assert lines < len(trainer.made) if share else lines == len(trainer.made)
    return trainer.compute_loss(trainer.model, batch)


def gradients(model, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters()}


def assert_same_gradients(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    """Each within 1e-4 of its own length; some are zero but for rounding, and are compared to the longest."""
    assert found.keys() == expected.keys()
    longest = max(float(gradient.norm()) for gradient in expected.values())
    for name, gradient in expected.items():
        allowed = 1e-4 * max(float(gradient.norm()), 1e-3 * longest)
        assert float((found[name] - gradient).norm()) <= allowed, name


def test_every_type_that_shares_is_tested() -> None:
    assert {ARCHITECTURES[name][0] for name in SHARING} == SHARES_PREFIX
    assert {*SHARING, *NOT_SHARING} == {*ARCHITECTURES}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [*SHARING, *NARROW, "bloom"])
def test_a_batch_teaches_what_its_rows_teach(name: str, mode: str, base, tokenizer, tmp_path: Path) -> None:
    """Padded, or in one line behind the common beginning: the loss and all gradients are those of separate rows."""
    made = training_rows(tokenizer, mode, 4)
    assert len({len(one.input_ids) for one in made}) > 1
    model = load(base(name)).train()
    trainer = trainer_of(model, made, tokenizer, tmp_path)
    assert trainer.data_collator.share_prefix == (name in SHARING)
    expected = plain_loss(model, made)
    expected_gradients = gradients(model, expected)
    for share in {False, name in SHARING}:
        loss = batch_loss(trainer, share)
        assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
        assert_same_gradients(gradients(model, loss), expected_gradients)


@pytest.mark.parametrize("name", ["gemma3", "mistral"])
def test_the_narrowest_window_that_shares(name: str, base, tokenizer, tmp_path: Path) -> None:
    """As wide as the longest row, so that no row has a token that it leaves out."""
    made = training_rows(tokenizer, "lr", 4)
    longest = max(len(one.input_ids) for one in made)
    model = load(base(name), sliding_window=longest)
    assert can_share_prefix(model.config, longest)
    assert not can_share_prefix(model.config, longest + 1)
    trainer = trainer_of(model, made, tokenizer, tmp_path, share_prefix=True)
    assert batch_loss(trainer, True).item() == pytest.approx(plain_loss(model, made).item(), abs=1e-5)


EAGER = pytest.param("llama", {"attn_implementation": "eager"}, id="eager")


@pytest.mark.parametrize(("name", "how"), [*(pytest.param(name, {}, id=name) for name in NOT_SHARING), EAGER])
def test_sharing_is_refused(name: str, how: dict[str, str], base, tokenizer, tmp_path: Path) -> None:
    """A type without a test, a mask that would be ignored, and a window narrower than a row."""
    made = training_rows(tokenizer, "l", 4)
    model = load(base(name), **how)
    assert not can_share_prefix(model.config, max(len(one.input_ids) for one in made))
    assert not trainer_of(model, made, tokenizer, tmp_path).data_collator.share_prefix
    with pytest.raises(InputError, match="share_prefix is not possible here"):
        trainer_of(model, made, tokenizer, tmp_path, share_prefix=True)


@pytest.mark.parametrize(("name", "how"), [*(pytest.param(name, {}, id=name) for name in NARROW), EAGER])
def test_where_sharing_is_refused_it_would_be_wrong(
    name: str, how: dict[str, str], base, tokenizer, tmp_path: Path
) -> None:
    made = training_rows(tokenizer, "l", 4)
    model = load(base(name), **how)
    trainer = trainer_of(model, made, tokenizer, tmp_path)
    expected = plain_loss(model, made).item()
    assert batch_loss(trainer, False).item() == pytest.approx(expected, abs=1e-5)
    assert batch_loss(trainer, True).item() != pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", ["bloom", *NARROW])
def test_the_padded_way_trains(name: str, base, train, tokenizer) -> None:
    folder = train(name, "l")
    run = record(folder)
    assert (run["status"], run["share_prefix"]) == ("finished", False)
    before = untrained_loss(base(name), training_rows(tokenizer, "l", LIMIT))
    assert losses(folder)[0] == pytest.approx(before, abs=1e-5)
    assert losses(folder)[-1] < before - 1e-3


def test_a_mixture_of_experts_is_also_taught_to_use_them_all(base, train, tokenizer) -> None:
    """The loss is TRL's, which adds the router's; that is what makes it more than the rows' own."""
    ours, plain = train("mixtral", "l"), train("mixtral", "l", "--plain", "true")
    assert [record(folder)["share_prefix"] for folder in (ours, plain)] == [False, False]
    assert losses(ours)[0] == pytest.approx(losses(plain)[0], abs=1e-5)
    assert losses(ours) == pytest.approx(losses(plain), abs=1e-4)
    assert losses(ours)[0] > untrained_loss(base("mixtral"), training_rows(tokenizer, "l", LIMIT)) + 1e-4


@pytest.mark.parametrize("mode", MODES)
def test_the_plain_way_has_the_same_losses(mode: str, train) -> None:
    """Over three batches of an epoch, so in the same order as well; after the first, gradients have their say."""
    three_batches = ("--per_device_train_batch_size", "4")
    ours, plain = train("llama", mode, *three_batches), train("llama", mode, *three_batches, "--plain", "true")
    assert [record(folder)["share_prefix"] for folder in (ours, plain)] == [True, False]
    assert losses(ours)[0] == pytest.approx(losses(plain)[0], abs=1e-5)
    assert losses(ours) == pytest.approx(losses(plain), abs=1e-4)
