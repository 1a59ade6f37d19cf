"""The clean split: nothing leaks, the manifest is what its command makes, and fits the data or says so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfar_bench import clean, load
from dfar_bench.cli import main
from dfar_bench.data import COLUMNS, Rows, rows
from dfar_bench.errors import InputError
from dfar_bench.rescore import rescore
from dfar_bench.text import fold, words
from tests.conftest import run_lm_eval

MINI = rows("mini")


def jaccard(one: str, other: str) -> float:
    a, b = set(words(one)), set(words(other))
    return len(a & b) / len(a | b)


# On the published data


@pytest.mark.usefixtures("paper")
def test_the_manifest_is_made_again_byte_for_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "split", "--out", str(tmp_path / "made.csv")]) == 0
    assert "is the one of the package" in capsys.readouterr().out
    assert (tmp_path / "made.csv").read_text() == clean.committed_manifest()


@pytest.mark.usefixtures("paper")
def test_nothing_of_train_stands_in_test() -> None:
    split = rows("clean")
    assert (len(split["train"]), len(split["test"])) == (4331, 480)
    train, test = ({fold(row.statement) for row in split[part]} for part in ("train", "test"))
    assert len(train) + len(test) == 4811
    assert not train & test
    published = {fold(row.statement) for part in rows("paper").values() for row in part}
    assert train | test == published
    # Counted here once more without the code that made the split.
    known = [set(words(row.statement)) for row in split["train"]]
    nearest = 0.0
    for row in split["test"]:
        asked = set(words(row.statement))
        nearest = max(nearest, *(len(asked & other) / len(asked | other) for other in known))
    assert nearest == pytest.approx(0.478, abs=0.001)
    assert not {row.group_id for row in split["train"]} & {row.group_id for row in split["test"]}


@pytest.mark.usefixtures("paper")
def test_both_domains_and_labels_are_in_test_as_they_are_in_all() -> None:
    split = rows("clean")
    whole = Counter((row.domain, row.label) for part in split.values() for row in part)
    test = Counter((row.domain, row.label) for row in split["test"])
    assert len(test) == 4
    for stratum, count in whole.items():
        assert test[stratum] / len(split["test"]) == pytest.approx(count / 4811, abs=0.005)


@pytest.mark.usefixtures("paper")
def test_rows_keep_their_published_texts() -> None:
    published = {fold(row.statement): row for row in clean.distinct(rows("paper"))}
    for part in rows("clean").values():
        for row in part:
            twin = published[fold(row.statement)]
            assert (row.statement, row.label, row.reason, row.domain) == (
                twin.statement,
                twin.label,
                twin.reason,
                twin.domain,
            )
    assert rows("clean")["test"][0].row_id == "clean-test-0000"
    assert tuple(load("clean")["test"].column_names) == COLUMNS


@pytest.mark.usefixtures("paper")
def test_the_tasks_run_and_are_scored_again(tmp_path: Path) -> None:
    run = run_lm_eval(tmp_path / "clean", "--model", "dummy", "--tasks", "dfar_clean")
    printed = run.results["results"]
    assert {"dfar_clean_cls", "dfar_clean_reason"} <= set(printed)
    scored = {one.run.task: one for one in rescore([run.folder], resamples=100)}
    assert "split:clean" in scored["dfar_clean_cls"].signature
    assert scored["dfar_clean_cls"].scores["acc"].value == printed["dfar_clean_cls"]["acc,none"]


# On the statements of the package


def test_a_split_of_other_rows_keeps_clusters_together() -> None:
    made: Rows = {"train": MINI["train"], "test": MINI["test"]}
    text = clean.manifest(made)
    assert text == clean.manifest(made)
    train, test = clean.clean_parts(made, text)
    assert len(train) + len(test) == 176
    assert 10 <= len(test) <= 26
    for row in test:
        assert max(jaccard(row.statement, other.statement) for other in train) < clean.NEAR
        assert row.group_id not in {other.group_id for other in train}


def test_of_a_leaked_row_the_train_row_stays() -> None:
    leaky: Rows = {
        "train": MINI["train"],
        "test": (replace(MINI["train"][0], row_id="x", leaked=True), MINI["test"][0]),
    }
    assert [row.row_id for row in clean.distinct(leaky)] == [
        *(row.row_id for row in MINI["train"]),
        MINI["test"][0].row_id,
    ]


def test_nearness_chains() -> None:
    statements = ["a b c d e f g h", "a b c d e f x y", "a b c d w v x y", "n o p q"]
    made = [replace(MINI["train"][0], statement=text, group_id=str(n)) for n, text in enumerate(statements)]
    assert clean.clusters(made) == [0, 0, 0, 1]
    assert clean.clusters([replace(row, group_id=str(n % 3)) for n, row in enumerate(made)]) == [0, 0, 0, 0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab c", min_size=1).filter(words), min_size=2, max_size=8), st.floats(0.1, 1.0))
def test_near_pairs_are_those_of_the_definition(statements: list[str], least: float) -> None:
    found = clean.near_pairs(statements, least)
    wanted = {
        (i, j): jaccard(one, other)
        for i, one in enumerate(statements)
        for j, other in enumerate(statements)
        if i < j and jaccard(one, other) >= least
    }
    assert dict(zip(zip(found.row.tolist(), found.col.tolist()), found.data.tolist())) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda text: "", "does not begin with the columns"),
        (lambda text: text.replace("cluster", "group", 1), "does not begin with the columns"),
        (lambda text: text.replace("\ntrain,", "\nboth,", 1), "is not part,source,hash,cluster"),
        (lambda text: text.replace(",0\n", "\n", 1), "is not part,source,hash,cluster"),
        (lambda text: text + text.splitlines()[1] + "\n", "is not the one it was made from"),
        (lambda text: text.replace("mini-train-0000", "mini-train-9999"), "is not the one it was made from"),
        (lambda text: "\n".join(text.splitlines()[:-3]) + "\n", "lacks 3 rows"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(fault, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        clean.clean_parts(MINI, fault(clean.manifest(MINI)))


def test_other_data_than_the_manifests_is_refused() -> None:
    text = clean.manifest(MINI)
    changed = replace(MINI["train"][3], statement="It is another one.")
    with pytest.raises(InputError, match=r"line 5: row mini-train-0003 of the data"):
        clean.clean_parts({**MINI, "train": (*MINI["train"][:3], changed, *MINI["train"][4:])}, text)


def test_the_manifest_holds_no_text() -> None:
    for line in clean.committed_manifest().splitlines()[1:]:
        part, source, digest, cluster = line.split(",")
        assert part in ("train", "test")
        assert source.startswith(("paper-train-", "paper-test-"))
        assert len(digest) == 16
        assert int(digest, 16) >= 0
        assert cluster.isdecimal()
