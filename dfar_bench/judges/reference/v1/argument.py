"""Parse arguments for the reference judge: their words, each asserted, negated or conceded.

The verdict words of the opening sentence are removed, because whether the argument supports them is the question. A
word counts as negated after a negator, as conceded between "although" and the end of its sentence or "but", and as
asserted otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dfar_bench.reading.lexicon import LEXICON, NEGATORS, word_set
from dfar_bench.text import words

MAX_CHARACTERS = 8_000
MAX_WORDS = 1_000
"""Limits on how much of an argument is read; an answer of 512 tokens has some 400 words."""

ASSERTED, NEGATED, CONCEDED = 0, 1, 2
"""The polarity of a word."""

_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|[.!?;,:\n]")
_SENTENCE_BREAK = re.compile(r"(?<=[.!?\n])\s+")
_NEGATING = NEGATORS | word_set(
    "lack lacks lacked lacking fail fails failed failing refuse refuses refused avoid avoids avoided avoiding "
    "prevent prevents prevented preventing spare spares spared stop stopped instead far unable"
)
_NEGATION_SCOPE = 4  # words
_CONCEDING = word_set("although though while whilst despite admittedly granted some may might even if would could")
_TURNING = word_set("but however yet still")
_CLAUSE_WORDS = 4
_REPEATED_WORDS = 5
_ECHO_SHARE = 0.8  # of a sentence's words that are also in the statement it repeats
_STOPWORDS = word_set(
    "the a an of to and in for that on is was with he as it by at from his be has are have but were this who they "
    "had which will their its one been also we would she her you i me my him them our your us or so there than "
    "then if because what when about not no do does did can could should may might must am being having into out "
    "up any all some such only just more most very too other own same how why where these those it's that's i'm "
    "don't doesn't didn't isn't wasn't statement person speaker people someone something thing things said say "
    "says"
)


@dataclass(frozen=True, slots=True)
class Argument:
    """The words of an argument in order, with their polarity; None marks the end of a clause or a removed verdict."""

    words: tuple[str | None, ...]
    polarities: tuple[int, ...]

    def last_clause(self) -> Argument:
        """Return the end of the argument, from the last clause boundary that is followed by enough words."""
        count = 0
        for at in range(len(self.words) - 1, -1, -1):
            count += self.words[at] is not None
            if count >= _CLAUSE_WORDS and self.words[at] is None:
                return Argument(self.words[at:], self.polarities[at:])
        return self


def parse_argument(text: str) -> Argument:
    """Parse a text in one pass; at most ``MAX_CHARACTERS`` of it are read."""
    words_: list[str | None] = []
    polarities: list[int] = []
    negated, conceded, opening = 0, False, True
    for token in _TOKEN.findall(text[:MAX_CHARACTERS].lower().replace("’", "'")):
        is_word = token[0].isalpha()
        if not is_word:
            negated = 0
            conceded = conceded and token in ",:"
            opening = opening and token in ",:"
        if token in _CONCEDING:
            conceded = True
        elif token in _TURNING:
            conceded = False
        words_.append(token if is_word and not (opening and token in LEXICON) else None)
        polarities.append(CONCEDED if conceded else NEGATED if negated else ASSERTED)
        negated = _NEGATION_SCOPE if token in _NEGATING or token == "than" else max(0, negated - 1)
    return Argument(tuple(words_), tuple(polarities))


def repeats_sentence(answer: str) -> bool:
    """Whether a sentence of five words or more occurs twice in an answer; true of 5 of the 3,895 fitting reasons."""
    sentences = [words(sentence) for sentence in _SENTENCE_BREAK.split(answer[:MAX_CHARACTERS])]
    long = [sentence for sentence in sentences if len(sentence) >= _REPEATED_WORDS]
    return len(set(long)) < len(long)


def without_echo(answer: str, statement: str) -> str:
    """Remove the sentences of an answer that only repeat the statement.

    Base models often repeat the statement and praise it in words that fit anything; without the repetition those words
    stand alone.
    """
    known = set(words(statement))

    def is_echo(sentence: str) -> bool:
        tokens = words(sentence)
        return len(tokens) >= _CLAUSE_WORDS and sum(word in known for word in tokens) >= _ECHO_SHARE * len(tokens)

    sentences = _SENTENCE_BREAK.split(answer[:MAX_CHARACTERS])
    return " ".join(sentence for sentence in sentences if not is_echo(sentence))


def content_words(text: str) -> tuple[str, ...]:
    """Return the distinct words of a text that carry its topic, in order; verdict words do not."""
    tokens = _TOKEN.findall(text[:MAX_CHARACTERS].lower().replace("’", "'"))
    return tuple(dict.fromkeys(word for word in tokens if is_content_word(word)))


def is_content_word(word: str) -> bool:
    """Whether a word carries a topic; stop words and verdict words do not."""
    return len(word) > 1 and word[0].isalpha() and word not in _STOPWORDS and word not in LEXICON
