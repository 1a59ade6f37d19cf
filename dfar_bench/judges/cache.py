"""What models answered, on disk: no answer is paid for or computed twice, and an interrupted run can go on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from dfar_bench.errors import InputError

_WAIT_S = 60


class AnswerCache:
    """Answers and the tokens they took, by the hash of everything that was sent (never the API key)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute(
            "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL, "
            "prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL)"
        )

    def get(self, key: str) -> str | None:
        """Return the answer stored under a key, None if there is none."""
        row = self._connection.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def add(self, key: str, answer: str, prompt_tokens: int = 0, completion_tokens: int = 0) -> str:
        """Store an answer and return the stored one: another process's, if that was faster.

        So a rerun from the cache gives the same decisions.
        """
        values = (key, answer, prompt_tokens, completion_tokens)
        self._connection.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", values)
        return self.get(key) or answer

    @contextmanager
    def together(self) -> Iterator[None]:
        """Store all that is added meanwhile at once, which is much faster."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")


@contextmanager
def open_cache(file: Path, setting: str) -> Iterator[AnswerCache]:
    """Open an SQLite file of answers; several processes may use it at once.

    It has SQLite's own journal rather than a write-ahead log, which does not work on the network file systems of
    clusters; a slower commit does not matter beside the wait for a model.

    Args:
        setting: the variable by which another file or folder is chosen, for error messages.

    Raises:
        InputError: the file cannot be used or is damaged, now or while it is used.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # The event loop may run in another thread than the caller, but never both at once.
        connection = sqlite3.connect(file, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(file, error, setting) from None
    with closing(connection):
        try:
            yield AnswerCache(connection)
        except sqlite3.OperationalError as error:
            raise _unusable(file, error, setting) from None
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"the judge's cache {file} is damaged ({error}): remove it, or set {setting} to another place."
            ) from None


def _unusable(file: Path, error: Exception, setting: str) -> InputError:
    return InputError(
        f"the judge's cache {file} cannot be used ({getattr(error, 'strerror', None) or error}): "
        f"set {setting} to a place that can be written."
    )
