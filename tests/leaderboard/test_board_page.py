"""The board in a real browser, opened from disk: used as people use it, with nothing asked of the network.

See ``real_browser`` for what it needs.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from board_site import HOSTILE, accepted, answering, write_submission
from real_browser import Watched, inaccessible

from dfar_bench.cli.main import main
from dfar_bench.cli.options import FINE
from dfar_bench.datasets import LABELS, get_dataset, read_published, rows
from dfar_bench.judges.validation.rates import ErrorRates, error_rates
from dfar_bench.leaderboard.build import build
from dfar_bench.scoring import Argument, Output

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RANKED = "section[data-name=mini] table[data-ranked] >> nth=0"
OURS = "dfar-bench__gemma-3-270m-lr"


class OnSite(Watched):
    """A page of the site, from which one may go to its other pages."""

    def close(self) -> None:
        folder = next(parent for parent in self.file.parents if (parent / "index.html").exists()).as_uri()
        assert all(url.startswith((f"{folder}/", "blob:")) for url in self.requests)
        assert self.complaints == []
        self.context.close()

    def names(self) -> list[str]:
        headings = self.page.locator(f"{RANKED} >> tbody tr:visible >> th").all()
        return [heading.inner_text().split("\n")[0] for heading in headings]

    def column(self, title: str) -> list[str]:
        headings = self.page.locator(f"{RANKED} >> thead th").all_inner_texts()
        at = next(number for number, text in enumerate(headings, start=1) if text.startswith(title))
        return self.page.locator(f"{RANKED} >> tbody tr:visible > :nth-child({at})").all_inner_texts()


def index(browser: Browser, site: Path, **options: Any) -> OnSite:
    """Open the board at mini's tables."""
    watched = OnSite(browser, site / "index.html", **options)
    watched.page.locator(".tabs a[data-name=mini]").click()
    return watched


def run_page(site: Path, model: str) -> Path:
    (page,) = (site / "runs" / model).glob("*.html")
    return page


def pages(site: Path) -> list[Path]:
    return [site / "index.html", run_page(site, "acme__judge-7b"), site / "compare-mini.html"]


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
    assert len(again.locator(f"{RANKED} >> tbody tr:visible").all()) == 5
    again.goto(f"{page.url.partition('#')[0]}#nowhere?q=x")
    assert again.locator(f"{RANKED} >> tbody tr:visible").count() == 5
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
    page.locator("#search").focus()
    page.keyboard.press("Control+V")
    assert page.locator("#search").input_value() == line
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


def test_a_submission_and_its_rows(browser: Browser, site: Path, tree: Path) -> None:
    task = accepted(next((tree / "acme__judge-7b").iterdir())).tasks["dfar_mini_reason"]
    answers = [answer for answer in task.answers if isinstance(answer, Argument)]
    watched = index(browser, site)
    page = watched.page
    page.locator(RANKED).get_by_role("link", name="acme/judge-7b", exact=True).click()
    count = page.locator("#count")
    page.locator("#count", has_text="52 of 52 rows").wait_for()
    assert page.locator("h1").inner_text() == "acme/judge-7b"

    # Every response is there as the text that it is; the statements too, as mini may be published.
    seen: list[str] = []
    statements: list[str] = []
    while True:
        seen += page.locator("#rows .response").all_text_contents()
        statements += page.locator("#rows .statement").all_text_contents()
        if page.locator("#next").is_disabled():
            break
        page.locator("#next").click()
    assert seen == [answer.case.response for answer in answers]
    assert statements == [answer.row.statement for answer in answers]
    assert page.locator("#page").inner_text() == "page 3 of 3"
    assert sum("<script>" in text or "<img" in text for text in seen) >= 4

    for code, number in task.codes.items():
        page.locator("#code").select_option(code)
        assert count.inner_text() == f"{number} of 52 rows"
        assert set(page.locator("#rows .code").all_inner_texts()) == {code.replace("_", " ")}
    page.locator("#code").select_option("")
    page.locator("#right").select_option("0")
    wrong = [answer for answer in answers if answer.credit < 1]
    assert count.inner_text() == f"{len(wrong)} of 52 rows"
    page.locator("#search").fill("7 * 7")
    assert count.inner_text() == f"{sum('7 * 7' in answer.case.response for answer in wrong)} of 52 rows"
    assert page.title() == "acme/judge-7b · dfar-bench"
    watched.close()


@pytest.mark.usefixtures("paper")
def test_the_readers_own_copy_of_the_data(browser: Browser, site: Path, tree: Path, tmp_path: Path) -> None:
    """Statements, and what answers quote of them, are shown only from a file that the reader chooses."""
    task = accepted(next((tree / OURS).iterdir())).tasks["dfar_reason"]
    answers = [answer for answer in task.answers if isinstance(answer, Argument)]
    quoting = next(at for at, stored in enumerate(task.stored) if isinstance(stored, list))
    watched = OnSite(browser, run_page(site, OURS))
    page = watched.page
    page.locator("#count", has_text="500 of 500 rows").wait_for()
    for _ in range(quoting // 25):
        page.locator("#next").click()
    item = page.locator("#rows li").nth(quoting % 25)
    assert page.locator(".statement").count() == 0
    assert "[quotes " in item.inner_text()

    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    files = [tmp_path / "notes.csv"]
    for name in get_dataset("paper").files:
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + read_published(get_dataset("paper"), name)[0])
        files.append(tmp_path / name)
    saved = tmp_path / "rows.jsonl"  # as Dataset.to_json writes rows
    lines = [
        {"row_id": row.row_id, "statement": f"<b>{row.statement}", "reason": row.reason}
        for row in rows("paper")["test"]
    ]
    saved.write_text("".join(json.dumps(line) + "\n" for line in lines))
    page.locator("#data").set_input_files(saved)
    page.locator("#loaded", has_text="rows.jsonl: 500 rows").wait_for()
    row = answers[quoting].row
    assert item.locator(".statement").text_content() == f"<b>{row.statement}"
    page.locator("#data").set_input_files(files)
    page.locator("#loaded", has_text="DFAR_testset.csv: 500 rows").wait_for()
    assert "notes.csv is not one of the files" in page.locator("#loaded").inner_text()
    assert item.locator(".statement").text_content() == row.statement
    assert item.locator(".human").text_content() == f"People: {('ethical', 'unethical')[row.label]}. {row.reason}"
    assert item.locator(".response").text_content() == answers[quoting].case.response
    for position, answer in enumerate(answers):  # all responses, restored
        shown = page.evaluate(
            f"current().rows[{position}].answers.reason.response.map((part) => partText(part) ?? '?').join('')"
        )
        assert shown == answer.case.response
    cells = page.evaluate("""table('Statement,Label,Reason\\r\\n"a, ""b""\\r\\nc",1,d\\r\\n e,0,\\r\\n', ",")""")
    assert cells == [["Statement", "Label", "Reason"], ['a, "b"\r\nc', "1", "d"], [" e", "0", ""]]
    watched.close()


def number(text: str) -> float:
    return float(text.replace("−", "-")) / 100


def check_comparison(page: Page, pair: list[Path], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the metrics of ``dfar-bench compare`` that the page shows too, with the same figures."""
    assert main(["compare", *map(str, pair), "--json"]) == FINE
    comparisons = json.loads(capsys.readouterr().out)["comparisons"]
    compared = {}
    for name, expected in ((name, of) for one in comparisons for name, of in one["metrics"].items()):
        if not (line := page.locator(f"tr[data-metric={name}]")).count():
            continue
        compared[name] = expected
        cells, difference = line.locator("td").all_inner_texts(), expected["difference"]
        assert [number(cell) for cell in cells[:3]] == pytest.approx(
            [expected["first"], expected["second"], difference["value"]], abs=6e-4
        )
        # Of 13 groups the ends move in steps; another draw may take the next one.
        assert [number(end) for end in cells[3].split(" to ")] == pytest.approx(
            [difference["low"], difference["high"]], abs=0.025
        )
        p = 0.0 if "<" in cells[4] else float(cells[4])
        assert p == pytest.approx(expected["p_value"], abs=0.004 + 0.1 * (expected["p_value"] or 0))
    return compared


def test_comparing_gives_what_the_command_gives(
    browser: Browser, site: Path, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = index(browser, site)
    page = watched.page
    pair = []
    for name in ("acme/judge-7b", "acme/judge-7b-lr"):
        page.locator(RANKED).get_by_label(f"Compare {name}", exact=True).check()
        pair.append(next((tree / name.replace("/", "__")).iterdir()))
    assert page.locator("#pair-text").inner_text() == "acme/judge-7b-lr and acme/judge-7b"  # in the table's order
    assert page.locator(".pick input:enabled").count() == 2
    page.locator("#pair-link").click()
    page.locator("#swap").click()
    assert page.locator("caption").inner_text().startswith("A: acme/judge-7b · B: acme/judge-7b-lr · 52 rows in 13")
    compared = check_comparison(page, pair, capsys)
    assert compared.keys() >= {"acc", "group_acc", "mar", "mar_self", "verdict_acc"}
    assert not compared.keys() & {"acc_unleaked", "mcc", "ece"}  # nothing leaks; these are not shares of rows
    # The address says which two, and can be passed on.
    again = watched.context.new_page()
    again.goto(page.url)
    assert again.locator("table").inner_text() == page.locator("table").inner_text()
    watched.close()


@pytest.mark.usefixtures("paper")
def test_comparing_on_a_data_set_with_a_leak(browser: Browser, site: Path, tree: Path) -> None:
    """Against itself, and against a baseline: unleaked rows and contrast groups count as in Python."""
    task = accepted(next((tree / OURS).iterdir())).tasks["dfar_cls"]
    watched = OnSite(browser, site / "compare-paper.html")
    page = watched.page
    page.locator("#b").select_option(label="majority (trivial baseline)")
    for name in ("acc", "acc_unleaked", "group_acc"):
        cells = page.locator(f"tr[data-metric={name}] td").all_inner_texts()
        assert number(cells[0]) == pytest.approx(task.metrics[name], abs=6e-4)
    page.locator("#b").select_option(index=0)
    assert set(page.locator("tr[data-metric] td:nth-child(4)").all_inner_texts()) == {"0.0"}
    watched.close()


def credit(output: Output) -> float:
    ethical, unethical = output.value
    return 0.5 if ethical == unethical else float((unethical > ethical) == output.row.label)


def test_ties_and_models_of_two_kinds(
    browser: Browser,
    two_kinds: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One table, with the prompt of each, and a MAR adjusted where the judge's errors are known; ties are halves."""
    known = ErrorRates("instruct", ("m",) * 200, *[(True, False) * 100] * 2, (True,) * 200, (*map(str, range(200)),))
    monkeypatch.setattr(
        "dfar_bench.runs.run.error_rates", lambda _, kind: known if kind == "instruct" else error_rates("none", kind)
    )
    build(two_kinds, tmp_path / "board")
    watched = index(browser, tmp_path / "board")
    page, names = watched.page, watched.names()
    prompts = dict(zip(names, watched.column("Prompt"), strict=True))
    assert {name: prompts[name] for name in prompts if "/" in name} == {
        "acme/base": "llama2.v1",
        "acme/chat": "chat.v1",
    }
    adjusted = {name: "→" in cell for name, cell in zip(names, watched.column("MAR ↓"), strict=True)}
    assert [name for name in adjusted if adjusted[name]] == ["acme/chat"]
    assert str(known)[1:] in page.locator("section[data-name=mini]").inner_text()
    page.goto(run_page(tmp_path / "board", "acme__base").as_uri())
    page.locator("#count", has_text="52 of 52 rows").wait_for()
    page.locator("#right").select_option("0.5")
    ties = sum(int(row.row_id[-2:]) % 3 == 0 for row in rows("mini")["test"])
    assert page.locator("#count").inner_text() == f"{ties} of 52 rows"
    page.goto((tmp_path / "board" / "compare-mini.html").as_uri())
    page.locator("#a").select_option(label=f"acme/base · {next((two_kinds / 'acme__base').iterdir()).name}")
    page.locator("#b").select_option(label=f"acme/chat · {next((two_kinds / 'acme__chat').iterdir()).name}")
    assert page.locator("#notice").is_hidden()
    pair = [next((two_kinds / name).iterdir()) for name in ("acme__base", "acme__chat")]
    asked = page.locator("#asked p").all_inner_texts()
    assert asked == [
        f"{side}, {task.task.kind.title.lower()}: {task.signature}"
        for side, folder in zip("AB", pair)
        for task in accepted(folder).tasks.values()
    ] + [f"B: {known}."]
    compared = check_comparison(page, pair, capsys)
    assert compared.keys() >= {"acc", "group_acc", "ties", "mar"}
    assert compared["ties"]["first"] == ties / 52
    outputs = accepted(pair[0]).tasks["dfar_mini_cls"].run.outputs
    assert compared["acc"]["first"] == pytest.approx(sum(credit(output) for output in outputs) / 52)
    watched.close()


def test_comparing_what_was_asked_differently(browser: Browser, site: Path) -> None:
    watched = OnSite(browser, site / "compare-mini.html")
    page = watched.page
    labels = page.locator("#b option").all_inner_texts()
    page.locator("#b").select_option(label=next(text for text in labels if text.startswith("other/asked-otherwise")))
    differing = "cls prompt (llama2.v1 and plain.v1), reason prompt (llama2.v1 and plain.v1)"
    assert page.locator("#notice").inner_text() == f"The signatures differ in {differing}: compare only if you mean to."
    page.locator("#a").select_option(label="majority (trivial baseline)")
    page.locator("#b").select_option(label="constant ethical (trivial baseline)")
    assert page.locator("#notice").inner_text() == "The two have no task in common."
    assert page.locator("#asked").inner_text() == ""  # baselines were not asked
    watched.close()


def test_comparing_what_is_not_there(browser: Browser, site: Path) -> None:
    """A link to a submission that was withdrawn does not silently compare another one."""
    watched = OnSite(browser, site / "compare-mini.html")
    page = watched.page
    assert page.locator("#notice").is_hidden()
    page.goto(f"{page.url.partition('?')[0]}?a=acme__gone/x&b=acme__<b>lost")
    notice = page.locator("#notice")
    for key in ("acme__gone/x", "acme__<b>lost"):
        assert f"{key} is not on this board" in notice.inner_text()
    page.locator("#b").select_option(label="majority (trivial baseline)")
    assert "not on this board" not in notice.inner_text()
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
    assert len(files) == 8
    for file in files:
        watched = OnSite(browser, file)
        page = watched.page
        if file.parent.parent.name == "runs":
            page.locator("#count", has_text="rows").wait_for()
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
