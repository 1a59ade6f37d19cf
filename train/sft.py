"""Fine-tune a causal language model on judgements, on the reasons for them, or on choices in games.

    accelerate launch [--config_file ds_configs/accelerate_zero2.yaml] train/sft.py \\
        --config train/configs/fast.yaml --mode lr --model_name_or_path ORG/NAME --output_dir runs/lr [--key value …]

--mode NAME              what the model learns (required):
{modes}
--model_name_or_path M   any causal language model of transformers, from the Hub or a folder (required)
--output_dir DIR         for checkpoints, the model, its card and dfar_run.json (runs/MODEL-SPLIT-MODE)
--config FILE            YAML file with any of these options (train/configs/fast.yaml; dpo.yaml for --mode dpo)
--split NAME             the data set whose train rows are used: {splits} (paper, or games)
--drop_leaked            leave out rows whose statement is also in the test set
--prompt STYLE           prompt style: {styles} (llama2; games have their own)
--pairs FILE             of the mode dpo: pairs of answers, made by dfar-bench pairs with the model to be trained
--kappa K                of the mode moralis, 0 to 1: the weight of what if everybody did so (0.5)
--reasons BOOL           of the agents in games: learn the reason after the choice, too (false)
--full                   train all weights instead of a LoRA adapter (then lower --learning_rate)
--load_in_4bit           QLoRA
--dry_run                print rows, tokens, steps, parameters and memory, and stop
--limit N                take N training rows, evenly spaced, for a trial
--drop_long              leave out rows that are too long for the model instead of refusing them
--scratch DIR            instead of M: a tiny model with random weights, made in DIR if it does not exist
--zero_stage N           refuse to start unless DeepSpeed runs with this stage
--share_prefix BOOL      compute the beginning that the rows of a batch share once (the default wherever it is exact)
--plain                  use TRL's own batches and loss: slower, for comparison and packing

All options of TRL's SFTConfig (of DPOConfig for dpo) and ModelConfig work too, on the command line and in the YAML
file: --help_all. An interrupted run resumes from its last complete checkpoint when it is started again. Without a GPU,
--bf16 false --dtype float32 is exact and, on most processors, faster.
"""

import json
import os
import sys
import time
from pathlib import Path

from dfar_bench.errors import InputError

CONFIGS = Path(__file__).parent / "configs"


def main(words: list[str]) -> None:
    try:
        from dfar_bench.training.options import parse
        from dfar_bench.training.run import train

        options, training, model = parse(words, CONFIGS)
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed: pip install 'dfar-bench[train]'.") from None
    train(options, training, model)
    # After a dry run, too: the threads of gloo, left open, can abort a process at its exit.
    training.distributed_state.destroy_process_group()


def help_text() -> str:
    from dfar_bench.prompts import STYLES
    from dfar_bench.training.modes import MODES, trainable

    return (__doc__ or "").format(
        modes="\n".join(f"    {mode.name:<20} {mode.description}" for mode in MODES.values()),
        splits=", ".join(trainable()),
        styles=", ".join(name for name, style in STYLES.items() if not style.fixed),
    )


def refuse(error: InputError) -> None:
    """Say why the run ends, once, also where a launcher of several processes ends with a report of its own.

    A plain InputError is raised by all processes alike: the first says it. The others wait for the launcher to end
    them, since if one of them left before, it would end the first unheard.
    """
    alike, first = type(error) is InputError, os.environ.get("RANK", "0") == "0"
    if first or not alike:
        print(f"sft.py: {error}", file=sys.stderr, flush=True)
    if report := os.environ.get("TORCHELASTIC_ERROR_FILE"):
        told = {"message": f"sft.py: {error}", "extraInfo": {"timestamp": str(int(time.time()))}}
        Path(report).write_text(json.dumps({"message": told}))  # what torchrun quotes at the end of its report
        if alike and not first:
            time.sleep(20)


if __name__ == "__main__":
    try:
        if not sys.argv[1:] or {"-h", "--help"} & set(sys.argv[1:]):
            print(help_text())
            sys.exit(0 if sys.argv[1:] else 2)
        main(sys.argv[1:])
    except InputError as error:
        refuse(error)
        sys.exit(2)
