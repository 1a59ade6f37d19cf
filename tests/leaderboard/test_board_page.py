"""The board in a real browser, opened from disk: used as people use it, with nothing asked of the network.

See ``real_browser`` for what it needs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from board_site import HOSTILE, KNOWN
from real_browser import OnSite

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RANKED = "section[data-name=mini] table[data-ranked] >> nth=0"


class OnBoard(OnSite):
    """The board itself."""

    def names(self) -> list[str]:
        headings = self.page.locator(f"{RANKED} >> tbody tr:visible >> th").all()
        return [heading.inner_text().split("\n")[0] for heading in headings]

    def column(self, title: str) -> list[str]:
        headings = self.page.locator(f"{RANKED} >> thead th").all_inner_texts()
        at = next(number for number, text in enumerate(headings, start=1) if text.startswith(title))
        return self.page.locator(f"{RANKED} >> tbody tr:visible >> :nth-child({at})").all_inner_texts()


def index(browser: Browser, site: Path, **options: Any) -> OnBoard:
    """Open the board at mini's tables."""
    watched = OnBoard(browser, site / "index.html", **options)
    watched.page.locator(".tabs button[data-name=mini]").click()
    return watched


def run_page(site: Path, model: str) -> Path:
    (page,) = (site / "runs" / model).glob("*.html")
    return page


def pages(site: Path) -> list[Path]:
    model = "acme__judge-7b"
    others = [site / "models" / f"{model}.html", site / "sources.html"]
    return [site / "index.html", run_page(site, model), site / "compare-mini.html", *others]


def test_sorting(browser: Browser, site: Path) -> None:
    watched = index(browser, site)
    page, default = watched.page, watched.names()
    table = page.locator(RANKED)
    heading = table.locator("th", has_text="Accuracy")
    assert heading.get_attribute("aria-sort") == "descending"
    assert default[0] == "acme/judge-7b-lr"
    mar = table.get_by_role("button", name="MAR ↓", exact=True)
    for reverse, press in ((False, mar.click), (True, lambda: mar.press("Enter"))):
        press()
        column = watched.column("MAR ↓")
        values = [float(text.split()[0]) for text in column if text != "–"]
        assert values == sorted(values, reverse=reverse)
        assert column[-1] == "–"  # what has no value comes last either way
        assert heading.get_attribute("aria-sort") == "none"
    figures = page.locator(".board td.n:has(small)")
    pairs = figures.evaluate_all("(cells) => cells.map((cell) => [valueOf(cell), cell.firstChild.data])")
    assert all(value == float(shown) for value, shown in pairs)  # not joined with the interval's digits
    table.get_by_role("button", name="Model").click()
    assert watched.names() == sorted(default)
    table.get_by_role("button", name="Accuracy").click()
    assert watched.names() == default
    watched.close()


def test_filtering_and_searching(browser: Browser, site: Path) -> None:
    watched = index(browser, site)
    page = watched.page
    count = page.locator("#count")
    assert count.inner_text() == "6 of 6 submissions"
    page.locator("#mode").select_option("l")
    assert set(watched.names()) == {"acme/judge-7b-l", "majority", "random", "constant ethical", "constant unethical"}
    page.locator("#mode").select_option("")
    for text, names in (("ACME  lr", ["acme/judge-7b-lr"]), ("<script>", [])):
        page.locator("#search").fill(text)
        assert watched.names() == names
        assert count.inner_text() == f"{len(names)} of 6 submissions"
    page.locator("#search").fill("")
    assert count.inner_text() == "6 of 6 submissions"
    apart = page.locator("section[data-name=mini] table.board:not([data-ranked])")
    assert apart.locator("tbody th").all_inner_texts() == ["zeta/has-met-them"]
    assert "10 of the 52 test statements" in apart.inner_text()
    watched.close()


def test_two_are_picked_to_be_compared(browser: Browser, site: Path) -> None:
    watched = index(browser, site)
    page = watched.page
    for name in ("acme/judge-7b", "acme/judge-7b-lr"):
        page.locator(RANKED).get_by_label(f"Compare {name}", exact=True).check()
    assert page.locator("#pair-text").inner_text() == "acme/judge-7b-lr and acme/judge-7b"  # in the table's order
    assert page.locator(".pick input:enabled").count() == 2
    page.locator("#pair-link").click()
    page.locator("#caption", has_text="A: acme/judge-7b-lr · B: acme/judge-7b · 52 rows").wait_for()
    watched.close()


def test_models_of_two_kinds_in_one_table(browser: Browser, two_kinds_site: Path) -> None:
    """With the prompt of each, and a MAR adjusted where the judge's errors are known."""
    watched = index(browser, two_kinds_site)
    page, names = watched.page, watched.names()
    prompts = dict(zip(names, watched.column("Prompt"), strict=True))
    assert {name: prompts[name] for name in prompts if "/" in name} == {
        "acme/base": "llama2.v1",
        "acme/chat": "chat.v1",
    }
    adjusted = {name: "→" in cell for name, cell in zip(names, watched.column("MAR ↓"), strict=True)}
    assert [name for name in adjusted if adjusted[name]] == ["acme/chat"]
    assert str(KNOWN)[1:] in page.locator("section[data-name=mini]").inner_text()
    watched.close()


def test_it_follows_the_systems_colours(browser: Browser, site: Path) -> None:
    for scheme, dark in (("light", False), ("dark", True)):
        watched = OnSite(browser, site / "index.html", scheme=scheme)
        colour = watched.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", colour)[:3])) < 300) == dark
        watched.close()


@pytest.mark.parametrize("width", [320, 768])
def test_it_fits_a_phone(width: int, browser: Browser, site: Path) -> None:
    """The page itself never scrolls sideways; a table does, with the model's name in sight."""
    for file in pages(site):
        watched = OnSite(browser, file, width=width)
        assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), file.name
        if file.name == "index.html":
            watched.page.locator(".scroll:visible").first.evaluate("(box) => { box.scrollLeft = 400; }")
            box = watched.page.locator("table[data-ranked] >> nth=0 >> tbody th").first.bounding_box()
            assert box is not None
            assert 0 <= box["x"] < 40
        watched.close()


def test_with_keyboard_and_screen_reader(browser: Browser, site: Path) -> None:
    """Whatever can be pressed is a real control with a name, and shows that it has the focus."""
    for file in pages(site):
        watched = OnSite(browser, file)
        page = watched.page
        for _ in range(25):
            page.keyboard.press("Tab")
            name, outline = page.evaluate(
                "(() => { const at = document.activeElement;"
                " return [(at.getAttribute('aria-label') || at.labels?.[0]?.innerText || at.innerText || '').trim(),"
                " at === document.body ? 'body' : getComputedStyle(at).outlineStyle]; })()"
            )
            if outline == "body":
                break
            assert name
            assert outline != "none"
        assert page.locator("table:not(:has(caption))").count() == 0
        assert page.locator("h1").count() == 1
        watched.close()


def test_hostile_texts_are_text(browser: Browser, hostile_site: Path) -> None:
    """Even if the checks of submissions had accepted everything."""
    files = sorted(hostile_site.rglob("*.html"))
    places = ("runs", "answers", "models")
    assert [len([file for file in files if name in file.parts]) for name in places] == [6, 10, 6]
    assert len(files) == 3 + 6 + 10 + 6
    for file in files:
        watched = OnSite(browser, file)
        page = watched.page
        if file.name.startswith("compare-"):
            page.locator("#count", has_text="52 of 52 rows").wait_for()
        assert "run" not in page.title().split(" · ")[-1]
        assert page.locator("img, iframe, object, embed, main script, main style").count() == 0
        names = page.evaluate("[...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames())")
        assert not [name for name in names if name.startswith("on") or name == "style"]
        assert not page.locator("a[href^='javascript:']").count()
        if file.name == "index.html":
            shown = page.locator("main").inner_text().replace("\u2028", " ")
            assert "".join(HOSTILE)[:60] in shown
            assert "{{ 7 * 7 }}" in shown
        watched.close()


def test_the_policy_lets_nothing_else_run(browser: Browser, site: Path, tmp_path: Path) -> None:
    """Even if a text did get into a page as HTML."""
    inside = (
        "<script>document.title = 'run'</script><img src=http://127.0.0.1:9/x onerror=\"document.title='run'\">"
        "<p style='color: red' id=styled>x</p><script src='https://example.org/x.js'></script>"
    )
    for file in pages(site):
        (tmp_path / file.name).write_text(file.read_text().replace("<h1", f"{inside}<h1", 1))
        watched = OnSite(browser, tmp_path / file.name)
        assert watched.page.evaluate("fetch('results.json').then(() => 'sent', () => 'refused')") == "refused"
        assert "run" not in watched.page.title().split(" · ")
        assert watched.page.locator("#styled").evaluate("(one) => getComputedStyle(one).color") != "rgb(255, 0, 0)"
        blocked = [complaint for complaint in watched.complaints if "Content Security Policy" in complaint]
        assert len(blocked) >= 4
        watched.context.close()
