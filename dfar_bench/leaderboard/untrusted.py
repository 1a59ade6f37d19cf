"""Reading strangers' files: no link is followed, and nothing is unpacked or held beyond a bound.

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
UNPACKED_BYTES = 32 * MIB
LINE_BYTES = 2 * MIB  # the longest response, every word of it a reference

_BLOCK = 64 * 1024
_BOM = b"\xef\xbb\xbf"


def read_regular(path: Path, limit: int) -> bytes:
    """Read a regular file of at most ``limit`` bytes; a larger one is not opened."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError(("file", "is not a regular file; links, folders and devices are not followed"))
        if status.st_size > limit:
            raise RefusedError(("size", f"is {status.st_size:,} bytes; at most {limit:,} are allowed"))
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise RefusedError(("file", f"cannot be read ({error.strerror})")) from None
    if len(content) > limit:
        raise RefusedError(("size", f"is more than {limit:,} bytes"))
    return content


def unpack(content: bytes) -> bytes:
    """Unpack a single gzip member, block by block and no further than allowed."""
    if content[:3] != b"\x1f\x8b\x08":
        raise RefusedError(("gzip", "is not a gzip file"))
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
            if len(out) > UNPACKED_BYTES:
                raise RefusedError(("gzip", f"unpacks to more than {UNPACKED_BYTES:,} bytes"))
            if not block and not rest and not stream.eof:
                raise RefusedError(("gzip", "is cut off"))
    except zlib.error as error:
        raise RefusedError(("gzip", f"is damaged ({error})")) from None
    if stream.unused_data:
        raise RefusedError(("gzip", f"{len(stream.unused_data):,} bytes follow the end of the packed data"))
    return bytes(out)


def parse(content: bytes) -> Any:
    """Parse JSON that every reader reads alike: plain UTF-8, no key twice, no NaN or Infinity."""
    if content.startswith(_BOM):
        raise RefusedError(("encoding", "begins with a byte order mark; save it as plain UTF-8"))
    try:
        text = content.decode()
        return json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise RefusedError(("encoding", f"is not UTF-8 (byte {error.start})")) from None
    except RecursionError:
        raise RefusedError(("JSON", "is nested too deeply")) from None
    except json.JSONDecodeError as error:
        raise RefusedError(("JSON", f"is not valid JSON (line {error.lineno}, column {error.colno})")) from None
    except ValueError:  # a whole number of more than 4,300 digits
        raise RefusedError(("JSON", "holds a number of too many digits")) from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise RefusedError(("JSON", f"has the key {shown(name)} twice in one object"))
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise RefusedError(("JSON", f"holds {name}, which is not a number"))
