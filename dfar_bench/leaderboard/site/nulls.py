"""Null models: what one gets for nothing. They are rows of every table, so that nobody takes such figures for more.

Texts and verdicts are those of ``dfar-bench baselines``: always the label that most train rows have, and a coin's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dfar_bench.answers import Choice, Response, read_choice, read_responses
from dfar_bench.baselines import CONSTANT_TEXTS
from dfar_bench.bootstrap import SEED
from dfar_bench.data import LABELS, rows
from dfar_bench.judges import Judge
from dfar_bench.leaderboard.site.facts import Facts, TaskFacts, task_facts


def null_models(split: str, judge: Judge) -> tuple[Facts, ...]:
    """The null models of a split, scored like any submission."""
    test = rows(split)["test"]
    # ETHOS has no train rows; models are trained on DFAR to be tested there.
    train = rows(split)["train"] or rows("paper")["train"]
    majority = int(sum(row.label for row in train) * 2 > len(train))
    found = [
        ("majority", f"always {LABELS[majority]}, as most train rows", "cls", [majority] * len(test)),
        ("random", "a coin, seeded", "cls", list(np.random.default_rng(SEED).integers(0, 2, len(test)))),
        *((name, f"“{text}”", "reason", text) for name, text in CONSTANT_TEXTS.items()),
    ]
    out = []
    for name, what, kind, given in found:
        if isinstance(given, str):
            answers: Sequence[Choice | Response] = read_responses([(row, given) for row in test], judge)
        else:
            answers = [
                read_choice(row, (-math.inf, 0.0) if label else (0.0, -math.inf)) for row, label in zip(test, given)
            ]
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
                run="null",
                created="",
                mode="null",
                base=None,
                about={"What it is": what},
                flags=[],
                tasks={kind: task},
            )
        )
    return tuple(out)
