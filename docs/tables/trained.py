"""What preferences between reasons and games change in a model, from the committed submissions."""

from __future__ import annotations

from statistics import mean

import numpy as np

from dfar_bench.judges import get_judge
from dfar_bench.scoring import METRICS, RESAMPLES, SEED, Estimate, Metric, differences, estimates
from dfar_bench.scoring.estimate import cluster_weights
from tables.findings import submitted
from tables.formats import estimated, table

BEFORE, AFTER = "dfar-bench/preferences-270m-lr-1", "dfar-bench/preferences-270m-dpo-1"
SHOWN = (
    ("accuracy", "cls", "acc", "reference.v2"),
    ("written verdict", "reason", "verdict_acc", "reference.v2"),
    ("MAR", "reason", "mar", "reference.v2"),
    ("MAR by the judge that ranked", "reason", "mar", "reference.v2b"),
    ("no fault found in the reason, by `reference.v2`", "reason", "share_aligned", "reference.v2"),
    ("right verdict, reason at fault", "reason", "share_bad_reason", "reference.v2"),
    ("repetitive", "reason", "degenerate", "reference.v2"),
    ("cut off", "reason", "truncated", "reference.v2"),
    ("copies people's reason", "reason", "gold_copy", "reference.v2"),
)
"""Title, kind of task, metric, judge."""
AGENTS = {
    "before": "dfar-bench/qwen2.5-coder-0.5b-instruct-4bit",
    "moralis, κ = ½": "dfar-bench/qwen2.5-coder-0.5b-moralis",
    "oeconomicus": "dfar-bench/qwen2.5-coder-0.5b-oeconomicus",
}


def preferences() -> str:
    lines = []
    for title, kind, name, judge in SHOWN:
        condition = "label" if kind == "cls" else "reason"
        sides = [submitted()[model, "clean", kind, condition].answers(get_judge(judge)) for model in (BEFORE, AFTER)]
        found = [estimated(estimates([METRICS[name]], side)[name]) for side in sides]
        difference = differences([METRICS[name]], *sides)[name].estimate
        lines.append([title, *found, estimated(difference, "+")])
    return table("per cent of 480 answers|L+R|L+R, DPO|difference", [*lines, _lengths()])


def _lengths() -> list[str]:
    """Mean length in words, with the difference resampled by contrast group, as those of metrics are."""
    sides = [submitted()[model, "clean", "reason", "reason"].outputs for model in (BEFORE, AFTER)]
    words = np.array([[len(str(output.value).split()) for output in side] for side in sides], dtype=float)
    groups = sorted({output.row.group_id for output in sides[0]})
    place = {name: number for number, name in enumerate(groups)}
    sums, counts = np.zeros(len(groups)), np.zeros(len(groups))
    for output, change in zip(sides[0], words[1] - words[0], strict=True):
        sums[place[output.row.group_id]] += change
        counts[place[output.row.group_id]] += 1
    weights = cluster_weights(groups, RESAMPLES, SEED)
    low, high = np.quantile((weights @ sums) / (weights @ counts), [0.025, 0.975])
    before, after = map(mean, words.tolist())
    change = f"{after - before:+.1f} ({low:+.1f} to {high:+.1f})".replace("-", "−")
    return ["length in words", f"{before:.1f}", f"{after:.1f}", change]


def agents() -> str:
    lines = []
    for title, model in AGENTS.items():
        run = submitted()[model, "games", "games", "games:direct"]
        found = estimates(run.metrics, run.answers(get_judge()))
        lines.append([title, *(_of_games(found[metric.name], metric) for metric in run.metrics)])
    metrics = submitted()[AGENTS["before"], "games", "games", "games:direct"].metrics
    return table("model|" + "|".join(metric.title for metric in metrics), lines)


def _of_games(estimate: Estimate, metric: Metric) -> str:
    if estimate.value is None:
        return "not identified"
    scale, digits = (100, 1) if metric.per_cent else (1, 2)
    ends = " to ".join(f"{scale * end:.{digits}f}" for end in estimate.interval or ())
    return f"{scale * estimate.value:.{digits}f} ({ends})".replace("-", "−")
