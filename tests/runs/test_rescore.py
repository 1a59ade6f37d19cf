"""Scores from logged samples: equal to what the harness printed, whatever the order, and nothing bad accepted."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
from harness import ROOT, HarnessRun, evaluate

from dfar_bench import __version__
from dfar_bench.datasets import rows
from dfar_bench.errors import InputError
from dfar_bench.files import TRAINING_RECORD
from dfar_bench.judges import get_judge
from dfar_bench.judges.validation.rates import ErrorRates, error_rates
from dfar_bench.runs.log import find_runs
from dfar_bench.runs.rescore import Rescored, rescore, rescore_run, spreads
from dfar_bench.runs.scored_model import ScoredModel
from dfar_bench.scoring import KINDS

CLS, REASON = "dfar_mini_cls", "dfar_mini_reason"


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> HarnessRun:
    import ranked_lm_eval  # noqa: F401  (registers the model)

    return evaluate(tmp_path_factory.mktemp("ranks") / "one", "dfar_mini", model="ranked", num_fewshot=2)


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> HarnessRun:
    folder = tmp_path_factory.mktemp("ranks") / "two"
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    command = [sys.executable, *launch, str(ROOT / "tests" / "ranked_lm_eval.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return HarnessRun(folder)


def scores(run: Rescored) -> dict[str, Any]:
    return {name: score.estimate for name, score in run.scores.items()}


def by_task(*paths: Path, **options: Any) -> dict[str, Rescored]:
    return {run.run.task.name: run for run in rescore(paths, **options)}


@pytest.mark.parametrize("name", ["dummy_mini", "dummy_paper", "one_process"])
def test_scores_equal_what_the_harness_printed_to_the_last_digit(name: str, request: pytest.FixtureRequest) -> None:
    harness_run: HarnessRun = request.getfixturevalue(name)
    scored = by_task(harness_run.folder)
    assert len(scored) == 2
    for task, run in scored.items():
        printed = harness_run.results["results"][task]
        assert run.run.complete
        for metric in run.run.task.kind.metrics:
            score = run.scores[metric.name]
            assert score.estimate.value == score.printed == printed[f"{metric.name},none"]
            assert not score.differs
            assert score.estimate.interval is not None
            assert score.estimate.low <= score.estimate.value <= score.estimate.high


def test_figures_do_not_depend_on_processes_or_files(
    one_process: HarnessRun, two_processes: HarnessRun, tmp_path: Path
) -> None:
    """One process, two processes (few-shot examples included), and one file per rank in another order."""
    order = [sample["doc_id"] for sample in two_processes.samples(CLS)]
    assert order != sorted(order)
    shutil.copy(two_processes.results_file, tmp_path)
    for task in (CLS, REASON):
        file = two_processes.samples_file(task)
        lines = file.read_text().splitlines(keepends=True)
        (tmp_path / f"{file.stem}.rank0.jsonl").write_text("".join(lines[:26]))
        (tmp_path / f"{file.stem}.rank1.jsonl").write_text("".join(sorted(lines[26:])))
    alone, spread, split = map(by_task, (one_process.folder, two_processes.folder, tmp_path))
    for task, run in alone.items():
        assert scores(spread[task]) == scores(split[task]) == scores(run)
        assert spread[task].signature == split[task].signature == run.signature
        assert (len(spread[task].run.files), len(split[task].run.files)) == (1, 2)
        assert not [name for name, score in spread[task].scores.items() if score.differs]
        assert re.search(r"\|shots:2\|chat:no\|context:[0-9a-f]{8}\|", str(run.signature))


def test_signatures(dummy_mini: HarnessRun) -> None:
    cls, reason = (str(run.signature) for run in rescore([dummy_mini.folder], resamples=0))
    end = f"dfar_bench:{__version__}|lm_eval:{version('lm_eval')}"
    judge = get_judge().signature
    assert cls == f"dfar|data:mini|task:cls|prompt:llama2.v1|condition:label|shots:0|chat:no|{end}"
    assert re.fullmatch(
        r"dfar\|data:mini\|task:reason\|prompt:llama2\.v1\|condition:reason\|shots:0\|chat:no"
        rf"\|judge:{re.escape(judge)}\|max_gen_toks:512\|gen:[0-9a-f]{{8}}\|{re.escape(end)}",
        reason,
    )


def test_another_judge_is_another_signature(dummy_mini: HarnessRun) -> None:
    """What it decides is not compared with what the tasks' own judge printed."""
    own, other = (by_task(dummy_mini.folder, judge_name=name, resamples=0) for name in ("reference", "verdict"))
    assert other[CLS].signature == own[CLS].signature
    assert other[REASON].signature.differences(own[REASON].signature) == {
        "judge": ("verdict.v2", get_judge().signature)
    }
    assert other[REASON].codes == {"no_verdict": 52}
    assert [name for name, score in other[REASON].scores.items() if score.printed is None] == [
        metric.name for metric in KINDS["reason"].metrics if metric.judged
    ]


@pytest.mark.parametrize("judged_by", ["reference.v1.e9e92464", None])
def test_what_a_former_judge_printed_is_not_compared(
    dummy_mini: HarnessRun, tmp_path: Path, judged_by: str | None
) -> None:
    """Verdicts may have been read otherwise, too. Before the judge was recorded there was only one."""
    shutil.copytree(dummy_mini.folder, tmp_path / "run")
    (file,) = (tmp_path / "run").rglob("results_*.json")
    results = json.loads(file.read_text())
    metadata = results["configs"][REASON]["metadata"]
    assert metadata.pop("judged_by") == get_judge().signature
    if judged_by:
        metadata["judged_by"] = judged_by
    results["results"][REASON] |= {"mar,none": 0.25, "verdict_acc,none": 0.25}
    file.write_text(json.dumps(results))
    runs = by_task(tmp_path / "run", resamples=0)
    assert all(score.printed is None for score in runs[REASON].scores.values())
    assert all(score.printed is not None for score in runs[CLS].scores.values())


def test_samples_without_their_results_file(dummy_mini: HarnessRun, one_process: HarnessRun, tmp_path: Path) -> None:
    """Shots and chat template are known only where the prompts were bare."""
    for name, harness_run, known in (("bare", dummy_mini, "shots:0|chat:no"), ("shots", one_process, "shots:?|chat:?")):
        shutil.copy(harness_run.samples_file(CLS), tmp_path / f"{name}.jsonl")
        (run,) = rescore([tmp_path / f"{name}.jsonl"])
        assert scores(run) == scores(by_task(harness_run.folder)[CLS])
        assert f"|{known}|" in str(run.signature)
        assert str(run.signature).endswith("|lm_eval:?")
        assert all(score.printed is None for score in run.scores.values())
        assert "not compared with lm_eval's own figures" in run.as_table()


def test_predictions_can_be_scored_afterwards(tmp_path: Path) -> None:
    """With --predict_only the harness scores nothing; rescore does."""
    run = evaluate(tmp_path, "dfar_mini", predict_only=True)
    assert by_task(run.folder, resamples=0).keys() == {CLS, REASON}


def test_the_report(dummy_mini: HarnessRun) -> None:
    cls, reason = rescore([dummy_mini.folder], resamples=1000)
    report = json.loads(json.dumps(cls.as_json(), allow_nan=False))
    acc = report["metrics"]["acc"]
    assert acc["low"] <= acc["value"] <= acc["high"]
    assert acc["printed"] == acc["value"]
    assert (report["task"], report["rows"], report["expected_rows"]) == (CLS, 52, 52)
    assert report["intervals"] == {"level": 0.95, "resamples": 1000, "seed": 20240821}
    assert [run.codes for run in (cls, reason)] == [{}, {"no_verdict": 52}]
    table = reason.as_table()
    assert table.startswith(f"{REASON} · {reason.run.model} · 52 of 52 rows")
    assert "codes: no_verdict 52" in table
    assert f"signature: {reason.signature}" in table
    without = rescore([dummy_mini.folder], resamples=0)
    assert all(score.estimate.interval is None for run in without for score in run.scores.values())
    assert without[0].as_json()["intervals"] is None


def test_a_run_says_what_the_harness_recorded(dummy_mini: HarnessRun) -> None:
    run = by_task(dummy_mini.folder, resamples=0)[REASON].run
    assert (run.model, run.style, run.condition.name) == (dummy_mini.results["model_name"], "llama2.v1", "reason")
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", run.created or "")
    assert [output.row.row_id for output in run.outputs] == sorted(row.row_id for row in rows("mini")["test"])
    harness = run.harness
    assert (harness.lm_eval, harness.shots, harness.limit) == (version("lm_eval"), 0, None)
    # torch's own version names its build, such as +cu130, which its package does not.
    assert (harness.transformers, harness.torch) == (version("transformers"), str(torch.__version__))
    assert set(harness.seeds) == {"random", "numpy", "torch", "fewshot"}


# What can be wrong with a samples file, as an edit of its lines.
Edit = Callable[[list[str]], list[str]]


def changed(line: str, change: Callable[[dict[str, Any]], Any]) -> str:
    sample = json.loads(line)
    change(sample)
    return json.dumps(sample) + "\n"


def first(change: Callable[[dict[str, Any]], Any]) -> Edit:
    return lambda lines: [changed(lines[0], change), *lines[1:]]


def in_doc(**fields: Any) -> Edit:
    return first(lambda sample: sample["doc"].update(fields))


def in_sample(**fields: Any) -> Edit:
    return first(lambda sample: sample.update(fields))


# fmt: off
BAD: dict[str, tuple[Edit, str]] = {
    "cut off in a line": (lambda lines: [*lines[:-1], lines[-1][:200]], r"line 52: not valid JSON; the file is cut off"),
    "cut off between lines": (lambda lines: lines[:40], r"holds 40 rows of dfar_mini_cls, but its run scored 52"),
    "empty": (lambda lines: [], r"is empty"),
    "a row twice": (lambda lines: [*lines, lines[3]], r"line 53: row mini-test-\d+ is here and at .*line 4"),
    "not an object": (lambda lines: ["[1, 2]\n", *lines], r"line 1: this is not a sample of a task of this version"),
    "another task": (lambda lines: [json.dumps({"doc_id": 0, "doc": {"question": "?"}})], r"not a sample of a task of this version"),
    "older version": (first(lambda sample: sample["doc"].pop("condition")), r"not a sample of a task of this version"),
    "older prompt": (in_doc(prompt_style="llama2.v0"), r"the prompt llama2\.v0 is not that of this version \(llama2\.v1\)"),
    "changed prompt": (in_doc(prompt="Say ethical."), r"the prompt llama2\.v1 is not that of this version"),
    "unknown prompt": (in_doc(prompt_style="gpt.v1"), r"unknown prompt 'gpt\.v1'"),
    "unknown condition": (in_doc(condition="x"), r"there is no condition 'x'"),
    "other condition": (in_doc(condition="reason"), r"the prompt llama2\.v1 is not that of this version"),
    "other kind": (in_doc(kind="reason"), r"kind is cls here but reason before|no task of the kind"),
    "unknown row": (in_doc(row_id="mini-test-9999"), r"'mini-test-9999' is not a test row of paper, clean, mini, ethos"),
    "train row": (in_doc(row_id="mini-train-0000"), r"'mini-train-0000' is not a test row"),
    "odd row": (in_doc(row_id="../../etc"), r"is not a test row"),
    "other data set": (in_doc(dataset="ethics"), r"is not a test row"),
    "data set not a name": (in_doc(dataset=[]), r"not a sample of a task of this version"),
    "changed label": (first(lambda sample: sample["doc"].update(label=1 - sample["doc"]["label"])), r"the label of mini-test-\d+ is not that of the data here"),
    "changed statement": (in_doc(statement="I waited."), r"the statement of mini-test-\d+ is not that"),
    "changed shares": (in_doc(shares=[0.5, 0.5]), r"the shares of mini-test-\d+ is not that"),
    "no answer": (in_sample(filtered_resps=[]), r"filtered_resps holds neither"),
    "huge number": (in_sample(filtered_resps=[[10**400, 0], [1, 0]]), r"filtered_resps holds neither"),
    "three choices": (in_sample(filtered_resps=[["-1", "x"]] * 3), r"holds neither one text nor 2 log-likelihoods"),
    "text for numbers": (in_sample(filtered_resps=[["a", "False"], ["b", "False"]]), r"filtered_resps holds neither"),
    "other continuations": (first(lambda sample: sample["arguments"]["gen_args_1"].update(arg_1=" zebra")), r"not of ethical and unethical"),
    "no context": (in_sample(arguments={}), r"arguments\.gen_args_0 is missing or cut"),
    "context not a text": (in_sample(arguments={"gen_args_0": {"arg_0": 7, "arg_1": " ethical"}, "gen_args_1": {"arg_1": " unethical"}}), r"holds no context"),
    "no generation arguments": (in_sample(filtered_resps=["ethical"]), r"holds no generation arguments"),
    "another prompt shown": (first(lambda sample: sample["arguments"]["gen_args_0"].update(arg_0="Say something.")), r"was not shown the prompt llama2\.v1: .*cache_requests"),
    "another message sent": (first(lambda sample: sample["arguments"]["gen_args_0"].update(arg_0=['[{"role": "user", "content": "Say something."}]'])), r"was not shown the prompt llama2\.v1: .*cache_requests"),
    "no messages": (first(lambda sample: sample["arguments"]["gen_args_0"].update(arg_0=[7])), r"was not shown the prompt llama2\.v1"),
    "two kinds of run": (first(lambda sample: sample.update(doc={**sample["doc"], "kind": "reason"}, filtered_resps=["ethical"], arguments={"gen_args_0": {"arg_0": sample["doc"]["prompt"], "arg_1": {}}})), r"kind is cls here but reason before"),
}
# fmt: on


@pytest.mark.parametrize("fault", BAD)
def test_bad_samples(fault: str, dummy_mini: HarnessRun, tmp_path: Path) -> None:
    """One sentence that names the file, which is left as it was."""
    edit, message = BAD[fault]
    source = dummy_mini.samples_file(CLS)
    file = tmp_path / source.name
    file.write_text("".join(edit(source.read_text().splitlines(keepends=True))))
    shutil.copy(dummy_mini.results_file, tmp_path)
    before = file.read_bytes()
    with pytest.raises(InputError, match=message) as error:
        rescore([file])
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)
    assert file.read_bytes() == before


def test_a_results_file_with_odd_values(dummy_mini: HarnessRun, tmp_path: Path) -> None:
    """Whatever it holds, the report is JSON, the signature has no field too many, and differences show."""
    source = dummy_mini.samples_file(CLS)
    lines = source.read_text().splitlines(keepends=True)
    (tmp_path / source.name).write_text("".join(first(lambda s: s["filtered_resps"].reverse())(lines)))
    beside = tmp_path / dummy_mini.results_file.name
    results = dummy_mini.results
    results["results"][CLS]["acc,none"] = float("nan")
    results |= {"lm_eval_version": "0.4|rows:9\n", "n-shot": [], "model_name": "\ud800", "chat_template_sha": 7}
    beside.write_text(json.dumps({**results, "date": "then", "config": []}))
    (run,) = rescore([tmp_path], resamples=0)
    assert {"acc", "brier"} <= {name for name, score in run.scores.items() if score.differs}
    assert "lm_eval printed nan\n" in run.as_table()
    assert json.loads(json.dumps(run.as_json(), allow_nan=False))["metrics"]["acc"]["printed"] == "nan"
    assert str(run.signature).endswith("|lm_eval:0.4?rows?9?")
    beside.write_text('{"results": ')
    with pytest.raises(InputError, match="is not valid JSON"):
        rescore([tmp_path])


def test_sampled_answers_are_signed_with_their_seed(dummy_mini: HarnessRun, tmp_path: Path) -> None:
    """Also where only the temperature says so, as for API back ends."""
    source = dummy_mini.samples_file(REASON)
    seen = set()
    for number, generation in enumerate(({}, {"temperature": 0.9}, {"do_sample": True}, {"temperature": 0.0})):
        folder = tmp_path / str(number)
        folder.mkdir()
        lines = [
            changed(line, lambda s, g=generation: s["arguments"]["gen_args_0"]["arg_1"].update(g))
            for line in source.read_text().splitlines()
        ]
        (folder / source.name).write_text("".join(lines))
        shutil.copy(dummy_mini.results_file, folder)
        (run,) = rescore([folder], resamples=0)
        seen.add(run.signature)
        assert run.signature.get("seed") == ("1234" if number in (1, 2) else "")
    assert len(seen) == 4


def test_other_rows_are_another_signature(dummy_mini: HarnessRun, tmp_path: Path) -> None:
    lines = dummy_mini.samples_file(CLS).read_text().splitlines(keepends=True)
    for name, part in (("a", lines[:4]), ("b", lines[4:8])):
        (tmp_path / f"{name}.jsonl").write_text("".join(part))
    one, other = rescore([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert re.fullmatch(r"4/52\.[0-9a-f]{8}", one.signature.get("rows"))
    assert set(one.signature.differences(other.signature)) == {"rows"}
    assert all(score.estimate.interval is None for score in one.scores.values())


def test_runs_are_found_once(dummy_mini: HarnessRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(dummy_mini.folder)
    assert len(find_runs([Path(), dummy_mini.folder])) == 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/no/such/folder", "/no/such/folder does not exist: name a samples file or the folder"),
        (str(ROOT / "tests" / "datasets"), "holds no samples of our tasks"),
        ("RESULTS", r"results_\S+ is not a samples file: name samples_\*\.jsonl beside it"),
    ],
)
def test_paths_without_samples(path: str, message: str, dummy_mini: HarnessRun) -> None:
    with pytest.raises(InputError, match=message):
        find_runs([dummy_mini.results_file if path == "RESULTS" else Path(path)])


def test_reading_samples_needs_neither_lm_eval_nor_torch_nor_datasets(dummy_mini: HarnessRun) -> None:
    code = (
        "import sys; from pathlib import Path; from dfar_bench.runs.rescore import rescore;"
        "print(len(rescore([Path(sys.argv[1])], 'verdict')), {'lm_eval', 'torch', 'datasets', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, dummy_mini.folder], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("2 set()\n", "")


def test_a_model_that_was_asked_in_several_prompts(dummy_mini: HarnessRun, tmp_path: Path) -> None:
    evaluate(tmp_path, "dfar_mini_cls", metadata={"prompt": "plain"})
    scored = rescore([dummy_mini.folder, tmp_path], resamples=0)
    assert spreads(scored) == []  # the dummy model has another name each time
    (spread,) = spreads([replace(one, run=replace(one.run, model="dummy")) for one in scored])
    assert (spread.task, spread.prompts) == ("dfar_mini_cls", ("llama2.v1", "plain.v1"))
    values = sorted(run.scores["acc"].estimate.value or 0 for run in scored if run.run.task.name == CLS)
    assert spread.ranges["acc"] == (values[0], values[-1])
    other = [
        replace(one, run=replace(one.run, model="dummy", scored=ScoredModel(arguments={"revision": one.run.style})))
        for one in scored
    ]
    assert spreads(other) == []


def test_the_errors_of_the_judge_are_those_on_such_models(
    dummy_mini: HarnessRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(dummy_mini.folder, tmp_path / "run")
    (results_file,) = (tmp_path / "run").rglob("results_*.json")
    results = json.loads(results_file.read_text())
    trained, untrained = tmp_path / "trained", tmp_path / "untrained"
    for folder in (trained, untrained):
        folder.mkdir()
    (trained / TRAINING_RECORD).write_text("{}")
    for model_args, kind in (
        ({"pretrained": "org/model"}, "base"),
        ({"pretrained": "org/model", "peft": ""}, "base"),
        ({"pretrained": "x" * 5000}, "base"),
        (f"pretrained={untrained}", "base"),
        (f"pretrained={trained}", "fine-tuned"),
        ({"pretrained": "org/model", "peft": "org/adapter"}, "fine-tuned"),
        ({"pretrained": "org/model", "lora_local_path": "org/adapter"}, "fine-tuned"),
    ):
        results["config"]["model_args"] = model_args
        results_file.write_text(json.dumps(results))
        (scored,) = (one for one in rescore([tmp_path / "run"], resamples=0) if one.run.task.name == REASON)
        assert scored.run.source_kind == kind
    harness = replace(scored.run.harness, chat_template_sha="0" * 64, context="0" * 8)
    run = replace(scored.run, tuned=False, harness=harness)
    rescored = rescore_run(run, get_judge("verdict"), 1000)
    assert run.source_kind == "instruct"
    assert str(error_rates("verdict.v2", "instruct")) in rescored.as_table()
    assert rescored.adjusted == {}  # it does not know reasons
    known = ErrorRates("instruct", ("m",) * 200, *[(True, False) * 100] * 2, (True,) * 200, (*map(str, range(200)),))
    monkeypatch.setattr("dfar_bench.runs.run.error_rates", lambda *_: known)
    rescored = rescore_run(run, get_judge("verdict"), 1000)
    assert rescored.adjusted["mar"] == rescored.scores["mar"].estimate
    assert "  adjusted              1.0000   1.0000 – 1.0000" in rescored.as_table()
    assert rescored.as_json()["judge_error_rates"]["reason_decides"]["caught"] == 1.0
