"""The board: what is built of a handful of submissions, that it is right, whole and the same every time."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import html
import io
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import ROOT
from made_submissions import made_results, made_submission, read_document, sealed

from dfar_bench import cli
from dfar_bench.baselines import PUBLISHED
from dfar_bench.compare import paired_differences
from dfar_bench.data import LABELS, SPLITS, row_hash, rows
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.contamination import Contamination
from dfar_bench.leaderboard.flags import Flag
from dfar_bench.leaderboard.result import Verified
from dfar_bench.leaderboard.schema import Submission
from dfar_bench.leaderboard.site import board, build, charts, pages, ranks, store
from dfar_bench.leaderboard.site.facts import Facts, facts_of, packed_bits, places, unpacked_bits
from dfar_bench.leaderboard.site.reported import read_reported
from dfar_bench.leaderboard.site.serve import HEADERS, server
from dfar_bench.leaderboard.submit import About, submit
from dfar_bench.leaderboard.verify import logged_run, verified
from dfar_bench.metrics import METRICS
from dfar_bench.rescore import run_signature

HOSTILE = (
    "</script><script>document.title='run'</script>",
    "<img src=x onerror=\"document.title='run'\">",
    "{{ 7 * 7 }} {% raw %} ${7*7} <!-- <script> \u2028 \u202e ]]> &lt;b&gt; ' \" `",
)


def answering(share: float, salt: str, texts: tuple[str, ...] = ()) -> Callable[[Any, str], Any]:
    """A model that has about this share of verdicts right; wrong ones it gives with an empty reason, and some right
    ones with one of ``texts``."""

    def answer(row: Any, kind: str) -> Any:
        draw = hashlib.sha256(f"{salt} {row.row_id} {kind}".encode()).digest()
        right = draw[0] < 256 * share
        label = row.label if right else 1 - row.label
        if kind == "cls":
            pair = [-draw[1] / 256, -3 - draw[2] / 64]
            return pair if label == 0 else pair[::-1]
        if texts and draw[4] < 96:
            return f" {LABELS[label]}. {texts[draw[3] % len(texts)]}"
        if right:
            half = row.reason.split()[: 12 + draw[3] % 9]
            return f" {LABELS[label]}. {' '.join(half)}. That is how it looks in case {draw[5]}."
        return f" {LABELS[label]}. Whoever relied on it is treated as they could expect, or not, in case {draw[5]}."

    return answer


MODELS = {
    "base": (About("acme/judge-7b", "base", revision="0123abc"), answering(0.55, "base", HOSTILE)),
    "l": (
        About("acme/judge-7b-l", "l", revision="1", base="acme/judge-7b", training=("other",), description="labels"),
        answering(0.75, "l"),
    ),
    "lr": (
        About("acme/judge-7b-lr", "lr", revision="1", base="acme/judge-7b", training=("other",), description="reasons"),
        answering(0.9, "lr"),
    ),
    "met": (About("zeta/has-met-them", "base", revision="2", url="https://example.org/m"), answering(0.97, "met")),
    "short": (About("other/asked-for-little", "base", revision="3"), answering(0.6, "short")),
    "half": (About("other/verdicts-only", "base", revision="4"), answering(0.7, "half")),
}


def has_met_the_rows(folder: Path) -> Path:
    """The same submission of a model that was trained on ten of the test rows."""
    document = read_document(folder)
    hashes = " ".join(row_hash(row.row_id) for row in rows("mini")["test"][:10])
    document |= {"mode": "lr", "training": {"sets": ["dfar_mini_train"], "description": None}}
    document["dfar_run"] = {
        "mode": "lr", "split": "mini", "drop_leaked": False, "prompt": "llama2.v1",
        "method": "lora", "seed": 1, "packages": {}, "steps": 1, "final_loss": 1.0, "tokens_per_second": 1.0,
        "base_model": {"name": "x", "type": "llama", "parameters": 1, "trained": 1}, "arguments": {},
        "data": {"rows": 10, "tokens": 1, "sha256": "0" * 64, "row_ids": hashes},
        "distribution": {"type": "NO", "zero_stage": None, "offload": [], "processes": 1, "device": "cpu"},
    }  # fmt: skip
    return sealed(folder, document)


def asked_for_little(folder: Path) -> Path:
    """The same submission as if responses had been cut at 64 tokens."""
    document = read_document(folder)
    task = document["tasks"]["dfar_mini_reason"]
    task["harness"]["generation_kwargs"]["max_gen_toks"] = 64
    harness = Submission.model_validate(document).tasks["dfar_mini_reason"].harness
    found = verified(folder)
    assert isinstance(found, Verified)
    answers = found.tasks["dfar_mini_reason"].run.answers
    task["signature"] = run_signature(logged_run("dfar_mini_reason", harness, answers), get_judge())
    return sealed(folder, document)


def verdicts_only(folder: Path) -> Path:
    """The same submission without its reasons."""
    document = read_document(folder)
    del document["tasks"]["dfar_mini_reason"]
    (folder / "dfar_mini_reason.jsonl.gz").unlink()
    return sealed(folder, document)


CHANGED = {"met": has_met_the_rows, "short": asked_for_little, "half": verdicts_only}


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six models on the mini split: one was trained on test rows, one asked otherwise, one has one task only."""
    folder = tmp_path_factory.mktemp("board")
    for name, (about, answer) in MODELS.items():
        made = submit(made_results(folder / f"{name}-results", answer), about, folder / "submissions").folder
        if name in CHANGED:
            CHANGED[name](made)
    return folder / "submissions"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("board-cache")


@pytest.fixture(scope="session")
def site(tree: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "board"
    built = build.build(tree, out, cache=cache, reported=ROOT / "leaderboard" / "reported")
    assert (built.site, built.submissions, built.faults) == (out, 6, [])
    return out


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def found_in(tree: Path) -> list[Facts]:
    judge = get_judge()
    found = [verified(folder, judge) for folder in sorted(tree.glob("*/*"))]
    return [facts_of(one) for one in found if isinstance(one, Verified)]


# What stands on it


def test_results_are_those_of_the_answers(site: Path, tree: Path) -> None:
    document = json.loads((site / "results.json").read_text())
    assert document["schema_version"] == 1
    assert document["judge"] == get_judge().signature
    by_run = {row["run"]: row for row in document["rows"] if row["run"]}
    for folder in tree.glob("*/*"):
        one = verified(folder)
        assert isinstance(one, Verified)
        row = by_run.pop(folder.name)
        assert (row["model"], row["split"]) == (one.submission.model.id, "mini")
        for task in one.tasks.values():
            assert row["signatures"][task.kind] == task.signature
            for name, figure in row["metrics"][task.kind].items():
                assert figure["value"] == task.metrics[name]
                assert (figure["low"], figure["high"]) == (task.intervals[name] or (None, None))
    assert by_run == {}
    assert len(document["reported"][0]["rows"]) == 12

    lines = list(csv.DictReader(io.StringIO((site / "results.csv").read_text())))
    assert [line["model"] for line in lines] == [row["model"] for row in document["rows"]]
    for line, row in zip(lines, document["rows"]):
        for kind, figures in row["metrics"].items():
            for name, figure in figures.items():
                assert line[name] == ("" if figure["value"] is None else repr(figure["value"])), kind
        assert [line["rank_acc_best"], line["rank_acc_worst"]] == [str(at) for at in row["rank_acc"] or ("", "")]


def test_every_split_has_its_words() -> None:
    assert set(board.TITLES) == set(board.DESCRIPTIONS) == set(SPLITS)


def test_who_stands_where(site: Path) -> None:
    """Null models in every table and never ranked; trained on test rows, never ranked; each way of asking by itself."""
    document = json.loads((site / "results.json").read_text())
    where = {(row["group"], row["model"]): row for row in document["rows"]}
    nulls = {"majority", "random", "constant ethical", "constant unethical"}
    one = {"acme/judge-7b", "acme/judge-7b-l", "acme/judge-7b-lr", "zeta/has-met-them", "other/verdicts-only"}
    assert set(where) == {(1, name) for name in nulls | one} | {
        (2, name) for name in nulls | {"other/asked-for-little"}
    }
    assert {row["model"] for row in document["rows"] if row["rank_acc"] is None} == nulls | {"zeta/has-met-them"}
    met = where[1, "zeta/has-met-them"]
    assert (met["status"], met["contaminated_rows"], met["contaminated_unleaked_rows"]) == ("contaminated", 10, 10)
    assert where[1, "acme/judge-7b-lr"]["contaminated"] is None
    assert where[1, "other/verdicts-only"]["rank_mar"] is None
    assert where[2, "other/asked-for-little"]["rank_acc"] == [1, 1]
    # Accuracy, then MAR, null models among the others.
    shown = [row for row in document["rows"] if row["group"] == 1 and row["status"] != "contaminated"]
    accuracies = [row["metrics"]["cls"]["acc"]["value"] for row in shown if "cls" in row["metrics"]]
    assert accuracies == sorted(accuracies, reverse=True)
    page = (site / "index.html").read_text()
    assert page.count('<table class="board" data-ranked') == 2
    assert page.index("Published elsewhere, not verified") > page.rindex('<table class="board"')


def test_figures_are_in_per_cent_with_their_intervals(site: Path) -> None:
    page = (site / "index.html").read_text()
    for row in json.loads((site / "results.json").read_text())["rows"]:
        for kind, name in (("cls", "acc"), ("reason", "mar"), ("reason", "verdict_acc")):
            if figure := row["metrics"].get(kind, {}).get(name):
                value, low, high = (f"{100 * figure[part]:.1f}" for part in ("value", "low", "high"))
                assert f">{value}<small>{low}–{high}</small>" in page


# Ranks


def test_ranks_are_what_the_paired_test_does_not_exclude(tree: Path) -> None:
    """The same decision on every pair as ``compare`` comes to."""
    judge = get_judge()
    folders = sorted(tree.glob("*/*"))
    for kind, metric, better in (("cls", "acc", 1), ("reason", "mar", -1)):
        tasks = [
            task
            for folder in folders
            if isinstance(one := verified(folder, judge), Verified)
            for task in one.tasks.values()
            if task.kind == kind
        ]
        bits = [
            facts.tasks[f"dfar_mini_{kind}"].bits[metric]
            for facts in found_in(tree)
            if len(facts.tasks) > (kind == "reason")
        ]
        found = ranks.rank("mini", bits, bits[:1], higher_is_better=better > 0)
        assert found is not None
        of = [one for one in METRICS[kind] if one.name == metric]
        told = np.zeros((len(tasks), len(tasks)), dtype=bool)
        for i, one in enumerate(tasks):
            for j, other in enumerate(tasks):
                pair = paired_differences(of, other.answers, one.answers)[metric]
                assert pair.difference is not None
                assert pair.p_value is not None
                told[i, j] = better * pair.difference > 0 and pair.p_value < 0.05
        assert told.sum() > 0
        assert [(one.best, one.worst) for one in found] == [
            (1 + told[:, i].sum(), len(tasks) - told[i].sum()) for i in range(len(tasks))
        ]
        assert [one.above_null for one in found] == list(told[:, 0])


def test_no_ranks_from_few_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    few = ranks.Layout((0, 0, 1, 2), (False,) * 4, (0,) * 4)
    monkeypatch.setattr(ranks, "layout", lambda split: few)
    assert ranks.rank("mini", [packed_bits([True] * 4)] * 2, [], higher_is_better=True) is None


@pytest.mark.parametrize("count", [1, 7, 8, 9, 500])
def test_bits_survive(count: int) -> None:
    bits = [bool(number * number % 3) for number in range(count)]
    assert list(unpacked_bits(packed_bits(bits), count)) == bits


def test_what_may_differ_in_a_signature() -> None:
    one = "dfar|split:mini|task:cls|lm_eval:0.4.12"
    assert board.comparable(one) == board.comparable(one.replace("12", "13")) != board.comparable(one + "|shots:3")


# Whole, safe, and the same every time

SCRIPT = """
import sys
from pathlib import Path
from dfar_bench.leaderboard.site.build import build
build(Path(sys.argv[1]), Path(sys.argv[2]), reported=Path(sys.argv[3]))
"""


def test_the_same_bytes_whatever_the_process(tree: Path, site: Path, tmp_path: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tree), str(tmp_path / seed), str(ROOT / "leaderboard" / "reported")],
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        for seed in ("1", "2")
    ]
    assert [one.wait(300) for one in running] == [0, 0]
    assert content(tmp_path / "1") == content(tmp_path / "2") == content(site)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]


def test_a_build_that_breaks_leaves_the_old_site(
    tree: Path, site: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "board"
    build.build(tree, out, cache=cache)
    before = content(out)
    made = []

    def breaking(*arguments: Any, **context: Any) -> bytes:
        made.append(1)
        if len(made) == 5:
            raise KeyboardInterrupt
        return pages.page(*arguments, **context)

    monkeypatch.setattr(build, "page", breaking)
    with pytest.raises(KeyboardInterrupt):
        build.build(tree, out, cache=cache, splits=["mini"])
    assert content(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["board"]
    monkeypatch.undo()
    # Nor does one that could not even tidy up stand in the way of the next.
    (tmp_path / ".board.killed.part").mkdir()
    build.build(tree, out, cache=cache)
    assert content(out) == before


def test_faults_stop_the_build(tree: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "submissions"
    shutil.copytree(tree, bad)
    folder = made_submission(tmp_path / "more")
    document = read_document(folder)
    document["tasks"]["dfar_mini_cls"]["metrics"]["acc"] += 0.002
    shutil.copytree(sealed(folder, document).parent, bad / "acme__judge-7b", dirs_exist_ok=True)
    (bad / "notes.txt").write_text("x")
    (bad / "acme__Judge-7B").mkdir()
    command = ["board", "build", str(bad), "--out", str(tmp_path / "board"), "--cache", str(cache)]
    assert cli.main(command) == 1
    said = capsys.readouterr()
    assert "is claimed to be" in said.err
    assert "notes.txt" in said.err
    assert "easily taken for" in said.err
    assert "--skip-faulty" in said.err
    assert said.out == ""
    assert not (tmp_path / "board").exists()
    (bad / "acme__Judge-7B").rmdir()
    assert cli.main([*command, "--skip-faulty"]) == 0
    said = capsys.readouterr()
    assert said.out.endswith("index.html: 6 submissions\n")
    assert "is claimed to be" in said.err


def test_nothing_else_is_replaced(tree: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="is there and no board"):
        build.build(tree, tmp_path / "mine", cache=cache)
    with pytest.raises(InputError, match="is there and no board"):
        build.build(tree, tmp_path / "mine" / "thesis.tex", cache=cache)
    with pytest.raises(InputError, match=r"is there and no board|holds the submissions"):
        build.build(tree, tree.parent, cache=cache)
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "x"


def test_unchanged_submissions_are_not_scored_again(
    tree: Path, site: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("scored again")

    kept = tmp_path / "cache"
    shutil.copytree(cache, kept)
    with monkeypatch.context() as patched:
        patched.setattr(store, "verified_files", refuse)
        build.build(tree, tmp_path / "board", cache=kept, reported=ROOT / "leaderboard" / "reported")
        assert content(tmp_path / "board") == content(site)
        damaged = sorted(kept.glob("*.json"))[0]
        damaged.write_text("{")
        with pytest.raises(AssertionError, match="scored again"):
            build.build(tree, tmp_path / "board", cache=kept)
    build.build(tree, tmp_path / "board", cache=kept, reported=ROOT / "leaderboard" / "reported")
    assert content(tmp_path / "board") == content(site)
    assert damaged.read_text() != "{"


def test_no_statement_and_no_human_reason(site: Path) -> None:
    known = {text for row in rows("mini")["test"] for text in (row.statement, row.reason)}
    for name, bytes_ in content(site).items():
        text = html.unescape(bytes_.decode())
        if packed := re.search(r'id="packed">([^<]*)<', text):
            text += gzip.decompress(base64.b64decode(packed[1])).decode()
        assert not [one for one in known if one in text], name


@pytest.mark.usefixtures("paper")
@pytest.mark.parametrize("split", ["paper", "clean"])
def test_places_in_the_published_files(split: str) -> None:
    """Where a viewer's own copy has each row."""
    for row in rows(split)["test"]:
        part, at = places(split)[row.row_id].split(":")
        found = rows("paper")[part][int(at)]
        assert (found.statement, found.reason, found.label) == (row.statement, row.reason, row.label)


def test_pages_hold_no_code_from_data(site: Path) -> None:
    """One policy a page, that of its own style and scripts; no handler, no style attribute, nothing from elsewhere."""
    for name, bytes_ in content(site).items():
        if name.endswith(".html"):
            text = bytes_.decode()
            (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
            assert policy.startswith("default-src 'none'; script-src 'sha256-")
            assert "unsafe" not in policy
            codes = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", text, flags=re.DOTALL)
            assert len(codes) == 3
            for code in codes:
                assert base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() in policy
                text = text.replace(code, "")
            assert not re.search(r"<[^>]*\s(?:on\w+|style|src)\s*=", text)
            links = set(re.findall(r'(?:href|url|action)="?((?:\w+:)?//[^" >]*)', text))
            assert links <= {"https://arxiv.org/abs/2408.11879", "https://example.org/m"}


def hostile_facts(one: Verified) -> Facts:
    """What no schema would let through, in every text that a submitter has a say in."""
    facts = facts_of(one)
    evil = "".join(HOSTILE)
    flag = Flag(evil, evil)
    tasks = {
        name: task.model_copy(
            update={
                "signature": f"dfar|split:mini|{evil}|prompt:{evil}",
                "codes": {evil: 3},
                "flags": [flag],
                "contamination": Contamination(None, 0, 0, evil),
                "harness": {evil: evil},
            }
        )
        for name, task in facts.tasks.items()
    }
    about = {"Link": evil, "Contact": f"https://{evil}", evil: evil}
    update = {"base": evil, "created": evil, "mode": evil, "about": about, "flags": [flag], "tasks": tasks}
    if facts.model == "acme/judge-7b":
        update["model"] = f"x/{HOSTILE[1]}".replace("/", "∕")
    return facts.model_copy(update=update)


@pytest.fixture(scope="session")
def hostile_site(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of hostile facts, as if the checks of submissions had let all through."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "facts_of", hostile_facts)
        build.build(tree, folder / "board", cache=folder / "cache")
    return folder / "board"


def test_hostile_texts_are_escaped(hostile_site: Path) -> None:
    for name, bytes_ in content(hostile_site).items():
        if name.endswith(".html"):
            text = bytes_.decode()
            assert "<script>document" not in text
            assert "<img" not in text
            assert len(re.findall(r"<script[ >]", text)) == 3 - (name == "index.html")
            assert "49" not in re.findall(r"{{ 7 \* 7 }}|\b49\b(?= {% raw)", text)


def test_data_ends_no_script_element() -> None:
    text = pages.data_block({"a": "</script><!--<script>"})
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><!--<script>"}


# Figures


def test_figures_place_what_they_show(tree: Path) -> None:
    group = board.groups(found_in(tree), {}, get_judge(), {})["mini"][0]
    drawn = charts.scatter(group)
    assert drawn is not None
    assert {point.entry.facts.model for point in drawn.points} == {
        "acme/judge-7b", "acme/judge-7b-l", "acme/judge-7b-lr", "zeta/has-met-them"
    }  # fmt: skip
    for point in drawn.points:
        acc, mar = point.entry.figure("cls", "acc")[0], point.entry.figure("reason", "mar")[0]
        assert acc is not None
        assert mar is not None
        assert math.isclose(
            (point.y - 366) / (16 - 366), (acc - drawn.y.low) / (drawn.y.high - drawn.y.low), abs_tol=1e-3
        )
        assert math.isclose(
            (point.x - 62) / (628 - 62), (mar - drawn.x.low) / (drawn.x.high - drawn.x.low), abs_tol=1e-3
        )
        x1, x2, y1, y2 = point.bars
        assert x1 <= point.x <= x2
        assert y1 >= point.y >= y2
    accuracy, mar_slope = charts.slopes(group)
    assert [entry.facts.mode for entry, *_ in accuracy.lines[0].places] == ["base", "l", "lr"]
    assert accuracy.lines[0].name == mar_slope.lines[0].name == "acme/judge-7b"


def test_nobody_takes_over_a_point_of_others(tree: Path) -> None:
    """Whoever names somebody else's base and an early day gets a line of their own, and a whole pair it must be."""

    def names(*imitated: str) -> list[str]:
        early = {"created": "2024-01-01"}
        found = found_in(tree)
        found += [
            one.model_copy(update={**early, "model": f"zeta/{one.mode}"}) for one in found if one.mode in imitated
        ]
        accuracy, _ = charts.slopes(board.groups(found, {}, get_judge(), {})["mini"][0])
        by_name = {line.name: [entry.facts.model for entry, *_ in line.places] for line in accuracy.lines}
        assert by_name["acme/judge-7b"] == ["acme/judge-7b", "acme/judge-7b-l", "acme/judge-7b-lr"]
        return sorted(by_name)

    assert names("l") == ["acme/judge-7b"]
    assert names("l", "lr") == ["acme/judge-7b", "acme/judge-7b by zeta"]


# Published tables


def test_published_figures(site: Path, tmp_path: Path) -> None:
    (table,) = read_reported(ROOT / "leaderboard" / "reported")
    by_name = {(row.model.lower().replace(" ", "_"), row.mode): row.figures for row in table.rows}
    assert {name: by_name[name, None]["paper"].acc for name in PUBLISHED} == PUBLISHED
    assert by_name["llama-2_7b", "lr"]["paper"].mar == 0.094
    (tmp_path / "x.json").write_text('{"title": "x"}')
    with pytest.raises(InputError, match=r"x\.json is not in the form of a published table: source: Field required\.$"):
        read_reported(tmp_path)


# The commands


def test_no_submissions_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "submissions").mkdir()
    assert cli.main(["board", "build", str(tmp_path / "submissions"), "--out", str(tmp_path / "board")]) == 0
    assert "no submissions yet" in (tmp_path / "board" / "index.html").read_text()
    assert cli.main(["board", "build", str(tmp_path / "nowhere"), "--out", str(tmp_path / "board")]) == 2
    assert "is no folder" in capsys.readouterr().err


def test_serving_on_loopback_under_strict_headers(site: Path) -> None:
    with server(site, 0) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        host, port = running.server_address[:2]
        assert host == "127.0.0.1"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/index.html") as answer:
            assert answer.read() == (site / "index.html").read_bytes()
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        for path in ("/runs/", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}")
        running.shutdown()


def test_serve_says_what_is_wrong_and_ends_quietly(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["board", "serve", "--out", str(tmp_path)]) == 2
    assert "is no board" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main(["board", "serve", "--out", str(site), "--port", str(port)]) == 2
    assert (
        capsys.readouterr().err
        == f"dfar-bench: port {port} is in use: choose another with --port (0 takes a free one).\n"
    )
    command = [sys.executable, "-m", "dfar_bench.cli", "board", "serve", "--out", str(site), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("http://127.0.0.1:")
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert (running.returncode, said) == (0, "")


# Continuous integration


def test_pull_requests_are_verified_by_our_code_and_without_secrets() -> None:
    workflows = ROOT / ".github" / "workflows"
    text = (workflows / "submissions.yml").read_text()
    flow = yaml.safe_load(text)
    assert set(flow[True]) == {"pull_request"}  # YAML reads "on" as true
    assert flow["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    (job,) = flow["jobs"].values()
    assert job["steps"][0]["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert job["steps"][0]["with"]["persist-credentials"] is False
    for one in ("submissions.yml", "board.yml"):
        for job in yaml.safe_load((workflows / one).read_text())["jobs"].values():
            for step in job["steps"]:
                # What a pull request says of itself must never be put into a command line.
                assert "${{" not in step.get("run", "")
