"""Finding and downloading the published files, against a real HTTP server that misbehaves."""

from __future__ import annotations

import hashlib
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfar_bench import sources
from dfar_bench.errors import InputError

NAME = "DFAR_testset.csv"
CONTENT = (
    b"Statement,Label,Reason\r\n" + b"I waited for my turn.,0,Waiting is fair to those who came before.\r\n" * 4000
)
HASH = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT in the way that ``behaviour`` says, and counts the requests."""

    behaviour = "fine"
    requests = 0
    together = threading.Barrier(4)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        behaviour = self.server.behaviour
        if behaviour == "missing" or (behaviour == "once broken" and self.server.requests == 1):
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
    running = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def cache(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, the server as the only source, and CONTENT as what was published."""
    monkeypatch.delenv("DFAR_BENCH_DATA", raising=False)
    monkeypatch.setenv("DFAR_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DFAR_BENCH_URL", server.url)
    monkeypatch.setitem(sources.DFAR_FILES, NAME, HASH)
    return tmp_path / "cache"


def kept(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file()]


def test_download_once_then_cache(cache: Path, server: Server) -> None:
    content, path = sources.read_published(NAME)
    assert content == CONTENT
    assert path.is_relative_to(cache)
    assert sources.read_published(NAME) == (content, path)
    assert server.requests == 1


def test_a_transient_failure_is_tried_again(cache: Path, server: Server) -> None:
    server.behaviour = "once broken"
    assert sources.read_published(NAME)[0] == CONTENT
    assert server.requests == 2


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ("missing", "HTTP status 404"),
        ("other file", "has another hash"),
        ("cut off", "bytes read|IncompleteRead|Connection"),
    ],
)
def test_a_bad_download_is_told_and_not_kept(cache: Path, server: Server, behaviour: str, why: str) -> None:
    server.behaviour = behaviour
    with pytest.raises(
        InputError, match=rf"(?s){NAME} is neither in DFAR_BENCH_DATA nor in the cache.*({why})"
    ) as told:
        sources.read_published(NAME)
    assert "\n" not in str(told.value)
    assert kept(cache) == []
    server.behaviour = "fine"
    assert sources.read_published(NAME)[0] == CONTENT


def test_no_network(cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFAR_BENCH_URL", "http://127.0.0.1:9/")
    with pytest.raises(InputError, match="set DFAR_BENCH_DATA to a folder that holds the published files"):
        sources.read_published(NAME)
    assert kept(cache) == []


def test_a_spoilt_cache_is_mended(cache: Path, server: Server) -> None:
    _, path = sources.read_published(NAME)
    path.write_bytes(CONTENT[:1000])
    assert sources.read_published(NAME) == (CONTENT, path)
    assert server.requests == 2


def test_a_cache_that_cannot_be_written(cache: Path, server: Server) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"the cache folder .* cannot be written .*set DFAR_BENCH_CACHE"):
        sources.read_published(NAME)


@pytest.mark.parametrize("address", ["mirror.example.org/dfar", "ftp://127.0.0.1/", "http://[::1"])
def test_a_mirror_that_is_no_address(cache: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFAR_BENCH_URL", address)
    with pytest.raises(InputError, match=r"downloading it from .* failed") as told:
        sources.read_published(NAME)
    assert "another hash" not in str(told.value)


def test_four_processes_at_once(cache: Path, server: Server) -> None:
    """They all download at the same time: the server answers only when the last has asked."""
    server.behaviour = "all together"
    script = (
        "from dfar_bench import sources;"
        f"sources.DFAR_FILES[{NAME!r}] = {HASH!r};"
        f"print(len(sources.read_published({NAME!r})[0]))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in running:
        stdout, stderr = process.communicate(timeout=120)
        assert (process.returncode, stdout.strip(), stderr) == (0, str(len(CONTENT)), "")
    assert [path.name for path in kept(cache)] == [NAME]


@pytest.mark.parametrize("folder", ["", "dfar"])
def test_the_users_folder_comes_first(
    cache: Path, server: Server, tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine" / folder / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    monkeypatch.setenv("DFAR_BENCH_DATA", str(tmp_path / "mine"))
    assert sources.read_published(NAME) == (CONTENT, path)
    assert server.requests == 0


def test_another_file_in_the_users_folder_is_refused_and_left_alone(
    cache: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).write_bytes(b"Statement,Label,Reason\n")
    monkeypatch.setenv("DFAR_BENCH_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"is not the published file \(sha256 .*: replace it, or remove it"):
        sources.read_published(NAME)
    assert (tmp_path / NAME).exists()
    assert server.requests == 0


def test_a_users_folder_that_is_none(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFAR_BENCH_DATA", "/no/such/folder")
    with pytest.raises(InputError, match="DFAR_BENCH_DATA names /no/such/folder, which is not a folder"):
        sources.read_published(NAME)
