"""The encoder of the reference judge: which side a response argues for, read from statement and response alone.

A BERT of six layers (all-MiniLM-L6-v2, Apache-2.0; see ``data/NOTICE``), of which ``fit`` fine-tunes the upper three.
Weights are stored in 8 bits and computed with in float32, so that decisions are the same on every processor.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from dfar_bench.errors import InputError, one_line
from dfar_bench.files import cache_folder
from dfar_bench.judges.cache import AnswerCache, open_cache
from dfar_bench.judges.reference.v2 import CLASSES

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

    from dfar_bench.judges.reference.v2.network import Network

Arrays = dict[str, NDArray[Any]]

DATA = files("dfar_bench.judges.reference.v2") / "data"

BASE = "base.npz"
"""The weights that all versions share."""

SHARED = ("bert.embeddings.", *(f"bert.encoder.layer.{number}." for number in range(3)))
"""Beginnings of the names of the weights that are as published; those of the three upper layers are fine-tuned."""

MAX_TOKENS = 192
"""Of statement and response together; the rest of the longer is not read."""

MAX_CHARACTERS = 4_000
"""Of each text, so that a hostile one costs no more than a long one."""

DECIMALS = 4
"""Of the encoder's probabilities."""

COMBINATION = "combination"
"""The weights of a constant, of the encoder and of the first version; see ``judge``."""

_PIECES = "bert.embeddings.word_embeddings.weight"
_PLACES = "bert.embeddings.position_embeddings.weight"
_SCALE = ".scale"
_BATCH = 32


class Encoder:
    """An encoder of one version.

    Args:
        arrays: weights by name, as ``stored`` makes them.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.arrays = dict(arrays)

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits over all that its answers depend on: weights, pieces of words, limits."""
        digest = hashlib.sha256(json.dumps([_pieces(), MAX_TOKENS, MAX_CHARACTERS, DECIMALS]).encode())
        for name in sorted(self.arrays):
            array = self.arrays[name]
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:8]

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return the probability of each of ``CLASSES`` for pairs of statement and response.

        What was computed before is taken from a file in the cache folder, if that can be used.

        Returns:
            Shape (pairs, classes), rounded to ``DECIMALS``, since the last bits depend on processor and batch.
        """
        pairs = [(_readable(statement), _readable(response)) for statement, response in pairs]
        keys = {pair: hashlib.sha256(json.dumps([self.digest, *pair]).encode()).hexdigest() for pair in pairs}
        known: dict[tuple[str, str], list[float]] = {}
        with suppress(InputError), _open_cache() as cache:
            found = {pair: cache.get(key) for pair, key in keys.items()}
            known = {pair: json.loads(value) for pair, value in found.items() if value is not None}
        for chunk, rows in self._computed([pair for pair in keys if pair not in known]):
            known |= zip(chunk, rows)
            with suppress(InputError), _open_cache() as cache, cache.together():
                for pair, row in zip(chunk, rows):
                    cache.add(keys[pair], json.dumps(row))
        return np.array([known[pair] for pair in pairs]).reshape(len(pairs), len(CLASSES))

    def _computed(self, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[list[tuple[str, str]], list[list[float]]]]:
        """Yield batches of pairs of about the same length, which take little padding, with their probabilities."""
        import torch

        order = sorted(pairs, key=lambda pair: sum(map(len, pair)))
        with tqdm(total=len(order), desc="encoder", disable=None, leave=False, delay=1) as bar:
            for start in range(0, len(order), _BATCH):
                chunk = order[start : start + _BATCH]
                with torch.inference_mode():
                    logits = self._network(*encode(self._tokenizer, chunk))
                yield chunk, torch.softmax(logits.double(), dim=1).numpy().round(DECIMALS).tolist()
                bar.update(len(chunk))

    @cached_property
    def _network(self) -> Network:
        return restored(self.arrays).eval()

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return tokenizer()


def _readable(text: str) -> str:
    """Return the beginning of a text without what cannot be encoded, such as half a pair of surrogates."""
    return text[:MAX_CHARACTERS].encode(errors="replace").decode()


def _open_cache() -> AbstractContextManager[AnswerCache]:
    """Open the file of what was computed; raises InputError where there can be none, or it cannot be used."""
    return open_cache(cache_folder() / "encoder.sqlite", "DFAR_BENCH_CACHE")


def tokenizer() -> Tokenizer:
    """Return the published model's tokenizer, for pairs of texts; marks such as [SEP] in a text are mere text to it."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import BertProcessing

    ids = {piece: number for number, piece in enumerate(_pieces())}
    made = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    made.normalizer = BertNormalizer(lowercase=True)
    made.pre_tokenizer = BertPreTokenizer()
    made.post_processor = BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    made.enable_truncation(MAX_TOKENS, strategy="longest_first")
    made.enable_padding(pad_id=ids["[PAD]"], pad_token="[PAD]")
    return made


def _pieces() -> list[str]:
    """Return the pieces of words that the encoder knows, by their ids."""
    return (DATA / "vocab.txt").read_text(encoding="utf-8").split("\n")


def encode(tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return token ids, mask and segments of pairs of statement and response, shape (pairs, tokens) each."""
    import torch

    encoded = tokenizer.encode_batch(list(pairs))
    ids, masks, segments = (
        torch.tensor([getattr(each, name) for each in encoded]) for name in ("ids", "attention_mask", "type_ids")
    )
    return ids, masks, segments


def stored(network: Network) -> Arrays:
    """Return the weights of a network as they are stored: matrices in 8 bits with a scale per row.

    What is never looked up, or not in ASCII, becomes zeros, which take no room: some pieces of words, and places beyond
    ``MAX_TOKENS``.
    """
    arrays: Arrays = {}
    for name, tensor in network.state_dict().items():
        value = tensor.numpy().astype(np.float32, copy=True)
        if name == _PIECES:
            value[[not piece.isascii() or piece.startswith("[unused") for piece in _pieces()]] = 0
        if name == _PLACES:
            value[MAX_TOKENS:] = 0
        if value.ndim < 2:
            arrays[name] = value
            continue
        scale = np.maximum(np.abs(value).max(axis=1), 1e-12) / 127
        arrays[name] = np.round(value / scale[:, None]).astype(np.int8)
        arrays[name + _SCALE] = scale.astype(np.float32)
    return arrays


def restored(arrays: Mapping[str, NDArray[Any]]) -> Network:
    """Return the network of stored weights.

    Raises:
        InputError: weights are missing, or of another shape.
    """
    import torch

    from dfar_bench.judges.reference.v2.network import Network

    network = Network()
    state = {
        name: torch.tensor(array * arrays[name + _SCALE][:, None] if name + _SCALE in arrays else array)
        for name, array in arrays.items()
        if not name.endswith(_SCALE) and name != COMBINATION
    }
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(
            f"the reference judge's weights do not fit ({one_line(error)}): install dfar-bench again."
        ) from None
    return network


def load(version: str, folder: Traversable = DATA) -> Encoder:
    """Load the encoder of a version that comes with the package, such as ``v2``.

    Raises:
        InputError: a file is missing or damaged; there is no fallback.
    """
    return Encoder({**_load(BASE, folder), **_load(f"{version}.npz", folder)})


def _load(name: str, folder: Traversable) -> Arrays:
    try:
        with folder.joinpath(name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, EOFError, TypeError, ValueError, KeyError, BadZipFile, zlib.error) as error:
        raise InputError(
            f"the reference judge's {name} cannot be read ({one_line(error)}): install dfar-bench again."
        ) from None
