"""Fine-tune a causal language model on DFAR: labels alone (L) or labels and reasons (L+R).

    accelerate launch [--config_file ds_configs/accelerate_zero2.yaml] train/sft.py \\
        --config train/configs/fast.yaml --mode lr --model_name_or_path ORG/NAME --output_dir runs/lr [--key value …]

--mode l|lr              learn the label, or the label and the reason (required)
--model_name_or_path M   any causal language model of transformers, from the Hub or a folder (required)
--output_dir DIR         for checkpoints, the model, its card and dfar_run.json (runs/MODEL-SPLIT-MODE)
--config FILE            YAML with any of these options; train/configs/fast.yaml if left out
--split paper|clean|mini whose train rows (paper)
--drop_leaked            leave out rows whose statement also stands in the test set
--prompt STYLE           llama2, mistral or plain (llama2)
--full                   train all weights instead of a LoRA adapter (lower --learning_rate then)
--load_in_4bit           QLoRA
--dry_run                print rows, tokens, steps, parameters and memory, and stop
--limit N                N training rows, spread evenly, for a try-out
--drop_long              leave out rows that are too long for the model instead of refusing them
--scratch DIR            instead of M: a tiny model with random weights, made in DIR if there is none
--zero_stage N           refuse to start unless DeepSpeed is at work with this stage
--share_prefix BOOL      compute the beginning that a batch has in common once (where that is exact)
--plain                  batches and loss as TRL makes them, slower, for comparison and packing

All options of TRL's SFTConfig and ModelConfig work as well, on the command line and in the YAML: --help_all.
A run that was interrupted goes on from its last whole checkpoint when it is started again. Without a GPU, --bf16
false --dtype float32 is the exact way and, on most processors, the faster one.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError, on_one_line

DEFAULT_CONFIG = Path(__file__).parent / "configs" / "fast.yaml"


@dataclass
class DfarArguments:
    """What this script adds to TRL's options; the text above says what each does."""

    mode: str | None = None
    split: str = "paper"
    drop_leaked: bool = False
    prompt: str = "llama2"
    full: bool = False
    dry_run: bool = False
    limit: int | None = None
    drop_long: bool = False
    scratch: str | None = None
    zero_stage: int | None = None
    share_prefix: bool | None = None
    plain: bool = False


def parse(words: list[str]) -> tuple[DfarArguments, Any, Any]:
    import torch

    from dfar_bench.training.preflight import refuse_missing_compiler  # before TRL, whose warnings the package silences

    words = [part for word in words for part in (word.split("=", 1) if word.startswith("--config=") else [word])]

    from trl import ModelConfig, SFTConfig, TrlParser

    if "--config" not in words:
        words = ["--config", str(DEFAULT_CONFIG), *words]
    if not torch.accelerator.is_available():
        words = ["--use_cpu", "true", *words]  # which what was typed overrides
        refuse_missing_compiler()  # parsing the options starts DeepSpeed
    parser = TrlParser((DfarArguments, SFTConfig, ModelConfig), prog="train/sft.py")
    if "--help_all" in words:
        parser.print_help()
        raise SystemExit(0)
    try:
        arguments, training, model = parser.parse_args_and_config(words)
    except (ValueError, OSError, ImportError) as error:
        raise InputError(f"the options do not go together: {on_one_line(error)}") from None
    if model.model_name_or_path is None:
        model.model_name_or_path = arguments.scratch
    else:
        arguments.scratch = None
    for name, value in (("mode", arguments.mode), ("model_name_or_path", model.model_name_or_path)):
        if value is None:
            raise InputError(f"--{name} is missing: see train/sft.py --help.")
    if not any(word.partition("=")[0] == "--output_dir" for word in words) and training.output_dir == "trainer_output":
        training.output_dir = f"runs/{Path(model.model_name_or_path).name}-{arguments.split}-{arguments.mode}"
    return arguments, training, model


def refused(error: InputError) -> int:
    """Say it once a machine; what one process has met in training, it says itself."""
    if int(os.environ.get("LOCAL_RANK", "0")) == 0 or type(error) is not InputError:
        print(f"sft.py: {error}", file=sys.stderr, flush=True)
    return 2


def quiet() -> None:
    """No progress bars: nobody watches a pipe."""
    import datasets
    import transformers

    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()


def main(words: list[str]) -> None:
    arguments, training, model = parse(words)

    from transformers import AutoConfig, AutoTokenizer
    from trl import get_quantization_config

    from dfar_bench.data import rows
    from dfar_bench.prompts import style
    from dfar_bench.training import card, preflight, record
    from dfar_bench.training.adapters import lora_config, refuse_empty
    from dfar_bench.training.examples import Collator, examples
    from dfar_bench.training.scratch import make_model
    from dfar_bench.training.sizes import disk_needed, report, sizes, steps, weight_bytes

    if not sys.stderr.isatty():
        quiet()
    first = training.process_index == 0
    folder = Path(training.output_dir)

    # What cannot work is refused before weights are loaded.
    preflight.refuse_impossible(arguments, model, training)
    preflight.refuse_missing_zero(training, arguments.zero_stage)
    chosen, left_out = preflight.chosen_rows(rows(arguments.split), arguments.drop_leaked, arguments.limit)
    where = {"revision": model.model_revision, "trust_remote_code": training.trust_remote_code}
    if arguments.scratch and training.local_process_index == 0:
        make_model(Path(arguments.scratch), (f"{row.statement} {row.reason}" for row in rows(arguments.split)["train"]))
    training.distributed_state.wait_for_everyone()
    try:
        config = AutoConfig.from_pretrained(model.model_name_or_path, **where)
        tokenizer = AutoTokenizer.from_pretrained(model.model_name_or_path, **where)
    except (OSError, ValueError) as error:
        raise InputError(f"no model at {model.model_name_or_path}: {on_one_line(error)}") from None
    if tokenizer.eos_token is None:
        raise InputError(
            f"the tokenizer of {model.model_name_or_path} has no end-of-text token, so it cannot be taught to stop."
        )
    for name in ("eos_token", "pad_token"):
        if chosen_token := getattr(training, name):
            setattr(tokenizer, name, chosen_token)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token

    # The training texts, whole or not at all.
    only_completion = training.completion_only_loss is not False
    made = examples(chosen, arguments.prompt, arguments.mode, tokenizer, only_completion)
    limits = (training.max_length, getattr(config.get_text_config(), "max_position_embeddings", None))
    if training.packing and training.packing_strategy == "wrapped":  # goes on with a row in the next line
        fit = made
    else:
        fit = preflight.fitting(made, min(filter(None, limits), default=None), arguments.drop_long)
    if not training.packing:
        training.max_length = None
    if len(fit) < len(made):
        left_out["too long"] = len(made) - len(fit)

    # The plan of the run, which is also how a second start knows that it is the same run.
    quantization = get_quantization_config(model)
    peft_config = None if arguments.full else lora_config(model, config)
    found = sizes(config, peft_config, training.trust_remote_code)
    if arguments.full and training.deepspeed_plugin is None:
        model.dtype = "float32"  # 16-bit weights would round small updates away; DeepSpeed keeps a copy in 32 bits
    weights = weight_bytes(model, config)
    tokens = {"eos_token": tokenizer.eos_token, "pad_token": tokenizer.pad_token}
    plan = {
        "mode": arguments.mode,
        "split": arguments.split,
        "drop_leaked": arguments.drop_leaked,
        "prompt": style(arguments.prompt).signature,
        "method": "full" if arguments.full else "qlora" if quantization else "lora",
        "seed": training.seed,
        "base_model": {
            "name": model.model_name_or_path,
            "type": config.model_type,
            "parameters": found.total,
            "trained": found.trainable,
        },
        "data": record.data_record(fit, left_out),
        "arguments": record.plain_arguments({**vars(model), **training.to_dict(), **vars(arguments), **tokens}),
        "packages": record.packages(),
        "distribution": record.asked_distribution(training),
    }
    if arguments.dry_run:
        if first:
            print(report(plan, found, weights, steps(len(fit), plan["data"]["tokens"], training), training.world_size))
        return
    checkpoint = preflight.last_whole_checkpoint(folder, training.world_size)
    if before := record.read(folder):
        record.refuse_another_run(before, plan, folder)
        if before["status"] == "finished":
            if first:
                print(f"{folder} holds this run, finished with loss {before['loss']['final']:.4f}: nothing to do.")
            return
    elif checkpoint:
        raise InputError(
            f"{folder} holds checkpoints but no {record.FILE}, so they are of another run: choose another --output_dir."
        )
    kept = 0 if training.save_strategy == "no" else training.save_total_limit or 10
    preflight.refuse_bad_output(folder, disk_needed(found, weights, kept))
    _lock = preflight.claim(folder) if first else None
    preflight.refuse_unshared_output(folder, training)
    if first:
        record.write(folder, {"status": "running", **plan})
        at = f"from {checkpoint.name}" if checkpoint else "from the beginning"
        spread = card.describe(plan["distribution"])
        print(f"{card.MODES[arguments.mode]}: {len(fit):,} rows, {spread}, {at}", flush=True)

    # Train.
    from dfar_bench.training.trainer import DfarTrainer, TokensPerSecond

    training.model_init_kwargs = {
        "revision": model.model_revision,
        "dtype": model.dtype,
        "attn_implementation": model.attn_implementation,
        **(training.model_init_kwargs or {}),
    }
    trainer = DfarTrainer(
        model=model.model_name_or_path,
        args=training,
        made=fit,
        plain=arguments.plain,
        share_prefix=arguments.share_prefix,
        data_collator=None if arguments.plain else Collator(tokenizer.pad_token_id),
        processing_class=tokenizer,
        quantization_config=quantization,
        peft_config=peft_config,
    )
    if sys.stderr.isatty() and not training.disable_tqdm:
        trainer.add_callback(TokensPerSecond(trainer.speed, training.world_size))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    # Save, on all processes: under ZeRO-3 each holds a part.
    outcome = record.outcome(trainer, checkpoint)
    trainer.save_model(str(folder))
    trainer.accelerator.wait_for_everyone()
    if first:
        refuse_empty(folder, peft_config is not None)
        run = {"status": "finished", **plan, **outcome}
        record.write(folder, run)
        card.write_card(folder, run)
        loss, speed = outcome["loss"], outcome["speed"]
        rates = f"{speed['examples_per_second']:.1f} examples/s, {speed['tokens_per_second']:,.0f} tokens/s"
        print(f"loss {loss['final']:.4f} after {loss['steps']} steps, {rates}: {folder}")
    trainer.end()


if __name__ == "__main__":
    if not sys.argv[1:] or {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        raise SystemExit(0 if sys.argv[1:] else 2)
    try:
        main(sys.argv[1:])
    except InputError as error:
        sys.exit(refused(error))
