"""Merge a LoRA adapter into its base model, so that it can be used without PEFT.

    python train/merge.py ADAPTER --out DIR [--base MODEL] [--dtype float32]

The adapter of a QLoRA run is merged into the base model's full weights, not into the 4-bit ones.
"""

import argparse
import sys
from pathlib import Path

from dfar_bench.errors import InputError


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="train/merge.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("adapter", type=Path, help="output folder of train/sft.py")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; must not exist")
    parser.add_argument("--base", help="the base model's name or folder, if not the one that the adapter names")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], help="dtype of the merged weights")
    arguments = parser.parse_args()

    from dfar_bench.training.merge import merge

    try:
        merge(arguments.adapter, arguments.out, arguments.base, arguments.dtype)
    except InputError as error:
        print(f"merge.py: {error}", file=sys.stderr)
        return 2
    print(arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
