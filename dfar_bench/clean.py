"""The ``clean`` split: DFAR's distinct statements, divided again so that nothing leaks from train into test.

The published test set stands to 37.8 % in its train set. Here statements that are equal, or nearly equal, or of one
contrast group, are on one side. The division is fixed by a manifest of hashes in the package; ``manifest`` makes it
again, byte for byte.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import resources
from typing import Any

from dfar_bench.data import Row, Rows
from dfar_bench.errors import InputError
from dfar_bench.text import fold, words

NEAR = 0.5
"""Statements are near each other when they share at least this part of their words (Jaccard index of the word sets).

DFAR varies a statement by one detail ("…because she was kind" / "…because she was rich"), the moral domain
"commonsense" without marking the variants as a group. At 0.5 such variants are caught down to six of eight words in
common. Below, statements are linked that have little more than an opening in common, and the links chain: the largest
of the clusters holds 111 statements at 0.5, 171 at 0.45 and 665 at 0.4, more than a tenth of all.
"""

SEED = 2024
PARTS = 10
"""The test part is one of ten parts of about equal size and make-up."""

MANIFEST = "clean_manifest.csv"
_COLUMNS = ("part", "source", "statement_sha256", "cluster")


def statement_hash(statement: str) -> str:
    """The first 16 hexadecimal digits of the sha256 of a statement, folded: what the manifest knows it by."""
    return hashlib.sha256(fold(statement).encode()).hexdigest()[:16]


def distinct(paper: Rows) -> list[Row]:
    """Each statement once, in the order of the files; of a test row that also stands in train, the train row."""
    return [*paper["train"], *(row for row in paper["test"] if not row.leaked)]


def near_pairs(statements: Sequence[str], least: float = NEAR) -> Any:
    """Pairs of statements that share enough of their words.

    Args:
        least: the smallest Jaccard index of the two sets of words, in (0, 1].

    Returns:
        A sparse matrix, shape (statements, statements), upper triangle, that holds the index of each such pair.
    """
    import numpy as np
    from scipy import sparse

    sets = [sorted(set(words(statement))) for statement in statements]
    numbers = {word: number for number, word in enumerate(sorted(set().union(*sets)))}
    indices = [numbers[word] for one in sets for word in one]
    sizes = np.array([len(one) for one in sets])
    ends = np.concatenate([[0], np.cumsum(sizes)])
    holds = sparse.csr_matrix((np.ones(len(indices), np.int32), indices, ends), shape=(len(sets), len(numbers)))
    common = sparse.triu(holds @ holds.T, k=1).tocoo()
    index = common.data / (sizes[common.row] + sizes[common.col] - common.data)
    kept = index >= least
    return sparse.coo_matrix((index[kept], (common.row[kept], common.col[kept])), shape=common.shape)


def clusters(rows: Sequence[Row]) -> list[int]:
    """Number the clusters of statements that must stay together: near each other, or of one contrast group.

    Nearness is taken as transitive.

    Returns:
        The cluster of each row, counted from 0 in the order of first appearance.
    """
    import numpy as np
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    pairs = near_pairs([row.statement for row in rows])
    firsts: dict[str, int] = {}
    first = np.array([firsts.setdefault(row.group_id, number) for number, row in enumerate(rows)])
    grouped = sparse.coo_matrix((np.ones(len(rows)), (first, np.arange(len(rows)))), shape=pairs.shape)
    _, labels = connected_components(pairs + grouped, directed=False)
    order: dict[int, int] = {}
    return [order.setdefault(int(label), len(order)) for label in labels]


def divide(rows: Sequence[Row], cluster: Sequence[int]) -> list[bool]:
    """Choose the test rows: whole clusters, about a tenth, with the make-up of the whole by domain and label.

    Of the ten parts of a stratified division, the one that is nearest to that make-up (chi-square).

    Returns:
        For each row, whether it is a test row.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    strata = [f"{row.domain} {row.label}" for row in rows]
    wanted = {stratum: count / PARTS for stratum, count in Counter(strata).items()}

    def deviation(part: Iterable[int]) -> float:
        found = Counter(strata[number] for number in part)
        return sum((found[stratum] - count) ** 2 / count for stratum, count in wanted.items())

    folds = StratifiedGroupKFold(n_splits=PARTS, shuffle=True, random_state=SEED)
    parts: list[list[int]] = [part.tolist() for _, part in folds.split(strata, strata, cluster)]
    tested = set(min(parts, key=deviation))
    return [number in tested for number in range(len(rows))]


def manifest(paper: Rows) -> str:
    """The manifest's text, made from the published rows: a line a statement, with hashes and no text."""
    rows = distinct(paper)
    cluster = clusters(rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row, number, tested in zip(rows, cluster, divide(rows, cluster)):
        writer.writerow(("test" if tested else "train", row.row_id, statement_hash(row.statement), number))
    return out.getvalue()


def committed_manifest() -> str:
    """The manifest that comes with the package."""
    return (resources.files("dfar_bench") / MANIFEST).read_text(encoding="utf-8")


def clean_parts(paper: Rows, text: str) -> tuple[list[Row], list[Row]]:
    """The train and test rows that a manifest describes, with ids, groups and order of their own.

    Args:
        text: a manifest.

    Raises:
        InputError: the manifest is not well-formed, or is not one of these rows.
    """
    known = {row.row_id: row for row in distinct(paper)}
    parts: dict[str, list[Row]] = {"train": [], "test": []}
    reader = csv.reader(io.StringIO(text))
    if tuple(next(reader, ())) != _COLUMNS:
        raise InputError(f"{MANIFEST} does not begin with the columns {','.join(_COLUMNS)}: install the package again.")
    for number, line in enumerate(reader, start=2):
        if len(line) != len(_COLUMNS) or line[0] not in parts:
            raise InputError(f"{MANIFEST}, line {number} is not part,source,hash,cluster: install the package again.")
        part, source, digest, _ = line
        row = known.pop(source, None)
        if row is None or statement_hash(row.statement) != digest:
            raise InputError(
                f"{MANIFEST}, line {number}: row {source} of the data is not the one it was made from: "
                "take the published files as they are, or make the manifest again with dfar-bench data split."
            )
        parts[part].append(
            replace(
                row,
                row_id=f"clean-{part}-{len(parts[part]):04d}",
                group_id=row.group_id.replace("paper-", "clean-", 1),
                leaked=False,
                contrast=0,
            )
        )
    if known:
        raise InputError(f"{MANIFEST} lacks {len(known)} rows of the data, {next(iter(known))} first: make it again.")
    return parts["train"], parts["test"]
