"""One training run: check, prepare, plan, train, save."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dfar_bench.datasets import rows
from dfar_bench.errors import InputError, one_line
from dfar_bench.files import TRAINING_RECORD
from dfar_bench.prompts import find_style
from dfar_bench.training import card, checks, record
from dfar_bench.training.adapters import lora_config, refuse_empty
from dfar_bench.training.examples import Example, drop_too_long, make_examples
from dfar_bench.training.modes import MODES
from dfar_bench.training.options import Options
from dfar_bench.training.scratch import make_model
from dfar_bench.training.sizes import Sizes, count_parameters, count_steps, disk_needed, report, weight_bytes


def train(options: Options, training: Any, model: Any) -> None:
    """Train a model and save it with its record and card; to be called on all processes.

    Args:
        training: TRL's settings of the mode.
        model: TRL's ``ModelConfig``.

    Raises:
        InputError: the run cannot work, before weights are loaded.
        TrainingError: loss or gradients are not finite.
    """
    from accelerate.utils import broadcast_object_list
    from trl import get_quantization_config

    first, folder = training.process_index == 0, Path(training.output_dir)
    checks.refuse_contradictions(options, training, model)
    checks.refuse_missing_zero(training, options.zero_stage)
    mode = MODES.find(options.mode)
    checks.refuse_other_modes_options(mode, options)
    chosen, left_out = checks.choose_rows(mode, options)

    if options.scratch and training.local_process_index == 0:
        texts = (f"{row.statement} {row.reason}" for row in rows(options.split)["train"])
        make_model(Path(options.scratch), texts)
    training.distributed_state.wait_for_everyone()
    config, tokenizer = load_tokenizer(training, model)
    all_examples = make_examples(
        chosen, mode, options, tokenizer, getattr(training, "completion_only_loss", None) is not False
    )
    examples = fit_examples(all_examples, options, training, config)
    if len(examples) < len(all_examples):
        left_out["too long"] = len(all_examples) - len(examples)

    named = model.model_name_or_path, model.model_revision
    quantization = get_quantization_config(model)
    peft_config = None if options.full else lora_config(model, config)
    if options.full and training.deepspeed_plugin is None:
        model.dtype = "float32"  # 16-bit weights would round small updates away; DeepSpeed keeps a 32-bit copy
    sizes = count_parameters(config, peft_config, weight_bytes(model, config), training.trust_remote_code)
    weights = None
    if not options.dry_run or options.pairs:
        (weights,) = broadcast_object_list([record.base_weights(*named) if first else None])
    tokens = {"eos_token": tokenizer.eos_token, "pad_token": tokenizer.pad_token}
    ours = {name: value for name, value in vars(options).items() if name not in mode.not_its_options}
    arguments = {**vars(model), **training.to_dict(), **ours, **tokens}
    plan = {
        "mode": mode.name,
        "split": options.split,
        "drop_leaked": options.drop_leaked,
        "prompt": find_style(options.prompt).signature,
        "method": "full" if options.full else "qlora" if quantization else "lora",
        "seed": training.seed,
        "base_model": {
            "name": model.model_name_or_path,
            "commit": record.base_commit(*named),
            "weights": weights,
            "type": config.model_type,
            "parameters": sizes.total,
            "trained": sizes.trainable,
        },
        "base_run": record.base_run(model.model_name_or_path),
        "data": record.data_record(examples, left_out),
        **mode.about(options),
        "arguments": record.plain_arguments(arguments),
        "packages": record.packages(),
        "distribution": record.describe_distribution(training),
    }
    checks.refuse_others_pairs(plan)
    if options.dry_run:
        if first:
            steps = count_steps(len(examples), plan["data"]["tokens"], training)
            print(report(plan["data"], sizes, steps, training.world_size))
        return
    checkpoint = checks.last_complete_checkpoint(folder, training.world_size)
    if finished(folder, plan, checkpoint, announce=first):
        return
    lock = claim_output(folder, training, sizes)
    if first:
        where, start = card.describe(plan["distribution"]), checkpoint.name if checkpoint else "the beginning"
        print(f"{mode.description}: {len(examples):,} rows, {where}, from {start}", flush=True)
        if note := checks.leak_note(options):
            print(note, flush=True)

    training.model_init_kwargs = {
        "revision": model.model_revision,
        "dtype": model.dtype,
        "attn_implementation": model.attn_implementation,
        **(training.model_init_kwargs or {}),
    }
    try:
        trainer = mode.trainer()(
            model=model.model_name_or_path,
            args=training,
            examples=examples,
            plain=options.plain,
            share_prefix=options.share_prefix,
            processing_class=tokenizer,
            quantization_config=quantization,
            peft_config=peft_config,
        )
    except (ValueError, ImportError, OSError) as error:
        raise InputError(f"{model.model_name_or_path} cannot be trained like this: {one_line(error)}") from None
    if first:  # only now, as the folder would refuse a run with other options
        record.write(folder, {"status": "running", **plan})
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    outcome = record.result(trainer, checkpoint)
    trainer.save_model(str(folder))  # on all processes: with ZeRO-3 each holds a part
    trainer.accelerator.wait_for_everyone()
    if first:
        refuse_empty(folder, peft_config is not None)
        run = {"status": "finished", **plan, **outcome}
        record.write(folder, run)
        card.write_card(folder, run)
        lock.release()
        loss, speed = run["loss"], run["speed"]
        rates = f"{speed['examples_per_second']:.1f} examples/s, {speed['tokens_per_second']:,.0f} tokens/s"
        print(f"loss {loss['final']:.4f} after {loss['steps']} steps, {rates}: {folder}")
    trainer.end()


def load_tokenizer(training: Any, model: Any) -> tuple[Any, Any]:
    """Return a model's configuration and its tokenizer, with the tokens that the options name.

    Raises:
        InputError: there is no such model, or it has no such token or no end-of-text token.
    """
    from transformers import AutoConfig, AutoTokenizer

    where = {"revision": model.model_revision, "trust_remote_code": training.trust_remote_code}
    try:
        config = AutoConfig.from_pretrained(model.model_name_or_path, **where)
        tokenizer = AutoTokenizer.from_pretrained(model.model_name_or_path, **where)
    except (OSError, ValueError) as error:
        raise InputError(f"the model {model.model_name_or_path} cannot be loaded: {one_line(error)}") from None
    if not config.architectures:
        raise InputError(
            f"the config.json of {model.model_name_or_path} has no architectures, so its class is unknown: add them, "
            "or choose another model."
        )
    for name in ("eos_token", "pad_token"):
        if token := getattr(training, name, None):
            if token not in tokenizer.get_vocab():
                raise InputError(
                    f"--{name} {token} is not in the vocabulary of {model.model_name_or_path}: name one of its tokens."
                )
            setattr(tokenizer, name, token)
    if tokenizer.eos_token is None:
        raise InputError(
            f"the tokenizer of {model.model_name_or_path} has no end-of-text token, so the model cannot learn to stop: "
            "name one with --eos_token, or choose another model."
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return config, tokenizer


def fit_examples(examples: Sequence[Example], options: Options, training: Any, config: Any) -> list[Example]:
    """Return the examples that fit the model, and leave nothing for TRL to truncate."""
    packing = getattr(training, "packing", False)
    if packing and training.packing_strategy == "wrapped":  # a row continues in the next line
        return list(examples)
    limits = (training.max_length, getattr(config.get_text_config(), "max_position_embeddings", None))
    fitting = drop_too_long(examples, min(filter(None, limits), default=None), options.drop_long)
    if not packing:
        training.max_length = None
    return fitting


def finished(folder: Path, plan: dict[str, Any], checkpoint: Path | None, announce: bool) -> bool:
    """Whether a folder already holds this run, finished.

    Raises:
        InputError: it holds another run.
    """
    before = record.read(folder)
    if before is None:
        if checkpoint:
            raise InputError(
                f"{folder} holds checkpoints but no {TRAINING_RECORD}, so they are from another run: choose another "
                "--output_dir."
            )
        return False
    record.refuse_another_run(before, plan, folder)
    if before["status"] == "finished" and announce:
        print(f"{folder} holds this run, finished with loss {before['loss']['final']:.4f}: nothing to do.")
    return bool(before["status"] == "finished")


def claim_output(folder: Path, training: Any, sizes: Sizes) -> Any:
    """Make sure that a folder can be used by this run alone, and return the first process's lock on it."""
    kept = 0 if training.save_strategy == "no" else training.save_total_limit or 10
    checks.refuse_bad_output(folder, disk_needed(sizes, kept))
    lock = checks.lock(folder) if training.process_index == 0 else None
    checks.refuse_unshared_output(folder, training)
    return lock
