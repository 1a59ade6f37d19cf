"""The fitted model of the reference judge: numbers by hashed words, without any text. ``fit`` makes it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from math import fsum, sqrt
from typing import Any
from zipfile import BadZipFile
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dfar_bench.errors import InputError, one_line
from dfar_bench.judges.reference.v1.argument import Argument

Arrays = dict[str, NDArray[Any]]

DATA = files("dfar_bench.judges.reference.v1") / "data"

FILES = {
    "vectors.npz": ("vocabulary", "vectors"),
    "reference.npz": ("common", "transitions", "rarity", "word_stance", "pair_stance", "bias", "weights"),
}
"""The model's files and the arrays in each: GloVe's word vectors, and what is fitted."""

ENDINGS = 64
"""Classes of uncommon words, by their last two letters."""


class Vectors:
    """Word vectors, shape (words, dimensions), of whole numbers below 129.

    Their products add up to less than 2**24, so 32-bit floats hold them exactly whatever the order of the sum, and
    cosines are the same on every processor.
    """

    def __init__(self, values: NDArray[np.float32]) -> None:
        self.values = values
        self.lengths = np.sqrt((values.astype(np.int64) ** 2).sum(axis=1).astype(np.float64))

    def cosines(self, others: Vectors) -> NDArray[np.float64]:
        """Return cosines, shape (words, other words)."""
        products = (self.values @ others.values.T).astype(np.float64)
        cosines: NDArray[np.float64] = products / (self.lengths[:, None] * others.lengths)
        return cosines


class ReferenceModel:
    """The arrays of the model and what is computed from them.

    Arrays:
        vocabulary: uint32 (V,), CRC-32 of the words, most frequent first.
        vectors: int8 (V, D), word vectors to a common scale.
        common: uint32 (C,), CRC-32 of the most common words; other words are classed by their last two letters.
        transitions: int8 (C + ENDINGS, C + ENDINGS), log-ratio of how often one class of words follows another and
            how often it would by chance, times 16.
        rarity: float16 (V + 1,), how much a word tells of a topic, 0 to 1; the last is that of unknown words.
        word_stance: float32 (V, 3), what a word adds to the stance when asserted, negated and conceded.
        pair_stance: float16 (P,), what a word or two adjacent words add, by hash.
        bias: float32 (1,), the stance of an argument without words.
        weights: float32 (codes, features + 1), see ``features``; the last column is the constant.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.arrays = {name: np.asarray(arrays[name]) for names in FILES.values() for name in names}
        self._index = index_of(self.arrays["vocabulary"])
        self._classes = index_of(self.arrays["common"])
        self._transitions: list[list[int]] = self.arrays["transitions"].tolist()
        self._rarity: list[float] = self.arrays["rarity"].astype(float).tolist()
        self._word_stance: list[list[float]] = self.arrays["word_stance"].astype(float).tolist()
        self._pair_stance: list[float] = self.arrays["pair_stance"].astype(float).tolist()
        self._bias = float(self.arrays["bias"][0])
        self.weights: list[list[float]] = self.arrays["weights"].astype(float).tolist()
        self._vectors = self.arrays["vectors"].astype(np.float32)

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits over all arrays."""
        digest = hashlib.sha256()
        for name, array in self.arrays.items():
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:8]

    def rarity_of(self, words: Sequence[str]) -> list[float]:
        """Return how much each word tells of a topic, 0 to 1."""
        return [self._rarity[self._index.get(crc32(word.encode()), -1)] for word in words]

    def vectors_of(self, words: Sequence[str]) -> Vectors:
        """Return the vectors of words; an unknown word gets a random one that is always the same."""
        dimensions = self._vectors.shape[1]
        indices = [self._index.get(crc32(word.encode())) for word in words]
        rows = [
            _random_vector(word, dimensions) if index is None else self._vectors[index]
            for word, index in zip(words, indices)
        ]
        return Vectors(np.array(rows, dtype=np.float32).reshape(len(words), dimensions))

    def stance(self, argument: Argument) -> float:
        """Return which verdict an argument supports: log-odds of "unethical", negative for "ethical"."""
        known = known_words(argument, self._index)
        pairs = hashed_pairs(argument, len(self._pair_stance))
        from_words = fsum(self._word_stance[index][polarity] for index, polarity in known) / max(len(known), 1)
        from_pairs = fsum(self._pair_stance[pair] for pair in pairs) / sqrt(max(len(pairs), 1))
        return self._bias + from_words + from_pairs

    def fluency(self, words: Sequence[str]) -> float:
        """Return the mean log-ratio by which words follow each other more often than by chance; near 0 if jumbled."""
        ratios = [self._transitions[first][second] for first, second in pairwise(word_classes(words, self._classes))]
        return sum(ratios) / len(ratios) / 16 if ratios else 0.0


def index_of(codes: NDArray[np.uint32]) -> dict[int, int]:
    """Return the index of each code."""
    return {int(code): index for index, code in enumerate(codes)}


def known_words(argument: Argument, index: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return (index in the vocabulary, polarity) of every known word of an argument."""
    codes = ((crc32(word.encode()), polarity) for word, polarity in zip(argument.words, argument.polarities) if word)
    return [(index[code], polarity) for code, polarity in codes if code in index]


def word_classes(words: Sequence[str], common: Mapping[int, int]) -> list[int]:
    """Return a class number for each word: its own if it is common, else that of its ending."""
    codes = [common.get(crc32(word.encode())) for word in words]
    return [
        len(common) + crc32(word[-2:].encode()) % ENDINGS if code is None else code for word, code in zip(words, codes)
    ]


def hashed_pairs(argument: Argument, size: int) -> list[int]:
    """Hash the distinct words and pairs of adjacent words of an argument, with polarity, to numbers below ``size``."""
    hashes: set[int] = set()
    previous = b"^"
    for word, polarity in zip(argument.words, argument.polarities):
        if word is None:
            previous = b"^"
            continue
        marked = b"%d%s" % (polarity, word.encode())
        hashes.add(crc32(marked) % size)
        hashes.add(crc32(previous + b" " + marked) % size)
        previous = marked
    return sorted(hashes)


@lru_cache(maxsize=2048)
def _random_vector(word: str, dimensions: int) -> NDArray[np.float32]:
    return np.frombuffer(hashlib.shake_128(word.encode()).digest(dimensions), dtype=np.int8).astype(np.float32)


def load(folder: Traversable = DATA) -> ReferenceModel:
    """Load the model that comes with the package.

    Raises:
        InputError: a file is missing or damaged; there is no fallback.
    """
    return ReferenceModel({**load_file("vectors.npz", folder), **load_file("reference.npz", folder)})


def load_file(name: str, folder: Traversable = DATA) -> Arrays:
    """Load the arrays of one of ``FILES``.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        with folder.joinpath(name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {array: arrays[array] for array in FILES[name]}
    except (OSError, EOFError, TypeError, ValueError, KeyError, BadZipFile, zlib.error) as error:
        raise InputError(
            f"the reference judge's {name} cannot be read ({one_line(error)}): install dfar-bench again."
        ) from None
