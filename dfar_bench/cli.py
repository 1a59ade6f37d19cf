"""The ``dfar-bench`` command. Heavy imports live inside the verbs, so that ``--help`` is instant."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence

from dfar_bench import __version__
from dfar_bench.commands import BAD_INPUT, FINE, data, demo, human, judge, leaderboard, score
from dfar_bench.errors import InputError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a dash is no reason to fail
    arguments = _parser().parse_args(argv)
    verb: Callable[[argparse.Namespace], int] = arguments.verb
    try:
        status = verb(arguments)
        sys.stdout.flush()
        return status
    except InputError as error:
        print(f"dfar-bench: {error}", file=sys.stderr)
        return BAD_INPUT
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("dfar_bench"):
            raise
        needs = f"this needs the package {error.name}: pip install 'dfar-bench[train,judge,board]' brings it"
        print(f"dfar-bench: {needs}.", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except OSError as error:
        print(f"dfar-bench: {error.filename or 'output'}: {error.strerror or error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("dfar-bench: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dfar-bench",
        description="Do a model's moral judgements, and the reasons it gives, agree with people's? "
        "Models are scored with lm_eval --tasks dfar_cls,dfar_reason; this command does the rest.",
        epilog="Exit status: 0 fine, 1 what was checked falls short, 2 bad usage or unreadable input.",
    )
    parser.add_argument("--version", action="version", version=f"dfar-bench {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    for family in (demo, data, score, judge, human, leaderboard):
        family.add(verbs)
    return parser


if __name__ == "__main__":
    sys.exit(main())
