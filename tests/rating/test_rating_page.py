"""The raters' page in a real browser: keys, undo, reload, download, and hostile answers, which are shown as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness import HarnessRun
from rating_runs import ANSWERS, rate_by_verdict, read_table, write_run
from real_browser import Watched

from dfar_bench.rating.key import read_key
from dfar_bench.rating.ratings import read_ratings
from dfar_bench.rating.sheet import export
from dfar_bench.rating.spreadsheet import unguard

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

KEYS = {("Yes", ""): ("1", "aligned"), ("no", " YES "): ("21", "coherent"), ("no", "no"): ("22", "incoherent")}


@pytest.fixture(scope="module")
def sheet(dummy_mini: HarnessRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    export([write_run(dummy_mini, folder, model) for model in ANSWERS], folder / "sheet", 24, 1, "verdict")
    return folder / "sheet"


def load_again(watched: Watched, ready: Callable[[], bool]) -> None:
    """Load the page again, until the browser has handed over what was stored: a new process may not see it at once."""
    for _ in range(20):
        watched.page.reload()
        if ready():
            return


def reload(watched: Watched, rated: str) -> None:
    load_again(watched, lambda: watched.progress() == rated)


def test_rating_by_keyboard_with_undo_reload_and_download(browser: Browser, sheet: Path, tmp_path: Path) -> None:
    watched = Watched(browser, sheet / "sheet.html")
    page, lines = watched.page, read_table(sheet / "sheet.csv")
    for number, line in enumerate(lines[:5], start=1):
        assert watched.shown("h2") == f"Item {number} of 24"
        watched.press(KEYS[rate_by_verdict(line)][0])
    assert watched.progress() == "5 of 24 rated"
    assert page.locator("#live").inner_text().endswith("Item 6 of 24.")

    # Undo removes the last rating and returns to its item; an open second question is undone first.
    watched.press("uu")
    assert (watched.shown("h2"), watched.progress()) == ("Item 4 of 24", "3 of 24 rated")
    watched.press("2u")
    assert page.locator("#question").inner_text().startswith("Is the answer aligned")
    assert watched.progress() == "3 of 24 rated"
    for line in lines[3:5]:
        watched.press(KEYS[rate_by_verdict(line)][0])

    # Arrows move; keys do not rate while a comment is typed.
    page.keyboard.press("ArrowLeft")
    assert page.locator("#rated").inner_text().startswith("Your rating: ")
    page.keyboard.press("ArrowRight")
    page.locator("#comment").fill("=1+1, “really”")
    page.locator("#comment").press("End")
    watched.press("12")
    reload(watched, "5 of 24 rated")
    assert (watched.shown("h2"), watched.progress()) == ("Item 6 of 24", "5 of 24 rated")
    for line in lines[5:]:
        watched.press(KEYS[rate_by_verdict(line)][0])
    assert watched.progress() == "24 of 24 rated"

    page.locator("#download").click()
    assert page.locator("#name-needed").is_visible()
    page.locator("#rater").fill("Anna B.")
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "ratings-anna-b.csv"
    file = tmp_path / "ratings.csv"
    download.value.save_as(file)
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    assert "'=1+1" in file.read_text("utf-8-sig")
    rater = read_ratings(file, read_key(sheet / "key.json"))
    assert rater.name == "Anna B."
    assert rater.ratings == {line["item"]: KEYS[rate_by_verdict(line)][1] for line in lines}
    assert rater.comments == {lines[5]["item"]: "=1+1, “really”12"}

    # A second tab has the same ratings.
    other = watched.open()
    page.locator("#clear").click()
    page.locator("#progress-text", has_text="0 of").wait_for()
    assert page.locator("#rater").input_value() == ""
    other.locator("#progress-text", has_text="0 of").wait_for()
    other.keyboard.press("1")
    page.locator("#progress-text", has_text="1 of").wait_for()
    watched.close()


def test_answers_are_shown_as_plain_text(browser: Browser, sheet: Path) -> None:
    watched = Watched(browser, sheet / "sheet.html")
    lines = read_table(sheet / "sheet.csv")
    assert sum("<script>" in line["answer"] or "<img" in line["answer"] for line in lines) >= 4
    for line in lines:
        shown = watched.page.locator("article:not([hidden]) p.text").all_text_contents()
        texts = [unguard(line[column]) for column in ("statement", "human_reason", "answer")]
        # HTML has one kind of line end, and no NUL.
        assert shown == [text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "") for text in texts]
        watched.page.keyboard.press("ArrowRight")
    assert watched.page.title() == "Rating answers"
    assert watched.page.locator("article img, article script, article style").count() == 0
    watched.close()


def test_the_policy_blocks_everything_else(browser: Browser, sheet: Path, tmp_path: Path) -> None:
    """Even if a text were in the page as HTML."""
    page = (sheet / "sheet.html").read_text()
    injected = "<script>document.title = 'run'</script><img src=http://127.0.0.1:9/x onerror=\"document.title='run'\">"
    (tmp_path / "sheet.html").write_text(page.replace("<h3>Statement</h3>", injected, 1))
    watched = Watched(browser, tmp_path / "sheet.html")
    watched.page.wait_for_function("document.querySelector('article img').complete")
    assert watched.page.title() == "Rating answers"
    assert any("Content Security Policy" in complaint for complaint in watched.complaints)
    watched.context.close()


DENIED = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied'); } });"


@pytest.mark.parametrize("stored", [None, "{", "[1]", '{"at": "x", "ratings": {"a": 1}, "history": 7}', "null"])
def test_storage_that_is_denied_or_damaged(stored: str | None, browser: Browser, sheet: Path) -> None:
    watched = Watched(browser, sheet / "sheet.html", script=DENIED if stored is None else "")
    if stored is not None:
        key = f"dfar-bench-{read_key(sheet / 'key.json').sheet}"
        watched.page.evaluate("([key, text]) => localStorage.setItem(key, text)", [key, stored])
        load_again(watched, lambda: watched.page.evaluate("key => localStorage.getItem(key)", key) == stored)
        assert watched.progress() == "0 of 24 rated"
    watched.press("11")
    if stored is None:
        assert "does not store your ratings" in watched.page.locator("#notice").inner_text()
    else:
        reload(watched, "2 of 24 rated")
    assert watched.progress() == "2 of 24 rated"
    watched.close()


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "dark")])
def test_it_fits_and_works_without_a_mouse(width: int, scheme: str, browser: Browser, sheet: Path) -> None:
    """No sideways scrolling, every control has a name and shows its focus, and the keys can be switched off."""
    watched = Watched(browser, sheet / "sheet.html", width=width, scheme=scheme)
    page = watched.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    names = set()
    for _ in range(9):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            "(() => { const at = document.activeElement, style = getComputedStyle(at);"
            " return [(at.labels?.[0] ?? at).innerText.trim(), style.outlineStyle]; })()"
        )
        assert name
        assert outline != "none"
        names.add(name)
    assert {"How to rate", "1 Yes", "2 No", "Next →", "Your name or initials", "Download ratings"} <= names
    colours = page.evaluate(
        "[getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.body).color]"
    )
    background, ink = (sum(map(int, colour[4:-1].split(","))) for colour in colours)
    assert (background < ink) == (scheme == "dark")
    page.locator("#keys").uncheck()
    watched.press("1")
    assert watched.progress() == "0 of 24 rated"
    page.locator("#yes").press("Enter")
    assert watched.progress() == "1 of 24 rated"
    watched.close()
