"""What stands on the board: a table for every split and every way of asking, with ranks.

Scores are ranked against each other only where their signatures agree. The one field that may differ is the version of
the harness, since prompts, reading and scoring are this project's; a table says so where it does. A run of one task
only stands with those that did that task alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dfar_bench.data import SPLITS
from dfar_bench.judges import Judge
from dfar_bench.leaderboard.flags import Flag
from dfar_bench.leaderboard.names import model_folder
from dfar_bench.leaderboard.site.classical import Classical
from dfar_bench.leaderboard.site.facts import Facts, Figure, TaskFacts
from dfar_bench.leaderboard.site.nulls import NULL, null_models
from dfar_bench.leaderboard.site.ranks import Rank, layout, rank
from dfar_bench.metrics import METRICS

MAY_DIFFER = ("lm_eval",)

COLUMNS = (
    ("Accuracy", "cls", "acc"),
    ("MAR", "reason", "mar"),
    ("MAR in itself", "reason", "mar_self"),
    ("Verdict acc.", "reason", "verdict_acc"),
    ("Groups right", "cls", "group_acc"),
)
"""What a table shows: heading, kind of task and metric; its ``_unleaked`` form on splits that leak."""

RANKED = {"acc": "cls", "mar": "reason"}
HIGHER_IS_BETTER = {metric.name: metric.higher_is_better for metrics in METRICS.values() for metric in metrics}

TITLES = {"paper": "DFAR", "clean": "Clean split", "mini": "Mini", "ethos": "ETHOS"}
DESCRIPTIONS = {
    "paper": "The published test set. 189 of its 500 statements also stand in the train set, so accuracy, MAR and "
    "verdict accuracy are those on the 311 that do not, and MAR in itself is on all.",
    "clean": "The same 4,811 statements divided again, so that none of the 480 in test is near one in train.",
    "mini": "52 statements written for this project, for trying things out. They never stand in for DFAR.",
    "ethos": "998 online comments, hate speech or not. There are no human reasons, so MAR says only whether a "
    "response is at odds with the label, or no argument at all.",
}


@dataclass(frozen=True)
class Entry:
    """A submission, or a null or classical model, on one split.

    Attributes:
        key: names it in links and files.
        tasks: by kind.
        ranks: by metric (``acc``, ``mar``); none for entries that are not ranked.
        same_answers: the flag that other submissions give it.
    """

    key: str
    facts: Facts
    tasks: Mapping[str, TaskFacts]
    extra: tuple[Flag, ...] = ()
    ranks: Mapping[str, Rank] = field(default_factory=dict)

    @property
    def is_null(self) -> bool:
        """Whether it is none of the submissions."""
        return self.facts.mode == "null"

    @property
    def knows_nothing(self) -> bool:
        """Whether it has learned nothing, unlike the classical models."""
        return self.is_null and self.facts.run == NULL

    @property
    def contaminated(self) -> bool | None:
        """Whether it was trained on test statements of this split; None if that cannot be told."""
        found = [task.contamination.contaminated for task in self.tasks.values() if task.contamination]
        return True if True in found else None if None in found else False

    @property
    def flags(self) -> list[Flag]:
        """Each kind once, its sentences together."""
        texts: dict[str, list[str]] = defaultdict(list)
        for flag in (*(one for task in self.tasks.values() for one in task.flags), *self.facts.flags, *self.extra):
            if flag.text not in texts[flag.kind]:
                texts[flag.kind].append(flag.text)
        return [Flag(kind, "; ".join(found)) for kind, found in texts.items()]

    def figure(self, kind: str, metric: str) -> Figure:
        """A metric with its interval; on splits that leak, over the unleaked rows where there is such a metric."""
        if (task := self.tasks.get(kind)) is None:
            return (None, None, None)
        return task.figures[counted(task.split, metric, task.figures)]


@dataclass(frozen=True)
class Group:
    """Entries that may be held against each other.

    Attributes:
        signatures: by kind, without the fields that may differ.
        differing: the values of those, where there is more than one.
        ranked, apart: entries in order; ``apart`` are those trained on test statements.
    """

    split: str
    number: int
    signatures: Mapping[str, str]
    differing: Mapping[str, Sequence[str]]
    ranked: tuple[Entry, ...]
    apart: tuple[Entry, ...]
    nulls: tuple[Entry, ...]

    def taking(self, metric: str) -> int:
        """How many entries are ranked by a metric."""
        return sum(metric in entry.ranks for entry in self.ranked)

    @property
    def rows(self) -> tuple[Entry, ...]:
        """Ranked entries and null models together, in the default order."""
        return tuple(sorted((*self.ranked, *self.nulls), key=_order))


def counted(split: str, metric: str, known: Iterable[str]) -> str:
    """The form of a metric that is shown for a split."""
    return f"{metric}_unleaked" if layout(split).has_leak and f"{metric}_unleaked" in known else metric


def submission_key(facts: Facts) -> str:
    """Names a submission in links and files."""
    return f"{model_folder(facts.model)}/{facts.run}"


def splits_of(found: Sequence[Facts], among: Iterable[str]) -> list[str]:
    """The splits that somebody submitted to."""
    submitted = {task.split for facts in found for task in facts.tasks.values()}
    return [split for split in among if split in submitted]


def groups(
    found: Sequence[Facts],
    extra: Mapping[str, Sequence[Flag]],
    judge: Judge,
    classical: Mapping[str, Classical],
    splits: Sequence[str] = SPLITS,
) -> dict[str, list[Group]]:
    """The tables of each split that somebody submitted to, those with most entries first, then with most tasks.

    Args:
        extra: flags that follow from other submissions, by key.
        classical: the verdicts of the classical models, by split.
        splits: those that are wanted.
    """
    out = {}
    for split in splits_of(found, splits):
        entries = [entry for facts in found if (entry := _entry(facts, split, extra)).tasks]
        nulls = tuple(_entry(facts, split, {}) for facts in null_models(split, judge, classical.get(split)))
        parted = sorted(_parted(entries), key=lambda members: (-len(members[1]), -len(members[0]), members[0]))
        out[split] = [
            _group(split, number, dict(signatures), members, nulls)
            for number, (signatures, members) in enumerate(parted, start=1)
        ]
    return out


def comparable(signature: str) -> str:
    """A signature without the fields that may differ."""
    return "|".join(part for part in signature.split("|") if part.partition(":")[0] not in MAY_DIFFER)


def _entry(facts: Facts, split: str, extra: Mapping[str, Sequence[Flag]]) -> Entry:
    key = submission_key(facts)
    tasks = {task.kind: task for task in facts.tasks.values() if task.split == split}
    return Entry(key, facts, tasks, tuple(extra.get(key, ())))


Signatures = tuple[tuple[str, str], ...]


def _parted(entries: Sequence[Entry]) -> list[tuple[Signatures, list[Entry]]]:
    by_signatures: dict[Signatures, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_signatures[tuple((kind, comparable(task.signature)) for kind, task in sorted(entry.tasks.items()))].append(
            entry
        )
    whole = {both: members for both, members in by_signatures.items() if len(both) == len(METRICS)}
    for one, members in by_signatures.items():
        if one not in whole:
            fitting = [both for both in whole if one[0] in both]
            home = max(fitting, key=lambda both: (len(by_signatures[both]), both), default=None)
            if home:
                whole[home] = [*whole[home], *members]
            else:
                whole[one] = members
    return list(whole.items())


def _group(
    split: str, number: int, signatures: Mapping[str, str], members: Sequence[Entry], nulls: tuple[Entry, ...]
) -> Group:
    differing = {}
    for name in MAY_DIFFER:
        values = {
            value
            for entry in members
            for task in entry.tasks.values()
            for part in task.signature.split("|")
            for known, _, value in [part.partition(":")]
            if known == name
        }
        if len(values) > 1:
            differing[name] = sorted(values)
    ranked = [entry for entry in members if not entry.contaminated]
    apart = [entry for entry in members if entry.contaminated]
    return Group(
        split,
        number,
        signatures,
        differing,
        tuple(sorted(_with_ranks(split, ranked, [one for one in nulls if one.knows_nothing]), key=_order)),
        tuple(sorted(apart, key=_order)),
        nulls,
    )


def _with_ranks(split: str, entries: Sequence[Entry], nulls: Sequence[Entry]) -> list[Entry]:
    ranks: dict[str, dict[str, Rank]] = {entry.key: {} for entry in entries}
    for metric, kind in RANKED.items():
        taking = [entry for entry in entries if kind in entry.tasks]
        bits, of_nulls = (
            [entry.tasks[kind].bits[metric] for entry in side if kind in entry.tasks] for side in (taking, nulls)
        )
        for entry, found in zip(taking, rank(split, bits, of_nulls, higher_is_better=HIGHER_IS_BETTER[metric]) or ()):
            ranks[entry.key][metric] = found
    return [replace(entry, ranks=ranks[entry.key]) for entry in entries]


def _order(entry: Entry) -> tuple[float, float, str]:
    """Accuracy, then MAR; entries without come last."""
    accuracy, mar = entry.figure("cls", "acc")[0], entry.figure("reason", "mar")[0]
    return (2.0 if accuracy is None else -accuracy, 2.0 if mar is None else mar, entry.key)
