"""Rewrite human reasons: split sentences, flip, replace or remove verdict words, paraphrase."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

from dfar_bench.reading import parse_verdict
from dfar_bench.reading.lexicon import word_set
from dfar_bench.runs.validation.texts import CONTRACTIONS, SYNONYMS
from dfar_bench.text import words

STOP_WORDS = word_set(
    "a about after again all also am an and any are as at be because been before being but by can could did do does"
    " doing down for from had has have having he her here hers him his how i if in into is it its just like made make"
    " me more most my no nor not now of off on once one only or other our out over own same say she should so some such"
    " than that the their them then there these they thing this those through time to too under up us very was we were"
    " what when where which while who whom why will with without would you your it's don't didn't i'm can't statement"
    " deserve usually used anymore since ethical unethical"
)

# No sentence ends after "Mr.", "Mrs.", "Dr.", "Ms." or "a.m."
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\b[ap]\.m\.)\s+")

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
_STRONG_OPPOSITES = {"ethical": "unethical", "moral": "immoral", "ethically": "unethically"}
_STRONG_OPPOSITES |= {bad: good for good, bad in _STRONG_OPPOSITES.items()}
_STRONG = re.compile(rf"\b(?:{'|'.join(_STRONG_OPPOSITES)})\b", re.IGNORECASE)
_EVERYDAY = "|".join(sorted(_OPPOSITES, key=len, reverse=True))
_PREDICATE = re.compile(rf"({_COPULA}{_ADVERBS}\s+)({_EVERYDAY})\b{_PREDICATE_END}", re.IGNORECASE)
_OF_A_DEED = re.compile(rf"\b({'|'.join(_DEED_OPPOSITES)})\b{_DEED}", re.IGNORECASE)

_ATTRIBUTE = re.compile(r"\b(an|a|the|no|any|more|most)((?:\s+\w+ly)?)\s+(un)?ethical\b", re.IGNORECASE)
_VERDICT_WORD = re.compile(r"\b(un)?ethical(ly)?\b", re.IGNORECASE)

_REMOVALS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # a last clause that only draws the conclusion
        (r"[,;:] (?:so|and|which|but|therefore|hence|for|since)\b[^,;:]*\b(?:un)?ethical\b[^,;:]*\.$", "."),
        (
            r"\b(?:is|was|are|were|seems)(?: \w+ly| also| not)? (?:un)?ethical(?=,? (?:because|since|as|for)\b)",
            "matters",
        ),
        # "You did not come because … is unethical."
        (
            r"(?<=^)((?:You|I|He|She|Not|Expecting|\w+ing) .*?) (?:is|was|are|were|it's not)(?: \w+ly| also)? ?"
            r"(?:un)?ethical ?\.$",
            r"\1, that is the case at hand.",
        ),
        (r"^[Ii]t (?:is|was|would be) (?:un)?ethical (?=to \w+)", "The question is whether "),
        (r",? and (?:it is |is |therefore )?(?:un)?ethical\b(?! and)", ""),
    )
]
_VERDICTLIKE = re.compile(
    rf"(?:\b(?:un)?ethical|\bmoral|\bimmoral|{_COPULA}{_ADVERBS}\s+(?:{_EVERYDAY}|good|bad)\b)", re.IGNORECASE
)
_LEAST_ARGUMENT_WORDS = 16

_EXPANSIONS = {short: long for long, short in CONTRACTIONS.items() if short.endswith("n't")}
_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_CONDITION_FIRST = re.compile(r"^(If|When|Once|After|Unless) ([^,;:]+?)(?:, then|,| then) ([^,;:]+)\.$")
_PRONOUN = re.compile(r"\b(?:this|that|it|they|them|he|she|his|her|their|so)\b", re.IGNORECASE)
_ARTICLE = re.compile(
    rf"\b([Aa]n?) ({'|'.join(sorted({word.split()[0] for word in SYNONYMS.values()}, key=len, reverse=True))})\b"
)


def stable_number(key: str, purpose: str, below: int, turn: int = 0) -> int:
    """Return a number from 0 to ``below`` - 1 that the other arguments determine."""
    digest = sha256(f"{purpose}/{turn}/{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % below


def shuffled(texts: Sequence[str], key: str, purpose: str) -> list[str]:
    """Return the texts in an order that key and purpose determine."""
    order = sorted(range(len(texts)), key=lambda at: sha256(f"{purpose}/{at}/{key}".encode()).digest())
    return [texts[at] for at in order]


def sentences(text: str) -> list[str]:
    """Split a text into sentences, white space collapsed."""
    return [" ".join(sentence.split()) for sentence in _SENTENCE_BREAK.split(text) if sentence.strip()]


def content_words(text: str) -> frozenset[str]:
    """Return the words of a text that tell what it is about."""
    return frozenset(word for word in words(text) if word not in STOP_WORDS and len(word) > 2)


def stems(text: str) -> set[str]:
    """Return the first four letters of each content word, so that "mopping" and "mopped" count as one."""
    return {word[:4] for word in content_words(text)}


def end_sentence(text: str) -> str:
    """Make a text end with a full stop or the like, so that another sentence can follow."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?", '."', ".'")) else f"{text.rstrip(',;: ')}."


def match_case(word: str, model: str) -> str:
    """Capitalize a word if its model is."""
    return word[:1].upper() + word[1:] if model[:1].isupper() else word


def decapitalize(text: str) -> str | None:
    """Return a sentence without its capital, None where its first word may be a name, or is "I"."""
    first = text.split(" ", 1)[0].lower()
    if first == "i" or not (first in STOP_WORDS or first.endswith("ing")):
        return None
    return text[:1].lower() + text[1:]


def flip_verdict(text: str) -> str:
    """Make a text pronounce the other verdict: strong words anywhere, everyday ones as predicates."""
    text = _PREDICATE.sub(lambda match: match[1] + match_case(_OPPOSITES[match[2].lower()], match[2]), text)
    text = _OF_A_DEED.sub(lambda match: match_case(_DEED_OPPOSITES[match[1].lower()], match[1]), text)
    text = _STRONG.sub(lambda match: match_case(_STRONG_OPPOSITES[match[0].lower()], match[0]), text)
    text = re.sub(r"\b(completely|absolutely|totally|perfectly|really|very|so) not\b", r"not \1", text)
    return re.sub(r"\bnot not ", "", text)


def replace_verdict_words(text: str) -> str:
    """Replace ethical and unethical by right, wrong, decent and shameful."""

    def attribute(match: re.Match[str]) -> str:
        article = "a" if match[1].lower() == "an" and not match[2] else match[1]
        return f"{match_case(article, match[1])}{match[2]} {'shameful' if match[3] else 'decent'}"

    def predicate(match: re.Match[str]) -> str:
        word = ("badly" if match[1] else "decently") if match[2] else ("wrong" if match[1] else "right")
        return match_case(word, match[0])

    return _VERDICT_WORD.sub(predicate, _ATTRIBUTE.sub(attribute, text))


def remove_verdict(text: str) -> str:
    """Return the argument of a text without the verdict that it pronounces.

    A verdict inside a sentence is replaced where that leaves the sentence readable; otherwise the sentence is dropped.

    Returns:
        "" if fewer than 16 words are left, too few for an argument.
    """
    kept = []
    for sentence in sentences(text):
        for pattern, replacement in _REMOVALS:
            sentence = pattern.sub(replacement, sentence)
        if not _VERDICTLIKE.search(sentence) and parse_verdict(sentence) is None:
            kept.append(end_sentence(sentence))
    rest = " ".join(kept)
    return rest if len(words(rest)) >= _LEAST_ARGUMENT_WORDS and parse_verdict(rest) is None else ""


def paraphrase_text(text: str, key: str) -> str:
    """Say the same in other words: synonyms, contractions, the order of clauses; the key determines which."""
    return " ".join(_paraphrase(sentence, f"{key}/{place}") for place, sentence in enumerate(sentences(text)))


def _paraphrase(sentence: str, key: str) -> str:
    match = _CONDITION_FIRST.match(sentence)
    if match and not _PRONOUN.search(match[3]):  # else a pronoun would come before its noun
        sentence = f"{match_case(match[3], 'A')} {match[1].lower()} {match[2]}."
    forms = CONTRACTIONS if stable_number(key, "contractions", 2) else _EXPANSIONS
    pattern = re.compile(rf"\b(?:{'|'.join(forms)})\b", re.IGNORECASE)
    sentence = pattern.sub(lambda match: match_case(forms[match[0].lower()], match[0]), sentence)
    sentence = _WORD.sub(lambda match: match_case(SYNONYMS.get(match[0].lower(), match[0]), match[0]), sentence)
    return _ARTICLE.sub(_with_article, sentence)


def _with_article(match: re.Match[str]) -> str:
    """Choose a or an by the sound of the word."""
    article = "an" if match[2][0].lower() in "aeiou" or match[2].lower() == "honest" else "a"
    return f"{match_case(article, match[1])} {match[2]}"
