"""Responses that quote the data, with the quoted words replaced by references.

The texts of DFAR and other data sets are not ours to publish, but models restate a statement or recite a human reason.
Such a response is stored as a list of parts: literal strings, and references to characters of a row's text. What is
stored literally quotes nothing; whoever has the data restores the response exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from dfar_bench.datasets import Dataset, Row, get_dataset, rows
from dfar_bench.text import common_prefix, word_places, words

RUN = 10
"""So many consecutive words of any text of the data are a quotation."""

WHOLE = 5
"""A whole statement or reason of at least so many words is one as well; many statements are shorter than a run."""

MAX_RESPONSE = 50_000
"""The longest response, in characters."""

Part = str | dict[str, Any]
"""A literal string, or a reference to the characters [start, end) of a row's text:
``{"row": row_id, "field": "statement" or "reason", "start": …, "end": …}``, with ``"swapcase": [positions]`` where
letters have the other case in the response."""


def quotes(dataset: Dataset, text: str) -> bool:
    """Whether a text quotes what an answer to a data set may not publish (``Dataset.quotes``).

    Raises:
        InputError: the published data is not available.
    """
    return any(True for _ in _matches(words(text), _indexes(dataset)))


def quote(dataset: Dataset, row: Row, text: str) -> str | list[Part]:
    """Return a response as it is stored: itself if it quotes nothing, else its parts.

    References are to the row's own texts where these hold the words, else to the row from which the text comes, of
    several to the one with the lowest id.

    Raises:
        InputError: the published data is not available.
        ValueError: look-alike characters would leave a quotation in the literal parts.
    """
    tokens, indexes = _tokens(text), [_own_index(row), *_indexes(dataset)]
    origins: list[tuple[_Source, int] | None] = [None] * len(tokens)
    left = list(range(len(tokens)))
    # The words that are left are read as one text, so that a quotation around a reference is found as well.
    while matches := list(_matches([tokens[n].word for n in left], indexes)):
        for begin, end, source, at in matches:
            for offset, number in enumerate(left[begin:end]):
                origins[number] = origins[number] or (source, at + offset)
        left = [number for number in left if origins[number] is None]
    if len(left) == len(tokens):
        return text
    parts = _parts(text, _character_origins(text, tokens, origins))
    if quotes(dataset, literal_text(parts)):
        raise ValueError("holds a quotation in characters that only look like letters")
    return parts


def literal_text(parts: Sequence[Part]) -> str:
    """Return the literal parts of a response, with spaces between."""
    return " ".join(part for part in parts if isinstance(part, str))


def restore(dataset: Dataset, parts: Iterable[Part]) -> str:
    """Return the response that ``quote`` took apart.

    Raises:
        ValueError: says which reference is to something that is not there, or that the response would be too long.
        InputError: the published data is not available.
    """
    texts = []
    length = 0
    for part in parts:
        texts.append(part if isinstance(part, str) else _resolve(dataset, part))
        length += len(texts[-1])
        if length > MAX_RESPONSE:
            raise ValueError(f"is longer than {MAX_RESPONSE:,} characters when its parts are joined")
    return "".join(texts)


def _resolve(dataset: Dataset, part: dict[str, Any]) -> str:
    row_id, field, start, end = part["row"], part["field"], part["start"], part["end"]
    row = _rows_by_id(dataset.quotes).get(row_id)
    if row is None:
        raise ValueError(f"refers to {row_id!a}, which is not a row that an answer to {dataset.name} may quote")
    text = _Source(row, field).text
    if not 0 <= start < end <= len(text):
        raise ValueError(f"refers to characters {start} to {end} of the {field} of {row_id}, which has {len(text)}")
    characters = list(text[start:end])
    for position in part.get("swapcase", ()):
        if not (start <= position < end and _is_letter(text[position])):
            raise ValueError(f"swaps the case of character {position} of {row_id}, which is not a letter it refers to")
        characters[position - start] = text[position].swapcase()
    return "".join(characters)


@dataclass(frozen=True)
class _Source:
    """One text of the data."""

    row: Row
    field: str

    @property
    def text(self) -> str:
        return self.row.statement if self.field == "statement" else self.row.reason


@dataclass(frozen=True, slots=True)
class _Token:
    """A word in normal form, and the characters of the text that it stands for."""

    word: str
    start: int
    end: int


def _tokens(text: str) -> list[_Token]:
    return [_Token(*place) for place in word_places(text)]


_source_words = lru_cache(maxsize=4096)(lambda source: words(source.text))
_source_tokens = lru_cache(maxsize=4096)(lambda source: _tokens(source.text))


class _Index:
    """Where the runs of words and the whole short texts of some texts are: the first place of each."""

    def __init__(self, sources: Iterable[_Source]) -> None:
        self.places: dict[str, tuple[_Source, int]] = {}
        self.beginnings: set[str] = set()  # of short texts
        for source in sources:
            text = words(source.text)
            for at, run in enumerate(_runs(text, RUN)):
                self.places.setdefault(run, (source, at))
            if WHOLE <= len(text) < RUN:
                self.places.setdefault(" ".join(text), (source, 0))
                self.beginnings.add(" ".join(text[:WHOLE]))


def _matches(text: Sequence[str], indexes: Sequence[_Index]) -> Iterator[tuple[int, int, _Source, int]]:
    """Yield what a text quotes: its words [begin, end), the source, and the number of the first word there.

    Args:
        indexes: the first one that has the words counts.
    """
    covered = 0
    for begin, beginning in enumerate(_runs(text, WHOLE)):
        is_beginning = any(beginning in index.beginnings for index in indexes)
        for size in range(RUN, WHOLE - 1, -1) if is_beginning else (RUN,):
            end = begin + size
            if end <= covered or end > len(text):
                continue
            run = " ".join(text[begin:end])
            if place := next((index.places[run] for index in indexes if run in index.places), None):
                source, at = place
                covered = end + common_prefix(text[end:], _source_words(source)[at + size :])
                yield begin, covered, source, at
                break


def _runs(text: Sequence[str], size: int) -> Iterator[str]:
    return map(" ".join, zip(*(text[at:] for at in range(size))))


def _indexes(dataset: Dataset) -> list[_Index]:
    """Return the indexes of what an answer may quote; those first from which others take their texts."""
    return [_index(name) for name in reversed(dataset.quotes)]


@cache
def _index(name: str) -> _Index:
    """Index the texts of a data set, but for those that it takes from others."""
    taken = {source.text for parent in get_dataset(name).parents for source in _sources(_rows_of(parent))}
    return _Index(source for source in _sources(_rows_of(name)) if source.text not in taken)


@lru_cache(maxsize=64)
def _own_index(row: Row) -> _Index:
    return _Index([] if get_dataset(row.dataset).publishable else _sources([row]))


def _sources(rows_: Iterable[Row]) -> Iterator[_Source]:
    return (_Source(row, field) for row in rows_ for field in ("statement", "reason"))


def _rows_of(name: str) -> list[Row]:
    return sorted((row for part in rows(name).values() for row in part), key=lambda row: row.row_id)


@cache
def _rows_by_id(names: tuple[str, ...]) -> dict[str, Row]:
    return {row.row_id: row for name in names for row in _rows_of(name)}


_Origin = tuple[_Source, int]


def _character_origins(text: str, tokens: Sequence[_Token], origins: Sequence[_Origin | None]) -> list[_Origin | None]:
    """Return, for each character of a text, the one of the data that it repeats, be it in the other case."""
    out: list[_Origin | None] = [None] * len(text)
    before: tuple[_Token, _Token, _Source] | None = None
    for token, origin in zip(tokens, origins, strict=True):
        if origin is None:
            before = None
            continue
        source, number = origin
        there = _source_tokens(source)[number]
        for offset, position in enumerate(range(there.start, there.end), start=token.start):
            original, character = source.text[position], text[offset]
            if original == character or (_is_letter(original) and original.swapcase() == character):
                out[offset] = source, position
        if before and before[2] == source:  # what separates two words, if it is the same there
            gap, gap_there = range(before[0].end, token.start), range(before[1].end, there.start)
            if text[gap.start : gap.stop] == source.text[gap_there.start : gap_there.stop]:
                out[gap.start : gap.stop] = [(source, position) for position in gap_there]
        before = token, there, source
    return out


def _parts(text: str, origins: Sequence[_Origin | None]) -> list[Part]:
    """Join characters that follow each other, here and there, to references, and all others to literal strings."""
    parts: list[Part] = []
    for character, origin in zip(text, origins, strict=True):
        last = parts[-1] if parts else None
        if origin is None:
            if isinstance(last, str):
                parts[-1] = last + character
            else:
                parts.append(character)
            continue
        source, position = origin
        key = {"row": source.row.row_id, "field": source.field}
        if not isinstance(last, dict) or last["end"] != position or not key.items() <= last.items():
            last = {**key, "start": position, "end": position}
            parts.append(last)
        last["end"] += 1
        if source.text[position] != character:
            last.setdefault("swapcase", []).append(position)
    return parts


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()
