"""Aligned responses: the human verdict and reason, said in other ways."""

from __future__ import annotations

from dfar_bench.data import LABELS, Row
from dfar_bench.text import words
from dfar_bench.validity.kinds import Context, kind
from dfar_bench.validity.negatives import opened, pick
from dfar_bench.validity.openings import CHAT, CLOSING, DOUBLE_NEGATION, ELABORATIONS, HEDGES, PLAIN, SPOKEN
from dfar_bench.validity.paraphrase import paraphrased
from dfar_bench.validity.stance import (
    beginnings,
    choice,
    closed,
    content_words,
    reworded,
    sentences,
    shuffled,
    word_set,
)
from dfar_bench.verdicts import parse_verdict

# A sentence that opens so may grant the other side a point.
_GRANTING = word_set("perhaps although though while yes true ordinarily but yet still however even if maybe")

# So many content words of a part of a reason must be new.
_LEAST_NEWS = 4

# How an apostrophe looks that was UTF-8 and was read as another encoding, and how a typographic one.
_APOSTROPHES = ("â€™", "’")
_SPACES = (" ", "\u00a0")


@kind(aligned=True)
def human(row: Row, context: Context) -> str:
    """As people wrote it."""
    return f"{LABELS[row.label]}. {row.reason}"


@kind(aligned=True)
def paraphrase(row: Row, context: Context) -> str | None:
    """Other words for the same; None where fewer than three words could be changed."""
    text = paraphrased(closed(row.reason), row.row_id)
    changed = len(set(words(text)) - set(words(row.reason)))
    return opened(pick(SPOKEN[row.label], row, "paraphrase"), text) if changed >= 3 else None


@kind(aligned=True, unseen=True)
def reordered(row: Row, context: Context) -> str | None:
    """The sentences of the reason in another order."""
    found = [closed(sentence) for sentence in sentences(row.reason)]
    mixed = shuffled(found, row.row_id, "reordered")
    if mixed == found:
        mixed.reverse()
    return f"{LABELS[row.label].capitalize()}. {' '.join(mixed)}" if len(found) > 1 else None


@kind(aligned=True)
def first_half(row: Row, context: Context) -> str | None:
    """The first half of the reason's sentences; None where that is no shorter, or hardly an argument."""
    found = sentences(row.reason)
    half = " ".join(found[: (len(found) + 1) // 2])
    if len(found) < 2 or _grants(half) or not _argues(half, row):
        return None
    return opened(pick(SPOKEN[row.label], row, "first_half"), closed(half))


@kind(aligned=True)
def shorter(row: Row, context: Context) -> str | None:
    """The one sentence of the reason that has most words in common with the statement and does not just restate it."""
    given = content_words(row.statement)
    fit = [
        sentence
        for sentence in sentences(row.reason)
        if _argues(sentence, row) and not _grants(sentence) and parse_verdict(sentence) != 1 - row.label
    ]
    if not fit:
        return None
    nearest = max(fit, key=lambda sentence: len(given & content_words(sentence)))
    return opened(pick(SPOKEN[row.label], row, "shorter"), closed(nearest))


@kind(aligned=True)
def longer(row: Row, context: Context) -> str:
    """The reason, and a closing that restates the statement."""
    closing = pick(ELABORATIONS[row.label], row, "longer", turn=1).format(statement=closed(row.statement))
    return f"{opened(pick(SPOKEN[row.label], row, 'longer'), closed(row.reason))} {closing}"


@kind(aligned=True, unseen=True)
def double_negation(row: Row, context: Context) -> str:
    """The verdict as a denial of the other one."""
    return opened(pick(DOUBLE_NEGATION[row.label], row, "double_negation"), closed(row.reason))


@kind(aligned=True, unseen=True)
def mojibake(row: Row, context: Context) -> str:
    """Broken or typographic apostrophes; no-break spaces in half of the responses, and where there is no apostrophe."""
    text = human(row, context)
    space = _SPACES[choice(row.row_id, "mojibake", 2)] if "'" in text else "\u00a0"
    return text.replace("'", pick(_APOSTROPHES, row, "mojibake", turn=1)).replace(" ", space)


@kind(aligned=True, unseen=True)
def verdict_last(row: Row, context: Context) -> str:
    """The reason first, then the verdict."""
    return f"{closed(row.reason)} {pick(CLOSING[row.label], row, 'verdict_last')}"


@kind(aligned=True, unseen=True)
def no_verdict_word(row: Row, context: Context) -> str:
    """No word of ethical or unethical, but the verdict in plain ones."""
    return opened(pick(PLAIN[row.label], row, "no_verdict_word"), closed(reworded(row.reason)))


@kind(aligned=True, unseen=True)
def hedge(row: Row, context: Context) -> str:
    """The verdict with caution."""
    return opened(pick(HEDGES[row.label], row, "hedge"), closed(row.reason))


@kind(aligned=True, unseen=True)
def chat_style(row: Row, context: Context) -> str:
    """As chat models answer: the verdict in bold, the sentences as a list."""
    points = "\n".join(f"- {closed(sentence)}" for sentence in sentences(row.reason))
    return f"{pick(CHAT[row.label], row, 'chat_style')}\n\n{points}"


@kind(aligned=True)
def capitals(row: Row, context: Context) -> str:
    """In capitals throughout."""
    return human(row, context).upper()


@kind(aligned=True)
def lower_case(row: Row, context: Context) -> str:
    """Without any capital."""
    return human(row, context).lower()


def _argues(text: str, row: Row) -> bool:
    """Whether a part of the reason says enough that the statement does not: DFAR's first sentences often restate it."""
    return len(beginnings(text) - beginnings(row.statement)) >= _LEAST_NEWS


def _grants(text: str) -> bool:
    """Whether a text opens by granting the other side a point."""
    return words(text)[0] in _GRANTING
