"""MoralExceptQA: rows, prompts, and the paper's own figures from the paper's own predictions."""

from __future__ import annotations

import csv
import hashlib
import math
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from harness import ROOT
from published import published

from dfar_bench.datasets import rows
from dfar_bench.leaderboard.reported import read_reported
from dfar_bench.prompts import make_prompt
from dfar_bench.scoring import METRICS, Choice

pytestmark = pytest.mark.usefixtures("paper")

NAME = "moral_except_qa"
MODELS = {
    "Random_Baseline": "Random baseline",
    "albert_xxlarge": "ALBERT-xxlarge",
    "bert_base": "BERT-base",
    "bert_large": "BERT-large",
    "cot_general": "MoralCoT (InstructGPT)",
    "delphi_gamma": "Delphi++",
    "gpt3_davinci": "InstructGPT",
    "gpt3_raw": "GPT-3",
    "roberta_large": "RoBERTa-large",
}
"""What the predictions call the models, and the board."""
PREDICTIONS = "moralexceptqa/all_predictions.csv", "3bf59d114ba53192ad2e7d88492af748b9ea286fa01071ec20aca463a95a70db"


def test_rows() -> None:
    test = rows(NAME)["test"]
    vignettes = [row for row in test if row.facts["wording"] == 0]
    assert (len(test), len(vignettes), sum(row.label for row in vignettes)) == (592, 148, 58)
    assert Counter(row.domain for row in vignettes) == {"lines": 66, "blue.house": 54, "cannonball": 28}
    assert [row.row_id for row in test] == [f"moral_except_qa-test-{number:04d}" for number in range(592)]
    assert len({row.group_id for row in test}) == 82


@pytest.mark.parametrize(("condition", "sha256"), [("direct", "e2d12919"), ("moral_cot", "cc1895fa")])
def test_prompts_do_not_change(condition: str, sha256: str) -> None:
    """Changing a word changes scores, so it needs another version of the condition."""
    prompts = [make_prompt("continued", condition, row) for row in rows(NAME)["test"]]
    said = "".join("".join((prompt.text, *prompt.follow_ups)) for prompt in prompts)
    assert hashlib.sha256(said.encode()).hexdigest()[:8] == sha256
    assert {len(prompt.follow_ups) for prompt in prompts} == {6 if condition == "moral_cot" else 0}


def test_the_figures_of_the_paper() -> None:
    """All nine models; four of them were asked in three wordings instead of four."""
    vignettes = {(row.domain, row.statement): row for row in rows(NAME)["test"]}
    asked: dict[str, dict[str, list[tuple[str, str, float]]]] = defaultdict(lambda: defaultdict(list))
    for line in csv.DictReader(published(*PREDICTIONS).splitlines()):
        one = line["study"], line["scenario"], float(line["proba_1"])
        asked[line["model_type"]][line["model"]].append(one)
    (table,) = (table for table in read_reported(ROOT / "leaderboard" / "reported") if table.rows[0].figures.get(NAME))
    published_ = {row.model: row.figures[NAME] for row in table.rows}
    assert asked.keys() == MODELS.keys()
    assert set(MODELS.values()) == published_.keys()
    for model, wordings in asked.items():
        answers = []
        for wording, predictions in enumerate(wordings.values()):
            for study, scenario, p in predictions:
                row = replace(vignettes[study, scenario], facts={"wording": wording})
                answers.append(Choice(row, (int(p > 0.5),), (1 - p, p)))
        figures = published_[MODELS[model]]
        assert len(figures) == 16
        for name, value in figures.items():
            computed = METRICS[name].of(answers)
            assert computed is not None
            unit = 0.01 if METRICS[name].per_cent else 1
            assert computed / unit == pytest.approx(value / unit, abs=0.0101), (model, name)


def test_nothing_wrong_has_no_conservativity() -> None:
    test = rows(NAME)["test"]
    right = [Choice(row, (row.label,), (1.0 - row.label, float(row.label))) for row in test]
    assert METRICS["conservativity"].of(right) is None
    assert METRICS["accuracy"].of(right) == METRICS["f1"].of(right) == 1
    half = [Choice(row, (0, 1), (0.5, 0.5)) for row in test]
    assert METRICS["accuracy"].of(half) == 0.5
    assert METRICS["cross_entropy"].of(half) == pytest.approx(math.log(2), abs=1e-6)
