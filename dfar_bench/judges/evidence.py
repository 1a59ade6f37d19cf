"""What the reference judge weighs: whether an argument supports its verdict, and whether it is about the statement.

Every feature is read from the response, the statement and the words of the human reason; none from the label, the
stance of the human reason, the row or any length.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dfar_bench.judges import Case
from dfar_bench.judges.argument import Argument, content_words, read_argument
from dfar_bench.judges.artefact import Array, Artefact

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
"""In the order of ``Artefact.weights``; see ``features``."""

_LEAST_SIMILARITY = 0.35
"""Cosine below which two words count as unrelated."""


def features(artefact: Artefact, case: Case, verdict: int) -> list[float]:
    """The evidence on an argument that goes with a verdict.

    Returns:
        ``support`` and ``support_at_the_end``, log-odds that the argument, and its last clause, speak for the verdict;
        ``beginning`` and ``ending``, how far the words of either half of the statement come up (0 to 1);
        ``tied``, how far the response's words have to do with the statement or the human reason, and
        ``strongest_tie``, the closest of them; ``shared_with_reason``, how many of the words of the reason that the
        statement does not have come up (0 to 1).
    """
    argument = read_argument(case.response)
    sign = 1.0 if verdict else -1.0
    stance = artefact.stance(argument)
    end = argument.end()
    return [
        sign * stance,
        sign * (stance if end is argument else artefact.stance(end)),
        *_topic(artefact, case, argument),
    ]


def _topic(artefact: Artefact, case: Case, argument: Argument) -> list[float]:
    said = content_words(" ".join(word for word in argument.words if word))
    asked = content_words(case.statement)
    if not said or not asked:
        return [0.0] * 7
    own, weights = _matrix(artefact, said), _rarity(artefact, said)
    similar = _relatedness(own @ _matrix(artefact, asked).T)
    come_up = similar.max(axis=0)
    asked_weights = _rarity(artefact, asked)
    half = (len(asked) + 1) // 2
    tie = similar.max(axis=1)
    reason = content_words(case.reference)
    shared = 0.0
    if reason:
        to_reason = _relatedness(own @ _matrix(artefact, reason).T)
        tie = np.maximum(tie, to_reason.max(axis=1))
        new = np.array([word not in asked for word in reason])
        if new.any():
            shared = _mean(to_reason.max(axis=0)[new], _rarity(artefact, reason)[new])
    return [
        _mean(come_up[:half], asked_weights[:half]),
        _mean(come_up[half:], asked_weights[half:]),
        _mean(tie, weights),
        float((weights * (1 - tie)).mean()),
        float(weights.mean()),
        float((weights * tie).max()),
        shared,
    ]


def _relatedness(cosines: Array) -> Array:
    related: Array = np.maximum(cosines - _LEAST_SIMILARITY, 0) / (1 - _LEAST_SIMILARITY)
    return related


def _mean(values: Array, weights: Array) -> float:
    return float(values @ weights / weights.sum()) if len(values) else 0.0


@lru_cache(maxsize=2048)
def _matrix(artefact: Artefact, words: tuple[str, ...]) -> Array:
    return artefact.vectors_of(words)


@lru_cache(maxsize=2048)
def _rarity(artefact: Artefact, words: tuple[str, ...]) -> Array:
    return artefact.rarity_of(words)
