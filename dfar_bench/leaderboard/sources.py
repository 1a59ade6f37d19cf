"""Where a board's submissions come from: folders here, and pinned archives of other people's repositories.

An archive is named by its address, which has the commit in it, and its sha256, so that a build never takes anything
that nobody looked at::

    https://github.com/LAB/REPOSITORY/archive/COMMIT.tar.gz#sha256=HASH&subdirectory=leaderboard/submissions

It is downloaded into the cache of published data, once, and unpacked for each build.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from dfar_bench.errors import InputError
from dfar_bench.files import DownloadError, cache_folder, download
from dfar_bench.leaderboard import SUBMISSIONS
from dfar_bench.leaderboard.archive import ARCHIVE_BYTES, unpack_submissions
from dfar_bench.leaderboard.faults import Fault

_PINNED = re.compile(r"(?:.*-)?([0-9a-f]{40}(?:[0-9a-f]{24})?)\.tar\.gz")
"""The file of an archive, as GitHub (COMMIT.tar.gz) and GitLab (NAME-COMMIT.tar.gz) call it."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Archive:
    """A pinned archive of a repository.

    Attributes:
        url: without the pin.
        folder: of the submissions in it.
    """

    url: str
    commit: str
    sha256: str
    folder: str


@dataclass(frozen=True)
class Tree:
    """A tree of submissions that can be read.

    Attributes:
        name: for people; nothing of this machine's folders above it.
        folder: where it is now.
        archive: where it was downloaded from; None for a folder of ours.
        faults: what was not taken from the archive.
    """

    name: str
    folder: Path
    archive: Archive | None = None
    faults: tuple[Fault, ...] = ()


def read_list(file: Path) -> list[str]:
    """Read folders and addresses from a file, one per line; empty lines and those that begin with # are comments.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(f"{file} cannot be read ({reason}): name a text file with one tree per line.") from None
    return [line for line in lines if line and not line.startswith("#")]


def is_address(name: object) -> bool:
    """Whether a tree is named by an address and not by a folder."""
    return "://" in str(name)


def parse_address(text: str) -> Archive:
    """Parse the address of a pinned archive.

    Raises:
        InputError: it is not one; the message says what is missing.
    """
    try:
        parts = urlsplit(text)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        pin = dict(parse_qsl(parts.fragment, keep_blank_values=True, strict_parsing=bool(parts.fragment)))
    except ValueError as error:
        raise InputError(f"{text} is not an address ({error}): write https://….") from None
    pinned = _PINNED.fullmatch(parts.path.rpartition("/")[2])
    folder, sha256 = pin.pop("subdirectory", SUBMISSIONS), pin.pop("sha256", "")
    if not secure or not parts.hostname or "@" in parts.netloc or parts.query:
        reason = "must begin with https:// and have neither a user nor a query (?…)"
    elif not pinned:
        reason = "is not pinned to a commit: its path must end in one, such as …/archive/COMMIT.tar.gz"
    elif not _SHA256.fullmatch(sha256):
        reason = "is not pinned to a content: add #sha256= and the archive's sha256, of 64 digits"
    elif pin or not all(part not in ("", ".", "..") for part in folder.split("/")):
        reason = f"has more behind # than sha256=… and &subdirectory=, a folder such as {SUBMISSIONS}"
    else:
        return Archive(text.partition("#")[0], pinned[1], sha256, folder)
    raise InputError(f"{text} {reason}.")


@contextmanager
def opened(names: Sequence[Path | str]) -> Iterator[list[Tree]]:
    """Yield the trees of folders and addresses; what was downloaded is unpacked for as long as they are needed.

    Raises:
        InputError: an address is not pinned or not available, or is not an archive of submissions.
    """
    archives = {name: parse_address(str(name)) for name in names if is_address(name)}  # before the first download
    with tempfile.TemporaryDirectory(prefix="dfar-board-") as folder:
        trees = []
        for number, name in enumerate(names):
            if archive := archives.get(name):
                unpacked = Path(folder, str(number))
                unpacked.mkdir()
                faults = unpack_submissions(_download(archive), archive.folder, unpacked, archive.url)
                trees.append(Tree(archive.url, unpacked, archive, tuple(faults)))
            else:
                path = Path(name)
                trees.append(Tree(path.name if path.is_absolute() else path.as_posix(), path))
        yield trees


def _download(archive: Archive) -> Path:
    base, _, name = archive.url.rpartition("/")
    try:
        return download(base, name, archive.sha256, cache_folder() / "trees" / archive.sha256[:16], limit=ARCHIVE_BYTES)
    except DownloadError as error:
        raise InputError(
            f"{archive.url} could not be downloaded ({error}): correct the address or its sha256, or try again online."
        ) from None
