"""``dfar-bench`` as people type it: help, usage errors, exit statuses; and the commands on data."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dfar_bench import __version__
from dfar_bench.cli.main import main
from dfar_bench.cli.options import BAD_INPUT, FINE

COMMAND = Path(sys.executable).parent / "dfar-bench"


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, env={**os.environ, **environment}, timeout=300
    )


@pytest.mark.parametrize("command", ["", "judge score", "experiment", "baselines"])
def test_help_is_quick(command: str) -> None:
    """It imports none of what takes long; a limit in seconds would be the machine's, and not ours."""
    long = {
        "torch",
        "transformers",
        "lm_eval",
        "datasets",
        "sklearn",
        "scipy",
        "trl",
        "peft",
        "accelerate",
        "deepspeed",
    }
    program = "import sys; from dfar_bench.cli.main import main; main(sys.argv[1:]); print(sorted(sys.modules))"
    words = [sys.executable, "-c", program, *command.split(), "--help"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.stdout.startswith("Usage: ")
    imported = {name.partition(".")[0] for name in ast.literal_eval(done.stdout.splitlines()[-1])}
    assert {"typer", "dfar_bench"} <= imported
    assert not imported & long


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == FINE
    assert capsys.readouterr().out == f"dfar-bench {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "missing command: see dfar-bench --help."),
        ("bake", "no such command 'bake': see dfar-bench --help."),
        ("rescor", "no such command 'rescor': did you mean 'rescore'?"),
        ("data", "missing command: see dfar-bench data --help."),
        ("rescore", "missing argument 'PATH': see dfar-bench rescore --help."),
        ("rescore x --resamples 999999", "--resamples 999999 must be 0, or a whole number from 1000 to 100000."),
        ("rescore x --resamples many", "invalid value for '--resamples': "),
        ("rescore x --judge oracle", "there is no judge 'oracle': choose one of reference, "),
        ("rescore no/such/folder", "no/such/folder does not exist: name "),
        (f"rescore {'x' * 300}", f"{'x' * 300}: File name too long"),
        ("compare no/such/folder .", "no/such/folder does not exist: name "),
        ("judge score in.jsonl", "missing option '--out': see dfar-bench judge score --help."),
        ("judge validate --split", "option '--split' requires an argument"),
        ("human export x --out y --n 1", "invalid value for '--n': "),
        ("submit x --model-id a/b --mode l", "submit needs either --revision (a model on the Hub) or --weights"),
        ("data audit --split clear", "there is no data set 'clear': did you mean clean?"),
        ("board build --split clear", "there is no data set 'clear': did you mean clean?"),
        ("board serve", "no such command 'serve': see dfar-bench board --help."),
        ("demo --split ethos", "--split ethos has no train rows: choose one of paper, clean, mini."),
    ],
)
def test_bad_usage_is_one_sentence(arguments: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments.split()) == BAD_INPUT
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"dfar-bench: {message}")
    assert printed.err.count("\n") == 1


def test_a_plugin_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    done = run("--help", DFAR_BENCH_PLUGINS=str(tmp_path / "none.py"))
    assert (done.returncode, done.stdout) == (BAD_INPUT, "")
    assert "which is not a file: correct it or unset it." in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("package", "command", "extra"), [("pydantic", "verify .", "board"), ("deepspeed", "demo", "train")]
)
def test_a_missing_package_names_the_extra_that_brings_it(package: str, command: str, extra: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; from dfar_bench.cli.main import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code, *command.split()], capture_output=True, text=True)
    assert done.returncode == BAD_INPUT
    expected = f"this needs the package {package}: pip install 'dfar-bench[{extra}]' brings it."
    assert done.stderr == f"dfar-bench: {expected}\n"


def test_a_reader_that_leaves_early() -> None:
    command = f"set -o pipefail; {COMMAND} data audit --split mini --json | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (FINE, "{\n", "")


def test_an_exit_of_a_library_keeps_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dfar_bench.runs.audit.audit", lambda name: sys.exit(3))
    with pytest.raises(SystemExit, match="3"):
        main(["data", "audit", "--split", "mini"])


def test_no_data_and_no_network(tmp_path: Path) -> None:
    nowhere = {"DFAR_BENCH_DATA": "", "DFAR_BENCH_CACHE": str(tmp_path), "DFAR_BENCH_URL": "http://127.0.0.1:9/"}
    done = run("data", "fetch", **nowhere)
    assert (done.returncode, done.stdout) == (BAD_INPUT, "")
    assert done.stderr.startswith("dfar-bench: DFAR_trainset.csv is neither in DFAR_BENCH_DATA nor in the cache")
    assert done.stderr.count("\n") == 1


@pytest.mark.usefixtures("paper")
def test_fetch_prints_where_the_files_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "fetch", "clean", "mini"]) == FINE
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(": ")[2] for line in lines] == ["as published", "as published", "comes with the package"]
