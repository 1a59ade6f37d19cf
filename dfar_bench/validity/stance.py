"""Take a human reason apart: sentences, and the verdict words in them turned round, reworded or taken out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

from dfar_bench.text import words
from dfar_bench.verdicts import parse_verdict

# No sentence ends behind "Mr.", "Mrs.", "Dr.", "Ms." or "a.m."
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\b[ap]\.m\.)\s+")

_COPULA = r"\b(?:is|was|are|were|be|been|it's|that's|seems|am)"
_ADVERBS = r"(?:\s+(?:not|also|so|very|quite|perfectly|absolutely|completely|totally|always|just|only|really|a|the))*"
_PREDICATE_END = r"(?=\s*(?:$|[.,;:!?])|\s+(?:to|that|because|since|for|of|if|when|as|and|but|not)\b)"
_DEED = r"(?=\s+(?:thing|decision|choice|idea|deed|act|action|behaviou?r|way|reason))"

_OPPOSITES = {
    "right": "wrong",
    "ok": "not okay",
    "okay": "not okay",
    "fine": "not fine",
    "fair": "unfair",
    "justified": "unjustified",
    "reasonable": "unreasonable",
    "acceptable": "unacceptable",
    "appropriate": "inappropriate",
    "logical": "illogical",
}
_OPPOSITES |= {bad: good for good, bad in _OPPOSITES.items() if " " not in bad}
_DEED_OPPOSITES = _OPPOSITES | {"good": "bad", "bad": "good", "nice": "nasty"}
_STRONG = {
    "ethical": "unethical",
    "moral": "immoral",
    "ethically": "unethically",
    "unethical": "ethical",
    "immoral": "moral",
    "unethically": "ethically",
}
_STRONG_WORD = re.compile(rf"\b(?:{'|'.join(_STRONG)})\b", re.IGNORECASE)
_TABLE = "|".join(sorted(_OPPOSITES, key=len, reverse=True))
_PREDICATE = re.compile(rf"({_COPULA}{_ADVERBS}\s+)({_TABLE})\b{_PREDICATE_END}", re.IGNORECASE)
_OF_A_DEED = re.compile(rf"\b({'|'.join(_DEED_OPPOSITES)})\b{_DEED}", re.IGNORECASE)


def word_set(text: str) -> frozenset[str]:
    """The words of a text as they stand, parted by white space."""
    return frozenset(text.split())


STOP_WORDS = word_set(
    "a about after again all also am an and any are as at be because been before being but by can could did do does"
    " doing down for from had has have having he her here hers him his how i if in into is it its just like made make"
    " me more most my no nor not now of off on once one only or other our out over own same say she should so some such"
    " than that the their them then there these they thing this those through time to too under up us very was we were"
    " what when where which while who whom why will with without would you your it's don't didn't i'm can't statement"
    " deserve usually used anymore since ethical unethical"
)


def choice(row_id: str, kind: str, count: int, turn: int = 0) -> int:
    """A number from 0 to ``count`` - 1 that a row and a kind fix for ever; ``turn`` draws another."""
    digest = sha256(f"{kind}/{turn}/{row_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % count


def shuffled(texts: Sequence[str], row_id: str, kind: str) -> list[str]:
    """The same texts in an order that a row and a kind fix for ever."""
    order = sorted(range(len(texts)), key=lambda place: sha256(f"{kind}/{place}/{row_id}".encode()).digest())
    return [texts[place] for place in order]


def sentences(text: str) -> list[str]:
    """The sentences of a text, with their marks, white space folded."""
    return [" ".join(sentence.split()) for sentence in _BETWEEN_SENTENCES.split(text) if sentence.strip()]


def content_words(text: str) -> frozenset[str]:
    """The words of a text that say what it is about."""
    return frozenset(word for word in words(text) if word not in STOP_WORDS and len(word) > 2)


def beginnings(text: str) -> set[str]:
    """The first four letters of each content word, so that "mopping" and "mopped" count as one."""
    return {word[:4] for word in content_words(text)}


def closed(text: str) -> str:
    """A text that ends with a mark, so that another sentence can follow."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?", '."', ".'")) else f"{text.rstrip(',;: ')}."


def like(word: str, model: str) -> str:
    """A word with a capital where its model has one."""
    return word[:1].upper() + word[1:] if model[:1].isupper() else word


def lowered(text: str) -> str | None:
    """A sentence without its capital, to go on with; None where its first word may be a name, or is "I"."""
    first = text.split(" ", 1)[0].lower()
    if first == "i" or not (first in STOP_WORDS or first.endswith("ing")):
        return None
    return text[:1].lower() + text[1:]


def flipped(text: str) -> str:
    """A text that pronounces the other verdict: strong words wherever they stand, everyday ones as predicates."""
    text = _PREDICATE.sub(lambda found: found[1] + like(_OPPOSITES[found[2].lower()], found[2]), text)
    text = _OF_A_DEED.sub(lambda found: like(_DEED_OPPOSITES[found[1].lower()], found[1]), text)
    text = _STRONG_WORD.sub(lambda found: like(_STRONG[found[0].lower()], found[0]), text)
    text = re.sub(r"\b(completely|absolutely|totally|perfectly|really|very|so) not\b", r"not \1", text)
    return re.sub(r"\bnot not ", "", text)


_ARTICLE = re.compile(r"\b(an|a|the|no|any|more|most)((?:\s+\w+ly)?)\s+(un)?ethical\b", re.IGNORECASE)
_BARE = re.compile(r"\b(un)?ethical(ly)?\b", re.IGNORECASE)


def reworded(text: str) -> str:
    """A text that says the same without the words ethical and unethical: right, wrong, decent, shameful."""

    def attribute(found: re.Match[str]) -> str:
        article = "a" if found[1].lower() == "an" and not found[2] else found[1]
        return f"{like(article, found[1])}{found[2]} {'shameful' if found[3] else 'decent'}"

    def predicate(found: re.Match[str]) -> str:
        word = ("badly" if found[1] else "decently") if found[2] else ("wrong" if found[1] else "right")
        return like(word, found[0])

    return _BARE.sub(predicate, _ARTICLE.sub(attribute, text))


_NEUTRAL: tuple[tuple[str, str], ...] = (
    # a last clause that only draws the conclusion
    (r"[,;:] (?:so|and|which|but|therefore|hence|for|since)\b[^,;:]*\b(?:un)?ethical\b[^,;:]*\.$", "."),
    (r"\b(?:is|was|are|were|seems)(?: \w+ly| also| not)? (?:un)?ethical(?=,? (?:because|since|as|for)\b)", "matters"),
    # "You did not come because … is unethical."
    (
        r"(?<=^)((?:You|I|He|She|Not|Expecting|\w+ing) .*?) (?:is|was|are|were|it's not)(?: \w+ly| also)? ?"
        r"(?:un)?ethical ?\.$",
        r"\1, that is the case at hand.",
    ),
    (r"^[Ii]t (?:is|was|would be) (?:un)?ethical (?=to \w+)", "The question is whether "),
    (r",? and (?:it is |is |therefore )?(?:un)?ethical\b(?! and)", ""),
)
_NEUTRAL_PATTERNS = tuple((re.compile(pattern), meant) for pattern, meant in _NEUTRAL)
_VERDICTLIKE = re.compile(
    rf"(?:\b(?:un)?ethical|\bmoral|\bimmoral|{_COPULA}{_ADVERBS}\s+(?:{_TABLE}|good|bad)\b)", re.IGNORECASE
)


_LEAST_ARGUMENT = 16  # words


def neutralised(text: str) -> str:
    """The argument of a text without the verdict that it pronounces.

    A verdict inside a sentence is worded away where that leaves the sentence readable; otherwise the sentence goes.

    Returns:
        "" where too little is left to be an argument (fewer than 16 words).
    """
    kept = []
    for sentence in sentences(text):
        for pattern, meant in _NEUTRAL_PATTERNS:
            sentence = pattern.sub(meant, sentence)
        if not _VERDICTLIKE.search(sentence) and parse_verdict(sentence) is None:
            kept.append(closed(sentence))
    left = " ".join(kept)
    return left if len(words(left)) >= _LEAST_ARGUMENT and parse_verdict(left) is None else ""
