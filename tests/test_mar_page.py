"""Every figure of the tables in MAR.md, against the judge as it is."""

from __future__ import annotations

import re
from functools import cache

import pytest
from conftest import ROOT

from dfar_bench.answers import read_response
from dfar_bench.data import LABELS, rows
from dfar_bench.judges import get_judge
from dfar_bench.validity.items import SPLITS
from dfar_bench.validity.report import KindResult, Measured
from dfar_bench.validity.suite import validate


@cache
def measured() -> dict[str, Measured]:
    return {section.name: section for section in validate(get_judge("reference")).sections}


def range_of(kind: KindResult) -> str:
    return f"{100 * kind.rate:.1f} ({100 * kind.interval[0]:.1f}–{100 * kind.interval[1]:.1f})"


def kinds(section: str) -> dict[str, KindResult]:
    return {kind.kind: kind for kind in measured()[section].kinds}


@pytest.mark.usefixtures("paper")
@pytest.mark.parametrize("aligned", [False, True])
def test_constructed_responses(aligned: bool) -> None:
    found = [{name: kind for name, kind in kinds(split).items() if kind.aligned == aligned} for split in SPLITS]
    worst = sorted(found[0], key=lambda name: (-max(each[name].error for each in found), name))
    lines = [
        f"| `{name}`{' *' if found[0][name].unseen else ''} | {' | '.join(range_of(each[name]) for each in found)} |"
        for name in worst
    ]
    assert "\n".join(lines) in (ROOT / "MAR.md").read_text()


@pytest.mark.usefixtures("paper")
def test_natural_responses() -> None:
    page = (ROOT / "MAR.md").read_text()
    section = measured()["natural unseen"]
    found = [*section.worst_first(False), *section.worst_first(True)]
    lines = [f"| `{kind.kind}` | {kind.n} | {range_of(kind)} |" for kind in found]
    assert "\n".join(lines) in page
    page = " ".join(page.split())
    agreement = {each.part: each for each in measured()["natural unseen"].agreements}
    said = re.search(r"agreement \*\*(.+?) %\*\* \((.+?)–(.+?)\)", page)
    assert said is not None
    everything = agreement["all"]
    assert said.groups() == tuple(f"{100 * x:.1f}" for x in (everything.share, *everything.interval))
    assert f"agrees in {100 * agreement['hard'].share:.0f} %" in page
    assert f"`verdict` judge, which reads the verdict alone, agrees in {100 * everything.verdict:.1f} %" in page


@pytest.mark.usefixtures("paper")
def test_areas_and_signature() -> None:
    page = (ROOT / "MAR.md").read_text()
    areas = [measured()[split].areas for split in SPLITS]
    said = " ".join(page.split())
    assert f"AUROC is {areas[0][0][0]:.3f} on the {measured()['paper'].rows} unleaked rows" in said
    assert f"{areas[1][0][0]:.3f} on {measured()['clean'].rows} test rows of the clean split" in said
    assert f"and {areas[2][0][0]:.3f} on our own mini rows" in said
    for place, name in ((1, "length alone"), (2, "the verdict alone")):
        figures = [f"{area[place][0]:.2f}" for area in areas]
        assert f"{name} {figures[0]}, {figures[1]} and {figures[2]}" in said
    assert f"AUROC {measured()['natural unseen'].areas[0][0]:.2f}." in said
    for file in ("MAR.md", "README.md"):
        assert f"judge:{get_judge('reference').signature}" in (ROOT / file).read_text()


@pytest.mark.usefixtures("paper")
def test_the_rows_that_are_left_out() -> None:
    """The human reasons of all rows, those included that cannot stand for an aligned answer by the judge's parser."""
    said = " ".join((ROOT / "MAR.md").read_text().split())
    asked = {split: [row for row in rows(split)["test"] if not row.leaked] for split in ("paper", "clean")}
    left_out = [f"{len(found) - measured()[split].rows} of {len(found)}" for split, found in asked.items()]
    assert f"({left_out[0]}, and {left_out[1]})" in said
    shares = []
    for found in asked.values():
        judged = [
            read_response(row, f"{LABELS[row.label].capitalize()}. {row.reason}", get_judge()).judgement
            for row in found
        ]
        shares.append(f"{100 * sum(one.misaligned for one in judged) / len(judged):.1f}")
    kept = [f"{100 * kinds(split)['human'].rate:.1f}" for split in asked]
    flags = f"the judge flags {shares[0]} and {shares[1]} % of the human reasons falsely, not {kept[0]} and {kept[1]} %"
    assert flags in said


@pytest.mark.parametrize("name", ["reference", "verdict"])
def test_error_rates_that_stand_beside_a_score(name: str) -> None:
    judge = get_judge(name)
    found = kinds_of_unseen(name)
    rates = judge.error_rates
    assert rates is not None
    assert (rates.flagged, rates.aligned) == found[True]
    assert (rates.caught, rates.misaligned) == found[False]


def kinds_of_unseen(name: str) -> dict[bool, tuple[int, int]]:
    (section,) = validate(get_judge(name), splits=(), natural=("unseen",)).sections
    return {
        aligned: (
            sum(round(kind.rate * kind.n) for kind in section.kinds if kind.aligned == aligned),
            sum(kind.n for kind in section.kinds if kind.aligned == aligned),
        )
        for aligned in (False, True)
    }
