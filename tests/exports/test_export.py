"""``export``: each format against the classes and schemas of those who read it, and what none of them may hold."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import ROOT, HarnessRun
from leaderboard.board_site import TASKS, answering, trained_on_test_rows, write_submission
from leaderboard.edits import read_document, write_document

from dfar_bench.cli.main import main
from dfar_bench.cli.options import BAD_INPUT, FALLS_SHORT, FINE
from dfar_bench.datasets import LABELS, Row, get_dataset, rows
from dfar_bench.errors import InputError
from dfar_bench.exports import formats  # noqa: F401
from dfar_bench.exports.base import FORMATS, Options
from dfar_bench.exports.formats.latex import escape
from dfar_bench.exports.read import read_results
from dfar_bench.exports.result import Result
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.contamination import Contamination
from dfar_bench.leaderboard.quotation import quotes
from dfar_bench.prompts import find_condition, make_prompt
from dfar_bench.runs.log import read_run
from dfar_bench.runs.rescore import rescore
from dfar_bench.scoring import Output, Signature, find_task

OPTIONS = Options(get_judge(), "acme/morals", "https://example.org/runs", "Acme")
WHEEL = "every-eval-ever==0.3.0"  # of which only the schemas and the validator are used
GOOD, FAIR, POOR = (answering(share, "same") for share in (0.95, 0.9, 0.4))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "submissions"
    for name, answer in {"good": GOOD, "poor": POOR, "under_score": POOR}.items():
        write_submission(folder, f"acme/{name}", answer)
    return folder


@pytest.fixture(scope="module")
def results(tree: Path) -> list[Result]:
    found, faults = read_results([tree], OPTIONS.judge)
    assert faults == []
    return found


@pytest.fixture(scope="module")
def corrected(results: list[Result]) -> Result:
    """A run of two turns, the first of which holds an access token."""
    task, condition = find_task("dfar_mini_reason"), find_condition("review")
    outputs = tuple(
        Output(row, GOOD(row, "reason"), make_prompt("chat", condition.name, row), ("It is hf_" + "a1" * 12,))
        for row in sorted(rows("mini")["test"], key=lambda row: row.row_id)
    )
    judged = next(result for result in results if result.task == task)
    run = replace(judged.run, condition=condition, outputs=outputs)
    answers = tuple(run.answers(OPTIONS.judge))
    return replace(judged, run_id="2026-02-01-0", run=run, answers=answers, signature=run.signature(OPTIONS.judge))


def written(name: str, of: list[Result]) -> dict[str, str]:
    return {path: content.decode() for path, content in FORMATS[name].write(of, OPTIONS).items()}


def table(of: list[Result]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written("csv", of)["results.csv"])))


# Tables


def test_figures_are_those_of_rescore(dummy_mini: HarnessRun, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["export", str(dummy_mini.folder), "--format", "json", "--model-id", "acme/dummy"]
    assert main(command) == FINE
    document = json.loads(capsys.readouterr().out)
    assert (document["judge"], document["intervals"]["level"]) == (get_judge().signature, 0.95)
    exported = {(row["task"], row["metric"]): (row["value"], row["low"], row["high"]) for row in document["rows"]}
    for scored in rescore([dummy_mini.folder]):
        for name, score in scored.scores.items():
            estimate = score.estimate
            assert exported[scored.run.task.name, name] == (estimate.value, estimate.low, estimate.high)
    assert {row["signature"] for row in document["rows"]} == {str(s.signature) for s in rescore([dummy_mini.folder])}
    judged = next(row for row in document["rows"] if row["metric"] == "mar")
    assert judged["judge_errs"]
    assert {row["model"] for row in document["rows"]} == {"acme/dummy"}


def test_the_table_says_how_a_figure_came_about(results: list[Result]) -> None:
    lines = table(results)
    (mar,) = [line for line in lines if (line["model"], line["metric"]) == ("acme/good", "mar")]
    assert (mar["condition"], mar["n"], mar["contaminated"]) == ("reason", "52", "False")
    assert mar["judge"] == get_judge().signature
    assert "the judge" in mar["judge_errs"]
    (groups,) = [line for line in lines if (line["model"], line["metric"]) == ("acme/good", "group_acc")]
    assert (groups["n"], groups["judge"]) == (str(sum(row.contrast > 0 for row in rows("mini")["test"])), "")
    assert {result.figures[0].n for result in results} == {52}


def test_latex_is_bold_only_where_the_interval_separates(results: list[Result], corrected: Result) -> None:
    text = written("latex", results)["results.tex"]
    bold = re.findall(r"\\textbf\{([^}]*)\}", text)
    assert text.count(r"\begin{tabular}") == text.count(r"\bottomrule") == 2
    assert len(bold) >= 3  # accuracy, MAR, verdict accuracy
    for line in text.splitlines():
        assert (r"\textbf" in line) <= line.startswith("acme/good &")
    near = [replace(result, model="acme/fair") for result in results if result.model == "acme/good"]
    assert r"\textbf" not in written("latex", [*results, *near])["results.tex"]
    met = Contamination(True, 1, 1, "it was trained on one of them")
    contaminated = [replace(result, model="acme/met", contamination=met) for result in near]
    apart = written("latex", [*results, *contaminated])["results.tex"]
    assert re.findall(r"\\textbf\{([^}]*)\}", apart) == bold
    assert not re.search(r"acme/met.*textbf", apart)
    alone = [result for result in results if result.model == "acme/good"]
    assert r"\textbf" not in written("latex", alone)["results.tex"]
    another = written("latex", [*results, replace(corrected, model="acme/other")])["results.tex"]
    assert another.count(r"\begin{tabular}") == 3  # asked otherwise, so in a table of its own


def test_latex_is_well_formed(results: list[Result]) -> None:
    text = written("latex", results)["results.tex"]
    assert r"acme/under\_score" in text
    assert "condition:reason" in text
    assert re.search(r"Judge reference\.\S+: .+\. Signature: \\texttt\{dfar\\textbar", text)
    for part in text.split(r"\begin{tabular}{")[1:]:
        columns, body = part.split("}", 1)[0], part.split(r"\end{tabular}")[0]
        lines = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {len(columns) - 1}
    unescaped = re.sub(r"\\.|(?m:^%.*$)", "", text.replace(" & ", ""))
    assert unescaped.count("{") == unescaped.count("}")
    assert not re.search(r"[#~_&%]", unescaped)
    assert escape("a_b & 5% {x} \\y") == r"a\_b \& 5\% \{x\} \textbackslash{}y"


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    """Nor is what a submitter may write freely."""
    folder = write_submission(tmp_path, "acme/good", GOOD)
    document = read_document(folder)
    document["tasks"][TASKS[0]]["harness"]["dtype"] = "=1+1"
    found, _ = read_results([write_document(folder, document)], OPTIONS.judge)
    cells = [cell for line in table(found) for cell in line.values()]
    assert any("|dtype:?1+1|" in cell for cell in cells)
    assert not [cell for cell in cells if re.match(r"[=@+\t\r]|-(?![\d.]+(e-\d+)?$)", cell)]


# The Hub


def test_hub_files_are_read_by_the_hubs_own_classes(results: list[Result], corrected: Result) -> None:
    from huggingface_hub._eval_results import parse_eval_result_entries

    files = written("hub", [result for result in results if result.model == "acme/good"])
    (path,) = [path for path in files if path != "eval.yaml"]
    assert re.fullmatch(r"acme__good/\.eval_results/dfar-bench-2026-01-31-[0-9a-f]{8}\.yaml", path)
    entries = parse_eval_result_entries(yaml.safe_load(files[path]))
    values = {entry.task_id: entry.value for entry in entries}
    figures = {
        f"{result.task.name}_{figure.name}": figure.estimate for result in results[:2] for figure in result.figures
    }
    same = {(entry.dataset_id, entry.source_url, entry.date) for entry in entries}
    assert same == {("acme/morals", "https://example.org/runs", "2026-01-31")}
    assert values["dfar_mini_cls_acc"] == figures["dfar_mini_cls_acc"].value
    mar = figures["dfar_mini_reason_mar"]
    assert values["dfar_mini_reason_one_minus_mar"] == pytest.approx(1 - mar.value)
    assert not {task for task in values if task.endswith(("_mar", "_mar_self", "_ties"))} - {
        "dfar_mini_reason_one_minus_mar"
    }
    notes = {entry.task_id: str(entry.notes) for entry in entries}["dfar_mini_reason_one_minus_mar"]
    assert notes.startswith("condition reason (label and reason); 95% interval ")
    assert f"interval {1 - mar.high:.4f} to {1 - mar.low:.4f}; n = 52; judge reference." in notes
    assert results[1].judge_errs in notes
    assert str(results[1].signature) in notes
    registration = yaml.safe_load(files["eval.yaml"])
    assert {"name", "description", "evaluation_framework", "tasks"} == set(registration)
    assert registration["tasks"] == [{"id": task, "split": "test"} for task in values]


def test_the_hub_gets_only_what_was_asked_in_the_usual_way(results: list[Result], corrected: Result) -> None:
    """Its leaderboards compare all that they hold."""
    with pytest.raises(InputError, match=r"^acme/good was asked dfar_mini_reason with condition:review\.\S+: .* leave"):
        written("hub", [corrected])
    signature = results[0].signature
    for field, value in (("shots", "2"), ("prompt", "plain.v1"), ("chat", "?"), ("system", "0a1b2c3d")):
        unusual = replace(results[0], signature=Signature({**signature.fields, field: value}))
        with pytest.raises(InputError, match=re.escape(f"{field}:{value}")):
            written("hub", [unusual])
    with pytest.raises(InputError, match="figures of one judge, the default one: leave out --judge"):
        FORMATS["hub"].write(results, replace(OPTIONS, judge=get_judge("verdict")))


@pytest.mark.usefixtures("paper")
def test_a_repository_of_several_data_sets_has_a_configuration_for_each(results: list[Result]) -> None:
    folder = ROOT / "leaderboard" / "submissions" / "dfar-bench__gemma-3-270m" / "2026-11-22-2d07f747"
    others, _ = read_results([folder], OPTIONS.judge)
    tasks = yaml.safe_load(written("hub", [*results, *others])["eval.yaml"])["tasks"]
    assert {task["config"] for task in tasks} == {"mini", "clean"}


def test_the_hub_gets_neither_contaminated_nor_partial_runs(
    results: list[Result], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_submission(tmp_path / "tree", "acme/met", GOOD, **trained_on_test_rows())
    command = ["export", str(tmp_path / "tree"), "--dataset-id", "acme/morals", "--out", str(tmp_path / "out")]
    assert main([*command, "--format", "hub"]) == BAD_INPUT
    assert "acme/met was trained on statements that dfar_mini_cls tests" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main(["export", str(tmp_path / "tree"), "--format", "latex"]) == FINE
    assert r"acme/met$^\dagger$ &" in capsys.readouterr().out
    partial = [replace(result, run=replace(result.run, outputs=result.run.outputs[1:])) for result in results]
    with pytest.raises(InputError, match="acme/good answered 51 of 52 rows of dfar_mini_cls"):
        written("hub", partial)


# Every Eval Ever


@pytest.fixture(scope="session")
def schemas(pytestconfig: pytest.Config) -> Iterator[dict[str, Any]]:
    """The schemas in the wheel of Every Eval Ever, whose validator can be imported as well as long as this is open."""
    folder = pytestconfig.cache.mkdir("every-eval-ever")
    if not list(folder.glob("*.whl")):
        needs = [
            "--no-deps",
            "--only-binary=:all:",
            "--python-version",
            "3.12",
            "--quiet",
            "--retries",
            "1",
            "--dest",
            folder,
        ]
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", *needs, WHEEL], capture_output=True, text=True, timeout=120
        )
        if done.returncode and not os.environ.get("DFAR_BENCH_REQUIRE_EEE"):
            pytest.skip(f"{WHEEL} cannot be downloaded: {done.stderr.strip().splitlines()[-1:]}")
        assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed, pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(wheel)
        yield {
            name: json.loads(packed.read(f"every_eval_ever/schemas/{name}.schema.json"))
            for name in ("eval", "instance_level_eval")
        }


def check_eee(files: dict[str, str], schemas: dict[str, Any], folder: Path) -> None:
    """Check files against the schemas, and with the validator that the datastore runs on them."""
    from every_eval_ever.validator.validation_core import validate_file
    from jsonschema import Draft7Validator

    aggregate, instance = (Draft7Validator(schemas[name]) for name in ("eval", "instance_level_eval"))
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
        documents = map(json.loads, content.splitlines() if path.endswith("l") else [content])
        for document in documents:
            (instance if path.endswith("l") else aggregate).validate(document)
    for path in files:
        checked = validate_file(
            folder / path,
            repo_path=path,
            available_files=set(files),
            read_repo_file=lambda name: files[name],
            run_semantic_checks=True,
        )
        assert (checked.valid, checked.errors, checked.warnings) == (True, [], [])


def test_eee_files_are_valid(results: list[Result], corrected: Result, schemas: dict[str, Any], tmp_path: Path) -> None:
    files = written("eee", [*results, corrected])
    assert len(files) == 2 * (len(results) + 1)
    check_eee(files, schemas, tmp_path)
    with pytest.raises(AssertionError):  # the check can fail
        check_eee({path.replace("acme/", "else/"): content for path, content in files.items()}, schemas, tmp_path)


def test_eee_holds_figures_and_rows(results: list[Result]) -> None:
    (result,) = [result for result in results if (result.model, result.task.name) == ("acme/good", TASKS[1])]
    files = written("eee", [result])
    document, records = (
        json.loads(next(text for path, text in files.items() if path.endswith(".json"))),
        [json.loads(line) for path, text in files.items() if path.endswith("l") for line in text.splitlines()],
    )
    by_id = {each["evaluation_result_id"]: each for each in document["evaluation_results"]}
    for figure in result.figures:
        details = by_id[figure.name]["score_details"]
        assert details["score"] == figure.estimate.value
        assert details["uncertainty"]["confidence_interval"]["upper"] == figure.estimate.high
        assert details["details"]["signature"] == str(result.signature)
    assert by_id["mar"]["score_details"]["details"]["judge_errs"] == result.judge_errs
    assert by_id["mar"]["metric_config"]["lower_is_better"]
    asked = by_id["mar"]["generation_config"]
    assert "{statement}" in asked["generation_args"]["prompt_template"]
    assert asked["additional_details"]["condition"] == "reason"
    for name in ("mar", "verdict_acc"):
        scores = [each["evaluation"]["score"] for each in records if each["evaluation_result_id"] == name]
        assert len(scores) == 52
        assert sum(scores) / 52 == pytest.approx(by_id[name]["score_details"]["score"])
    assert [each["sample_id"] for each in records[::2]] == [answer.row.row_id for answer in result.answers]
    assert records[0]["output"]["raw"] == [result.answers[0].case.response]  # type: ignore[attr-defined]


def test_eee_keeps_turns_and_no_token(corrected: Result) -> None:
    text = next(text for path, text in written("eee", [corrected]).items() if path.endswith("l"))
    messages = json.loads(text.splitlines()[0])["messages"]
    assert [(each["role"], each["content"] is None) for each in messages] == [
        ("user", True), ("assistant", True), ("user", True), ("assistant", False),
    ]  # fmt: skip
    assert "hf_" not in text
    first, *others = corrected.run.outputs
    for value, why in (
        ("hf_" + "a1" * 12, "holds what looks like an access token"),
        ("x" * 50_001, "has more than 50,000"),
    ):
        run = replace(corrected.run, outputs=(replace(first, value=value), *others))
        text = next(text for path, text in written("eee", [replace(corrected, run=run)]).items() if path.endswith("l"))
        assert json.loads(text.splitlines()[0])["metadata"]["response"].startswith(f"left out: it {why}")


# What no format may hold, and what is refused


@pytest.mark.usefixtures("paper")
def test_no_format_quotes_the_data() -> None:
    """Of a model whose answers do."""
    folder = ROOT / "leaderboard" / "submissions" / "dfar-bench__gemma-3-270m-lr" / "2026-11-22-cfe4e4e7"
    found, _ = read_results([folder], OPTIONS.judge)
    dataset = get_dataset("clean")
    outputs = [str(output.value) for result in found for output in result.run.outputs if isinstance(output.value, str)]
    assert sum(quotes(dataset, text) for text in outputs) > 50
    for name in FORMATS:
        files = written(name, found)
        for content in files.values():
            for line in content.splitlines():
                assert not quotes(dataset, line), name
    records = "".join(written("eee", found).values())
    assert records.count("left out: it quotes the data") > 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "hup"], "there is no format 'hup': did you mean hub?"),
        (["--format", "hub"], "--format hub writes several files: name a folder with --out."),
        (["--format", "hub", "--out", "OUT"], "this format needs --dataset-id, "),
        (["--format", "hub", "--out", "OUT", "--dataset-id", "morals"], "--dataset-id is not the name of "),
        (["--format", "hub", "--out", "OUT", "--dataset-id", "../.."], "--dataset-id is not the name of "),
        (["--format", "csv", "--out", "."], "--format csv writes one file, and --out is a folder: name a file"),
        (["--format", "eee", "--out", "OUT"], "this format needs --organization, "),
        (["--format", "csv", "--relationship", "cousin"], "there is no --relationship 'cousin': choose one of "),
        (["--format", "csv", "--source-url", "ftp://x"], "--source-url is not a link that begins with https://"),
        (["--format", "csv", "--split", "clear"], "there is no data set 'clear': did you mean clean?"),
        (["--format", "csv", "--split", "ethos"], "there is nothing on ethos among the results"),
        (["--format", "csv", "--judge", "oracle"], "there is no judge 'oracle'"),
        (["--format", "csv", "--model-id", "acme/x"], "--model-id is for samples of lm_eval"),
        (["/no/such/folder", "--format", "csv"], "/no/such/folder does not exist"),
    ],
)
def test_bad_usage(
    arguments: list[str], message: str, tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(tmp_path / "out") if each == "OUT" else each for each in arguments]
    assert main(["export", str(tree), *arguments]) == BAD_INPUT
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), (tmp_path / "out").exists()) == ("", 1, False)
    assert err.startswith(f"dfar-bench: {message}")


def test_a_submission_with_a_fault_is_not_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor are its claims read: a schema has no place for any."""
    write_submission(tmp_path, "acme/good", GOOD)
    folder = write_submission(tmp_path, "acme/liar", POOR)
    document = read_document(folder)
    document["tasks"][TASKS[0]]["metrics"] = {"acc": 1.0}
    write_document(folder, document)
    assert main(["export", str(tmp_path), "--format", "csv", "--out", str(tmp_path / "x.csv")]) == FALLS_SHORT
    out, err = capsys.readouterr()
    assert (out, (tmp_path / "x.csv").exists()) == ("", False)
    assert f"tasks.{TASKS[0]}.metrics: is not a field of a submission" in err
    assert "nothing was exported" in err


@pytest.mark.parametrize("name", ["", "=cmd()", "/models/seven", "../../x/y", "a/b/c", "acme/\u202egpj"])
def test_a_model_is_named_as_on_the_hub(
    name: str, dummy_mini: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = {**dummy_mini.results, "model_name": name}
    task = "dfar_mini_cls"
    (tmp_path / dummy_mini.results_file.name).write_text(json.dumps(results))
    (tmp_path / dummy_mini.samples_file(task).name).write_bytes(dummy_mini.samples_file(task).read_bytes())
    assert main(["export", str(tmp_path), "--format", "csv"]) == BAD_INPUT
    assert "name it with --model-id ORG/NAME." in capsys.readouterr().err
    results["model_name"] = "acme/seven"
    results["config"]["model_args"] = {"pretrained": "acme/seven", "peft": "acme/adapter"}
    (tmp_path / dummy_mini.results_file.name).write_text(json.dumps(results))
    assert main(["export", str(tmp_path), "--format", "csv"]) == BAD_INPUT  # whose figures are not the base model's
    assert "is of a local or fine-tuned model" in capsys.readouterr().err
    assert read_run((tmp_path / dummy_mini.samples_file(task).name,)).tuned
    assert main(["export", str(tmp_path), "--format", "csv", "--model-id", "acme/adapter"]) == FINE
    assert capsys.readouterr().out.splitlines()[1].startswith("acme/adapter,")


def test_a_model_that_gives_no_reasons_has_no_mar(tmp_path: Path) -> None:
    """Its MAR is near 1 and says nothing about reasons: every format says so, or leaves it out."""

    def verdicts(row: Row, kind: str) -> Any:
        return GOOD(row, kind) if kind == "cls" else f" {LABELS[row.label]}."

    found, _ = read_results([write_submission(tmp_path, "acme/brief", verdicts)], OPTIONS.judge)
    remarks = {line["metric"]: line["remark"] for line in table(found)}
    assert {name for name, remark in remarks.items() if remark} == {n for n in remarks if n.startswith("mar")} > {"mar"}
    assert set(remarks.values()) == {"", "gives no reasons"}
    assert "gives no reasons &" in written("latex", found)["results.tex"]
    hub = "".join(written("hub", found).values())
    assert "one_minus_mar" not in hub
    assert "dfar_mini_reason_verdict_acc" in hub
    (document,) = (json.loads(text) for path, text in written("eee", found[1:]).items() if path.endswith(".json"))
    scores = {each["evaluation_result_id"]: each["score_details"] for each in document["evaluation_results"]}
    assert scores["mar"]["details"]["remark"] == "gives no reasons"
    assert "remark" not in scores["verdict_acc"]["details"]


def test_a_word_of_the_prompt_is_not_a_quotation(tmp_path: Path) -> None:
    """Short answers stay whole."""

    def brief(row: Row, kind: str) -> Any:
        return GOOD(row, kind) if kind == "cls" else f" {LABELS[row.label]}."

    found, _ = read_results([write_submission(tmp_path, "acme/brief", brief)], OPTIONS.judge)
    lines = [text for path, text in written("eee", found).items() if path.endswith("l")][1].splitlines()
    assert all(json.loads(line)["output"]["raw"] for line in lines)
