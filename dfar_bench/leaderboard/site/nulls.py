"""Null models: what one gets for nothing. They are rows of every table, so that nobody takes such figures for more.

Texts and verdicts are those of ``dfar-bench baselines``: always the label that most train rows have, and a coin's.
Beside them stand the paper's classical models, which know words and no order of words.
"""

from __future__ import annotations

from collections.abc import Sequence

from dfar_bench.answers import Choice, Response, read_responses
from dfar_bench.baselines import CONSTANT_TEXTS, certain, null_choices
from dfar_bench.data import LABELS, rows
from dfar_bench.judges import Judge
from dfar_bench.leaderboard.site.classical import Classical
from dfar_bench.leaderboard.site.facts import Facts, TaskFacts, task_facts

NULL, CLASSICAL = "null model", "bag of words"


def null_models(split: str, judge: Judge, classical: Classical | None = None) -> tuple[Facts, ...]:
    """The null models of a split and the classical ones, if they are given, scored like any submission."""
    test = rows(split)["test"]
    # ETHOS has no train rows; models are trained on DFAR to be tested there.
    train = rows(split)["train"] or rows("paper")["train"]
    choices = null_choices(train, test)
    majority = LABELS[choices["majority"][0].predicted]
    found: list[tuple[str, str, str, Sequence[Choice | Response]]] = [
        (
            "majority",
            f"always {majority}, as most train rows",
            "cls",
            choices["majority"],
        ),
        ("random", "a coin, seeded", "cls", choices["random"]),
    ]
    for name, text in CONSTANT_TEXTS.items():
        found.append((name, f"“{text}”", "reason", read_responses([(row, text) for row in test], judge)))
    if classical:
        how = f"{classical.features}, trained on {classical.train_rows:,} rows"
        for name, verdicts in classical.verdicts.items():
            found.append((name, how, "cls", [certain(row, int(one)) for row, one in zip(test, verdicts, strict=True)]))
    out = []
    for name, what, kind, answers in found:
        task = TaskFacts(
            **task_facts(split, kind, answers),
            signature="",
            sha256="",
            codes={},
            flags=[],
            contamination=None,
            harness={},
        )
        out.append(
            Facts(
                model=name.replace("_", " "),
                run=CLASSICAL if classical and name in classical.verdicts else NULL,
                created="",
                mode="null",
                base=None,
                about={"What it is": what},
                flags=[],
                tasks={kind: task},
            )
        )
    return tuple(out)
