"""Constructions of aligned responses: the human verdict and reason, put in other ways."""

from __future__ import annotations

from dfar_bench.datasets import LABELS, Row
from dfar_bench.reading import parse_verdict
from dfar_bench.reading.lexicon import word_set
from dfar_bench.runs.validation import texts
from dfar_bench.runs.validation.rewriting import (
    content_words,
    end_sentence,
    paraphrase_text,
    replace_verdict_words,
    sentences,
    stems,
)
from dfar_bench.runs.validation.source import Source, construction
from dfar_bench.text import words

# A sentence that opens with one of these may concede a point to the other side.
_CONCEDING = word_set("perhaps although though while yes true ordinarily but yet still however even if maybe")

# A part of a reason must have so many word stems that the statement does not have.
_LEAST_NEW_STEMS = 4

_LEAST_CHANGED_WORDS = 3

# An apostrophe that was UTF-8 and was read in another encoding, and a typographic one.
_APOSTROPHES = ("â€™", "’")
_SPACES = (" ", "\u00a0")


@construction(aligned=True)
def human(source: Source) -> str:
    """As people wrote it."""
    return f"{LABELS[source.row.label]}. {source.row.reason}"


@construction(aligned=True)
def paraphrase(source: Source) -> str | None:
    """The same in other words; None where fewer than three words could be changed."""
    text = paraphrase_text(end_sentence(source.row.reason), source.row.row_id)
    changed = set(words(text)) - set(words(source.row.reason))
    return source.opened(texts.SPOKEN, text) if len(changed) >= _LEAST_CHANGED_WORDS else None


@construction(aligned=True, unseen=True)
def reordered(source: Source) -> str | None:
    """The sentences of the reason in another order."""
    ordered = [end_sentence(sentence) for sentence in sentences(source.row.reason)]
    shuffled = source.shuffle(ordered)
    if shuffled == ordered:
        shuffled.reverse()
    return f"{LABELS[source.row.label].capitalize()}. {' '.join(shuffled)}" if len(ordered) > 1 else None


@construction(aligned=True)
def first_half(source: Source) -> str | None:
    """The first half of the reason's sentences; None where that is not shorter, or hardly an argument."""
    parts = sentences(source.row.reason)
    half = " ".join(parts[: (len(parts) + 1) // 2])
    if len(parts) < 2 or _concedes(half) or not _argues(half, source.row):
        return None
    return source.opened(texts.SPOKEN, end_sentence(half))


@construction(aligned=True)
def shorter(source: Source) -> str | None:
    """The one sentence of the reason that shares most words with the statement without merely repeating it."""
    row = source.row
    usable = [
        sentence
        for sentence in sentences(row.reason)
        if _argues(sentence, row) and not _concedes(sentence) and parse_verdict(sentence) != 1 - row.label
    ]
    if not usable:
        return None
    of_statement = content_words(row.statement)
    nearest = max(usable, key=lambda sentence: len(of_statement & content_words(sentence)))
    return source.opened(texts.SPOKEN, end_sentence(nearest))


@construction(aligned=True)
def longer(source: Source) -> str:
    """The reason, and a closing that restates the statement."""
    closing = source.pick(texts.ELABORATIONS[source.row.label], turn=1)
    text = source.opened(texts.SPOKEN, end_sentence(source.row.reason))
    return f"{text} {closing.format(statement=end_sentence(source.row.statement))}"


@construction(aligned=True, unseen=True)
def double_negation(source: Source) -> str:
    """The verdict as a denial of the other one."""
    return source.opened(texts.DOUBLE_NEGATION, end_sentence(source.row.reason))


@construction(aligned=True, unseen=True)
def mojibake(source: Source) -> str:
    """Broken or typographic apostrophes; no-break spaces in half of the responses, and where there is no apostrophe."""
    text = human(source)
    space = _SPACES[source.number(2)] if "'" in text else "\u00a0"
    return text.replace("'", source.pick(_APOSTROPHES, turn=1)).replace(" ", space)


@construction(aligned=True, unseen=True)
def verdict_last(source: Source) -> str:
    """The reason first, then the verdict."""
    return f"{end_sentence(source.row.reason)} {source.pick(texts.CLOSING[source.row.label])}"


@construction(aligned=True, unseen=True)
def no_verdict_word(source: Source) -> str:
    """The verdict in plain words, without ethical and unethical."""
    return source.opened(texts.PLAIN, end_sentence(replace_verdict_words(source.row.reason)))


@construction(aligned=True, unseen=True)
def hedge(source: Source) -> str:
    """The verdict with caution."""
    return source.opened(texts.HEDGES, end_sentence(source.row.reason))


@construction(aligned=True, unseen=True)
def chat_style(source: Source) -> str:
    """As chat models answer: the verdict in bold, the sentences as a list."""
    points = "\n".join(f"- {end_sentence(sentence)}" for sentence in sentences(source.row.reason))
    return f"{source.pick(texts.CHAT[source.row.label])}\n\n{points}"


@construction(aligned=True)
def capitals(source: Source) -> str:
    """In upper case."""
    return human(source).upper()


@construction(aligned=True)
def lower_case(source: Source) -> str:
    """In lower case."""
    return human(source).lower()


def _argues(text: str, row: Row) -> bool:
    """Whether a part of the reason says enough that the statement does not: DFAR's first sentences often restate it."""
    return len(stems(text) - stems(row.statement)) >= _LEAST_NEW_STEMS


def _concedes(text: str) -> bool:
    """Whether a text may open by conceding a point to the other side."""
    return words(text)[0] in _CONCEDING
