"""ETHOS as a split with test rows alone: labels from votes, no reasons, no train rows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from dfar_bench import load, sources
from dfar_bench.baselines import baselines
from dfar_bench.cli import main
from dfar_bench.data import parse_ethos, rows, task_name
from dfar_bench.errors import InputError
from dfar_bench.rescore import rescore
from dfar_bench.tasks import dataset
from tests.conftest import run_lm_eval


def test_votes_are_read_as_they_stand() -> None:
    content = b'comment;isHate\n"A; quoted ""one"".";0.5\nPlain, with a comma;0.0\n'
    assert parse_ethos(content, "file") == [('A; quoted "one".', 0.5), ("Plain, with a comma", 0.0)]
    assert parse_ethos(b"\xef\xbb\xbf" + content, "file") == parse_ethos(content, "file")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"comment,isHate\nOne,0.5\n", "separated by semicolons"),
        (b"", "separated by semicolons"),
        (b"comment;isHate\nOne,0.5\n", "row 0 is not comment;isHate"),
        (b"comment;isHate\nOne;0.5\nTwo;much\n", "row 1 is not comment;isHate"),
        (b"comment;isHate\nOne;0.5;0.5\n", "row 0 is not comment;isHate"),
        (b"comment;isHate\nOne;1.5\n", "row 0: isHate is 1.5; it must be between 0 and 1"),
        (b"comment;isHate\nOne;-0.1\n", "between 0 and 1"),
        (b"comment;isHate\nOne;nan\n", "between 0 and 1"),
        (b"comment;isHate\n ;0.5\n", "the comment is empty"),
        (b"comment;isHate\n\xff;0.5\n", "not UTF-8"),
        (b'comment;isHate\n"One;0.5\n', "not a well-formed CSV"),
    ],
)
def test_a_file_of_another_shape_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_ethos(content, "file")


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ethos").mkdir()
    (tmp_path / "ethos" / "Ethos_Dataset_Binary.csv").write_text("comment;isHate\nOne;0.5\n")
    monkeypatch.setenv("DFAR_BENCH_DATA", str(tmp_path))
    with pytest.raises(InputError, match="is not the published file"):
        sources.read_published("Ethos_Dataset_Binary.csv")


def test_each_source_has_its_own_place() -> None:
    names = [name for source in sources._SOURCES for name in source.files]
    assert len(set(names)) == len(names) == 3
    assert len({source.mirror for source in sources._SOURCES}) == 2
    assert all(
        len(sha) == len(hashlib.sha256().hexdigest()) for source in sources._SOURCES for sha in source.files.values()
    )


def test_names_of_tasks() -> None:
    names = [task_name(split, "cls") for split in ("paper", "clean", "mini", "ethos")]
    assert names == ["dfar_cls", "dfar_clean_cls", "dfar_mini_cls", "ethos_cls"]


@pytest.mark.usefixtures("paper")
def test_the_published_votes() -> None:
    split = rows("ethos")
    assert (len(split["train"]), len(split["test"])) == (0, 998)
    assert sum(row.label for row in split["test"]) == 433
    assert {(row.reason, row.domain, row.leaked) for row in split["test"]} == {("", "hate_speech", False)}
    assert len({row.group_id for row in split["test"]}) == 997
    assert len(load("ethos")["test"]) == 998


@pytest.mark.usefixtures("paper")
def test_few_shot_examples_are_dfars() -> None:
    documents = dataset(data_split="ethos", task_kind="reason")
    assert {doc["row_id"].partition("-")[0] for doc in documents["fewshot"]} == {"paper"}
    assert all(doc["reason"] for doc in documents["fewshot"])


@pytest.mark.usefixtures("paper")
def test_what_needs_train_rows_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="has no train rows"):
        baselines("ethos")
    assert main(["data", "audit", "--split", "ethos", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["counts"]["test"]["labels"] == {"ethical": 565, "unethical": 433}
    assert "train" not in report["counts"]


@pytest.mark.usefixtures("paper")
def test_the_tasks_run_and_say_that_there_is_no_reason_to_compare_with(tmp_path: Path) -> None:
    run = run_lm_eval(tmp_path / "ethos", "--model", "dummy", "--tasks", "ethos")
    assert "content warning" in run.stderr + run.stdout
    scored = {one.run.task: one for one in rescore([run.folder], resamples=1000)}
    assert set(scored) == {"ethos_cls", "ethos_reason"}
    assert "|reference:none|" in scored["ethos_reason"].signature
    assert "reference" not in scored["ethos_cls"].signature
    assert "split:ethos" in scored["ethos_reason"].signature
    for task, one in scored.items():
        for name, score in one.scores.items():
            assert not score.differs, (task, name)
    assert scored["ethos_reason"].scores["gold_copy"].value == 0
    assert scored["ethos_cls"].scores["acc"].interval is not None
