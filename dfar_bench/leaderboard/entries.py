"""What a table of the board consists of: entries and columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dfar_bench.datasets import Dataset
from dfar_bench.leaderboard.baseline_rows import TRIVIAL
from dfar_bench.leaderboard.facts import Facts, TaskFacts
from dfar_bench.leaderboard.flags import Flag
from dfar_bench.leaderboard.ranks import Rank
from dfar_bench.scoring import METRICS, Estimate, Metric, Signature

UNDEFINED = Estimate(None)

MIX = {
    "share_aligned": "aligned",
    "share_bad_reason": "reason at fault",
    "share_no_reason": "no reason",
    "share_wrong_verdict": "wrong or no verdict",
}
"""What MAR consists of: the shares of responses, which sum to 1, in the order in which they are drawn."""

NO_REASONS = 0.02
"""A model gives no reasons if, of its responses with people's verdict, no more than this share holds a reason."""


def mix_of(figures: Mapping[str, Estimate]) -> list[float] | None:
    """Return the shares of ``MIX`` among figures by name; None where they are not known."""
    shares = [share for name in MIX if (share := figures.get(name, UNDEFINED).value) is not None]
    return shares if len(shares) == len(MIX) else None


def words_for(metric: Metric, mix: Sequence[float] | None) -> str:
    """Return what stands in place of a figure that would mislead; "" where the figure stands.

    The MAR of a model that answers with verdicts alone is near 1 and says nothing about reasons.
    """
    if metric.name.partition("_")[0] != "mar" or mix is None:
        return ""
    aligned, at_fault, none, _ = mix
    silent = none > 0 and aligned + at_fault <= NO_REASONS * (aligned + at_fault + none)
    return "gives no reasons" if silent else ""


@dataclass(frozen=True)
class Column:
    """A column of a table: ``metric`` is the form that is shown, over unleaked rows where the data set has a leak."""

    name: str
    title: str
    ranked: bool
    metric: Metric

    @property
    def higher_is_better(self) -> bool:
        """Which way the column is sorted first."""
        return bool(self.metric.higher_is_better)


@dataclass(frozen=True)
class Entry:
    """A submission or a baseline on one data set.

    Attributes:
        key: its name in links.
        tasks: by kind.
        ranks: by column name; empty for entries that are not ranked.
    """

    key: str
    facts: Facts
    tasks: Mapping[str, TaskFacts]
    ranks: Mapping[str, Rank] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """``rescored``, ``contaminated`` (trained on test rows), ``trivial`` or ``classical``."""
        if self.is_baseline:
            return "trivial" if self.facts.run == TRIVIAL else "classical"
        return "contaminated" if self.contaminated else "rescored"

    @property
    def is_baseline(self) -> bool:
        """Whether it is not a submission."""
        return not self.facts.mode

    @property
    def contaminated(self) -> bool | None:
        """Whether it was trained on test statements of this data set; None if that is not known."""
        known = [task.contamination.contaminated for task in self.tasks.values() if task.contamination]
        return True if True in known else None if None in known else False

    @property
    def why_contaminated(self) -> str:
        """What is known of that, as a sentence without its full stop."""
        known = [task.contamination for task in self.tasks.values() if task.contamination]
        reasons = list(dict.fromkeys(contamination.why for contamination in known))
        if self.contaminated:
            unleaked = max(contamination.unleaked_rows for contamination in known)
            reasons.append(f"{unleaked or 'none'} of them among the unleaked rows")
        return "; ".join(reasons)

    @property
    def flags(self) -> list[Flag]:
        """Each kind of flag once, its sentences together."""
        texts: dict[str, list[str]] = defaultdict(list)
        for flag in (*(flag for task in self.tasks.values() for flag in task.flags), *self.facts.flags):
            if flag.text not in texts[flag.kind]:
                texts[flag.kind].append(flag.text)
        return [Flag(kind, "; ".join(sentences)) for kind, sentences in texts.items()]

    @property
    def prompts(self) -> list[str]:
        """The prompts in which it was asked, one for each task unless they are the same."""
        signatures = (Signature.parse(task.signature) for task in self.tasks.values() if task.signature)
        return list(dict.fromkeys(signature.get("prompt") for signature in signatures))

    @property
    def measured(self) -> list[str]:
        """The names of all metrics of its tasks."""
        return [name for task in self.tasks.values() for name in task.figures]

    @property
    def mix(self) -> list[float] | None:
        """The shares of ``MIX``; None where they are not known."""
        figures: dict[str, Estimate] = {}
        for task in self.tasks.values():
            figures |= task.figures
        return mix_of(figures)

    def has_words_for(self, metric: Metric) -> str:
        """Return what stands in place of a figure that would mislead; "" where the figure stands."""
        return words_for(metric, self.mix)

    def estimate(self, column: Column) -> Estimate:
        """Return the figure of a column."""
        task = self.tasks.get(column.metric.kind)
        return task.figures.get(column.metric.name, UNDEFINED) if task else UNDEFINED

    def adjusted(self, column: Column) -> Estimate | None:
        """Return the figure of a column adjusted for the errors of the judge; None where it was not."""
        task = self.tasks.get(column.metric.kind)
        return task.adjusted.get(column.metric.name) if task else None


def judge_errs(entries: Iterable[Entry]) -> list[str]:
    """Return how often the judge errs on answers of such models, each text once; empty where that is not known."""
    texts = (task.judge_errs for entry in entries for task in entry.tasks.values())
    return list(dict.fromkeys(text for text in texts if text))


def columns(dataset: Dataset) -> list[Column]:
    """Return the columns of a data set's tables in their order."""
    shown = [metric for metric in METRICS.values() if metric.column is not None and metric.kind in dataset.kinds]
    return [
        Column(
            metric.name,
            metric.title,
            metric.ranked,
            METRICS[metric.unleaked] if metric.unleaked and dataset.has_leak else metric,
        )
        for metric in sorted(shown, key=lambda metric: metric.column or 0)
    ]
