"""Where the published DFAR files come from: a folder of the user's, the cache, or the official repository.

Whatever the way, a file is used only if its SHA-256 is the published one.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from dfar_bench.errors import InputError

DFAR_COMMIT = "6610fc4f74ea453608bcd377f63f8ef3a710d5e1"
DFAR_URL = f"https://raw.githubusercontent.com/apurba-nsu-rnd-lab/DFAR/{DFAR_COMMIT}/DFAR%20dataset/"
DFAR_FILES = {
    "DFAR_trainset.csv": "28fb58aeaa1f85ddbba2b53313761f9d51b26ddd71f8013342c2e0a17ddda849",
    "DFAR_testset.csv": "f1c74c1a40c056368ba3872d32b05fda875f645b1a42648913a2f4ffabf48b00",
}

_RETRIES = 2
_TIMEOUT_S = 30


def cache_folder() -> Path:
    """Where downloads are kept: ``DFAR_BENCH_CACHE``, else the user's cache folder."""
    if chosen := os.environ.get("DFAR_BENCH_CACHE"):
        return Path(chosen)
    import pooch

    return Path(pooch.os_cache("dfar-bench"))


def read_published(name: str) -> tuple[bytes, Path]:
    """The bytes of a published DFAR file and where they were found.

    Looks in the folder named by ``DFAR_BENCH_DATA`` (directly, or in its sub-folder ``dfar``), then in the
    cache, then downloads from ``DFAR_BENCH_URL`` (a mirror) or the official repository at the pinned commit.

    Raises:
        InputError: not found and not to be had, or not the published file.
    """
    path = _in_user_folder(name) or _in_cache(name)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): give it read permission or remove it.") from None
    if (found := hashlib.sha256(content).hexdigest()) != DFAR_FILES[name]:
        raise InputError(
            f"{path} is not the published file (sha256 {found[:12]}…, expected {DFAR_FILES[name][:12]}…): "
            f"replace it, or remove it so that it is downloaded."
        )
    return content, path


def _in_user_folder(name: str) -> Path | None:
    chosen = os.environ.get("DFAR_BENCH_DATA")
    if not chosen:
        return None
    folder = Path(chosen)
    if not folder.is_dir():
        raise InputError(f"DFAR_BENCH_DATA names {chosen}, which is not a folder: correct it or unset it.")
    return next((path for path in (folder / name, folder / "dfar" / name) if path.is_file()), None)


def _in_cache(name: str) -> Path:
    """The cached file, downloaded first if it is missing or spoilt.

    pooch downloads beside the target, checks the hash and only then moves the file into place: a bad or
    broken download is never kept, and processes that start together cannot spoil each other's.
    """
    import pooch
    from requests.exceptions import RequestException

    url = os.environ.get("DFAR_BENCH_URL") or DFAR_URL
    folder = cache_folder() / "dfar" / DFAR_COMMIT[:12]
    pooch.get_logger().setLevel("ERROR")  # every failure reaches the user as one sentence below
    store = pooch.create(
        path=folder, base_url=url if url.endswith("/") else f"{url}/", registry=DFAR_FILES, retry_if_failed=_RETRIES
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
        f"failed ({why}): set DFAR_BENCH_DATA to a folder that holds the published DFAR files, or try again online."
    )


def _in_short(error: Exception) -> str:
    """The kind of a network failure and its last words, without the nested reprs of urllib3."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}"
    return f"{type(error).__name__}: {str(error).rsplit(': ', 1)[-1][:120]}"
