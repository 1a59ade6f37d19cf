"""Finding and downloading published files, against a real HTTP server that misbehaves."""

from __future__ import annotations

import hashlib
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import serving

from dfar_bench import files
from dfar_bench.datasets import Dataset, available, get_dataset, read_published
from dfar_bench.errors import InputError

NAME = "served.csv"
CONTENT = b"Statement,Label,Reason\r\n" + b"I waited for my turn.,0,Waiting is fair to those before me.\r\n" * 4000
MAKE_DATASET = (
    "Dataset('served', 'served', 'Served', '', lambda: {}, folder='served', mirror='SERVED_URL', "
    f"files={{{NAME!r}: {hashlib.sha256(CONTENT).hexdigest()!r}}})"
)
SERVED: Dataset = eval(MAKE_DATASET)


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT in the way that ``behaviour`` says, and counts the requests."""

    behaviour = "fine"
    requests = 0
    together = threading.Barrier(4)


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        behaviour = self.server.behaviour
        if behaviour == "missing" or (behaviour == "fails once" and self.server.requests == 1):
            self.send_error(404 if behaviour == "missing" else 503)
            return
        if behaviour == "all together":
            self.server.together.wait(timeout=60)
        body = CONTENT.replace(b"fair", b"foul") if behaviour == "other file" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if behaviour == "cut off" else body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server(("127.0.0.1", 0), Handler)) as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; the server is the only source."""
    monkeypatch.delenv("DFAR_BENCH_DATA", raising=False)
    monkeypatch.setenv("DFAR_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SERVED_URL", f"http://127.0.0.1:{server.server_port}/")
    return tmp_path / "cache"


@pytest.fixture
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_RETRIES", 0)  # between which pooch waits for seconds


def cached(cache: Path) -> list[str]:
    return [path.name for path in cache.rglob("*") if path.is_file()]


def test_a_file_is_downloaded_once_and_mended_if_damaged(cache: Path, server: Server) -> None:
    content, path = read_published(SERVED, NAME)
    assert content == CONTENT
    assert path.is_relative_to(cache)
    assert read_published(SERVED, NAME) == (content, path)
    assert server.requests == 1
    path.write_bytes(CONTENT[:1000])
    assert read_published(SERVED, NAME) == (content, path)
    assert server.requests == 2


def test_a_transient_failure_is_retried(cache: Path, server: Server) -> None:
    server.behaviour = "fails once"
    assert read_published(SERVED, NAME)[0] == CONTENT
    assert server.requests == 2


@pytest.mark.usefixtures("no_retries")
@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("missing", "HTTP status 404"),
        ("other file", "has another hash"),
        ("cut off", "bytes read|IncompleteRead|Connection"),
    ],
)
def test_a_bad_download_is_reported_and_not_kept(cache: Path, server: Server, behaviour: str, reason: str) -> None:
    server.behaviour = behaviour
    message = rf"{NAME} is neither in DFAR_BENCH_DATA nor in the cache, and .* failed \(.*({reason}).*\): set DFAR_"
    with pytest.raises(InputError, match=message) as error:
        read_published(SERVED, NAME)
    assert "\n" not in str(error.value)
    assert cached(cache) == []
    server.behaviour = "fine"
    assert read_published(SERVED, NAME)[0] == CONTENT


@pytest.mark.usefixtures("no_retries")
@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "mirror.example.org/x", "ftp://127.0.0.1/", "http://[::1"])
def test_an_address_that_does_not_work(cache: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVED_URL", url)
    with pytest.raises(InputError, match=r"downloading it from .* failed .*set DFAR_BENCH_DATA to a folder") as error:
        read_published(SERVED, NAME)
    assert "another hash" not in str(error.value)
    assert cached(cache) == []


def test_a_cache_that_cannot_be_written(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"the cache folder .* cannot be written .*set DFAR_BENCH_CACHE"):
        read_published(SERVED, NAME)


def test_four_processes_at_once(cache: Path, server: Server) -> None:
    """They all download at the same time: the server answers only when the last has asked."""
    server.behaviour = "all together"
    script = f"from dfar_bench.datasets import *; print(len(read_published({MAKE_DATASET}, {NAME!r})[0]))"
    command = [sys.executable, "-c", script]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in processes:
        stdout, stderr = process.communicate(timeout=120)
        assert (process.returncode, stdout.strip(), stderr) == (0, str(len(CONTENT)), "")
    assert cached(cache) == [NAME]


@pytest.mark.parametrize("folder", ["", "served"])
def test_the_users_folder_comes_first(
    cache: Path, server: Server, tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine" / folder / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    monkeypatch.setenv("DFAR_BENCH_DATA", str(tmp_path / "mine"))
    assert read_published(SERVED, NAME) == (CONTENT, path)
    path.write_bytes(CONTENT[:1000])
    with pytest.raises(InputError, match=r"is not the published file \(sha256 .*: replace it, or remove it"):
        read_published(SERVED, NAME)
    assert path.read_bytes() == CONTENT[:1000]
    assert server.requests == 0


def test_a_users_folder_that_does_not_exist(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFAR_BENCH_DATA", "/no/such/folder")
    with pytest.raises(InputError, match="DFAR_BENCH_DATA names /no/such/folder, which is not a folder"):
        read_published(SERVED, NAME)


def test_what_is_available_without_a_download(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [available(name) for name in ("paper", "clean", "mini", "ethos")] == [False, False, True, False]
    for name in get_dataset("paper").files:
        (tmp_path / name).write_text("")
    monkeypatch.setenv("DFAR_BENCH_DATA", str(tmp_path))
    assert [available(name) for name in ("paper", "clean", "mini", "ethos")] == [True, True, True, False]
    (ethos,) = get_dataset("ethos").files
    (tmp_path / ethos).write_text("")
    assert available("ethos")
    for name in get_dataset("paper").files:
        (tmp_path / name).unlink()
    assert not available("ethos")  # its few-shot examples are not there
