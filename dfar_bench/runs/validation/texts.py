"""Texts of our own that responses are constructed from, by label where they pronounce a verdict."""

from __future__ import annotations

from typing import Any

from dfar_bench.datasets import LABELS
from dfar_bench.files import packaged_json

_TEXTS: dict[str, Any] = packaged_json("dfar_bench.judges.validation", "texts.json")


def _by_label(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the texts for each label; a plain list holds templates with {label} or {Label}."""
    texts = _TEXTS[name]
    if isinstance(texts, dict):
        return tuple(tuple(texts[label]) for label in LABELS)
    return tuple(
        tuple(text.replace("{label}", label).replace("{Label}", label.capitalize()) for text in texts)
        for label in LABELS
    )


# Openings with the verdict in its own word; without ethical and unethical; as a denial of the other one.
SPOKEN, FLIPPED, PLAIN, DOUBLE_NEGATION = map(_by_label, ("spoken", "flipped", "plain", "double_negation"))
BARE, HEDGES, CHAT = map(_by_label, ("bare", "hedges", "chat"))
# Closings: with the verdict; with the verdict and a {statement}; with a verdict against everything before it.
CLOSING, ELABORATIONS, TAKEN_BACK = map(_by_label, ("closing", "elaborations", "taken_back"))
# Arguments that would fit any statement. The reference judge was fitted without the unseen ones.
GENERIC, GENERIC_UNSEEN = map(_by_label, ("generic", "generic_unseen"))

OFF_TOPIC: tuple[str, ...] = tuple(_TEXTS["off_topic"])
MORAL_KEYWORDS: tuple[str, ...] = tuple(_TEXTS["moral_keywords"])
REFUSALS: tuple[str, ...] = tuple(_TEXTS["refusals"])
EMPTY: tuple[str, ...] = tuple(_TEXTS["empty"])
UNDECIDED: tuple[str, ...] = tuple(_TEXTS["undecided"])
"""Discussions of both sides of a {statement}."""

CONTRACTIONS: dict[str, str] = _TEXTS["contractions"]
SYNONYMS: dict[str, str] = _TEXTS["synonyms"]
"""Only words that fit wherever the other is used, and none that bears on the verdict."""
