"""The board's contents: for every data set and every way of asking a table, with ranks.

Scores are ranked against each other only where their signatures agree, but for the fields that are merely shown. A
submission to some of a data set's tasks is in a table with those that did the same tasks in the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from dfar_bench.datasets import DATASETS, Dataset
from dfar_bench.judges import Judge
from dfar_bench.leaderboard.baseline_rows import TRIVIAL, baseline_facts
from dfar_bench.leaderboard.classical import Classical
from dfar_bench.leaderboard.facts import Facts, TaskFacts
from dfar_bench.leaderboard.flags import Flag
from dfar_bench.leaderboard.ranks import Rank, clusters, rank
from dfar_bench.leaderboard.submission import model_folder
from dfar_bench.prompts import CONDITIONS
from dfar_bench.scoring import KINDS, METRICS, Estimate, Metric, Signature

UNDEFINED = Estimate(None)


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
        """``verified``, ``contaminated`` (verified, but trained on test rows), ``trivial`` or ``classical``."""
        if self.is_baseline:
            return "trivial" if self.facts.run == TRIVIAL else "classical"
        return "contaminated" if self.contaminated else "verified"

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

    def estimate(self, column: Column) -> Estimate:
        """Return the figure of a column."""
        task = self.tasks.get(column.metric.kind)
        return task.figures.get(column.metric.name, UNDEFINED) if task else UNDEFINED


Signatures = dict[str, Signature]
"""By kind of task, in the data set's order, without the fields that are merely shown."""


@dataclass(frozen=True, eq=False)
class Table:
    """Entries that may be compared.

    Attributes:
        number: counted from 1 within the data set.
        ranked, apart: submissions in order; ``apart`` are those that were trained on test statements.
    """

    dataset: Dataset
    number: int
    signatures: Signatures
    ranked: tuple[Entry, ...]
    apart: tuple[Entry, ...]
    baselines: tuple[Entry, ...]

    @cached_property
    def columns(self) -> list[Column]:
        """The columns in which any entry has a figure."""
        entries = (*self.ranked, *self.apart, *self.baselines)
        return [
            column
            for column in columns(self.dataset)
            if any(entry.estimate(column).value is not None for entry in entries)
        ]

    @cached_property
    def rows(self) -> list[Entry]:
        """Ranked entries and baselines together, in the default order."""
        return _in_order(self.dataset, (*self.ranked, *self.baselines))

    @property
    def size(self) -> int:
        """How many submissions it has."""
        return len(self.ranked) + len(self.apart)

    @property
    def versions(self) -> dict[str, list[str]]:
        """The values of the fields that do not keep scores apart, where there is more than one."""
        values: dict[str, set[str]] = defaultdict(set)
        for entry in (*self.ranked, *self.apart):
            for task in entry.tasks.values():
                signature = Signature.parse(task.signature)
                for name in signature.fields.keys() - signature.comparable().fields.keys():
                    values[name].add(signature.fields[name])
        return {name: sorted(seen) for name, seen in sorted(values.items()) if len(seen) > 1}

    @property
    def heading(self) -> str:
        """How the models were asked; the signature says it exactly."""
        first = next(iter(self.signatures.values()))
        shots = {"0": "no examples", "1": "1 example"}.get(first.get("shots"), f"{first.get('shots')} examples")
        chat = "no chat template" if first.get("chat") == "no" else "chat template"
        parts = [f"prompt {first.get('prompt')}", shots, chat]
        parts += [f"{name} {first.get(name)}" for name in ("system", "context") if first.get(name)]
        for kind, signature in self.signatures.items():
            if signature.get("max_gen_toks"):
                parts.append(f"up to {signature.get('max_gen_toks')} tokens")
            if signature.get("judge"):
                parts.append(f"judge {signature.get('judge')}")
            if (condition := signature.get("condition")) != KINDS[kind].condition:
                title = CONDITIONS[condition].title if condition in CONDITIONS else condition
                parts.append(f"{KINDS[kind].title.lower()} under the condition “{title}”")
        if len(self.signatures) < len(self.dataset.kinds):
            parts.append(f"only {' and '.join(KINDS[kind].title.lower() for kind in self.signatures)}")
        return ", ".join(parts)

    def count_ranked(self, column: str) -> int:
        """Count the entries that are ranked by a column."""
        return sum(column in entry.ranks for entry in self.ranked)


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


def submission_key(facts: Facts) -> str:
    """Return a submission's name in links."""
    return f"{model_folder(facts.model)}/{facts.run}"


def data_with_submissions(submitted: Sequence[Facts], names: Sequence[str] = ()) -> list[str]:
    """Return the names of the data sets with submissions, of all or of those named."""
    seen = {task.data for facts in submitted for task in facts.tasks.values()}
    return [name for name in DATASETS if name in seen and (not names or name in names)]


def make_tables(
    submitted: Sequence[Facts], judge: Judge, classical: Mapping[str, Classical], names: Sequence[str]
) -> dict[str, list[Table]]:
    """Make the tables of data sets, by name; those with most entries first, then with most tasks.

    Args:
        classical: the verdicts of the classical models, by data set.
        names: of the data sets.
    """
    tables = {}
    for name in names:
        dataset = DATASETS[name]
        entries = [entry for facts in submitted if (entry := _entry(facts, name)).tasks]
        baselines = [_entry(facts, name) for facts in baseline_facts(dataset, judge, classical.get(name))]
        parts = sorted(_part(entries), key=lambda part: (-len(part[1]), -len(part[0]), _text(part[0])))
        tables[name] = [
            _table(dataset, number, signatures, members, baselines)
            for number, (signatures, members) in enumerate(parts, start=1)
        ]
    return tables


def _entry(facts: Facts, name: str) -> Entry:
    tasks = {task.kind: task for task in facts.tasks.values() if task.data == name}
    return Entry(submission_key(facts), facts, {kind: tasks[kind] for kind in DATASETS[name].kinds if kind in tasks})


def _text(signatures: Signatures) -> tuple[tuple[str, str], ...]:
    return tuple((kind, str(signature)) for kind, signature in sorted(signatures.items()))


def _part(entries: Sequence[Entry]) -> list[tuple[Signatures, list[Entry]]]:
    """Part entries by their signatures; those with fewer tasks join the largest table that agrees with theirs."""
    parts: dict[tuple[tuple[str, str], ...], tuple[Signatures, list[Entry]]] = {}
    for entry in entries:
        signatures = {kind: Signature.parse(task.signature).comparable() for kind, task in entry.tasks.items()}
        parts.setdefault(_text(signatures), (signatures, []))[1].append(entry)
    sizes = {text: len(members) for text, (_, members) in parts.items()}
    tables: dict[tuple[tuple[str, str], ...], tuple[Signatures, list[Entry]]] = {}
    for text in sorted(parts, key=lambda text: -len(text)):
        homes = [home for home in tables if len(home) > len(text) and set(text) <= set(home)]
        if homes:
            tables[max(homes, key=lambda home: (sizes[home], home))][1].extend(parts[text][1])
        else:
            tables[text] = parts[text]
    return list(tables.values())


def _table(
    dataset: Dataset, number: int, signatures: Signatures, members: Sequence[Entry], baselines: Sequence[Entry]
) -> Table:
    ranked = [entry for entry in members if not entry.contaminated]
    ranks: dict[str, dict[str, Rank]] = {entry.key: {} for entry in ranked}
    trivial = [entry for entry in baselines if entry.status == "trivial"]
    for column in columns(dataset):
        kind, metric = column.metric.kind, column.metric.name
        if not column.ranked or not all(metric in entry.tasks[kind].bits for entry in ranked if kind in entry.tasks):
            continue
        did_it = [entry for entry in ranked if kind in entry.tasks]
        models, floor = (
            [entry.tasks[kind].bits[metric] for entry in side if kind in entry.tasks] for side in (did_it, trivial)
        )
        places = rank(clusters(dataset.name), models, floor, higher_is_better=column.higher_is_better)
        for entry, place in zip(did_it, places or ()):
            ranks[entry.key][column.name] = place
    return Table(
        dataset,
        number,
        signatures,
        tuple(_in_order(dataset, [replace(entry, ranks=ranks[entry.key]) for entry in ranked])),
        tuple(_in_order(dataset, [entry for entry in members if entry.contaminated])),
        tuple(baselines),
    )


def _in_order(dataset: Dataset, entries: Sequence[Entry]) -> list[Entry]:
    """Sort by the ranked columns from left to right, the best first; entries without a figure come last."""
    ranked = [column for column in columns(dataset) if column.ranked]

    def place(entry: Entry) -> tuple[tuple[bool, float], ...]:
        values = [(entry.estimate(column).value, column.higher_is_better) for column in ranked]
        return tuple((value is None, -(value or 0.0) if higher else value or 0.0) for value, higher in values)

    return sorted(entries, key=lambda entry: (place(entry), entry.key))
