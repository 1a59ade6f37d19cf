"""The ``dfar-bench`` command. Imports that take time are inside the commands, so that ``--help`` answers at once."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from dfar_bench import __version__
from dfar_bench.errors import InputError, one_line

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # for a terminal that cannot show a dash
    try:
        status = typer.main.get_command(make_app())(args=argv, prog_name="dfar-bench", standalone_mode=False)
        sys.stdout.flush()
        if status == INTERRUPTED:  # which typer makes of KeyboardInterrupt
            print("dfar-bench: interrupted", file=sys.stderr)
        return int(status or 0)
    except InputError as error:
        message = str(error)
    except typer.TyperException as error:
        message = _usage(error)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("dfar_bench"):
            raise
        package = error.name.partition(".")[0]
        extras = _extras(package)
        install = f"pip install 'dfar-bench[{extras}]' brings it" if extras else f"pip install {package}"
        message = f"this needs the package {package}: {install}."
    except (BrokenPipeError, SystemExit) as error:
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise
        # The reader (head, less) has seen enough; typer makes an exit of that.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        message = f"{error.filename}: {error.strerror}" if error.filename else one_line(error)
    print(f"dfar-bench: {message}", file=sys.stderr)
    return 2


def make_app() -> typer.Typer:
    """Build the command line; its commands' modules are imported only then."""
    from dfar_bench.cli import (  # a broken plugin shows here
        baselines,
        data,
        demo,
        evaluate,
        experiment,
        export,
        human,
        judge,
        leaderboard,
        pairs,
        reproduce,
        score,
    )

    app = typer.Typer(
        help="Do a model's moral judgements, and the reasons it gives, agree with people's? "
        "Models are scored with lm_eval --tasks dfar_clean_cls,dfar_clean_reason; this command does the rest.",
        epilog="Exit status: 0 fine, 1 what was checked falls short, 2 bad usage or unreadable input.",
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_version_option)
    commands: list[Callable[..., int]]
    commands = [demo.demo, score.rescore, score.compare, baselines.baselines]
    commands += [leaderboard.submit, leaderboard.verify, reproduce.reproduce, export.export]
    commands += [pairs.pairs, experiment.experiment]
    for command in commands:
        app.command()(command)
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("eval", context_settings=passed_on)(evaluate.evaluate)
    for name, family in {"data": data, "judge": judge, "human": human, "board": leaderboard}.items():
        app.add_typer(family.app, name=name)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"dfar-bench {__version__}")
        raise typer.Exit


def _version_option(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None: ...


def _usage(error: typer.TyperException) -> str:
    message = error.format_message().rstrip(".").replace(". Did you mean", ": did you mean")
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "dfar-bench"
    sentence = f"{message[:1].lower()}{message[1:]}"
    return sentence if sentence.endswith("?") else f"{sentence}: see {where} --help."


def _extras(package: str) -> str:
    """Return the extras of pyproject.toml that install a package, "" if none does."""
    from importlib.metadata import requires

    pattern = re.compile(rf"{re.escape(package)}\b.*extra == ['\"](?!dev|docs|all)(\w+)['\"]", re.IGNORECASE)
    return ",".join(match[1] for name in requires("dfar-bench") or () if (match := pattern.match(name)))


if __name__ == "__main__":
    sys.exit(main())
