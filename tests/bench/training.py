"""Training: the speed of the paper's recipe and ours with the same model, rows and precision; memory per strategy."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from dfar_bench.datasets import Row, rows
from dfar_bench.training.modes import MODES
from dfar_bench.training.options import Options
from tests.bench.claims import LARGE, RATIO, TINY
from tests.bench.figures import Figure
from tests.bench.measuring import SPLIT, Size, UnmeasuredError, attempt

ROOT = Path(__file__).resolve().parents[2]

# As in train/configs/paper_llama2.yaml, without 4-bit weights, which need a GPU.
PAPER = {"plain": True, "completion_only": False, "batch": 4}
# The last is train/configs/fast.yaml on a CPU.
RECIPES: dict[str, dict[str, Any]] = {
    "paper's recipe": PAPER,
    "completions only": {**PAPER, "completion_only": True},
    "ours, nothing shared": {"plain": False, "completion_only": True, "share": False, "batch": 8},
    "ours, TRL's head": {"plain": False, "completion_only": True, "share": None, "batch": 8, "fused": True},
    "ours": {"plain": False, "completion_only": True, "share": None, "batch": 8},
}


def large_vocabulary(tokens: int, layers: int) -> Any:
    """Make a model of 270M random parameters, 168M of them in the embedding of 262,144 tokens."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    return Gemma3ForCausalLM(
        Gemma3TextConfig(
            vocab_size=tokens,
            hidden_size=640,
            intermediate_size=2048,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=1,
            head_dim=256,
            sliding_window=512,
        )
    )


def small_vocabulary(tokens: int) -> Any:
    """Make a tiny Llama."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=tokens,
            hidden_size=128,
            intermediate_size=512,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=4,
            tie_word_embeddings=True,
        )
    )


@dataclass(frozen=True)
class Setting:
    """A model with random weights, and the recipes to measure with it.

    Attributes:
        build: number of tokens -> model.
        dtype: name of a torch dtype.
    """

    name: str
    build: Callable[[int], Any]
    tokens: int
    dtype: str
    recipes: tuple[str, ...] = tuple(RECIPES)


def settings(quick: bool) -> list[Setting]:
    large = Setting(
        LARGE,
        partial(large_vocabulary, layers=18),
        262_144,
        "bfloat16",
    )
    if quick:  # the same architecture in seconds, also without fast bfloat16, and without goals
        large = Setting("quick, 8k tokens, float32", partial(large_vocabulary, layers=1), 8_192, "float32")
    small = Setting(TINY, small_vocabulary, 4_096, "float32", ("paper's recipe", "ours"))
    return [large, small]


figure, part = partial(Figure, "training"), partial(attempt, "training")


def measure(size: Size) -> Iterator[Figure]:
    matrix_rate.cache_clear()  # measured in every run
    for setting in settings(size.quick):
        for mode, count in size.train_rows.items():
            yield from part(f"{MODES[mode].title}, {setting.name}", measure_speed, setting, mode, count)
    for dtype in dict.fromkeys(setting.dtype for setting in settings(size.quick)):
        yield from part(f"matrix product, {dtype}", measure_matrix_product, dtype)
    with tempfile.TemporaryDirectory() as place:
        for strategy in size.strategies:
            yield from part(f"memory, {strategy}", measure_memory, strategy, Path(place), size.quick)


def measure_speed(setting: Setting, mode: str, count: int) -> Iterator[Figure]:
    """Measure examples per second by recipe, and their ratio to the paper's."""
    import torch
    import transformers

    transformers.utils.logging.set_verbosity_error()
    name = f"{MODES[mode].title}, {setting.name}"
    all_rows = rows(SPLIT)["train"]
    chosen = [all_rows[number * len(all_rows) // count] for number in range(count)]
    rates: dict[str, float] = {}
    for recipe in setting.recipes:
        rates[recipe], operations = train(setting, getattr(torch, setting.dtype), chosen, mode, RECIPES[recipe])
        yield figure(f"{name}: {recipe}", rates[recipe], "examples/s")
        if recipe == "ours, nothing shared":  # every counted operation is computed
            yield figure(f"{name}: of a matrix product's rate", operations / matrix_rate(setting.dtype), "ratio")
        gc.collect()
    if "completions only" in rates:
        yield figure(
            f"{name}: completions only / paper's", rates["completions only"] / rates["paper's recipe"], "ratio"
        )
    yield figure(f"{name}: {RATIO}", rates["ours"] / rates["paper's recipe"], "ratio")


@cache
def tokenizer(vocabulary: int) -> Any:
    from dfar_bench.training.scratch import make_tokenizer

    return make_tokenizer((f"{row.statement} {row.reason}" for row in rows(SPLIT)["train"]), vocabulary)


def measure_matrix_product(dtype: str) -> Iterator[Figure]:
    yield figure(f"matrix product, {dtype}", matrix_rate(dtype) / 1e12, "TFLOP/s")


@cache
def matrix_rate(dtype: str) -> float:
    """Measure this machine's floating-point operations per second in a square matrix product."""
    import torch

    size = 2048
    left, right = (torch.randn(size, size).to(getattr(torch, dtype)) for _ in range(2))
    best = 0.0
    for _ in range(8):
        start = time.perf_counter()
        left @ right
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


def train(setting: Setting, dtype: Any, chosen: list[Row], mode: str, recipe: dict[str, Any]) -> tuple[float, float]:
    """Train one epoch, after one step to warm up.

    Returns:
        Examples per second, and the model's floating-point operations per second.
    """
    import torch
    from peft import LoraConfig
    from trl import SFTConfig

    from dfar_bench.training.examples import IGNORED, make_examples
    from dfar_bench.training.trainer import DfarTrainer

    torch.manual_seed(0)
    words = tokenizer(min(setting.tokens, 16_384))  # the texts cannot use more tokens
    examples = make_examples(chosen, MODES[mode], Options(prompt="llama2"), words, recipe["completion_only"])
    model = setting.build(setting.tokens).to(dtype)
    size = recipe["batch"]
    with tempfile.TemporaryDirectory() as folder:

        def run(steps: int) -> Any:
            trainer = DfarTrainer(
                examples=examples,
                plain=recipe["plain"],
                share_prefix=recipe.get("share"),
                model=model,
                args=SFTConfig(
                    output_dir=folder,
                    per_device_train_batch_size=size,
                    max_steps=steps,
                    max_length=None,
                    activation_checkpointing=False,
                    train_sampling_strategy="group_by_length",
                    bf16=dtype == torch.bfloat16,
                    learning_rate=2e-4,
                    weight_decay=0.001,
                    max_grad_norm=0.3,
                    use_cpu=True,
                    save_strategy="no",
                    logging_strategy="no",
                    report_to=[],
                    disable_tqdm=True,
                ),
                processing_class=words,
                peft_config=LoraConfig(
                    r=64, lora_alpha=16, lora_dropout=0.1, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"
                ),
            )
            if recipe.get("fused"):
                trainer.fused_lm_head = True  # as on a GPU; here TRL's kernels are PyTorch's
            trainer.train()
            return trainer

        warm = run(1)
        model = warm.model.unload()
        measured = run(-(-len(chosen) // size)).speed
    scored = sum(sum(label != IGNORED for label in example.labels[1:]) for example in examples) / len(examples)
    tokens = sum(len(example.input_ids) - 1 for example in examples) / len(examples)
    head = model.get_output_embeddings().weight.numel()
    body = sum(p.numel() for p in model.parameters()) - head
    per_example = 4 * (body * tokens + head * scored)  # forward, and back to the activations
    rate = measured.examples / measured.seconds
    return rate, per_example * rate


def measure_memory(strategy: str, folder: Path, quick: bool) -> Iterator[Figure]:
    """Measure the higher peak of two processes that train all of 55M parameters in float32."""
    from dfar_bench.training.scratch import make_model

    hidden, layers = (64, 2) if quick else (1024, 8)
    make_model(folder / "base", (row.statement for row in rows("mini")["train"]), hidden=hidden, layers=layers)
    done = subprocess.run(
        [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "2", "--main_process_port", "0"]
        + ["--config_file", f"ds_configs/accelerate_{strategy}.yaml", "train/sft.py"]
        + ["--config", "train/configs/demo.yaml", "--mode", "l", "--max_steps", "2", "--save_strategy", "no"]
        + ["--model_name_or_path", str(folder / "base"), "--output_dir", str(folder / strategy)]
        + ["--learning_rate", "1e-5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        # With a GPU, its memory would be measured, although the training is on the CPU.
        env={**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""},
    )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise UnmeasuredError(f"train/sft.py ended with exit status {done.returncode}")
    peaks = json.loads((folder / strategy / "dfar_run.json").read_text())["peak_memory_bytes"]
    yield figure(f"memory, {strategy}", max(peaks) / 2**20, "MiB/process")
