# ruff: noqa: E501  (a table of faults reads best as a table)
"""Running a submission again: the commands, what is refused, the outcome, and the badge on the board."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from board_site import answering, write_submission
from edits import FILE, field, line, read_document
from harness import ROOT, evaluate_chat

from dfar_bench.cli.main import main
from dfar_bench.cli.options import BAD_INPUT, FALLS_SHORT, FINE
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.build import build
from dfar_bench.leaderboard.reproduce import outcome, plan
from dfar_bench.leaderboard.reproduced import MAX_DIFFERING, outcome_file, read_outcomes
from dfar_bench.leaderboard.submit import About, submit
from dfar_bench.leaderboard.verify import submitted_runs
from dfar_bench.runs.evaluate import turn_by_turn
from dfar_bench.runs.log import runs_by_task
from dfar_bench.scoring import find_task

COMMIT = "0123456789abcdef" * 2 + "01234567"
RECORDED = {"backend": "hf", "arguments": [], "parameters": 7}
SENSIBLE = answering(0.8, "good")
CLS, REASON = "tasks/dfar_mini_cls/harness/", "tasks/dfar_mini_reason/harness/"


def edited(folder: Path, *edits: Callable[[Path], Any]) -> Path:
    for edit in edits:
        folder = edit(folder)
    return folder


def write(tree: Path, model: str = "acme/judge-7b", style: str = "llama2", **fields: Any) -> Path:
    """Write a submission of a commit, whose answers end where their prompt says."""
    folder = write_submission(tree, model, SENSIBLE, style=style, **fields)
    stops = list(submitted_runs(folder)["dfar_mini_reason"].outputs[0].prompt.stops)
    generation = {"max_gen_toks": 192, "do_sample": False, "until": stops}
    return edited(folder, field("model/revision", COMMIT), field(REASON + "generation", generation))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("good") / "submissions"
    return write(tree, recorded=RECORDED)


@pytest.fixture
def copy(good: Path, tmp_path: Path) -> Path:
    shutil.copytree(good.parent.parent, tmp_path / "submissions")
    return tmp_path / "submissions" / good.parent.name / good.name


# The commands


def test_the_commands(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are printed, and nothing is run."""
    assert main(["reproduce", str(copy), "--out", str(copy.parent / "out")]) == FINE
    model = f"lm_eval --model hf --model_args pretrained=acme/judge-7b,revision={COMMIT}"
    *remarks, cls, reason, last = capsys.readouterr().out.splitlines()
    assert remarks == ["not recorded, so left at lm_eval's defaults: dtype, batch"]
    assert cls.startswith(f"{model} --seed 0,1,1,1 --tasks dfar_mini_cls --log_samples --output_path ")
    assert """ --gen_kwargs '{"max_gen_toks": 192}' --seed 0,1,1,1 --tasks dfar_mini_reason """ in reason
    assert last == "nothing was run: add --yes to run this"
    assert not (copy.parent / "out").exists()


def test_how_it_was_asked_is_in_the_commands(tmp_path: Path) -> None:
    """A chat model under conditions that are not the tasks' own; what is asked alike is one command."""
    folder = write(tmp_path, style="chat", recorded=RECORDED)
    common = [(name, value) for name, value in (("dtype", "bfloat16"), ("batch", "auto:4"), ("shots", 2))]
    folder = edited(
        folder,
        *(field(task + name, value) for task in (CLS, REASON) for name, value in common),
        field(REASON + "generation", {"max_gen_toks": 512, "do_sample": False, "until": []}),
    )
    (words,) = plan(folder, None, "cpu").commands
    assert shlex.join(words) == (
        f"lm_eval --model hf --model_args pretrained=acme/judge-7b,revision={COMMIT},dtype=bfloat16 "
        "--apply_chat_template --num_fewshot 2 --fewshot_as_multiturn false --batch_size auto:4 --seed 0,1,1,1 "
        "--tasks dfar_mini_cls,dfar_mini_reason --log_samples --device cpu"
    )
    planned = plan(write(tmp_path, "acme/other", style="plain"), None)
    assert """--metadata '{"prompt": "plain"}'""" in shlex.join(planned.commands[0])
    assert planned.unknown == ("dtype", "batch", "other model arguments")


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "code of the model": (field("recorded/arguments", ["trust_remote_code"]), r"the model arguments trust_remote_code, which are not"),
    "another argument": (field("recorded/arguments", ["max_length", "peft"]), r"the model arguments max_length, peft, which are not"),
    "an endpoint": (field("recorded/backend", "local-completions"), r"--model 'local-completions', which is not run"),
    "another argument as a name": (field("model/revision", f"{COMMIT},trust_remote_code=True"), r"model\.revision: string should match"),
    "another argument as a precision": (field(CLS + "dtype", "float32,trust_remote_code=True"), r"was scored in 'float32,trust_remote"),
    "an option as a batch size": (field(CLS + "batch", "8 --trust_remote_code"), r"batch size '8 --trust_remote_code', which"),
    "generating by code": (field(REASON + "generation/custom_generate", "x/y"), r"generated with 'custom_generate'='x/y', which"),
    "a text for a number": (field(REASON + "generation/temperature", "hot"), r"generated with 'temperature'='hot', which"),
    "another end": (field(REASON + "generation/until", ["x"]), r"was generated until \['x'\], which are not"),
    "a system instruction": (field(CLS + "system_instruction_sha", "0" * 64), r"a system instruction, of which it holds the hash"),
    "another commit than was recorded": (field("recorded/commit", "f" * 40), r"model\.revision says 0123\w+, and recorded f{40}"),
    "the dummy": (field("recorded/backend", "dummy"), r"recorded\.backend says that the answers are the random ones"),
    "a fault": (field("tasks/dfar_mini_cls/sha256", "0" * 64), r"dfar-bench verify names every fault"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_run(what: str, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit, message = REFUSED[what]
    folder = edited(copy, edit)
    arguments = ["--yes", "--out", str(tmp_path / "out"), "--outcomes", str(tmp_path / "reproduced")]
    assert main(["reproduce", str(folder), *arguments]) == BAD_INPUT
    printed = capsys.readouterr()
    assert printed.out == ""
    with pytest.raises(InputError, match=message):
        plan(folder, None)
    assert [path.name for path in tmp_path.iterdir()] == ["submissions"]


@pytest.mark.parametrize("name", ["nowhere/a/b", "submissions", "README.md"])
def test_what_is_not_a_submission(name: str, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").touch()
    assert main(["reproduce", str(tmp_path / name)]) == BAD_INPUT
    error = capsys.readouterr().err
    assert error == f"dfar-bench: {tmp_path / name} is not a submission: name its folder, ORG__NAME/RUN.\n"


def test_weights_must_be_those_that_were_submitted(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"one")
    with pytest.raises(InputError, match="is to be loaded from the Hub, at the commit that was submitted: leave out"):
        plan(copy, tmp_path)
    local = {"id": "acme/judge-7b", "revision": None, "weights_sha256": "0" * 64}
    folder = edited(write(tmp_path / "local"), field("model", local))
    with pytest.raises(InputError, match="was submitted with local weights: name their folder with --model"):
        plan(folder, None)
    with pytest.raises(InputError, match=r"holds other weights \(sha256 \w{12}…\) than were submitted \(0{12}…\)"):
        plan(folder, tmp_path)


# A real one


def test_a_real_one(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model made on the spot, scored, submitted, run again by the harness's command, and shown on the board."""
    task = "dfar_mini_reason"
    with turn_by_turn(tmp_path / "results", "run"):
        evaluate_chat(tmp_path / "results", tiny_model, task)
    submitted = submit([tmp_path / "results"], About("acme/tiny", "base", weights=tiny_model), tmp_path / "submissions")
    words = ["reproduce", str(submitted.folder), "--model", str(tiny_model), "--device", "cpu", "--yes"]
    words += ["--out", str(tmp_path / "out"), "--outcomes", str(tmp_path / "reproduced")]
    assert main(words) == FINE, (tmp_path / "out" / "logs" / "01.txt").read_text()[-2000:]
    printed = capsys.readouterr().out
    assert "$ dfar-bench eval --model hf --model_args pretrained=" in printed
    assert (
        f"reproduced\n  {task}: 52 of 52 answers equal, 0 verdicts differ, 0 of the judge's codes differ\n    no"
        in printed
    )
    name = f"acme__tiny/{submitted.folder.name}"
    outcomes, faults = read_outcomes(tmp_path / "reproduced", {name: submitted.folder})
    assert faults == []
    assert outcomes[name].tasks[task].equal == 52
    assert "|ends:recorded|dtype:float32|batch:26|" in outcomes[name].tasks[task].signature
    again = runs_by_task(tmp_path / "out")
    folder = edited(submitted.folder, line(f"{task}.jsonl.gz", response="ethical. It keeps a promise.", cut=False))
    planned = plan(folder, tiny_model)
    result = outcome(folder, planned, again, get_judge()).tasks[task]
    assert (result.equal, result.verdicts_differ, result.codes_differ) == (51, 1, 1)
    assert result.metrics["unparsed"] == pytest.approx(1 / 52)
    run, other = again[task], "0" * 64
    for changed, message in (
        ({}, f"{task} was not answered anew, or in part only"),
        ({task: replace(run, outputs=run.outputs[1:])}, f"{task} was not answered anew, or in part only"),
        ({task: replace(run, harness=replace(run.harness, dtype="bfloat16"))}, "dtype float32, now bfloat16"),
        ({task: replace(run, harness=replace(run.harness, chat_template_sha=other))}, "the chat template is another"),
        ({task: replace(run, scored=replace(run.scored, weights_sha256=other))}, f"was made with {other}, not with"),
    ):
        with pytest.raises(InputError, match=message):
            outcome(folder, planned, changed, get_judge())


# The outcome, and the badge


def write_outcome(folder: Path, *, differ: int = 1, codes: int = 0, **changes: Any) -> Path:
    """Write the outcome of a submission, beside the tree of submissions, and return its path."""
    task = {
        "signature": "dfar|data:mini",
        "rows": 52,
        "equal": 40,
        "verdicts_differ": differ,
        "largest": None,
        "metrics": {"acc": -0.019},
    }
    document = {
        "schema_version": 1,
        "submission": f"{folder.parent.name}/{folder.name}",
        "sha256": hashlib.sha256((folder / FILE).read_bytes()).hexdigest(),
        "created": "2026-02-01",
        "tasks": {
            name: {**task, "codes_differ": codes if find_task(name).kind.judged else None}
            for name in read_document(folder)["tasks"]
        },
    }
    path = folder.parents[2] / "reproduced" / outcome_file(folder)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({**document, **changes}))
    return path


@pytest.mark.parametrize(
    ("differ", "codes", "unknown", "word"),
    [
        (2, 2, [], "reproduced"),
        (2, 2, ["dtype"], "reproduced"),
        (3, 0, [], "not reproduced"),
        (0, 3, [], "not reproduced"),
        (3, 0, ["dtype"], "could not be run alike"),
    ],
)
def test_the_word(differ: int, codes: int, unknown: list[str], word: str, copy: Path, tmp_path: Path) -> None:
    """Verdicts that came again are not enough where the reasons are others; what was guessed is no charge."""
    write_outcome(copy, differ=differ, codes=codes, unknown=unknown)
    name = f"acme__judge-7b/{copy.name}"
    outcomes, faults = read_outcomes(tmp_path / "reproduced", {name: copy})
    assert (outcomes[name].word, faults) == (word, [])
    assert outcomes[name].text.endswith("lm_eval's defaults: dtype") == bool(unknown)
    assert (
        f"at most {MAX_DIFFERING:.0%} of the verdicts".replace("%", " %") in (ROOT / "docs/leaderboard.md").read_text()
    )


@pytest.mark.parametrize(("differ", "word"), [(2, "reproduced"), (3, "not reproduced")])
def test_the_badge(differ: int, word: str, copy: Path, tmp_path: Path) -> None:
    """It says how much was equal."""
    write_outcome(copy, differ=differ)
    assert main(["board", "build", str(tmp_path / "submissions"), "--out", str(tmp_path / "board")]) == FINE
    text = f"dfar_mini_cls: 40 of 52 answers equal, {differ} verdicts differ; dfar_mini_reason: 40 of 52"
    index = (tmp_path / "board" / "index.html").read_text()
    assert re.search(rf"<summary>{word}</summary>run again by a maintainer on 2026-02-01; {text}[^<]*</details>", index)
    (page,) = (tmp_path / "board" / "runs").rglob("*.html")
    assert f"<b>{word}</b>: run again by a maintainer on 2026-02-01; {text}" in page.read_text()
    assert "re-scored from its answers; which model gave them" in page.read_text()
    rows_ = json.loads((tmp_path / "board" / "results.json").read_text())["rows"]
    (row,) = (row for row in rows_ if row["status"] == "rescored")
    assert row["reproduced"]["holds"] == (word == "reproduced")
    assert {row["reproduced"] for row in rows_ if row["status"] == "trivial"} == {None}


def test_no_badge_without_an_outcome(copy: Path, tmp_path: Path) -> None:
    build(tmp_path / "submissions", tmp_path / "board", reproduced=tmp_path / "reproduced")
    assert ">reproduced<" not in (tmp_path / "board" / "index.html").read_text()


TASK = {
    "signature": "",
    "rows": 52,
    "equal": 52,
    "verdicts_differ": 0,
    "codes_differ": None,
    "largest": None,
    "metrics": {},
}
BOTH = {"dfar_mini_cls": TASK, "dfar_mini_reason": {**TASK, "codes_differ": 0}}
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "of other answers": ({"sha256": "0" * 64}, "sha256: is not that of the submission.json there"),
    "of another": ({"submission": "acme__other/x"}, "submission: must be acme__judge-7b/"),
    "of one task": ({"tasks": {"dfar_mini_cls": TASK}}, "tasks: must be those of the submission: dfar_mini_cls, dfar_mini_reason"),
    "of other rows": ({"tasks": {name: {**task, "rows": 53} for name, task in BOTH.items()}}, "tasks.dfar_mini_cls.rows: is 53, and the test set has 52"),
    "more than all": ({"tasks": {"dfar_mini_cls": {**TASK, "verdicts_differ": 1}}}, "tasks.dfar_mini_cls: has more rows that are equal or differ than rows"),
    "markup": ({"tasks": {"dfar_mini_cls": {**TASK, "signature": "<script>"}}}, "tasks.dfar_mini_cls.signature: string should match"),
    "a field too many": ({"note": "<b>"}, "note: is not a field"),
    "more codes than rows": ({"tasks": {**BOTH, "dfar_mini_reason": {**TASK, "codes_differ": 53}}}, "tasks.dfar_mini_reason: has more rows that are"),
    "without the judge's codes": ({"tasks": dict.fromkeys(BOTH, TASK)}, "tasks.dfar_mini_reason.codes_differ: must be a number where a judge"),
    "a day to come that is none": ({"created": "soon"}, "created: is not a date"),
    "a day to come": ({"created": "2999-01-31"}, "created: is 2999-01-31, which is in the future"),
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
def test_outcomes_with_a_fault(what: str, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes, message = FAULTS[what]
    path = write_outcome(copy, **changes)
    command = ["board", "build", str(tmp_path / "submissions"), "--out", str(tmp_path / "board")]
    assert main(command) == FALLS_SHORT
    assert f"dfar-bench: reproduced/acme__judge-7b/{path.name}: {message}" in capsys.readouterr().err
    outcomes, _ = read_outcomes(tmp_path / "reproduced", {f"acme__judge-7b/{copy.name}": copy})
    assert outcomes == {}


def test_files_that_do_not_belong_among_outcomes(copy: Path, tmp_path: Path) -> None:
    path = write_outcome(copy)
    folder = tmp_path / "reproduced"
    (folder / ".gitkeep").touch()  # which does
    (folder / "acme__judge-7b" / "2026-01-31-00000000.json").write_text("{}")
    (folder / "x.json").write_text("{}")
    (folder / "acme__other").symlink_to(path.parent)
    content = path.read_bytes()
    path.unlink()
    (tmp_path / "elsewhere.json").write_bytes(content)
    path.symlink_to(tmp_path / "elsewhere.json")
    outcomes, faults = read_outcomes(folder, {f"acme__judge-7b/{copy.name}": copy})
    assert outcomes == {}
    assert sorted(f"{fault.file.partition('/')[2]}: {fault.field}" for fault in faults) == [
        "acme__judge-7b/2026-01-31-00000000.json: name",
        f"acme__judge-7b/{copy.name}.json: file",
        "acme__other: name",
        "x.json: name",
    ]
    path.unlink()
    path.write_bytes(b" " * 70_000 + content)
    _, faults = read_outcomes(folder, {f"acme__judge-7b/{copy.name}": copy})
    assert "size: is 7" in "".join(map(str, faults))
