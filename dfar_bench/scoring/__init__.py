"""From a model's answers to figures: kinds of task, metrics, estimates with intervals, signatures."""

from dfar_bench.scoring.answers import Answer, Argument, Choice, Output, by_label, count_codes, verdict_of
from dfar_bench.scoring.estimate import (
    LEVEL,
    RESAMPLES,
    SEED,
    Difference,
    Estimate,
    McNemar,
    differences,
    estimates,
    mcnemar,
)
from dfar_bench.scoring.kinds import KINDS, Kind, Task, find_task, suite_tasks, tasks
from dfar_bench.scoring.metrics import METRICS, NOT_AVAILABLE, Metric
from dfar_bench.scoring.signature import COMPARING, Signature

__all__ = [
    "COMPARING",
    "KINDS",
    "LEVEL",
    "METRICS",
    "NOT_AVAILABLE",
    "RESAMPLES",
    "SEED",
    "Answer",
    "Argument",
    "Choice",
    "Difference",
    "Estimate",
    "Kind",
    "McNemar",
    "Metric",
    "Output",
    "Signature",
    "Task",
    "by_label",
    "count_codes",
    "differences",
    "estimates",
    "find_task",
    "mcnemar",
    "suite_tasks",
    "tasks",
    "verdict_of",
]
