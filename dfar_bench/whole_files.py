"""Files that are there whole or as they were, whoever reads, writes or is interrupted at the same time."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a text beside its place, as UTF-8, and move it there in one go.

    Raises:
        OSError: it cannot be written; what was there before is still there, and nothing beside it.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None  # not the name beside, which nobody has typed
    finally:
        with suppress(OSError):
            beside.unlink()
