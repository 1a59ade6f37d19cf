"""The board's contents: for every set of rows and every way of asking a table, with ranks.

Scores are ranked against each other only where their signatures agree in the comparing fields. Each model is to be
asked in the prompt of its kind: without a chat template in the paper's, with one in that of chat models. A submission
that was asked in another is in another table. A submission to some of a data set's tasks is in a table with those that
did the same tasks in the same way.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from dfar_bench.datasets import DATASETS, Dataset
from dfar_bench.errors import InputError
from dfar_bench.judges import Judge
from dfar_bench.leaderboard.baseline_rows import baseline_facts
from dfar_bench.leaderboard.classical import Classical
from dfar_bench.leaderboard.entries import Column, Entry, columns
from dfar_bench.leaderboard.facts import Facts
from dfar_bench.leaderboard.ranks import Rank, rank
from dfar_bench.leaderboard.row_set import RowSet, clusters
from dfar_bench.leaderboard.submission import model_folder
from dfar_bench.prompts import default_style, find_condition
from dfar_bench.scoring import KINDS, Kind, Signature

RECOMMENDED = "clean"
"""The data set whose figures we recommend to quote: it comes first."""

Signatures = dict[str, Signature]
"""By kind of task, in the data set's order: the fields that keep scores apart."""


@dataclass(frozen=True, eq=False)
class Table:
    """Entries that may be compared.

    Attributes:
        number: counted from 1 within the row set.
        ranked, apart: submissions in order; ``apart`` are those that were trained on test statements.
    """

    row_set: RowSet
    number: int
    signatures: Signatures
    ranked: tuple[Entry, ...]
    apart: tuple[Entry, ...]
    baselines: tuple[Entry, ...]

    @property
    def dataset(self) -> Dataset:
        return self.row_set.dataset

    @cached_property
    def columns(self) -> list[Column]:
        """The columns in which any submission has a figure."""
        entries = (*self.ranked, *self.apart)
        return [
            column
            for column in columns(self.dataset)
            if any(entry.estimate(column).value is not None for entry in entries)
        ]

    @cached_property
    def rows(self) -> list[Entry]:
        """Ranked entries and baselines together, in the default order."""
        return _in_order(columns(self.dataset), (*self.ranked, *self.baselines))

    @cached_property
    def references(self) -> list[Entry]:
        """The best trivial baseline and the best classical model: what a figure is to be compared with."""
        found = (self._comparable_baselines(status)[:1] for status in ("trivial", "classical"))
        return [entry for members in found for entry in members]

    @cached_property
    def other_baselines(self) -> list[Entry]:
        """The baselines that are not references."""
        found = (self._comparable_baselines(status)[1:] for status in ("trivial", "classical"))
        return [entry for members in found for entry in members]

    def _comparable_baselines(self, status: str) -> list[Entry]:
        """Return the baselines with a figure in a column of this table, the best first."""
        members = [entry for entry in self.baselines if entry.status == status and self.signatures.keys() & entry.tasks]
        return _in_order(self.columns, members)

    @cached_property
    def shown(self) -> list[Entry]:
        """Ranked entries and references together, in the default order."""
        return _in_order(self.columns, (*self.ranked, *self.references))

    @cached_property
    def ranked_columns(self) -> list[Column]:
        """The columns by which it is ranked; the first is that of the default order."""
        return [column for column in self.columns if column.ranked]

    @cached_property
    def prompts(self) -> set[str]:
        """The prompts in which its models were asked."""
        return {prompt for entry in (*self.ranked, *self.apart) for prompt in entry.prompts}

    @property
    def asked_by_kind(self) -> bool:
        """Whether each of its models was asked in the prompt of its kind."""
        return not any("prompt" in signature.fields for signature in self.signatures.values())

    @property
    def size(self) -> int:
        """How many submissions it has."""
        return len(self.ranked) + len(self.apart)

    @cached_property
    def repeated(self) -> set[str]:
        """The models that have several submissions here, which only their runs tell apart."""
        counts = Counter(entry.facts.model for entry in (*self.ranked, *self.apart))
        return {model for model, count in counts.items() if count > 1}

    @property
    def shown_fields(self) -> dict[str, list[str]]:
        """The fields that do not keep scores apart and are not the same for all: values, by a name for people."""
        values: dict[str, set[str]] = defaultdict(set)
        for entry in (*self.ranked, *self.apart):
            for task in entry.tasks.values():
                signature = Signature.parse(task.signature)
                for name in ("dtype", "dfar_bench", "lm_eval"):
                    values[name].add(signature.get(name, "not known"))
                if signature.get("gen"):
                    values["limit on tokens"].add(signature.get("max_gen_toks", "not known"))
                    values["seed of sampled answers"].add(signature.get("seed", "none"))
        return {name: sorted(seen) for name, seen in sorted(values.items()) if len(seen) > 1}

    @property
    def heading(self) -> str:
        """How the models were asked, in plain words; the signature says it exactly."""
        first = next(iter(self.signatures.values()))
        shots = shots_text(first)
        how = "in the prompt of its kind" if self.asked_by_kind and not self.dataset.style else ""
        if first.get("prompt"):
            chat = "without a chat template" if first.get("chat") == "no" else "under a chat template"
            how = f"in the prompt {first.get('prompt').removesuffix('.v1')} {chat}"
        parts = [" ".join(filter(None, ["each model asked", how, shots]))]
        parts += [f"{len(self.row_set.rows)} rows"] if self.row_set.sampled else []
        parts += ["with a system prompt"] if first.get("system") else []
        asked = {}
        for kind, signature in self.signatures.items():
            unusual = (condition := signature.get("condition")) != _usual(KINDS[kind])
            asked[kind] = (
                f"{KINDS[kind].title.lower()} under the condition “{condition_title(condition)}”" if unusual else ""
            )
        if len(self.signatures) < len(self.dataset.kinds):
            parts.append(f"only {' and '.join(text or KINDS[kind].title.lower() for kind, text in asked.items())}")
        else:
            parts += filter(None, asked.values())
        return ", ".join(parts)

    def count_ranked(self, column: str) -> int:
        """Count the entries that are ranked by a column."""
        return sum(column in entry.ranks for entry in self.ranked)


def _usual(kind: Kind) -> str:
    return find_condition(kind.condition).signature


def shots_text(signature: Signature) -> str:
    """Say how many examples stood before the question."""
    shots = signature.get("shots")
    return {"0": "without examples", "1": "with 1 example"}.get(shots, f"with {shots} examples")


def condition_title(condition: str) -> str:
    """Return what a condition is called, or its name where this version does not know it."""
    try:
        return find_condition(condition).title
    except InputError:
        return condition


def keeps_apart(text: str) -> Signature:
    """Return the fields that keep a score apart: the comparing ones, and the prompt if it is not that of its kind."""
    signature = Signature.parse(text)
    style, chat = signature.get("prompt").partition(".")[0], signature.get("chat")
    dataset = DATASETS.get(signature.get("data"))
    if dataset and chat in ("no", "yes", "multiturn") and style == default_style(dataset, chat=chat != "no"):
        return signature.comparable()
    how = {name: signature.get(name) for name in ("prompt", "chat")}
    return Signature({**signature.comparable().fields, **how})


def is_sample(signature: str) -> bool:
    """Whether scores are of the moral suite's sample: a submission answers that or all rows."""
    return "rows" in Signature.parse(signature).fields


def submission_key(facts: Facts) -> str:
    """Return a submission's name in links."""
    return f"{model_folder(facts.model)}/{facts.run}"


def data_with_submissions(submitted: Sequence[Facts], names: Sequence[str] = ()) -> list[str]:
    """Return the names of the data sets with submissions, of all or of those named; the recommended one first."""
    seen = {task.data for facts in submitted for task in facts.tasks.values()}
    chosen = [name for name in DATASETS if name in seen and (not names or name in names)]
    return sorted(chosen, key=lambda name: name != RECOMMENDED)


def make_tables(
    submitted: Sequence[Facts], judge: Judge, classical: Mapping[str, Classical], names: Sequence[str]
) -> dict[str, list[Table]]:
    """Make the tables of data sets, by key of the row set; those with most entries first, then with most tasks.

    Args:
        classical: the verdicts of the classical models, by data set.
        names: of the data sets.
    """
    tables = {}
    for row_set in (RowSet(DATASETS[name], sampled) for name in names for sampled in (False, True)):
        entries = [entry for facts in submitted if (entry := _entry(facts, row_set)).tasks]
        if not entries:
            continue
        verdicts = None if row_set.sampled else classical.get(row_set.dataset.name)
        baselines = [_entry(facts, row_set) for facts in baseline_facts(row_set, judge, verdicts)]
        parts = sorted(_part(entries), key=lambda part: (-len(part[1]), -len(part[0]), _text(part[0])))
        tables[row_set.key] = [
            _table(row_set, number, signatures, members, baselines)
            for number, (signatures, members) in enumerate(parts, start=1)
        ]
    return tables


def _entry(facts: Facts, row_set: RowSet) -> Entry:
    """Return what facts say of rows; those of a baseline are of these rows alone."""
    name = row_set.dataset.name
    tasks = {
        task.kind: task
        for task in facts.tasks.values()
        if task.data == name and (not task.signature or is_sample(task.signature) == row_set.sampled)
    }
    return Entry(submission_key(facts), facts, {kind: tasks[kind] for kind in row_set.dataset.kinds if kind in tasks})


def _text(signatures: Signatures) -> tuple[tuple[str, str], ...]:
    return tuple((kind, str(signature)) for kind, signature in sorted(signatures.items()))


def _part(entries: Sequence[Entry]) -> list[tuple[Signatures, list[Entry]]]:
    """Part entries by their signatures; those with fewer tasks join the largest table that agrees with theirs."""
    parts: dict[tuple[tuple[str, str], ...], tuple[Signatures, list[Entry]]] = {}
    for entry in entries:
        signatures = {kind: keeps_apart(task.signature) for kind, task in entry.tasks.items()}
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
    row_set: RowSet, number: int, signatures: Signatures, members: Sequence[Entry], baselines: Sequence[Entry]
) -> Table:
    dataset = row_set.dataset
    groups = clusters(dataset.name, sampled=row_set.sampled)
    ranked = [entry for entry in members if not entry.contaminated]
    ranks: dict[str, dict[str, Rank]] = {entry.key: {} for entry in ranked}
    trivial = [entry for entry in baselines if entry.status == "trivial"]
    for column in columns(dataset):
        kind, metric = column.metric.kind, column.metric.name
        if not column.ranked or not all(metric in entry.tasks[kind].bits for entry in ranked if kind in entry.tasks):
            continue
        did_it = [entry for entry in ranked if kind in entry.tasks and not entry.has_words_for(column.metric)]
        models, floor = (
            [entry.tasks[kind].bits[metric] for entry in side if kind in entry.tasks] for side in (did_it, trivial)
        )
        places = rank(groups, models, floor, higher_is_better=column.higher_is_better)
        for entry, place in zip(did_it, places or ()):
            ranks[entry.key][column.name] = place
    return Table(
        row_set,
        number,
        signatures,
        tuple(_in_order(columns(dataset), [replace(entry, ranks=ranks[entry.key]) for entry in ranked])),
        tuple(_in_order(columns(dataset), [entry for entry in members if entry.contaminated])),
        tuple(baselines),
    )


def _in_order(shown: Sequence[Column], entries: Sequence[Entry]) -> list[Entry]:
    """Sort by the ranked columns from left to right, the best first; entries without a figure come last."""
    ranked = [column for column in shown if column.ranked]

    def place(entry: Entry) -> tuple[tuple[bool, float], ...]:
        values = [(entry.estimate(column).value, column.higher_is_better) for column in ranked]
        return tuple((value is None, -(value or 0.0) if higher else value or 0.0) for value, higher in values)

    return sorted(entries, key=lambda entry: (place(entry), entry.key))
