"""Profiles: a model's figures on all its data sets, where they are drawn, and what they are read against."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from board_site import answering, trained_on_test_rows, write_submission

from dfar_bench.datasets import DATASETS, Row
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard import report
from dfar_bench.leaderboard.board import Table, make_tables
from dfar_bench.leaderboard.build import build
from dfar_bench.leaderboard.facts import Facts, facts_of
from dfar_bench.leaderboard.profile import Line, Profile, Reference, profiles
from dfar_bench.leaderboard.reported import Reported
from dfar_bench.runs.across import Across, Shared, stored
from dfar_bench.scoring import METRICS

MODEL = "acme/suite-7b"
PUBLISHED: dict[str, Any] = {
    "title": "A paper",
    "source": "its table",
    "url": "https://example.org/paper",
    "notes": [],
    "rows": [
        {"model": name, "mode": None, "figures": {"policy_dilemmas": figures, "mini": {"mar": 0.01, "acc": 0.5}}}
        for name, figures in (
            ("Worse", {"policy_accuracy": 0.4, "policy_bias": 0.1}),
            ("Best", {"policy_accuracy": 0.9, "policy_bias": 0.2}),
        )
    ],
}


def choose(row: Row, kind: str) -> Any:
    """Two of three times the right label, of however many there are."""
    if kind in ("cls", "reason"):
        return answering(0.7, "suite")(row, kind)
    draw = hashlib.sha256(row.row_id.encode()).digest()
    right = draw[0] < 170
    return tuple(
        -0.2 - draw[1 + at] / 256 - ((at == row.label) != right) for at in range(len(DATASETS[row.dataset].labels))
    )


@pytest.fixture(scope="module")
def suite_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model on mini, games in two conditions and policies; another that was trained on test rows of mini."""
    folder = tmp_path_factory.mktemp("suite") / "submissions"
    write_submission(folder, MODEL, choose, ("dfar_mini_cls", "dfar_mini_reason", "games", "policy_dilemmas"))
    write_submission(folder, MODEL, choose, ("games",), condition="games:thought")
    write_submission(folder, "zeta/has-met-them", answering(0.97, "met"), **trained_on_test_rows())
    return folder


@pytest.fixture(scope="module")
def suite_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("suite-cache")


@pytest.fixture(scope="module")
def tables(suite_tree: Path, suite_cache: Path) -> dict[str, list[Table]]:
    entries = report.verify_all([suite_tree], derive=facts_of, cache=suite_cache).entries
    submitted = [Facts.model_validate(entry.value) for entry in entries]
    return make_tables(submitted, get_judge(), {}, ["mini", "games", "policy_dilemmas"])


@pytest.fixture(scope="module")
def profile(tables: dict[str, list[Table]]) -> Profile:
    of_model, other = profiles(tables, [Reported.model_validate(PUBLISHED)])
    assert (of_model.model, other.model) == (MODEL, "zeta/has-met-them")
    assert {line.entry.contaminated for line in other.lines} == {True}
    return of_model


def test_one_line_for_each_data_set_and_condition(profile: Profile) -> None:
    """The first metric of each task leads; all figures of the tables are there; shares are apart from the others."""
    leading = [(line.dataset.name, line.condition, line.metric.name) for line in profile.lines if line.lead]
    assert leading == [
        ("mini", "label alone", "acc"),
        ("mini", "label and reason", "mar"),
        ("games", "asked directly", "agree_oeconomicus"),
        ("games", "thought first", "agree_oeconomicus"),
        ("policy_dilemmas", "asked directly", "policy_accuracy"),
    ]
    drawn = [
        line
        for lead in (True, False)
        for shares in (True, False)
        for _, lines in profile.grouped(lead=lead, shares=shares)
        for line in lines
    ]
    assert len(drawn) == len(profile.lines)
    others = [line.metric.name for _, lines in profile.grouped(lead=False, shares=False) for line in lines]
    assert sorted(set(others)) == ["kappa", "sensitivity"]
    assert {"games", "policy_dilemmas"}.isdisjoint(dataset.name for dataset in profile.missing)
    assert "bbq_3way" in [dataset.name for dataset in profile.missing]


def test_references_are_the_best_baseline_and_the_best_published_figure(
    profile: Profile, tables: dict[str, list[Table]]
) -> None:
    by_metric = {line.metric.name: line for line in profile.lines}
    for name, better in (("acc", max), ("mar", min), ("policy_accuracy", max)):
        line = by_metric[name]
        trivial = [
            value
            for entry in tables[line.dataset.name][0].baselines
            if entry.status == "trivial" and (value := entry.estimate(line.column).value) is not None
        ]
        assert line.trivial is not None
        assert line.trivial.value == better(trivial)
    assert by_metric["policy_accuracy"].published == Reference("Best (A paper)", 0.9)
    assert by_metric["acc"].published == Reference("Worse (A paper)", 0.5)
    assert by_metric["mar"].published is None  # of another judge
    bias = by_metric["policy_bias"]  # neither direction is better
    assert (bias.published, bias.trivial and bias.trivial.name) == (None, "random")


def test_figures_are_drawn_where_they_are(
    profile: Profile, suite_tree: Path, suite_cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "reported").mkdir()
    (tmp_path / "reported" / "paper.json").write_text(json.dumps(PUBLISHED))
    site = tmp_path / "board"
    build(suite_tree, site, cache=suite_cache, reported=tmp_path / "reported")
    page = (site / "models" / "acme__suite-7b.html").read_text()
    dots = [float(x) for x in re.findall(r'<circle class="dot" cx="([\d.]+)%"', page)]
    reaches = re.findall(r'class="reach" x1="([\d.]+)%" x2="([\d.]+)%"', page)
    expected: list[tuple[Line, float, float]] = []
    for lead in (True, False):
        for shares in (True, False):
            for _, lines in profile.grouped(lead=lead, shares=shares):
                ends = (profile.axis.low, profile.axis.high)
                expected += [(line, *(ends if shares else (line.own_axis.low, line.own_axis.high))) for line in lines]
    places = [100 * ((line.estimate.value or 0) - low) / (high - low) for line, low, high in expected]
    assert dots == pytest.approx(places, abs=0.051)
    assert len(reaches) == sum(line.estimate.interval is not None for line in profile.lines)
    for line, low, high in expected:
        assert all(low <= value <= high for value in line.values), line.metric.name
    assert page.count('class="known"') == 1 + sum(line.published is not None for line in profile.lines)  # and the key
    assert "hollow" in (site / "models" / "zeta__has-met-them.html").read_text().partition("<table")[2]

    # It leads to the runs that it rests on, and each of them back.
    runs = set(re.findall(r'href="\.\./(runs/[^"]*)"', page))
    assert runs == {
        f"runs/{folder.parent.name}/{folder.name}.html" for folder in (suite_tree / "acme__suite-7b").iterdir()
    }
    for run in runs:
        assert 'href="../../models/acme__suite-7b.html"' in (site / run).read_text()
    assert "We give no average" in page


def test_negative_shares_move_the_common_axis(profile: Profile) -> None:
    positive = [line for line in profile.lines if line.metric.per_cent and min(line.values) >= 0]
    alone = Profile(MODEL, tuple(positive), stored())
    assert (alone.axis.low, alone.ticks) == (0, [(0.0, 0), (25.0, 25), (50.0, 50), (75.0, 75), (100.0, 100)])
    low = min(value for line in profile.lines if line.metric.per_cent for value in line.values)
    assert low < 0
    assert (profile.axis.low, [share for _, share in profile.ticks]) == (-0.5, [-50, 0, 50, 100])
    assert not METRICS["kappa"].per_cent


def test_what_data_sets_share(profile: Profile) -> None:
    matrix = Across({"mini": 10, "games": 20, "policy_dilemmas": 5}, (Shared("mini", "games", 1, 2, 3),))
    related = Profile(MODEL, profile.lines, matrix)
    titles = {name: DATASETS[name].title for name in matrix.sizes}
    assert [related.sharing(DATASETS[name]) for name in matrix.sizes] == [[titles["games"]], [titles["mini"]], []]
    assert profile.shared == []
    assert [pair.equal for pair in stored().dependent({"paper", "clean", "bbq_3way"})] == [4811]
