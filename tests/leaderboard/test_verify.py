"""Verifying submissions: the same figures as ``rescore``, the cache, flags, contamination, names that look alike."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from board_site import accepted, answering, write_submission
from edits import CLS, FILE, REASON, read_document, write_answers, write_document
from harness import ROOT
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dfar_bench.cli.main import main
from dfar_bench.cli.options import BAD_INPUT, FALLS_SHORT, FINE
from dfar_bench.datasets import LABELS, Row, row_hash, rows, without_leaked
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard import contamination as contamination_module
from dfar_bench.leaderboard.answers_file import answer_line, pack, prompts_of, read_answers
from dfar_bench.leaderboard.contamination import contamination
from dfar_bench.leaderboard.faults import Fault, RefusedError
from dfar_bench.leaderboard.flags import inconsistency, same_judge, task_flags
from dfar_bench.leaderboard.report import verify_all
from dfar_bench.leaderboard.schema import Submission, json_schema
from dfar_bench.leaderboard.submission import find_submissions, imitations
from dfar_bench.leaderboard.verified import VerifiedSubmission
from dfar_bench.leaderboard.verify import run_flags, submitted_runs, verify
from dfar_bench.prompts import find_condition, make_prompt
from dfar_bench.runs.rescore import rescore_run
from dfar_bench.runs.run import Harness, Run
from dfar_bench.scoring import METRICS, Metric, Output, find_task

QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
SENSIBLE = answering(0.8, "good")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_submission(tmp_path_factory.mktemp("good") / "submissions", "acme/judge-7b", SENSIBLE)


@pytest.fixture
def copy(good: Path, tmp_path: Path) -> Path:
    shutil.copytree(good.parent.parent, tmp_path / "submissions")
    return tmp_path / "submissions" / good.parent.name / good.name


def test_the_committed_schema_is_that_of_the_models() -> None:
    """Made again by ``python -m dfar_bench.leaderboard.schema > leaderboard/submission.schema.json``."""
    assert (ROOT / "leaderboard" / "submission.schema.json").read_text(encoding="utf-8") == json_schema()


@pytest.mark.usefixtures("paper")
def test_the_committed_submissions_are_accepted() -> None:
    """With figures of FINDINGS; that none of their files quotes the data is checked for each by ``verify``."""
    report = verify_all([ROOT / "leaderboard" / "submissions"])
    assert report.faults == []
    assert len(report.entries) >= 14
    figures = {
        (entry.model, name, task["metrics"].get("acc"), task["metrics"].get("mar"))
        for entry in report.entries
        for name, task in entry.value["tasks"].items()
        if "condition:label|" in task["signature"] or name.endswith("reason")
    }
    assert ("dfar-bench/gemma-3-270m-lr", "dfar_cls", 0.647, None) in figures
    assert ("dfar-bench/gemma-3-270m-lr", "dfar_reason", None, 0.532) in figures


def test_the_figures_are_those_of_rescore(good: Path) -> None:
    submission = accepted(good)
    for name, run in submitted_runs(good).items():
        task, scored = submission.tasks[name], rescore_run(run, get_judge())
        assert task.estimates == {metric: score.estimate for metric, score in scored.scores.items()}
        assert task.metrics == {metric: score.estimate.value for metric, score in scored.scores.items()}
        assert (task.signature, task.codes) == (scored.signature, scored.codes)
        assert [output.row for output in task.run.outputs] == [answer.row for answer in task.answers]
        assert run.complete
    assert sum(submission.tasks["dfar_mini_reason"].codes.values()) == len(rows("mini")["test"])


def test_a_new_metric_needs_no_new_submission(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metric = Metric("length", "reason", lambda answer: float(len(answer.case.response)), "Length")
    monkeypatch.setitem(METRICS._entries, "length", metric)
    assert accepted(good).tasks["dfar_mini_reason"].metrics["length"] > 10  # type: ignore[operator]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_submission_a_model_or_the_tree(level: int, copy: Path) -> None:
    (copy.parents[1] / ".submit-x1y2").mkdir()  # of a killed submit; git does not know it, as it is empty
    path = (copy, copy.parent, copy.parents[1])[level]
    assert find_submissions([path, copy]) == ([copy], [])


def test_an_empty_tree_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".gitkeep").touch()
    assert main(["verify", str(tmp_path)]) == FINE
    assert capsys.readouterr().out.startswith("0 of 0 submissions re-scored from their answers")


@pytest.mark.parametrize("arguments", [["/no/such/folder"], [__file__], [".", "--skip-unchanged", __file__]])
def test_unusable_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", *arguments]) == BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert "is not a folder: name " in err or "cannot be a folder for the cache: name another" in err


def test_published_tables_that_are_not_there(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["board", "build", str(copy.parents[1]), "--out", str(tmp_path / "board")]
    for wrong in (tmp_path / "no", copy / FILE):
        assert main([*command, "--reported", str(wrong)]) == BAD_INPUT
        assert f"{wrong} is not a folder: name one that holds published tables" in capsys.readouterr().err
    assert not (tmp_path / "board").exists()


def test_unchanged_submissions_are_skipped(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as neither they, nor judge, code, data or names change; and never where there was a fault."""
    cache, tree = tmp_path / "cache", copy.parents[1]

    def unchanged() -> list[bool]:
        return [entry.unchanged for entry in verify_all([tree], cache=cache).entries]

    assert [unchanged(), unchanged()] == [[False], [True]]
    (file,) = cache.iterdir()
    file.write_text(file.read_text()[:-10])
    assert [unchanged(), unchanged()] == [[False], [True]]
    file.write_text("[]")
    assert [unchanged(), unchanged()] == [[False], [True]]
    monkeypatch.setattr("dfar_bench.leaderboard.submission.code_hash", lambda: "other code")
    assert [unchanged(), unchanged()] == [[False], [True]]
    monkeypatch.setattr("dfar_bench.leaderboard.submission.available", lambda name: False)
    assert [unchanged(), unchanged()] == [[False], [True]]
    verify_all([tree], cache=cache, derive=lambda submission: submission.model)
    (copy / "x").touch()
    assert unchanged() == []
    (copy / "x").unlink()
    assert unchanged() == [True]
    copy.parent.rename(copy.parent.with_name("acme__other"))
    assert unchanged() == []


# Flags


def flags_of(kind: str, answer: Callable[[Row], Any], *, verdicts_alone: bool = False) -> list[str]:
    task = find_task(f"dfar_mini_{kind}")
    outputs = [Output(row, answer(row)) for row in rows("mini")["test"]]
    answers = task.kind.read(outputs, get_judge())
    return [flag.kind for flag in task_flags(answers, verdicts_alone=verdicts_alone)]


@pytest.mark.parametrize(
    ("kind", "answer", "flags"),
    [
        ("cls", lambda row: SENSIBLE(row, "cls"), []),
        ("reason", lambda row: SENSIBLE(row, "reason"), []),
        ("reason", lambda row: f" {LABELS[row.label]}. {row.reason}", ["gold_copy", "implausible"]),
        ("reason", lambda row: SENSIBLE(row, "reason") + (row.reason if row.row_id.endswith("07") else ""), []),
        ("reason", lambda row: SENSIBLE(row, "reason") + (row.reason if row.row_id[-1] == "7" else ""), ["gold_copy"]),
        ("reason", lambda row: " ethical. It is what people expect.", ["constant"]),
        ("cls", lambda row: (-1.0, -2.0 - len(row.statement)), ["constant"]),
        ("cls", lambda row: (-1.0, -2.0) if row.label == 0 else (-2.0, -1.0), ["implausible"]),
        ("cls", lambda row: (-1.0, -1.0) if row.row_id[-1] == "7" else SENSIBLE(row, "cls"), ["ties"]),
        ("cls", lambda row: (-1.0, -1.0) if row.row_id.endswith("07") else SENSIBLE(row, "cls"), []),
    ],
)
def test_flags(kind: str, answer: Callable[[Row], Any], flags: list[str]) -> None:
    assert flags_of(kind, answer) == flags


def test_one_word_by_design_is_not_odd(tmp_path: Path) -> None:
    """Most answers of a model that learned labels are the same word; the same words of another model are odd."""

    def mostly(row: Row) -> str:
        return " unethical." if row.row_id.endswith("7") else " ethical."

    assert flags_of("reason", mostly) == ["constant"]
    assert flags_of("reason", mostly, verdicts_alone=True) == []
    assert flags_of("reason", lambda row: " ethical.", verdicts_alone=True) == ["constant"]
    outputs = tuple(Output(row, mostly(row)) for row in rows("mini")["test"])
    asked, alone = (
        Run(find_task("dfar_mini_reason"), "llama2.v1", find_condition(name), outputs, Harness())
        for name in ("reason", "label")
    )
    flags = [
        run_flags(run, run.answers(get_judge()), mode) for run, mode in ((asked, None), (asked, "l"), (alone, None))
    ]
    assert [[flag.kind for flag in found] for found in flags] == [["constant"], [], []]
    repeated = " ethical. It is what people expect."
    assert flags_of("reason", lambda row: repeated, verdicts_alone=True) == ["constant"]
    trained = {"sets": ["other"], "description": "labels of its own"}
    for mode, flags in (("l", 0), ("lr", 1)):
        folder = write_submission(
            tmp_path, f"acme/{mode}", lambda row, kind: SENSIBLE(row, kind) if kind == "cls" else mostly(row),
            mode=mode, training=trained,
        )  # fmt: skip
        assert len(accepted(folder).tasks["dfar_mini_reason"].flags) == flags


def test_tasks_that_contradict_each_other() -> None:
    assert inconsistency(0.9, 0.3, 0.0) is not None
    assert inconsistency(0.9, 0.3, 0.6) is None
    assert inconsistency(0.9, 0.8, 0.0) is None
    assert inconsistency(None, 0.8, 0.0) is None


def test_who_was_ranked_by_the_judge_that_scores() -> None:
    assert same_judge("reference.v2.00000000", "reference.v2.11111111") is not None  # another fit of the same
    assert same_judge("reference.v2b.00000000", "reference.v2.11111111") is None
    assert same_judge(None, "reference.v2.11111111") is None


def test_flags_are_shown_and_refuse_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same constant answers of two models, differently packed, and one that contradicts itself."""

    def constant(row: Row, kind: str) -> Any:
        return (-1.0, -2.0) if kind == "cls" else " ethical. It is so."

    def contradictory(row: Row, kind: str) -> Any:
        wrong = LABELS[1 - row.label]
        return SENSIBLE(row, kind) if kind == "cls" else f" {wrong}. Case {row.row_id[-2:]} is {wrong}."

    first = write_submission(tmp_path / "out", "acme/one", constant)
    again = gzip.compress(gzip.decompress((first / CLS).read_bytes()), compresslevel=1, mtime=0)
    assert write_answers(first, again) != first
    write_submission(tmp_path / "out", "beta/two", constant)
    write_submission(tmp_path / "out", "gamma/three", contradictory)
    assert main(["verify", str(tmp_path / "out")]) == FINE
    out = capsys.readouterr().out
    assert out.count("flag: one verdict for all rows") == 2
    assert out.count("flag: one response for 52 of 52 rows") == 2
    assert "flag: the answers to dfar_mini_cls are, to the last character, those of beta/two" in out
    assert "flag: the answers to dfar_mini_reason are, to the last character, those of acme/one" in out
    assert "right by likelihood, and 0.0% by its written verdicts" in out


# Contamination


def declare(
    good: Path, mode: str, sets: list[str], row_ids: list[str] | None = None, split: str = "paper"
) -> Submission:
    document = read_document(good)
    document |= {"mode": mode, "training": {"sets": sets, "description": "and others"}}
    if row_ids is not None:
        hashes = " ".join(map(row_hash, row_ids))
        document["dfar_run"] = {
            "mode": mode,
            "split": split,
            "drop_leaked": "dfar_train_unleaked" in sets,
            "prompt": "llama2.v1",
            "method": "lora",
            "seed": 1,
            "packages": {},
            "steps": 1,
            "final_loss": 1.0,
            "tokens_per_second": 1.0,
            "base_model": {"name": "x", "type": "llama", "parameters": 1, "trained": 1},
            "data": {"rows": len(row_ids), "tokens": 1, "sha256": "0" * 64, "row_ids": hashes},
            "distribution": {"type": "NO", "zero_stage": None, "offload": [], "processes": 1, "device": "cpu"},
            "arguments": {},
        }
    return Submission.model_validate(document)


@pytest.mark.usefixtures("paper")
def test_contamination_as_declared(good: Path) -> None:
    """(contaminated, shared test rows, those that the unleaked metrics count) by data set."""

    def of(mode: str, *sets: str) -> dict[str, tuple[bool | None, int, int]]:
        submission = declare(good, mode, list(sets))
        found = {name: contamination(submission, name) for name in ("paper", "clean", "mini")}
        return {name: (known.contaminated, known.rows, known.unleaked_rows) for name, known in found.items()}

    nothing, unknown = (False, 0, 0), (None, 0, 0)
    assert of("base", "none") == dict.fromkeys(("paper", "clean", "mini"), nothing)
    assert of("other", "other") == dict.fromkeys(("paper", "clean", "mini"), unknown)
    assert of("lr", "dfar_mini_train") == dict.fromkeys(("paper", "clean", "mini"), nothing)
    paper, unleaked = of("lr", "dfar_train"), of("lr", "dfar_train_unleaked")
    assert paper["paper"] == (True, 189, 0)
    assert (paper["clean"][0], paper["clean"][1] > 400) == (True, True)
    assert (unleaked["paper"], unleaked["clean"][0]) == (nothing, True)
    clean = of("lr", "dfar_clean_train")
    assert (clean["clean"], clean["paper"][0], clean["paper"][2] > 200) == (nothing, True, True)
    assert of("lr", "dfar_train", "other")["paper"] == (True, 189, 0)


@pytest.mark.usefixtures("paper")
def test_contamination_by_the_hashes_of_rows(good: Path) -> None:
    """The hashes say what was trained on, whatever else is declared; unknown rows are said to be so."""
    train = [row.row_id for row in rows("paper")["train"]]
    kept = [row.row_id for row in without_leaked(rows("paper")["train"], rows("paper")["test"])]
    assert contamination(declare(good, "lr", ["dfar_train"], train), "paper").rows == 189
    honest = contamination(declare(good, "lr", ["dfar_train_unleaked"], kept), "paper")
    assert (honest.contaminated, honest.why[:10]) == (False, "by the has")
    sly = contamination(declare(good, "lr", ["dfar_train_unleaked"], train), "paper")
    assert (sly.contaminated, sly.rows, sly.unleaked_rows) == (True, 189, 0)
    tested = contamination(declare(good, "lr", ["dfar_train_unleaked"], [*kept, "paper-test-0001"]), "paper")
    assert (tested.contaminated, tested.rows, tested.unleaked_rows) == (True, 1, 1)
    strange = contamination(declare(good, "lr", ["dfar_train_unleaked"], [*kept, "mine-0001"]), "paper")
    assert strange.contaminated is None
    assert "1 of its 4,312 training rows are not known here" in strange.why
    hidden = contamination(declare(good, "lr", ["dfar_train"], ["mine-0001"]), "paper")
    assert (hidden.contaminated, hidden.rows) == (True, 189)  # unknown hashes do not unsay what is declared


def test_contamination_without_the_published_data(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether mini was trained on can be known without it, but not whether DFAR holds mini's rows."""

    def only_mini(name: str) -> Any:
        if name != "mini":
            raise InputError("not available")
        return rows(name)

    monkeypatch.setattr(contamination_module, "rows", only_mini)
    for cached in (contamination_module._by_hash, contamination_module._of_set):
        monkeypatch.setattr(contamination_module, cached.__name__, cached.__wrapped__)
    train = [row.row_id for row in rows("mini")["train"]]
    assert contamination(declare(good, "l", ["dfar_mini_train"], train, "mini"), "mini").contaminated is False
    assert contamination(declare(good, "l", ["dfar_train"]), "mini").contaminated is None
    assert contamination(declare(good, "l", ["dfar_train"], ["paper-train-0001"]), "mini").contaminated is None


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("acme__llama-2", "acme__llama_2", True),
        ("acme__llama-2", "acme__llama.2", True),
        ("acme__llama", "ACME__Llama", True),
        ("acme__llama", "acme__1Iama", True),
        ("acme__O1", "acme__0l", True),
        ("acme__modern", "acme__modem", True),
        ("meta-llama__a", "meta-1lama__b", True),
        ("acme__mini", "acme__mlnl", False),
        ("acme__llama-2", "acme__llama-3", False),
        ("acme__llama", "beta__llama", False),
    ],
)
def test_names_that_look_alike(first: str, second: str, alike: bool) -> None:
    assert (set(imitations([first, second])) == {first, second}) is alike
    assert imitations([first]) == {}


# Properties

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


def verify_edited(edit: Callable[[Path], object], good: Path) -> VerifiedSubmission | list[Fault]:
    """Verify an edited copy; whatever is found can be printed."""
    with tempfile.TemporaryDirectory() as beside:
        folder = Path(beside) / good.parent.name / good.name
        shutil.copytree(good, folder)
        edited = edit(folder)
        result = verify(edited if isinstance(edited, Path) else folder)
        for fault in result if isinstance(result, list) else ():
            assert "\n" not in str(fault)
            str(fault).encode()
        return result


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(value, dict):
        return [at]
    return [at, *(place for name, inner in value.items() for place in places(inner, (*at, name)))]


@QUICK
@given(data=st.data(), value=VALUES)
def test_any_value_anywhere(good: Path, data: st.DataObject, value: Any) -> None:
    document = read_document(good)
    *inner, last = place = data.draw(st.sampled_from(places(document)[1:]))
    target = document
    for name in inner:
        target = target[name]
    before, target[last] = target[last], value
    result = verify_edited(lambda folder: write_document(folder, document), good)
    assert isinstance(result, list) or value == before or "sha256" not in place


@QUICK
@given(content=st.binary(max_size=200), at=st.integers(0, 3000), file=st.sampled_from([FILE, CLS, REASON]))
def test_any_bytes_anywhere(good: Path, content: bytes, at: int, file: str) -> None:
    before = (good / file).read_bytes()
    after = before[:at] + content + before[at + len(content) :]
    assume(after != before)

    def edit(folder: Path) -> Path:
        return write_document(folder, after) if file == FILE else write_answers(folder, after, file)

    verify_edited(edit, good)
    assert isinstance(verify_edited(lambda folder: (folder / file).write_bytes(after), good), list)


@QUICK
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), min_size=1, max_size=52))
def test_any_response_is_scored(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    def answer(row: Row, kind: str) -> str:
        return texts[int(row.row_id[-2:]) % len(texts)]

    accepted(write_submission(tmp_path_factory.mktemp("any"), "acme/judge-7b", answer, ("dfar_mini_reason",)))


def test_verifying_imports_neither_lm_eval_nor_datasets(good: Path) -> None:
    code = (
        "import sys; from dfar_bench.cli.main import main; status = main(sys.argv[1:]);"
        "heavy = {'lm_eval', 'datasets', 'transformers'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else status)"
    )
    done = subprocess.run([sys.executable, "-c", code, "verify", str(good)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (FINE, "")


def test_a_submission_with_a_fault_has_no_runs(copy: Path) -> None:
    (copy / "x").touch()
    with pytest.raises(InputError, match=r"/x: name: does not belong there.*dfar-bench verify names every fault"):
        submitted_runs(copy)
    assert main(["verify", str(copy)]) == FALLS_SHORT


def test_turns_and_ends_survive_a_submission() -> None:
    """Earlier turns and whether an answer was cut off; as many turns as the condition has."""
    task, condition = find_task("dfar_mini_reason"), find_condition("review")
    outputs = [
        Output(row, "Ethical. It is kind.", make_prompt("llama2", "review", row), ("Unethical.",), number % 2 == 0)
        for number, row in enumerate(sorted(rows("mini")["test"], key=lambda row: row.row_id))
    ]
    content = pack(answer_line(output, task) for output in outputs)
    prompts = prompts_of("mini", "llama2.v1", condition.signature)
    assert read_answers(content, task, prompts).outputs == tuple(outputs)
    with pytest.raises(RefusedError, match="doc_hash"):
        read_answers(content, task, prompts_of("mini", "llama2.v1", "reason"))
    short = pack({**answer_line(output, task), "earlier": []} for output in outputs)
    with pytest.raises(RefusedError, match="has 0 responses, and the condition 1 earlier turns"):
        read_answers(short, task, prompts)
    telling = pack({**answer_line(output, task), "earlier": ["hf_" + "aB3" * 11]} for output in outputs)
    with pytest.raises(RefusedError, match="earlier: holds what looks like an access token"):
        read_answers(telling, task, prompts)


def test_answers_without_their_thoughts_seem_cut_off_as_with_them() -> None:
    """Where it was not recorded, their length and their end tell."""
    task = find_task("dfar_mini_reason")
    prompts = prompts_of("mini", "chat.v1", "reason")
    thought = "<think>" + "It may be. " * 200 + "</think>"
    answers = [f"{thought}Unethical because the", f"{thought}Unethical. It harms him.", "Unethical because the"]
    outputs = [
        Output(row, answers[number % 3], prompts[row.row_id])
        for number, row in enumerate(sorted(rows("mini")["test"], key=lambda row: row.row_id))
    ]
    content = pack(answer_line(output, task) for output in outputs)
    stored = read_answers(content, task, prompts).outputs
    assert not any("It may be" in str(output.value) for output in stored)
    as_logged, as_stored = (
        task.kind.read([replace(output, limit=512) for output in of], get_judge("verdict")) for of in (outputs, stored)
    )
    seem_cut = [[METRICS["truncated"].item(answer) for answer in of] for of in (as_logged, as_stored)]
    assert seem_cut[0] == seem_cut[1] == [number % 3 == 0 for number in range(len(outputs))]


@pytest.mark.parametrize(
    ("added", "message"),
    [
        (["submissions/a__b/x"], ""),
        (["submissions/a__b/x", "reproduced/a__b/x.json"], "only maintainers add outcomes, and not with submissions"),
        (["submissions/README"], "changes or removes what is on the board"),
    ],
)
def test_what_a_pull_request_may_touch(added: list[str], message: str, tmp_path: Path) -> None:
    """The step of the workflow, run in a repository with a merge: nobody brings the badge of their own submission."""

    def git(*words: str) -> None:
        name = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(["git", *name, *words], cwd=tmp_path, check=True, capture_output=True)

    def commit(*paths: str) -> None:
        for path in paths:
            file = tmp_path / "leaderboard" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("more" if file.exists() else "")
        git("add", ".")
        git("commit", "-m", "x")

    git("init", "-b", "main")
    git("remote", "add", "origin", str(tmp_path))
    commit("submissions/README")
    git("checkout", "-b", "pull")
    commit(*added)
    git("checkout", "main")
    git("merge", "--no-ff", "pull")
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "submissions.yml").read_text())
    (script,) = (step["run"] for step in flow["jobs"]["verify"]["steps"] if "MERGE" in step.get("env", {}))
    run = ["bash", "-e", "-o", "pipefail", "-c", script]
    done = subprocess.run(run, cwd=tmp_path, env={**os.environ, "MERGE": "main"}, capture_output=True, text=True)
    assert (done.returncode, message in done.stdout) == (bool(message), True), done.stderr
    assert bool(message) or (tmp_path / "leaderboard" / added[0]).exists()
