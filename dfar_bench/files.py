"""Reading and writing files: atomic writes, JSON with errors that name the line, downloads checked by hash."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import jsonlines

from dfar_bench.errors import InputError

T = TypeVar("T")

TRAINING_RECORD = "dfar_run.json"
"""What was trained and how, in the folder of a trained model."""

DOWNLOAD_BYTES = 2**30

_RETRIES = 2
_TIMEOUT_S = 30


def atomic_write(path: Path, content: str | bytes) -> None:
    """Write a file so that readers see either the old content or the new, never a part.

    Raises:
        OSError: the file cannot be written; its old content is untouched.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(part, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None  # not the name of the temporary file
    finally:
        with suppress(OSError):
            part.unlink()


def read_json(path: Path, what: str) -> Any:
    """Read a JSON file.

    Args:
        what: what the file should be, for error messages.

    Raises:
        InputError: the file does not exist, cannot be read, or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): name {what}.") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path} is not valid JSON; it is damaged, or not {what}.") from None


def packaged_json(package: str, name: str) -> Any:
    """Read a JSON file that comes with a package."""
    return json.loads((resources.files(package) / name).read_text(encoding="utf-8"))


def packaged_jsonl(package: str, name: str) -> list[Any]:
    """Read a JSON Lines file that comes with a package.

    Args:
        name: below the package's folder.
    """
    with (resources.files(package) / name).open(encoding="utf-8") as lines:
        return list(jsonlines.Reader(lines))


def read_jsonl(path: Path, what: str = "a JSON Lines file") -> Iterator[tuple[int, Any]]:
    """Yield line number (from 1) and value of every line of a JSON Lines file.

    Raises:
        InputError: names the line that is not JSON.
    """
    try:
        with jsonlines.open(path) as reader:
            yield from enumerate(reader, start=1)
    except jsonlines.InvalidLineError as error:
        raise InputError(f"{path}, line {error.lineno}: not valid JSON; the file is cut off or damaged.") from None
    except RecursionError:
        raise InputError(f"{path} is nested too deeply; it is damaged, or not {what}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text: name {what}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): name {what}.") from None


def build_checked(value: Any, build: Callable[[Any], T], path: Path) -> T:
    """Build an object from a JSON value whose shape cannot be trusted.

    Raises:
        InputError: something is missing or has the wrong type.
    """
    try:
        return build(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} was changed or is damaged ({error!r}): use the file as it was written.") from None


def cache_folder() -> Path:
    """Return the folder for downloads: ``DFAR_BENCH_CACHE``, else the user's cache folder."""
    if chosen := os.environ.get("DFAR_BENCH_CACHE"):
        return Path(chosen)
    import pooch

    return Path(pooch.os_cache("dfar-bench"))


def check_sha256(path: Path, sha256: str) -> bytes:
    """Read a file and check its hash.

    Raises:
        InputError: the file cannot be read, or its sha256 is another.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): give it read permission or remove it.") from None
    if (actual := hashlib.sha256(content).hexdigest()) != sha256:
        raise InputError(
            f"{path} is not the published file (sha256 {actual[:12]}…, expected {sha256[:12]}…): "
            f"replace it, or remove it so that it is downloaded."
        )
    return content


def weights_hash(folder: Path) -> str:
    """Hash a model's weights: sha256 over the sha256 and the name of every file of weights, sorted by name.

    Raises:
        InputError: the folder holds no weights in safetensors.
    """
    files = sorted(folder.glob("*.safetensors"), key=lambda path: path.name)
    if not files:
        raise InputError(f"{folder} holds no *.safetensors: name the folder of a model's weights.")
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n".encode())
    return digest.hexdigest()


class DownloadError(Exception):
    """A download that failed; the message is the reason, in a few words."""


def download(url: str, name: str, sha256: str, folder: Path, *, limit: int = DOWNLOAD_BYTES) -> Path:
    """Return a file in a folder, downloaded first if it is missing or its hash is wrong.

    pooch checks the hash before it moves a download into place, so a broken download is never kept.

    Args:
        url: the address of the folder that holds the file.
        limit: the most bytes that are downloaded.

    Raises:
        DownloadError: the download fails.
        InputError: the folder cannot be written.
    """
    import pooch
    from requests.exceptions import RequestException

    pooch.get_logger().setLevel("ERROR")  # every failure reaches the user as one sentence below
    store = pooch.create(path=folder, base_url=url.rstrip("/") + "/", registry={name: sha256}, retry_if_failed=_RETRIES)
    http = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=_TIMEOUT_S)

    def downloader(address: str, output: str, _: object) -> None:
        with open(output, "wb") as file:
            http(address, _Limited(file, limit), None)

    try:
        return Path(store.fetch(name, downloader=downloader))
    except RequestException as error:
        raise DownloadError(_short_reason(error)) from None
    except ValueError as error:  # what pooch raises for a wrong hash, and for an unusable address
        raise DownloadError("the file there has another hash" if "hash" in str(error) else str(error)) from None
    except OSError as error:
        raise InputError(
            f"the cache folder {folder} cannot be written ({error.strerror or error}): "
            f"set DFAR_BENCH_CACHE to a folder that can."
        ) from None


class _Limited:
    """A file that takes no more than so many bytes."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file, self._limit, self._left = file, limit, limit

    def write(self, block: bytes) -> None:
        self._left -= len(block)
        if self._left < 0:
            raise DownloadError(f"the file there is larger than {self._limit:,} bytes")
        self._file.write(block)

    def flush(self) -> None:
        self._file.flush()


def _short_reason(error: Exception) -> str:
    """Return the kind of a network failure and its last words, without the nested reprs of urllib3."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}"
    return f"{type(error).__name__}: {str(error).rsplit(': ', 1)[-1][:120]}"
