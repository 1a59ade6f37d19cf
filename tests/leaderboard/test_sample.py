"""Submissions to the moral suite's sample: taken, and kept apart from those to the whole test set."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from board_site import write_submission
from edits import field
from test_profile import choose

from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.build import build
from dfar_bench.leaderboard.reproduce import outcome, plan
from dfar_bench.leaderboard.reproduced import outcome_file, read_outcomes
from dfar_bench.leaderboard.row_set import clusters, rows_of
from dfar_bench.leaderboard.verify import verify
from dfar_bench.runs.suite_sample import sample_numbers

SAMPLE = [row.row_id for row in rows_of("games", sampled=True)]
RECORDED = {"backend": "hf", "arguments": [], "parameters": 7}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "submissions"
    write_submission(folder, "acme/whole", choose, ("games",))
    for model in ("acme/first", "acme/second"):
        write_submission(folder, model, choose, ("games",), row_ids=SAMPLE, recorded=RECORDED)
    return folder


def test_a_table_and_a_page_of_its_own(tree: Path, tmp_path: Path) -> None:
    """Ranks, baselines and the page that compares are of the sampled rows alone."""
    assert build(tree, tmp_path / "site").submissions == 3
    assert (len(SAMPLE), len(clusters("games", sampled=True))) == (200, 200)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "site" / "results.csv").read_text())))
    found = {row["model"]: row["data"] for row in rows if row["status"] == "rescored"}
    assert found == {"acme/whole": "games", "acme/first": "games-sample", "acme/second": "games-sample"}
    by_sort = [(row["data"], row["agree_oeconomicus"]) for row in rows if row["model"] == "random"]
    assert [data for data, _ in by_sort] == ["games", "games-sample"]
    assert by_sort[0][1] != by_sort[1][1]  # drawn for other rows
    page = (tmp_path / "site" / "compare-games-sample.html").read_text()
    assert "acme/first" in page
    assert "acme/whole" not in page
    assert (tmp_path / "site" / "answers" / "games-sample" / "acme__first").is_dir()
    index = (tmp_path / "site" / "index.html").read_text()
    assert "Games, sample" in index
    assert "200 rows that are the same for all" in index
    assert "200 of 600 rows" in (tmp_path / "site" / "models" / "acme__first.html").read_text()


def test_no_other_rows_are_taken(tmp_path: Path) -> None:
    """A sample of one's own choice would let a submitter leave out what the model gets wrong."""
    for ids in (SAMPLE[1:], [row.row_id for row in rows_of("games")][:200]):
        (fault,) = verify(write_submission(tmp_path, "acme/own", choose, ("games",), row_ids=ids))  # type: ignore[misc]
        assert f"{600 - len(ids)} of 600 rows are missing" in str(fault)
    assert rows_of("mini", sampled=True) == ()


def test_it_is_run_again_on_the_same_rows(tree: Path) -> None:
    (folder,) = (tree / "acme__first").iterdir()
    (words,) = plan(field("model/revision", "0123456789abcdef" * 2 + "01234567")(folder), None).commands
    assert json.loads(words[words.index("--samples") + 1]) == {"games": sample_numbers("games")}


def test_a_rerun_of_the_sample_is_read(tree: Path, tmp_path: Path) -> None:
    folder = field("model/revision", "0123456789abcdef" * 2 + "01234567")(next((tree / "acme__first").iterdir()))
    planned = plan(folder, None)
    again = outcome(folder, planned, planned.runs, get_judge())
    name, path = f"{folder.parent.name}/{folder.name}", tmp_path / "reproduced" / outcome_file(folder)
    path.parent.mkdir(parents=True)
    path.write_text(again.model_dump_json())
    outcomes, faults = read_outcomes(tmp_path / "reproduced", {name: folder})
    assert faults == []
    assert outcomes[name].tasks["games"].rows == 200
    wrong = again.model_copy(update={"tasks": {"games": again.tasks["games"].model_copy(update={"rows": 600})}})
    path.write_text(wrong.model_dump_json())
    (fault,) = read_outcomes(tmp_path / "reproduced", {name: folder})[1]
    assert "is 600, and the suite's sample has 200" in str(fault)
