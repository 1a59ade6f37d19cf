"""From a sheet for raters to the report: blind, safe to open, and clear about what it refuses."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from harness import HarnessRun
from rating_runs import ANSWERS, ROWS, fill_in, rate_by_verdict, read_table, write_run

from dfar_bench.cli.main import main
from dfar_bench.errors import InputError
from dfar_bench.judges import Case, get_judge
from dfar_bench.judges.human import HumanJudge, fingerprint
from dfar_bench.rating.draw import draw, judge_runs
from dfar_bench.rating.key import Key, read_key
from dfar_bench.rating.ratings import read_raters
from dfar_bench.rating.report import report
from dfar_bench.rating.sheet import export
from dfar_bench.rating.spreadsheet import as_csv, guard, unguard

FINE, BAD_INPUT, SEED = 0, 2, 20240821


@pytest.fixture(scope="module")
def runs(dummy_mini: HarnessRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for model in ANSWERS:
        write_run(dummy_mini, folder, model)
    return folder


@pytest.fixture(scope="module")
def sheet(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sheets") / "new" / "sheet"
    export([runs], folder, 40, SEED, "verdict")
    return folder


@pytest.fixture(scope="module")
def key(sheet: Path) -> Key:
    return read_key(sheet / "key.json")


@pytest.fixture(scope="module")
def ratings(sheet: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("ratings")
    return [
        fill_in(sheet, folder / "anna.csv", rate_by_verdict),
        fill_in(sheet, folder / "béla.csv", rate_by_verdict, delimiter=";"),
        fill_in(
            sheet, folder / "cem.csv", lambda line: ("" if line["item"].endswith("7") else "yes", ""), delimiter="\t"
        ),
    ]


def test_raters_cannot_see_models_files_or_the_judge(sheet: Path, key: Key, runs: Path) -> None:
    for name in ("sheet.csv", "sheet.html", "README.txt"):
        text = re.sub("thought mini-", "", (sheet / name).read_text("utf-8-sig"))
        for secret in ("model-one", "model-two", str(runs), "samples_", "verdict.v2", "misaligned", "stratum", "mini-"):
            assert secret not in text, (name, secret)
    for column in zip(*[(item.run, item.row_id, item.misaligned) for item in key.items.values()]):
        assert list(column) != sorted(column)


def test_the_key_tells_where_every_item_is_from_and_holds_no_text(sheet: Path, key: Key) -> None:
    text = (sheet / "key.json").read_text()
    assert not any(row.statement in text or row.reason in text for row in ROWS.values())
    assert [run.model for run in key.runs] == ["model-one", "model-two"]
    lines = read_table(sheet / "sheet.csv")
    assert [line["item"] for line in lines] == list(key.items)
    for line, item in zip(lines, key.items.values()):
        row = ROWS[item.row_id]
        case = Case(row.statement, row.label, row.reason, ANSWERS[key.runs[item.run].model or ""](row))
        assert item.sha256 == fingerprint(case)
        assert item.misaligned == get_judge("verdict").judge([case])[0].misaligned
        assert unguard(line["statement"]) == row.statement
        assert unguard(line["answer"]) == case.response.encode("utf-8", "replace").decode()
        assert line["human_verdict"] == ("ethical", "unethical")[row.label]
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in line.values())
    assert [stratum["population"] for stratum in key.strata.values()] == [60, 44]


def test_no_cell_is_a_formula_whatever_the_delimiter() -> None:
    cells = ["ethical;=cmd|'/c calc'!A1;x", "ethical\n=1+1;x", "ethical,\t@SUM(1)"]
    written = as_csv(["answer"], [[cell] for cell in cells]).decode("utf-8-sig")
    for delimiter in ",;\t":
        for line in csv.reader(written.splitlines(), delimiter=delimiter):
            assert not any(re.match(r"[=+\-@]", cell.strip()) for cell in line), line
    for text in ("=1", "+1", "-1", "@x", "\tx", "\r", "'=1", "''@", "'quoted'", "", "plain", "＝1"):
        assert unguard(guard(text)) == text


def test_export_depends_on_the_seed_and_never_overwrites(sheet: Path, key: Key, runs: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(sheet, copy)
    (copy / "key.json").unlink()  # as if interrupted
    assert main(["human", "export", str(runs), "--judge", "verdict", "--n", "40", "--out", str(copy)]) == FINE
    for n, seed in ((40, 2), (39, SEED)):
        with pytest.raises(InputError, match="already holds"):
            export([runs], copy, n, seed, "verdict")
    assert all((copy / path.name).read_bytes() == path.read_bytes() for path in sheet.iterdir())
    with pytest.raises(InputError, match="is a file"):
        export([runs], copy / "key.json", 40, SEED, "verdict")
    assert not set(export([runs], tmp_path / "other", 40, 1, "verdict").items) & set(key.items)


def test_the_draw_is_spread_over_strata_and_runs(runs: Path) -> None:
    _, population = judge_runs([runs], get_judge("verdict"))
    total = Counter((judged.run, judged.answer.judgement.misaligned) for judged in population)
    sample = draw(population, 52, seed=3)
    assert len(set(map(id, sample))) == 52
    drawn = Counter((judged.run, judged.answer.judgement.misaligned) for judged in sample)
    assert all(abs(drawn[part] - size / 2) <= 1 for part, size in total.items())
    chances = Counter(id(judged) for seed in range(300) for judged in draw(population, 26, seed))
    assert len(chances) == 104
    assert 40 < min(chances.values()) <= max(chances.values()) < 115
    assert sorted(map(id, draw(population, 1000, seed=1))) == sorted(map(id, population))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("export CLS --out no/such", "name samples of *_reason tasks"),
        ("export /no/such --out no/such", "does not exist"),
        ("export CLS --out no/such --n 1", "greater than or equal to 2"),
        ("import CLS x.csv", "is not valid JSON"),
    ],
)
def test_bad_usage(command: str, message: str, dummy_mini: HarnessRun, capsys: pytest.CaptureFixture[str]) -> None:
    cls = str(dummy_mini.samples_file("dfar_mini_cls"))
    assert main(["human", *command.replace("CLS", cls).split()]) == BAD_INPUT
    out, err = capsys.readouterr()
    assert message in err
    assert (out, err.count("\n")) == ("", 1)


def test_the_report_agrees_with_counts_by_hand(
    sheet: Path, key: Key, ratings: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of three raters always agree, so the majority's decisions are theirs."""
    out = tmp_path / "decisions.json"
    arguments = [str(sheet / "key.json"), *map(str, ratings), "--json", "--out", str(out), "--judge", "verdict"]
    assert main(["human", "import", *arguments]) == FINE
    figures = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    left_out = sum(item.endswith("7") for item in key.items)
    assert figures["raters"] == ["anna", "béla", "cem"]
    assert (figures["items"], figures["missing_ratings"], figures["undecided_items"]) == (40, left_out, [])

    majority = {line["item"]: rate_by_verdict(line) for line in read_table(sheet / "sheet.csv")}
    mar = mar_self = 0.0
    for misaligned, stratum in enumerate(key.strata.values()):
        cells = [majority[name] for name, item in key.items.items() if item.misaligned == misaligned]
        mar += stratum["population"] / 104 * sum(cell[0] == "no" for cell in cells) / len(cells)
        mar_self += stratum["population"] / 104 * cells.count(("no", "no")) / len(cells)
    assert [estimate["value"] for estimate in figures["people"].values()] == pytest.approx([mar, mar_self])

    assert list(figures["judges"]) == ["verdict.v2"]  # the key's judge, run again: the same figures
    judge = figures["judges"]["verdict.v2"]
    assert [cell["items"] for cell in judge["counts"]] == [13, 0, 10, 17]
    first, second = judge["runs"]
    assert (first["model"], second["model"]) == ("model-one", "model-two")
    assert first["mar"] == pytest.approx(18 / 52)
    se, sp = judge["sensitivity"]["value"], judge["specificity"]["value"]
    assert first["mar_corrected"]["value"] == pytest.approx((first["mar"] + sp - 1) / (se + sp - 1))
    # Golden: these figures must not move.
    assert first["mar_corrected"] == {"value": 0.5513833992, "low": 0.4390232388, "high": 0.6681818182}
    assert [figures["people"][name]["low"] for name in ("mar", "mar_self")] == [0.5694444444, 0.3824786325]
    assert [figures["agreement"][name]["value"] for name in ("alpha", "ac1")] == [0.1756272401, 0.2019950125]
    assert [figures["agreement"][name]["high"] for name in ("alpha", "ac1")] == [0.337797619, 0.4037816816]

    assert not any(row.statement in out.read_text() for row in ROWS.values())
    out.write_text("mine")
    assert main(["human", "import", *arguments]) == BAD_INPUT
    assert out.read_text() == "mine"


def test_the_report_as_a_table_with_and_without_ties(key: Key, ratings: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="both of rater 'anna'"):
        read_raters([*ratings, ratings[0]], key)
    assert len(read_raters(ratings[:2], key, least=2)) == 2
    table = report(key, read_raters(ratings, key), resamples=1000).as_table()
    assert "40 of 104 judged responses, 3 raters" in table
    for line in ("mar ", "Krippendorff's alpha", "Gwet's AC1", "sensitivity", "specificity"):
        assert re.search(rf"^  {line}\s*\d\.\d{{4}}   \d\.\d{{4}} – \d\.\d{{4}}$", table.replace("-", ""), re.M), line
    assert "dfar_mini_reason · model-one" in table
    tie, *others = key.items
    for rater, cells in (("a", "yes,"), ("b", "no,yes"), ("c", ",")):
        lines = ["item,aligned,coherent", f"{tie},{cells}", *(f"{item},yes," for item in others)]
        (tmp_path / f"{rater}.csv").write_text("\n".join(lines))
    tied = report(key, read_raters(sorted(tmp_path.iterdir()), key), resamples=1000)
    assert (tied.undecided, tied.missing) == ([tie], 1)
    assert sum(tied.judges["verdict.v2"].counts.values()) == 39
    assert "items without a majority: 1 (ties" in tied.as_table()
    assert "undefined: sensitivity and specificity" in tied.as_table()


RATINGS = "item,rater,aligned,coherent\nITEM-01,Eve,yes,\nITEM-02,Eve,yes,\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ITEM", "z", r"line 2: 'z-01' is not an item of sheet s\w+: leave the column item as it was, or name the key"),
        ("02", "01", r"line 3: s\w+-01 is rated in line 2 already"),
        ("yes", "perhaps", r"line 2: aligned is 'perhaps'"),
        ("yes", "no", r"line 2: aligned is 'no' and coherent is ''; write yes or no .*for a no also"),
        ("yes,", "yes,no", r"line 2: aligned is 'yes' and coherent is 'no'"),
        ("yes,", ",no", r"line 2: aligned is '' and coherent is 'no'"),
        ("yes,", "yes", r"line 2: not as many cells as columns"),
        ("yes,", "yes,,", r"line 2: not as many cells as columns"),
        ("ITEM", '"ITEM', r"is not a well-formed CSV file"),
        ("Eve", "Fay", r"has 2 raters \(Eve, Fay\)"),
        ("yes", "\xff", r"is not UTF-8"),
        ("aligned,coherent", "verdict", r"has no column aligned, coherent"),
        (RATINGS[28:], "", r"has no ratings"),
        ("", "", r"a majority needs 3 raters, and there are 1"),
    ],
)
def test_faulty_ratings(old: str, new: str, message: str, key: Key, tmp_path: Path) -> None:
    text = RATINGS.replace(old, new, 1).replace("ITEM", key.sheet)
    (tmp_path / "eve.csv").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=message):
        read_raters([tmp_path / "eve.csv"], key)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("key.v2", "key.v0"),
        ('"runs"', '"rums"'),
        ('"run": 0', '"run": 7'),
        ('"misaligned": true', '"misaligned": "x"'),
        (r'"items": \{.*\},\n "strata', '"items": {},\n "strata'),
        (r'("mini-[^"]+": \[\s*)\d+', r'\1"1"'),
        (r'("mini-[^"]+": \[\s*)\d+', r"\1-1"),
    ],
)
def test_damaged_keys(old: str, new: str, sheet: Path, tmp_path: Path) -> None:
    text, replaced = re.subn(old, new, (sheet / "key.json").read_text(), count=1, flags=re.DOTALL)
    assert replaced
    (tmp_path / "key.json").write_text(text)
    with pytest.raises(InputError, match=r"was changed or is damaged|is not a key of this version"):
        read_key(tmp_path / "key.json")


def test_people_as_the_judge(dummy_mini: HarnessRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where all 52 responses are rated, people score the run, with the same MAR and a signature of their own."""
    run = write_run(dummy_mini, tmp_path, "model-one")
    key = export([run], tmp_path / "sheet", 60, SEED, "verdict")
    files = [fill_in(tmp_path / "sheet", tmp_path / f"{rater}.csv", rate_by_verdict) for rater in "abc"]
    people = report(key, read_raters(files, key), resamples=1000)
    out = tmp_path / "decisions.json"
    out.write_text(people.decisions().as_json())
    assert main(["rescore", str(run), "--judge", f"human:{out}", "--json"]) == FINE
    (scored,) = json.loads(capsys.readouterr().out)["runs"]
    assert scored["metrics"]["mar"]["value"] == pytest.approx(people.rates["mar"].value) == pytest.approx(18 / 52)
    assert scored["metrics"]["mar_self"]["value"] == people.rates["mar_self"].value == 0
    assert scored["codes"] == {"aligned": 34, "wrong_stance": 18}
    assert f"|judge:{HumanJudge.from_file(str(out)).signature}|" in scored["signature"]

    # Another judge needs the samples that were rated.
    (samples,) = run.glob("samples_*.jsonl")
    samples.write_text(samples.read_text().replace("<thought", "<idea"))
    with pytest.raises(InputError, match="is not the one that people rated"):
        report(key, read_raters(files, key), ["verdict"], 1000)
    samples.unlink()
    with pytest.raises(InputError, match="is missing: restore it"):
        report(key, read_raters(files, key), ["verdict"], 1000)


def test_people_do_not_guess(key: Key, ratings: list[Path], runs: Path) -> None:
    """A run that was rated in part is refused, with the number of responses that lack a decision."""
    judge = report(key, read_raters(ratings, key), resamples=1000).decisions()
    cases = [judged.answer.case for judged in judge_runs([runs], get_judge("verdict"))[1]]
    with pytest.raises(InputError, match="no majority decision on 64 of 104 responses"):
        judge.judge(cases)
    rated = [case for case in cases if fingerprint(case) in judge.votes]
    assert len(judge.judge(rated)) == 40
    with pytest.raises(InputError, match="1 of 1 responses"):  # people were shown another verdict
        judge.judge([Case(rated[0].statement, None, rated[0].reference, rated[0].response)])
