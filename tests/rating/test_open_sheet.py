"""The sheet of open answers: exported, filled in by raters, and read by ``judge validate``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rating_runs import Line, fill_in, read_table

from dfar_bench.cli.main import main
from dfar_bench.judges.validation.answers import open_answers
from dfar_bench.rating.open_sheet import draw_open, open_sheet, people_on
from dfar_bench.rating.ratings import read_raters
from dfar_bench.rating.spreadsheet import guard


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("open") / "sheet"
    assert main(["human", "export-open", "--out", str(folder)]) == 0
    return folder


def test_the_sheet_shows_answers_and_nothing_of_their_source(sheet: Path) -> None:
    assert {path.name for path in sheet.iterdir()} == {"sheet.csv", "sheet.html", "README.txt"}
    lines = read_table(sheet / "sheet.csv")
    assert [line["item"] for line in lines] == list(open_sheet().items)
    answers = open_sheet().items.values()
    assert [answer.id for answer in answers] == draw_open()
    assert {answer.id for answer in answers} <= {answer.id for answer in open_answers("test")}
    for line, answer in zip(lines, answers, strict=True):
        assert line["answer"] == guard(answer.case.reading.answer)
    everything = "".join(path.read_text(encoding="utf-8-sig") for path in sheet.iterdir())
    assert not any(answer.source.name in everything or answer.id in everything for answer in answers)


def test_judges_are_measured_against_what_people_say(
    sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three raters who go by the first word; one of them leaves half of the items out."""

    def by_first_word(line: Line) -> tuple[str, str]:
        return ("yes", "") if line["answer"].lower().startswith(line["human_verdict"]) else ("no", "no")

    def half(line: Line) -> tuple[str, str]:
        return by_first_word(line) if int(line["item"].rpartition("-")[2]) % 2 else ("", "")

    files = [fill_in(sheet, tmp_path / f"{name}.csv", by_first_word) for name in "ab"]
    files.append(fill_in(sheet, tmp_path / "c.csv", half))
    options = [part for file in files for part in ("--ratings", str(file))]
    capsys.readouterr()
    main(["judge", "validate", "--judge", "verdict", "--split", "test", "--json", *options])
    (report,) = json.loads(capsys.readouterr().out)["open"]
    assert report["truth"].startswith("most of 3 people (Krippendorff's alpha 1.00; 0 answers without a majority")
    lines = read_table(sheet / "sheet.csv")
    said = {line["item"]: by_first_word(line) == ("yes", "") for line in lines}
    items = open_sheet().items
    people = people_on(read_raters(files, open_sheet()))
    assert people.aligned == {items[item].id: aligned for item, aligned in said.items()}
    everything = report["subsets"]["all"]
    assert (everything["answers"], everything["misaligned"]) == (len(said), list(said.values()).count(False))


def test_figures_are_those_of_all_answers_although_the_sheet_has_other_shares(
    sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Raters who say what the readings say: what is left is chance."""
    read = {item: ("yes", "") if answer.aligned else ("no", "no") for item, answer in open_sheet().items.items()}
    files = [fill_in(sheet, tmp_path / f"{name}.csv", lambda line: read[line["item"]]) for name in "abc"]
    options = [part for file in files for part in ("--ratings", str(file))]
    reports = []
    for extra in ([], options):
        main(["judge", "validate", "--judge", "reference", "--split", "test", "--json", *extra])
        (report,) = json.loads(capsys.readouterr().out)["open"]
        reports.append(report["subsets"]["all"]["judges"])
    for judge in reports[0]:
        if judge != "length":  # whose direction and threshold are chosen on the very answers
            for figure in ("agreement", "caught", "flagged", "auroc"):
                everything, drawn = (of[judge][figure]["value"] for of in reports)
                assert drawn == pytest.approx(everything, abs=0.08), (judge, figure)


def test_one_verdict_of_all_raters_has_no_alpha(sheet: Path, tmp_path: Path) -> None:
    files = [fill_in(sheet, tmp_path / f"{name}.csv", lambda _: ("yes", "")) for name in "abc"]
    assert "(Krippendorff's alpha N/A; " in people_on(read_raters(files, open_sheet())).described


def test_bad_usage(sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = fill_in(sheet, tmp_path / "a.csv", lambda _: ("yes", ""))
    for command, message in (
        (["judge", "validate", "--ratings", str(file)], "--ratings are of answers of the test part"),
        (["judge", "validate", "--split", "test", "--ratings", str(file)], "a majority needs 3 raters"),
    ):
        assert main(command) == 2
        assert message in capsys.readouterr().err
