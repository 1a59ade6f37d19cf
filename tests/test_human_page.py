"""The page for raters in a real browser: keys, undo, reload, download, and hostile answers, which are shown as text.

Needs the Python package ``playwright`` and a Chromium (Debian: ``apt-get install chromium``), which is not downloaded.
Skipped without, unless DFAR_BENCH_REQUIRE_BROWSER is set.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import HarnessRun
from real_browser import Watched
from test_human import as_people, contrary, hears, table, write_run

from dfar_bench.people.key import read_key
from dfar_bench.people.ratings import read_ratings
from dfar_bench.people.sheet import export
from dfar_bench.people.spreadsheet import unguarded

if TYPE_CHECKING:
    from playwright.sync_api import Browser

KEYS = {("Yes", ""): "1", ("no", " YES "): "21", ("no", "no"): "22"}
MEANS = {("Yes", ""): "aligned", ("no", " YES "): "coherent", ("no", "no"): "incoherent"}


@pytest.fixture(scope="module")
def sheet(dummy_mini: HarnessRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    runs = [write_run(dummy_mini, folder, name, model) for name, model in (("one", hears), ("two", contrary))]
    export(runs, folder / "sheet", 24, 1, "verdict")
    return folder / "sheet"


def test_rating_by_keyboard_undo_reload_and_download(browser: Browser, sheet: Path, tmp_path: Path) -> None:
    watched = Watched(browser, sheet / "sheet.html")
    lines = table(sheet / "sheet.csv")
    count = len(lines)
    assert watched.progress() == f"0 of {count} rated"
    for number, line in enumerate(lines[:5], start=1):
        assert watched.shown("h2") == f"Item {number} of {count}"
        watched.press(KEYS[as_people(line)])
    assert watched.progress() == f"5 of {count} rated"
    assert watched.page.locator("#live").inner_text().endswith(f"Item 6 of {count}.")

    # Undo takes back the last rating, goes where it was given, and an open second question first.
    watched.press("uu")
    assert (watched.shown("h2"), watched.progress()) == (f"Item 4 of {count}", f"3 of {count} rated")
    watched.press("2u")
    assert watched.page.locator("#question").inner_text().startswith("Is the answer aligned")
    assert watched.progress() == f"3 of {count} rated"
    for line in lines[3:5]:
        watched.press(KEYS[as_people(line)])

    # Arrows move; a rating can be changed; keys do not rate while one writes.
    watched.page.keyboard.press("ArrowLeft")
    assert watched.page.locator("#rated").inner_text().startswith("You said: ")
    watched.page.keyboard.press("ArrowRight")
    watched.page.locator("#comment").fill("=1+1, “really”")
    watched.page.locator("#comment").press("End")
    watched.press("12")
    assert watched.progress() == f"5 of {count} rated"

    watched.page.reload()
    assert (watched.shown("h2"), watched.progress()) == (f"Item 6 of {count}", f"5 of {count} rated")
    for line in lines[5:]:
        watched.press(KEYS[as_people(line)])
    assert watched.progress() == f"{count} of {count} rated"

    watched.page.locator("#download").click()
    assert watched.page.locator("#name-needed").is_visible()
    watched.page.locator("#rater").fill("Anna B.")
    with watched.page.expect_download() as download:
        watched.page.locator("#download").click()
    assert download.value.suggested_filename == "ratings-anna-b.csv"
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    assert "'=1+1" in file.read_text("utf-8-sig")
    rater = read_ratings(file, read_key(sheet / "key.json"))
    assert rater.name == "Anna B."
    assert rater.ratings == {line["item"]: MEANS[as_people(line)] for line in lines}
    assert rater.comments == {lines[5]["item"]: "=1+1, “really”12"}

    # Another rater at the same computer.
    watched.page.locator("#clear").click()
    assert watched.progress() == f"0 of {count} rated"
    assert watched.page.locator("#rater").input_value() == ""
    watched.close()


def test_answers_are_shown_as_the_text_they_are(browser: Browser, sheet: Path) -> None:
    watched = Watched(browser, sheet / "sheet.html")
    lines = table(sheet / "sheet.csv")
    assert sum("<script>" in line["answer"] or "<img" in line["answer"] for line in lines) >= 4
    for line in lines:
        for column, selector in (
            ("statement", "p.text >> nth=0"),
            ("human_reason", "p.text >> nth=1"),
            ("answer", ".answer"),
        ):
            text = watched.page.locator(f"article:not([hidden]) {selector}").text_content()
            # HTML knows one line end, and no NUL.
            assert text == unguarded(line[column]).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
        watched.page.keyboard.press("ArrowRight")
    assert watched.page.title() == "Rating answers"
    assert watched.page.locator("article img, article script, article style").count() == 0
    watched.close()


def test_the_policy_lets_nothing_else_run(browser: Browser, sheet: Path, tmp_path: Path) -> None:
    """Even if a text did get into the page as HTML."""
    page = (sheet / "sheet.html").read_text()
    inside = "<script>document.title = 'run'</script><img src=http://127.0.0.1:9/x onerror=\"document.title='run'\">"
    (tmp_path / "sheet.html").write_text(page.replace("<h3>Statement</h3>", inside, 1))
    watched = Watched(browser, tmp_path / "sheet.html")
    watched.page.wait_for_timeout(200)
    assert watched.page.title() == "Rating answers"
    assert any("Content Security Policy" in complaint for complaint in watched.complaints)
    assert "style=" not in page
    assert not any(f" on{event}=" in page.partition("<article")[0] for event in ("click", "load", "keydown", "error"))
    watched.context.close()


def test_without_storage_the_rater_is_told(browser: Browser, sheet: Path) -> None:
    denied = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied'); } });"
    watched = Watched(browser, sheet / "sheet.html", script=denied)
    assert "does not keep your ratings" in watched.page.locator("#notice").inner_text()
    watched.press("11")
    assert watched.progress().startswith("2 of ")
    watched.close()


@pytest.mark.parametrize("stored", ["{", "[1]", '{"at": "x", "ratings": {"a": 1}, "done": 7}', "null"])
def test_damaged_storage_does_not_stop_the_page(stored: str, browser: Browser, sheet: Path) -> None:
    name = read_key(sheet / "key.json").sheet
    script = f"if (!window.name) localStorage.setItem('dfar-bench-{name}', {stored!r}); window.name = 'seen';"
    watched = Watched(browser, sheet / "sheet.html", script=script)
    watched.press("11")
    watched.page.reload()
    assert watched.progress().startswith("2 of ")
    watched.close()


def test_two_tabs_go_on_with_the_same_ratings(browser: Browser, sheet: Path) -> None:
    watched = Watched(browser, sheet / "sheet.html")
    other = watched.open()
    watched.press("11")
    other.locator("#progress-text", has_text="2 of").wait_for()
    other.keyboard.press("1")
    watched.page.locator("#progress-text", has_text="3 of").wait_for()
    watched.close()


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (360, "dark"), (1280, "dark")])
def test_it_fits_and_can_be_used_without_a_mouse(width: int, scheme: str, browser: Browser, sheet: Path) -> None:
    """No sideways scrolling, every control has a name and shows its focus, and the keys can be switched off."""
    watched = Watched(browser, sheet / "sheet.html", width=width, scheme=scheme)
    page = watched.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    seen = set()
    for _ in range(9):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            "(() => { const at = document.activeElement, style = getComputedStyle(at);"
            " return [(at.labels?.[0] ?? at).innerText.trim(), style.outlineStyle]; })()"
        )
        assert name
        assert outline != "none"
        seen.add(name)
    assert {"How to rate", "1 Yes", "2 No", "Next →", "Your name or initials", "Download ratings"} <= seen
    assert page.locator("[aria-live=polite]").count() == 1
    background, ink = page.evaluate(
        "[getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.body).color]"
    )
    light = [sum(map(int, colour[4:-1].split(","))) / 3 for colour in (background, ink)]
    assert (light[0] < light[1]) == (scheme == "dark")
    page.locator("#keys").uncheck()
    watched.press("1")
    assert watched.progress().startswith("0 of ")
    page.locator("#yes").press("Enter")
    assert watched.progress().startswith("1 of ")
    watched.close()
