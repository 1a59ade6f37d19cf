"""Responses that quote the data, sealed: whoever has the data can read them, and nobody gets the data from them.

DFAR's and ETHOS's texts are not ours to ship, but models restate a statement or recite a human reason. Such a response
is published encrypted with a key that follows from its row's own texts. That is no secrecy against those who have the
data, and is not meant to be: they can check every answer.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache

from dfar_bench.data import Row, rows
from dfar_bench.text import words

RUN = 10
"""So many words in a row of any text of the data are a quotation."""

WHOLE = 5
"""From so many words on, a whole statement or reason is one as well; one test statement in eight is shorter than a run.
"""

_MARK = "dfar-bench seal 1"  # run.js opens seals too: change both
_NONCE = 8  # bytes


def quotes(row: Row, text: str) -> bool:
    """Whether a response to a row quotes the data: its train and test rows, for ETHOS also DFAR's, which are shown as
    examples. The small split's texts are ours, and shipped.

    Raises:
        InputError: the published data is not at hand.
    """
    split, said = row.row_id.partition("-")[0], words(text)
    if not _runs(split).isdisjoint(_runs_of(said)):
        return True
    short = _short(split)
    beginnings = zip(*(said[at:] for at in range(WHOLE)))
    return any(
        said[at : at + len(whole)] == whole
        for at, beginning in enumerate(beginnings)
        for whole in short.get(beginning, ())
    )


def seal(row: Row, text: str) -> str:
    """A text that only those can read who have the row's statement and reason; the same one every time.

    Returns:
        base64 of a nonce and of the UTF-8 text, combined by exclusive or with ``SHA-256(key, nonce, 0), …1), …``.
        The nonce is the beginning of ``SHA-256(key, text)``, so no two texts share a key stream, and one can tell
        whether a text was opened rightly.

    Raises:
        UnicodeEncodeError: half a character, which has no UTF-8.
    """
    key, content = _key(row), text.encode()
    nonce = hashlib.sha256(key + content).digest()[:_NONCE]
    return base64.b64encode(nonce + _combined(key, nonce, content)).decode()


def unseal(row: Row, sealed: str) -> str:
    """The text that ``seal`` sealed.

    Raises:
        ValueError: it is not, to the last character, what ``seal`` makes of a text and this row.
    """
    with suppress(ValueError):  # no base64, or opened to what is no UTF-8
        content = base64.b64decode(sealed)
        text = _combined(_key(row), content[:_NONCE], content[_NONCE:]).decode()
        if seal(row, text) == sealed:
            return text
    raise ValueError(f"this is not sealed with the texts of {row.row_id}, or damaged")


def _key(row: Row) -> bytes:
    """The key of a row: a hash of JSON that Python and JavaScript write alike."""
    texts = [_MARK, row.row_id, row.statement, row.reason]
    return hashlib.sha256(json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()).digest()


def _combined(key: bytes, nonce: bytes, content: bytes) -> bytes:
    """Exclusive or with the key stream, which undoes itself."""
    size = len(content)
    blocks = range(size // hashlib.sha256().digest_size + 1)
    stream = b"".join(hashlib.sha256(key + nonce + block.to_bytes(4)).digest() for block in blocks)
    return (int.from_bytes(content) ^ int.from_bytes(stream[:size])).to_bytes(size)


@cache
def _runs(split: str) -> frozenset[str]:
    """All runs of words of a split's texts and of the examples shown with it."""
    if split == "mini":
        return frozenset()
    if split == "clean":  # holds rows of the published split, texts untouched
        return _runs("paper")
    own = frozenset(run for said in _texts(split) for run in _runs_of(said))
    return own | _runs("paper") if split == "ethos" else own


@cache
def _short(split: str) -> dict[tuple[str, ...], list[tuple[str, ...]]]:
    """The words of all texts that are shorter than a run and long enough to count, by their first ``WHOLE``."""
    if split == "mini":
        return {}
    if split == "clean":
        return _short("paper")
    found: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    for said in (*_texts(split), *(_texts("paper") if split == "ethos" else ())):
        if WHOLE <= len(said) < RUN:
            found[said[:WHOLE]].append(said)
    return dict(found)


def _texts(split: str) -> Iterator[tuple[str, ...]]:
    return (words(text) for part in rows(split).values() for row in part for text in (row.statement, row.reason))


def _runs_of(said: tuple[str, ...]) -> Iterable[str]:
    return map(" ".join, zip(*(said[at:] for at in range(RUN))))
