"""What training takes: computed from the shapes of models, as ``--dry_run`` does it, and from stated assumptions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import chain, count
from typing import Any

import yaml

from dfar_bench.datasets import rows
from dfar_bench.training.modes import MODES
from dfar_bench.training.options import Options
from dfar_bench.training.sizes import Sizes, count_parameters, memory_by_strategy, weight_bytes
from tables.formats import ROOT, table

CARD_GB, CARD_TFLOPS = 80, 312
"""Memory and peak rate in bfloat16 of an NVIDIA A100 80 GB."""
OF_MEMORY, OF_PEAK = 0.8, 0.3
"""What of both is used: the rest of the memory is left to activations."""
CHARACTERS_PER_TOKEN = 4
MODELS = {
    "1B": (2048, 5632, 22, 32, 4),
    "7B": (4096, 11008, 32, 32, 32),
    "70B": (8192, 28672, 80, 64, 8),
}
"""The shapes of TinyLlama 1.1B and of Llama 2: hidden size, intermediate size, layers, heads, key-value heads."""


@dataclass(frozen=True)
class Method:
    """A way to train.

    Attributes:
        operations: floating-point operations for each parameter and token. A pass forward takes 2, and is made twice
            with activation checkpointing; a pass back takes 2 for the activations, and 2 for the weights that are
            trained.
        settings: of TRL's ``ModelConfig``.
    """

    operations: int
    settings: dict[str, Any]


METHODS = {
    "LoRA, bf16": Method(6, {"use_peft": True}),
    "QLoRA": Method(6, {"use_peft": True, "load_in_4bit": True}),
    "full": Method(8, {}),
}


@cache
def recipe() -> dict[str, Any]:
    """Read the default recipe."""
    text = (ROOT / "train" / "configs" / MODES["lr"].recipe).read_text(encoding="utf-8")
    settings: dict[str, Any] = yaml.safe_load(text)
    return settings


@cache
def tokens(mode: str) -> float:
    """Estimate the tokens of all epochs on the clean split, with nothing shared."""
    options = Options(mode=mode, split="clean", prompt="llama2")
    characters = sum(len("".join(MODES[mode].text(options, row))) for row in rows("clean")["train"])
    return float(recipe()["num_train_epochs"] * characters / CHARACTERS_PER_TOKEN)


def size(shape: tuple[int, ...], method: Method) -> Sizes:
    """Count the parameters of a Llama, and those that are trained."""
    from transformers import LlamaConfig
    from trl import ModelConfig

    from dfar_bench.training.adapters import lora_config

    adapter = {name: value for name, value in recipe().items() if name.startswith("lora_")}
    model = ModelConfig(dtype=recipe()["dtype"], **adapter, **method.settings)
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
    config = LlamaConfig(vocab_size=32_000, **dict(zip(names, shape)))
    return count_parameters(config, lora_config(model, config) if model.use_peft else None, weight_bytes(model, config))


def fewest(sizes: Sizes) -> tuple[int, str, float]:
    """Return how many cards hold the model and its optimizer, the strategy, and the bytes on each."""
    for cards in chain((1, 2, 4), count(8, 8)):
        strategy = "ddp" if cards == 1 else "zero3"
        on_each = memory_by_strategy(sizes, cards)[strategy][0]
        if on_each <= OF_MEMORY * CARD_GB * 1e9:
            return cards, strategy, on_each
    raise AssertionError


def duration(seconds: float) -> str:
    """Format a time with two digits."""
    return f"{seconds / 3600:.2g} h" if seconds >= 3600 else f"{seconds / 60:.2g} min"


def what_it_takes() -> str:
    lines = []
    for name, shape in MODELS.items():
        for title, method in METHODS.items():
            sizes = size(shape, method)
            cards, strategy, on_each = fewest(sizes)
            rate = cards * OF_PEAK * CARD_TFLOPS * 1e12
            seconds = (method.operations * sizes.total * tokens(mode) / rate for mode in ("l", "lr"))
            share = "all" if sizes.trainable == sizes.total else f"{sizes.trainable / 1e6:.0f}M"
            cells = (f"`{strategy}`", f"{on_each / 1e9:.3g}", *map(duration, seconds))
            lines.append([name, title, f"{sizes.total / 1e9:.3g}B", share, cards, *cells])
    return table("model|method|parameters|trained|GPUs|configuration|GB on each|time, L|time, L+R", lines)


def training_assumptions() -> str:
    clean, epochs = len(rows("clean")["train"]), recipe()["num_train_epochs"]
    total = " and ".join(f"{tokens(mode) / 1e6:.2g} million tokens for {MODES[mode].title}" for mode in ("l", "lr"))
    least, most = (METHODS[title].operations for title in ("QLoRA", "full"))
    used, reached = f"{OF_MEMORY:.0%}", f"{OF_PEAK:.0%}"
    return f"""\
Estimated, not measured: {clean:,} rows of the clean split, {epochs} epochs, a token for every
{CHARACTERS_PER_TOKEN} characters ({total}), shapes of Llama, adapters as in
`train/configs/fast.yaml`.

- **GPUs**: the fewest cards of {CARD_GB} GB on which weights, gradients and optimizer take at most {used} of the
  memory, by the estimate that `--dry_run true` prints. The rest is for activations.
- **Time**: operations × parameters × tokens ÷ (GPUs × {reached} of {CARD_TFLOPS} TFLOP/s, an A100's peak in bfloat16).
  Operations for each parameter and token: {least}, or {most} if all weights are trained, with
  `--activation_checkpointing true`, which large models need (without it 2 fewer). Loading, saving and
  evaluation are not counted, nor what 4-bit weights take to unpack. {reached} is an assumption."""
