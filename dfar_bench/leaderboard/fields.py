"""The types of a submission's fields: how long, which characters, what form.

Whatever is shown on the board comes from people we do not know, so a field says what it may hold rather than what it
may not. Each check's reason is what submitters read behind the field's name.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from dfar_bench.leaderboard.text import has_path, has_secret, odd_character

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_HOST = r"https://(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
_FIRST_YEAR = 2024


def refusal(reason: str) -> PydanticCustomError:
    """What a validator raises."""
    return PydanticCustomError("dfar", "{reason}", {"reason": reason})


def _matching(pattern: str, reason: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise refusal(reason)
        return text

    return AfterValidator(check)


def _plain(text: str) -> str:
    if (odd := odd_character(text)) is not None:
        raise refusal(f"holds the character U+{ord(odd):04X}; it may hold letters, digits and plain punctuation")
    if not unicodedata.is_normalized("NFC", text):
        raise refusal("is not in the Unicode normal form NFC")
    if text != text.strip():
        raise refusal("begins or ends with a space")
    return private(text)


def private(text: str) -> str:
    """Refuse a text that tells of the submitter's machine."""
    if has_path(text):
        raise refusal("holds an absolute path; leave it out")
    if has_secret(text):
        raise refusal("holds what looks like an access token; leave it out")
    return text


def _unambiguous(model_id: str) -> str:
    org, _, name = model_id.partition("/")
    if ".." in model_id or "__" in org or max(len(org), len(name)) > 96:
        raise refusal("holds '..', or '__' in the organisation, or a part of more than 96 characters")
    return model_id


def _day(text: str) -> str:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text or found.year < _FIRST_YEAR:
        raise refusal(f"is no date since {_FIRST_YEAR} of the form 2026-01-31")
    return text


def _reachable(text: str) -> str:
    if text.startswith("@") or ("@" in text and ":" not in text):
        known = r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})|[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}"
    else:
        known = _LINK
    if not re.fullmatch(known, text, re.ASCII):
        raise refusal("is neither an e-mail address, nor @name on GitHub, nor a link that begins with https://")
    return text


_LINK = _HOST + r"(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/%+?=#-]*)?"

Text = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_plain)]
"""A sentence or two, in any script."""

ModelId = Annotated[
    str,
    StringConstraints(min_length=3, max_length=193),
    _matching(rf"{_PART}/{_PART}", "is not org/name in English letters, digits and . _ - (inside, not at the ends)"),
    AfterValidator(_unambiguous),
]
Link = Annotated[
    str,
    StringConstraints(max_length=200),
    _matching(_LINK, "is no plain link that begins with https:// and a host's name"),
]
Contact = Annotated[str, StringConstraints(min_length=2, max_length=200), AfterValidator(_reachable)]
Day = Annotated[str, StringConstraints(min_length=10, max_length=10), AfterValidator(_day)]
Licence = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    _matching(r"[A-Za-z0-9][A-Za-z0-9.+() -]*", "is no licence identifier such as Apache-2.0"),
]
Revision = Annotated[
    str,
    StringConstraints(min_length=1, max_length=96),
    _matching(r"[A-Za-z0-9][A-Za-z0-9._/-]*", "is no revision (a commit hash, tag or branch)"),
]
Word = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60),
    _matching(r"[A-Za-z0-9][A-Za-z0-9._+-]*", "is no single word of English letters, digits and . _ + -"),
    AfterValidator(private),
]
Version = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40),
    _matching(r"[0-9]+(?:\.[0-9]+)+[A-Za-z0-9.+-]*", "is no version such as 0.4.13"),
]
Signature = Annotated[
    str,
    StringConstraints(min_length=5, max_length=900),
    _matching(r"dfar(?:\|[a-z_]+:[A-Za-z0-9_.+/?-]*)+", "is no signature of dfar-bench"),
]
StopString = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60),
    _matching(
        r"(?:[A-Za-z0-9 \n.,;:!?()\[\]+_/%@#*-]|</?s>|<eos>|<end_of_turn>|<\|\w+\|>)+",
        "is no stop string of plain characters and known end-of-text tokens",
    ),
    AfterValidator(private),
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Hash16 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Hash8 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
RowHashes = Annotated[str, StringConstraints(max_length=400_000, pattern=r"^[0-9a-f]{16}(?: [0-9a-f]{16})*$")]
RowId = Annotated[str, StringConstraints(max_length=40)]
Count = Annotated[int, Field(ge=0, le=10**15)]
Number = Annotated[float, Field(allow_inf_nan=False)]
LogLikelihood = Annotated[float, Field(gt=-1e6, le=0, allow_inf_nan=False)]
"""A natural logarithm of a probability; a verdict of one or two tokens is nowhere near as unlikely as the bound."""
Response = Annotated[str, StringConstraints(max_length=50_000)]
Sealed = Annotated[
    str,
    StringConstraints(max_length=266_680),
    _matching(r"[A-Za-z0-9+/]+={0,2}", "is no base64; write it with dfar-bench submit"),
]
"""As long as the longest response can be: four bytes a character and eight more, four letters for three bytes."""
