"""What the reference judge weighs: whether an argument supports its verdict, and whether it is about the statement.

Every feature is read from the response, the statement and the words of the human reason; none from the label, the
stance of the human reason, the row or any length.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from math import fsum

import numpy as np
from numpy.typing import NDArray

from dfar_bench.judges import Case
from dfar_bench.judges.argument import Argument, beyond_echo, content_words, read_argument
from dfar_bench.judges.artefact import Artefact, Vectors

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
    argument = read_argument(beyond_echo(case.response, case.statement))
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
    own, rarity = artefact.vectors_of(said), artefact.rarity_of(said)
    to_statement = _relatedness(own, artefact, asked)
    come_up, asked_rarity = to_statement.max(axis=0).tolist(), artefact.rarity_of(asked)
    half = (len(asked) + 1) // 2
    tie = to_statement.max(axis=1)
    reason = content_words(case.reference)
    shared = 0.0
    if reason:
        to_reason = _relatedness(own, artefact, reason)
        tie = np.maximum(tie, to_reason.max(axis=1))
        new = [word not in asked for word in reason]
        shared = _mean(
            list(compress(to_reason.max(axis=0).tolist(), new)), list(compress(artefact.rarity_of(reason), new))
        )
    total = fsum(rarity)  # exact, so that no version of Python adds up to something else
    ties = [weight * value for weight, value in zip(rarity, tie.tolist())]
    return [
        _mean(come_up[:half], asked_rarity[:half]),
        _mean(come_up[half:], asked_rarity[half:]),
        fsum(ties) / total,
        (total - fsum(ties)) / len(said),
        total / len(said),
        max(ties),
        shared,
    ]


def _relatedness(own: Vectors, artefact: Artefact, words: tuple[str, ...]) -> NDArray[np.float64]:
    cosines = own.cosines(_vectors(artefact, words))
    related: NDArray[np.float64] = np.maximum(cosines - _LEAST_SIMILARITY, 0) / (1 - _LEAST_SIMILARITY)
    return related


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    total = fsum(weights)
    return fsum(value * weight for value, weight in zip(values, weights)) / total if total else 0.0


@lru_cache(maxsize=2048)  # statements and reasons come again for every model
def _vectors(artefact: Artefact, words: tuple[str, ...]) -> Vectors:
    return artefact.vectors_of(words)
