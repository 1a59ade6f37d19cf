"""Reading files that strangers made: nothing is followed, unpacked or held beyond a bound.

Every function raises ``RefusedError`` with field and reason.
"""

from __future__ import annotations

import json
import os
import stat
import zlib
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from dfar_bench.leaderboard.faults import RefusedError, shown

MIB = 1024 * 1024
SUBMISSION_BYTES = MIB
ANSWERS_BYTES = 8 * MIB
FOLDER_BYTES = 24 * MIB
UNPACKED_BYTES = 32 * MIB
LINE_BYTES = 320 * 1024  # the longest response, every character of it escaped or four bytes and sealed

_BLOCK = 64 * 1024
_BOM = b"\xef\xbb\xbf"


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file of at most ``most`` bytes; a larger one is not opened."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise RefusedError(("file", "is no regular file; links, folders and devices are not followed"))
        if found.st_size > most:
            raise RefusedError(("size", f"is {found.st_size:,} bytes; at most {most:,} are allowed"))
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise RefusedError(("file", f"cannot be read ({error.strerror})")) from None
    if len(content) > most:
        raise RefusedError(("size", f"is more than {most:,} bytes"))
    return content


def unpacked(content: bytes, most: int = UNPACKED_BYTES) -> bytes:
    """What one gzip member holds, unpacked block by block and no further than ``most`` bytes."""
    if content[:3] != b"\x1f\x8b\x08":
        raise RefusedError(("gzip", "is no gzip file"))
    if content[3:8] != bytes(5):
        raise RefusedError(("gzip", "its header holds a name, a time or a comment; write it with dfar-bench submit"))
    stream = zlib.decompressobj(wbits=31)
    out = bytearray()
    rest = content
    try:
        while not stream.eof:
            block = stream.decompress(rest, _BLOCK)
            rest = stream.unconsumed_tail
            out += block
            if len(out) > most:
                raise RefusedError(("gzip", f"unpacks to more than {most:,} bytes"))
            if not block and not rest and not stream.eof:
                raise RefusedError(("gzip", "is cut off"))
    except zlib.error as error:
        raise RefusedError(("gzip", f"is damaged ({error})")) from None
    if stream.unused_data:
        raise RefusedError(("gzip", f"{len(stream.unused_data):,} bytes follow the end of the packed data"))
    return bytes(out)


def decoded(content: bytes) -> str:
    """UTF-8 text without a byte order mark."""
    if content.startswith(_BOM):
        raise RefusedError(("encoding", "begins with a byte order mark; save it as plain UTF-8"))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(("encoding", f"is not UTF-8 (byte {error.start})")) from None


def parsed(text: str) -> Any:
    """A JSON value, of a kind that every reader reads alike: no key twice, no NaN or Infinity."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise RefusedError(("JSON", "is nested too deeply")) from None
    except json.JSONDecodeError as error:
        raise RefusedError(("JSON", f"is not valid JSON (line {error.lineno}, column {error.colno})")) from None
    except ValueError:  # a whole number of more than 4,300 digits
        raise RefusedError(("JSON", "holds a number of too many digits")) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise RefusedError(("JSON", f"has the key {shown(twice)} twice in one object"))
    return found


def _no_constant(name: str) -> NoReturn:
    raise RefusedError(("JSON", f"holds {name}, which is no number"))
