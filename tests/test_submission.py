# ruff: noqa: E501  (a table of faults reads best as a table)
"""From lm_eval's output to a submission: everything that belongs in it, nothing of the machine, and no half results."""

from __future__ import annotations

import getpass
import json
import re
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, HarnessRun, run_lm_eval
from made_submissions import ABOUT, ARGUMENTS, CLS, REASON, STAMP, answer_lines, made_results, read_document, sensible

from dfar_bench.cli import main
from dfar_bench.commands import BAD_INPUT, FINE
from dfar_bench.data import row_hash, rows
from dfar_bench.errors import InputError
from dfar_bench.leaderboard.answers_file import doc_hashes
from dfar_bench.leaderboard.contamination import Contamination
from dfar_bench.leaderboard.result import Verified
from dfar_bench.leaderboard.schema import json_schema
from dfar_bench.leaderboard.submit import About, submit
from dfar_bench.leaderboard.text import REMOVED, scrub
from dfar_bench.leaderboard.verify import verified
from dfar_bench.text import words
from dfar_bench.training.record import data_record

RUN_WORDS = 8


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return made_results(tmp_path / "results")


def test_the_committed_schema_is_that_of_the_models() -> None:
    """Made again by ``python -m dfar_bench.leaderboard.schema > leaderboard/submission.schema.json``."""
    assert (ROOT / "leaderboard" / "submission.schema.json").read_text(encoding="utf-8") == json_schema()


def test_the_readme_names_every_option_and_flag(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "leaderboard" / "README.md").read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["submit", "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help", "--output"}
    assert options - set(re.findall(r"--[a-z-]+", text)) <= {"--log", "--output_path"}
    for kind in ("gold_copy", "constant", "implausible", "at_odds", "same_answers"):
        assert f"`{kind}`" in text


def test_from_the_harness_to_a_verified_submission(
    dummy_mini: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The round trip with the real harness: its figures are the claims, and they are found again."""
    out = tmp_path / "submissions"
    assert main(["submit", str(dummy_mini.folder), *ARGUMENTS, "--out", str(out)]) == FINE
    said = capsys.readouterr().out
    (folder,) = out.glob("*/*")
    assert said.startswith(f"{folder}: written and verified\n")
    assert "pull request" in said
    assert sorted(path.name for path in folder.iterdir()) == [CLS, REASON, "submission.json"]
    for task, claimed in read_document(folder)["tasks"].items():
        printed = dummy_mini.results["results"][task]
        assert claimed["metrics"] == {name: printed[f"{name},none"] for name in claimed["metrics"]}
    assert main(["verify", str(out)]) == FINE


@pytest.mark.usefixtures("paper")
def test_real_tasks(dummy_paper: HarnessRun, tmp_path: Path) -> None:
    done = submit(dummy_paper.folder, ABOUT, tmp_path)
    assert set(done.verified.tasks) == {"dfar_cls", "dfar_reason"}
    assert done.verified.tasks["dfar_cls"].intervals["acc"] is not None


def test_examples_and_a_chat_template_are_in_the_signature(tmp_path: Path, tiny_model: Path) -> None:
    arguments = ("--model", "hf", "--model_args", f"pretrained={tiny_model}", "--tasks", "dfar_mini_cls")
    run = run_lm_eval(tmp_path / "run", *arguments, "--num_fewshot", "2", "--apply_chat_template", "--device", "cpu")
    done = submit(run.folder, replace(ABOUT, revision=None, weights=tiny_model), tmp_path / "out")
    assert "|shots:2|chat:" in done.verified.tasks["dfar_mini_cls"].signature
    content = (done.folder / "submission.json").read_text()
    assert str(tiny_model) not in content
    assert tiny_model.name not in content


def test_the_same_input_gives_the_same_bytes(results: Path, tmp_path: Path) -> None:
    first, second = (submit(results, ABOUT, tmp_path / name) for name in ("one", "two"))
    assert first.folder.relative_to(tmp_path / "one") == second.folder.relative_to(tmp_path / "two")
    for path in first.folder.iterdir():
        assert path.read_bytes() == (second.folder / path.name).read_bytes()


def test_submitted_twice(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same is there already; something else in its place is left alone."""
    command = ["submit", str(results), *ARGUMENTS, "--out", str(tmp_path / "out")]
    assert main(command) == FINE
    assert main(command) == FINE
    assert "is there already, with the same content" in capsys.readouterr().out
    (folder,) = (tmp_path / "out").glob("*/*")
    (folder / CLS).write_bytes(b"something else")
    assert main(command) == BAD_INPUT
    assert "is there already and holds something else" in capsys.readouterr().err
    assert (folder / CLS).read_bytes() == b"something else"


def test_neither_gold_nor_statements(results: Path, tmp_path: Path) -> None:
    done = submit(results, ABOUT, tmp_path / "out")
    texts = "\n".join(
        [(done.folder / "submission.json").read_text()]
        + [line for file in (CLS, REASON) for line in answer_lines(done.folder, file)]
    )
    said = words(texts)
    runs = set(zip(*(said[n:] for n in range(RUN_WORDS))))
    for row in rows("mini")["test"]:
        for text in (row.statement, row.reason):
            found = words(text)
            assert not runs & set(zip(*(found[n:] for n in range(RUN_WORDS))))


def test_lines_of_answers(results: Path, tmp_path: Path) -> None:
    done = submit(results, ABOUT, tmp_path / "out")
    for file, fields in ((CLS, "log_likelihoods"), (REASON, "response")):
        lines = [json.loads(line) for line in answer_lines(done.folder, file)]
        assert [line["row_id"] for line in lines] == [row.row_id for row in rows("mini")["test"]]
        assert all(list(line) == ["row_id", "doc_hash", fields] for line in lines)
    assert json.loads(answer_lines(done.folder, CLS)[0])["log_likelihoods"] == sensible(rows("mini")["test"][0], "cls")


def test_a_changed_prompt_or_statement_is_another_hash() -> None:
    hashes = [doc_hashes("mini", prompt, mode) for prompt in ("llama2.v1", "plain.v1") for mode in ("l", "lr")]
    assert len({one["mini-test-0000"] for one in hashes}) == 4
    assert len(set(hashes[0].values())) == len(hashes[0])


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
        ("org/name and 3/4 of https://example.org/a/b/c", "org/name and 3/4 of https://example.org/a/b/c"),
        ("meta-llama/Llama-3.1-8B-Instruct-and-a-long-tail", "meta-llama/Llama-3.1-8B-Instruct-and-a-long-tail"),
        ("an-ordinary-name-of-many-words-which-is-long", "an-ordinary-name-of-many-words-which-is-long"),
    ],
)
def test_scrubbed(text: str, clean: str) -> None:
    assert scrub(text) == clean


def test_user_and_machine_are_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "margaret")
    monkeypatch.setattr(socket, "gethostname", lambda: "node17.cluster.example")
    assert scrub("made by margaret on node17.cluster.example, node17") == f"made by {REMOVED} on {REMOVED}, {REMOVED}"
    assert scrub("margarets") == "margarets"


def trained_run(folder: Path, **changes: Any) -> Path:
    """``dfar_run.json`` of an L+R training on the mini split, with places of a machine in it."""
    from types import SimpleNamespace

    made = [
        SimpleNamespace(row_id=row.row_id, prompt="p", completion="c", input_ids=[1, 2])
        for row in rows("mini")["train"]
    ]
    run = {
        "schema_version": 1,
        "status": "finished",
        "mode": "lr",
        "split": "mini",
        "drop_leaked": False,
        "prompt": "llama2.v1",
        "method": "lora",
        "seed": 42,
        "base_model": {"name": "/srv/margaret/models/tiny", "type": "llama", "parameters": 9, "trained": 3},
        "data": data_record(made, {}),  # type: ignore[arg-type]
        "arguments": {"learning_rate": 0.002, "logging_dir": "/srv/margaret/logs", "lora_r": 16},
        "packages": {"python": "3.11.7", "torch": "2.13.0+cpu"},
        "distribution": {"type": "NO", "zero_stage": None, "offload": [], "processes": 1, "device": "cpu"},
        "loss": {"final": 1.5, "steps": 10, "history": []},
        "speed": {"seconds": 1.0, "examples_per_second": 1.0, "tokens_per_second": 1.0},
        "peak_memory_bytes": [1],
        **changes,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "dfar_run.json"
    path.write_text(json.dumps(run))
    return path


TRAINED = About("acme/judge-lr", "lr", revision="main", base="acme/judge-7b")


def test_the_training_is_carried_over_without_places(results: Path, tmp_path: Path) -> None:
    done = submit(results, replace(TRAINED, dfar_run=trained_run(tmp_path / "model")), tmp_path / "out")
    content = (done.folder / "submission.json").read_text()
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


def test_the_training_is_found_beside_the_model(results: Path, tmp_path: Path) -> None:
    trained_run(tmp_path / "adapter")
    file = results / f"results_{STAMP}.json"
    found = json.loads(file.read_text())
    command = ["submit", str(results), "--model-id", "acme/lr", "--mode", "lr", "--revision", "main"]
    command += ["--out", str(tmp_path / "out"), "--dfar-run", "auto"]
    for model_args in (
        {"peft": str(tmp_path / "adapter")},
        f"pretrained=x/y,peft={tmp_path / 'adapter'},dtype=float32",
    ):
        found["config"]["model_args"] = model_args
        file.write_text(json.dumps(found))
        assert main(command) == FINE
    (folder,) = (tmp_path / "out").glob("*/*")
    assert read_document(folder)["dfar_run"]["mode"] == "lr"


def test_weights_are_known_by_their_content(results: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    hashes = set()
    for content in (b"one", b"two", b"two"):
        (model / "a.safetensors").write_bytes(content)
        done = submit(results, replace(ABOUT, revision=None, weights=model), tmp_path / "out")
        hashes.add(done.verified.submission.model.weights_sha256)
    assert len(hashes) == 2


def edited(change: Callable[[Any], object]) -> Callable[[Path], object]:
    """Change the results file."""

    def edit(folder: Path) -> None:
        file = folder / f"results_{STAMP}.json"
        found = json.loads(file.read_text())
        change(found)
        file.write_text(json.dumps(found))

    return edit


def samples(change: Callable[[list[str]], list[str]], kind: str = "cls") -> Callable[[Path], object]:
    def edit(folder: Path) -> None:
        file = folder / f"samples_dfar_mini_{kind}_{STAMP}.jsonl"
        file.write_text("".join(change(file.read_text().splitlines(keepends=True))))

    return edit


def sample(change: Callable[[Any], object], kind: str = "cls") -> Callable[[Path], object]:
    def edit(lines: list[str]) -> list[str]:
        first = json.loads(lines[0])
        change(first)
        return [json.dumps(first) + "\n", *lines[1:]]

    return samples(edit, kind)


def second_run(folder: Path) -> None:
    for kind in ("cls", "reason"):
        file = folder / f"samples_dfar_mini_{kind}_{STAMP}.jsonl"
        shutil.copy(file, folder / file.name.replace("12-00", "13-00"))
    shutil.copy(folder / f"results_{STAMP}.json", folder / f"results_{STAMP}.json".replace("12-00", "13-00"))


def another_model(folder: Path) -> None:
    """The reasons are of another run, of another model."""
    file = folder / f"samples_dfar_mini_reason_{STAMP}.jsonl"
    file.rename(folder / file.name.replace("12-00", "13-00"))
    found = json.loads((folder / f"results_{STAMP}.json").read_text())
    found["model_name"] = "acme/other"
    (folder / f"results_{STAMP}.json".replace("12-00", "13-00")).write_text(json.dumps(found))


REFUSED: dict[str, tuple[Callable[[Path], object], About, str]] = {
    "limited": (edited(lambda r: r["config"].update(limit=10)), ABOUT, r"was made with --limit 10: run the whole test set"),
    "missing rows": (lambda f: (samples(lambda lines: lines[:-2])(f), edited(lambda r: r["n-samples"].clear())(f)), ABOUT, r"holds 50 of 52 rows: run the whole"),
    "cut off": (samples(lambda lines: lines[:-2]), ABOUT, r"holds 50 rows of dfar_mini_cls, but its run scored 52"),
    "no results file": (lambda f: (f / f"results_{STAMP}.json").unlink(), ABOUT, r"has no results_\*\.json beside it"),
    "two runs": (second_run, ABOUT, r"holds two runs of dfar_mini_cls"),
    "two models": (another_model, ABOUT, r"holds runs of different models"),
    "two prompts": (sample(lambda s: s["doc"].update(prompt_style="plain.v1", prompt="x")), ABOUT, r"the prompt plain\.v1 is not that"),
    "broken numbers": (sample(lambda s: s.update(filtered_resps=[["nan", "False"], ["-1", "False"]])), ABOUT, r"row mini-test-0000: log_likelihoods\.0: input should be"),
    "an endless response": (sample(lambda s: s.update(filtered_resps=["why " * 20_000]), "reason"), ABOUT, r"row mini-test-0000: response: string should have at most"),
    "a token in a response": (sample(lambda s: s.update(filtered_resps=["hf_" + "aB3" * 11]), "reason"), ABOUT, r"response: holds what looks like an access token"),
    "no version of lm_eval": (edited(lambda r: r.pop("lm_eval_version")), ABOUT, r"harness\.lm_eval: input should be a valid string"),
    "no date": (edited(lambda r: r.pop("date")), ABOUT, r"the results file holds no date"),
    "no samples": (lambda f: [path.unlink() for path in f.glob("samples*")], ABOUT, r"holds no samples of the DFAR tasks"),
    "a bad name": (lambda f: None, replace(ABOUT, model_id="../x"), r"model\.id: is not org/name"),
    "a bad link": (lambda f: None, replace(ABOUT, url="http://example.org"), r"url: is no plain link that begins with https"),
    "a bad licence": (lambda f: None, replace(ABOUT, licence="<b>"), r"licence: is no licence identifier"),
    "a bad set": (lambda f: None, replace(ABOUT, training=("everything",)), r"training\.sets\.0: input should be 'none'"),
    "nothing said of the training": (lambda f: None, replace(ABOUT, mode="lr"), r"say what the model was trained on, with --training or --dfar-run"),
    "no weights": (lambda f: None, replace(ABOUT, revision=None, weights=Path("tests")), r"tests holds no \*\.safetensors"),
    "no state": (lambda f: None, replace(ABOUT, revision=None), r"model: needs either revision or weights_sha256"),
    "no training record": (lambda f: None, replace(TRAINED, dfar_run=Path("nowhere.json")), r"nowhere\.json cannot be read"),
    "another training record": (lambda f: None, replace(TRAINED, dfar_run=ROOT / "pyproject.toml"), r"pyproject\.toml is not valid JSON"),
}  # fmt: skip


@pytest.mark.parametrize("fault", REFUSED)
def test_refused(fault: str, results: Path, tmp_path: Path) -> None:
    """One sentence, and nothing is written."""
    edit, about, message = REFUSED[fault]
    edit(results)
    with pytest.raises(InputError, match=message) as error:
        submit(results, about, tmp_path / "out" / "submissions")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "running"}, "of a training that has not finished"),
        ({"schema_version": 2}, "of another version"),
        ({"loss": None}, "is no dfar_run.json"),
        ({"split": "ethos"}, "names a split that nothing is trained on here"),
        ({"split": ["mini"]}, "names a split that nothing is trained on here"),
        ({"packages": {"torch": "newest"}}, "packages.torch: is no version"),
        ({"mode": "l"}, "mode says lr, and dfar_run l"),
    ],
)
def test_a_training_that_cannot_be_used(changes: dict[str, Any], message: str, results: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        submit(results, replace(TRAINED, dfar_run=trained_run(tmp_path / "model", **changes)), tmp_path / "out")


def test_a_name_like_another_one(results: Path, tmp_path: Path) -> None:
    submit(results, ABOUT, tmp_path / "out")
    with pytest.raises(InputError, match="acme/Judge_7B is easily taken for 'acme__judge-7b', which is in"):
        submit(results, replace(ABOUT, model_id="acme/Judge_7B"), tmp_path / "out")


def test_values_that_lm_eval_printed_otherwise(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The judge may be another since, so they are no reason to refuse; but they are told."""
    edited(lambda r: r["results"]["dfar_mini_reason"].update({"mar,none": 0.123}))(results)
    assert main(["submit", str(results), *ARGUMENTS, "--out", str(tmp_path / "out")]) == FINE
    assert "lm_eval printed other values for dfar_mini_reason: mar" in capsys.readouterr().err


def test_interrupted_while_writing(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing half is left, in the tree or beside it."""

    def fails(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dfar_bench.leaderboard.submit.verified", fails)
    with pytest.raises(KeyboardInterrupt):
        submit(results, ABOUT, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_what_is_verified_can_be_read_again(results: Path, tmp_path: Path) -> None:
    done = submit(results, ABOUT, tmp_path / "out")
    found = verified(done.folder)
    assert isinstance(found, Verified)
    assert found.as_json() == done.verified.as_json()
    assert json.loads(json.dumps(found.as_json(), allow_nan=False)) == found.as_json()
