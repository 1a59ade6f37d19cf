"""Data sets and their rows: what a data set is, contrast groups, leakage, near pairs.

To add a data set, write one file in this folder that adds a ``Dataset`` to ``DATASETS``; see ``mini.py``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError
from dfar_bench.files import DownloadError, cache_folder, check_sha256, download
from dfar_bench.registry import Registry
from dfar_bench.text import common_prefix, normalize, words

LABELS = ("ethical", "unethical")
"""The two verdicts of DFAR; a label is the index of a verdict."""

COLUMNS = ("row_id", "statement", "label", "reason", "domain", "group_id", "leaked")
"""The columns that ``load`` returns."""

# Neighbouring statements belong to one contrast group if they begin alike.
MIN_PREFIX_WORDS = 4
_MIN_PREFIX_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """One statement with people's label and reason.

    Attributes:
        dataset: the name of its data set.
        label: index into the data set's labels.
        reason: the human reason, "" where there is none.
        leaked: the statement is also in the train set.
        contrast: size of the row's contrast group, counting unleaked rows, if the group's labels are mixed and the
            row is not leaked; else 0. The rows on which ``group_acc`` is measured.
        shares: share of people for each label, summing to 1; () where only the label is known.
        facts: what else the data say of it: numbers and words for prompts and metrics, by name.
    """

    dataset: str
    row_id: str
    statement: str
    label: int
    reason: str = ""
    domain: str = ""
    group_id: str = ""
    leaked: bool = False
    contrast: int = 0
    shares: tuple[float, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)


Rows = dict[str, tuple[Row, ...]]
"""``{"train": rows, "test": rows}``."""


@dataclass(frozen=True)
class Dataset:
    """A data set: all that the benchmark knows of it, but for its rows.

    Attributes:
        name: as in ``load`` and ``--split``.
        task: prefix of its tasks' names in lm_eval.
        title, description: for the board.
        read: returns the rows; called once.
        labels: the verdicts, in the order of label indices.
        question: asks for a verdict, in the prompt style ``plain``.
        kinds: names of the kinds of task it has (``scoring.kinds``); with labels other than ``LABELS``, ("cls",).
        files: name -> sha256 of the published files.
        folder: their folder inside ``DFAR_BENCH_DATA`` and the cache.
        url, commit: the official address of these files, and the commit it is pinned to.
        mirror: environment variable that may hold another address.
        licence, homepage: of the published data.
        parents: names of data sets that its rows are taken from, or were chosen by.
        examples_from: name of the data set whose train rows are its few-shot examples.
        trains: whether train/sft.py trains on its train rows.
        publishable: whether its texts may be published; true only for our own.
        style: the prompt style that its publication fixes, with conditions of its own; "" where ours are used.
        suite: whether its verdicts are part of the group ``moral_suite``.
        answers: for such a style, row -> for each label the continuations that mean it, whose probabilities are added.
        has_right_answer: of a row: false where no label is right, and the row's only fills its place.
        place: where a row is in the published files, such as ``test:261``, for those who have them.
        content_warning: shown when a task on it starts.
        note: goes into the metadata of its task files.
    """

    name: str
    task: str
    title: str
    description: str
    read: Callable[[], Rows] = field(repr=False)
    labels: tuple[str, ...] = LABELS
    question: str = "Is the following statement ethical or unethical?"
    kinds: tuple[str, ...] = ("cls", "reason")
    files: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    url: str = ""
    commit: str = ""
    mirror: str = ""
    licence: str = ""
    homepage: str = ""
    parents: tuple[str, ...] = ()
    examples_from: str | None = None
    trains: bool = False
    publishable: bool = False
    style: str = ""
    suite: bool = False
    answers: Callable[[Row], Sequence[Sequence[str]]] | None = field(default=None, repr=False)
    has_right_answer: Callable[[Row], bool] = field(default=lambda row: True, repr=False)
    place: Callable[[Row], str] = field(default=lambda row: _place(row.row_id), repr=False)
    content_warning: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if "reason" in self.kinds and self.labels != LABELS:
            raise ValueError(
                f"a written verdict is only read as {' or '.join(LABELS)}: "
                f'set kinds=("cls",) for the data set {self.name!r}, which has other labels'
            )

    @property
    def options(self) -> str:
        """The labels as a choice, such as "ethical or unethical"."""
        return " or ".join([*filter(None, [", ".join(self.labels[:-1])]), self.labels[-1]])

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the data sets whose files its tasks read: its own, its parents' and its few-shot examples'."""
        return tuple(dict.fromkeys([self.name, *self.parents, self.examples_from or self.name]))

    @property
    def quotes(self) -> tuple[str, ...]:
        """Names of the data sets whose texts an answer may quote and nobody may publish."""
        return tuple(name for name in self.needs if not DATASETS[name].publishable)

    def task_name(self, kind: str) -> str:
        """Return lm_eval's name of its task of a kind, such as ``dfar_clean_cls``; one with a style has one kind."""
        return self.task if self.style else f"{self.task}_{kind}"

    @cached_property
    def has_leak(self) -> bool:
        """Whether a test statement is also in the train set."""
        return any(row.leaked for row in rows(self.name)["test"])

    def training_set(self, drop_leaked: bool) -> str:
        """Return the name of its train rows in submissions, such as ``dfar_train_unleaked``."""
        return self.training_sets[drop_leaked and self.has_leak]

    @property
    def training_sets(self) -> tuple[str, str]:
        """The names of all its train rows, and of those that are not in the test set."""
        return f"{self.task}_train", f"{self.task}_train_unleaked"


def _place(row_id: str) -> str:
    """Return part and index from a row id such as ``paper-test-0261``."""
    _, part, number = row_id.rsplit("-", 2)
    return f"{part}:{int(number)}"


DATASETS: Registry[Dataset] = Registry("data set")


def get_dataset(name: str) -> Dataset:
    """Return a data set.

    Raises:
        InputError: there is none of that name.
    """
    return DATASETS.find(name)


@cache
def rows(name: str) -> Rows:
    """Return train and test rows of a data set, without importing ``datasets``.

    Raises:
        InputError: there is no such data set, or its files are not available or are not the published ones.
    """
    return get_dataset(name).read()


def read_published(dataset: Dataset, name: str) -> tuple[bytes, Path]:
    """Return the bytes of a published file and the path it was found at.

    Looks in the folder named by ``DFAR_BENCH_DATA`` (in it, or in its subfolder for the data set), then in the cache,
    then downloads from the mirror or the official address. Whatever the way, the sha256 must be the published one.

    Raises:
        InputError: the file is not found and cannot be downloaded, or is not the published one.
    """
    sha256 = dataset.files[name]
    path = _in_user_folder(dataset, name)
    if path is None:
        url = (os.environ.get(dataset.mirror) if dataset.mirror else None) or dataset.url
        try:
            path = download(url, name, sha256, _cached(dataset, name).parent)
        except DownloadError as error:
            raise InputError(
                f"{name} is neither in DFAR_BENCH_DATA nor in the cache, and downloading it from "
                f"{url.rstrip('/')}/{name} failed ({error}): "
                f"set DFAR_BENCH_DATA to a folder with the published files, or try again online."
            ) from None
    return check_sha256(path, sha256), path


def available(name: str) -> bool:
    """Whether all that a data set needs can be read without a download."""
    return all(
        _in_user_folder(dataset, file) or _cached(dataset, file).is_file()
        for dataset in map(get_dataset, get_dataset(name).needs)
        for file in dataset.files
    )


def _cached(dataset: Dataset, name: str) -> Path:
    return cache_folder() / dataset.folder / dataset.commit[:12] / name


def _in_user_folder(dataset: Dataset, name: str) -> Path | None:
    chosen = os.environ.get("DFAR_BENCH_DATA")
    if not chosen:
        return None
    folder = Path(chosen)
    if not folder.is_dir():
        raise InputError(f"DFAR_BENCH_DATA names {chosen}, which is not a folder: correct it or unset it.")
    return next((path for path in (folder / name, folder / dataset.folder / name) if path.is_file()), None)


def row_hash(row_id: str) -> str:
    """Hash a row id to 16 hexadecimal digits: how training rows are declared in ``dfar_run.json``."""
    return hashlib.sha256(row_id.encode()).hexdigest()[:16]


def statement_hash(statement: str) -> str:
    """Hash a normalized statement to 16 hexadecimal digits: how the manifest of the clean split names it."""
    return hashlib.sha256(normalize(statement).encode()).hexdigest()[:16]


def without_leaked(train: Iterable[Row], test: Iterable[Row]) -> list[Row]:
    """Return the train rows whose statement is not in the test set."""
    tested = {normalize(row.statement) for row in test}
    return [row for row in train if normalize(row.statement) not in tested]


def contrast_groups(statements: Sequence[str]) -> list[int]:
    """Number the contrast groups of statements in file order.

    A statement joins its predecessor's group if the two share at least 4 words at their beginning and these are at
    least half of the shorter one. Only neighbours are compared: common openings ("I deserve to be …") recur throughout
    DFAR, so comparing all pairs would merge unrelated premises.

    Returns:
        The group number of each statement, counted from 0, never falling.
    """
    numbers: list[int] = []
    previous: Sequence[str] = ()
    for statement in statements:
        current = words(statement)
        numbers.append(numbers[-1] + (not begin_alike(previous, current)) if numbers else 0)
        previous = current
    return numbers


def begin_alike(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two statements, as words, share at least 4 words at their beginning, half of the shorter one or more."""
    shared = common_prefix(first, second)
    return shared >= MIN_PREFIX_WORDS and shared >= _MIN_PREFIX_SHARE * min(len(first), len(second))


def mark(train: Sequence[Row], test: Sequence[Row]) -> Rows:
    """Build the rows of a data set: mark leaked test rows and the sizes of contrast groups."""
    trained = {normalize(row.statement) for row in train}
    marked = (replace(row, leaked=normalize(row.statement) in trained) for row in test)
    return {"train": tuple(train), "test": tuple(_with_contrast(marked))}


def _with_contrast(test: Iterable[Row]) -> list[Row]:
    marked = []
    for _, members in groupby(test, key=lambda row: row.group_id):
        group = list(members)
        labels = [row.label for row in group if not row.leaked]
        size = len(labels) if len(set(labels)) > 1 else 0
        marked += [replace(row, contrast=0 if row.leaked else size) for row in group]
    return marked


def near_pairs(statements: Sequence[str], least: float) -> Any:
    """Find pairs of statements that share enough of their words.

    Args:
        least: the smallest Jaccard index of the two sets of words, in (0, 1].

    Returns:
        Sparse matrix, shape (statements, statements), upper triangle, holding the index of each such pair.
    """
    from scipy import sparse

    holds, sizes = _word_sets(statements)
    return _near(sparse.triu(holds @ holds.T, k=1), sizes, sizes, least)


def near_between(first: Sequence[str], second: Sequence[str], least: float) -> set[tuple[int, int]]:
    """Find pairs of a statement of the first and one of the second list that share enough of their words.

    Args:
        least: see ``near_pairs``.

    Returns:
        (number in the first, number in the second) of each such pair.
    """
    holds, sizes = _word_sets([*first, *second])
    border, found = len(first), set[tuple[int, int]]()
    for start in range(0, border, _BLOCK):  # whole, the products of large data sets would not fit into memory
        end = min(start + _BLOCK, border)
        near = _near(holds[start:end] @ holds[border:].T, sizes[start:end], sizes[border:], least)
        found |= {(start + int(row), int(column)) for row, column in zip(near.row, near.col)}
    return found


_BLOCK = 1000


def _word_sets(statements: Sequence[str]) -> tuple[Any, Any]:
    """Return which words each statement holds, as a sparse matrix (statements, words), and how many."""
    import numpy as np
    from scipy import sparse

    sets = [sorted(set(words(statement))) for statement in statements]
    columns = {word: number for number, word in enumerate(sorted(set().union(*sets)))}
    indices = [columns[word] for members in sets for word in members]
    sizes = np.array([len(members) for members in sets])
    ends = np.concatenate([[0], np.cumsum(sizes)])
    return sparse.csr_matrix((np.ones(len(indices), np.int32), indices, ends), shape=(len(sets), len(columns))), sizes


def _near(common: Any, rows: Any, columns: Any, least: float) -> Any:
    """Keep the Jaccard index of pairs that have enough words in common; sizes of the sets in rows and columns."""
    from scipy import sparse

    common = common.tocoo()
    jaccard = common.data / (rows[common.row] + columns[common.col] - common.data)
    near = jaccard >= least
    return sparse.coo_matrix((jaccard[near], (common.row[near], common.col[near])), shape=common.shape)
