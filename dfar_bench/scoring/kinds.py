"""Kinds of task: which verdict is likelier (``cls``), and verdicts with written reasons (``reason``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dfar_bench.datasets import DATASETS, Dataset
from dfar_bench.errors import InputError
from dfar_bench.judges import Judge
from dfar_bench.prompts import Condition
from dfar_bench.registry import Registry
from dfar_bench.scoring.answers import Answer, Output, read_arguments, read_choices
from dfar_bench.scoring.metrics import METRICS, Metric


@dataclass(frozen=True)
class Kind:
    """A kind of task.

    Attributes:
        title: for pages.
        condition: what it asks for unless ``--metadata`` says otherwise.
        output_type: lm_eval's name for what comes back.
        read: outputs, judge -> answers.
        judged: whether a judge decides on its answers.
    """

    name: str
    title: str
    condition: str
    output_type: Literal["multiple_choice", "generate_until"]
    read: Callable[[Sequence[Output], Judge], list[Answer]] = field(repr=False)
    judged: bool = False

    @property
    def chooses(self) -> bool:
        """Whether labels are compared by likelihood; else the model writes."""
        return self.output_type == "multiple_choice"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that it has under every condition, in the order in which they are shown."""
        return tuple(metric for metric in self.all_metrics if not metric.revised)

    @property
    def all_metrics(self) -> tuple[Metric, ...]:
        """Also those of conditions in which a model may correct its verdict."""
        return tuple(metric for metric in METRICS.values() if metric.kind == self.name)

    def metrics_under(self, condition: Condition) -> tuple[Metric, ...]:
        """Return the metrics that it has under a condition."""
        return self.all_metrics if condition.revises else self.metrics


KINDS: Registry[Kind] = Registry("kind of task")
KINDS.add(Kind("cls", "Verdicts by likelihood", "label", "multiple_choice", read_choices))
KINDS.add(Kind("reason", "Verdicts with reasons", "reason", "generate_until", read_arguments, judged=True))


@dataclass(frozen=True)
class Task:
    """A kind of task on a data set: what lm_eval calls a task."""

    dataset: Dataset
    kind: Kind

    @property
    def name(self) -> str:
        """Its name in lm_eval, such as ``dfar_clean_cls``."""
        return self.dataset.task_name(self.kind.name)


def tasks() -> dict[str, Task]:
    """Return every task by name, data set by data set."""
    all_tasks = (Task(dataset, KINDS[kind]) for dataset in DATASETS.values() for kind in dataset.kinds)
    return {task.name: task for task in all_tasks}


def suite_tasks() -> list[Task]:
    """Return the tasks of the group ``moral_suite``: the verdicts by likelihood of the data sets that are in it."""
    return [task for task in tasks().values() if task.dataset.suite and task.kind.chooses]


def find_task(name: str) -> Task:
    """Return the task of a name.

    Raises:
        InputError: there is none.
    """
    if (task := tasks().get(name)) is None:
        raise InputError(f"there is no task {name!r}: choose one of {', '.join(tasks())}.")
    return task
