"""``dfar-bench judge`` as people run it: in processes of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_reference_judge import GOLDEN, GOOD, REASON, SIGNATURE, STATEMENT, figures

from dfar_bench.commands import BAD_INPUT, FALLS_SHORT, FINE
from dfar_bench.judges import Case, artefact, get_judge

COMMAND = Path(sys.executable).parent / "dfar-bench"
GIVEN = {"id": "a", "statement": STATEMENT, "label": 0, "reference": REASON, "response": GOOD}
BEFORE = b'{"an": "earlier result"}\n'


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "judge", *arguments], capture_output=True, text=True, env={**os.environ, **environment}, timeout=300
    )


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a refusal."""
    assert done.returncode == BAD_INPUT, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("dfar-bench: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def written(folder: Path, *lines: dict[str, Any] | str) -> Path:
    file = folder / "in.jsonl"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return file


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


# judge score


def test_score(tmp_path: Path) -> None:
    """One line out for each line in, in order, with the id as it was; other fields are let be."""
    given = [
        GIVEN,
        {**GIVEN, "id": 7, "label": 1},
        {**GIVEN, "id": "7", "label": None, "reference": ""},
        {**GIVEN, "id": "ü 🙂", "response": "Ethical.", "model": "not read"},
        {**GIVEN, "id": "", "response": "I'm sorry, I can't help with that."},
    ]
    out = tmp_path / "out.jsonl"
    done = run("score", written(tmp_path, *given), "--out", out)
    assert (done.returncode, done.stderr) == (FINE, "")
    assert done.stdout == f"{out}: aligned 2, generic 1, refusal 1, wrong_stance 1; judge {SIGNATURE}\n"
    found = lines_of(out)
    assert [line["id"] for line in found] == ["a", 7, "7", "ü 🙂", ""]
    assert [line["code"] for line in found] == ["aligned", "wrong_stance", "aligned", "generic", "refusal"]
    for one, line in zip(given, found, strict=True):
        case = Case(*(one[name] for name in ("statement", "label", "reference", "response")))
        judgement = get_judge("reference").judge(case)
        assert line == {
            "id": one["id"],
            "misaligned": judgement.misaligned,
            "self_misaligned": judgement.self_misaligned,
            "score": round(judgement.score, 6),
            "code": judgement.code,
            "judge": SIGNATURE,
        }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_score_by_another_judge(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_bytes(BEFORE)
    done = run("score", written(tmp_path, GIVEN), "--out", out, "--judge", "verdict")
    assert (done.returncode, done.stderr) == (FINE, "")
    (line,) = lines_of(out)
    assert (line["score"], line["code"], line["judge"]) == (0.0, "aligned", "verdict.v1")


def test_nothing_to_score(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    done = run("score", written(tmp_path), "--out", out)
    assert (done.returncode, done.stdout, done.stderr) == (FINE, f"{out}: no responses; judge {SIGNATURE}\n", "")
    assert out.read_bytes() == b""


def test_texts_that_are_hardly_any(tmp_path: Path) -> None:
    """A byte order mark, halves of characters, NUL, a megabyte: all of it is read, none of it is wrong."""
    given = [
        {**GIVEN, "id": place, "response": text}
        for place, text in enumerate(["\ud800 Ethical.", "\0", "", "Ethical. " * 120_000, "\x1b[31m\r\n"])
    ]
    file = written(tmp_path, *given)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    done = run("score", file, "--out", tmp_path / "out.jsonl")
    assert (done.returncode, done.stderr) == (FINE, "")
    assert [line["id"] for line in lines_of(tmp_path / "out.jsonl")] == [0, 1, 2, 3, 4]
    assert all(line["misaligned"] for line in lines_of(tmp_path / "out.jsonl"))


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GIVEN.items() if key != name}


good = json.dumps(GIVEN)
FAULTS: dict[str, tuple[bytes, str]] = {
    **{
        f"no {name}": (json.dumps(without(name)).encode(), f"line 1: has no {name}: label may be null")
        for name in GIVEN
    },
    "label 2": (good.replace('"label": 0', '"label": 2').encode(), "the label is 2: it must be 0 (ethical), 1"),
    "label text": (good.replace('"label": 0', '"label": "1"').encode(), "the label is '1': it must be 0"),
    "label true": (good.replace('"label": 0', '"label": true').encode(), "the label is True: it must be 0"),
    "label NaN": (good.replace('"label": 0', '"label": NaN').encode(), "the label is nan: it must be 0"),
    "label list": (good.replace('"label": 0', '"label": [0]').encode(), "the label is [0]: it must be 0"),
    "response number": (json.dumps({**GIVEN, "response": 5}).encode(), "the response is no text but int: give"),
    "statement null": (json.dumps({**GIVEN, "statement": None}).encode(), "the statement is no text but NoneType"),
    "reference list": (json.dumps({**GIVEN, "reference": []}).encode(), "the reference is no text but list"),
    "id list": (json.dumps({**GIVEN, "id": ["a"]}).encode(), "the id is neither text nor a whole number"),
    "id true": (json.dumps({**GIVEN, "id": True}).encode(), "the id is neither text nor a whole number"),
    "id fraction": (json.dumps({**GIVEN, "id": 1.5}).encode(), "the id is neither text nor a whole number"),
    "the same id": (f"{good}\n{good}".encode(), "line 2: the id 'a' stands in line 1 already: make them differ."),
    "no JSON": (b"Ethical.", "line 1: empty or not valid JSON; the file seems cut off."),
    "cut off": (f"{good}\n{good[:60]}".encode(), "line 2: empty or not valid JSON; the file seems cut off."),
    "an empty line": (f"{good}\n\n{good}".encode(), "line 2: empty or not valid JSON"),
    "huge number": (good.replace('"a"', "9" * 5000).encode(), "line 1: empty or not valid JSON"),
    "no object": (b"[1, 2]", "line 1: is no object: a line holds id, statement, label, reference and response."),
    "not UTF-8": (b"\xff\xfe\x00", "is not UTF-8 text: save it as UTF-8."),
    "UTF-16": (good.encode("utf-16"), "is not UTF-8 text: save it as UTF-8."),
    "deep": (b"[" * 100_000, "nested too deeply; a line is one flat object."),
    "deep and whole": (b'{"id": ' * 50_000 + b"0" + b"}" * 50_000, "nested too deeply; a line is one flat object."),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_lines(fault: str, tmp_path: Path) -> None:
    """One sentence that names the file, exit status 2, and what was there before still is, whatever came first."""
    content, message = FAULTS[fault]
    file, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    file.write_bytes(content)
    out.write_bytes(BEFORE)
    said = refused(run("score", file, "--out", out))
    assert str(file) in said
    assert message in said
    assert out.read_bytes() == BEFORE
    assert file.read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def out_is_in(folder: Path) -> Path:
    return folder / "in.jsonl"


def out_is_in_by_another_name(folder: Path) -> Path:
    (folder / "link.jsonl").symlink_to(folder / "in.jsonl")
    return folder / "link.jsonl"


def no_folder(folder: Path) -> Path:
    return folder / "none" / "out.jsonl"


def a_file_for_a_folder(folder: Path) -> Path:
    return folder / "in.jsonl" / "out.jsonl"


def too_long(folder: Path) -> Path:
    return folder / ("x" * 300)


def nowhere(_: Path) -> Path:
    return Path("/proc/out.jsonl")  # not even an administrator may write there


@pytest.mark.parametrize(
    "target", [out_is_in, out_is_in_by_another_name, no_folder, a_file_for_a_folder, too_long, nowhere]
)
def test_bad_places_for_the_result(target: Callable[[Path], Path], tmp_path: Path) -> None:
    file = written(tmp_path, GIVEN)
    before = file.read_bytes()
    out = target(tmp_path)
    there = sorted(tmp_path.iterdir())
    said = refused(run("score", file, "--out", out))
    assert out.name[:50] in said
    assert file.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == there


def test_a_folder_for_a_result(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    refused(run("score", written(tmp_path, GIVEN), "--out", tmp_path / "out"))
    assert (tmp_path / "out").is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out"]


def test_no_device_is_replaced_by_a_result(tmp_path: Path) -> None:
    """For an administrator, ``--out /dev/null`` would be the end of it; a named pipe stands for a device here."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused(run("score", written(tmp_path, GIVEN), "--out", pipe))
    assert pipe.is_fifo()


def test_an_id_that_cannot_be_written(tmp_path: Path) -> None:
    """Half of a character."""
    out = tmp_path / "out.jsonl"
    out.write_bytes(BEFORE)
    done = run("score", written(tmp_path, {**GIVEN, "id": "\ud800"}), "--out", out)
    assert "Traceback" not in done.stderr
    assert done.returncode == FINE or (done.returncode == BAD_INPUT and out.read_bytes() == BEFORE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize("name", ["none.jsonl", "folder"])
def test_nothing_to_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "out.jsonl").write_bytes(BEFORE)
    assert name in refused(run("score", tmp_path / name, "--out", tmp_path / "out.jsonl"))
    assert (tmp_path / "out.jsonl").read_bytes() == BEFORE


@pytest.mark.parametrize(
    ("judge", "message"),
    [
        ("oracle", "there is no judge 'oracle': choose one of reference, verdict, llm, human."),
        ("", None),
        ("Reference", "there is no judge 'Reference'"),
        ("human", "name people's decisions"),
    ],
)
def test_which_judge(judge: str, message: str | None, tmp_path: Path) -> None:
    done = run("score", written(tmp_path, GIVEN), "--out", tmp_path / "out.jsonl", "--judge", judge)
    if message is None:  # nothing named is the default
        assert done.returncode == FINE
    else:
        assert message in refused(done)
        assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("arguments", [[], ["score"], ["score", "in.jsonl"], ["bake"], ["validate", "--split"]])
def test_bad_usage(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == BAD_INPUT
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", [[], ["score"], ["validate"], ["fit"]])
def test_help_is_instant(verb: list[str]) -> None:
    """As ``dfar-bench --help``: nothing heavy is imported for it."""

    def seconds() -> float:
        start = time.perf_counter()
        done = run(*verb, "--help")
        assert (done.returncode, done.stderr) == (FINE, "")
        assert done.stdout.startswith("usage: dfar-bench judge")
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.5


# judge validate


def bare(folder: Path) -> dict[str, str]:
    """An environment without data, and without a network if it tried."""
    return {"DFAR_BENCH_DATA": "", "DFAR_BENCH_CACHE": str(folder), "DFAR_BENCH_URL": "http://127.0.0.1:9/"}


def test_validate_without_data(tmp_path: Path) -> None:
    """The mini split's part; what is left out is said, and that goals are missed shows in the exit status."""
    done = run("validate", "--json", **bare(tmp_path))
    assert done.returncode == FALLS_SHORT
    assert (
        done.stderr
        == "dfar-bench: without the paper and the clean split, whose files are not here: dfar-bench data fetch\n"
    )
    report = json.loads(done.stdout, parse_constant=pytest.fail)
    assert (report["judge"], report["signature"]) == ("reference", SIGNATURE)
    assert [section["name"] for section in report["sections"]] == ["mini", "natural dev", "natural unseen"]
    for section in report["sections"]:
        assert figures(section) == GOLDEN[section["name"]]
    assert not list(tmp_path.iterdir())


def test_validate_for_people(tmp_path: Path) -> None:
    done = run("validate", "--judge", "verdict", "--split", "mini", **bare(tmp_path))
    assert (done.returncode, done.stderr) == (FALLS_SHORT, "")
    for part in ("judge verdict.v1\n", "\nmini · ", "\nnatural dev · ", "\nnatural unseen · ", "\ngoals met: "):
        assert part in done.stdout
    assert "paper ·" not in done.stdout


def test_validate_on_what_is_not_there(tmp_path: Path) -> None:
    assert "no constructed responses for 'ethos'" in refused(run("validate", "--split", "ethos", **bare(tmp_path)))
    said = refused(run("validate", "--split", "paper", **bare(tmp_path)))
    assert "is neither in DFAR_BENCH_DATA nor in the cache" in said


# judge fit


@pytest.mark.usefixtures("paper")
def test_fit_makes_the_artefact_again(tmp_path: Path) -> None:
    """From the published rows and the corpus, bit for bit: so nothing else went into it."""
    done = run("fit", "--out", tmp_path)
    assert (done.returncode, done.stderr) == (FINE, "")
    assert done.stdout == f"{SIGNATURE.rpartition('.')[2]}: the artefact of the package\n"
    shipped = artefact.load().arrays
    for name, expected in artefact.FILES.items():
        with np.load(tmp_path / name, allow_pickle=False) as arrays:
            assert set(arrays.files) == set(expected)
            for array in expected:
                assert arrays[array].dtype == shipped[array].dtype
                assert arrays[array].tobytes() == shipped[array].tobytes(), array


def test_fit_on_what_is_not_there(tmp_path: Path) -> None:
    said = refused(run("fit", "--vectors", tmp_path / "none.tgz", **bare(tmp_path)))
    assert "none.tgz cannot be read (No such file or directory): download https://" in said
    (tmp_path / "other.tgz").write_bytes(b"other")
    said = refused(run("fit", "--vectors", tmp_path / "other.tgz", **bare(tmp_path)))
    assert "other.tgz is not the file at https://" in said
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    said = refused(run("fit", **bare(tmp_path)))
    assert "is neither in DFAR_BENCH_DATA nor in the cache" in said
