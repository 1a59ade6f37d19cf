"""Responses that quote the data: sealed wherever they are published, opened by whoever has the data, told by all."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_submissions import ABOUT, answer_lines, made_results, sensible, with_answers
from test_board_page import OnSite, run_page

from dfar_bench.data import LABELS, Row, rows
from dfar_bench.leaderboard.answers_file import answer_line, answers_in, doc_hashes, read_answers_file
from dfar_bench.leaderboard.faults import RefusedError
from dfar_bench.leaderboard.result import Verified
from dfar_bench.leaderboard.seal import RUN, WHOLE, quotes, seal, unseal
from dfar_bench.leaderboard.site.build import build
from dfar_bench.leaderboard.submit import submit
from dfar_bench.leaderboard.verify import verified
from dfar_bench.samples import LoggedAnswer, find_runs, read_run
from dfar_bench.sources import read_published
from dfar_bench.text import words

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FILE = "dfar_reason.jsonl.gz"
ROW, OTHER = rows("mini")["test"][:2]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
TOKEN = "hf_" + "aB3" * 11


def quoting(row: Row, kind: str) -> Any:
    """A model that restates every third statement and recites every third human reason."""
    given = sensible(row, kind)
    if kind == "reason":
        which = int(row.row_id[-4:]) % 3
        given += ["", f" “{row.statement.upper()}” — é\u2028", f"\n\n{row.reason}"][which]
    return given


@pytest.fixture(scope="module")
def results(paper: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_results(tmp_path_factory.mktemp("sealed") / "results", quoting, "paper")


@pytest.fixture(scope="module")
def folder(results: Path) -> Path:
    return submit(results, ABOUT, results.parent / "submissions").folder


@pytest.fixture(scope="module")
def site(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sealed-site") / "board"
    assert build(folder.parents[1], out).faults == []
    return out


def runs(texts: list[str]) -> set[tuple[str, ...]]:
    return {run for text in texts for run in zip(*(words(text)[at:] for at in range(RUN)))}


@cache
def known() -> set[tuple[str, ...]]:
    return runs([text for part in rows("paper").values() for row in part for text in (row.statement, row.reason)])


# What quotes


@pytest.mark.usefixtures("paper")
@pytest.mark.parametrize("split", ["paper", "clean", "ethos"])
def test_what_quotes(split: str) -> None:
    """Any text of the data, wherever it stands, however it is set; and nothing because it is about the same."""
    row, train = rows(split)["test"][7], rows("paper")["train"]
    recited = next(one for one in train if "'" in " ".join(one.reason.split()[1 : RUN + 1]))
    said = words(recited.reason)
    assert quotes(row, recited.reason)
    assert quotes(row, recited.reason.replace("'", "’"))
    assert quotes(row, f"unethical: {'… '.join(said[1 : RUN + 1]).upper()}")
    assert not quotes(row, f"unethical. {' '.join(said[1:RUN])}, so")
    assert not quotes(row, f"{' '.join(said[:6])} thus {' '.join(said[6:12])}")
    assert all(quotes(one, f"{LABELS[0]}. {one.statement}") for one in rows(split)["test"][:200] if long(one))
    assert not quotes(row, "")
    assert not quotes(row, " ethical. It is what people expect of one another, and nobody is harmed by it at all.")


def long(row: Row) -> bool:
    return len(words(row.statement)) >= WHOLE


@pytest.mark.usefixtures("paper")
def test_short_statements() -> None:
    """One that has no run of words is quoted if it stands there whole, in an answer to any row."""
    one, other = [row for row in rows("paper")["test"] if WHOLE < len(words(row.statement)) < RUN][:2]
    assert quotes(one, f"ethical. “{one.statement}” is no harm")
    assert quotes(other, f"ethical. “{one.statement}” is no harm")
    assert not quotes(one, f"ethical. “{' '.join(one.statement.split()[:-1])}” is no harm")
    assert not quotes(one, " ".join(words(one.statement)[1:]))


def test_our_own_texts_are_no_quotation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is the published data needed to say so."""
    monkeypatch.setattr("dfar_bench.leaderboard.seal._runs", lambda split: {"mini": frozenset()}[split])
    assert not any(quotes(row, f"{row.statement} {row.reason}") for row in rows("mini")["test"])


# Sealing


@given(text=TEXTS)
def test_opened_it_is_the_same(text: str) -> None:
    made = seal(ROW, text)
    assert unseal(ROW, made) == text
    assert made == seal(ROW, text)
    for row in (OTHER, replace(ROW, statement=ROW.statement + "."), replace(ROW, reason="")):
        with pytest.raises(ValueError, match="is not sealed with the texts of"):
            unseal(row, made)


@given(text=TEXTS, data=st.data())
def test_a_changed_one_does_not_open(text: str, data: st.DataObject) -> None:
    made = seal(ROW, text)
    at = data.draw(st.integers(0, len(made) - 1))
    put = data.draw(st.text(max_size=3))
    changed = made[:at] + put + made[at + data.draw(st.integers(0, 3)) :]
    if changed != made:
        with pytest.raises(ValueError, match="is not sealed"):
            unseal(ROW, changed)


@given(content=st.binary(max_size=100))
def test_bytes_that_nobody_sealed(content: bytes) -> None:
    with pytest.raises(ValueError, match="is not sealed"):
        unseal(ROW, base64.b64encode(content).decode())


def test_two_texts_share_no_key_stream() -> None:
    one, other = (base64.b64decode(seal(ROW, text))[8:] for text in ("a" * 64, "b" * 64))
    assert len({a ^ b for a, b in zip(one, other)}) > 20
    assert len(set(zip(one[:32], one[32:]))) > 20
    assert "é" == unseal(ROW, seal(ROW, "é")) != unseal(ROW, seal(ROW, "e\u0301"))
    with pytest.raises(UnicodeEncodeError):
        seal(ROW, "\ud800")


def test_the_longest_one_fits_a_line() -> None:
    assert len(seal(ROW, "\U0001f600" * 50_000)) == 266_680


# In a submission


def test_submitted(folder: Path, results: Path, tmp_path: Path) -> None:
    """Nothing of the data in clear, everything found again, and the same bytes every time."""
    lines = [json.loads(line) for line in answer_lines(folder, FILE)]
    (run,) = [run for run in map(read_run, find_runs([results])) if run.kind == "reason"]
    assert [line["row_id"] for line in lines] == [logged.row.row_id for logged in run.answers]
    shut = ["sealed" in line for line in lines]
    assert shut == [number % 3 == 2 or (number % 3 == 1 and long(one.row)) for number, one in enumerate(run.answers)]
    assert sum(shut) > 300
    assert all(list(line) == ["row_id", "doc_hash", "sealed" if at else "response"] for line, at in zip(lines, shut))
    for path in folder.iterdir():
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert not runs([text.decode()]) & known()

    assert answers_in(folder / FILE) == run.answers
    found = verified(folder)
    assert isinstance(found, Verified)
    assert found.tasks["dfar_reason"].run.answers == run.answers
    assert [flag.kind for flag in found.tasks["dfar_reason"].flags] == ["gold_copy"]
    again = submit(results, ABOUT, tmp_path).folder
    assert (again / FILE).read_bytes() == (folder / FILE).read_bytes()


Change = Callable[[list[dict[str, Any]]], object]
IN_CLEAR, SHUT, SHUT_TOO = 3, 5, 8
"""A line whose response stands there in clear, and two that are sealed."""


def shut(text: Callable[[Row], str]) -> Change:
    """Seal a text in the place of a response."""

    def change(lines: list[dict[str, Any]]) -> None:
        row = rows("paper")["test"][SHUT]
        lines[SHUT]["sealed"] = seal(row, text(row))

    return change


def opened(lines: list[dict[str, Any]]) -> None:
    line = lines[SHUT]
    line["response"] = unseal(rows("paper")["test"][SHUT], line.pop("sealed"))


def edited(change: Callable[[str], str]) -> Change:
    return lambda lines: lines[SHUT].update(sealed=change(lines[SHUT]["sealed"]))


def swapped(lines: list[dict[str, Any]]) -> None:
    lines[SHUT]["sealed"], lines[SHUT_TOO]["sealed"] = lines[SHUT_TOO]["sealed"], lines[SHUT]["sealed"]


NOT_OPEN = "sealed: does not open with the data: it is damaged, or another row's (line 6)"
NO_BASE64 = "sealed: is no base64; write it with dfar-bench submit (line 6)"
EITHER = "the document: needs either response or sealed, and not both (line 6)"
FAULTS: dict[str, tuple[Change, str]] = {
    "in clear": (opened, "response: quotes the data: run submit again, which seals it (line 6)"),
    "another row's": (swapped, NOT_OPEN.replace("(line 6)", "(line 6 and 1 more)")),
    "tampered": (edited(lambda made: ("A" if made[0] != "A" else "B") + made[1:]), NOT_OPEN),
    "cut off": (edited(lambda made: made[:-8]), NOT_OPEN),
    "padded": (edited(lambda made: made.rstrip("=") + "AA=="), NOT_OPEN),
    "a nonce alone": (edited(lambda made: made[:12]), NOT_OPEN),
    "empty": (edited(lambda _: ""), NO_BASE64),
    "not base64": (edited(lambda made: made[:8] + " " + made[8:]), NO_BASE64),
    "another alphabet": (edited(lambda made: "_" + made[1:]), NO_BASE64),
    "not ASCII": (edited(lambda made: "ｱ" + made[1:]), NO_BASE64),
    "null": (lambda lines: lines[SHUT].update(sealed=None), EITHER),
    "both": (lambda lines: lines[SHUT].update(response=" ethical."), EITHER),
    "neither": (lambda lines: lines[SHUT].pop("sealed"), EITHER),
    "nothing quoted": (
        shut(lambda _: " ethical. It is kind."),
        "sealed: quotes nothing of the data: run submit again, which leaves it in clear (line 6)",
    ),
    "a token": (shut(lambda row: f"{row.reason} {TOKEN}"), "sealed: holds what looks like an access token (line 6)"),
    "too long": (
        shut(lambda row: f"{row.reason} {'x' * 50_000}"),
        "response: string should have at most 50000 characters",
    ),
    "not a test row": (
        lambda lines: lines[SHUT].update(row_id="paper-train-0005"),
        "row_id: 'paper-train-0005' is no test row of paper (line 6)",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_refused(name: str, folder: Path) -> None:
    change, said = FAULTS[name]
    lines = [json.loads(line) for line in answer_lines(folder, FILE)]
    assert ["sealed" in lines[at] for at in (IN_CLEAR, SHUT, SHUT_TOO)] == [False, True, True]
    change(lines)
    content = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode(), mtime=0)
    with pytest.raises(RefusedError) as refused:
        read_answers_file(content, "paper", "reason", doc_hashes("paper", "llama2.v1", "lr"))
    assert str(refused.value).startswith(said)
    for row in rows("paper")["test"]:
        assert row.statement not in str(refused.value)


def test_a_whole_submission_with_a_response_in_clear(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / folder.parent.name / folder.name
    copy.mkdir(parents=True)
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    lines = [json.loads(line) for line in answer_lines(copy, FILE)]
    opened(lines)
    content = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode(), mtime=0)
    found = verified(with_answers(copy, FILE, content))
    assert isinstance(found, list)
    (fault,) = found
    assert (fault.field, fault.reason) == ("response", "quotes the data: run submit again, which seals it (line 6)")


def test_a_file_by_another_name(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="name: is not that of a task's answers"):
        answers_in(tmp_path / "x.jsonl.gz")


@pytest.mark.parametrize("text", ["\ud800", "x" * 50_001])
def test_no_line_for_what_no_submission_may_hold(text: str) -> None:
    with pytest.raises(RefusedError, match="response: "):
        answer_line(LoggedAnswer(ROW, text), "0" * 16)


# On the board


def embedded(page: str) -> list[list[Any]]:
    (packed,) = re.findall(r'id="packed">([^<]*)<', page)
    return json.loads(gzip.decompress(base64.b64decode(packed)))["paper"]


def texts_in(value: Any) -> list[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in texts_in(one)]


def test_no_sentence_of_the_data_on_the_site(site: Path, folder: Path) -> None:
    """In no file of it, nor in what is packed into one."""
    data, pages = known(), 0
    for path in site.rglob("*"):
        if path.is_file():
            text = html.unescape(path.read_text(encoding="utf-8"))
            assert not runs([text]) & data, path.name
            if 'id="packed"' in text:
                found = embedded(text)
                assert not runs([json.dumps(found), *texts_in(found)]) & data
                assert sum(isinstance(row[4], dict) for row in found) > 300
                pages += 1
    assert pages == 1
    opened_answers = {one.row.row_id: one.answer for one in answers_in(folder / FILE)}
    assert runs([str(answer) for answer in opened_answers.values()]) & data


WAITING = "The response quotes the data: it is shown when the data is loaded."


def published(name: str) -> Path:
    return read_published(name)[1]


def test_opened_in_the_browser(browser: Browser, site: Path, folder: Path) -> None:
    """Only when the data is loaded; then every response stands there as it was given, and can be searched."""
    answers = [str(one.answer) for one in answers_in(folder / FILE)]
    shut = [isinstance(row[4], dict) for row in embedded(run_page(site, "acme__judge-7b").read_text())]
    watched = OnSite(browser, run_page(site, "acme__judge-7b"))
    page = watched.page
    page.locator("#count", has_text="500 of 500 rows").wait_for()
    word = next(word for answer, one in zip(answers, shut) if one for word in words(answer) if len(word) > 8)

    def shown() -> list[str]:
        return [text.strip() for text in page.locator("#rows li > :is(.response, .quiet)").all_text_contents()]

    assert shown() == [WAITING if one else text.strip() for text, one in zip(answers[:25], shut)]
    page.locator("#data").set_input_files(published("DFAR_trainset.csv"))
    page.locator("#loaded", has_text="4500 rows").wait_for()
    assert shown().count(WAITING) == sum(shut[:25])
    page.locator("#data").set_input_files(published("DFAR_testset.csv"))
    page.locator("#loaded", has_text="500 rows").wait_for()
    seen = shown()
    while page.locator("#next").is_enabled():
        page.locator("#next").click()
        seen += shown()
    assert seen == [text.strip() for text in answers]
    page.locator("#search").fill(word)
    wanted = sum(word in answer.lower() for answer in answers)
    assert page.locator("#count").inner_text() == f"{wanted} of 500 rows"
    watched.close()


def test_other_data_opens_nothing(browser: Browser, site: Path, tmp_path: Path) -> None:
    """Of one row the reason was changed; it says so, and the others are opened."""
    content = published("DFAR_testset.csv").read_text(encoding="utf-8-sig")
    reason = rows("paper")["test"][SHUT].reason
    (tmp_path / "changed.csv").write_text(content.replace(reason, reason + "!", 1), encoding="utf-8")
    watched = OnSite(browser, run_page(site, "acme__judge-7b"))
    watched.page.locator("#data").set_input_files(tmp_path / "changed.csv")
    watched.page.locator("#loaded", has_text="500 rows").wait_for()
    said = watched.page.locator("#rows li > .quiet")
    assert said.all_text_contents() == ["The response does not open with this data."]
    assert watched.page.locator("#rows li").nth(SHUT).locator("> .quiet").count() == 1
    watched.page.locator("#data").set_input_files(published("DFAR_testset.csv"))
    watched.page.locator("#rows li").nth(SHUT).locator(".response").wait_for()
    assert said.count() == 0
    watched.close()


def test_a_browser_that_cannot_open_says_so(browser: Browser, site: Path) -> None:
    """As over http: what a page needs is not there."""
    insecure = "Object.defineProperty(Crypto.prototype, 'subtle', { get() { return undefined; } });"
    watched = OnSite(browser, run_page(site, "acme__judge-7b"), script=insecure)
    watched.page.locator("#data").set_input_files(published("DFAR_testset.csv"))
    watched.page.locator("#loaded", has_text="500 rows").wait_for()
    said = set(watched.page.locator("#rows li > .quiet").all_text_contents())
    assert said == {"The response quotes the data, and browsers open it only from disk or over https."}
    watched.close()


def test_files_are_read_as_python_reads_them(browser: Browser, site: Path) -> None:
    """To the last character, as the key follows from the texts."""
    watched = OnSite(browser, run_page(site, "acme__judge-7b"))
    files = ["DFAR_trainset.csv", "DFAR_testset.csv", "Ethos_Dataset_Binary.csv"]
    watched.page.locator("#data").set_input_files([published(name) for name in files])
    watched.page.locator("#loaded", has_text="998 rows").wait_for()
    loaded = watched.page.evaluate("loaded")
    wanted = {
        f"{split} {part}:{int(row.row_id[-4:])}": [row.statement, row.label, row.reason]
        for split in ("paper", "ethos")
        for part, found in rows(split).items()
        for row in found
    }
    assert {at for at in wanted if loaded.get(at) != wanted[at]} == set()
    assert len(loaded) == len(wanted)
    watched.close()
