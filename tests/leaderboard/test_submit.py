# ruff: noqa: E501  (a table of faults reads best as a table)
"""From lm_eval's output folder to a verified submission."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from edits import CLS, FILE, REASON, read_document, read_lines
from harness import ROOT, HarnessRun, evaluate_chat, name_model

from dfar_bench.cli.main import main
from dfar_bench.cli.options import BAD_INPUT, FINE
from dfar_bench.datasets import get_dataset, row_hash, rows
from dfar_bench.errors import InputError
from dfar_bench.files import weights_hash
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.answers_file import prompts_of
from dfar_bench.leaderboard.contamination import Contamination
from dfar_bench.leaderboard.facts import facts_of
from dfar_bench.leaderboard.privacy import REMOVED, scrub
from dfar_bench.leaderboard.quotation import literal_text, quotes
from dfar_bench.leaderboard.submission import find_submissions
from dfar_bench.leaderboard.submit import About, find_dfar_run, submit
from dfar_bench.leaderboard.verify import submitted_runs
from dfar_bench.runs.evaluate import turn_by_turn
from dfar_bench.runs.log import find_runs, read_run
from dfar_bench.training.examples import Example
from dfar_bench.training.record import data_record

COMMIT, OTHER = "0123456789abcdef" * 2 + "01234567", "f" * 40
ABOUT = About("acme/judge-7b", "base", revision=COMMIT)
ARGUMENTS = ("--model-id", "acme/judge-7b", "--mode", "base", "--revision", COMMIT)
TRAINED = About("acme/judge-lr", "lr", revision=COMMIT, base="acme/judge-7b")


@pytest.fixture
def results(dummy_mini: HarnessRun, tmp_path: Path) -> HarnessRun:
    """A run of the real harness, to be edited."""
    shutil.copytree(dummy_mini.folder, tmp_path / "results")
    return name_model(tmp_path / "results", pretrained="acme/judge-7b", revision=COMMIT)


def test_from_the_harness_to_a_verified_submission(
    results: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The figures are the harness's; what is there already is left alone."""
    out = tmp_path / "submissions"
    command = ["submit", str(results.folder), *ARGUMENTS, "--out", str(out)]
    assert main(command) == FINE
    said, remarks = capsys.readouterr()
    (folder,) = out.glob("*/*")
    assert said.startswith(f"{folder}: written, and re-scored from its answers\n")
    assert remarks == ""
    assert "pull request" in said
    assert sorted(path.name for path in folder.iterdir()) == [CLS, REASON, FILE]
    for task in ("dfar_mini_cls", "dfar_mini_reason"):
        printed = results.results["results"][task]
        for metric, value in submit([results.folder], ABOUT, out).verified.tasks[task].metrics.items():
            assert (printed[f"{metric},none"] if value is not None else None) == value
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(command) == FINE
    assert "is there already, with the same content" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (folder / CLS).write_bytes(b"something else")
    assert main(command) == BAD_INPUT
    assert "is there already and holds something else" in capsys.readouterr().err
    assert (folder / CLS).read_bytes() == b"something else"


@pytest.mark.usefixtures("paper")
def test_quoted_data_is_stored_as_references(dummy_paper: HarnessRun, tmp_path: Path) -> None:
    """The harness's run, but with responses that recite: nothing of the data in clear, everything restored."""
    shutil.copytree(dummy_paper.folder, tmp_path / "results")
    file = name_model(tmp_path / "results", pretrained="acme/judge-7b").samples_file("dfar_reason")
    texts = {
        row.row_id: f" ethical. {(row.reason.upper(), row.statement, 'It is kind.')[int(row.row_id[-1]) % 3]}"
        for row in rows("paper")["test"]
    }
    samples = [json.loads(line) for line in file.read_text().splitlines()]
    for sample in samples:
        sample["filtered_resps"] = [texts[sample["doc"]["row_id"]]]
    file.write_text("".join(json.dumps(sample) + "\n" for sample in samples))
    done = submit([tmp_path / "results"], ABOUT, tmp_path / "out")
    answers = done.folder / "dfar_reason.jsonl.gz"
    for outputs in (done.verified.tasks["dfar_reason"].run.outputs, submitted_runs(done.folder)["dfar_reason"].outputs):
        assert {output.row.row_id: output.value for output in outputs} == texts
    found = [json.loads(line) for line in read_lines(done.folder, answers.name)]
    assert all(list(line) == ["row_id", "doc_hash", "response"] for line in found)
    assert sum(isinstance(line["response"], list) for line in found) > 300
    literal = "\n".join(literal_text([r] if isinstance(r := line["response"], str) else r) for line in found)
    assert not quotes(get_dataset("paper"), literal + (done.folder / FILE).read_text())
    assert "dfar_reason: mar" in done.differing


def test_how_it_was_asked_is_carried_over(results: HarnessRun, tmp_path: Path) -> None:
    edit_results(lambda r: r["n-shot"].update(dfar_mini_cls=2))(results)
    task = submit([results.folder], ABOUT, tmp_path / "out").verified.tasks["dfar_mini_cls"]
    (run,) = (run for run in map(read_run, find_runs([results.folder])) if run.task.kind.name == "cls")
    assert task.signature == run.signature(get_judge())
    assert "|shots:2|" in str(task.signature)
    assert (task.run.harness, task.run.outputs) == (run.harness, run.outputs)


def test_runs_of_one_model_in_two_dtypes_are_one_submission(
    results: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Likelihoods in 32 bits and answers in 16, from two calls of the harness; all else must be the same."""
    folders = []
    for kind, dtype, other in (("cls", "float32", "reason"), ("reason", "bfloat16", "cls")):
        shutil.copytree(results.folder, tmp_path / kind)
        run = name_model(tmp_path / kind, pretrained="acme/judge-7b", revision=COMMIT, dtype=dtype)
        run.samples_file(f"dfar_mini_{other}").unlink()
        edit_results(lambda r, dtype=dtype: r["config"].update(model_dtype=f"torch.{dtype}"))(run)
        folders.append(run.folder)
    out = tmp_path / "submissions"
    command = ["submit", *map(str, folders), *ARGUMENTS, "--out", str(out)]
    assert main(command) == FINE, capsys.readouterr().err
    (folder,) = out.glob("*/*")
    signatures = {name: run.signature(get_judge()) for name, run in submitted_runs(folder).items()}
    assert [one.get("dtype") for one in signatures.values()] == ["float32", "bfloat16"]
    name_model(folders[1], pretrained="acme/judge-7b", revision=COMMIT, dtype="bfloat16", max_length="512")
    with pytest.raises(InputError, match=r"its --model_args apart from dtype, differ between dfar_mini_cls and"):
        submit(folders, ABOUT, out)


def test_turns_and_how_they_ended_are_carried_over(tiny_model: Path, tmp_path: Path) -> None:
    """What ``dfar-bench eval`` recorded of a chat model that was asked to look again."""
    with turn_by_turn(tmp_path, "run"):
        evaluate_chat(tmp_path / "results", tiny_model, "dfar_mini_reason", condition="review")
    done = submit([tmp_path / "results"], replace(ABOUT, revision=None, weights=tiny_model), tmp_path / "out")
    submission, task = done.verified.submission, done.verified.tasks["dfar_mini_reason"]
    assert submission.recorded is not None
    assert submission.recorded.weights_sha256 == submission.model.weights_sha256 == weights_hash(tiny_model)
    assert (submission.recorded.backend, submission.recorded.arguments) == ("hf", [])
    assert submission.recorded.parameters == facts_of(done.verified)["origin"]["parameters"] > 1000
    assert done.remarks == ()
    (run,) = map(read_run, find_runs([tmp_path / "results"]))
    assert task.signature == run.signature(get_judge())
    assert "|condition:review.dfar.v1|shots:0|chat:yes|" in str(task.signature)
    assert "|ends:recorded|dtype:float32|batch:26|" in str(task.signature)
    assert (task.run.harness, task.run.outputs) == (run.harness, run.outputs)
    assert {len(output.earlier) for output in task.run.outputs} == {1}
    assert True in {output.cut for output in task.run.outputs}
    assert done.differing == ()


def test_another_prompt_or_condition_is_another_hash() -> None:
    texts = {
        prompts_of("mini", style, condition)["mini-test-0000"].text
        for style in ("llama2.v1", "plain.v1")
        for condition in ("label", "reason")
    }
    assert len(texts) == 4


SECRET = "aB3dE5fG7h" * 4


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("see /srv/models/llama", "see llama"),
        ("C:\\Models\\big\\llama is it", "llama is it"),
        ("~/models/llama", "llama"),
        ("hf_" + "abcDEF123" * 4, REMOVED),
        ("key sk-" + "abcDEF123" * 4, f"key {REMOVED}"),
        (f"x {SECRET}", f"x {REMOVED}"),
        ("0123456789abcdef" * 2, REMOVED),
        ("commit " + "0123456789" * 4, "commit " + "0123456789" * 4),
        ("https://example.org/a/tree/" + "0123456789" * 4, "https://example.org/a/tree/" + "0123456789" * 4),
        ("key_" + "0123456789" * 4, REMOVED),
        (f"https://example.org/{'0123456789' * 4}/{SECRET}", f"https://example.{REMOVED}"),
        ("posts of /r/AmItheAsshole.", "posts of /r/AmItheAsshole."),
        ("/r/models/llama, /r/llama.bin and /srv/r/llama", "llama, llama.bin and llama"),
        ("org/name and 3/4 of https://example.org/a/b/c", "org/name and 3/4 of https://example.org/a/b/c"),
        ("meta-llama/Llama-3.1-8B-Instruct-and-a-long-tail", "meta-llama/Llama-3.1-8B-Instruct-and-a-long-tail"),
    ],
)
def test_scrubbed(text: str, clean: str) -> None:
    assert scrub(text) == clean


def test_user_and_machine_are_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "margaret")
    monkeypatch.setattr(socket, "gethostname", lambda: "node17.cluster.example")
    assert scrub("made by margaret on node17.cluster.example, node17") == f"made by {REMOVED} on {REMOVED}, {REMOVED}"
    assert scrub("margarets") == "margarets"


def write_dfar_run(folder: Path, **changes: Any) -> Path:
    """Write the ``dfar_run.json`` of an L+R training on mini, with paths of a machine in it."""
    examples = [Example(row, "p", "c", [1, 2], [1, 2]) for row in rows("mini")["train"]]
    run = {
        "schema_version": 1,
        "status": "finished",
        "mode": "lr",
        "split": "mini",
        "drop_leaked": False,
        "prompt": "llama2.v1",
        "method": "lora",
        "seed": 42,
        "peak_memory_bytes": [1],
        "base_model": {"name": "/srv/margaret/models/tiny", "type": "llama", "parameters": 9, "trained": 3},
        "data": data_record(examples, {}),  # type: ignore[arg-type]
        "arguments": {"learning_rate": 0.002, "logging_dir": "/srv/margaret/logs", "lora_r": 16},
        "packages": {"python": "3.11.7", "torch": "2.13.0+cpu"},
        "distribution": {"type": "NO", "zero_stage": None, "offload": [], "processes": 1, "device": "cpu"},
        "loss": {"final": 1.5, "steps": 10, "history": []},
        "speed": {"seconds": 1.0, "examples_per_second": 1.0, "tokens_per_second": 1.0},
        **changes,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dfar_run.json").write_text(json.dumps(run))
    return folder / "dfar_run.json"


def test_the_training_is_carried_over_without_paths(results: HarnessRun, tmp_path: Path) -> None:
    about = replace(TRAINED, dfar_run=write_dfar_run(tmp_path / "model"))
    done = submit([results.folder], about, tmp_path / "out")
    content = (done.folder / FILE).read_text()
    assert "margaret" not in content
    assert "srv" not in content
    document = json.loads(content)
    assert document["training"]["sets"] == ["dfar_mini_train"]
    run = document["dfar_run"]
    assert run["base_model"]["name"] == "tiny"
    assert run["data"]["row_ids"].split()[0] == row_hash("mini-train-0000")
    assert run["arguments"] == {"learning_rate": 0.002, "lora_r": 16}
    assert done.verified.tasks["dfar_mini_cls"].contamination == Contamination(
        False, 0, 0, "by the hashes of its 124 training rows, it was trained on none of the 52 test statements"
    )


@pytest.mark.parametrize("as_text", [True, False])
def test_the_training_is_found_beside_the_model(results: HarnessRun, tmp_path: Path, as_text: bool) -> None:
    path = write_dfar_run(tmp_path / "adapter")
    names = {"pretrained": "x/y", "peft": str(path.parent)}
    model_args = ",".join(f"{name}={value}" for name, value in names.items()) if as_text else names
    edit_results(lambda r: r["config"].update(model_args=model_args))(results)
    assert find_dfar_run([results.folder]) == path
    command = ["submit", str(results.folder), "--model-id", "acme/lr", "--mode", "lr", "--revision", COMMIT]
    assert main([*command, "--out", str(tmp_path / "out"), "--dfar-run", "auto"]) == FINE
    (folder,) = (tmp_path / "out").glob("*/*")
    assert read_document(folder)["dfar_run"]["mode"] == "lr"


def make_weights(folder: Path, content: bytes = b"one", *, when: float = 0) -> Path:
    """Write a folder of weights, changed so many seconds after 1970."""
    folder.mkdir(exist_ok=True)
    (folder / "a.safetensors").write_bytes(content)
    os.utime(folder / "a.safetensors", (when, when))
    return folder


def test_weights_are_identified_by_their_content(
    results: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, hashes = tmp_path / "model", set()
    name_model(results.folder, pretrained=f"{tmp_path}/results/../model", trust_remote_code="True")
    for content in (b"one", b"two", b"two"):
        about = replace(ABOUT, revision=None, weights=make_weights(model, content))
        done = submit([results.folder], about, tmp_path / "out")
        hashes.add(done.verified.submission.model.weights_sha256)
        assert str(model) not in (done.folder / FILE).read_text()
        assert done.verified.submission.recorded.arguments == ["trust_remote_code"]  # type: ignore[union-attr]
    assert len(hashes) == 2
    arguments = ("--model-id", "acme/judge-7b", "--mode", "base", "--weights", str(model))
    assert main(["submit", str(results.folder), *arguments, "--out", str(tmp_path / "out")]) == FINE
    assert "known only from the times of the files; dfar-bench eval records a hash.\n" in capsys.readouterr().err


def test_weights_that_were_hashed_when_they_were_scored(results: HarnessRun, tmp_path: Path) -> None:
    """Only the hash counts then: neither where they were nor the times of the files."""
    model = make_weights(tmp_path / "moved", when=2e9)
    edit_results(lambda r: r["config"].update(model_args="pretrained=gone", weights_sha256=weights_hash(model)))(
        results
    )
    about = replace(ABOUT, revision=None, weights=model)
    done = submit([results.folder], about, tmp_path / "out")
    assert done.remarks == ()
    assert facts_of(done.verified)["about"]["Identified by"] == "a hash of its weights, taken when it was scored"
    make_weights(model, b"two")
    with pytest.raises(InputError, match=r"holds other weights \(sha256 \w{12}…\) than were scored in .*samples_"):
        submit([results.folder], about, tmp_path / "out")


@pytest.mark.parametrize(
    ("pretrained", "when", "message"),
    [
        ("acme/judge-7b", 0, r"was made with pretrained=acme/judge-7b, which is not \S+model: name the folder"),
        ("OTHER", 0, r"was made with pretrained=\S+other, which is not \S+model: name the folder"),
        ("MODEL", 2e9, r"model was changed at 2033-05-18 03:33:20 UTC, and scored before, at 20\d\d-"),
    ],
)
def test_weights_that_were_not_scored(
    pretrained: str, when: float, message: str, results: HarnessRun, tmp_path: Path
) -> None:
    model, other = make_weights(tmp_path / "model", when=when), make_weights(tmp_path / "other")
    name_model(results.folder, pretrained={"OTHER": str(other), "MODEL": str(model)}.get(pretrained, pretrained))
    with pytest.raises(InputError, match=message):
        submit([results.folder], replace(ABOUT, revision=None, weights=model), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("model_args", "recorded", "remarks"),
    [
        ({"pretrained": "acme/judge-7b"}, {"model_sha": COMMIT}, ()),
        ({"pretrained": "acme/judge-7b", "revision": COMMIT}, {"model_sha": ""}, ()),
        ({"pretrained": "acme/judge-7b", "peft": "acme/judge-7b", "revision": "main"}, {"model_sha": OTHER, "peft_sha": COMMIT}, ()),
        ({"pretrained": "acme/judge-7b"}, {}, (f"no commit was recorded; we take your word that it was {COMMIT[:12]}",)),
        ({"pretrained": "acme/base", "delta": "acme/judge-7b", "revision": "main"}, {"model_sha": OTHER, "delta_sha": COMMIT}, ()),
        ({"pretrained": "acme/judge-7b", "tokenizer": "x/y"}, {"model_sha": COMMIT}, ("the run loaded the model with tokenizer, of which only the name is submitted",)),
        ({"pretrained": "x/y", "revision": COMMIT}, {}, ("the run loaded pretrained=x/y; we take your word that this is acme/judge-7b",)),
    ],
)  # fmt: skip
def test_what_remains_the_submitters_word(
    model_args: dict[str, str], recorded: dict[str, str], remarks: tuple[str, ...], results: HarnessRun, tmp_path: Path
) -> None:
    edit_results(lambda r: r["config"].update({"model_args": model_args, **recorded}))(results)
    assert submit([results.folder], ABOUT, tmp_path / "out").remarks == remarks


Edit = Callable[[HarnessRun], object]


def edit_results(change: Callable[[Any], object]) -> Edit:
    """Change lm_eval's results file."""

    def edit(run: HarnessRun) -> None:
        document = run.results
        change(document)
        run.results_file.write_text(json.dumps(document))

    return edit


def cut(run: HarnessRun) -> None:
    """The last two samples are missing."""
    file = run.samples_file("dfar_mini_cls")
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-2]))


def edit_sample(change: Callable[[Any], object], kind: str) -> Edit:
    def edit(run: HarnessRun) -> None:
        file = run.samples_file(f"dfar_mini_{kind}")
        first, *others = file.read_text().splitlines(keepends=True)
        sample = json.loads(first)
        change(sample)
        file.write_text("".join([json.dumps(sample) + "\n", *others]))

    return edit


def respond(*values: Any, kind: str = "reason") -> Edit:
    return edit_sample(lambda sample: sample.update(filtered_resps=list(values)), kind)


def add_run(model: str, kinds: tuple[str, ...]) -> Edit:
    """Another run in the same folder, of a model; the samples of a kind are moved there, or copied."""

    def edit(run: HarnessRun) -> None:
        stamp = run.results_file.name.removeprefix("results_")
        document = {**run.results, "model_name": model}
        for kind in kinds:
            file = run.samples_file(f"dfar_mini_{kind}")
            moved = file.with_name(file.name.replace("_2", "_1"))
            (shutil.copy if len(kinds) > 1 else shutil.move)(file, moved)
        (run.results_file.parent / f"results_1{stamp[1:]}").write_text(json.dumps(document))

    return edit


def nothing(run: HarnessRun) -> None:
    pass


REFUSED: dict[str, tuple[Edit, About, str]] = {
    "limited": (edit_results(lambda r: r["config"].update(limit=10)), ABOUT, r"made with --limit 10: run the whole"),
    "missing rows": (lambda r: (cut(r), edit_results(lambda d: d["n-samples"].clear())(r)), ABOUT, r"holds 50 of 52 rows: run the whole"),
    "cut off": (cut, ABOUT, r"holds 50 rows of dfar_mini_cls, but its run scored 52"),
    "no results file": (lambda r: r.results_file.unlink(), ABOUT, r"has no results_\*\.json beside it"),
    "two runs": (add_run("dummy", ("cls", "reason")), ABOUT, r"two runs of dfar_mini_cls are in"),
    "two models": (add_run("acme/other", ("reason",)), ABOUT, r"the model, or its --model_args apart from dtype, differ between dfar_mini_cls and"),
    "broken numbers": (respond(["nan", "False"], ["-1", "False"], kind="cls"), ABOUT, r"row mini-test-\d+: log_likelihoods\.0: input should be"),
    "an endless response": (respond("why " * 20_000), ABOUT, r"response: is longer than 50,000 characters"),
    "a token in a response": (respond("hf_" + "aB3" * 11), ABOUT, r"response: holds what looks like an access token"),
    "half a character": (respond("\ud800"), ABOUT, r"row mini-test-\d+: response: .*unicode"),
    "no version of lm_eval": (edit_results(lambda r: r.pop("lm_eval_version")), ABOUT, r"harness\.lm_eval: input should be a valid string"),
    "a dummy": (edit_results(lambda r: r.update(model_source="dummy")), ABOUT, r"random answers of lm_eval's dummy model"),
    "a branch": (nothing, replace(ABOUT, revision="main"), r"--revision 'main' is not a commit: give its 40 digits"),
    "a short commit": (nothing, replace(ABOUT, revision=COMMIT[:12]), r"is not a commit: give its 40 digits"),
    "another commit than was asked for": (nothing, replace(ABOUT, revision=OTHER), rf"was made with the commit {COMMIT}, not {OTHER}"),
    "another commit than was found": (edit_results(lambda r: r["config"].update(model_sha=OTHER)), ABOUT, rf"was made with the commit {OTHER}, not"),
    "no date": (edit_results(lambda r: r.pop("date")), ABOUT, r"the results file holds no date"),
    "a bad name": (nothing, replace(ABOUT, model_id="../x"), r"model\.id: is not org/name"),
    "a bad link": (nothing, replace(ABOUT, url="http://example.org"), r"url: is not a link that begins with https"),
    "a bad set": (nothing, replace(ABOUT, training=("all",)), r"training\.sets\.0: is not a training set; choose one"),
    "a bad mode": (nothing, replace(ABOUT, mode="rl", training=("none",)), r"mode: is not a mode; choose one of base"),
    "no training named": (nothing, replace(ABOUT, mode="lr"), r"say what the model was trained on, with --training or"),
    "no weights": (nothing, replace(ABOUT, revision=None, weights=Path("tests")), r"tests holds no \*\.safetensors"),
    "no state": (nothing, replace(ABOUT, revision=None), r"model: needs either revision or weights_sha256"),
    "no training record": (nothing, replace(TRAINED, dfar_run=Path("no.json")), r"no\.json cannot be read"),
    "another file": (nothing, replace(TRAINED, dfar_run=ROOT / "pyproject.toml"), r"pyproject\.toml is not valid JSON"),
}  # fmt: skip


@pytest.mark.parametrize("fault", REFUSED)
def test_refused(fault: str, results: HarnessRun, tmp_path: Path) -> None:
    """One sentence, and nothing is written."""
    edit, about, message = REFUSED[fault]
    edit(results)
    with pytest.raises(InputError, match=message) as error:
        submit([results.folder], about, tmp_path / "out" / "submissions")
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "running"}, "of a training that has not finished"),
        ({"schema_version": 2}, "of another version"),
        ({"loss": None}, "is not a dfar_run.json"),
        ({"split": "ethos"}, "names a data set that has no train rows"),
        ({"split": ["mini"]}, "names a data set that has no train rows"),
        ({"packages": {"torch": "newest"}}, "packages.torch: is not a version"),
        ({"mode": "l"}, "mode says lr, and dfar_run l"),
    ],
)
def test_a_training_that_cannot_be_used(
    changes: dict[str, Any], message: str, results: HarnessRun, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        submit([results.folder], replace(TRAINED, dfar_run=write_dfar_run(tmp_path, **changes)), tmp_path / "out")


def test_a_name_like_another_one(results: HarnessRun, tmp_path: Path) -> None:
    submit([results.folder], ABOUT, tmp_path / "out")
    with pytest.raises(InputError, match="acme/Judge_7B is easily mistaken for 'acme__judge-7b', which is in"):
        submit([results.folder], replace(ABOUT, model_id="acme/Judge_7B"), tmp_path / "out")


def test_figures_that_lm_eval_printed_otherwise(
    results: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The judge may be another since, so they are not a reason to refuse; but they are named."""
    edit_results(lambda r: r["results"]["dfar_mini_reason"].update({"mar,none": 0.123}))(results)
    assert main(["submit", str(results.folder), *ARGUMENTS, "--out", str(tmp_path / "out")]) == FINE
    assert "lm_eval printed other values for dfar_mini_reason: mar" in capsys.readouterr().err


def test_what_a_killed_submit_left_behind(results: HarnessRun, tmp_path: Path) -> None:
    """It is not in the way of the next one; ``verify`` names it until it is deleted."""
    out = tmp_path / "out"
    left = out / ".submit-x1y2" / "acme__judge-7b"
    left.mkdir(parents=True)
    done = submit([results.folder], ABOUT, out)
    folders, faults = find_submissions([out])
    assert folders == [done.folder]
    assert list(map(str, faults)) == ["out/.submit-x1y2: folder: was left behind by an interrupted submit; delete it"]
    shutil.rmtree(left.parent)
    assert find_submissions([out]) == ([done.folder], [])


def test_interrupted_while_writing(results: HarnessRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No unfinished folder is left, in the tree or beside it."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.rename", interrupt)
    with pytest.raises(KeyboardInterrupt):
        submit([results.folder], ABOUT, tmp_path / "out")
    left = [path for path in tmp_path.rglob("*") if results.folder not in (path, *path.parents)]
    assert left == [tmp_path / "out", tmp_path / "out" / "acme__judge-7b"]
