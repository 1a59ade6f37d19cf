"""Null models and classical models, scored with the benchmark's own metrics."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dfar_bench.audit import audit
from dfar_bench.baselines import (
    CONSTANT_TEXTS,
    PUBLISHED,
    Baseline,
    as_text,
    baselines,
    classical_models,
    classical_verdicts,
)
from dfar_bench.cli import main
from dfar_bench.data import rows, without_tested
from dfar_bench.errors import InputError
from dfar_bench.leaderboard.site.classical import read_classical
from tests.conftest import ROOT
from tests.made_submissions import made_submission

CLASSICAL = ("svm", "random_forest", "gradient_boosting", "logistic_regression")


@pytest.fixture(scope="module")
def mini() -> list[Baseline]:
    return baselines("mini", resamples=1000)


def test_every_model_is_there_once(mini: list[Baseline]) -> None:
    assert [one.model for one in mini] == ["majority", "random", *CLASSICAL, *CONSTANT_TEXTS]
    assert {(one.subset, one.rows, one.published_acc) for one in mini} == {("all", 52, None)}
    assert list(classical_models()) == list(CLASSICAL)


def test_null_models_have_the_figures_they_must_have(mini: list[Baseline]) -> None:
    by_name = {one.model: one.metrics for one in mini}
    unethical = sum(row.label for row in rows("mini")["test"]) / 52
    assert by_name["majority"]["acc"][0] in (unethical, 1 - unethical)
    assert by_name["majority"]["balanced_acc"][0] == 0.5
    assert by_name["majority"]["group_acc"][0] == 0
    ethical, against = by_name["constant_ethical"], by_name["constant_unethical"]
    assert ethical["verdict_acc"][0] == pytest.approx(1 - unethical)
    assert ethical["verdict_acc"][0] + against["verdict_acc"][0] == pytest.approx(1)
    # A fluent constant text is let through wherever its verdict is right: the floor that every MAR stands on.
    assert ethical["mar"][0] == ethical["mar_self"][0] == 1.0  # the judge lets no text pass that fits any statement
    assert ethical["verdict_acc"][0] == pytest.approx(1 - unethical)
    for one in mini:
        for name, (value, spread) in one.metrics.items():
            assert value is not None, name
            if spread:
                assert spread[0] - 1e-9 <= value <= spread[1] + 1e-9


def test_the_report_and_the_document_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baselines", "--split", "mini", "--resamples", "0", "--json"]) == 0
    out = capsys.readouterr()
    assert not out.err
    document = json.loads(out.out)
    assert document["intervals"] is None
    found = {one["model"]: one["metrics"] for one in document["baselines"]}
    text = as_text("mini", baselines("mini", resamples=0))
    for name in CLASSICAL:
        (line,) = (line for line in text.splitlines() if line.startswith(name))
        assert f"{found[name]['acc']['value']:.1%}" in line
    assert main(["baselines", "--split", "none"]) == 2


NAMES = {
    "SVM": "svm",
    "random forest": "random_forest",
    "gradient boosting": "gradient_boosting",
    "logistic regression": "logistic_regression",
    'always "ethical"': "majority",
}


@pytest.mark.usefixtures("paper")
def test_the_page_on_the_leak_quotes_what_the_commands_print() -> None:
    page = (ROOT / "LEAKAGE.md").read_text()
    found = {(one.model, one.trained_on, one.subset): one for one in baselines("paper", resamples=1000)}

    def cell(*key: str) -> str:
        return f"{found[key].metrics['acc'][0]:.1%}".rstrip("%")  # type: ignore[index]

    for shown, name in NAMES.items():
        published = f"{PUBLISHED[name]:.1%}".rstrip("%") if name in PUBLISHED else ""
        without = "all" if name == "majority" else "unleaked"
        cells = [cell(name, "all", subset) for subset in ("all", "leaked", "unleaked")]
        assert (
            f"| {shown} | {published} | {' | '.join([*cells, cell(name, without, 'leaked')])} |".replace("  ", " ")
            in page
        )

    majority = found["majority", "all", "unleaked"].metrics["acc"][0]
    for name in CLASSICAL:  # "none of the four is better than always answering ethical: every interval holds it"
        low, high = found[name, "all", "unleaked"].metrics["acc"][1] or (1, 0)
        assert low <= (majority or 0) <= high

    clean = {one.model: one.metrics["acc"] for one in baselines("clean") if "acc" in one.metrics}
    for shown, name in NAMES.items():
        value, spread = clean[name]
        assert spread is not None
        assert f"| {shown} | {100 * (value or 0):.1f} ({100 * spread[0]:.1f}–{100 * spread[1]:.1f}) |" in page

    report = audit("paper")
    assert (
        f"{report['leakage']['leaked_rows']} of the 500 test rows ({report['leakage']['share']:.1%}".replace("%", " %")
        in page
    )
    assert f"Another {report['nearness']['unleaked_rows_near_train']} test rows are near a train row" in page


def test_the_board_shows_the_classical_models_as_they_are(paper: None) -> None:
    """All four, trained again."""
    found = read_classical(ROOT / "leaderboard" / "baselines", ("paper", "clean"))
    assert found.keys() == {"paper", "clean"}
    for split, one in found.items():
        assert one.verdicts.keys() == classical_models().keys()
        train = without_tested(rows(split)["train"], rows(split)["test"])
        assert one.train_rows == len(train)
        again = classical_verdicts(train, rows(split)["test"])
        assert one.verdicts == {name: "".join(map(str, verdicts)) for name, verdicts in again.items()}


def test_verdicts_of_other_data_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mini.json"
    assert main(["baselines", "--split", "mini", "--verdicts", str(file)]) == 0
    document = json.loads(file.read_text())
    assert {len(verdicts) for verdicts in document["verdicts"].values()} == {52}
    assert read_classical(tmp_path, ["mini"])["mini"].train_rows == 124
    file.write_text(json.dumps({**document, "rows_sha256": "0" * 64}))
    with pytest.raises(InputError, match="other data or models: make it again with dfar-bench baselines --split mini"):
        read_classical(tmp_path, ["mini"])
    file.write_text(json.dumps({**document, "verdicts": {"svm": "012"}}))
    with pytest.raises(InputError, match="should match pattern"):
        read_classical(tmp_path, ["mini"])


def test_classical_models_are_rows_of_the_board_and_take_no_rank(tmp_path: Path) -> None:
    tree = tmp_path / "submissions"
    made_submission(tree)
    (tmp_path / "baselines").mkdir()
    built = {}
    for name in ("without", "with"):
        assert main(["board", "build", str(tree), "--out", str(tmp_path / name)]) == 0
        built[name] = {row["model"]: row for row in json.loads((tmp_path / name / "results.json").read_text())["rows"]}
        main(["baselines", "--split", "mini", "--verdicts", str(tmp_path / "baselines" / "mini.json")])
    more = {name: row for name, row in built["with"].items() if name not in built["without"]}
    assert more.keys() == {name.replace("_", " ") for name in CLASSICAL}
    assert {row["status"] for row in more.values()} == {"classical"}
    assert {row["rank_acc"] for row in more.values()} == {None}
    assert {name: built["with"][name] for name in built["without"]} == built["without"]
    of_baselines = {one.model.replace("_", " "): one for one in baselines("mini", resamples=0)}
    for name, row in more.items():
        assert row["metrics"]["cls"]["acc"]["value"] == of_baselines[name].metrics["acc"][0]
    assert "bag of words" in (tmp_path / "with" / "index.html").read_text()
