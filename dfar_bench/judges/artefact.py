"""The fitted part of the reference judge: numbers by hashed words, no text. See ``judges.fit`` for how it is made."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from importlib.resources import files
from itertools import pairwise
from math import fsum, sqrt
from typing import Any
from zipfile import BadZipFile
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dfar_bench.errors import InputError
from dfar_bench.judges.argument import Argument

Array = NDArray[np.float32]

FILES = {
    "vectors.npz": ("vocabulary", "vectors"),
    "reference.npz": ("common", "transitions", "rarity", "word_stance", "pair_stance", "bias", "weights"),
}
"""The files of the artefact and the arrays in each: the word vectors, which are not ours, and what is fitted."""


ENDINGS = 64


class Vectors:
    """Word vectors (words, D) whose numbers are whole and below 129.

    Their products add up to less than 2**24, so that 32-bit floats hold them exactly whatever the order of the sum, and
    cosines are the same on every processor.
    """

    def __init__(self, whole: Array) -> None:
        self.whole = whole
        self.lengths = np.sqrt((whole.astype(np.int64) ** 2).sum(axis=1).astype(np.float64))

    def cosines(self, other: Vectors) -> NDArray[np.float64]:
        """Of each vector with each of another's (words, other's words)."""
        products = (self.whole @ other.whole.T).astype(np.float64)
        cosines: NDArray[np.float64] = products / (self.lengths[:, None] * other.lengths)
        return cosines


class Artefact:
    """Arrays and what is read from them.

    Arrays:
        vocabulary: uint32 (V,), CRC-32 of the words, most frequent first.
        vectors: int8 (V, D), word vectors to a common scale.
        common: uint32 (C,), CRC-32 of the most common words of all; other words go by their last two letters.
        transitions: int8 (C + ENDINGS, C + ENDINGS), how much more often than by chance one follows another (log / 16).
        rarity: float16 (V + 1,), how much a word says of a topic (0 to 1), the last one of any other word.
        word_stance: float32 (V, 3), what a word adds to the stance when said, denied and conceded.
        pair_stance: float16 (P,), what a word or two adjacent words add, by hash.
        bias: float32 (1,), the stance of an argument without words.
        weights: float32 (codes, features + 1), see ``judges.evidence``.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.arrays = {name: np.asarray(arrays[name]) for names in FILES.values() for name in names}
        self._place = {int(code): place for place, code in enumerate(self.arrays["vocabulary"])}
        self._kinds = {int(code): kind for kind, code in enumerate(self.arrays["common"])}
        self._transitions: list[list[int]] = self.arrays["transitions"].tolist()
        self._rarity: list[float] = self.arrays["rarity"].astype(float).tolist()
        self._word_stance: list[list[float]] = self.arrays["word_stance"].astype(float).tolist()
        self._pair_stance: list[float] = self.arrays["pair_stance"].astype(float).tolist()
        self.bias = float(self.arrays["bias"][0])
        self.weights: list[list[float]] = self.arrays["weights"].astype(float).tolist()
        self._vectors = self.arrays["vectors"].astype(np.float32)

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits over all arrays, whatever file they came from."""
        found = hashlib.sha256()
        for name, array in self.arrays.items():
            found.update(f"{name} {array.dtype.str} {array.shape}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()[:8]

    def place(self, word: str) -> int | None:
        """Where a word stands in the vocabulary, by frequency; None if it is not in it."""
        return self._place.get(crc32(word.encode()))

    def rarity_of(self, words: Sequence[str]) -> list[float]:
        """How much each word says of a topic, 0 to 1."""
        return [self._rarity[self._place.get(crc32(word.encode()), -1)] for word in words]

    def vectors_of(self, words: Sequence[str]) -> Vectors:
        """The vectors of words; an unknown word gets one of its own, at random but always the same."""
        places = [self._place.get(crc32(word.encode())) for word in words]
        found = [
            _invented(word, self._vectors.shape[1]) if place is None else self._vectors[place]
            for word, place in zip(words, places)
        ]
        return Vectors(np.array(found, dtype=np.float32))

    def places(self, argument: Argument) -> list[tuple[int, int]]:
        """(place in the vocabulary, how it is meant) of every word of an argument that is in the vocabulary."""
        codes = ((crc32(word.encode()), meant) for word, meant in zip(argument.words, argument.meant) if word)
        return [(place, meant) for code, meant in codes if (place := self._place.get(code)) is not None]

    def stance(self, argument: Argument) -> float:
        """For which verdict an argument speaks: log-odds of "unethical", negative for "ethical"."""
        places = self.places(argument)
        pairs = hashed_pairs(argument, len(self._pair_stance))
        from_words = fsum(self._word_stance[place][meant] for place, meant in places) / max(len(places), 1)
        from_pairs = fsum(self._pair_stance[pair] for pair in pairs) / sqrt(max(len(pairs), 1))
        return self.bias + from_words + from_pairs

    def fluency(self, words: Sequence[str]) -> float:
        """How much likelier the words follow one another than by chance: mean log-ratio, about 0 if thrown together."""
        kinds = kinds_of_words(words, self._kinds)
        ratios = [self._transitions[one][other] for one, other in pairwise(kinds)]
        return sum(ratios) / len(ratios) / 16 if ratios else 0.0


def kinds_of_words(words: Sequence[str], common: Mapping[int, int]) -> list[int]:
    """A number for each word: its own if it is common, else one that its ending has with others."""
    found = []
    for word in words:
        kind = common.get(crc32(word.encode()))
        found.append(len(common) + crc32(word[-2:].encode()) % ENDINGS if kind is None else kind)
    return found


def hashed_pairs(argument: Argument, size: int) -> list[int]:
    """The distinct words and pairs of adjacent words of an argument, with how they are meant, as numbers below size."""
    found: set[int] = set()
    before = b"^"
    for word, meant in zip(argument.words, argument.meant):
        if word is None:
            before = b"^"
            continue
        marked = b"%d%s" % (meant, word.encode())
        found.add(crc32(marked) % size)
        found.add(crc32(before + b" " + marked) % size)
        before = marked
    return sorted(found)


@lru_cache(maxsize=2048)
def _invented(word: str, dimensions: int) -> Array:
    return np.frombuffer(hashlib.shake_128(word.encode()).digest(dimensions), dtype=np.int8).astype(np.float32)


@lru_cache(maxsize=1)
def load() -> Artefact:
    """The artefact that comes with the package.

    Raises:
        InputError: it is missing or damaged; nothing takes its place.
    """
    return Artefact({**load_file("vectors.npz"), **load_file("reference.npz")})


def load_file(name: str) -> dict[str, NDArray[Any]]:
    """The arrays of one of ``FILES``.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        with files("dfar_bench.judges").joinpath(name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {array: arrays[array] for array in FILES[name]}
    except (OSError, EOFError, TypeError, ValueError, KeyError, BadZipFile, zlib.error) as error:
        raise InputError(f"the reference judge's {name} cannot be read ({error}): install dfar-bench again.") from None
