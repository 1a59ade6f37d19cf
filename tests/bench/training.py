"""Training speed: the paper's recipe and ours, same model, same rows, same precision, in one run."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dfar_bench.data import Row, rows

ROOT = Path(__file__).resolve().parents[2]
ROWS = {"l": 32, "lr": 12}
STRATEGIES = ("ddp", "zero1", "zero2", "zero2_offload", "zero3", "zero3_offload")

# What the paper's notebooks do (train/configs/paper_llama2.yaml), less the 4-bit weights, which need a GPU.
PAPER = {"plain": True, "completion_only": False, "batch": 4}
# And what train/configs/fast.yaml does.
VARIANTS: dict[str, dict[str, Any]] = {
    "paper": PAPER,
    "TRL, completions only": {**PAPER, "completion_only": True},
    "ours, nothing shared": {"plain": False, "completion_only": True, "share": False, "batch": 8},
    "ours": {"plain": False, "completion_only": True, "share": None, "batch": 8},
}


def large_vocabulary(tokens: int) -> Any:
    """Random weights in the shape of a 270M model with 262,144 tokens, 168M of its parameters in the embedding."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    return Gemma3ForCausalLM(
        Gemma3TextConfig(
            vocab_size=262_144,
            hidden_size=640,
            intermediate_size=2048,
            num_hidden_layers=18,
            num_attention_heads=4,
            num_key_value_heads=1,
            head_dim=256,
            sliding_window=512,
        )
    )


def small_vocabulary(tokens: int) -> Any:
    """A tiny Llama with as many tokens as its tokenizer, at most 4,096."""
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


def matrix_rate(dtype: Any) -> float:
    """Floating-point operations a second of this machine at a square matrix product."""
    import torch

    size = 2048
    left, right = (torch.randn(size, size).to(dtype) for _ in range(2))
    best = 0.0
    for _ in range(8):
        start = time.perf_counter()
        left @ right
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


def train(
    build: Callable[[int], Any], dtype: Any, tokenizer: Any, chosen: list[Row], mode: str, variant: dict[str, Any]
) -> dict[str, float]:
    """Examples a second of one pass over rows, after a step to warm up, and the operations that their model takes."""
    import torch
    from peft import LoraConfig
    from trl import SFTConfig

    from dfar_bench.training.examples import IGNORED, Collator, examples
    from dfar_bench.training.trainer import DfarTrainer

    torch.manual_seed(0)
    made = examples(chosen, "llama2", mode, tokenizer, variant["completion_only"])
    model = build(len(tokenizer)).to(dtype)
    size = variant["batch"]
    with tempfile.TemporaryDirectory() as folder:

        def run(steps: int) -> Any:
            trainer = DfarTrainer(
                made=made,
                plain=variant["plain"],
                share_prefix=variant.get("share"),
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
                processing_class=tokenizer,
                data_collator=None if variant["plain"] else Collator(tokenizer.pad_token_id),
                peft_config=LoraConfig(
                    r=64, lora_alpha=16, lora_dropout=0.1, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"
                ),
            )
            trainer.train()
            return trainer

        warm = run(1)
        model = warm.model.unload()
        trainer = run(-(-len(chosen) // size))
    speed = trainer.speed
    scored = sum(sum(label != IGNORED for label in one.labels[1:]) for one in made) / len(made)
    tokens = sum(len(one.input_ids) - 1 for one in made) / len(made)
    head = model.get_output_embeddings().weight.numel()
    body = sum(p.numel() for p in model.parameters()) - head
    per_example = 4 * (body * tokens + head * scored)  # forward, and back to the activations
    return {
        "examples_per_second": speed.examples / speed.seconds,
        "flops_per_second": per_example * speed.examples / speed.seconds,
    }


def speed() -> dict[str, Any]:
    """Examples a second by recipe, and their ratio to the paper's, for L and L+R."""
    import torch
    import transformers

    from dfar_bench.training.scratch import make_tokenizer

    transformers.utils.logging.set_verbosity_error()
    split = "paper" if os.environ.get("DFAR_BENCH_DATA") else "mini"
    train_rows = rows(split)["train"]
    texts = [f"{row.statement} {row.reason}" for row in train_rows]
    report: dict[str, Any] = {}
    for name, build, dtype, vocabulary, variants in (
        ("262k tokens, 270M, bfloat16", large_vocabulary, torch.bfloat16, 16_384, VARIANTS),
        (
            "4k tokens, tiny, float32",
            small_vocabulary,
            torch.float32,
            4_096,
            {k: VARIANTS[k] for k in ("paper", "ours")},
        ),
    ):
        tokenizer = make_tokenizer(texts, vocabulary)
        peak = matrix_rate(dtype)
        for mode, count in ROWS.items():
            chosen = [train_rows[place * len(train_rows) // count] for place in range(count)]
            found: dict[str, Any] = {"goal": {"l": 6, "lr": 2}[mode] if "262k" in name else 1}
            for label, variant in variants.items():
                measured = train(build, dtype, tokenizer, chosen, mode, variant)
                found[label] = measured["examples_per_second"]
                if label == "ours, nothing shared":  # so that all that is counted is computed
                    found["share of a matrix product's rate"] = measured["flops_per_second"] / peak
                gc.collect()
            found["ratio"] = found["ours"] / found["paper"]
            report[f"{mode}, {name}"] = found
        report[f"matrix product, TFLOP/s, {name.rpartition(' ')[2]}"] = peak / 1e12
    return report


def memory() -> dict[str, Any]:
    """Peak MiB of each of two processes by strategy: a tiny vocabulary, 55M parameters, all trained in float32."""
    from dfar_bench.training.scratch import make_model

    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_model(folder / "base", (row.statement for row in rows("mini")["train"]), hidden=1024, layers=8)
        for strategy in STRATEGIES:
            subprocess.run(
                [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "2", "--main_process_port", "0"]
                + ["--config_file", f"ds_configs/accelerate_{strategy}.yaml", "train/sft.py"]
                + ["--config", "train/configs/demo.yaml", "--mode", "l", "--max_steps", "2", "--save_strategy", "no"]
                + ["--model_name_or_path", str(folder / "base"), "--output_dir", str(folder / strategy)]
                + ["--learning_rate", "1e-5"],
                cwd=ROOT,
                check=True,
                capture_output=True,
                env={**os.environ, "HF_HUB_OFFLINE": "1"},
            )
            run = json.loads((folder / strategy / "dfar_run.json").read_text())
            report[strategy] = " and ".join(str(held >> 20) for held in run["peak_memory_bytes"])
    return report
