"""The data sets, the leak, noise, and the paper's classical models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from dfar_bench.datasets import DATASETS, Row, get_dataset, rows
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.classical import read_classical
from dfar_bench.runs.audit import NOISE_RULES, audit, noise_list
from dfar_bench.runs.baselines import PUBLISHED, certain_choices, classical_verdicts
from dfar_bench.scoring import KINDS, METRICS, Answer, estimates
from tables.formats import ROOT, estimated, percent, table


def datasets() -> str:
    lines = []
    for name, dataset in DATASETS.items():
        parts = rows(name)
        labels = ", ".join(dataset.labels)
        sizes = " / ".join(f"{len(parts[part]):,}" if parts[part] else "–" for part in ("train", "test"))
        source = f"[{dataset.licence}]({dataset.homepage})" if dataset.homepage else dataset.licence
        mirror = f"`{dataset.mirror}`" if dataset.mirror else ""
        lines.append([f"`{name}`", dataset.title, sizes, labels, source, mirror])
    return table("name|title|train / test rows|labels|licence|variable that names a mirror", lines)


@cache
def audited(name: str) -> dict[str, Any]:
    """Return the audit of a data set."""
    return audit(name)


def leak() -> str:
    report = audited("paper")
    leakage, nearness, test = report["leakage"], report["nearness"], report["counts"]["test"]["rows"]
    domains, others = (
        Counter(row.domain for row in rows("paper")["test"] if row.leaked == leaked) for leaked in (True, False)
    )
    listed = " and ".join(f'{count} of "{domain}"' for domain, count in domains.most_common())
    share, majority = percent(leakage["share"]), percent(leakage["unleaked_majority"])
    same = "all" if leakage["same_label"] == leakage["leaked_rows"] else leakage["same_label"]
    nearest, nearest_clean = percent(nearness["nearest"]), percent(audited("clean")["nearness"]["nearest"])
    return f"""\
- {leakage["leaked_rows"]} of the {test} test rows ({share} %) are also in the train set, {same} with
  the same label: {listed}.
- The other {leakage["unleaked_rows"]} are all of the domain "{", ".join(others)}". Always answering "ethical" is right
  for {majority} % of them.
- {nearness["unleaked_rows_near_train"]} of these are near a train row: at least half of their words are shared. The
  nearest shares {nearest} %.
- On the clean split no test row is in the train set, and the nearest shares {nearest_clean} %."""


ALWAYS = 'always "ethical"'
CLASSICAL = {
    "svm": "SVM",
    "random_forest": "random forest",
    "gradient_boosting": "gradient boosting",
    "logistic_regression": "logistic regression",
}


def classical(name: str, train: Sequence[Row] = ()) -> dict[str, list[Answer]]:
    """Return the answers of the classical models, and of always answering "ethical", by title.

    Args:
        train: the training rows; if there are none, the committed verdicts of the board's are taken.
    """
    dataset, test = get_dataset(name), rows(name)["test"]
    if train:
        verdicts = classical_verdicts(train, test)
    else:
        committed = read_classical(ROOT / "leaderboard" / "baselines", [name])[name].verdicts
        verdicts = {model: [*map(int, labels)] for model, labels in committed.items()}
    titled = {CLASSICAL[model]: labels for model, labels in verdicts.items()} | {ALWAYS: [0] * len(test)}
    read = KINDS["cls"].read
    return {title: read(certain_choices(test, labels, dataset), get_judge()) for title, labels in titled.items()}


def baselines_paper() -> str:
    acc = METRICS["acc"]
    published = {CLASSICAL[name]: accuracy for name, accuracy in PUBLISHED.items()}
    trained_on_unleaked = classical("paper")
    lines = []
    for title, scored in classical("paper", rows("paper")["train"]).items():
        leaked = [answer for answer in scored if answer.row.leaked]
        unleaked = [answer for answer in scored if not answer.row.leaked]
        without = [answer for answer in trained_on_unleaked[title] if answer.row.leaked]
        cells = percent(acc.of(scored)), percent(acc.of(leaked)), estimated(estimates([acc], unleaked)["acc"])
        lines.append([title, percent(published.get(title)), *cells, percent(acc.of(without))])
    return table("model|paper|all 500|189 leaked|311 unleaked|the 189, trained without them", lines)


def baselines_clean() -> str:
    acc = METRICS["acc"]
    lines = [[title, estimated(estimates([acc], scored)["acc"])] for title, scored in classical("clean").items()]
    return table("model|accuracy", lines)


def noise() -> str:
    counts = Counter(rule for _, rule in noise_list(audited("paper")))
    return table("rule|rows|meaning", [[f"`{rule}`", counts[rule], text] for rule, text in NOISE_RULES.items()])
