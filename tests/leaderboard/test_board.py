"""The board: that it is right, whole and the same every time."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import html
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from board_site import REPORTED, accepted, answering, content, write_submission
from harness import ROOT

from dfar_bench.cli.main import main
from dfar_bench.datasets import get_dataset, rows
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard import board, build, charts, facts, pages, ranks, slopes
from dfar_bench.leaderboard.facts import Facts, facts_of, pack, unpack
from dfar_bench.leaderboard.labels import place_labels, spread
from dfar_bench.leaderboard.links import PREVIEW, Links
from dfar_bench.leaderboard.origin import Budget
from dfar_bench.leaderboard.own_copy import key, keys
from dfar_bench.leaderboard.reported import read_reported
from dfar_bench.leaderboard.row_set import clusters
from dfar_bench.runs.baselines import PUBLISHED
from dfar_bench.scoring import METRICS, differences
from dfar_bench.scoring.answers import read_choice

BASELINES = {"majority", "random", "constant ethical", "constant unethical"}
MINI = ["acme__*", "zeta__*", "other__*"]


def mini_folders(tree: Path) -> list[Path]:
    return sorted(folder for pattern in MINI for folder in tree.glob(f"{pattern}/*"))


def mini_facts(tree: Path) -> list[Facts]:
    return [Facts.model_validate(facts_of(accepted(folder))) for folder in mini_folders(tree)]


def mini_table(submitted: list[Facts]) -> board.Table:
    return board.make_tables(submitted, get_judge(), {}, ["mini"])["mini"][0]


def mini_results(site: Path) -> list[dict[str, Any]]:
    return [row for row in json.loads((site / "results.json").read_text())["rows"] if row["data"] == "mini"]


# The contents


def test_results_are_those_of_the_answers(site: Path, tree: Path) -> None:
    document = json.loads((site / "results.json").read_text())
    assert (document["schema_version"], document["judge"]) == (4, get_judge().signature)
    kinds = [rates["kind"] for rates in document["judge_error_rates"]]
    assert kinds == ["all", "base", "fine-tuned", "instruct"]
    by_run = {row["run"]: row for row in mini_results(site) if row["run"]}
    for folder in mini_folders(tree):
        row, submission = by_run.pop(folder.name), accepted(folder)
        assert row["model"] == submission.model
        for task in submission.tasks.values():
            kind = task.task.kind.name
            assert row["signatures"][kind] == str(task.signature)
            assert row["conditions"][kind] == task.task.kind.condition
            assert row["adjusted"] == {name: of.as_json() for name, of in task.adjusted.items()} or kind == "cls"
            assert row["metrics"][kind] == {name: estimate.as_json() for name, estimate in task.estimates.items()}
    assert by_run == {}
    assert [len(table["rows"]) for table in document["reported"]] == [9, 12, 1]

    lines = list(csv.DictReader(io.StringIO((site / "results.csv").read_text())))
    assert [line["model"] for line in lines] == [row["model"] for row in document["rows"]]
    for line, row in zip(lines, document["rows"]):
        for figures in row["metrics"].values():
            for name, figure in figures.items():
                assert line[name] == ("" if figure["value"] is None else repr(figure["value"]))
        assert [line["rank_acc_best"], line["rank_acc_worst"]] == [str(at) for at in row["ranks"].get("acc", ("", ""))]


def test_who_is_in_which_table(site: Path) -> None:
    """Baselines are in every table; they and models trained on test rows take no rank; each setting has its table."""
    rows_ = mini_results(site)
    by_place = {(row["table"], row["model"]): row for row in rows_}
    first = {"acme/judge-7b", "acme/judge-7b-l", "acme/judge-7b-lr", "zeta/has-met-them", "other/verdicts-only"}
    second = {"other/asked-otherwise"}
    assert set(by_place) == {(1, name) for name in BASELINES | first} | {(2, name) for name in BASELINES | second}
    assert {row["model"] for row in rows_ if "acc" not in row["ranks"]} == BASELINES | {"zeta/has-met-them"}
    met = by_place[1, "zeta/has-met-them"]
    assert (met["status"], met["contaminated_rows"], met["contaminated_unleaked_rows"]) == ("contaminated", 10, 10)
    assert by_place[1, "acme/judge-7b-lr"]["contaminated"] is None
    assert set(by_place[1, "other/verdicts-only"]["ranks"]) == {"acc"}
    assert by_place[2, "other/asked-otherwise"]["ranks"]["acc"] == [1, 1]
    shown = [row for row in rows_ if row["table"] == 1 and row["status"] != "contaminated"]
    accuracies = [row["metrics"]["cls"]["acc"]["value"] for row in shown if "cls" in row["metrics"]]
    assert accuracies == sorted(accuracies, reverse=True)
    page = (site / "index.html").read_text()
    assert page.index("Published elsewhere, not submitted here") > page.rindex('<table class="board"')
    for row in rows_:
        for kind, name in (("cls", "acc"), ("reason", "mar"), ("reason", "verdict_acc")):
            if figure := row["metrics"].get(kind, {}).get(name):
                value, low, high = (f"{100 * figure[part]:.1f}" for part in ("value", "low", "high"))
                assert f">{value}<small>{low}–{high}</small>" in page


@pytest.mark.usefixtures("paper")
def test_a_data_set_with_a_leak_is_ranked_by_its_unleaked_rows(site: Path) -> None:
    (row,) = (
        row
        for row in json.loads((site / "results.json").read_text())["rows"]
        if row["status"] == "rescored" and row["data"] == "paper"
    )
    page = (site / "index.html").read_text()
    assert f">{100 * row['metrics']['cls']['acc_unleaked']['value']:.1f}<small>" in page
    assert [column.metric.name for column in board.columns(get_dataset("paper"))] == [
        "acc_unleaked", "mar_unleaked", "auroc_unleaked", "group_acc", "verdict_acc_unleaked", "mar_self"
    ]  # fmt: skip


def test_the_judges_errors_are_those_on_answers_of_such_models(
    site: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not those on answers of chat models, of which there are none; and none where the judge was not tried."""
    index, comparing = ((site / name).read_text() for name in ("index.html", "compare-mini.html"))
    section = index.partition('<section data-name="mini"')[2].partition("</section>")[0]
    for kind, tables in (("fine-tuned", 1), ("base", 2)):
        text = f"ow often the judge errs on answers of {kind} models is not measured"
        assert section.count(f"H{text}.") == tables
        assert f'"judgeErrs":["h{text}"]' in comparing
    monkeypatch.setattr("dfar_bench.runs.run.error_rates", lambda *_: None)
    build.build(tree, tmp_path / "board", splits=["mini"])
    untried = [(tmp_path / "board" / name).read_text() for name in ("index.html", "compare-mini.html")]
    assert not [page for page in (index, comparing, *untried) if "wrongly flags" in page]
    assert not [page for page in untried if "judge errs on answers of" in page]


def test_verify_prints_mar_with_its_judges_errors(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tree / "acme__judge-7b"
    known = "how often the judge errs on answers of base models is not measured"
    assert main(["verify", str(folder)]) == 0
    text = capsys.readouterr().out
    assert text.count(f"    {known}\n") == 1
    assert text.splitlines()[-1].startswith("intervals: dfar-bench rescore")
    submission = accepted(next(folder.iterdir()))
    assert submission.as_text().splitlines()[-1] == text.splitlines()[-1]
    assert main(["verify", str(folder), "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["submissions"]
    errs = {name: task["judge_errs"] for name, task in shown["tasks"].items()}
    assert errs == {"dfar_mini_cls": None, "dfar_mini_reason": known}
    monkeypatch.setattr("dfar_bench.runs.run.error_rates", lambda *_: None)
    assert "    how often the judge errs on such answers is not known\n" in accepted(next(folder.iterdir())).as_text()


# Ranks


@pytest.mark.parametrize(("kind", "metric", "better"), [("cls", "acc", 1), ("reason", "mar", -1)])
def test_ranks_are_what_the_paired_test_does_not_exclude(kind: str, metric: str, better: int, tree: Path) -> None:
    """The same decision on every pair as ``compare``."""
    submissions = [accepted(folder) for folder in mini_folders(tree)]
    tasks = [task for one in submissions for task in one.tasks.values() if task.task.kind.name == kind]
    bits = [facts.share_bits(METRICS[metric], task.answers) for task in tasks]
    groups = clusters("mini")
    places = ranks.rank(groups, bits, bits[:1], higher_is_better=better > 0)
    distinguished = np.zeros((len(tasks), len(tasks)), dtype=bool)
    for i, task in enumerate(tasks):
        for j, other in enumerate(tasks):
            pair = differences([METRICS[metric]], other.answers, task.answers)[metric]
            distinguished[i, j] = better * (pair.estimate.value or 0) > 0 and (pair.p_value or 1) < 0.05
    assert distinguished.sum() > 0
    assert [(place.best, place.worst, place.above_trivial) for place in places] == [
        (1 + distinguished[:, i].sum(), len(tasks) - distinguished[i].sum(), distinguished[i, 0])
        for i in range(len(tasks))
    ]
    # Where models count different rows, shares are compared.
    some = pack([row % 9 > 0 for row in range(len(groups))])
    fewer = [((pack(unpack(hits, len(groups)) & unpack(some, len(groups))),), some) for (hits,), _ in bits]
    every = [*fewer[:-1], bits[-1]]
    mixed = ranks.rank(groups, every, [], higher_is_better=better > 0)
    assert {(place.best, place.worst) for place in mixed} != {(1, len(tasks))}


def test_no_ranks_from_few_groups() -> None:
    all_rows = pack([True] * 4)
    assert ranks.rank((0, 0, 1, 2), [(all_rows, all_rows)] * 2, [], higher_is_better=True) is None


# Whole, and the same every time

SCRIPT = """
import sys
from pathlib import Path
from dfar_bench.leaderboard.build import build
build(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_the_same_bytes_in_another_process(tree: Path, cache: Path, tmp_path: Path) -> None:
    small = tmp_path / "submissions"
    for folder in mini_folders(tree):
        shutil.copytree(folder, small / folder.parent.name / folder.name)
    command = [sys.executable, "-c", SCRIPT, str(small), str(tmp_path / "board")]
    subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "1"}, check=True, timeout=600)
    build.build(small, tmp_path / "here", cache=cache)
    assert content(tmp_path / "board") == content(tmp_path / "here")
    assert {path.name for path in tmp_path.iterdir()} == {"board", "here", "submissions"}


def test_a_build_that_fails_leaves_the_old_site(
    tree: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "board"
    build.build(tree, out, cache=cache, splits=["mini"])
    before, calls = content(out), []

    def failing(*arguments: Any, **context: Any) -> bytes:
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return pages.page(*arguments, **context)

    with monkeypatch.context() as patched:
        patched.setattr(build, "page", failing)
        with pytest.raises(KeyboardInterrupt):
            build.build(tree, out, cache=cache, splits=["mini"])
    assert content(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["board"]
    (tmp_path / ".board.killed.part").mkdir()  # of a process that could not even tidy up
    build.build(tree, out, cache=cache, splits=["mini"])
    assert content(out) == before


def test_faults_stop_the_build(tree: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "submissions"
    shutil.copytree(tree, bad)
    folder = write_submission(bad, "acme/damaged", answering(0.5, "damaged"))
    (folder / "dfar_mini_cls.jsonl.gz").write_bytes(b"x")
    (bad / "notes.txt").write_text("x")
    (bad / "acme__Judge-7B").mkdir()
    command = ["board", "build", str(bad), "--out", str(tmp_path / "board"), "--cache", str(cache), "--split", "mini"]
    assert main(command) == 1
    printed = capsys.readouterr()
    for part in ("acme__damaged", "notes.txt", "easily mistaken for", "--skip-faulty"):
        assert part in printed.err
    assert printed.out == ""
    assert not (tmp_path / "board").exists()
    (bad / "acme__Judge-7B").rmdir()
    assert main([*command, "--skip-faulty"]) == 0
    printed = capsys.readouterr()
    assert re.search(rf"index\.html: {len(list(tree.glob('*/*')))} submissions, \d\.\d MB\n$", printed.out)
    assert "acme__damaged" in printed.err


def test_nothing_else_is_replaced(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    for out in (tmp_path / "mine", tmp_path / "mine" / "thesis.tex"):
        with pytest.raises(InputError, match="exists and is not a board"):
            build.build(tree, out)
    with pytest.raises(InputError, match=r"exists and is not a board|holds the submissions"):
        build.build(tree, tree.parent)
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "x"


def test_no_submissions_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "submissions").mkdir()
    assert main(["board", "build", str(tmp_path / "submissions"), "--out", str(tmp_path / "board")]) == 0
    assert "no submissions yet" in (tmp_path / "board" / "index.html").read_text()
    assert main(["board", "build", str(tmp_path / "nowhere"), "--out", str(tmp_path / "board")]) == 2
    assert "is not a folder" in capsys.readouterr().err


# Safe


@pytest.mark.usefixtures("paper")
def test_no_statement_and_no_human_reason(site: Path) -> None:
    texts = {
        text
        for name in ("paper", "clean")
        for part in rows(name).values()
        for row in part
        for text in (row.statement, row.reason)
    }
    known = [text for text in texts if len(text.split()) >= 5]
    quoted = 0
    for name, bytes_ in content(site).items():
        if name == PREVIEW:
            continue
        text = html.unescape(bytes_.decode())
        for packed in re.findall(r'id="(?:answers|test-rows)">([^<]*)<', text):
            unpacked = gzip.decompress(base64.b64decode(packed)).decode()
            quoted += unpacked.count('"field":')
            text += json.dumps(json.loads(unpacked), ensure_ascii=False)
        assert not [one for one in known if one in text], name
    assert quoted > 50


@pytest.mark.usefixtures("paper")
@pytest.mark.parametrize("name", ["paper", "clean"])
def test_rows_are_found_in_the_published_files(name: str) -> None:
    for part in rows(name).values():
        for row in part:
            where, at = key(row).removeprefix("paper ").split(":")
            published = rows("paper")[where][int(at)]
            assert (published.statement, published.reason) == (row.statement, row.reason)
            assert keys(get_dataset(name))[row.row_id] == key(row)


@pytest.mark.parametrize("which", ["site", "hostile_site"])
def test_pages_hold_no_code_from_data(which: str, request: pytest.FixtureRequest) -> None:
    """A policy per page, for its own style and script; no handler, no style attribute, nothing from elsewhere."""
    for name, bytes_ in content(request.getfixturevalue(which)).items():
        if name.endswith(".html"):
            text = bytes_.decode()
            (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
            assert policy.startswith("default-src 'none'; script-src 'sha256-")
            assert "unsafe" not in policy
            codes = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", text, flags=re.DOTALL)
            where = "compare" if name.startswith("compare-") else name.partition("/")[0]
            scripts, own = {"index.html": (1, 2), "compare": (3, 2), "answers": (2, 1), "runs": (1, 2)}.get(
                where, (0, 1)
            )
            assert len(codes) == own
            assert ("frame-src" in policy) == (where == "compare")
            for code in codes:
                assert base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() in policy
                text = text.replace(code, "")
            bare = re.sub(r'"[^"]*"', '""', text)  # a quoted value is not an attribute
            assert not re.search(r"<[^>]*\s(?:on\w+|style|src)\s*=", bare)
            assert len(re.findall(r"<script[ >]", text)) == scripts
            if which == "site":
                links = set(re.findall(r'(?:href|url|action)="?((?:\w+:)?//[^" >]*)', text))
                assert links <= {"https://example.org/m", *(table.url for table in read_reported(REPORTED))}
            else:
                assert not re.findall(r"<img|<script>document|\b49\b(?= {% raw)", text)


# Charts and published tables


def test_charts_place_what_they_show(tree: Path) -> None:
    table = mini_table(mini_facts(tree))
    chart = charts.scatter(table)
    assert chart is not None
    names = {"acme/judge-7b", "acme/judge-7b-l", "acme/judge-7b-lr", "zeta/has-met-them"}
    assert {point.entry.facts.model for point in chart.points} == names
    accuracy, mar = chart.columns
    for point in chart.points:
        for place, axis, column in ((point.x, chart.x, mar), (point.y, chart.y, accuracy)):
            share = (point.entry.estimate(column).value or 0) - axis.low
            assert math.isclose(
                (place - axis.start) / (axis.end - axis.start), share / (axis.high - axis.low), abs_tol=1e-3
            )
        x1, x2, y1, y2 = point.bars
        assert x1 <= point.x <= x2
        assert y1 >= point.y >= y2
    for drawn in slopes.slopes(table):
        (line,) = drawn.lines
        assert (line.name, line.budget) == ("judge-7b", "")  # nobody recorded what the trainings read
        assert [point.entry.facts.mode for point in line.points] == ["base", "l", "lr"]
        assert all(point.bars[2] > point.y > point.bars[3] for point in line.points)


def test_nobody_replaces_the_points_of_others(tree: Path) -> None:
    """Naming somebody else's base model and an early day gives a line of one's own, if there are two trained models."""
    honest = mini_facts(tree)

    def lines(*modes: str) -> dict[str, list[str]]:
        early = [
            one.model_copy(update={"created": "2024-01-01", "model": f"zeta/{one.mode}"})
            for one in honest
            if one.mode in modes and one.base
        ]
        accuracy, *_ = slopes.slopes(mini_table(honest + early))
        return {line.name: [point.entry.facts.model for point in line.points] for line in accuracy.lines}

    def in_chat(one: Facts) -> Facts:
        tasks = {
            name: task.model_copy(
                update={"signature": task.signature.replace("llama2", "chat").replace("chat:no", "chat:yes")}
            )
            for name, task in one.tasks.items()
        }
        return one.model_copy(update={"tasks": tasks})

    ours = ["acme/judge-7b", "acme/judge-7b-l", "acme/judge-7b-lr"]
    accuracy, *_ = slopes.slopes(mini_table([in_chat(one) if one.mode == "base" else one for one in honest]))
    assert [point.entry.facts.model for line in accuracy.lines for point in line.points] == ours[1:]
    assert lines("l") == {"judge-7b": ours}
    assert lines("l", "lr") == {"judge-7b": ours, "judge-7b by zeta": ["acme/judge-7b", "zeta/l", "zeta/lr"]}


def test_only_trainings_that_read_as_much_are_joined(tree: Path) -> None:
    """As many rows, or as many tokens; how much is said, and nothing is joined on a part of what is known."""

    def lines(**budgets: tuple[int, int] | None) -> list[tuple[str, list[str]]]:
        changed = []
        for one in mini_facts(tree):
            rows_tokens = budgets.get(one.mode) if one.base else None
            budget = Budget(rows=rows_tokens[0], tokens=rows_tokens[1]) if rows_tokens else None
            changed.append(one.model_copy(update={"origin": one.origin.model_copy(update={"budget": budget})}))
        return [
            (line.budget, [point.entry.facts.mode for point in line.points])
            for chart in slopes.slopes(mini_table(changed))[:1]
            for line in chart.lines
        ]

    every = ["base", "l", "lr"]
    assert lines() == [("", every)]
    assert lines(l=(4000, 200_000), lr=(4004, 600_000)) == [("4,000 rows read", every)]
    assert lines(l=(12_000, 600_000), lr=(4000, 605_000)) == [("600,000 tokens read", every)]
    assert lines(l=(4000, 200_000), lr=(4000, 200_000)) == [("4,000 rows read", every)]
    assert lines(l=(8000, 400_000), lr=(4000, 600_000)) == []
    assert lines(l=(4000, 200_000)) == []


def test_names_of_points_do_not_lie_upon_each_other() -> None:
    points = [(100.0, 100.0 + 3 * number) for number in range(12)]
    placed = place_labels(points, [f"model-{number}" for number in range(12)], (0, 0, 400, 400))
    boxes = sorted((label.anchor, label.y) for label in placed if label)
    assert len(boxes) == 12
    assert all(low[0] != high[0] or high[1] - low[1] >= 13 for low, high in pairwise(boxes))
    crowded = place_labels(points * 20, ["a name of some length"] * 240, (0, 0, 400, 200))
    assert None in crowded
    assert spread([10, 12, 50, 11], 13) == [10, 36, 50, 23]


def test_where_pages_lead(tree: Path, cache: Path, site: Path, tmp_path: Path) -> None:
    """Nowhere that nobody named; from everywhere to what was named."""
    for page in site.rglob("*.html"):
        if "answers" in page.parts:  # opened in frames alone
            continue
        text = page.read_text()
        assert "<code>docs/findings.md</code> in the repository" in text
        assert text.count('property="og:') == 6
    links = Links.of("https://example.org/lab/bench/", "docs", "https://lab.example.org")
    build.build(tree, tmp_path / "board", cache=cache, splits=["mini"], links=links)
    run = next((tmp_path / "board" / "runs" / "acme__judge-7b").iterdir()).read_text()
    for address in ("../../docs/findings.html", "../../docs/judges.html", "../../docs/leaderboard.html"):
        assert run.count(f'href="{address}"') == 2
    assert run.count('href="https://example.org/lab/bench"') == 2
    assert f'content="https://lab.example.org/{PREVIEW}"' in run
    assert (tmp_path / "board" / PREVIEW).read_bytes()[:4] == b"\x89PNG"
    assert Links.of("https://example.org/x").pages("")["Judges"] == "https://example.org/x/blob/HEAD/docs/judges.md"
    for wrong in ("javascript:alert(1)", "https://x y", "example.org"):
        with pytest.raises(InputError, match=r"--repository .* is not an address"):
            Links.of(wrong)


def test_published_figures(site: Path, tmp_path: Path) -> None:
    exceptions, table, direction = read_reported(REPORTED)
    assert table.columns == [("paper", "acc"), ("paper", "mar"), ("ethos", "acc"), ("ethos", "mar")]
    assert [metric for _, metric in exceptions.columns][:4] == ["f1", "accuracy", "conservativity", "mae"]
    assert len(exceptions.columns) == 8  # the deviations stand beside their metrics
    assert len(direction.columns) == 4
    cells = re.findall(r"<tr><th scope=\"row\">MoralCoT.*", (site / "index.html").read_text())
    assert re.findall(r"[\d.]+(?=<)", cells[0])[:10] == [
        "64.5",
        "5.3",
        "66.0",
        "4.4",
        "67.0",
        "2.1",
        "0.38",
        "0.02",
        "3.20",
        "0.30",
    ]
    by_name = {(row.model.lower().replace(" ", "_"), row.mode): row.figures for row in table.rows}
    assert {name: by_name[name, None]["paper"]["acc"] for name in PUBLISHED} == PUBLISHED
    assert by_name["llama-2_7b", "lr"]["paper"]["mar"] == 0.094
    (tmp_path / "x.json").write_text('{"title": "x"}')
    message = r"x\.json does not have the form of a published table: source: Field required\.$"
    with pytest.raises(InputError, match=message):
        read_reported(tmp_path)


def test_pull_requests_are_verified_by_our_code_and_without_secrets() -> None:
    workflows = ROOT / ".github" / "workflows"
    text = (workflows / "submissions.yml").read_text()
    flow = yaml.safe_load(text)
    assert set(flow[True]) == {"pull_request"}  # YAML reads "on" as true
    assert flow["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    (job,) = flow["jobs"].values()
    assert job["steps"][0]["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert job["steps"][0]["with"]["persist-credentials"] is False
    for name in ("submissions.yml", "board.yml"):
        for job in yaml.safe_load((workflows / name).read_text())["jobs"].values():
            for step in job["steps"]:
                # What a pull request says of itself must never be put into a command line.
                assert "${{" not in step.get("run", "")


def test_a_tie_is_half_a_hit_to_ranks_as_well() -> None:
    test = sorted(rows("mini")["test"], key=lambda row: row.row_id)
    tied = [read_choice(row, (-1.0, -1.0) if number % 2 else (-1.0, -2.0)) for number, row in enumerate(test)]
    hits, counted = facts.share_bits(METRICS["acc"], tied)
    assert len(hits) == 2
    values = sum(unpack(part, len(test)) for part in hits) / 2
    assert list(values) == [answer.credit for answer in tied]
    assert unpack(counted, len(test)).all()
    assert facts.share_bits(METRICS["group_acc"], [read_choice(row, (-1.0, -1.0)) for row in test])
    untied = facts.share_bits(METRICS["acc"], [read_choice(row, (-1.0, -2.0)) for row in test])
    places = ranks.rank(clusters("mini"), [(hits, counted), untied], [], higher_is_better=True)
    assert [(place.best, place.worst) for place in places] == [(1, 2), (1, 2)]


def test_each_model_is_asked_in_the_prompt_of_its_kind(two_kinds: Path, tree: Path) -> None:
    """A base model without a chat template and a chat model with one share a table; any other prompt is another."""
    submitted = [Facts.model_validate(facts_of(accepted(folder))) for folder in sorted(two_kinds.glob("*/*"))]
    otherwise = [one for one in mini_facts(tree) if one.model == "other/asked-otherwise"]
    first, second = board.make_tables([*submitted, *otherwise], get_judge(), {}, ["mini"])["mini"]
    assert {(entry.facts.model, *entry.prompts) for entry in first.ranked} == {
        ("acme/base", "llama2.v1"),
        ("acme/chat", "chat.v1"),
    }
    assert [(entry.facts.model, *entry.prompts) for entry in second.ranked] == [("other/asked-otherwise", "plain.v1")]
    assert (first.asked_by_kind, second.asked_by_kind) == (True, False)
    base = "dfar|data:mini|task:cls|prompt:llama2.v1|condition:label|shots:0|chat:no"
    chat = base.replace("llama2", "chat").replace("chat:no", "chat:yes|dtype:float32")
    assert board.keeps_apart(base) == board.keeps_apart(chat)
    for other in (base.replace("llama2", "plain"), base.replace("chat:no", "chat:yes"), base.replace("llama2", "chat")):
        assert board.keeps_apart(other) != board.keeps_apart(base)
