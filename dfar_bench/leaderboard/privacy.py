"""What must never leave the submitter's machine: absolute paths, access tokens, names of user and machine."""

from __future__ import annotations

import getpass
import re
import socket
from contextlib import suppress
from pathlib import PurePosixPath, PureWindowsPath

_TOKEN = re.compile(
    r"\b(?:hf_|sk-|sk_|ghp_|gho_|ghs_|github_pat_|glpat-|xox[abprs]-|AKIA|AIza|ya29\.|eyJ)[A-Za-z0-9_.-]{12,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_LONG = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{32,}={0,2}(?![A-Za-z0-9+/_-])")
_COMMIT = re.compile(r"(?<![^/])(?:[0-9a-f]{40}|[0-9a-f]{64})(?![^/])")  # alone, or one part of a link
_SUBREDDIT = r"/r/\w+/?(?![\w/@+-]|\.\w)"  # such as /r/AmItheAsshole, and nothing behind it
_PATH = re.compile(
    rf"(?<![\w.:/])(?!{_SUBREDDIT})(?:~|[A-Za-z]:)?[/\\](?:[\w.@+-]+[/\\])+[\w.@+-]*"
    r"|(?<![\w.:/])~[/\\][\w.@+/\\-]*"
)

REMOVED = "[removed]"


def has_token(text: str) -> bool:
    """Whether a text holds an access token of a well-known service."""
    return _TOKEN.search(text) is not None


def has_secret(text: str) -> bool:
    """Whether a text holds an access token, or a long random string that may be one."""
    return has_token(text) or any(map(_is_random, _LONG.findall(text)))


def has_path(text: str) -> bool:
    """Whether a text holds an absolute path."""
    return _PATH.search(text) is not None


def scrub(text: str) -> str:
    """Remove what tells of the machine a text comes from.

    Absolute paths are cut to their last name; tokens, long random strings, and the names of this user and machine are
    replaced by ``[removed]``.
    """
    text = _PATH.sub(_last_name, text)
    text = _TOKEN.sub(REMOVED, text)
    text = _LONG.sub(lambda match: REMOVED if _is_random(match[0]) else match[0], text)
    for name in _own_names():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", REMOVED, text)
    return text


def _last_name(match: re.Match[str]) -> str:
    path = match[0]
    return (PureWindowsPath(path) if "\\" in path else PurePosixPath(path)).name or REMOVED


def _is_random(text: str) -> bool:
    """Words joined by hyphens are long, too; a secret mixes digits and letters throughout. Commits are public."""
    text = _COMMIT.sub("", text)
    return max(map(len, re.findall(r"[A-Za-z0-9+]+", text)), default=0) >= 20 and len(re.findall(r"[0-9]", text)) >= 4


def _own_names() -> list[str]:
    """Return the names of this user and machine, except those so short or common that they may mean anything."""
    names = {socket.gethostname(), socket.gethostname().partition(".")[0]}
    with suppress(KeyError, OSError):  # a container whose user has no name
        names.add(getpass.getuser())
    return sorted((name for name in names if len(name) > 3 and name != "localhost"), key=len, reverse=True)
