"""Edits of submission folders that keep hashes and names consistent, as a careful forger would."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dfar_bench.leaderboard.submission import run_id

Edit = Callable[[Path], object]
FILE, CLS, REASON = "submission.json", "dfar_mini_cls.jsonl.gz", "dfar_mini_reason.jsonl.gz"


def read_document(folder: Path) -> Any:
    """Read ``submission.json``."""
    return json.loads((folder / FILE).read_text())


def write_document(folder: Path, document: Any) -> Path:
    """Write ``submission.json`` (bytes as they are) and give the folder the name that follows."""
    content = document if isinstance(document, bytes) else (json.dumps(document) + "\n").encode()
    (folder / FILE).write_bytes(content)
    created = document.get("created") if isinstance(document, dict) else None
    date = created if isinstance(created, str) and not set(created) & set("/\0") and len(created) < 99 else "2026-01-31"
    return folder.rename(folder.with_name(run_id(date, content)))


def write_answers(folder: Path, content: bytes, file: str = CLS) -> Path:
    """Replace an answers file, and its hash in ``submission.json``."""
    (folder / file).write_bytes(content)
    document = read_document(folder)
    document["tasks"][file.partition(".")[0]]["sha256"] = hashlib.sha256(content).hexdigest()
    return write_document(folder, document)


def read_lines(folder: Path, file: str = CLS) -> list[str]:
    """Read the lines of an answers file."""
    return gzip.decompress((folder / file).read_bytes()).decode().removesuffix("\n").split("\n")


def field(path: str, *value: Any) -> Edit:
    """Set a field of ``submission.json``, such as ``model/id``; remove it if there is no value."""

    def edit(folder: Path) -> Path:
        document = read_document(folder)
        *inner, last = path.split("/")
        parent = document
        for name in inner:
            parent = parent[name]
        if value:
            (parent[last],) = value
        else:
            del parent[last]
        return write_document(folder, document)

    return edit


def text(change: Callable[[str], str | bytes]) -> Edit:
    """Change the text of ``submission.json``."""

    def edit(folder: Path) -> Path:
        changed = change((folder / FILE).read_text())
        return write_document(folder, changed if isinstance(changed, bytes) else changed.encode())

    return edit


def packed(change: Callable[[bytes], bytes], file: str = CLS) -> Edit:
    """Change the bytes of an answers file."""
    return lambda folder: write_answers(folder, change((folder / file).read_bytes()), file)


def lines(change: Callable[[list[str]], list[str]], file: str = CLS) -> Edit:
    """Change the lines of an answers file."""

    def edit(folder: Path) -> Path:
        changed = "".join(f"{line}\n" for line in change(read_lines(folder, file)))
        return write_answers(folder, gzip.compress(changed.encode("utf-8", "surrogateescape"), mtime=0), file)

    return edit


def line(file: str = CLS, number: int = 3, **fields: Any) -> Edit:
    """Set fields of one line of an answers file; None removes one."""

    def change(before: list[str]) -> list[str]:
        answer = {**json.loads(before[number]), **fields}
        answer = {name: value for name, value in answer.items() if value is not None}
        return [*before[:number], json.dumps(answer), *before[number + 1 :]]

    return lines(change, file)
