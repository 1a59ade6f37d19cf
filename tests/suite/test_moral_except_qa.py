"""MoralExceptQA: rows, prompts, and the paper's own figures from the paper's own predictions."""

from __future__ import annotations

import csv
import hashlib
import math
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from published import published

from dfar_bench.datasets import rows
from dfar_bench.prompts import make_prompt
from dfar_bench.scoring import METRICS, Choice

pytestmark = pytest.mark.usefixtures("paper")

# Mean and sample standard deviation over the wordings of the paper's repository: predictions_mean.csv and _std.csv.
FIGURES = ("f1", "accuracy", "conservativity", "mae", "cross_entropy", "f1_lines", "f1_blue_house", "f1_cannonball")
MEANS = {
    "Random_Baseline": (49.37, 48.82, 40.08, 0.35, 1.0, 44.88, 57.55, 48.36),
    "albert_xxlarge": (22.07, 39.19, 0.0, 0.46, 1.41, 33.33, 6.89, 33.33),
    "bert_base": (45.28, 48.87, 64.16, 0.26, 0.82, 40.81, 51.65, 43.51),
    "bert_large": (52.49, 56.53, 69.61, 0.27, 0.71, 42.53, 62.46, 45.46),
    "cot_general": (64.47, 66.05, 66.96, 0.38, 3.2, 62.1, 70.68, 54.04),
    "delphi_gamma": (48.51, 61.26, 97.7, 0.42, 2.92, 33.33, 70.6, 44.29),
    "gpt3_davinci": (53.94, 64.36, 98.52, 0.38, 1.59, 42.4, 70.6, 50.48),
    "gpt3_raw": (52.32, 58.95, 80.67, 0.27, 0.72, 36.53, 72.58, 41.2),
    "roberta_large": (23.76, 39.64, 0.75, 0.3, 0.76, 34.96, 6.89, 38.32),
}
DEVIATIONS = {
    "Random_Baseline": (4.5, 4.56, 2.85, 0.02, 0.09, 7.34, 10.34, 1.67),
    "albert_xxlarge": (0.0, 0.0, 0.0, 0.0, 0.04, 0.0, 0.0, 0.0),
    "bert_base": (6.41, 10.52, 21.36, 0.02, 0.19, 8.93, 22.04, 11.12),
    "bert_large": (1.95, 2.73, 16.79, 0.01, 0.01, 2.72, 6.46, 7.2),
    "cot_general": (5.31, 4.43, 2.11, 0.02, 0.3, 5.13, 5.14, 1.43),
    "delphi_gamma": (0.42, 0.78, 1.99, 0.01, 0.23, 0.0, 0.0, 2.78),
    "gpt3_davinci": (5.48, 2.43, 1.91, 0.04, 0.43, 7.17, 0.0, 11.67),
    "gpt3_raw": (3.14, 3.72, 15.5, 0.02, 0.03, 3.7, 6.01, 7.54),
    "roberta_large": (2.02, 0.78, 0.65, 0.01, 0.02, 3.42, 0.0, 4.32),
}
PREDICTIONS = "moralexceptqa/all_predictions.csv", "3bf59d114ba53192ad2e7d88492af748b9ea286fa01071ec20aca463a95a70db"


def test_rows() -> None:
    test = rows("moral_except_qa")["test"]
    vignettes = [row for row in test if row.facts["wording"] == 0]
    assert (len(test), len(vignettes), sum(row.label for row in vignettes)) == (592, 148, 58)
    assert Counter(row.domain for row in vignettes) == {"lines": 66, "blue.house": 54, "cannonball": 28}
    assert [row.row_id for row in test] == [f"moral_except_qa-test-{number:04d}" for number in range(592)]
    assert len({row.group_id for row in test}) == 82


@pytest.mark.parametrize(("condition", "sha256"), [("direct", "e2d12919"), ("moral_cot", "cc1895fa")])
def test_prompts_do_not_change(condition: str, sha256: str) -> None:
    """Changing a word changes scores, so it needs another version of the condition."""
    prompts = [make_prompt("continued", condition, row) for row in rows("moral_except_qa")["test"]]
    said = "".join("".join((prompt.text, *prompt.follow_ups)) for prompt in prompts)
    assert hashlib.sha256(said.encode()).hexdigest()[:8] == sha256
    assert {len(prompt.follow_ups) for prompt in prompts} == {6 if condition == "moral_cot" else 0}


def test_the_figures_of_the_paper() -> None:
    """All nine models; four of them were asked in three wordings instead of four."""
    vignettes = {(row.domain, row.statement): row for row in rows("moral_except_qa")["test"]}
    asked: dict[str, dict[str, list[tuple[str, str, float]]]] = defaultdict(lambda: defaultdict(list))
    for line in csv.DictReader(published(*PREDICTIONS).splitlines()):
        one = line["study"], line["scenario"], float(line["proba_1"])
        asked[line["model_type"]][line["model"]].append(one)
    assert asked.keys() == MEANS.keys()
    for model, wordings in asked.items():
        answers = []
        for wording, predictions in enumerate(wordings.values()):
            for study, scenario, p in predictions:
                row = replace(vignettes[study, scenario], facts={"wording": wording})
                answers.append(Choice(row, (int(p > 0.5),), (1 - p, p)))
        for names, expected in (("{}", MEANS), ("{}_sd", DEVIATIONS)):
            for figure, value in zip(FIGURES, expected[model], strict=True):
                computed = METRICS[names.format(figure)].of(answers)
                assert computed is not None
                scale = 1 if figure in ("mae", "cross_entropy") else 100
                assert computed * scale == pytest.approx(value, abs=0.0101), (model, figure)


def test_nothing_wrong_has_no_conservativity() -> None:
    test = rows("moral_except_qa")["test"]
    right = [Choice(row, (row.label,), (1.0 - row.label, float(row.label))) for row in test]
    assert METRICS["conservativity"].of(right) is None
    assert METRICS["accuracy"].of(right) == METRICS["f1"].of(right) == 1
    half = [Choice(row, (0, 1), (0.5, 0.5)) for row in test]
    assert METRICS["accuracy"].of(half) == 0.5
    assert METRICS["cross_entropy"].of(half) == pytest.approx(math.log(2), abs=1e-6)
