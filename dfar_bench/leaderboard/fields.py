"""The types of a submission's fields: lengths, forms, and what is refused.

Texts may hold whatever people write; pages escape them. Refused are control characters, characters that change the
reading direction, and what tells of the submitter's machine. Each reason is what submitters read behind the field.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from dfar_bench.leaderboard.privacy import has_path, has_secret

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_LINK = r'https://(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?::[0-9]{1,5})?(?:[/?#][^\s<>"\\]*)?'
_EMAIL = r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}"
_GITHUB = r"@[A-Za-z0-9][A-Za-z0-9-]{0,38}"
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})
_FIRST_YEAR = 2024


class Strict(BaseModel):
    """No unknown field, no value of another type, no number that is not finite; never changed afterwards."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def refusal(reason: str) -> PydanticCustomError:
    """Return what a validator raises."""
    return PydanticCustomError("dfar", "{reason}", {"reason": reason})


def _matching(pattern: str, reason: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise refusal(reason)
        return text

    return AfterValidator(check)


def _check_plain(text: str, allowed: str = "") -> str:
    for character in text:
        if character in _DIRECTION or (unicodedata.category(character) in _CONTROL and character not in allowed):
            raise refusal(f"holds the control character U+{ord(character):04X}; remove it")
    if has_path(text):
        raise refusal("holds an absolute path; leave it out")
    if has_secret(text):
        raise refusal("holds what looks like an access token; leave it out")
    return text


def _check_text(text: str) -> str:
    if not text.strip():
        raise refusal("is empty")
    return _check_plain(text)


def _check_model_id(model_id: str) -> str:
    org, _, name = model_id.partition("/")
    if ".." in model_id or "__" in org or max(len(org), len(name)) > 96:
        raise refusal("holds '..', or '__' in the organisation, or a part of more than 96 characters")
    return model_id


def _check_day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text or day.year < _FIRST_YEAR:
        raise refusal(f"is not a date since {_FIRST_YEAR} of the form 2026-01-31")
    return text


def member(what: str, names: Callable[[], Iterable[str]]) -> AfterValidator:
    """Return the check that a name is one of those known when it is made."""

    def check(name: str) -> str:
        if name not in (known := list(names())):
            raise refusal(f"is not {what}; choose one of {', '.join(known)}")
        return name

    return AfterValidator(check)


def _hexadecimal(digits: int) -> StringConstraints:
    return StringConstraints(pattern=rf"^[0-9a-f]{{{digits}}}$")


_PLAIN = AfterValidator(_check_text)
Text = Annotated[str, StringConstraints(max_length=300), _PLAIN]
Name = Annotated[str, StringConstraints(max_length=96), _PLAIN]
StopString = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(lambda text: _check_plain(text, "\n\r\t"))
]
ModelId = Annotated[
    str,
    StringConstraints(min_length=3, max_length=193),
    _matching(rf"{_PART}/{_PART}", "is not org/name in English letters, digits and . _ - (inside, not at the ends)"),
    AfterValidator(_check_model_id),
]
Link = Annotated[
    str,
    StringConstraints(max_length=200),
    _matching(_LINK, "is not a link that begins with https:// and a host's name"),
    _PLAIN,
]
Contact = Annotated[
    str,
    StringConstraints(max_length=200),
    _matching(
        f"{_GITHUB}|{_EMAIL}|{_LINK}",
        "is neither an e-mail address, nor @name on GitHub, nor a link that begins with https://",
    ),
    _PLAIN,
]
Day = Annotated[str, AfterValidator(_check_day)]
Version = Annotated[
    str,
    StringConstraints(max_length=40),
    _matching(r"[0-9]+(?:\.[0-9]+)+[A-Za-z0-9.+-]*", "is not a version such as 0.4.13"),
]
Commit = Annotated[str, _hexadecimal(40)]
Sha256 = Annotated[str, _hexadecimal(64)]
Hash16 = Annotated[str, _hexadecimal(16)]
Hash8 = Annotated[str, _hexadecimal(8)]
RowHashes = Annotated[str, StringConstraints(max_length=400_000, pattern=r"^[0-9a-f]{16}(?: [0-9a-f]{16})*$")]
RowId = Annotated[str, StringConstraints(max_length=60)]
Count = Annotated[int, Field(ge=0, le=10**15)]
LogLikelihood = Annotated[float, Field(gt=-1e6, le=0)]
"""The natural logarithm of a probability; a verdict of one or two tokens is never as unlikely as the bound."""
