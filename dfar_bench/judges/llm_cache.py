"""Answers of language models on disk, so that none is paid for twice and a broken run goes on where it stopped."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from dfar_bench.errors import InputError

_WAIT_S = 60


class AnswerCache:
    """An SQLite file of answers and the tokens they took, by the hash of all that was sent (never the key).

    Several processes may use one file at once. It keeps SQLite's own journal rather than a write-ahead log, which
    does not work on the network file systems of clusters; beside the wait for a model a slower commit is nothing.

    Every method raises InputError if the file cannot be used or is damaged.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        with self._in_words():
            file.parent.mkdir(parents=True, exist_ok=True)
            # The event loop may run in another thread than the caller, but never both at once.
            self._base = sqlite3.connect(file, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL, "
                "prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL)"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._base.close()

    def get(self, key: str) -> str | None:
        """The answer kept under a key, None if there is none."""
        with self._in_words():
            found = self._base.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def keep(self, key: str, answer: str, prompt_tokens: int, completion_tokens: int) -> str:
        """Keep an answer and return the one kept: another process's, if that was faster.

        So what a run decides is always what it would decide again from the cache.
        """
        with self._in_words():
            self._base.execute(
                "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", (key, answer, prompt_tokens, completion_tokens)
            )
        return self.get(key) or answer

    def damaged(self, why: str) -> InputError:
        """The error for a file that holds what was never kept in it."""
        return InputError(
            f"the judge's cache {self._file} is damaged ({why}): "
            f"remove it, or set DFAR_BENCH_LLM_CACHE to another file."
        )

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.OperationalError) as error:
            why = getattr(error, "strerror", None) or error
            raise InputError(
                f"the judge's cache {self._file} cannot be used ({why}): "
                f"set DFAR_BENCH_LLM_CACHE to a file that can be written."
            ) from None
        except sqlite3.DatabaseError as error:
            raise self.damaged(str(error)) from None
