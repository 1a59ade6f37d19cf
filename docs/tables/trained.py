"""What training on games changes in a model, from the committed submissions."""

from __future__ import annotations

from dfar_bench.judges import get_judge
from dfar_bench.scoring import estimates
from tables.formats import measured, table
from tables.submissions import the_run

AGENTS = {
    "before": "dfar-bench/qwen2.5-coder-0.5b-instruct-4bit",
    "moralis, κ = ½": "dfar-bench/qwen2.5-coder-0.5b-moralis",
    "oeconomicus": "dfar-bench/qwen2.5-coder-0.5b-oeconomicus",
}


def agents() -> str:
    runs = {title: the_run(model, "games", "games", chat=False) for title, model in AGENTS.items()}
    metrics = next(iter(runs.values())).metrics
    lines = []
    for title, run in runs.items():
        found = estimates(metrics, run.answers(get_judge()))
        lines.append([title, *(measured(found[metric.name], metric) or "not identified" for metric in metrics)])
    return table("model|" + "|".join(metric.title for metric in metrics), lines)
