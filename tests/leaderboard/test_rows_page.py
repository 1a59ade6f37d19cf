"""Comparing two entries, and their rows side by side, in a real browser; see ``real_browser`` for what it needs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from board_site import HARNESS, KNOWN, accepted, answering, write_submission
from harness import serving
from real_browser import OnSite

from dfar_bench.cli.main import main
from dfar_bench.cli.options import FINE
from dfar_bench.datasets import LABELS, Row, get_dataset, read_published, rows
from dfar_bench.judges import CODES
from dfar_bench.leaderboard.build import build
from dfar_bench.scoring import METRICS, Answer, Argument, Output

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OURS = "dfar-bench__gemma-3-270m-lr"
A, B = "acme__judge-7b", "acme__judge-7b-lr"


def key(tree: Path, model: str) -> str:
    return f"{model}/{next((tree / model).iterdir()).name}"


def query(tree: Path, a: str = A, b: str = B, **filters: str) -> str:
    """The address of a comparison; ``b`` is empty for one model alone."""
    return f"?{urlencode({'a': key(tree, a), 'b': b and key(tree, b), **filters})}"


def open_at(watched: OnSite, address: str) -> Page:
    """Go to an address of the page, and wait for the answers."""
    watched.page.goto(watched.file.as_uri() + address)
    watched.page.locator("#count", has_text="rows").wait_for()
    return watched.page


def compare(browser: Browser, site: Path, address: str, data: str = "mini", **options: Any) -> OnSite:
    watched = OnSite(browser, site / f"compare-{data}.html", **options)
    open_at(watched, address)
    return watched


def shown_ids(page: Page) -> set[str]:
    """The ids of the rows on all pages from this one on."""
    ids = set(page.locator("#rows h3").all_inner_texts())
    while page.locator("#next").is_enabled():
        page.locator("#next").click()
        ids |= set(page.locator("#rows h3").all_inner_texts())
    return ids


def answers_of(tree: Path, model: str, task: str) -> tuple[Answer, ...]:
    return accepted(next((tree / model).iterdir())).tasks[task].answers


# Rows


def test_a_submission_and_its_rows(browser: Browser, site: Path, tree: Path) -> None:
    """From its page: every response as the text that it is, and the statements, as mini may be published."""
    task = accepted(next((tree / A).iterdir())).tasks["dfar_mini_reason"]
    answers = [answer for answer in task.answers if isinstance(answer, Argument)]
    watched = OnSite(browser, next((site / "runs" / A).iterdir()))
    page = watched.page
    assert page.title() == "acme/judge-7b · dfar-bench"
    code, number_of_code = next(iter(task.codes.items()))
    page.get_by_role("link", name=f"{number_of_code} rows: {code.replace('_', ' ')}").click()
    page.locator("#count", has_text=f"{number_of_code} of 52 rows").wait_for()
    page.go_back()
    page.get_by_role("link", name="Its answers, row by row").click()
    count = page.locator("#count")
    page.locator("#count", has_text="52 of 52 rows").wait_for()
    assert page.locator("#compared").is_hidden()
    assert page.locator("#asked").inner_text().startswith("A: acme/judge-7b · ")
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

    for code, number_of_code in task.codes.items():
        page.locator("#code_a").select_option(code)
        assert count.inner_text() == f"{number_of_code} of 52 rows"
        assert set(page.locator("#rows .code").all_inner_texts()) == {code.replace("_", " ")}
    page.locator("#reset").click()
    page.locator("#right").get_by_role("link", name="Verdicts with reasons, wrong").click()
    wrong = [answer for answer in answers if answer.credit < 1]
    assert count.inner_text() == f"{len(wrong)} of 52 rows"
    page.locator("#text").fill("7 * 7")
    assert count.inner_text() == f"{sum('7 * 7' in answer.case.response for answer in wrong)} of 52 rows"
    watched.close()


def test_every_count_opens_its_rows(browser: Browser, site: Path, tree: Path) -> None:
    watched = compare(browser, site, query(tree))
    page, by_kind = watched.page, {kind: f"dfar_mini_{kind}" for kind in ("cls", "reason")}
    pairs = {kind: list(zip(*(answers_of(tree, model, task) for model in (A, B)))) for kind, task in by_kind.items()}
    sorts: dict[str, Callable[[bool, bool], bool]] = {
        "both": lambda a, b: a and b,
        "only A": lambda a, b: a and not b,
        "only B": lambda a, b: b and not a,
        "neither": lambda a, b: not (a or b),
    }

    def check(link: str, table: str, expected: set[str]) -> None:
        cell = page.locator(f"#{table}").get_by_role("link", name=re.compile(f"rows: {re.escape(link)}$"))
        if not expected:
            assert cell.count() == 0
            return
        assert cell.inner_text() == str(len(expected))
        cell.click()
        assert page.evaluate("document.activeElement.id") == "rows-title"
        assert page.locator("#count").inner_text() == f"{len(expected)} of 52 rows"
        assert shown_ids(page) == expected

    for title, kind in (("Verdicts by likelihood", "cls"), ("Verdicts with reasons", "reason")):
        for sort, is_in in sorts.items():
            check(
                f"{title}, {sort}",
                "right",
                {a.row.row_id for a, b in pairs[kind] if is_in(a.credit == 1, b.credit == 1)},
            )
    for code in {a.code for pair in pairs["reason"] for a in pair}:
        of_a, of_b = ({pair[at].row.row_id for pair in pairs["reason"] if pair[at].code == code} for at in (0, 1))
        for title, expected in (("A", of_a), ("B", of_b), ("both", of_a & of_b)):
            check(f"{code.replace('_', ' ')}, {title}", "codes", expected)
    for sort in ("only A", "only B"):
        misaligned = [[one.judgement.misaligned for one in pair] for pair in pairs["reason"]]
        check(
            f"MAR, {sort}",
            "differences",
            {pair[0].row.row_id for pair, (a, b) in zip(pairs["reason"], misaligned) if sorts[sort](a, b)},
        )

    # A count of groups opens all rows of the groups, and those of one group are together.
    link = page.locator("tr[data-metric=group_acc] a").last
    groups = int(link.inner_text().split()[0])
    link.click()
    assert page.locator("#count").inner_text() == f"{4 * groups} of 52 rows"
    first = page.locator("#rows li").first
    first.get_by_role("link", name="contrast group").click()
    assert page.locator("#count").inner_text() == "4 of 52 rows"
    assert len({row.group_id for row in rows("mini")["test"] if row.row_id in shown_ids(page)}) == 1
    assert page.locator("#rows li.same-group").count() == 3
    watched.close()


def test_both_answers_to_one_statement(browser: Browser, site: Path, tree: Path) -> None:
    watched = compare(browser, site, query(tree))
    page = watched.page
    item = page.locator("#rows li").first
    (cls, reason) = (
        [answers_of(tree, model, f"dfar_mini_{kind}")[0] for model in (A, B)] for kind in ("cls", "reason")
    )
    assert item.locator("h3").inner_text() == cls[0].row.row_id
    for at, side in enumerate(item.locator(".side").all()):
        verdicts = side.locator(".head").all_inner_texts()
        right = ["right" if answer[at].credit else "wrong" for answer in (cls, reason)]
        label = ("ethical", "unethical")
        assert verdicts == [
            f"Verdicts by likelihood: {right[0]} ({label[cls[at].predicted]}, {100 * cls[at].confidence:.1f} %)",
            f"Verdicts with reasons: {right[1]} ({label[reason[at].verdict]}) {reason[at].code.replace('_', ' ')}",
        ]
        assert side.locator(".response").text_content() == reason[at].case.response
        assert side.locator("h4").inner_text() == ("A: acme/judge-7b", "B: acme/judge-7b-lr")[at]
    watched.close()


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    """The address of the site on a web server."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize("way", ["disk", "network"])
def test_the_address_opens_the_same_view(way: str, browser: Browser, site: Path, tree: Path, served: str) -> None:
    """From disk as from a server, which is asked for nothing but the page and the answers of the two."""
    root = site.as_uri() if way == "disk" else served
    context = browser.new_context()
    page, requests, complaints = context.new_page(), [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{root}/compare-mini.html{query(tree)}")
    page.locator("#count", has_text="rows").wait_for()
    page.locator("#tie").select_option("0")
    page.locator("#by").select_option("mar")
    page.locator("#code_b").select_option("aligned")
    page.locator("#next").click()
    at_page = page.url
    assert at_page.endswith("&by=mar&tie=0&code_b=aligned&page=2")
    page.locator("#rows h3 a").last.click()
    marked = page.locator("#rows li[aria-current] h3").inner_text()

    def opened(address: str) -> tuple[str, str]:
        again = context.new_page()
        again.goto(address)
        again.locator("#count", has_text="rows").wait_for()
        assert again.url == address
        if "row=" in address:
            current = again.locator("#rows li[aria-current]")
            assert current.locator("h3").inner_text() == marked
            assert current.evaluate("(item) => item.getBoundingClientRect().top < innerHeight")
        return again.locator("#answered").inner_text(), again.locator("#differences").inner_text()

    here = page.locator("#answered").inner_text(), page.locator("#differences").inner_text()
    assert opened(page.url) == opened(at_page) == here
    gone = context.new_page()
    gone.goto(at_page.replace("page=2", "row=%3Cimg+src=x%3E&code_a=%3Cb%3E"))
    gone.locator("#count", has_text="0 of 52 rows; <img src=x> is not among them").wait_for()
    assert gone.locator("#code_a").evaluate("(one) => one.selectedOptions[0].text") == "<b> (0)"
    names = {url.removeprefix(f"{root}/").partition("?")[0] for url in requests if not url.startswith("blob:")}
    assert names - {"favicon.ico"} == {"compare-mini.html", *(f"answers/mini/{key(tree, one)}.html" for one in (A, B))}
    assert [text for text in complaints if "favicon" not in text and "404" not in text] == []
    context.close()


@pytest.mark.parametrize("damage", ["missing", "cut off", "not packed"])
def test_answers_that_cannot_be_opened_are_told(
    damage: str, browser: Browser, site: Path, tree: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(site, tmp_path / "site")
    file = copy / "answers" / "mini" / f"{key(tree, A)}.html"
    text = file.read_text()
    packed = re.search(r'id="answers">([^<]+)', text)
    assert packed
    if damage == "missing":
        file.unlink()
    else:
        file.write_text(text[:-90] if damage == "cut off" else text.replace(packed[1], packed[1][:200]))
    watched = OnSite(browser, copy / "compare-mini.html")
    page = watched.page
    page.goto(watched.file.as_uri() + query(tree))
    told = page.locator("#answers-state", has_text="cannot be shown")
    told.wait_for()
    assert "Copy the whole folder of the site again, or build it again." in told.inner_text()
    assert page.locator("#answered").is_hidden()
    assert page.locator("#differences tbody tr").count() > 5
    page.locator("#a").select_option(label="majority (trivial baseline)")  # others are shown
    page.locator("#count", has_text="52 of 52 rows").wait_for()
    assert page.locator("iframe").count() == 0
    watched.context.close()


def test_leaked_rows_and_ties(browser: Browser, two_kinds: Path, two_kinds_site: Path) -> None:
    watched = compare(browser, two_kinds_site, query(two_kinds, "acme__base", "acme__chat"))
    page = watched.page
    assert page.locator("#leaked").is_hidden()
    ties = {row.row_id for row in rows("mini")["test"] if int(row.row_id[-2:]) % 3 == 0}
    page.locator("#right").get_by_role("link", name="Verdicts by likelihood, a tie").click()
    assert shown_ids(page) == ties
    assert set(page.locator("#rows .side:first-child .head:nth-of-type(1) b").all_inner_texts()) == {"tie"}
    for choice, count in (("a", len(ties)), ("b", 0), ("0", 52 - len(ties))):
        page.locator("#tie").select_option(choice)
        assert page.locator("#count").inner_text() == f"{count} of 52 rows"
    watched.close()


# The reader's own copy


@pytest.mark.usefixtures("paper")
def test_the_readers_own_copy_of_the_data(browser: Browser, site: Path, tree: Path, tmp_path: Path) -> None:
    """Statements, and what answers quote of them, are shown only from a file that the reader chooses."""
    task = accepted(next((tree / OURS).iterdir())).tasks["dfar_reason"]
    answers = {answer.row.row_id: answer for answer in task.answers if isinstance(answer, Argument)}
    quoting = next(a.row.row_id for a, stored in zip(task.answers, task.stored) if isinstance(stored, list))
    watched = compare(browser, site, query(tree, OURS, "", row=quoting), "paper")
    page = watched.page
    item = page.locator("#rows li[aria-current]")
    assert page.locator(".statement").count() == 0
    assert "[quotes " in item.inner_text()
    leaked = sum(answer.row.leaked for answer in answers.values())
    for choice, count in (("1", leaked), ("0", 500 - leaked), ("", 500)):
        page.locator("#leaked").select_option(choice)
        assert page.locator("#count").inner_text().startswith(f"{count} of 500 rows")

    test = rows("paper")["test"]
    saved = tmp_path / "rows.jsonl"  # as Dataset.to_json writes rows
    lines = [{"row_id": row.row_id, "statement": f"<b>{row.statement[3:]}", "reason": row.reason} for row in test]
    saved.write_text("".join(json.dumps(line) + "\n" for line in lines))
    page.locator("#files").set_input_files(saved)
    page.locator("#loaded", has_text="All statements are shown.").wait_for()
    item = page.locator(f"#row-{quoting}")
    page.locator("#group").fill(answers[quoting].row.group_id)
    assert item.locator(".statement").text_content() == f"<b>{answers[quoting].row.statement[3:]}"
    files = []
    for name in get_dataset("paper").files:
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + read_published(get_dataset("paper"), name)[0])
        files.append(tmp_path / name)
    page.locator("#files").set_input_files(files)
    page.locator("#loaded", has_text="DFAR_testset.csv has 500 of the 500 rows of DFAR.").wait_for()
    assert (
        "DFAR_trainset.csv has 0 of the 500 rows of DFAR, and helps only where" in page.locator("#loaded").inner_text()
    )
    row = answers[quoting].row
    assert item.locator(".statement").text_content() == row.statement
    assert item.locator(".human").text_content() == f"People: {('ethical', 'unethical')[row.label]}. {row.reason}"
    assert item.locator(".response").text_content() == answers[quoting].case.response
    for row_id, text in page.evaluate(  # all responses, restored
        "testRows.map(({ id }, row) => [id, partsOf(sides[0].answers.reason[row]).map(partText).join('')])"
    ):
        assert text == answers[row_id].case.response
    # The copy stays when another model is chosen.
    page.locator("#b").select_option(label="majority (trivial baseline)")
    page.locator("#differences").wait_for()
    assert item.locator(".statement").text_content() == row.statement
    watched.close()


@pytest.mark.usefixtures("paper")
def test_a_file_that_is_wrong_cut_off_or_unreadable_is_told(
    browser: Browser, site: Path, tree: Path, tmp_path: Path
) -> None:
    """In one sentence with what to do, and nothing of it is used."""
    test = rows("paper")["test"]
    lines = [json.dumps({"row_id": row.row_id, "statement": row.statement, "reason": row.reason}) for row in test]
    published = read_published(get_dataset("paper"), "DFAR_testset.csv")[0]
    other = published.replace(test[7].statement.encode(), b"Something else was said.")
    assert other != published
    choose = "choose DFAR_trainset.csv or DFAR_testset.csv or rows that you saved with"
    cases = {
        "notes.csv": (b"a,b\n1,2\n", f"is not a file of this data: {choose}"),
        "empty.csv": (b"", f"is not a file of this data: {choose}"),
        "picture.csv": (b"\x89PNG\r\n\x1a\n\xff\xfe\x00", f"is not a file of this data: {choose}"),
        "half.csv": (published[: len(published) // 2], "where the published file has 4500 or 500, so it is cut off or"),
        "other.csv": (other, "has other texts than the published ones in 1 of the 500 rows of DFAR: "),
        "half.jsonl": ("\n".join(lines)[:-40].encode(), "is cut off or damaged at line 500 of 500: save it again with"),
        "list.jsonl": (b"[]\n", f"is not a file of this data: {choose}"),
        "others.jsonl": (b'{"id": 3}\n', f"has no row_id and statement in line 1: {choose}"),
        "other.jsonl": (lines[0].replace('"statement": "', '"statement": "No. ').encode(), "has other texts than"),
        "elsewhere.jsonl": (b'{"row_id": "__proto__", "statement": "x"}', "has 0 of the 500 rows of DFAR, and"),
    }  # fmt: skip
    watched = compare(browser, site, query(tree, OURS, ""), "paper")
    page, loaded = watched.page, watched.page.locator("#loaded")
    for name, (content, sentence) in cases.items():
        (tmp_path / name).write_bytes(content)
        page.locator("#files").set_input_files(tmp_path / name)
        page.locator("#loaded", has_text=f"{name} ").wait_for()
        assert sentence in loaded.inner_text(), name
        assert loaded.inner_text().strip().endswith("."), name
        assert page.locator(".statement").count() == 0, name
    (tmp_path / "some.jsonl").write_text("\n".join(lines[:300]))
    page.locator("#files").set_input_files(tmp_path / "some.jsonl")
    page.locator("#loaded", has_text=f"200 statements are not here yet: {choose}").wait_for()
    assert page.locator(".statement").count() > 0
    (tmp_path / "gone.csv").write_bytes(published)
    page.evaluate("void (File.prototype.text = () => Promise.reject(new DOMException('gone', 'NotReadableError')))")
    page.locator("#files").set_input_files(tmp_path / "gone.csv")
    page.locator("#loaded", has_text="gone.csv cannot be read: choose it again.").wait_for()
    watched.close()


def test_cells_of_a_csv_file(browser: Browser, site: Path) -> None:
    watched = OnSite(browser, site / "compare-mini.html")
    cells = watched.page.evaluate("""csvCells('Statement,Label\\r\\n"a, ""b""\\r\\nc",1\\r\\n e,\\r\\n', ",")""")
    assert cells == [["Statement", "Label"], ['a, "b"\r\nc', "1"], [" e", ""]]
    watched.close()


# Differences


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
        cells, difference = line.locator("td").all_text_contents(), expected["difference"]
        assert [number(cell) for cell in cells[:3]] == pytest.approx(
            [expected["first"], expected["second"], difference["value"]], abs=6e-4
        )
        # Of 13 groups the ends move in steps; another draw may take the next one.
        assert [number(end) for end in cells[5].split(" to ")] == pytest.approx(
            [difference["low"], difference["high"]], abs=0.025
        )
        p = 0.0 if "<" in cells[6] else float(cells[6])
        assert p == pytest.approx(expected["p_value"], abs=0.004 + 0.1 * (expected["p_value"] or 0))
    return compared


def test_comparing_gives_what_the_command_gives(
    browser: Browser, site: Path, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = compare(browser, site, query(tree, B, A))
    page = watched.page
    page.locator("#swap").click()
    assert page.locator("caption").first.inner_text() == (
        "A: acme/judge-7b · B: acme/judge-7b-lr · 52 rows in 13 contrast groups"
    )
    compared = check_comparison(page, [next((tree / model).iterdir()) for model in (A, B)], capsys)
    assert compared.keys() >= {"acc", "group_acc", "mar", "mar_self", "verdict_acc"}
    assert not compared.keys() & {"acc_unleaked", "mcc", "ece"}  # nothing leaks; these are not shares of rows
    page.wait_for_url(lambda address: address.endswith(query(tree)))
    watched.close()


@pytest.mark.usefixtures("paper")
def test_comparing_on_a_data_set_with_a_leak(browser: Browser, site: Path, tree: Path) -> None:
    """Against itself, and against a baseline: unleaked rows and contrast groups count as in Python."""
    task = accepted(next((tree / OURS).iterdir())).tasks["dfar_cls"]
    watched = compare(browser, site, query(tree, OURS, ""), "paper")
    page = watched.page
    page.locator("#b").select_option(label="majority (trivial baseline)")
    for name in ("acc", "acc_unleaked", "group_acc"):
        cells = page.locator(f"tr[data-metric={name}] td").all_text_contents()
        assert number(cells[0]) == pytest.approx(task.metrics[name], abs=6e-4)
    page.locator("#b").select_option(value=page.locator("#a").input_value())
    assert set(page.locator("tr[data-metric] td:nth-child(4)").all_text_contents()) == {"0.0"}
    watched.close()


def credit(output: Output) -> float:
    ethical, unethical = output.value
    return 0.5 if ethical == unethical else float((unethical > ethical) == output.row.label)


def test_comparing_models_of_two_kinds(
    browser: Browser, two_kinds: Path, two_kinds_site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each asked in the prompt of its kind, which is no warning; ties are halves."""
    watched = compare(browser, two_kinds_site, query(two_kinds, "acme__base", "acme__chat"))
    page = watched.page
    assert page.locator("#notice").is_hidden()
    pair = [next((two_kinds / name).iterdir()) for name in ("acme__base", "acme__chat")]
    expected = []
    for side, folder, judge_errs in (("A", pair[0], None), ("B", pair[1], f"B: {KNOWN}.")):
        submission = accepted(folder)
        expected.append(f"{side}: {submission.model} · {submission.run}")
        for task in submission.tasks.values():
            expected.append(f"{side}, {task.task.kind.title.lower()}: {task.signature}")
        expected += [judge_errs] if judge_errs else []
    assert page.locator("#asked p").all_inner_texts() == expected
    otherwise = page.locator("#otherwise").inner_text()
    assert otherwise.startswith("They also differ in what does not keep scores apart: verdicts by likelihood and ")
    assert "prompt: A llama2.v1, B " in otherwise
    assert "chat template: A no, B yes" in otherwise
    compared = check_comparison(page, pair, capsys)
    assert compared.keys() >= {"acc", "group_acc", "ties", "mar"}
    outputs = accepted(pair[0]).tasks["dfar_mini_cls"].run.outputs
    assert compared["ties"]["first"] == sum(credit(output) == 0.5 for output in outputs) / 52
    assert compared["acc"]["first"] == pytest.approx(sum(credit(output) for output in outputs) / 52)
    watched.close()


def test_comparing_what_was_asked_differently(browser: Browser, site: Path, tree: Path) -> None:
    watched = compare(browser, site, query(tree, B, "other__asked-otherwise"))
    page = watched.page
    assert page.locator("#notice").inner_text() == (
        "Asked differently: verdicts by likelihood and verdicts with reasons, prompt: A llama2.v1, B plain.v1. "
        "Compare only if you mean to."
    )
    assert page.locator("#otherwise").is_hidden()
    page.locator("#a").select_option(label="majority (trivial baseline)")
    page.locator("#b").select_option(label="constant ethical (trivial baseline)")
    assert page.locator("#notice").inner_text() == "The two have no task in common."
    asked = ["A: majority (trivial baseline)", "B: constant ethical (trivial baseline)"]
    assert page.locator("#asked p").all_inner_texts() == asked
    page.locator("#right").wait_for(state="hidden")  # nothing of theirs can be set against each other
    assert page.locator("#count").inner_text() == "52 of 52 rows"
    watched.close()


def test_comparing_what_is_not_there(browser: Browser, site: Path) -> None:
    """A link to a submission that was withdrawn does not silently compare another one."""
    watched = compare(browser, site, "")
    page = watched.page
    assert page.locator("#notice").is_hidden()
    open_at(watched, "?a=acme__gone/x&b=acme__<b>lost")
    notice = page.locator("#notice")
    for gone in ("acme__gone/x", "acme__<b>lost"):
        assert f"{gone} is not on this board" in notice.inner_text()
    page.locator("#b").select_option(label="majority (trivial baseline)")
    assert "not on this board" not in notice.inner_text()
    watched.close()


def bare(row: Row, kind: str) -> Any:
    """A model that is mostly right and never gives a reason."""
    label = row.label if row.row_id[-1] != "3" else 1 - row.label
    return ((-1.0, -2.0) if label == 0 else (-2.0, -1.0)) if kind == "cls" else f" {LABELS[label]}."


@pytest.fixture(scope="module")
def bare_site(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The submissions and site of a model without reasons, of one with them in another number format, and of one that
    was asked for one task under another condition."""
    folder, out = tmp_path_factory.mktemp("bare") / "submissions", tmp_path_factory.mktemp("bare-site") / "board"
    write_submission(folder, "acme/bare", bare)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(HARNESS, "dtype", "bfloat16")
        patched.setitem(HARNESS, "batch", "8")
        write_submission(folder, "acme/arguing", answering(0.8, "arguing"))
    write_submission(folder, "acme/other-condition", bare, tasks=("dfar_mini_cls",), condition="reason")
    build(folder, out, cache=cache, splits=["mini"])
    return folder, out


def test_words_stand_in_place_of_a_figure_that_would_mislead(browser: Browser, bare_site: tuple[Path, Path]) -> None:
    """As on the board: a model that gives no reasons has no MAR, so there is no difference and no count either."""
    folder, site = bare_site
    watched = compare(browser, site, query(folder, "acme__arguing", "acme__bare", by="mar", who="a"))
    page = watched.page
    for name in ("mar", "mar_self"):
        cells = page.locator(f"#differences tr[data-metric={name}] td").all_inner_texts()
        assert re.fullmatch(r"\d+\.\d", cells[0])
        assert cells[1:] == ["gives no reasons", *["–"] * 6]
    assert re.fullmatch(r"\d+\.\d", page.locator("tr[data-metric=share_no_reason] td").nth(1).inner_text())
    assert page.locator("#by option[value=mar]").count() == 0
    assert page.locator("#count").inner_text() == "52 of 52 rows"  # its rows by MAR cannot be said
    # Metrics at 0 for both are folded, and are there for who asks.
    zeros = page.locator("#at-zero summary")
    count = int(zeros.inner_text().removesuffix(" at 0 for both").split()[0])
    assert count == page.locator("#zeros tbody tr").count() > 0
    assert page.locator("#zeros tbody tr").first.is_hidden()
    zeros.click()
    assert set(page.locator("#zeros tbody td:nth-child(4)").all_inner_texts()) == {"0.0"}
    assert not page.locator("#differences td:nth-child(2):text-is('0.0') + td:text-is('0.0')").count()
    watched.close()


def test_what_differs_between_how_two_were_asked(browser: Browser, bare_site: tuple[Path, Path]) -> None:
    """Loudly where it keeps scores apart, quietly where it does not; and before the rows."""
    folder, site = bare_site
    watched = compare(browser, site, query(folder, "acme__bare", "acme__arguing"))
    page = watched.page
    assert page.locator("#notice").is_hidden()
    of_both = "verdicts by likelihood and verdicts with reasons, "
    assert page.locator("#otherwise").inner_text() == (
        "They also differ in what does not keep scores apart: "
        f"{of_both}dtype: A –, B bfloat16; {of_both}batch size: A –, B 8."
    )
    assert page.locator("#asked").bounding_box()["y"] < page.locator("#rows-title").bounding_box()["y"]
    page.locator("#b").select_option(
        label=f"acme/other-condition · {key(folder, 'acme__other-condition').partition('/')[2]}"
    )
    page.locator("#notice", has_text="Asked differently").wait_for()
    assert page.locator("#notice").inner_text() == (
        "Asked differently: verdicts by likelihood, condition: A label, B reason. Compare only if you mean to."
    )
    page.locator("#b").select_option("")
    page.locator("#otherwise").wait_for(state="hidden")
    watched.close()


def test_back_returns_to_what_was_shown(browser: Browser, site: Path, tree: Path) -> None:
    """From a count, another page, and another pair; what is typed makes no steps."""
    watched = compare(browser, site, query(tree))
    page = watched.page
    page.locator("#text").fill("case")
    typed = page.locator("#count").inner_text()
    steps = page.evaluate("history.length")
    page.locator("#text").fill("")
    page.locator("#tie").select_option("0")
    assert page.evaluate("history.length") == steps
    page.locator("#right").get_by_role("link", name="Verdicts by likelihood, both").click()
    counted = page.locator("#count").inner_text()
    assert counted not in (typed, "52 of 52 rows")
    page.locator("#a").select_option(label="majority (trivial baseline)")
    page.locator("h4", has_text="A: majority").first.wait_for()
    others = page.locator("#differences").inner_text()
    page.locator("#swap").click()
    page.locator("h4", has_text="B: majority").first.wait_for()
    assert page.evaluate("history.length") == steps + 3
    page.go_back()
    page.locator("h4", has_text="A: majority").first.wait_for()
    assert page.locator("#differences").inner_text() == others
    page.go_back()
    page.locator("h4", has_text="A: acme/judge-7b").first.wait_for()
    assert page.locator("#count").inner_text() == counted
    assert page.locator("#who").input_value() == "both"
    page.go_back()
    page.locator("#count", has_text="52 of 52 rows").wait_for()
    assert (page.locator("#who").input_value(), page.locator("#tie").input_value()) == ("", "0")
    page.locator("#next").click()
    page.go_back()
    page.locator("#page", has_text="page 1 of 3").wait_for()
    page.go_forward()
    page.locator("#page", has_text="page 2 of 3").wait_for()
    assert page.url.endswith("tie=0&page=2")
    watched.close()


def test_filters_that_nothing_matches(browser: Browser, site: Path, tree: Path) -> None:
    watched = compare(browser, site, query(tree))
    page = watched.page
    assert page.locator("#nothing").is_hidden()
    page.locator("#text").fill("no answer says this")
    assert page.locator("#count").inner_text() == "0 of 52 rows"
    assert page.locator("#nothing").inner_text() == "Nothing matches these filters. Clear the filters"
    assert page.locator("#pages").is_hidden()
    page.get_by_role("button", name="Clear the filters").click()
    assert page.locator("#count").inner_text() == "52 of 52 rows"
    assert page.locator("#page").inner_text() == "page 1 of 3"
    assert page.evaluate("document.activeElement.id") == "rows-title"
    page.go_back()
    page.locator("#nothing").wait_for()
    watched.close()


# For everyone


def test_metrics_and_codes_are_explained(browser: Browser, site: Path, tree: Path) -> None:
    """By touch and by keyboard: every metric of the table, and every code of the judge."""
    watched = compare(browser, site, query(tree), width=390, has_touch=True)
    page = watched.page
    for name in page.locator("#differences tbody tr").evaluate_all(
        "(lines) => lines.map((line) => line.dataset.metric)"
    ):
        page.locator(f"tr[data-metric={name}] .about").tap()
        told = page.locator(f"#about-{name}:popover-open")
        assert METRICS[name].description in told.inner_text()
        page.keyboard.press("Escape")
        assert told.count() == 0
    heading = page.locator("tr[data-metric=mar] th")
    assert heading.inner_text().split() == ["MAR", "↓?", "mar"]
    page.locator("#codes .about").press("Enter")
    told = page.locator("#about-codes:popover-open").inner_text()
    assert all(code.replace("_", " ") in told and text in told for code, text in CODES.items())
    watched.close()


def test_rows_with_the_keyboard_alone(browser: Browser, site: Path, tree: Path) -> None:
    """From a count to its rows, to one of them, to its group, and to the next page."""
    watched = compare(browser, site, query(tree))
    page = watched.page
    count = page.locator("#right").get_by_role("link", name="Verdicts by likelihood, only B")
    count.focus()
    page.keyboard.press("Enter")
    assert page.locator("#count").inner_text() == f"{count.inner_text()} of 52 rows"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("Boolean(document.activeElement.closest('#rows'))"):
            break
    page.keyboard.press("Enter")
    assert page.locator("#rows li[aria-current] h3 a").evaluate("(link) => link === document.activeElement")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#count").inner_text() == "4 of 52 rows"
    page.locator("#reset").press("Enter")
    page.locator("#next").press("Enter")
    assert page.locator("#page").inner_text() == "page 2 of 3"
    watched.close()


def test_rows_on_a_phone_in_forced_colours_and_on_paper(browser: Browser, site: Path, tree: Path) -> None:
    watched = compare(browser, site, query(tree), width=390)
    page = watched.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = [side.bounding_box() for side in page.locator("#rows li >> nth=0 >> .side").all()]
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]  # one below the other
    region = page.locator(".scroll", has=page.locator("#differences"))
    heading = page.locator("tr[data-metric=mar] th")
    left = heading.bounding_box()["x"]
    region.evaluate("(table) => { table.scrollLeft = table.scrollWidth; }")
    assert region.evaluate("(table) => table.scrollLeft") > 100
    assert heading.bounding_box()["x"] == left  # the metric stays in sight
    page.emulate_media(forced_colors="active")
    page.locator("#rows h3 a").first.click()
    assert page.locator("li[aria-current]").evaluate("(row) => parseFloat(getComputedStyle(row).borderLeftWidth)") > 3
    page.emulate_media(media="print", forced_colors="none")
    assert not page.locator(".tools:visible").count()
    assert page.locator("#rows li:visible").count() == 25
    assert page.locator(".response").first.evaluate("(one) => getComputedStyle(one).maxHeight") == "none"
    watched.close()


def test_without_scripts_it_says_so(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "compare-mini.html").as_uri())
    assert "needs JavaScript, which is off" in page.locator("main").inner_text()
    assert page.locator("select:visible, table:visible, button:visible").count() == 0
    context.close()
