from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dfar_bench import __version__
from dfar_bench.audit import NOISE_RULES
from dfar_bench.cli import main
from dfar_bench.commands import BAD_INPUT, FINE

COMMAND = Path(sys.executable).parent / "dfar-bench"


def test_help_is_instant() -> None:
    """Under half a second, of which the interpreter itself takes a part (best of five)."""

    def seconds() -> float:
        start = time.perf_counter()
        done = subprocess.run([COMMAND, "--help"], capture_output=True, text=True)
        assert done.returncode == 0
        assert "lm_eval --tasks dfar_cls,dfar_reason" in " ".join(done.stdout.split())
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.5


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"dfar-bench {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["bake"], ["data"], ["rescore"], ["rescore", "--resamples", "9999999", "x"]])
def test_bad_usage_exits_with_2(arguments: list[str]) -> None:
    done = subprocess.run([COMMAND, *arguments], capture_output=True, text=True)
    assert done.returncode == BAD_INPUT
    assert "Traceback" not in done.stderr


def test_an_extra_that_is_not_installed() -> None:
    code = "import sys; sys.modules['pydantic'] = None; from dfar_bench.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, "verify", "."], capture_output=True, text=True)
    assert done.returncode == BAD_INPUT
    needs = "this needs the package pydantic: pip install 'dfar-bench[train,judge,board]' brings it.\n"
    assert done.stderr == f"dfar-bench: {needs}"


@pytest.mark.usefixtures("paper")
def test_audit_finds_the_published_facts(capsys: pytest.CaptureFixture[str]) -> None:
    """Golden: what is measured on the published files."""
    assert main(["data", "audit", "--json"]) == FINE
    report = json.loads(capsys.readouterr().out)
    leakage = report["leakage"]
    assert [leakage[name] for name in ("leaked_rows", "same_label", "other_reason_bytes")] == [189, 189, 15]
    assert leakage["share"] == 0.378
    assert leakage["unleaked_labels"] == {"ethical": 201, "unethical": 110}
    assert leakage["unleaked_majority"] == 0.6463
    assert leakage["distinct_statements"] == 4811
    groups = report["groups"]
    assert (groups["train"]["groups"], groups["train"]["rows"]) == (831, 2046)
    assert groups["test"] == {"groups": 72, "rows": 269, "sizes": {"2": 8, "3": 3, "4": 61}, "mixed_labels": 56}
    encoding = {part: {fault: len(ids) for fault, ids in faults.items()} for part, faults in report["encoding"].items()}
    assert encoding["train"]["line break"] == 48
    assert encoding["train"]["mojibake"] + encoding["test"]["mojibake"] == 19
    assert encoding["train"]["no-break space"] + encoding["test"]["no-break space"] == 131
    assert encoding["train"]["zero-width character"] + encoding["test"]["zero-width character"] == 4
    repeats = {part: sum(len(ids) - 1 for ids in found["reasons"]) for part, found in report["duplicates"].items()}
    assert repeats == {"train": 9, "test": 1}
    assert [report["files"][name]["byte_order_mark"] for name in sorted(report["files"])] == [True, False]


@pytest.mark.usefixtures("paper")
def test_audit_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "audit"]) == FINE
    out = capsys.readouterr().out
    assert "leakage: 189 of 500 test rows (37.8%) stand in train, 189 with the same label" in out
    assert "test rows 261, 312–499 (0-based)" in out


def test_audit_of_mini_finds_no_leak(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "audit", "--split", "mini", "--json"]) == FINE
    report = json.loads(capsys.readouterr().out)
    assert report["leakage"]["leaked_rows"] == 0
    assert report["duplicates"]["test"] == {"statements": [], "reasons": []}


@pytest.mark.usefixtures("paper")
def test_fetch_says_where_the_files_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "fetch"]) == FINE
    assert capsys.readouterr().out.count(": as published") == 2


def test_no_data_and_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DFAR_BENCH_DATA", raising=False)
    monkeypatch.setenv("DFAR_BENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("DFAR_BENCH_URL", "http://127.0.0.1:9/")
    done = subprocess.run([COMMAND, "data", "fetch"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (BAD_INPUT, "")
    assert done.stderr.startswith("dfar-bench: DFAR_trainset.csv is neither in DFAR_BENCH_DATA nor in the cache")
    assert done.stderr.count("\n") == 1


def test_unknown_split(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "audit", "--split", "clear"]) == BAD_INPUT
    assert "no split 'clear'" in capsys.readouterr().err


def test_a_reader_that_leaves_early() -> None:
    done = subprocess.run(
        f"{COMMAND} data audit --split mini --json | head -1", shell=True, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.usefixtures("paper")
def test_the_committed_noise_list_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "noise"]) == 0
    printed = capsys.readouterr().out
    assert printed == (Path(__file__).parent.parent / "noise_list.csv").read_text()
    lines = [line.split(",") for line in printed.splitlines()[1:]]
    assert {rule for _, rule in lines} <= set(NOISE_RULES)
    assert all(row_id.startswith("paper-t") for row_id, _ in lines)


def test_the_noise_list_of_the_package_data_names_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "noise", "--split", "mini"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "row_id,rule"
