"""The board in a real browser, opened from disk: used as people use it, with nothing asked of the network.

See ``real_browser`` for what it needs.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from real_browser import Watched
from test_board import HOSTILE, cache, hostile_site, site, tree

from dfar_bench.compare import mcnemar, paired_differences
from dfar_bench.data import rows
from dfar_bench.leaderboard.result import Verified
from dfar_bench.leaderboard.verify import verified
from dfar_bench.metrics import METRICS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["cache", "hostile_site", "site", "tree"]  # fixtures

RANKED = "table[data-ranked] >> nth=0"


class OnSite(Watched):
    """A page of the site, from which one may go to its other pages."""

    def close(self) -> None:
        folder = next(parent for parent in self.file.parents if (parent / "index.html").exists()).as_uri()
        assert all(url.startswith((f"{folder}/", "blob:")) for url in self.requests)
        assert self.complaints == []
        self.context.close()

    def names(self, table: str = RANKED) -> list[str]:
        found = self.page.locator(f"{table} >> tbody tr:visible >> th").all()
        return [one.inner_text().split("\n")[0] for one in found]

    def column(self, heading: str) -> list[str]:
        cells = self.page.locator(f"{RANKED} >> thead th").all_inner_texts()
        at = next(number for number, text in enumerate(cells, start=1) if text.startswith(heading))
        return self.page.locator(f"{RANKED} >> tbody tr:visible >> :nth-child({at})").all_inner_texts()


def run_page(site: Path, model: str) -> Path:
    (page,) = (site / "runs" / model).glob("*.html")
    return page


def test_sorting(browser: Browser, site: Path) -> None:
    watched = OnSite(browser, site / "index.html")
    page = watched.page
    default = watched.names()
    table = page.locator(RANKED)
    heading = table.locator("th", has_text="Accuracy")
    assert heading.get_attribute("aria-sort") == "descending"
    assert default[0] == "acme/judge-7b-lr"

    table.get_by_role("button", name="MAR ↓", exact=True).click()
    assert heading.get_attribute("aria-sort") == "none"
    assert table.locator("th[aria-sort=ascending]").inner_text().startswith("MAR")
    values = [float(text.split()[0]) for text in watched.column("MAR ↓") if text != "–"]
    assert values == sorted(values)
    assert watched.column("MAR ↓")[-1] == "–"  # what has no value comes last either way
    table.get_by_role("button", name="MAR ↓", exact=True).press("Enter")
    values = [float(text.split()[0]) for text in watched.column("MAR ↓") if text != "–"]
    assert values == sorted(values, reverse=True)
    assert watched.column("MAR ↓")[-1] == "–"

    table.get_by_role("button", name="Model").click()
    assert watched.names() == sorted(default)
    table.get_by_role("button", name="Accuracy").click()
    assert watched.names() == default
    watched.close()


def test_filtering_and_searching(browser: Browser, site: Path) -> None:
    watched = OnSite(browser, site / "index.html")
    page = watched.page
    nulls = {"majority", "random", "constant ethical", "constant unethical"}
    assert page.locator("#count").inner_text() == "6 of 6 submissions"
    page.locator("#mode").select_option("l")
    assert set(watched.names()) == {"acme/judge-7b-l"} | nulls
    page.locator("#mode").select_option("")
    page.locator("#search").fill("ACME  lr")
    assert watched.names() == ["acme/judge-7b-lr"]
    assert page.locator("#count").inner_text() == "1 of 6 submissions"
    page.locator("#search").fill("<script>")
    assert watched.names() == []
    page.locator("#search").fill("")
    assert page.locator("#count").inner_text() == "6 of 6 submissions"
    apart = page.locator("table.board:not([data-ranked])")
    assert apart.locator("tbody th").all_inner_texts() == ["zeta/has-met-them"]
    assert "10 of the 52 test statements" in apart.inner_text()
    watched.close()


def test_a_submission_and_its_rows(browser: Browser, site: Path, tree: Path) -> None:
    (folder,) = (tree / "acme__judge-7b").glob("*")
    one = verified(folder)
    assert isinstance(one, Verified)
    outcomes = one.tasks["dfar_mini_reason"].outcomes
    watched = OnSite(browser, site / "index.html")
    page = watched.page
    page.get_by_role("link", name="acme/judge-7b", exact=True).first.click()
    page.locator("#count", has_text="52 of 52 rows").wait_for()
    assert page.locator("h1").inner_text() == "acme/judge-7b"

    # Every response stands there as the text that it is.
    seen: list[str] = []
    while True:
        seen += page.locator("#rows .response").all_text_contents()
        if page.locator("#next").is_disabled():
            break
        page.locator("#next").click()
    assert seen == [str(outcome.answer).strip() for outcome in outcomes]
    assert page.locator("#page").inner_text() == "page 3 of 3"
    assert sum("<script>" in text or "<img" in text for text in seen) >= 4

    for code, count in one.tasks["dfar_mini_reason"].codes.items():
        page.locator("#code").select_option(code)
        assert page.locator("#count").inner_text() == f"{count} of 52 rows"
        assert set(page.locator("#rows .code").all_inner_texts()) == {code.replace("_", " ")}
    page.locator("#code").select_option("")
    page.locator("#right").select_option("0")
    assert page.locator("#count").inner_text() == f"{sum(not outcome.correct for outcome in outcomes)} of 52 rows"
    page.locator("#search").fill("7 * 7")
    wanted = sum(not outcome.correct and "7 * 7" in str(outcome.answer) for outcome in outcomes)
    assert page.locator("#count").inner_text() == f"{wanted} of 52 rows"
    assert page.title() == "acme/judge-7b · dfar-bench"
    watched.close()


def test_the_viewers_own_data(browser: Browser, site: Path, tmp_path: Path) -> None:
    """Statements are shown only after the viewer has chosen a file, and nothing of it leaves the page."""
    watched = OnSite(browser, run_page(site, "acme__judge-7b-l"))
    page = watched.page
    page.locator("#count", has_text="rows").wait_for()
    assert page.locator(".statement").count() == 0
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    page.locator("#data").set_input_files(tmp_path / "notes.csv")
    page.locator("#loaded", has_text="none of the published files").wait_for()
    test = rows("mini")["test"]
    lines = [
        {"split": "test", "statement": f"<b>{row.statement}", "label": row.label, "reason": row.reason} for row in test
    ]
    (tmp_path / "mini.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    page.locator("#data").set_input_files(tmp_path / "mini.jsonl")
    page.locator(".statement").first.wait_for()
    assert page.locator(".statement").all_text_contents() == [f"<b>{row.statement}" for row in test[:25]]
    assert page.locator(".human").first.inner_text().endswith(test[0].reason)
    watched.close()


def test_csv_as_it_was_published(browser: Browser, site: Path) -> None:
    """Quoted cells with separators, quotes and line ends; a byte order mark; the number of rows tells the part."""
    watched = OnSite(browser, run_page(site, "acme__judge-7b-l"))
    found = watched.page.evaluate(
        """() => {
            read('Statement,Label,Reason\\r\\n"a, ""b""\\r\\nc",1,d\\r\\n e,0,\\r\\n');
            read('comment;isHate\\n"x;y";0.5\\nz;0.1\\n');
            return [loaded["paper test:0"], loaded["paper test:1"], loaded["ethos test:0"], loaded["ethos test:1"]];
        }"""
    )
    assert found == [['a, "b"\r\nc', 1, "d"], [" e", 0, ""], ["x;y", 1, ""], ["z", 0, ""]]
    watched.close()


def per_cent(text: str) -> float:
    return float(text.replace("−", "-")) / 100


def test_comparing_gives_what_the_command_gives(browser: Browser, site: Path, tree: Path) -> None:
    watched = OnSite(browser, site / "index.html")
    page = watched.page
    pair = []
    for name in ("acme/judge-7b", "acme/judge-7b-lr"):
        page.locator(RANKED).get_by_label(f"Compare {name}", exact=True).check()
        one = verified(next((tree / name.replace("/", "__")).iterdir()))
        assert isinstance(one, Verified)
        pair.append(one)
    assert page.locator("#pair-text").inner_text() == "acme/judge-7b-lr and acme/judge-7b"  # as they stand
    assert page.locator(".pick input:enabled").count() == 2
    page.locator("#pair-link").click()
    page.locator("#swap").click()
    assert page.locator("caption").inner_text().startswith("A: acme/judge-7b · B: acme/judge-7b-lr · 52 rows in 13")
    for kind, metrics in METRICS.items():
        answers = [one.tasks[f"dfar_mini_{kind}"].answers for one in pair]
        expected = paired_differences(metrics, *answers)
        for name in ("acc", "group_acc", "mar", "mar_self", "verdict_acc"):
            if name in expected:
                cells = page.locator(f"tr[data-metric={name}] td").all_inner_texts()
                wanted = expected[name]
                assert wanted.interval is not None
                shown = [per_cent(cell) for cell in (*cells[:3], *cells[3].split(" to "))]
                exact = (wanted.first, wanted.second, wanted.difference)
                assert shown[:3] == pytest.approx(exact, abs=6e-4)
                # Of 13 groups the ends move in steps; another draw may take the next one.
                assert shown[3:] == pytest.approx(wanted.interval, abs=0.025)
                assert wanted.p_value is not None
                assert (0.0 if "<" in cells[4] else float(cells[4])) == pytest.approx(
                    wanted.p_value, abs=0.004 + 0.1 * wanted.p_value
                )
    exact = mcnemar(*([answer.correct for answer in one.tasks["dfar_mini_cls"].answers] for one in pair))
    said = page.locator("#mcnemar").inner_text()
    assert f"in A alone: {exact.only_first}, in B alone: {exact.only_second}." in said
    shown_p = re.search(r"p (?:< )?([\d.]+)\.$", said)
    assert shown_p
    assert float(shown_p[1]) == pytest.approx(exact.p_value, abs=5.1e-4)
    # The address says which two, and can be passed on.
    again = watched.context.new_page()
    again.goto(page.url)
    assert again.locator("caption").inner_text() == page.locator("caption").inner_text()
    assert again.locator("table").inner_text() == page.locator("table").inner_text()
    watched.close()


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (3, 9), (40, 61), (250, 250), (0, 998), (200, 300)])
def test_mcnemar_in_the_page(only_a: int, only_b: int, browser: Browser, site: Path) -> None:
    watched = OnSite(browser, site / "compare-mini.html")
    script = """([a, b]) => {
        const one = Array(a + b).fill(0).map((_, at) => at < a), saved = bits;
        bits = (text) => text === "a" ? one : one.map((right) => !right);
        const found = mcnemar({ bits: { acc: "a" } }, { bits: { acc: "b" } });
        bits = saved;
        return found.p;
    }"""
    found = watched.page.evaluate(script, [only_a, only_b])
    exact = mcnemar([True] * only_a + [False] * only_b, [False] * only_a + [True] * only_b)
    assert found == pytest.approx(exact.p_value, rel=1e-9, abs=1e-300)
    watched.close()


def test_comparing_what_was_asked_otherwise_says_so(browser: Browser, site: Path) -> None:
    watched = OnSite(browser, site / "compare-mini.html")
    page = watched.page
    labels = page.locator("#b option").all_inner_texts()
    label = next(text for text in labels if text.startswith("other/asked-for-little"))
    page.locator("#b").select_option(label=label)
    notice = page.locator("#notice").inner_text()
    assert "The signatures differ in reason max_gen_toks (192 and 64)" in notice
    page.locator("#a").select_option(label="majority (null model)")
    page.locator("#b").select_option(label="constant ethical (null model)")
    assert page.locator("#notice").inner_text() == "The two have no task in common."
    assert page.locator("#mcnemar").inner_text() == ""
    watched.close()


def grounds(page: Any) -> tuple[bool, str]:
    """Whether the page is dark, and what the switch offers."""
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3])) < 300, page.locator("#theme").inner_text()


def test_dark_and_light_are_remembered(browser: Browser, site: Path) -> None:
    watched = OnSite(browser, site / "index.html")
    page = watched.page
    assert grounds(page) == (False, "Dark")
    page.locator("#theme").click()
    assert grounds(page) == (True, "Light")
    page.goto((site / "compare-mini.html").as_uri())
    assert grounds(page) == (True, "Light")
    page.locator("#theme").click()
    page.reload()
    assert grounds(page) == (False, "Dark")
    watched.close()
    watched = OnSite(browser, site / "index.html", scheme="dark")
    assert grounds(watched.page) == (True, "Light")
    watched.close()


def test_without_storage(browser: Browser, site: Path) -> None:
    denied = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied'); } });"
    watched = OnSite(browser, site / "index.html", script=denied)
    watched.page.locator("#theme").click()
    assert grounds(watched.page) == (True, "Light")
    watched.close()


@pytest.mark.parametrize("width", [320, 360, 768])
def test_it_fits_a_phone(width: int, browser: Browser, site: Path) -> None:
    """The page itself never scrolls sideways; a table does, with the model's name in sight."""
    for file in (site / "index.html", run_page(site, "acme__judge-7b"), site / "compare-mini.html"):
        watched = OnSite(browser, file, width=width)
        page = watched.page
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), file.name
        if file.name == "index.html":
            page.locator(".scroll").first.evaluate("(box) => { box.scrollLeft = 400; }")
            left = page.locator(f"{RANKED} >> tbody th").first.bounding_box()
            assert left is not None
            assert 0 <= left["x"] < 40
        watched.close()


def test_with_keyboard_and_screen_reader(browser: Browser, site: Path) -> None:
    """Whatever can be pressed is a real control with a name, and shows that it has the focus."""
    for file in (site / "index.html", run_page(site, "acme__judge-7b"), site / "compare-mini.html"):
        watched = OnSite(browser, file)
        page = watched.page
        page.wait_for_load_state()
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
    """Even if the checks of submissions had let all through."""
    files = sorted(hostile_site.rglob("*.html"))
    assert len(files) == 8
    for file in files:
        watched = OnSite(browser, file)
        page = watched.page
        page.wait_for_timeout(100)
        assert "run" not in page.title().split(" · ")[-1]
        assert page.locator("img, iframe, object, embed, main script, main style").count() == 0
        names = page.evaluate("[...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames())")
        assert not [name for name in names if name.startswith("on") or name == "style"]
        assert not page.locator("a[href^='javascript:']").count()
        watched.close()
    text = "".join(HOSTILE).replace("\u2028", " ")
    watched = OnSite(browser, hostile_site / "index.html")
    shown = watched.page.locator("main").inner_text().replace("\u2028", " ")
    assert text[:60] in shown
    assert "{{ 7 * 7 }}" in shown
    watched.close()


def test_the_policy_lets_nothing_else_run(browser: Browser, site: Path, tmp_path: Path) -> None:
    """Even if a text did get into a page as HTML."""
    inside = (
        "<script>document.title = 'run'</script><img src=http://127.0.0.1:9/x onerror=\"document.title='run'\">"
        "<p style='color: red' id=styled>x</p><script src='https://example.org/x.js'></script>"
    )
    for file in (site / "index.html", run_page(site, "acme__judge-7b"), site / "compare-mini.html"):
        (tmp_path / file.name).write_text(file.read_text().replace("<h1", f"{inside}<h1", 1))
        watched = OnSite(browser, tmp_path / file.name)
        watched.page.wait_for_timeout(100)
        assert "run" not in watched.page.title().split(" · ")
        assert watched.page.locator("#styled").evaluate("(one) => getComputedStyle(one).color") != "rgb(255, 0, 0)"
        blocked = [complaint for complaint in watched.complaints if "Content Security Policy" in complaint]
        assert len(blocked) >= 4
        assert watched.page.evaluate("fetch('results.json').then(() => 'sent', () => 'refused')") == "refused"
        watched.context.close()
