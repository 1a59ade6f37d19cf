"""``demo``: the whole story, from a model to its place on a board."""

from __future__ import annotations

import argparse
from pathlib import Path

from dfar_bench.commands import FINE, Verbs


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Give the verb to the parser."""
    demo = verbs.add_parser(
        "demo",
        help="train L and L+R, score both beside their base, submit, verify and build a board",
        description="Train a model on labels (L) and on labels and reasons (L+R), score both and the model they began "
        "as, submit and verify all three and build a board, by the commands that one would type, which are shown. "
        "Without --model, on a tiny model made on the spot and the statements that come with the package: a few "
        "minutes on two processor cores, no network. What was done is not done again, so a demo that was interrupted "
        "goes on.",
    )
    demo.add_argument(
        "--model", metavar="M", help="any causal language model of transformers, from the Hub or a folder"
    )
    demo.add_argument("--split", default="mini", choices=["paper", "clean", "mini"], help="data (default mini)")
    demo.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="for all that is made (default runs/demo; with --model or --split runs/demo-NAME-SPLIT)",
    )
    demo.set_defaults(verb=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    from dfar_bench.demo.story import tell

    tell(arguments.out, arguments.split, arguments.model)
    return FINE
