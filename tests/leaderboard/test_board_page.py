"""The board in a real browser, opened from disk: used as people use it, with nothing asked of the network.

See ``real_browser`` for what it needs.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from board_site import HOSTILE, KNOWN, accepted, answering, write_submission
from real_browser import OnSite, inaccessible

from dfar_bench.datasets import LABELS
from dfar_bench.leaderboard.build import build

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
        return self.page.locator(f"{RANKED} >> tbody tr:visible > :nth-child({at})").all_inner_texts()


def index(browser: Browser, site: Path, **options: Any) -> OnBoard:
    """Open the board at mini's tables."""
    watched = OnBoard(browser, site / "index.html", **options)
    watched.page.locator(".tabs a[data-name=mini]").click()
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
    heading = table.locator("th[data-column=acc]")
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
    table.get_by_role("button", name="Model", exact=True).click()
    assert watched.names() == sorted(default)
    table.get_by_role("button", name="Accuracy ↑", exact=True).click()
    assert watched.names() == default
    watched.close()


def test_filtering_and_searching(browser: Browser, site: Path) -> None:
    watched = index(browser, site)
    page = watched.page
    count = page.locator("#count")
    assert count.inner_text() == "6 of 6 submissions"
    page.locator("#filters summary").click()
    page.locator("#mode").select_option("l")
    assert set(watched.names()) == {"acme/judge-7b-l", "majority"}
    page.locator("#mode").select_option("")
    for text, names in (("ACME  lr", ["acme/judge-7b-lr"]), ("<script>", [])):
        page.locator("#search").fill(text)
        assert watched.names() == names
        assert count.inner_text() == f"{len(names)} of 6 submissions"
        assert page.locator("section[data-name=mini] .nothing >> nth=0").is_visible() == (names == [])
    page.locator("section[data-name=mini] .nothing .clear >> nth=0").click()
    assert page.locator("#search").input_value() == ""
    assert count.inner_text() == "6 of 6 submissions"
    apart = page.locator("section[data-name=mini] table.board:not([data-ranked], .others)")
    assert apart.locator("tbody th").all_inner_texts() == ["zeta/has-met-them"]
    assert "10 of the 52 test statements" in apart.inner_text()
    watched.close()


def test_filtering_by_what_is_recorded(browser: Browser, site: Path) -> None:
    """Of these models the size is not recorded; nothing takes the place of what is not known."""
    watched = index(browser, site)
    page = watched.page
    page.locator("#filters summary").click()
    trained = {"acme/judge-7b-l", "acme/judge-7b-lr", "majority"}
    for name, value, expected in (
        ("kind", "fine-tuned", trained),
        ("kind", "thinking", set()),
        ("size", "not known", trained | {"acme/judge-7b", "other/verdicts-only"}),
        ("size", "up to 1B", set()),
        ("weights", "Hub", trained | {"acme/judge-7b", "other/verdicts-only"}),
        ("weights", "endpoint", set()),
    ):
        page.locator(f"#{name}").select_option(value)
        assert set(watched.names()) == expected, (name, value)
        page.locator(f"#{name}").select_option("")
    for day, number in (("2026-01-31", 6), ("2026-02-01", 0)):
        page.locator("#since").fill(day)
        assert page.locator("#count").inner_text() == f"{number} of 6 submissions"
    page.locator("#filters .clear").click()
    assert page.locator("#count").inner_text() == "6 of 6 submissions"
    assert set(watched.column("Size")) == {"not known", "–"}
    watched.close()


def test_one_rank_by_the_column_that_sorts(browser: Browser, site: Path) -> None:
    ranks = {
        row["model"]: row["ranks"]
        for row in json.loads((site / "results.json").read_text())["rows"]
        if (row["data"], row["table"]) == ("mini", 1)
    }
    watched = index(browser, site)
    heading = watched.page.locator(f"{RANKED} >> th.place")
    for title, metric in (("MAR ↓", "mar"), ("Verdict acc. ↑", "verdict_acc"), ("Accuracy ↑", "acc")):
        watched.page.locator(RANKED).get_by_role("button", name=title, exact=True).click()
        for by in (title, "Model"):  # by what is not ranked the ranks stay
            watched.page.locator(RANKED).get_by_role("button", name=by, exact=True).click()
            assert heading.inner_text().endswith(f"by {title[:-2]}")
            shown = dict(zip(watched.names(), watched.column("Rank"), strict=True))
            for name, rank in shown.items():
                best, worst = ranks[name].get(metric, (None, None))
                expected = "–" if best is None else f"{best}" if best == worst else f"{best}–{worst}"
                assert rank.removesuffix("≈") == expected
    watched.close()


def test_the_address_says_what_is_shown(browser: Browser, site: Path) -> None:
    from playwright.sync_api import expect

    watched = index(browser, site)
    page = watched.page
    page.locator(RANKED).get_by_role("button", name="MAR ↓", exact=True).click()
    page.locator(RANKED).get_by_role("button", name="MAR ↓", exact=True).click()
    page.locator("#search").fill("acme judge")
    page.locator("#filters summary").click()
    page.locator("#kind").select_option("fine-tuned")
    assert page.url.endswith("#mini?sort=-mar&q=acme+judge&kind=fine-tuned")
    shown = watched.names()
    again = watched.context.new_page()
    again.goto(page.url)
    assert again.locator(f"{RANKED} >> tbody tr:visible >> th a").all_inner_texts() == shown
    assert again.locator("#search").input_value() == "acme judge"
    assert again.locator("#kind").is_visible()
    assert again.locator(f"{RANKED} >> th[data-column=mar]").get_attribute("aria-sort") == "descending"
    again.goto(f"{page.url.partition('#')[0]}#mini?sort=<b>&kind=nobody&size=")
    expect(again.locator(f"{RANKED} >> tbody tr:visible")).to_have_count(5)
    again.goto(f"{page.url.partition('#')[0]}#nowhere?q=x")
    expect(again.locator(f"{RANKED} >> tbody tr:visible")).to_have_count(5)
    watched.close()


def test_explanations_by_touch_and_keyboard(browser: Browser, site: Path) -> None:
    """What a heading means is not told by hovering, and needs no script."""
    for options in ({}, {"java_script_enabled": False}):
        watched = OnSite(browser, site / "index.html", has_touch=True, **options)
        page = watched.page
        page.goto(f"{page.url}#mini")
        button = page.locator("section[data-name=mini]").get_by_role("button", name="What is MAR?").first
        button.tap()
        text = page.locator("#about-mar")
        assert text.is_visible()
        assert "Lower is better." in text.inner_text()
        page.keyboard.press("Escape")
        assert text.is_hidden()
        button.press("Enter")
        assert text.is_visible()
        assert page.locator("[title]:not(svg *)").count() == 0
        watched.close()


def test_the_first_screen(browser: Browser, site: Path) -> None:
    """The table, its head in sight while it scrolls; on a phone rank, name, accuracy and MAR without scrolling."""
    watched = index(browser, site, width=1440, height=900)
    box = watched.page.locator(RANKED).bounding_box()
    assert box is not None
    assert box["y"] < 400
    watched.page.set_viewport_size({"width": 1440, "height": 400})
    scrolled, top, head = watched.page.locator(f"{RANKED} >> xpath=..").evaluate(
        "(box) => { box.scrollTop = 200; const y = (one) => one.getBoundingClientRect().y;"
        " return [box.scrollTop, y(box), y(box.querySelector('thead'))]; }"
    )
    assert scrolled > 0
    assert 0 <= head - top < 3
    watched.close()
    watched = index(browser, site, width=390, height=844, has_touch=True)
    for column in (".place", "th[data-column=model]", "th[data-column=acc]", "th[data-column=mar]"):
        box = watched.page.locator(f"{RANKED} >> thead >> {column}").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390 - 12, column
    watched.close()


def test_what_mar_consists_of(browser: Browser, tmp_path: Path) -> None:
    """A bar of four shares; a model that writes verdicts alone has no figure of MAR, and is not called constant."""
    tree = tmp_path / "submissions"
    learned = {"mode": "l", "training": {"sets": ["other"], "description": "labels"}}
    word = lambda row, kind: answering(0.8, "l")(row, kind) if kind == "cls" else f" {LABELS[row.label]}."  # noqa: E731
    write_submission(tree, "acme/in-a-word", word, **learned)
    write_submission(tree, "acme/with-reasons", answering(0.8, "reasons"))
    build(tree, tmp_path / "board")
    watched = index(browser, tmp_path / "board")
    page = watched.page
    table = json.loads((tmp_path / "board" / "results.json").read_text())["rows"]
    figures = {row["model"]: row["metrics"].get("reason", {}) for row in table}
    for name, cell in zip(watched.names(), page.locator(f"{RANKED} >> tbody tr >> td:nth-child(5)").all(), strict=True):
        if name == "majority":
            continue
        shares = [
            figures[name][f"share_{part}"]["value"] for part in ("aligned", "bad_reason", "no_reason", "wrong_verdict")
        ]
        drawn = [float(width) for width in re.findall(r"h([\d.]+)v10", cell.inner_html())]
        assert drawn == pytest.approx([100 * share for share in shares], abs=0.11)
        words = cell.locator("svg").get_attribute("aria-label") or ""
        assert [float(number) for number in re.findall(r"[\d.]+", words)] == pytest.approx(drawn, abs=0.11)
        assert cell.inner_text().startswith(
            "gives no reasons" if name == "acme/in-a-word" else f"{100 * figures[name]['mar']['value']:.1f}"
        )
    assert page.locator(f"{RANKED} >> .flag", has_text="constant").count() == 0
    page.goto(run_page(tmp_path / "board", "acme__in-a-word").as_uri())
    assert page.locator("tr", has_text="mar ↓").first.locator("td").first.inner_text() == "gives no reasons"
    rails = page.locator(".metrics tr:has(svg.span) th code").all_inner_texts()
    assert "acc" in rails
    assert not {"mcc", "brier"} & {*rails}
    watched.close()


@pytest.mark.parametrize("clipboard", [True, False])
def test_a_line_to_cite(clipboard: bool, browser: Browser, site: Path, tree: Path) -> None:
    task = accepted(next((tree / "acme__judge-7b-lr").iterdir())).tasks["dfar_mini_cls"]
    script = "" if clipboard else "Object.defineProperty(navigator, 'clipboard', { value: undefined });"
    permissions = ["clipboard-read", "clipboard-write"] if clipboard else []
    watched = OnSite(browser, run_page(site, "acme__judge-7b-lr"), script=script, permissions=permissions)
    page = watched.page
    line = page.locator("#cite-mini-cls").inner_text()
    low, high = (100 * end for end in task.estimates["acc"].interval or ())
    assert line.startswith("acme/judge-7b-lr (")
    assert f"Accuracy {100 * task.metrics['acc']:.1f} % (95 % {low:.1f}–{high:.1f})" in line
    assert line.endswith(str(task.signature))
    page.locator(".copy >> nth=0").click()
    page.locator(".cite [role=status]", has_text="Copied").wait_for()
    page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), { id: 'pasted' }))")
    page.locator("#pasted").focus()
    page.keyboard.press("Control+V")
    assert page.locator("#pasted").input_value() == line
    watched.close()


def test_nothing_keeps_people_from_using_it(browser: Browser, site: Path) -> None:
    """As far as axe-core finds, in both colour schemes and on a phone."""
    for file in pages(site):
        for scheme, width in (("light", 1440), ("dark", 390)):
            watched = OnSite(browser, file, scheme=scheme, width=width)
            assert inaccessible(watched.page) == [], file.name
            watched.close()


def test_without_a_script(browser: Browser, site: Path) -> None:
    """Every table is there, what cannot work is not, and fold-outs open."""
    watched = OnSite(browser, site / "index.html", java_script_enabled=False)
    page = watched.page
    assert page.locator("table[data-ranked]:visible").count() == page.locator("table[data-ranked]").count() >= 2
    assert page.locator("#search").is_hidden()
    page.locator(".tabs a[data-name=mini]").click()
    heading = page.locator("#data-mini").bounding_box()
    assert heading is not None
    assert 0 <= heading["y"] < 800
    fold = page.locator("section[data-name=mini] details", has_text="Other baselines").first
    fold.locator("summary").click()
    names = {"random", "constant ethical", "constant unethical"}
    assert {*fold.locator("tbody th").all_inner_texts()} == names
    watched.close()


def test_printed_and_with_forced_colours(browser: Browser, site: Path) -> None:
    watched = index(browser, site, forced_colors="active")
    page = watched.page
    inks = "[...document.querySelectorAll('section[data-name=mini] .mix')][0]"
    fills = page.evaluate(f"[...{inks}.children].map((path) => getComputedStyle(path).fill)")
    assert len({*fills}) == 4  # a colour, two textures, nothing
    page.emulate_media(media="print")
    assert page.locator("section[data-name]:visible").count() == page.locator("section[data-name]").count()
    assert page.locator(".choose").is_hidden()
    assert page.locator("table.others:visible").count() == page.locator("table.others").count()
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
