"""Every ratio and throughput that the project claims, measured in one run: ``make bench``.

The published data is used where DFAR_BENCH_DATA is set, else the mini split; the report says which. The exit status is
1 if something could not be measured; a missed goal is marked and no error, as it may be the machine's.
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

from tests.bench.figures import Figure, document, table
from tests.bench.measuring import FULL, QUICK, SPLIT, Size, tried

SECTIONS = ("evaluation", "judge", "training", "board")


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parse(arguments)
    size = QUICK if asked.quick else FULL
    if asked.submissions:
        size = replace(size, submissions=asked.submissions)
    with quiet():
        figures = [
            figure for section in ([asked.only] if asked.only else SECTIONS) for figure in measured(section, size)
        ]
    found = document(figures, SPLIT, machine(), asked.quick)
    whole = json.dumps(found, indent=2, ensure_ascii=False)
    if asked.out:
        asked.out.write_text(whole + "\n", encoding="utf-8")
    print(whole if asked.json else table(found))
    return int(any(figure.value is None for figure in figures))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, help="leave the other sections out")
    parser.add_argument(
        "--submissions",
        type=int,
        metavar="N",
        help=f"on the board; {FULL.submissions}, or {QUICK.submissions} if quick",
    )
    parser.add_argument("--quick", action="store_true", help="only see, in two minutes, that everything runs")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write the figures there as JSON")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    asked = parser.parse_args(arguments)
    if asked.submissions is not None and asked.submissions < 1:
        parser.error("--submissions must be 1 or more.")
    if asked.out:  # now, not after a quarter of an hour
        try:
            asked.out.parent.mkdir(parents=True, exist_ok=True)
            asked.out.open("a").close()
        except OSError as error:
            parser.error(f"--out: {error.filename} cannot be written: {error.strerror}.")
    return asked


def measured(section: str, size: Size) -> Iterator[Figure]:
    """The figures of a section, from the module of its name."""
    if sys.stderr.isatty():
        print(f"measuring: {section}", file=sys.stderr, flush=True)
    # Imported here, so that what one section lacks does not keep the others from being measured.
    yield from tried(section, section, lambda: import_module(f"tests.bench.{section}").measure(size))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep stdout for the report; the harness draws progress bars into pipes, so stderr is for terminals only."""
    logging.disable(logging.WARNING)
    with ExitStack() as stack:
        if not sys.stderr.isatty():
            stack.enter_context(redirect_stderr(stack.enter_context(open(os.devnull, "w"))))
        stack.enter_context(redirect_stdout(sys.stderr))
        yield


def machine() -> dict[str, Any]:
    """What figures depend on, and nothing by which one would know the machine again."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "lm_eval": version("lm_eval"),
    }


if __name__ == "__main__":
    sys.exit(main())
