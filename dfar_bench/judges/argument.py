"""An argument as the reference judge reads it: its words, each with how it is meant.

The verdict words of the opening sentence are taken out, because whether the argument supports them is the question. A
word counts as denied behind a negator, as conceded between "although" and the end of its sentence or "but", and as
plainly said otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dfar_bench.responses import own_answer
from dfar_bench.text import words
from dfar_bench.verdict_words import LEXICON, NEGATORS, word_set

MAX_CHARACTERS = 8_000
MAX_WORDS = 1_000
"""What is read of a response's argument; no model is asked for more than some 200 tokens."""

SAID, DENIED, CONCEDED = 0, 1, 2
"""How a word is meant."""

_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|[.!?;,:\n]")
_DENYING = NEGATORS | word_set(
    "lack lacks lacked lacking fail fails failed failing refuse refuses refused avoid avoids avoided avoiding "
    "prevent prevents prevented preventing spare spares spared stop stopped instead far unable"
)
_DENIED_WORDS = 4
_LEAST_WORDS = 4
_TELLING_WORDS = 5
_ECHO = 0.8  # of its words a sentence shares with the statement that it repeats
_SENTENCE = re.compile(r"(?<=[.!?\n])\s+")
_CONCEDING = word_set("although though while whilst despite admittedly granted some may might even if would could")
_TURNING = word_set("but however yet still")
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
    """The words of an argument in order and how each is meant; None stands where a clause ends or a verdict stood."""

    words: tuple[str | None, ...]
    meant: tuple[int, ...]

    def end(self) -> Argument:
        """Its last words, from where a clause begins that has at least ``_LEAST_WORDS`` of them up to the end."""
        count = 0
        for at in range(len(self.words) - 1, -1, -1):
            count += self.words[at] is not None
            if count >= _LEAST_WORDS and self.words[at] is None:
                return Argument(self.words[at:], self.meant[at:])
        return self


@lru_cache(maxsize=64)  # stance and topic are asked in turn
def read_argument(response: str) -> Argument:
    """Read a response; one pass, at most ``MAX_CHARACTERS`` characters of it."""
    tokens = _TOKEN.findall(own_answer(response)[:MAX_CHARACTERS].lower().replace("’", "'"))
    found: list[str | None] = []
    meant: list[int] = []
    denied, conceded, opening = 0, False, True
    for token in tokens:
        if not token[0].isalpha():
            denied = 0
            conceded = conceded and token in ",:"
            opening = opening and token in ",:"
        word = token if token[0].isalpha() and not (opening and token in LEXICON) else None
        if token in _CONCEDING:
            conceded = True
        elif token in _TURNING:
            conceded = False
        found.append(word)
        meant.append(CONCEDED if conceded else DENIED if denied else SAID)
        denied = _DENIED_WORDS if token in _DENYING or token == "than" else max(0, denied - 1)
    return Argument(tuple(found), tuple(meant))


def repeats_itself(response: str) -> bool:
    """Whether a sentence of five words or more stands twice in a response; of the 3,895 fitting reasons, in 5."""
    said = [words(sentence) for sentence in _SENTENCE.split(own_answer(response)[:MAX_CHARACTERS])]
    long = [sentence for sentence in said if len(sentence) >= _TELLING_WORDS]
    return len(set(long)) < len(long)


@lru_cache(maxsize=64)  # the judge and the evidence ask in turn
def beyond_echo(response: str, statement: str) -> str:
    """What a response says beyond the statement: its sentences but those that only say the statement over again.

    Base models like to repeat the statement and to praise it in words that fit anything; without the repetition those
    words stand alone.
    """
    given = set(words(statement))
    kept = []
    for sentence in _SENTENCE.split(own_answer(response)[:MAX_CHARACTERS]):
        said = words(sentence)
        if len(said) < _LEAST_WORDS or sum(word in given for word in said) < _ECHO * len(said):
            kept.append(sentence)
    return " ".join(kept)


@lru_cache(maxsize=2048)  # statements and reasons come again for every model
def content_words(text: str) -> tuple[str, ...]:
    """The distinct words of a text that carry a topic, in order of appearance, verdict words left out."""
    tokens = _TOKEN.findall(text[:MAX_CHARACTERS].lower().replace("’", "'"))
    return tuple(dict.fromkeys(word for word in tokens if is_content(word)))


def is_content(word: str) -> bool:
    """Whether a word carries a topic rather than a sentence or a verdict."""
    return len(word) > 1 and word[0].isalpha() and word not in _STOPWORDS and word not in LEXICON
