"""What training on games changes in a model, from the committed submissions."""

from __future__ import annotations

from dfar_bench.judges import get_judge
from dfar_bench.scoring import Estimate, Metric, estimates
from tables.findings import submitted
from tables.formats import table

AGENTS = {
    "before": "dfar-bench/qwen2.5-coder-0.5b-instruct-4bit",
    "moralis, κ = ½": "dfar-bench/qwen2.5-coder-0.5b-moralis",
    "oeconomicus": "dfar-bench/qwen2.5-coder-0.5b-oeconomicus",
}


def agents() -> str:
    runs = {title: submitted()[model, "games", "games", "games:direct"] for title, model in AGENTS.items()}
    metrics = next(iter(runs.values())).metrics
    lines = []
    for title, run in runs.items():
        found = estimates(metrics, run.answers(get_judge()))
        lines.append([title, *(_of_games(found[metric.name], metric) for metric in metrics)])
    return table("model|" + "|".join(metric.title for metric in metrics), lines)


def _of_games(estimate: Estimate, metric: Metric) -> str:
    if estimate.value is None:
        return "not identified"
    scale, digits = (100, 1) if metric.per_cent else (1, 2)
    ends = " to ".join(f"{scale * end:.{digits}f}" for end in estimate.interval or ())
    return f"{scale * estimate.value:.{digits}f} ({ends})".replace("-", "−")
