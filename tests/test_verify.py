"""Verifying: what is found again, what is flagged, what is contaminated, and that nothing changed passes or crashes."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from made_submissions import (
    ABOUT,
    CLS,
    REASON,
    made_results,
    made_submission,
    read_document,
    sealed,
    sensible,
    with_answers,
)

from dfar_bench.cli import main
from dfar_bench.commands import BAD_INPUT, FINE
from dfar_bench.compare import paired_differences
from dfar_bench.data import LABELS, Row, row_hash, rows, without_tested
from dfar_bench.judges import CODES
from dfar_bench.leaderboard.answers_file import doc_hash, packed
from dfar_bench.leaderboard.contamination import contamination
from dfar_bench.leaderboard.faults import Fault
from dfar_bench.leaderboard.flags import odds, task_flags
from dfar_bench.leaderboard.names import imitations
from dfar_bench.leaderboard.result import Verified
from dfar_bench.leaderboard.schema import ResponseLine, Submission
from dfar_bench.leaderboard.submit import submit
from dfar_bench.leaderboard.tree import verify
from dfar_bench.leaderboard.verify import verified
from dfar_bench.metrics import METRICS
from dfar_bench.rescore import rescore
from dfar_bench.samples import LoggedAnswer

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_submission(tmp_path_factory.mktemp("good") / "submissions")


@pytest.fixture
def copy(good: Path, tmp_path: Path) -> Path:
    shutil.copytree(good.parent.parent, tmp_path / "submissions")
    return tmp_path / "submissions" / good.parent.name / good.name


def found(folder: Path) -> Verified:
    result = verified(folder)
    assert isinstance(result, Verified), [str(fault) for fault in result]
    return result


def test_all_that_a_board_needs(tmp_path: Path) -> None:
    """Values, intervals, signature and codes are those of ``rescore``; outcomes are by row."""
    results = made_results(tmp_path / "results")
    result = found(submit(results, ABOUT, tmp_path / "out").folder)
    for run in rescore([results], resamples=10_000):
        task = result.tasks[run.run.task]
        assert task.metrics == {name: score.value for name, score in run.scores.items()}
        assert task.intervals == {name: score.interval for name, score in run.scores.items()}
        assert (task.signature, task.codes) == (run.signature, run.codes)
        assert [one.row_id for one in task.outcomes] == [row.row_id for row in rows("mini")["test"]]
        right = sum(one.correct for one in task.outcomes) / len(task.outcomes)
        assert right == pytest.approx(task.metrics["acc" if task.kind == "cls" else "verdict_acc"])
    reason = result.tasks["dfar_mini_reason"]
    assert {one.code for one in reason.outcomes} <= set(CODES)
    assert sum(reason.codes.values()) == len(reason.outcomes)
    assert isinstance(reason.outcomes[0].answer, str)
    assert {one.code for one in result.tasks["dfar_mini_cls"].outcomes} == {None}
    same = paired_differences(METRICS["cls"], *[result.tasks["dfar_mini_cls"].answers] * 2, resamples=1000)
    assert same["acc"].difference == 0


def test_intervals_wait_until_they_are_asked_for(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dfar_bench.leaderboard.result.intervals", pytest.fail)
    found(good)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_submission_a_model_or_the_tree(level: int, good: Path) -> None:
    path = (good, good.parent, good.parent.parent)[level]
    report = verify([path, good])
    assert (report.checked, len(report.submissions), report.faults) == (1, 1, [])


def test_an_empty_tree_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".gitkeep").touch()
    assert main(["verify", str(tmp_path)]) == FINE
    assert capsys.readouterr().out.startswith("0 of 0 submissions verified")


@pytest.mark.parametrize(
    "arguments",
    [["/no/such/folder"], [__file__], [".", "--skip-unchanged", "/no/such/folder/x"], [".", "--skip-unchanged", "."]],
)
def test_unusable_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", *arguments]) == BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert "is no folder: name " in err or "cannot be written: name " in err


def test_one_json_document(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--json", str(good)]) == FINE
    report = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    (one,) = report["submissions"]
    assert (one["model"], one["run"], one["unchanged"]) == ("acme/judge-7b", good.name, False)
    assert one["tasks"]["dfar_mini_cls"]["contamination"]["contaminated"] is False


def test_unchanged_ones_are_skipped(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as neither they, nor judge, version or place change; and never where there was a fault."""
    cache = tmp_path / "cache.json"
    tree = copy.parents[1]

    def unchanged() -> list[bool]:
        return [one["unchanged"] for one in verify([tree], cache).submissions]

    assert [unchanged(), unchanged()] == [[False], [True]]
    cache.write_text(cache.read_text()[:-10])
    assert [unchanged(), unchanged()] == [[False], [True]]
    monkeypatch.setattr("dfar_bench.leaderboard.folder.__version__", "9.9")
    assert [unchanged(), unchanged()] == [[False], [True]]
    (copy / "x").touch()
    assert unchanged() == []
    (copy / "x").unlink()
    assert unchanged() == [True]
    monkeypatch.setattr("dfar_bench.leaderboard.folder.at_hand", lambda *_: False)  # which tells what is contaminated
    assert [unchanged(), unchanged()] == [[False], [True]]
    copy.parent.rename(copy.parent.with_name("acme__other"))
    assert unchanged() == []


def test_what_a_killed_submit_leaves_is_no_fault(copy: Path) -> None:
    (copy.parents[1] / ".submit-x1y2" / "acme__other" / copy.name).mkdir(parents=True)
    report = verify([copy.parents[1]])
    assert (report.checked, report.faults) == (1, [])


# Flags


def logged(kind: str, answer: Callable[[Row], Any], split: str = "mini") -> tuple[list[LoggedAnswer], list[Any]]:
    from dfar_bench.answers import read_choice, read_response
    from dfar_bench.judges import get_judge

    given = [LoggedAnswer(row, answer(row)) for row in rows(split)["test"]]
    read = read_choice if kind == "cls" else lambda row, text: read_response(row, text, get_judge())
    return given, [read(one.row, one.answer) for one in given]


@pytest.mark.parametrize(
    ("kind", "answer", "flags"),
    [
        ("cls", lambda row: sensible(row, "cls"), []),
        ("reason", lambda row: sensible(row, "reason"), []),
        ("reason", lambda row: f" {LABELS[row.label]}. {row.reason}", ["gold_copy", "implausible"]),
        ("reason", lambda row: sensible(row, "reason") + (row.reason if row.row_id.endswith("07") else ""), []),
        ("reason", lambda row: sensible(row, "reason") + (row.reason if row.row_id[-1] == "7" else ""), ["gold_copy"]),
        ("reason", lambda row: " ethical. It is what people expect.", ["constant"]),
        ("cls", lambda row: (-1.0, -2.0 - len(row.statement)), ["constant"]),
        ("cls", lambda row: (-1.0, -2.0) if row.label == 0 else (-2.0, -1.0), ["implausible"]),
    ],
)
def test_flags(kind: str, answer: Callable[[Row], Any], flags: list[str]) -> None:
    assert [flag.kind for flag in task_flags(kind, *logged(kind, answer))] == flags


def test_tasks_that_contradict_each_other() -> None:
    assert odds((0.9, 0.3), 0.0) is not None
    assert odds((0.9, 0.3), 0.6) is None
    assert odds((0.9, 0.8), 0.0) is None
    assert odds((None, 0.8), 0.0) is None


def test_flags_are_shown_and_refuse_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same constant answers under two names: each is told, of each."""
    constant = lambda row, kind: [-1.0, -2.0] if kind == "cls" else " ethical. It is so."  # noqa: E731
    results = made_results(tmp_path / "results", constant)
    for name in ("acme/one", "beta/two"):
        submit(results, replace(ABOUT, model_id=name), tmp_path / "out")
    assert main(["verify", str(tmp_path / "out")]) == FINE
    out = capsys.readouterr().out
    assert out.count("flag: one verdict for all rows") == 2
    assert out.count("flag: one response for 52 of 52 rows") == 2
    assert "flag: the answers to dfar_mini_cls are, to the last character, those of beta/two" in out
    assert "flag: the answers to dfar_mini_reason are, to the last character, those of acme/one" in out


def test_answers_are_told_by_what_they_say_and_not_by_how_they_are_packed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name, folder in (("acme/one", "results"), ("beta/two", "again")):
        submit(made_results(tmp_path / folder), replace(ABOUT, model_id=name), tree)
    found = [verified(next((tree / name).iterdir())) for name in ("acme__one", "beta__two")]
    first, second = ({name: task.answers_hash for name, task in one.tasks.items()} for one in found)
    assert first == second
    assert len(set(first.values())) == 2
    assert not set(first.values()) & {claimed.sha256 for claimed in found[0].submission.tasks.values()}


# Contamination


def declared(
    good: Path, mode: str, sets: list[str], row_ids: list[str] | None = None, split: str = "paper"
) -> Submission:
    document = read_document(good)
    document |= {"mode": mode, "training": {"sets": sets, "description": "and others"}}
    if row_ids is not None:
        hashes = " ".join(map(row_hash, row_ids))
        document["dfar_run"] = {
            "mode": mode, "split": split, "drop_leaked": "dfar_train_unleaked" in sets, "prompt": "llama2.v1",
            "method": "lora", "seed": 1, "packages": {}, "steps": 1, "final_loss": 1.0, "tokens_per_second": 1.0,
            "base_model": {"name": "x", "type": "llama", "parameters": 1, "trained": 1}, "arguments": {},
            "data": {"rows": len(row_ids), "tokens": 1, "sha256": "0" * 64, "row_ids": hashes},
            "distribution": {"type": "NO", "zero_stage": None, "offload": [], "processes": 1, "device": "cpu"},
        }  # fmt: skip
    return Submission.model_validate(document)


@pytest.mark.usefixtures("paper")
def test_contamination_as_declared(good: Path) -> None:
    """(contaminated, test rows met, those that the unleaked metrics count) by split."""

    def of(mode: str, *sets: str) -> dict[str, tuple[bool | None, int, int]]:
        one = declared(good, mode, list(sets))
        splits = {split: contamination(one, split) for split in ("paper", "clean", "mini")}
        return {split: (known.contaminated, known.rows, known.unleaked_rows) for split, known in splits.items()}

    nothing, unknown = (False, 0, 0), (None, 0, 0)
    assert of("base", "none") == dict.fromkeys(("paper", "clean", "mini"), nothing)
    assert of("other", "other") == dict.fromkeys(("paper", "clean", "mini"), unknown)
    assert of("lr", "dfar_mini_train") == dict.fromkeys(("paper", "clean", "mini"), nothing)
    paper = of("lr", "dfar_train")
    assert paper["paper"] == (True, 189, 0)
    assert paper["clean"][0] is True
    assert paper["clean"][1] > 400
    unleaked = of("lr", "dfar_train_unleaked")
    assert unleaked["paper"] == nothing
    assert unleaked["clean"][0] is True
    clean = of("lr", "dfar_clean_train")
    assert clean["clean"] == nothing
    assert clean["paper"][0] is True
    assert clean["paper"][2] > 200
    assert of("lr", "dfar_train", "other")["paper"] == (True, 189, 0)


@pytest.mark.usefixtures("paper")
def test_contamination_by_the_hashes_of_rows(good: Path) -> None:
    """The hashes say what was trained on, whatever else is declared; rows that are not known are said to be so."""
    train = [row.row_id for row in rows("paper")["train"]]
    kept = [row.row_id for row in without_tested(rows("paper")["train"], rows("paper")["test"])]
    assert contamination(declared(good, "lr", ["dfar_train"], train), "paper").rows == 189
    honest = contamination(declared(good, "lr", ["dfar_train_unleaked"], kept), "paper")
    assert (honest.contaminated, honest.why[:10]) == (False, "by the has")
    sly = contamination(declared(good, "lr", ["dfar_train_unleaked"], train), "paper")
    assert (sly.contaminated, sly.rows, sly.unleaked_rows) == (True, 189, 0)
    tested = contamination(declared(good, "lr", ["dfar_train_unleaked"], [*kept, "paper-test-0001"]), "paper")
    assert (tested.contaminated, tested.rows, tested.unleaked_rows) == (True, 1, 1)
    strange = contamination(declared(good, "lr", ["dfar_train_unleaked"], [*kept, "mine-0001"]), "paper")
    assert strange.contaminated is None
    assert "1 of its 4312 training rows are not known here" in strange.why
    hidden = contamination(declared(good, "lr", ["dfar_train"], ["mine-0001"]), "paper")
    assert (hidden.contaminated, hidden.rows) == (True, 189)  # hashes that say nothing do not unsay what is declared


def test_contamination_without_the_published_data(good: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whether the small split was trained on can be told without it, but not whether DFAR holds its rows."""
    import dfar_bench.leaderboard.contamination as module
    from dfar_bench.errors import InputError

    def only_mini(split: str) -> Any:
        if split != "mini":
            raise InputError("not at hand")
        return rows(split)

    monkeypatch.setattr(module, "rows", only_mini)
    for cached in (module._by_hash, module._of_set):
        cached.cache_clear()
    train = [row.row_id for row in rows("mini")["train"]]
    assert contamination(declared(good, "l", ["dfar_mini_train"], train, "mini"), "mini").contaminated is False
    assert contamination(declared(good, "l", ["dfar_train"]), "mini").contaminated is None
    assert contamination(declared(good, "l", ["dfar_train"], ["paper-train-0001"]), "mini").contaminated is None
    for cached in (module._by_hash, module._of_set):
        cached.cache_clear()


# Names


@pytest.mark.parametrize(
    ("one", "other", "alike"),
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
def test_names_that_look_alike(one: str, other: str, alike: bool) -> None:
    assert (set(imitations([one, other])) == {one, other}) is alike
    assert imitations([one]) == {}


# Properties

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


def verdict(change: Callable[[Path], object], good: Path) -> Verified | list[Fault]:
    """What is said of a changed copy."""
    with tempfile.TemporaryDirectory() as beside:
        folder = Path(beside) / good.parent.name / good.name
        shutil.copytree(good, folder)
        changed = change(folder)
        result = verified(changed if isinstance(changed, Path) else folder)
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
    """Never a crash; a claim that changed is never accepted."""
    document = read_document(good)
    place = data.draw(st.sampled_from(places(document)[1:]))
    *inner, last = place
    target = document
    for name in inner:
        target = target[name]
    before, target[last] = target[last], value
    result = verdict(lambda folder: sealed(folder, document), good)
    if "metrics" in place or "sha256" in place or "signature" in place:
        assert isinstance(result, list) or value == before


@QUICK
@given(
    task=st.sampled_from(["dfar_mini_cls", "dfar_mini_reason"]),
    change=st.floats(1e-8, 1) | st.floats(-1, -1e-8),
    number=st.integers(0, 7),
)
def test_no_changed_claim_is_accepted(good: Path, task: str, change: float, number: int) -> None:
    document = read_document(good)
    metrics = document["tasks"][task]["metrics"]
    name = list(metrics)[number]
    metrics[name] += change
    result = verdict(lambda folder: sealed(folder, document), good)
    assert isinstance(result, list)
    assert [fault.field for fault in result] == [f"tasks.{task}.metrics.{name}"]


@QUICK
@given(content=st.binary(max_size=200), at=st.integers(0, 3000), file=st.sampled_from(["submission.json", CLS, REASON]))
def test_any_bytes_anywhere(good: Path, content: bytes, at: int, file: str) -> None:
    before = (good / file).read_bytes()
    after = before[:at] + content + before[at + len(content) :]
    assume(after != before)

    def change(folder: Path) -> Path:
        return sealed(folder, after) if file == "submission.json" else with_answers(folder, file, after)

    verdict(change, good)
    if file != "submission.json":
        assert isinstance(verdict(lambda folder: (folder / file).write_bytes(after), good), list)


@QUICK
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), min_size=1, max_size=52))
def test_any_response(good: Path, texts: list[str]) -> None:
    """Whatever a model writes is scored: if anything is at fault, the claims are, which were made of other answers."""
    tested = rows("mini")["test"]
    answers = [
        ResponseLine(row_id=row.row_id, doc_hash=asked(row), response=texts[number % len(texts)])
        for number, row in enumerate(tested)
    ]
    result = verdict(lambda folder: with_answers(folder, REASON, packed(answers)), good)
    assert isinstance(result, Verified) or all(".metrics." in fault.field for fault in result)


def asked(row: Row) -> str:
    from dfar_bench.prompts import prompt

    return doc_hash(row, prompt("llama2", "lr", row.statement))


@QUICK
@given(document=VALUES)
def test_any_document(good: Path, document: Any) -> None:
    result = verdict(lambda folder: sealed(folder, json.dumps(document).encode()), good)
    assert isinstance(result, list)


def test_scoring_needs_neither_lm_eval_nor_torch_nor_datasets(good: Path) -> None:
    import subprocess

    code = (
        "import sys; from dfar_bench.cli import main; status = main(sys.argv[1:]);"
        "heavy = {'lm_eval', 'torch', 'datasets', 'transformers'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else status)"
    )
    done = subprocess.run([sys.executable, "-c", code, "verify", str(good)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (FINE, "")
