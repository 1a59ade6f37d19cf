"""A board from many places: pinned archives, downloaded from a real HTTP server, and hostile ones."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from board_site import answering, content, write_submission
from harness import serving

from dfar_bench import files
from dfar_bench.cli.main import main
from dfar_bench.errors import InputError
from dfar_bench.leaderboard import SUBMISSIONS, archive, sources
from dfar_bench.leaderboard.archive import unpack_submissions
from dfar_bench.leaderboard.report import verify_all
from dfar_bench.leaderboard.sources import Archive, parse_address

COMMIT, HASH = "0123456789" * 4, "ab" * 32
RUN = "acme__model/2026-01-31-0123abcd"
Member = tuple[tarfile.TarInfo, bytes]


class Server(http.server.ThreadingHTTPServer):
    """Serves one file under any name, and counts the requests."""

    body = b""
    requests = 0


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("DFAR_BENCH_CACHE", str(tmp_path / "downloads"))
    monkeypatch.setattr(files, "_RETRIES", 0)
    with serving(Server(("127.0.0.1", 0), Handler)) as running:
        yield running


def member(name: str, body: bytes = b"{}", **fields: object) -> Member:
    info = tarfile.TarInfo(name)
    info.size = len(body)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, body


def packed(members: list[Member]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for info, body in members:
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


def repository(tree: Path, folder: str = SUBMISSIONS) -> bytes:
    """Pack a tree as the archive of a repository, which has other files and links as well."""
    inside = [member(f"lab-{COMMIT}/{folder}/{name}", body) for name, body in content(tree).items()]
    elsewhere = [member(f"lab-{COMMIT}/README.md"), member(f"lab-{COMMIT}/docs/a", b"", type=tarfile.SYMTYPE)]
    return packed([*elsewhere, *inside, member(f"lab-{COMMIT}/{folder}/.gitkeep", b"")])


def address(server: Server, more: str = "") -> str:
    sha256 = hashlib.sha256(server.body).hexdigest()
    return f"http://127.0.0.1:{server.server_port}/lab/archive/{COMMIT}.tar.gz#sha256={sha256}{more}"


def build(*arguments: str) -> int:
    return main(["board", "build", *arguments, "--split", "mini"])


# Addresses


def test_a_pinned_address() -> None:
    url = f"https://example.org/lab/repository/archive/{COMMIT}.tar.gz"
    assert parse_address(f"{url}#sha256={HASH}") == Archive(url, COMMIT, HASH, "leaderboard/submissions")
    assert parse_address(f"{url}#sha256={HASH}&subdirectory=results/runs").folder == "results/runs"
    at_gitlab = f"https://example.org/lab/x/-/archive/{COMMIT}/x-{COMMIT}.tar.gz"
    assert parse_address(f"{at_gitlab}#sha256={HASH}").commit == COMMIT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"https://example.org/archive/{COMMIT}.tar.gz", "not pinned to a content: add #sha256="),
        (f"https://example.org/archive/{COMMIT}.tar.gz#sha256={HASH[1:]}", "not pinned to a content"),
        (f"https://example.org/archive/main.tar.gz#sha256={HASH}", "not pinned to a commit"),
        (f"https://example.org/{COMMIT}/archive/main.tar.gz#sha256={HASH}", "not pinned to a commit"),
        (f"https://example.org/archive/{COMMIT}-main.tar.gz#sha256={HASH}", "not pinned to a commit"),
        (f"https://example.org/archive/{COMMIT}.zip#sha256={HASH}", "not pinned to a commit"),
        (f"http://example.org/archive/{COMMIT}.tar.gz#sha256={HASH}", "must begin with https://"),
        (f"file:///archive/{COMMIT}.tar.gz#sha256={HASH}", "must begin with https://"),
        (f"https://me:word@example.org/{COMMIT}.tar.gz#sha256={HASH}", "neither a user nor a query"),
        (f"https://example.org/{COMMIT}.tar.gz?token=x#sha256={HASH}", "neither a user nor a query"),
        (f"https://example.org/{COMMIT}.tar.gz#sha256={HASH}&subdirectory=../x", "has more behind #"),
        (f"https://example.org/{COMMIT}.tar.gz#sha256={HASH}&subdirectory=", "has more behind #"),
        (f"https://example.org/{COMMIT}.tar.gz#sha256={HASH}&md5=1", "has more behind #"),
        (f"https://[::1/{COMMIT}.tar.gz#sha256={HASH}", "is not an address"),
        (f"https://example.org/{COMMIT}.tar.gz#{HASH}", "is not an address"),
    ],
)
def test_an_address_that_is_not_pinned(
    text: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(text, "--out", str(tmp_path / "board")) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
    assert not (tmp_path / "board").exists()


# Boards


def test_a_board_from_a_folder_and_an_archive(
    server: Server, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = tmp_path / "ours" / "submissions", tmp_path / "theirs"
    first = write_submission(ours, "acme/judge-7b", answering(0.55, "base"))
    second = write_submission(theirs, "lab/own", answering(0.8, "own"))
    shutil.copytree(first, theirs / first.parent.name / first.name)
    server.body = repository(theirs)
    out, listed = tmp_path / "board", tmp_path / "sources.txt"
    listed.write_text(f"# other people's\n\n{address(server)}\n")
    command = [str(ours), "--sources", str(listed), "--out", str(out), "--cache", str(cache)]
    assert build(*command) == 0
    size = sum(map(len, content(out).values()))
    assert capsys.readouterr().out == f"{out / 'index.html'}: 2 submissions, {size / 10**6:.1f} MB\n"
    page = (out / "sources.html").read_text()
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.partition("<main>")[2]))
    for folder, numbers in ((first, "1, 2"), (second, "2")):
        sha256 = hashlib.sha256((folder / "submission.json").read_bytes()).hexdigest()
        assert f"{folder.name} {sha256} {numbers} " in told
        assert f'href="runs/{folder.parent.name}/{folder.name}.html"' in page
    assert f"{SUBMISSIONS} {COMMIT} {hashlib.sha256(server.body).hexdigest()} 2 " in told
    assert str(tmp_path) not in page
    assert 'href="sources.html"' in (out / "index.html").read_text()

    # Downloaded once, and the same again.
    before = content(out)
    assert build(*command) == 0
    assert server.requests == 1
    assert content(out) == before


def test_one_name_with_two_contents(
    server: Server, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tree that is named first is right; the other one's answers are not taken, and it is said."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    folder = write_submission(ours, "acme/judge-7b", answering(0.55, "base"))
    shutil.copytree(ours, theirs)
    forged = write_submission(tmp_path / "forged", "acme/judge-7b", answering(0.99, "forged"))
    copy = theirs / folder.parent.name / folder.name
    shutil.copy(forged / "dfar_mini_cls.jsonl.gz", copy)
    server.body = repository(theirs)
    command = [str(ours), address(server), "--out", str(tmp_path / "board"), "--cache", str(cache)]
    assert build(*command) == 1
    (line, _) = capsys.readouterr().err.splitlines()
    url = address(server).partition("#")[0]
    assert line.startswith(f"dfar-bench: {url}: acme__judge-7b/{folder.name}: files: differs from the submission")
    assert build(*command, "--skip-faulty") == 0
    assert verify_all([ours, theirs]).entries[0].value["tasks"] == verify_all([ours]).entries[0].value["tasks"]


def test_a_name_that_imitates_one_of_a_tree_before(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    write_submission(ours, "acme/judge-7b", answering(0.55, "base"))
    write_submission(theirs, "acme/judge_7b", answering(0.6, "other"))
    write_submission(theirs, "lab/own", answering(0.6, "own"))
    checked = verify_all([ours, theirs], names=["ours", "theirs"])
    assert [str(fault).partition(", which")[0] for fault in checked.faults] == [
        "theirs: acme__judge_7b: model.id: is easily mistaken for acme__judge-7b"
    ]
    assert [entry.model for entry in checked.entries] == ["acme/judge-7b", "lab/own"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"more": "0"}, "is not pinned to a content"),
        ({"body": b"other bytes"}, "the file there has another hash"),
        ({"limit": 10}, "the file there is larger than 10 bytes"),
        ({"more": "&subdirectory=elsewhere"}, "has no files in elsewhere"),
    ],
)
def test_what_cannot_be_had(
    change: dict[str, object],
    reason: str,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.body = packed([member(f"x/{SUBMISSIONS}/{RUN}/submission.json")])
    named = address(server, str(change.get("more", "")))
    server.body = change.get("body", server.body)  # type: ignore[assignment]
    monkeypatch.setattr(sources, "ARCHIVE_BYTES", change.get("limit", 10**6))
    assert build(named, "--out", str(tmp_path / "board")) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
    kept = [path.name for path in (tmp_path / "downloads").rglob("*") if path.is_file()]
    assert kept == ([f"{COMMIT}.tar.gz"] if "elsewhere" in reason else [])


def test_a_board_without_answers(cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = tmp_path / "submissions"
    folder = write_submission(ours, "acme/judge-7b", answering(0.55, "base"))
    sizes = []
    for more in ([], ["--without-answers"]):
        assert build(str(ours), "--out", str(tmp_path / "board"), "--cache", str(cache), *more) == 0
        sizes.append(sum(map(len, content(tmp_path / "board").values())))
        answers = list((tmp_path / "board" / "answers").rglob(f"{folder.name}.html"))
        page = (tmp_path / "board" / "compare-mini.html").read_text()
        assert (len(answers), '"withAnswers":false' in page) == (0 if more else 1, bool(more))
    assert sizes[1] < sizes[0]
    assert "larger than" not in capsys.readouterr().err


def test_a_large_board_says_so(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dfar_bench.leaderboard.build.SITE_BYTES", 1000)
    write_submission(tmp_path / "submissions", "acme/judge-7b", answering(0.55, "base"))
    assert build(str(tmp_path / "submissions"), "--out", str(tmp_path / "board"), "--cache", str(cache)) == 0
    assert "the site is larger than 0 MB; --without-answers leaves out" in capsys.readouterr().err


# Hostile archives

TOP = f"x/{SUBMISSIONS}"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (member(f"{TOP}/../../../../escaped"), "does not belong there"),
        (member(f"{TOP}/acme__model/../../submission.json"), "does not belong there"),
        (member(f"{TOP}/..__x/2026-01-31-0123abcd/submission.json"), "does not belong there"),
        (member(f"{TOP}/acme__model/2026-01-31-0123abcd/../submission.json"), "does not belong there"),
        (member(f"{TOP}/acme__model//etc/submission.json"), "does not belong there"),
        (member(f"{TOP}/{RUN}/run.sh"), "does not belong there"),
        (member(f"{TOP}/{RUN}"), "does not belong there"),
        (member(f"{TOP}/notes.txt"), "does not belong there"),
        (member(f"{TOP}/{RUN}\0/submission.json"), "does not belong there"),
        (member(f"{TOP}/{RUN}/games.jsonl.gz", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "not a regular"),
        (member(f"{TOP}/{RUN}/games.jsonl.gz", b"", type=tarfile.LNKTYPE, linkname="x/y"), "not a regular"),
        (member(f"{TOP}/{RUN}/games.jsonl.gz", b"", type=tarfile.CHRTYPE), "not a regular"),
        (member(f"{TOP}/{RUN}/games.jsonl.gz", b"", type=tarfile.FIFOTYPE), "not a regular"),
        (member(f"{TOP}/{RUN}", b"", type=tarfile.SYMTYPE, linkname="/tmp"), "does not belong there"),
        (member(f"{TOP}/{RUN}/submission.json", b"[]"), "is there twice"),
        (member(f"{TOP}/{RUN}/games.jsonl.gz", bytes(8 * 2**20 + 1)), "is 8,388,609 bytes; at most 8,388,608"),
    ],
)
def test_only_submissions_are_unpacked(bad: Member, reason: str, tmp_path: Path) -> None:
    path, out = tmp_path / "a.tar.gz", tmp_path / "deep" / "er" / "out"
    out.mkdir(parents=True)
    path.write_bytes(packed([member(f"{TOP}/{RUN}/submission.json"), bad, member(f"{TOP}/{RUN}/bbq_3way.jsonl.gz")]))
    (fault,) = unpack_submissions(path, SUBMISSIONS, out, "a.tar.gz")
    assert reason in str(fault)
    written = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if not file.is_dir()}
    assert written == {"a.tar.gz", *(f"deep/er/out/{RUN}/{name}" for name in ("submission.json", "bbq_3way.jsonl.gz"))}
    assert (out / RUN / "submission.json").read_bytes() == b"{}"


def headers(*texts: bytes) -> bytes:
    """Pack a submission behind headers that extend its own."""
    blocks = []
    for text in texts:
        info = tarfile.TarInfo("extension")
        info.type, info.size = tarfile.XHDTYPE, len(text)
        blocks += [info.tobuf(tarfile.USTAR_FORMAT), text, bytes(-len(text) % 512)]
    info = tarfile.TarInfo(f"{TOP}/{RUN}/submission.json")
    return gzip.compress(b"".join([*blocks, info.tobuf(tarfile.USTAR_FORMAT), bytes(1024)]))


GOOD = packed([member(f"{TOP}/{RUN}/submission.json", bytes(range(256)) * 40)])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is not a .tar.gz archive"),
        (b"<html>", "is not a .tar.gz archive"),
        (gzip.compress(b"<html>" * 1000), "is not a .tar.gz archive"),
        (GOOD[: len(GOOD) // 2], "is not a .tar.gz archive"),
        (packed([member("x/picture", bytes(3 * 2**20))]), "unpacks to more than 2,097,152 bytes"),
        (
            headers(b"1" * 2**20),
            "has a header of 1,048,576 bytes",
        ),  # over which some versions of Python brood for hours
        (headers(b"13 comment=x\n" * 5000), "has a header of 65,000 bytes"),
        (headers(*[b"12 comment=\n"] * 1500), "is not a .tar.gz archive"),
        (headers(b"22 size=1" + b"0" * 12 + b"\n"), "is not a .tar.gz archive"),
        (headers(b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"), "has a sparse file"),  # whose map is read whole
        (headers(b"22 GNU.sparse.map=0,1\n"), "has a sparse file"),
        (headers(b"21 GNU.sparse.size=1\n"), "has a sparse file"),
        (packed([member("x/y", b"", type=tarfile.GNUTYPE_SPARSE)]), "has a sparse file"),
        (packed([member(f"x/{number}") for number in range(60)]), "has more than 50 files"),
        (packed([member(f"{TOP}/{number}") for number in range(12)]), "has more than 10 files in leaderboard"),
        (packed([member("x/README.md")]), "has no files in leaderboard/submissions"),
        (packed([member("/etc/leaderboard"), member("leaderboard/submissions")]), "has no files in"),
    ],
    # An archive holds the time at which it was made, and the processes that share the tests compare their names.
    ids=lambda value: value if isinstance(value, str) else "archive",
)
def test_damaged_and_immense_archives(
    body: bytes, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, bound in (("UNPACKED_BYTES", 2 * 2**20), ("MOST_MEMBERS", 50), ("MOST_FAULTS", 10)):
        monkeypatch.setattr(archive, name, bound)
    path, out = tmp_path / "a.tar.gz", tmp_path / "out"
    out.mkdir()
    path.write_bytes(body)
    with pytest.raises(InputError, match=r"^a\.tar\.gz ") as error:
        unpack_submissions(path, SUBMISSIONS, out, "a.tar.gz")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
