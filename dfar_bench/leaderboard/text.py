"""What may stand in the text fields of a submission, and what must never leave the submitter's machine."""

from __future__ import annotations

import getpass
import re
import socket
import unicodedata
from contextlib import suppress
from pathlib import PurePosixPath, PureWindowsPath

_PUNCTUATION = frozenset(" .,;:!?()[]+-–—_/%@#*’")
_KINDS = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd", "Nl", "No"})

_TOKEN = re.compile(
    r"\b(?:hf_|sk-|sk_|ghp_|gho_|ghs_|github_pat_|glpat-|xox[abprs]-|AKIA|AIza|ya29\.|eyJ)[A-Za-z0-9_.-]{12,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_LONG = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{32,}={0,2}(?![A-Za-z0-9+/_-])")
_PATH = re.compile(r"(?<![\w.:/])(?:~|[A-Za-z]:)?[/\\](?:[\w.@+-]+[/\\])+[\w.@+-]*|(?<![\w.:/])~[/\\][\w.@+/\\-]*")

REMOVED = "[removed]"


def odd_character(text: str) -> str | None:
    """The first character that has no place in a text field, None if all are plain.

    Letters, marks and digits of every script are plain, and the signs of ordinary prose. Those with which markup,
    scripts and attributes are made are not, nor are control characters and those that turn the reading direction.
    """
    for character in text:
        if character not in _PUNCTUATION and unicodedata.category(character) not in _KINDS:
            return character
    return None


def has_token(text: str) -> bool:
    """Whether a text holds what looks like an access token of a known make."""
    return _TOKEN.search(text) is not None


def has_secret(text: str) -> bool:
    """Whether a text holds an access token, or a long run of digits and letters that may be one."""
    return has_token(text) or any(_is_random(found) for found in _LONG.findall(text))


def has_path(text: str) -> bool:
    """Whether a text holds an absolute path."""
    return _PATH.search(text) is not None


def scrub(text: str) -> str:
    """A text without what tells of the machine it comes from.

    Of absolute paths the last name is left; tokens, long random strings, and the names of this user and machine are
    replaced by ``[removed]``.
    """
    text = _PATH.sub(_last_name, text)
    text = _TOKEN.sub(REMOVED, text)
    text = _LONG.sub(lambda found: REMOVED if _is_random(found[0]) else found[0], text)
    for name in _own_names():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", REMOVED, text)
    return text


def _last_name(found: re.Match[str]) -> str:
    path = found[0]
    return (PureWindowsPath(path) if "\\" in path else PurePosixPath(path)).name or REMOVED


def _is_random(text: str) -> bool:
    """Words joined by hyphens are long, too; a secret mixes digits and letters all the way through."""
    return max(map(len, re.findall(r"[A-Za-z0-9+]+", text))) >= 20 and len(re.findall(r"[0-9]", text)) >= 4


def _own_names() -> list[str]:
    """The names of this user and machine, but for those so short or common that they may mean anything."""
    found = {socket.gethostname(), socket.gethostname().partition(".")[0]}
    with suppress(KeyError, OSError):  # a container whose user has no name
        found.add(getpass.getuser())
    return sorted((name for name in found if len(name) > 3 and name != "localhost"), key=len, reverse=True)
