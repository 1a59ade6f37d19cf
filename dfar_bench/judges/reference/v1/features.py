"""Features of the reference judge: does an argument support its verdict, and is it about the statement?

All are computed from the response, the statement and the words of the human reason; none from the label, the stance
of the human reason, the row or any length.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import fsum

import numpy as np
from numpy.typing import NDArray

from dfar_bench.judges.reference.v1.argument import MAX_CHARACTERS, Argument, content_words
from dfar_bench.judges.reference.v1.model import ReferenceModel, Vectors

FEATURES = (
    "support",
    "support_at_the_end",
    "beginning",
    "ending",
    "tied",
    "foreign",
    "specific",
    "strongest_tie",
    "shared_with_reason",
)
"""In the order of ``ReferenceModel.weights``; see ``features``."""

_LEAST_SIMILARITY = 0.35
"""Cosine below which two words count as unrelated."""


def features(model: ReferenceModel, statement: str, reference: str, argument: Argument, verdict: int) -> list[float]:
    """Compute the features of an argument given for a verdict.

    Returns:
        support, support_at_the_end: log-odds that the argument, and its last clause, support the verdict.
        beginning, ending: how far the words of each half of the statement come up, 0 to 1.
        tied: how closely the argument's words are related to the statement or the human reason, 0 to 1.
        foreign, specific: means over the argument's words of the rarity that is not tied, and of the rarity.
        strongest_tie: the most closely related of them.
        shared_with_reason: how far the words come up that the human reason has and the statement does not, 0 to 1.
    """
    sign = 1.0 if verdict else -1.0
    stance = model.stance(argument)
    end = argument.last_clause()
    end_stance = stance if end is argument else model.stance(end)
    return [sign * stance, sign * end_stance, *_topic_features(model, statement, reference, argument)]


def _topic_features(model: ReferenceModel, statement: str, reference: str, argument: Argument) -> list[float]:
    answer_words = content_words(" ".join(word for word in argument.words if word))
    statement_words, statement_vectors = _topic(model, statement[:MAX_CHARACTERS])
    if not answer_words or not statement_words:
        return [0.0] * (len(FEATURES) - 2)
    vectors, rarity = model.vectors_of(answer_words), model.rarity_of(answer_words)
    to_statement = _relatedness(vectors, statement_vectors)
    coverage, statement_rarity = to_statement.max(axis=0).tolist(), model.rarity_of(statement_words)
    half = (len(statement_words) + 1) // 2
    tie = to_statement.max(axis=1)
    shared = 0.0
    reason_words, reason_vectors = _topic(model, reference[:MAX_CHARACTERS])
    if reason_words:
        to_reason = _relatedness(vectors, reason_vectors)
        tie = np.maximum(tie, to_reason.max(axis=1))
        new = [at for at, word in enumerate(reason_words) if word not in statement_words]
        reason_coverage, reason_rarity = to_reason.max(axis=0).tolist(), model.rarity_of(reason_words)
        shared = _weighted_mean([reason_coverage[at] for at in new], [reason_rarity[at] for at in new])
    total = fsum(rarity)  # exact, so that every version of Python gets the same
    ties = [weight * value for weight, value in zip(rarity, tie.tolist())]
    return [
        _weighted_mean(coverage[:half], statement_rarity[:half]),
        _weighted_mean(coverage[half:], statement_rarity[half:]),
        fsum(ties) / total,
        (total - fsum(ties)) / len(answer_words),
        total / len(answer_words),
        max(ties),
        shared,
    ]


@lru_cache(maxsize=2048)  # statements and reasons recur for every model
def _topic(model: ReferenceModel, text: str) -> tuple[tuple[str, ...], Vectors]:
    """Return the content words of a statement or reason and their vectors."""
    words = content_words(text)
    return words, model.vectors_of(words)


def _relatedness(vectors: Vectors, others: Vectors) -> NDArray[np.float64]:
    cosines = vectors.cosines(others)
    related: NDArray[np.float64] = np.maximum(cosines - _LEAST_SIMILARITY, 0) / (1 - _LEAST_SIMILARITY)
    return related


def _weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    total = fsum(weights)
    return fsum(value * weight for value, weight in zip(values, weights)) / total if total else 0.0
