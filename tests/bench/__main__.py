"""Measure every ratio and throughput that the project claims, in one run: ``make bench``.

Uses the published data if DFAR_BENCH_DATA is set, else the mini data; the report says which. The exit status is 1 if
something could not be measured. A missed goal is marked but is not an error, as the machine may be the cause.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dfar_bench import __version__
from tests.bench.figures import Figure, report, table
from tests.bench.measuring import FULL, QUICK, SPLIT, Size, attempt

SECTIONS = ("evaluation", "judge", "training", "board")


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    size = QUICK if options.quick else FULL
    if options.submissions:
        size = replace(size, submissions=options.submissions)
    with quiet():
        sections = [options.only] if options.only else SECTIONS
        runs = [[figure for section in sections for figure in measure(section, size)] for _ in range(options.runs)]
    results = report(runs, SPLIT, machine(), options.quick)
    text = json.dumps(results, indent=2, ensure_ascii=False)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text if options.json else table(results))
    return int(any("reason" in record for record in results["figures"]))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, help="measure this section only")
    parser.add_argument(
        "--submissions",
        type=int,
        metavar="N",
        help=f"number of submissions on the board (default {FULL.submissions}, {QUICK.submissions} with --quick)",
    )
    parser.add_argument(
        "--runs", type=int, default=1, metavar="N", help="measure N times; figures are medians, with their range"
    )
    parser.add_argument("--quick", action="store_true", help="show in two minutes that everything runs")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write the figures to a JSON file")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    if options.submissions is not None and options.submissions < 1:
        parser.error("--submissions must be 1 or more.")
    if options.runs < 1:
        parser.error("--runs must be 1 or more.")
    if options.out:  # fail now and not after a quarter of an hour
        try:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.open("a").close()
        except OSError as error:
            parser.error(f"--out: {error.filename} cannot be written: {error.strerror}.")
    return options


def measure(section: str, size: Size) -> Iterator[Figure]:
    """Measure a section with the module of its name."""
    if sys.stderr.isatty():
        print(f"measuring: {section}", file=sys.stderr, flush=True)
    # Imported here, so that a package that one section lacks does not stop the others.
    yield from attempt(section, section, lambda: import_module(f"tests.bench.{section}").measure(size))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep stdout for the report, and stderr for terminals: the harness writes progress bars into pipes."""
    with ExitStack() as stack:
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.WARNING)
        if not sys.stderr.isatty():
            stack.enter_context(redirect_stderr(stack.enter_context(open(os.devnull, "w"))))
        stack.enter_context(redirect_stdout(sys.stderr))
        yield


def machine() -> dict[str, Any]:
    """Describe what the figures depend on, without identifying the machine."""
    return {
        "dfar_bench": __version__,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "lm_eval": version("lm_eval"),
    }


if __name__ == "__main__":
    sys.exit(main())
