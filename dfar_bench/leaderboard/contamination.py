"""Whether a model has been trained on statements that it is tested on, from what its submission declares.

``dfar_run.json`` holds a hash of every training row's id. The ids of all DFAR rows are known here, so the hashes say
which statements were trained on, whatever split they are counted in. Nobody can check a declaration, only hold it
against the test rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from dfar_bench.data import Row, row_hash, rows, without_tested
from dfar_bench.errors import InputError
from dfar_bench.leaderboard.schema import TRAINING_SETS, Submission
from dfar_bench.text import fold


@dataclass(frozen=True, slots=True)
class Contamination:
    """What is known of the test rows that a model was trained on.

    Attributes:
        contaminated: None if it cannot be told.
        rows: test rows whose statement is known to have been trained on.
        unleaked_rows: those of them that the ``_unleaked`` metrics count; with 0, these metrics can be trusted as far
            as the declaration can.
        why: a sentence for people.
    """

    contaminated: bool | None
    rows: int
    unleaked_rows: int
    why: str


@cache
def _by_hash(split: str) -> dict[str, str]:
    """The folded statement of each row of a split, train and test, by the hash of its id."""
    return {row_hash(row.row_id): fold(row.statement) for part in rows(split).values() for row in part}


@cache
def _of_set(name: str) -> frozenset[str]:
    """The folded statements of a declared training set."""
    split, drop_leaked = TRAINING_SETS[name]
    found: Iterable[Row] = rows(split)["train"]
    return frozenset(
        fold(row.statement) for row in (without_tested(found, rows(split)["test"]) if drop_leaked else found)
    )


def contamination(submission: Submission, split: str) -> Contamination:
    """Hold what a model was trained on against the test rows of a split."""
    sets, run = submission.training.sets, submission.dfar_run
    trained: set[str] = set()
    doubts = []
    unknown = 0
    if run:
        trained, unknown = _statements(run.data.row_ids.split())
        if unknown:
            doubts.append(f"{unknown} of its {run.data.rows} training rows are not known here")
    for name in sets:
        # The hashes say more exactly what was seen of the set that they are of, but only if all of them are known.
        if name in TRAINING_SETS and not (run and not unknown and TRAINING_SETS[name] == (run.split, run.drop_leaked)):
            try:
                trained |= _of_set(name)
            except InputError:
                doubts.append("the published data, which it was trained on, is not at hand")
    if "other" in sets:
        doubts.append("what else it was trained on cannot be checked")
    tested = rows(split)["test"]
    met = [row for row in tested if fold(row.statement) in trained]
    unleaked = sum(not row.leaked for row in met)
    basis = f"by the hashes of its {run.data.rows} training rows" if run else "as declared"
    if met:
        why = f"{basis}, it was trained on {len(met)} of the {len(tested)} test statements"
        return Contamination(True, len(met), unleaked, why)
    if doubts:
        return Contamination(None, 0, 0, "; ".join(doubts))
    return Contamination(False, 0, 0, f"{basis}, it was trained on none of the {len(tested)} test statements")


def _statements(hashes: list[str]) -> tuple[set[str], int]:
    """The folded statements of training rows, and how many rows are not known."""
    left = set(hashes)
    found = set()
    for split in ("mini", "paper", "clean"):
        if left:
            try:
                by_hash = _by_hash(split)
            except InputError:  # no published data here; the small split comes with the package
                continue
            found |= {by_hash[one] for one in left & by_hash.keys()}
            left -= by_hash.keys()
    return found, sum(one in left for one in hashes)
