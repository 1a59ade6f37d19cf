"""The baselines in every table: trivial ones, which do not read the statement, and the paper's classical models.

The trivial ones are those of ``dfar-bench baselines``. They take no rank, and show what a figure is worth.
"""

from __future__ import annotations

from collections.abc import Sequence

from dfar_bench.datasets import Dataset, rows
from dfar_bench.judges import Judge
from dfar_bench.leaderboard.answer_rows import pack_answers
from dfar_bench.leaderboard.classical import Classical
from dfar_bench.leaderboard.facts import Facts, task_facts
from dfar_bench.leaderboard.row_set import RowSet
from dfar_bench.runs.baselines import answered_kinds, certain_choices, constant_texts, trivial_choices
from dfar_bench.scoring import Output, estimates

TRIVIAL, CLASSICAL = "trivial baseline", "bag of words"


def baseline_facts(row_set: RowSet, judge: Judge, classical: Classical | None = None) -> list[Facts]:
    """Score the baselines of a data set as submissions are scored."""
    dataset, asked = row_set.dataset, {row.row_id for row in row_set.rows}
    train, every = rows(dataset.name)["train"], rows(dataset.name)["test"]
    test = [row for row in every if row.row_id in asked]  # in the order that draws and verdicts are in
    labels = [row.label for row in train or every]
    majority = dataset.labels[max(set(labels), key=labels.count)]
    choices = trivial_choices(train or every, test, len(dataset.labels))
    baselines = [
        _facts("majority", TRIVIAL, f"always {majority}, the most frequent label", dataset, choices["majority"], judge),
        _facts("random", TRIVIAL, "a random label, seeded", dataset, choices["random"], judge),
    ]
    for name, text in constant_texts(dataset).items():
        baselines.append(_facts(name, TRIVIAL, f"“{text}”", dataset, [Output(row, text) for row in test], judge))
    for name, verdicts in (classical.verdicts if classical else {}).items():
        outputs = certain_choices(test, [int(digit) for digit in verdicts], dataset)
        what = f"{classical.features}, trained on {classical.train_rows:,} rows" if classical else ""
        baselines.append(_facts(name, CLASSICAL, what, dataset, outputs, judge))
    return [facts for facts in baselines if facts.tasks]


def _facts(name: str, sort: str, what: str, dataset: Dataset, outputs: Sequence[Output], judge: Judge) -> Facts:
    in_order = sorted(outputs, key=lambda output: output.row.row_id)
    tasks, packed = {}, []
    for kind in answered_kinds(dataset, outputs):
        answers = kind.read(in_order, judge)
        figures = estimates(kind.metrics, answers)
        tasks[dataset.task_name(kind.name)] = task_facts(dataset.name, kind, answers, figures)
        packed.append((kind.name, answers, [output.value for output in in_order]))
    rows_ = {dataset.name: pack_answers(dataset, packed)}
    return Facts(model=name.replace("_", " "), run=sort, about={"What it is": what}, tasks=tasks, rows=rows_)
