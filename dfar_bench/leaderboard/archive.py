"""Unpacking a stranger's archive of a repository: the files of submissions and nothing else, few and small.

Nothing is extracted under a name of the archive's choosing: a file is written only where its path is one that a
submission may have, so none can lead elsewhere. Links and devices are never made.
"""

from __future__ import annotations

import gzip
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn, Self

from dfar_bench.errors import InputError, one_line
from dfar_bench.leaderboard.faults import Fault, shown_name
from dfar_bench.leaderboard.submission import file_limits, is_place
from dfar_bench.leaderboard.untrusted import MIB

ARCHIVE_BYTES = 256 * MIB
UNPACKED_BYTES = 512 * MIB
MOST_MEMBERS = 100_000
MOST_FAULTS = 100
HEADER_BYTES = 1024
"""Of a header that extends another, such as with a long name; some versions of Python read immense ones for hours."""

_EXTENDING = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)

_DAMAGED = (tarfile.TarError, zlib.error, OSError, EOFError, ValueError, OverflowError, RecursionError)
"""What a file raises that is not a gzipped tar archive, or only pretends to be one."""


def unpack_submissions(archive: Path, folder: str, out: Path, name: str) -> list[Fault]:
    """Write the submissions of a repository's archive (.tar.gz) to a folder of ours, which is empty.

    Args:
        folder: the folder in the repository that holds the submissions, such as ``leaderboard/submissions``.
        name: of the archive, for messages.

    Returns:
        Faults of what else is in that folder: files that no submission has, links, files that are there twice.

    Raises:
        InputError: the archive is damaged, exceeds a bound, or has no such folder.
    """
    faults = []
    empty = True
    try:
        # Not read as a stream: there a member that claims to be immense is skipped block by block, without an end.
        with _unpacked(archive) as plain, tarfile.open(fileobj=plain, mode="r:", tarinfo=_Header) as tar:
            for member in _members(tar):
                # The first part is the folder that archives of a repository put everything into.
                parts, inside = member.name.split("/")[1:], folder.split("/")
                if member.isdir() or parts[: len(inside)] != inside:
                    continue
                empty = False
                path = parts[len(inside) :]
                if path == [".gitkeep"]:
                    continue
                if reason := _write(tar, member, path, out):
                    faults.append(Fault(shown_name("/".join(path)), "file", reason))
                if len(faults) > MOST_FAULTS:
                    raise _RefusedError(f"has more than {MOST_FAULTS} files in {folder} that do not belong there")
    except _RefusedError as refused:
        raise InputError(f"{name} {refused}: ask for another archive, or leave it out.") from None
    except _DAMAGED as error:
        raise InputError(f"{name} is not a .tar.gz archive, or is damaged ({one_line(error)}): name another.") from None
    if empty:
        raise InputError(f"{name} has no files in {folder}: name the folder of its submissions with &subdirectory=.")
    return faults


@contextmanager
def _unpacked(archive: Path) -> Iterator[IO[bytes]]:
    with gzip.open(archive) as packed, tempfile.TemporaryFile() as plain:
        while block := packed.read(MIB):
            plain.write(block)
            if plain.tell() > UNPACKED_BYTES:
                raise _RefusedError(f"unpacks to more than {UNPACKED_BYTES:,} bytes")
        plain.seek(0)
        yield plain


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for number, member in enumerate(tar):
        if number == MOST_MEMBERS:
            raise _RefusedError(f"has more than {MOST_MEMBERS:,} files")
        yield member
        tar.members = []  # type: ignore[attr-defined]  # which it would keep all


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: list[str], out: Path) -> str:
    """Write one file; return why it was not, "" if it was."""
    limits = file_limits()
    if len(path) != 3 or not is_place(*path[:2]) or path[2] not in limits:
        return "does not belong there; only submissions do"
    if not member.isreg():
        return "is not a regular file; links, folders and devices are not followed"
    if not 0 <= member.size <= limits[path[2]]:
        return f"is {member.size:,} bytes; at most {limits[path[2]]:,} are allowed"
    target = out.joinpath(*path)
    if target.exists():
        return "is there twice"
    content = tar.extractfile(member)
    if content:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.read())
    return ""


class _RefusedError(Exception):
    """What exceeds a bound."""


class _Header(tarfile.TarInfo):
    """A header that is refused before it is read further, if it extends another by too much or is of a sparse file.

    The map of a sparse file is read into memory, however large it says it is; archives of repositories have none.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENDING and header.size > HEADER_BYTES:
            raise _RefusedError(f"has a header of {header.size:,} bytes")
        return header

    def _refuse(self, *of_the_archive: object) -> NoReturn:
        raise _RefusedError("has a sparse file")

    _proc_sparse = _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse
