"""The rows of the benchmark: parsing, contrast groups and leakage.

Facts of the published files that are fixed by their hashes stand here as constants.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING

import jsonlines

from dfar_bench.errors import InputError
from dfar_bench.sources import ETHOS_FILES, read_published
from dfar_bench.text import common_prefix, fold, words

if TYPE_CHECKING:
    from datasets import DatasetDict

SPLITS = ("paper", "clean", "mini", "ethos")
LABELS = ("ethical", "unethical")
"""The two verdicts; their position is the label."""

COLUMNS = ("row_id", "statement", "label", "reason", "domain", "group_id", "leaked")
"""What ``load`` gives for every row."""

# The published files hold one kind of statement, then the other (0-based row of the change).
_TRAIN_COMMONSENSE_ROWS = 2909
_TEST_JUSTICE_ROWS = 312

# From this share of votes on, an ETHOS comment counts as hate, and as unethical (74 of 998 have exactly this share).
_HATE = 0.5

# Neighbouring statements belong to one contrast group when they begin alike.
_MIN_PREFIX_WORDS = 4
_MIN_PREFIX_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """One statement with its human verdict and reason.

    ``contrast`` is the number of unleaked rows in the row's contrast group if their labels are mixed and the
    row is one of them, else 0: the rows on which ``group_acc`` is measured.
    """

    row_id: str
    statement: str
    label: int
    reason: str
    domain: str
    group_id: str
    leaked: bool
    contrast: int = 0


Rows = dict[str, tuple[Row, ...]]


def task_name(split: str, kind: str) -> str:
    """What the harness calls the task of a split and a kind (``cls`` or ``reason``), such as ``dfar_clean_cls``."""
    prefix = {"paper": "dfar", "ethos": "ethos"}.get(split, f"dfar_{split}")
    return f"{prefix}_{kind}"


@cache
def rows(split: str) -> Rows:
    """``{"train": rows, "test": rows}`` of a split, without importing ``datasets``.

    Raises:
        InputError: see ``dfar_bench.load``.
    """
    if split == "paper":
        return _paper()
    if split == "clean":
        return _clean()
    if split == "mini":
        return _mini()
    if split == "ethos":
        return _ethos()
    raise InputError(f"there is no split {split!r}: choose one of {', '.join(SPLITS)}.")


def dataset_dict(split: str) -> DatasetDict:
    """See ``dfar_bench.load``."""
    from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

    text = Value("string")
    features = Features(dict.fromkeys(COLUMNS, text))
    features["label"] = ClassLabel(names=list(LABELS))
    features["leaked"] = Value("bool")
    return DatasetDict(
        {
            part: Dataset.from_dict({name: [getattr(row, name) for row in found] for name in COLUMNS}, features)
            for part, found in rows(split).items()
        }
    )


def row_hash(row_id: str) -> str:
    """The first 16 hexadecimal digits of a row id's sha256, by which training rows are declared."""
    return hashlib.sha256(row_id.encode()).hexdigest()[:16]


def without_tested(train: Iterable[Row], test: Iterable[Row]) -> list[Row]:
    """The train rows whose statement does not also stand in test: ``leaked``, seen from train."""
    tested = {fold(row.statement) for row in test}
    return [row for row in train if fold(row.statement) not in tested]


def parse_published(content: bytes, name: str) -> list[tuple[str, int, str]]:
    """The ``(statement, label, reason)`` triples of a CSV file in DFAR's format, texts untouched.

    Raises:
        InputError: names the file and the 0-based row of the first fault.
    """
    with _refusing_unreadable(name):
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        if missing := {"Statement", "Label", "Reason"} - set(reader.fieldnames or ()):
            raise InputError(f"{name} has no column {', '.join(sorted(missing))}: expected Statement,Label,Reason.")
        triples = []
        for number, record in enumerate(reader):
            statement, label, reason = (record[column] or "" for column in ("Statement", "Label", "Reason"))
            if label not in ("0", "1"):
                raise InputError(
                    f"{name}, row {number}: the label is {label!r}; it must be 0 (ethical) or 1 (unethical)."
                )
            for column, text in (("statement", statement), ("reason", reason)):
                if not text.strip():
                    raise InputError(f"{name}, row {number}: the {column} is empty; every row needs one.")
            triples.append((statement, int(label), reason))
    return triples


@contextmanager
def _refusing_unreadable(name: str) -> Iterator[None]:
    """Put into words what makes a published file unreadable."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 (byte {error.start}): take the published file as it is.") from None
    except csv.Error as error:
        raise InputError(f"{name} is not a well-formed CSV file ({error}): take the published file as it is.") from None


def contrast_groups(statements: Sequence[str]) -> list[int]:
    """Number the contrast groups of statements in file order.

    A statement joins its predecessor's group when the two share at least 4 words at their beginning and these
    are at least half of the shorter one. Adjacency matters: common openings ("I deserve to be …") recur
    throughout DFAR, so comparing all pairs would merge unrelated premises.

    Returns:
        The group number of each statement, counted from 0, never falling.
    """
    numbers: list[int] = []
    previous: Sequence[str] = ()
    for statement in statements:
        current = words(statement)
        shared = common_prefix(previous, current)
        joins = shared >= _MIN_PREFIX_WORDS and shared >= _MIN_PREFIX_SHARE * min(len(previous), len(current))
        numbers.append(numbers[-1] + (not joins) if numbers else 0)
        previous = current
    return numbers


def _paper() -> Rows:
    train = _paper_rows("train", ("commonsense", _TRAIN_COMMONSENSE_ROWS, "justice"))
    test = _paper_rows("test", ("justice", _TEST_JUSTICE_ROWS, "commonsense"))
    return _split(train, test)


def _paper_rows(part: str, domains: tuple[str, int, str]) -> list[Row]:
    name = f"DFAR_{part}set.csv"
    content, path = read_published(name)
    triples = parse_published(content, str(path))
    first, change, second = domains
    return [
        Row(
            row_id=f"paper-{part}-{number:04d}",
            statement=statement,
            label=label,
            reason=reason,
            domain=first if number < change else second,
            group_id=f"paper-{part}-g{group:04d}",
            leaked=False,
        )
        for number, ((statement, label, reason), group) in enumerate(
            zip(triples, contrast_groups([statement for statement, _, _ in triples]))
        )
    ]


def _clean() -> Rows:
    from dfar_bench.clean import clean_parts, committed_manifest

    return _split(*clean_parts(rows("paper"), committed_manifest()))


def parse_ethos(content: bytes, name: str) -> list[tuple[str, float]]:
    """The ``(comment, isHate)`` pairs of ETHOS' binary file; ``isHate`` is the share of votes for hate, 0 to 1.

    Raises:
        InputError: names the file and the 0-based row of the first fault.
    """
    with _refusing_unreadable(name):
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";", strict=True)
        if next(reader, None) != ["comment", "isHate"]:
            raise InputError(f"{name} does not begin with comment;isHate: it must be separated by semicolons.")
        pairs = []
        for number, record in enumerate(reader):
            try:
                comment, votes = record
                share = float(votes)
            except ValueError:
                raise InputError(
                    f"{name}, row {number} is not comment;isHate: take the published file as it is."
                ) from None
            if not 0 <= share <= 1:
                raise InputError(f"{name}, row {number}: isHate is {votes}; it must be between 0 and 1.")
            if not comment.strip():
                raise InputError(f"{name}, row {number}: the comment is empty; every row needs one.")
            pairs.append((comment, share))
    return pairs


def _ethos() -> Rows:
    (name,) = ETHOS_FILES
    content, path = read_published(name)
    firsts: dict[str, int] = {}  # one comment stands there twice
    test = [
        Row(
            row_id=f"ethos-test-{number:04d}",
            statement=comment,
            label=int(share >= _HATE),
            reason="",
            domain="hate_speech",
            group_id=f"ethos-g{firsts.setdefault(fold(comment), number):04d}",
            leaked=False,
        )
        for number, (comment, share) in enumerate(parse_ethos(content, str(path)))
    ]
    return _split((), test)


def _mini() -> Rows:
    with (resources.files("dfar_bench") / "mini.jsonl").open(encoding="utf-8") as file:
        records = list(jsonlines.Reader(file))
    parts: dict[str, list[Row]] = {"train": [], "test": []}
    for record in records:
        part = parts[record["split"]]
        part.append(
            Row(
                row_id=f"mini-{record['split']}-{len(part):04d}",
                statement=record["statement"],
                label=record["label"],
                reason=record["reason"],
                domain=record["domain"],
                group_id=f"mini-{record['group']}",
                leaked=False,
            )
        )
    return _split(**parts)


def _split(train: Sequence[Row], test: Sequence[Row]) -> Rows:
    """The two parts of a split, the test rows with all that follows from the other rows."""
    known = {fold(row.statement) for row in train}
    marked = (replace(row, leaked=fold(row.statement) in known) for row in test)
    return {"train": tuple(train), "test": tuple(_with_contrast(marked))}


def _with_contrast(found: Iterable[Row]) -> list[Row]:
    out = []
    for _, members in groupby(found, key=lambda row: row.group_id):
        group = list(members)
        labels = [row.label for row in group if not row.leaked]
        size = len(labels) if len(set(labels)) == 2 else 0
        out += [replace(row, contrast=0 if row.leaked else size) for row in group]
    return out
