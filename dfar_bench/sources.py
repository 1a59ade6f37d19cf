"""Where the published files come from: a folder of the user's, the cache, or the official repositories.

Whatever the way, a file is used only if its SHA-256 is the published one.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from dfar_bench.errors import InputError

DFAR_COMMIT = "6610fc4f74ea453608bcd377f63f8ef3a710d5e1"
DFAR_URL = f"https://raw.githubusercontent.com/apurba-nsu-rnd-lab/DFAR/{DFAR_COMMIT}/DFAR%20dataset/"
DFAR_FILES = {
    "DFAR_trainset.csv": "28fb58aeaa1f85ddbba2b53313761f9d51b26ddd71f8013342c2e0a17ddda849",
    "DFAR_testset.csv": "f1c74c1a40c056368ba3872d32b05fda875f645b1a42648913a2f4ffabf48b00",
}

ETHOS_COMMIT = "705258e118ce9611ebbd5ab2a4841b0066547293"
ETHOS_URL = (
    "https://raw.githubusercontent.com/intelligence-csd-auth-gr/Ethos-Hate-Speech-Dataset/"
    f"{ETHOS_COMMIT}/ethos/ethos_data/"
)
ETHOS_FILES = {
    "Ethos_Dataset_Binary.csv": "0cd0050c2592afcb5eca5876df485ca15cda9d7d16fe32c269857260fd10d96c",
}


@dataclass(frozen=True)
class Source:
    """A published data set: its name, which is also its folder's, its files with their hashes, and where they lie.

    ``mirror`` names the environment variable that may hold another address.
    """

    name: str
    commit: str
    url: str
    files: dict[str, str]
    mirror: str


_SOURCES = (
    Source("dfar", DFAR_COMMIT, DFAR_URL, DFAR_FILES, "DFAR_BENCH_URL"),
    Source("ethos", ETHOS_COMMIT, ETHOS_URL, ETHOS_FILES, "DFAR_BENCH_ETHOS_URL"),
)

_RETRIES = 2
_TIMEOUT_S = 30


def cache_folder() -> Path:
    """Where downloads are kept: ``DFAR_BENCH_CACHE``, else the user's cache folder."""
    if chosen := os.environ.get("DFAR_BENCH_CACHE"):
        return Path(chosen)
    import pooch

    return Path(pooch.os_cache("dfar-bench"))


def read_published(name: str) -> tuple[bytes, Path]:
    """The bytes of a published file and where they were found.

    Looks in the folder named by ``DFAR_BENCH_DATA`` (directly, or in its sub-folder ``dfar`` or ``ethos``), then in
    the cache, then downloads from a mirror (``DFAR_BENCH_URL``, ``DFAR_BENCH_ETHOS_URL``) or the official repository
    at the pinned commit.

    Raises:
        InputError: not found and not to be had, or not the published file.
    """
    source = next(source for source in _SOURCES if name in source.files)
    path = _in_user_folder(source, name) or _in_cache(source, name)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): give it read permission or remove it.") from None
    if (found := hashlib.sha256(content).hexdigest()) != source.files[name]:
        raise InputError(
            f"{path} is not the published file (sha256 {found[:12]}…, expected {source.files[name][:12]}…): "
            f"replace it, or remove it so that it is downloaded."
        )
    return content, path


def at_hand(*names: str) -> bool:
    """Whether published files can be read without a download."""
    found = ((name, next(source for source in _SOURCES if name in source.files)) for name in names)
    return all(_in_user_folder(source, name) or _cached(source, name).is_file() for name, source in found)


def _cached(source: Source, name: str) -> Path:
    """Where a file lies in the cache, if it does."""
    return cache_folder() / source.name / source.commit[:12] / name


def _in_user_folder(source: Source, name: str) -> Path | None:
    chosen = os.environ.get("DFAR_BENCH_DATA")
    if not chosen:
        return None
    folder = Path(chosen)
    if not folder.is_dir():
        raise InputError(f"DFAR_BENCH_DATA names {chosen}, which is not a folder: correct it or unset it.")
    return next((path for path in (folder / name, folder / source.name / name) if path.is_file()), None)


def _in_cache(source: Source, name: str) -> Path:
    """The cached file, downloaded first if it is missing or spoilt.

    pooch downloads beside the target, checks the hash and only then moves the file into place: a bad or
    broken download is never kept, and processes that start together cannot spoil each other's.
    """
    import pooch
    from requests.exceptions import RequestException

    url = os.environ.get(source.mirror) or source.url
    folder = _cached(source, name).parent
    pooch.get_logger().setLevel("ERROR")  # every failure reaches the user as one sentence below
    store = pooch.create(
        path=folder, base_url=url if url.endswith("/") else f"{url}/", registry=source.files, retry_if_failed=_RETRIES
    )
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=_TIMEOUT_S)
    try:
        return Path(store.fetch(name, downloader=downloader))
    except RequestException as error:
        why = _in_short(error)
    except ValueError as error:  # pooch's word for a wrong hash, and for an address it cannot use
        why = "the file there has another hash" if "hash" in str(error) else str(error)
    except OSError as error:
        raise InputError(
            f"the cache folder {folder} cannot be written ({error.strerror or error}): "
            f"set DFAR_BENCH_CACHE to one that can."
        ) from None
    raise InputError(
        f"{name} is neither in DFAR_BENCH_DATA nor in the cache, and downloading it from {store.get_url(name)} "
        f"failed ({why}): set DFAR_BENCH_DATA to a folder that holds the published files, or try again online."
    )


def _in_short(error: Exception) -> str:
    """The kind of a network failure and its last words, without the nested reprs of urllib3."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}"
    return f"{type(error).__name__}: {str(error).rsplit(': ', 1)[-1][:120]}"
