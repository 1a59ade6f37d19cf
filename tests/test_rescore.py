"""Scores from logged samples: equal to what the harness printed, whatever the order, and nothing bad accepted."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, HarnessRun, run_lm_eval

from dfar_bench import __version__
from dfar_bench.cli import main
from dfar_bench.commands import BAD_INPUT, FALLS_SHORT, FINE
from dfar_bench.judges import get_judge
from dfar_bench.metrics import METRICS
from dfar_bench.rescore import Rescored, rescore

RANKED = str(ROOT / "tests" / "ranked_lm_eval.py")


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> HarnessRun:
    folder = tmp_path_factory.mktemp("ranks") / "one"
    return run_lm_eval(folder, "--model", "ranked", "--tasks", "dfar_mini", command=(RANKED,))


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> HarnessRun:
    folder = tmp_path_factory.mktemp("ranks") / "two"
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", RANKED)
    arguments = ("--model", "ranked", "--tasks", "dfar_mini", "--num_fewshot", "2")
    return run_lm_eval(folder, *arguments, command=launch)


def scores(run: Rescored) -> dict[str, Any]:
    return {name: (score.value, score.interval) for name, score in run.scores.items()}


@pytest.mark.parametrize("name", ["dummy_mini", "dummy_paper", "one_process", "two_processes"])
def test_equal_to_the_last_digit(name: str, request: pytest.FixtureRequest) -> None:
    found: HarnessRun = request.getfixturevalue(name)
    scored = rescore([found.folder])
    assert len(scored) == 2
    for run in scored:
        printed = found.results["results"][run.run.task]
        for metric in METRICS[run.run.kind]:
            score = run.scores[metric.name]
            assert score.value == printed[f"{metric.name},none"]
            assert score.interval is not None
            assert score.interval[0] <= score.value <= score.interval[1]
            assert score.printed == score.value
            assert not score.differs


def test_figures_do_not_depend_on_how_rows_were_spread(two_processes: HarnessRun, tmp_path: Path) -> None:
    """Gathered from two ranks, sorted back, and cut into one file a rank: the same values, intervals and signature."""
    whole = {run.run.task: run for run in rescore([two_processes.folder])}
    order = [sample["doc_id"] for sample in two_processes.samples("dfar_mini_cls")]
    assert order != sorted(order)
    shutil.copy(two_processes.results_file, tmp_path)
    for task in whole:
        file = two_processes.samples_file(task)
        lines = file.read_text().splitlines(keepends=True)
        half = len(lines) // 2
        (tmp_path / f"{file.stem}.rank0.jsonl").write_text("".join(lines[:half]))
        (tmp_path / f"{file.stem}.rank1.jsonl").write_text("".join(sorted(lines[half:])))
    split = {run.run.task: run for run in rescore([tmp_path])}
    assert set(split) == set(whole)
    for task, run in split.items():
        assert len(run.run.files) == 2
        assert scores(run) == scores(whole[task])
        assert run.signature == whole[task].signature


def test_processes_do_not_change_what_is_asked(two_processes: HarnessRun, tmp_path: Path) -> None:
    """Few-shot examples too are the same on one process and on two, and so is every figure."""
    arguments = ("--model", "ranked", "--tasks", "dfar_mini", "--num_fewshot", "2")
    alone = run_lm_eval(tmp_path / "alone", *arguments, command=(RANKED,))
    for one, two in zip(rescore([alone.folder]), rescore([two_processes.folder]), strict=True):
        assert scores(one) == scores(two)
        assert one.signature == two.signature
        assert "|shots:2|" in one.signature
        assert "|context:" in one.signature


def test_signatures(dummy_mini: HarnessRun, one_process: HarnessRun) -> None:
    from importlib.metadata import version

    cls, reason = (run.signature for run in rescore([dummy_mini.folder], resamples=0))
    end = f"dfar_bench:{__version__}|lm_eval:{version('lm_eval')}"
    assert cls == f"dfar|split:mini|task:cls|prompt:llama2.v1|mode:l|shots:0|chat:no|{end}"
    judge = get_judge().signature
    assert re.fullmatch(r"reference\.v1\.[0-9a-f]{8}", judge)
    assert reason.startswith(
        f"dfar|split:mini|task:reason|prompt:llama2.v1|mode:lr|shots:0|chat:no|judge:{judge}|max_gen_toks:192|gen:"
    )
    assert reason.endswith(end)
    assert [run.signature for run in rescore([one_process.folder], resamples=0)] == [cls, reason]


def test_another_judge_is_another_signature(dummy_mini: HarnessRun, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is what it finds compared with what the tasks' own judge printed."""
    assert main(["rescore", "--json", "--resamples", "0", "--judge", "verdict", str(dummy_mini.folder)]) == FINE
    cls, reason = json.loads(capsys.readouterr().out)["runs"]
    own_cls, own_reason = (run.signature for run in rescore([dummy_mini.folder], resamples=0))
    assert cls["signature"] == own_cls
    assert "|judge:verdict.v1|" in reason["signature"]
    assert reason["signature"] == own_reason.replace(get_judge().signature, "verdict.v1")
    assert reason["codes"] == {"no_verdict": 52}
    assert [name for name, metric in reason["metrics"].items() if metric["printed"] is None] == [
        metric.name for metric in METRICS["reason"] if metric.judged
    ]


def test_samples_without_their_results_file(one_process: HarnessRun, tmp_path: Path) -> None:
    shutil.copy(one_process.samples_file("dfar_mini_cls"), tmp_path / "mine.jsonl")
    (run,) = rescore([tmp_path / "mine.jsonl"])
    (known,) = (run for run in rescore([one_process.folder]) if run.run.kind == "cls")
    assert scores(run) == scores(known)
    assert "|shots:0|chat:no|" in run.signature
    assert run.signature.endswith("?")
    assert all(score.printed is None for score in run.scores.values())


def test_predictions_can_be_scored_afterwards(tmp_path: Path) -> None:
    """--predict_only scores nothing; rescore does."""
    run = run_lm_eval(
        tmp_path / "later", "--model", "ranked", "--tasks", "dfar_mini", "--predict_only", command=(RANKED,)
    )
    assert {found.run.task for found in rescore([run.folder])} == {"dfar_mini_cls", "dfar_mini_reason"}


def test_the_command_prints_a_table(dummy_mini: HarnessRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rescore", str(dummy_mini.folder)]) == FINE
    out, err = capsys.readouterr()
    assert "dfar_mini_cls · " in out
    assert "52 of 52 rows" in out
    assert "signature: dfar|split:mini|task:reason|" in out
    assert err == ""


def test_the_command_prints_json(dummy_mini: HarnessRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rescore", "--json", "--resamples", "1000", str(dummy_mini.folder)]) == FINE
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["task"] for run in runs] == ["dfar_mini_cls", "dfar_mini_reason"]
    acc = runs[0]["metrics"]["acc"]
    assert acc["low"] <= acc["value"] <= acc["high"]
    assert acc["printed"] == acc["value"]
    assert runs[0]["intervals"] == {"level": 0.95, "resamples": 1000, "seed": 20240821}
    assert [run["codes"] for run in runs] == [{}, {"no_verdict": 52}]


def test_intervals_can_be_left_out(dummy_mini: HarnessRun) -> None:
    assert all(
        score.interval is None for run in rescore([dummy_mini.folder], resamples=0) for score in run.scores.values()
    )


# What can be wrong with a samples file, as an edit of its lines.
Edit = Callable[[list[str]], list[str]]


def changed(line: str, change: Callable[[dict[str, Any]], Any]) -> str:
    sample = json.loads(line)
    change(sample)
    return json.dumps(sample) + "\n"


def in_doc(**fields: Any) -> Edit:
    return lambda lines: [changed(lines[0], lambda s: s["doc"].update(fields)), *lines[1:]]


def in_sample(**fields: Any) -> Edit:
    return lambda lines: [changed(lines[0], lambda s: s.update(fields)), *lines[1:]]


BAD: dict[str, tuple[Edit, str]] = {
    "cut off in a line": (lambda lines: [*lines[:-1], lines[-1][:200]], r"line 52: not valid JSON; the file seems cut off"),
    "cut off between lines": (lambda lines: lines[:40], r"holds 40 rows of dfar_mini_cls, but its run scored 52"),
    "empty": (lambda lines: [], r"is empty"),
    "a row twice": (lambda lines: [*lines, lines[3]], r"line 53: row mini-test-\d+ stands here and at .*line 4"),
    "no object": (lambda lines: ["[1, 2]\n", *lines], r"line 1: this is no sample of a DFAR task"),
    "deep JSON": (lambda lines: ["[" * 200_000 + "\n", *lines], r"nested too deeply|not valid JSON"),
    "another task": (lambda lines: [json.dumps({"doc_id": 0, "doc": {"question": "?"}, "resps": []})], r"no sample of a DFAR task"),
    "older: no prompt in the doc": (lambda lines: [changed(lines[0], lambda s: s["doc"].pop("prompt"))], r"of this version"),
    "older prompt": (in_doc(prompt_style="llama2.v0"), r"the prompt llama2\.v0 is not that of this version \(llama2\.v1\)"),
    "changed prompt": (in_doc(prompt="Say ethical."), r"the prompt llama2\.v1 is not that of this version"),
    "unknown prompt": (in_doc(prompt_style="gpt.v1"), r"unknown prompt 'gpt\.v1'"),
    "unknown row": (in_doc(row_id="mini-test-9999"), r"'mini-test-9999' is no test row"),
    "train row": (in_doc(row_id="mini-train-0000"), r"'mini-train-0000' is no test row"),
    "odd row": (in_doc(row_id="../../etc"), r"is no test row"),
    "changed label": (lambda lines: [changed(lines[0], lambda s: s["doc"].update(label=1 - s["doc"]["label"]))], r"the label of mini-test-\d+ is not that of the data here"),
    "changed statement": (in_doc(statement="I waited."), r"the statement of mini-test-\d+ is not that"),
    "other mode": (in_doc(mode="x"), r"unknown prompt"),
    "no answer": (in_sample(filtered_resps=[]), r"filtered_resps holds neither"),
    "huge number": (in_sample(filtered_resps=[[10**400, 0], [1, 0]]), r"filtered_resps holds neither"),
    "three choices": (in_sample(filtered_resps=[["-1", "x"]] * 3), r"filtered_resps holds neither"),
    "other continuations": (lambda lines: [changed(lines[0], lambda s: s["arguments"]["gen_args_1"].update(arg_1=" zebra")), *lines[1:]], r"not of ethical and unethical"),
    "text for numbers": (in_sample(filtered_resps=[["a", "False"], ["b", "False"]]), r"filtered_resps holds neither"),
    "no context": (in_sample(arguments={}), r"arguments\.gen_args_0 is missing or cut"),
    "context no text": (in_sample(arguments={"gen_args_0": {"arg_0": 7, "arg_1": " ethical"}, "gen_args_1": {"arg_1": " unethical"}}), r"holds no context"),
    "no generation arguments": (in_sample(filtered_resps=["ethical"]), r"holds no generation arguments"),
    "another prompt shown": (lambda lines: [changed(lines[0], lambda s: s["arguments"]["gen_args_0"].update(arg_0="Say something.")), *lines[1:]], r"was not shown the prompt llama2\.v1: .*cache_requests"),
    "two kinds of run": (lambda lines: [changed(lines[0], lambda s: s.update(filtered_resps=["ethical"], arguments={"gen_args_0": {"arg_0": s["doc"]["prompt"], "arg_1": {}}})), *lines[1:]], r"kind is cls here but reason before"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_bad_samples(fault: str, dummy_mini: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, exit status 2, and the file is left as it was."""
    edit, message = BAD[fault]
    source = dummy_mini.samples_file("dfar_mini_cls")
    file = tmp_path / source.name
    file.write_text("".join(edit(source.read_text().splitlines(keepends=True))))
    shutil.copy(dummy_mini.results_file, tmp_path)
    before = file.read_bytes()
    assert main(["rescore", str(file)]) == BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("dfar-bench: ")
    assert err.count("\n") == 1
    assert str(file) in err
    assert re.search(message, err), err
    assert file.read_bytes() == before


def test_results_file_with_odd_values(
    dummy_mini: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it holds, the report is JSON, the signature has no field too many, and a difference shows."""
    shutil.copy(dummy_mini.samples_file("dfar_mini_cls"), tmp_path)
    results = dummy_mini.results
    results["results"]["dfar_mini_cls"]["acc,none"] = float("nan")
    results |= {"lm_eval_version": "0.4|rows:9\n", "n-shot": [], "model_name": "\ud800", "chat_template_sha": 7}
    (tmp_path / dummy_mini.results_file.name).write_text(json.dumps(results))
    assert main(["rescore", "--json", str(tmp_path)]) == FALLS_SHORT
    (run,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["runs"]
    assert run["metrics"]["acc"]["printed"] == "nan"
    assert run["signature"].endswith("|lm_eval:0.4?rows?9?")


@pytest.mark.parametrize("name", ["x" * 300, "folder"])
def test_paths_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    command = [sys.executable, "-m", "dfar_bench.cli", "rescore", str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == BAD_INPUT
    assert done.stderr.startswith("dfar-bench: ")
    assert done.stderr.count("\n") == 1


def test_a_terminal_without_unicode(dummy_mini: HarnessRun) -> None:
    command = [sys.executable, "-m", "dfar_bench.cli", "rescore", "--resamples", "1000", str(dummy_mini.folder)]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == FINE, done.stderr


def test_other_rows_are_another_signature(dummy_mini: HarnessRun, tmp_path: Path) -> None:
    lines = dummy_mini.samples_file("dfar_mini_cls").read_text().splitlines(keepends=True)
    for name, part in (("a", lines[:4]), ("b", lines[4:8])):
        (tmp_path / f"{name}.jsonl").write_text("".join(part))
    one, other = rescore([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert "|rows:4/52." in one.signature
    assert one.signature != other.signature
    assert all(score.interval is None for score in one.scores.values())


def test_a_file_named_twice_is_one_run(dummy_mini: HarnessRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(dummy_mini.folder)
    assert len(rescore([Path("."), dummy_mini.folder], resamples=0)) == 2


def test_a_bad_run_does_not_hide_a_good_one(
    dummy_mini: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{")
    assert main(["rescore", str(bad), str(dummy_mini.folder), "--resamples", "0"]) == BAD_INPUT
    out, err = capsys.readouterr()
    assert out.count("signature: ") == 2
    assert "bad.jsonl, line 1: not valid JSON" in err


def test_sampled_answers_are_signed_with_their_seed(one_process: HarnessRun, tmp_path: Path) -> None:
    """Also where only the temperature says so, as for API back ends."""
    source = one_process.samples_file("dfar_mini_reason")
    seen = {one_process.results["config"]["torch_seed"]: None}
    for number, generation in enumerate(({"temperature": 0.9}, {"do_sample": True}, {"temperature": 0.0})):
        folder = tmp_path / str(number)
        folder.mkdir()
        lines = [
            changed(line, lambda s, g=generation: s["arguments"]["gen_args_0"]["arg_1"].update(g))
            for line in source.read_text().splitlines()
        ]
        (folder / source.name).write_text("".join(lines))
        shutil.copy(one_process.results_file, folder)
        (run,) = rescore([folder], resamples=0)
        seen[run.signature] = None
        assert ("|seed:1234|" in run.signature) == (number < 2)
    assert len(seen) == 4


def test_binary_rubbish(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"\xff\xfe\x00\x01")
    assert main(["rescore", str(tmp_path / "x.jsonl")]) == BAD_INPUT
    assert "is not UTF-8 text" in capsys.readouterr().err


def test_results_file_damaged(dummy_mini: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(dummy_mini.samples_file("dfar_mini_cls"), tmp_path)
    (tmp_path / dummy_mini.results_file.name).write_text('{"results": ')
    assert main(["rescore", str(tmp_path)]) == BAD_INPUT
    assert "is not valid JSON" in capsys.readouterr().err


def test_changed_answers_are_noticed(
    dummy_mini: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = dummy_mini.samples_file("dfar_mini_cls")
    lines = source.read_text().splitlines(keepends=True)
    flip = changed(lines[0], lambda s: s["filtered_resps"].reverse())
    (tmp_path / source.name).write_text("".join([flip, *lines[1:]]))
    shutil.copy(dummy_mini.results_file, tmp_path)
    assert main(["rescore", str(tmp_path)]) == FALLS_SHORT
    out, err = capsys.readouterr()
    assert "lm_eval printed" in out
    assert "dfar_mini_cls: acc" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/no/such/folder"], "/no/such/folder does not exist"),
        ([str(ROOT / ".mini.json")], "does not exist"),
        ([str(ROOT / "tasks")], "holds no samples of the DFAR tasks"),
        ([str(ROOT / "tasks"), "--judge", "oracle"], "there is no judge 'oracle'"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rescore", *arguments]) == BAD_INPUT
    assert message in capsys.readouterr().err


def test_rescoring_needs_neither_lm_eval_nor_torch_nor_datasets(dummy_mini: HarnessRun) -> None:
    code = (
        "import sys; from dfar_bench.cli import main; status = main(sys.argv[1:]);"
        "heavy = {'lm_eval', 'torch', 'datasets', 'transformers'} & set(sys.modules); sys.exit(str(heavy) if heavy else status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "rescore", str(dummy_mini.folder)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
