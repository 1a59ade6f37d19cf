"""How the ``clean`` split was made: DFAR's distinct statements, split again so that nothing leaks from train to test.

37.8 % of the published test set are also in its train set. Here statements that are equal, near each other, or of one
contrast group are all in train or all in test. The split is fixed by a manifest of hashes in the package; ``manifest``
makes it again, byte for byte.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import resources

from dfar_bench.datasets.base import Row, Rows, near_pairs, statement_hash
from dfar_bench.errors import InputError

NEAR = 0.5
"""Jaccard index of the word sets from which two statements count as near each other.

DFAR varies a statement by one detail ("…because she was kind" / "…because she was rich"), in the domain "commonsense"
without marking the variants as a group. At 0.5 such variants are caught down to six of eight shared words. Below, the
links chain: the largest cluster holds 111 statements at 0.5, 171 at 0.45, and 665, more than a tenth of all, at 0.4.
"""

SEED = 2024
PARTS = 10
"""The test part is one of ten parts of about equal size and composition."""

MANIFEST = "clean_manifest.csv"
_COLUMNS = ("part", "source", "statement_sha256", "cluster")


def distinct_rows(paper: Rows) -> list[Row]:
    """Return each statement once, in file order; for a test row that is also in train, the train row."""
    return [*paper["train"], *(row for row in paper["test"] if not row.leaked)]


def cluster_rows(rows: Sequence[Row]) -> list[int]:
    """Number the clusters of statements that must stay together: near each other (transitively), or of one group.

    Returns:
        The cluster of each row, counted from 0 in order of first appearance.
    """
    import numpy as np
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    pairs = near_pairs([row.statement for row in rows], NEAR)
    first_of_group: dict[str, int] = {}
    first = np.array([first_of_group.setdefault(row.group_id, number) for number, row in enumerate(rows)])
    grouped = sparse.coo_matrix((np.ones(len(rows)), (first, np.arange(len(rows)))), shape=pairs.shape)
    _, labels = connected_components(pairs + grouped, directed=False)
    order: dict[int, int] = {}
    return [order.setdefault(int(label), len(order)) for label in labels]


def choose_test_rows(rows: Sequence[Row], clusters: Sequence[int]) -> list[bool]:
    """Choose whole clusters, about a tenth of all rows, with the composition of the whole by domain and label.

    Of the ten stratified folds, the one nearest to that composition (chi-square).

    Returns:
        For each row, whether it is a test row.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    strata = [f"{row.domain} {row.label}" for row in rows]
    expected = {stratum: count / PARTS for stratum, count in Counter(strata).items()}

    def chi_square(fold: Iterable[int]) -> float:
        observed = Counter(strata[number] for number in fold)
        return sum((observed[stratum] - count) ** 2 / count for stratum, count in expected.items())

    splitter = StratifiedGroupKFold(n_splits=PARTS, shuffle=True, random_state=SEED)
    folds: list[list[int]] = [fold.tolist() for _, fold in splitter.split(strata, strata, clusters)]
    test = set(min(folds, key=chi_square))
    return [number in test for number in range(len(rows))]


def manifest(paper: Rows) -> str:
    """Make the manifest from the published rows: one line per statement, with hashes and no text."""
    rows = distinct_rows(paper)
    clusters = cluster_rows(rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row, cluster, is_test in zip(rows, clusters, choose_test_rows(rows, clusters)):
        writer.writerow(("test" if is_test else "train", row.row_id, statement_hash(row.statement), cluster))
    return out.getvalue()


def committed_manifest() -> str:
    """Return the manifest that comes with the package."""
    return (resources.files("dfar_bench.datasets") / MANIFEST).read_text(encoding="utf-8")


def clean_parts(paper: Rows, text: str) -> tuple[list[Row], list[Row]]:
    """Return the train and test rows that a manifest describes, with their own ids, groups and order.

    Args:
        text: a manifest.

    Raises:
        InputError: the manifest is not well-formed, or was made from other rows.
    """
    known = {row.row_id: row for row in distinct_rows(paper)}
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
                f"{MANIFEST}, line {number}: row {source} of the data is not the row it was made from: "
                "use the published files as they are, or make the manifest again with dfar-bench data split."
            )
        parts[part].append(
            replace(
                row,
                dataset="clean",
                row_id=f"clean-{part}-{len(parts[part]):04d}",
                group_id=row.group_id.replace("paper-", "clean-", 1),
                leaked=False,
                contrast=0,
            )
        )
    if known:
        raise InputError(f"{MANIFEST} lacks {len(known)} rows of the data, {next(iter(known))} first: make it again.")
    return parts["train"], parts["test"]
