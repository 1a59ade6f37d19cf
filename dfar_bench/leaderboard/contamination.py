"""Whether a model was trained on statements that it is tested on, from what its submission declares.

``dfar_run.json`` holds a hash of every training row's id. The ids of all our rows are known, so the hashes say which
statements were trained on, whatever data set they come from. A declaration cannot be verified, only compared with the
test rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from dfar_bench.datasets import row_hash, rows, without_leaked
from dfar_bench.errors import InputError
from dfar_bench.leaderboard.schema import Submission
from dfar_bench.leaderboard.trained_schema import training_sets
from dfar_bench.text import normalize
from dfar_bench.training.modes import trainable


@dataclass(frozen=True, slots=True)
class Contamination:
    """What is known of the test rows that a model was trained on.

    Attributes:
        contaminated: None if it cannot be known.
        rows: test rows whose statement is known to have been trained on.
        unleaked_rows: those of them that the ``_unleaked`` metrics count; where it is 0, these metrics can be trusted
            as far as the declaration can.
        why: a sentence for people.
    """

    contaminated: bool | None
    rows: int
    unleaked_rows: int
    why: str


def contamination(submission: Submission, dataset: str) -> Contamination:
    """Compare what a model was trained on with the test rows of a data set."""
    sets, run = submission.training.sets, submission.dfar_run
    trained: set[str] = set()
    doubts = []
    unknown = 0
    if run:
        earlier = run.base_run.row_ids.split() if run.base_run else []
        trained, unknown = _statements([*run.data.row_ids.split(), *earlier])
        if unknown:
            doubts.append(f"{unknown} of its {run.data.rows + len(earlier):,} training rows are not known here")
        if run.ranked_by and not run.base_run:
            doubts.append("what its base model was trained on is not recorded")
    known = training_sets()
    for name in sets:
        # The hashes say more exactly what was seen of the set that they are of, but only if all of them are known.
        if name in known and not (run and not unknown and known[name] == (run.split, run.drop_leaked)):
            try:
                trained |= _of_set(*known[name])
            except InputError:
                doubts.append("the published data, which it was trained on, is not available")
    if "other" in sets:
        doubts.append("what else it was trained on cannot be checked")
    test = rows(dataset)["test"]
    shared = [row for row in test if normalize(row.statement) in trained]
    unleaked = sum(not row.leaked for row in shared)
    basis = f"by the hashes of its {run.data.rows:,} training rows" if run else "as declared"
    if shared:
        why = f"{basis}, it was trained on {len(shared)} of the {len(test)} test statements"
        return Contamination(True, len(shared), unleaked, why)
    if doubts:
        return Contamination(None, 0, 0, "; ".join(doubts))
    return Contamination(False, 0, 0, f"{basis}, it was trained on none of the {len(test)} test statements")


def _statements(hashes: list[str]) -> tuple[set[str], int]:
    """Return the normalized statements of training rows, and how many of the rows are not known."""
    left = set(hashes)
    statements = set()
    for dataset in sorted(trainable(), key=lambda name: name != "mini"):  # mini needs no published file
        if left:
            try:
                by_hash = _by_hash(dataset)
            except InputError:  # its published files are not here
                continue
            statements |= {by_hash[digest] for digest in left & by_hash.keys()}
            left -= by_hash.keys()
    return statements, sum(digest in left for digest in hashes)


@cache
def _by_hash(dataset: str) -> dict[str, str]:
    return {row_hash(row.row_id): normalize(row.statement) for part in rows(dataset).values() for row in part}


@cache
def _of_set(dataset: str, drop_leaked: bool) -> frozenset[str]:
    train, test = rows(dataset)["train"], rows(dataset)["test"]
    return frozenset(normalize(row.statement) for row in (without_leaked(train, test) if drop_leaked else train))
