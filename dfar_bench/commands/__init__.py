"""The verbs of ``dfar-bench``, a module a family. Heavy imports live inside the verbs, so that ``--help`` is instant.

A module's ``add`` gives its verbs to the parser; to add a family, name its module in ``cli``.
"""

from __future__ import annotations

import argparse

FINE, FALLS_SHORT, BAD_INPUT = 0, 1, 2
"""Exit statuses: fine; what was checked falls short; bad usage or unreadable input."""

Verbs = argparse._SubParsersAction  # argparse offers no public name for it


def split_option(parser: argparse.ArgumentParser, choices: str = "clean, mini or ethos") -> None:
    """``--split``."""
    parser.add_argument("--split", default="paper", help=f"paper (default), {choices}")


def judge_option(parser: argparse.ArgumentParser) -> None:
    """``--judge``."""
    parser.add_argument(
        "--judge", default=None, metavar="NAME", help="the judge of the reasons (default: the tasks' own)"
    )


def resamples(text: str) -> int:
    """The type of ``--resamples``."""
    from dfar_bench.bootstrap import MAX_RESAMPLES, MIN_RESAMPLES

    if not text.isdecimal() or not (int(text) == 0 or MIN_RESAMPLES <= int(text) <= MAX_RESAMPLES):
        raise argparse.ArgumentTypeError(f"must be 0, or a whole number from {MIN_RESAMPLES} to {MAX_RESAMPLES}")
    return int(text)
