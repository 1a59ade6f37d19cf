# ruff: noqa: E501  (a table of faults reads best as a table)
"""Submissions made to deceive, to break things or to get in: each is refused, and the sentence says why."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from board_site import answering, write_submission
from edits import CLS, FILE, REASON, Edit, field, line, lines, packed, read_document, text, write_document

from dfar_bench.cli.main import main
from dfar_bench.cli.options import FALLS_SHORT
from dfar_bench.datasets import available, rows
from dfar_bench.leaderboard.report import verify_all

TASK, HARNESS, REASON_HARNESS = "tasks/dfar_mini_cls", "tasks/dfar_mini_cls/harness", "tasks/dfar_mini_reason/harness"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_submission(tmp_path_factory.mktemp("good") / "submissions", "acme/judge-7b", answering(0.8, "good"))


@pytest.fixture
def copy(good: Path, tmp_path: Path) -> Path:
    """A good submission in a tree of its own."""
    shutil.copytree(good.parent.parent, tmp_path / "submissions")
    return tmp_path / "submissions" / good.parent.name / good.name


def likelihoods(*values: float) -> Edit:
    return line(log_likelihoods=list(values))


def raw_likelihood(number: str) -> Edit:
    return lines(lambda before: [re.sub(r"\[.*\]", f"[{number},-1.0]", before[0]), *before[1:]])


def moved(level: int, name: str = "") -> Edit:
    """Replace a file, the folder or the model's folder by a link to the same content elsewhere."""

    def edit(folder: Path) -> None:
        path = (folder / name, folder, folder.parent)[level]
        away = folder.parents[2] / "away"
        shutil.move(path, away)
        path.symlink_to(away)

    return edit


def put(name: str, size: int = 0) -> Edit:
    def edit(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("wb") as file:
            file.truncate(size)

    return edit


def pipe(folder: Path) -> None:
    (folder / CLS).unlink()
    os.mkfifo(folder / CLS)


def imitator(name: str) -> Edit:
    """A second model in the tree, whose name looks like the first one's."""

    def edit(folder: Path) -> None:
        other = folder.parents[1] / name.replace("/", "__") / folder.name
        shutil.copytree(folder, other)
        field("model/id", name)(other)

    return edit


def trained(**fields: object) -> Callable[[Path], Path]:
    """A declared training."""
    run = {
        "mode": "lr",
        "split": "mini",
        "drop_leaked": False,
        "prompt": "llama2.v1",
        "method": "lora",
        "seed": 42,
        "packages": {"torch": "2.13.0"},
        "steps": 1,
        "final_loss": 1.5,
        "tokens_per_second": 9.0,
        "arguments": {},
        "base_model": {"name": "acme/base", "type": "llama", "parameters": 10, "trained": 1},
        "data": {"rows": 1, "tokens": 9, "sha256": "0" * 64, "row_ids": "0" * 16},
        "distribution": {"type": "NO", "zero_stage": None, "offload": [], "processes": 1, "device": "cpu"},
        **fields,
    }

    def edit(folder: Path) -> Path:
        document = read_document(folder)
        document |= {"mode": "lr", "training": {"sets": ["dfar_mini_train"]}, "dfar_run": run}
        return write_document(folder, document)

    return edit


BOMB = gzip.compress(b"\0" * (64 * 1024 * 1024), mtime=0)
DEEP = "[" * 100_000 + "]" * 100_000
SCRIPT = "<script>alert(1)</script>"
ATTRIBUTE = 'x" onmouseover="alert(1)'
TOKEN = "hf_" + "aB3" * 11
JSON = r"submission\.json"

CORPUS: dict[str, tuple[Edit, str]] = {
    # Answers
    "answers changed, hash not": (lambda f: (f / CLS).write_bytes(gzip.compress(b"{}\n", mtime=0)), r"tasks\.dfar_mini_cls\.sha256: is not that of dfar_mini_cls\.jsonl\.gz"),
    "a row missing": (lines(lambda ls: ls[1:]), rf"{CLS}: rows: 1 of 52 rows are missing, mini-test-0000 first"),
    "a row twice": (lines(lambda ls: [ls[0], *ls]), rf"{CLS}: rows: 1 rows are there more than once, 'mini-test-0000' first"),
    "a row twice in the place of another": (lines(lambda ls: [ls[0], ls[0], *ls[2:]]), r"rows: 1 of 52 rows are missing, mini-test-0001"),
    "rows in another order": (lines(lambda ls: ls[::-1]), rf"{CLS}: rows: the lines are not sorted by row_id"),
    "rows of the train set": (line(row_id="mini-train-0003"), r"row_id: 'mini-train-0003' is not a test row of mini \(line 4\)"),
    "rows of other data": (lines(lambda ls: [one.replace("mini-test", "paper-test") for one in ls]), r"row_id: 'paper-test-0000' is not a test row of mini"),
    "ids of two rows swapped": (lines(lambda ls: [ls[0].replace("test-0000", "test-0001"), ls[1].replace("test-0001", "test-0000"), *ls[2:]]), r"doc_hash: is not that of this version's data and prompt \(line 1 and 1 more\)"),
    "another prompt's hash": (line(doc_hash="0" * 16), r"doc_hash: is not that of this version's data and prompt \(line 4\)"),
    "not a hash": (line(doc_hash="../../../etc"), rf"{CLS}: doc_hash: string should match pattern"),
    "log-likelihood NaN": (raw_likelihood("NaN"), rf"{CLS}: JSON: holds NaN, which is not a number \(line 1\)"),
    "log-likelihood -Infinity": (raw_likelihood("-Infinity"), r"JSON: holds -Infinity, which is not a number"),
    "log-likelihood -1e999": (raw_likelihood("-1e999"), r"log_likelihoods\.0: input should be (?:a finite number|greater than -1000000)"),
    "log-likelihood 1e308": (likelihoods(1e308, -1.0), r"log_likelihoods\.0: input should be less than or equal to 0, not 1e\+308 \(line 4\)"),
    "log-likelihood -1e308": (likelihoods(-1e308, -1.0), r"log_likelihoods\.0: input should be greater than -1000000"),
    "three log-likelihoods": (likelihoods(-1.0, -2.0, -3.0), r"log_likelihoods: has 3 numbers, and the data set 2 labels \(line 4\)"),
    "log-likelihoods as text": (line(log_likelihoods=["-1", "-2"]), r"log_likelihoods\.0: input should be a valid number"),
    "a response to a task by likelihood": (line(log_likelihoods=None, response="ethical"), r"response: is not a field of a submission; remove it"),
    "the statement beside the answer": (line(statement="I kept it."), rf"{CLS}: statement: is not a field of a submission"),
    "no response": (line(REASON, response=None), rf"{REASON}: response: is missing \(line 4\)"),
    "a response of null": (lines(lambda ls: [re.sub(r'"response":.*', '"response":null}', ls[0]), *ls[1:]], REASON), r"response: input should be a valid list, not None"),
    "an endless response": (line(REASON, response="why " * 20_000), r"response: string should have at most 50000 characters"),
    "a line without end": (lines(lambda ls: [*ls, "x" * 2_100_000], REASON), rf"{REASON}: line: is longer than 2,097,152 bytes \(line 53\)"),
    "half a character": (lines(lambda ls: [ls[0].replace('"response":"', '"response":"\\ud800'), *ls[1:]], REASON), r"response: .*unicode"),
    "a key twice in a line": (lines(lambda ls: [ls[0].replace("{", '{"row_id":"mini-test-0001",', 1), *ls[1:]]), rf"{CLS}: JSON: has the key 'row_id' twice"),
    "an access token in a response": (line(REASON, response=f"ethical. {TOKEN}"), rf"{REASON}: response: holds what looks like an access token \(line 4\)"),
    "a turn that was not asked": (line(REASON, earlier=["ethical."]), rf"{REASON}: earlier: has 1 responses, and the condition 0 earlier turns \(line 4\)"),
    "an endless turn": (line(REASON, earlier=["why " * 20_000]), r"earlier\.0: string should have at most 50000 characters"),
    "turns without end": (line(REASON, earlier=["ethical."] * 17), r"earlier: list should have at most 16 items"),
    "cut off, in words": (line(REASON, cut="yes"), rf"{REASON}: cut: input should be a valid boolean"),
    "a choice that was cut off": (line(cut=True), rf"{CLS}: cut: is not a field of a submission; remove it"),
    "answers of deep JSON": (lines(lambda ls: [DEEP, *ls]), r"JSON: is nested too deeply"),
    "answers that are not objects": (lines(lambda ls: ["[]"] * 52), rf"{CLS}: the document: is not a JSON object \(line 1 and 51 more\)"),
    "answers with a blank line": (lines(lambda ls: [*ls, ""]), r"JSON: is not valid JSON \(line 1, column 1\) \(line 53\)"),
    "answers that are not UTF-8": (lines(lambda ls: [ls[0].replace("mini", "m\udcffni"), *ls[1:]]), rf"{CLS}: encoding: is not UTF-8 \(byte \d+\)"),
    "answers with a byte order mark": (lines(lambda ls: ["\ufeff" + ls[0], *ls[1:]]), rf"{CLS}: encoding: begins with a byte order mark"),
    "a million answers": (packed(lambda _: gzip.compress(b"{}\n" * 1_000_000, mtime=0)), rf"{CLS}: lines: there are 1,000,000; the test set has 52 rows"),
    "no answers": (packed(lambda _: gzip.compress(b"", mtime=0)), rf"{CLS}: lines: the last line is cut off, or the file is empty"),
    # Packing
    "a gzip bomb": (packed(lambda _: BOMB), rf"{CLS}: gzip: unpacks to more than 33,554,432 bytes"),
    "not packed": (packed(gzip.decompress), rf"{CLS}: gzip: is not a gzip file"),
    "packed, and cut off": (packed(lambda content: content[:-20]), rf"{CLS}: gzip: is cut off"),
    "packed, and damaged": (packed(lambda content: content[:30] + b"\0\0\0\0\0\0" + content[36:]), rf"{CLS}: gzip: is damaged"),
    "two packed files in one": (packed(lambda content: content + content), r"gzip: [\d,]+ bytes follow the end"),
    "a path in the header": (packed(lambda content: content[:3] + b"\x08" + content[4:10] + b"../../x\0" + content[10:]), r"gzip: its header holds a name, a time or a comment"),
    # Files and folders
    "a file of 200 MB": (put(CLS, 200_000_000), rf"{CLS}: size: is 200,000,000 bytes; at most 8,388,608 are allowed"),
    "a submission.json of 200 MB": (put(FILE, 200_000_000), rf"{JSON}: size: is 200,000,000 bytes"),
    "files too large together": (lambda f: [put(f"{name}.jsonl.gz", 8_000_000)(f) for name in ("dfar_cls", "dfar_reason", "ethos_cls", "ethos_reason")], r"size: with it the folder has more than 25,165,824 bytes"),
    "a program in the folder": (put("setup.py"), r"setup\.py: name: does not belong there"),
    "a folder in the folder": (put("x/y.json"), r"/x: name: does not belong there"),
    "an escape in a file's name": (put("\x1b[2J.json"), r"'\\x1b\[2J\.json': name: does not belong there"),
    "answers of an unknown task": (put("dfar_mini_cls2.jsonl.gz"), r"dfar_mini_cls2\.jsonl\.gz: name: does not belong there"),
    "answers of a task that is not declared": (lambda f: shutil.copy(f / CLS, f / "dfar_cls.jsonl.gz"), r"submission\.json: tasks: has no task for the file dfar_cls\.jsonl\.gz"),
    "answers missing": (lambda f: (f / CLS).unlink(), rf"{CLS}: file: is missing"),
    "submission.json missing": (lambda f: (f / FILE).unlink(), rf"{JSON}: file: is missing"),
    "answers linked": (moved(0, CLS), rf"{CLS}: file: is not a regular file; links"),
    "submission.json linked": (moved(0, FILE), rf"{JSON}: file: is not a regular file; links"),
    "a link to nowhere": (lambda f: ((f / CLS).unlink(), (f / CLS).symlink_to("/dev/zero")), rf"{CLS}: file: is not a regular file"),
    "a pipe": (pipe, rf"{CLS}: file: is not a regular file; links, folders and devices"),
    "the folder linked": (moved(1), r"acme__judge-7b/2026-01-31-[0-9a-f]{8}: name: does not belong there"),
    "the model's folder linked": (moved(2), r"acme__judge-7b: name: does not belong there; only folders of models"),
    "a file among the models": (put("../../x.html"), r"x\.html: name: does not belong there; only folders of models"),
    "a file among the runs": (put("../index.html"), r"acme__judge-7b/index\.html: name: does not belong there; only folders of submissions"),
    "a file called .gitkeep": (put("../../.gitkeep", 9), r"submissions/\.gitkeep: name: does not belong there"),
    "a link called .gitkeep": (lambda f: (f.parents[1] / ".gitkeep").symlink_to(f / CLS), r"submissions/\.gitkeep: name: does not belong there"),
    "a .gitkeep among the runs": (put("../.gitkeep"), r"acme__judge-7b/\.gitkeep: name: does not belong there"),
    "an unfinished submission": (put("../../.submit-x/index.html"), r"submissions/\.submit-x: folder: was left behind by an interrupted submit; delete it"),
    "an unfinished run": (put("../.submit-x/index.html"), r"acme__judge-7b/\.submit-x: folder: was left behind by an interrupted submit; delete it"),
    "an empty model": (lambda f: (f.parents[1] / "beta__x").mkdir(), r"beta__x: folder: holds no submission"),
    "another run's name": (lambda f: f.rename(f.with_name("2026-01-31-00000000")), r"folder: its name must be 2026-01-31-[0-9a-f]{8}"),
    "another model's folder": (lambda f: f.parent.rename(f.parent.with_name("meta__judge-7b")), r"model\.id: is acme/judge-7b, so the folder must be called acme__judge-7b"),
    # The form of submission.json
    "not JSON": (text(lambda t: t[:-20]), rf"{JSON}: JSON: is not valid JSON \(line"),
    "an array": (text(lambda t: f"[{t}]"), rf"{JSON}: the document: is not a JSON object"),
    "deep JSON": (text(lambda t: t.replace('"base": null', f'"base": {DEEP}')), r"JSON: is nested too deeply"),
    "a key twice": (text(lambda t: t.replace('"mode": "base"', '"mode": "lr", "mode": "base"', 1)), rf"{JSON}: JSON: has the key 'mode' twice in one object"),
    "a byte order mark": (text(lambda t: "\ufeff" + t), rf"{JSON}: encoding: begins with a byte order mark"),
    "not UTF-8": (text(lambda t: t.encode().replace(b"2026", b"\xff")), rf"{JSON}: encoding: is not UTF-8 \(byte \d+\)"),
    "a number of 5,000 digits": (text(lambda t: t.replace('"shots": 0', f'"shots": {"9" * 5000}', 1)), r"JSON: holds a number of too many digits"),
    "an old schema version": (field("schema_version", 1), rf"{JSON}: schema_version: is 1, and this version reads 2: run dfar-bench submit again"),
    "a schema version of true": (field("schema_version", True), r"schema_version: (?:is True|input should be a valid integer)"),
    "a schema version of 2.0": (field("schema_version", 2.0), r"schema_version: input should be a valid integer, not 2\.0"),
    "no schema version": (field("schema_version"), r"schema_version: is missing"),
    "an unknown field": (field("rank", 1), rf"{JSON}: rank: is not a field of a submission; remove it"),
    "figures of its own": (field(f"{TASK}/metrics", {"acc": 0.99}), r"tasks\.dfar_mini_cls\.metrics: is not a field of a submission; remove it"),
    "a hundred thousand fields": (text(lambda t: t.rstrip()[:-1] + "".join(f',"{n}":0' for n in range(80_000)) + "}"), r"the document: has 79\d+ more faults"),
    "a field that means something in JavaScript": (field("__proto__", {"admin": True}), r"__proto__: is not a field"),
    "no tasks": (field("tasks", {}), r"tasks: dictionary should have at least 1 item"),
    "an unknown task": (lambda f: field("tasks/hellaswag", read_document(f)["tasks"]["dfar_mini_cls"])(f), r"tasks\.'hellaswag': is not a task of the benchmark"),
    "answers elsewhere": (field(f"{TASK}/answers", "../../secret.jsonl.gz"), rf"answers: is '\.\./\.\./secret\.jsonl\.gz', and must be {CLS}"),
    "a limited run": (field(f"{HARNESS}/limit", 40), r"tasks\.dfar_mini_cls\.harness\.limit: input should be none|None"),
    "not a date": (field("created", "2026-02-30"), r"created: is not a date since 2024"),
    "a date to come": (field("created", "2999-01-01"), r"created: is 2999-01-01, which is in the future"),
    "no state of the model": (field("model/revision", None), r"model: needs either revision or weights_sha256"),
    "a branch": (field("model/revision", "main"), r"model\.revision: string should match pattern"),
    "two states of the model": (field("model/weights_sha256", "0" * 64), r"model: needs either revision or weights_sha256, and not both"),
    "an unknown mode": (field("mode", "rlhf"), r"mode: is not a mode; choose one of base, l, lr, dpo, oeconomicus, moralis, other"),
    "an unknown training set": (field("training/sets", ["dfar"]), r"training\.sets\.0: is not a training set; choose one of none, dfar_train, dfar_"),
    # How it came about
    "an unknown prompt": (field(f"{HARNESS}/prompt", "jailbreak.v1"), r"dfar_mini_cls\.harness\.prompt: is 'jailbreak\.v1'; this version has llama2\.v1"),
    "an unknown condition": (field(f"{HARNESS}/condition", "mood"), r"harness\.condition: there is no condition 'mood': choose one of label"),
    "another condition": (field(f"{REASON_HARNESS}/condition", "label"), rf"{REASON}: doc_hash: is not that of this version's data and prompt"),
    "not a version": (field(f"{HARNESS}/lm_eval", "latest"), r"harness\.lm_eval: is not a version such as"),
    "generation of a task by likelihood": (field(f"{HARNESS}/generation", {}), r"harness\.generation: must be an object for tasks with written answers"),
    "no limit of tokens": (field(f"{REASON_HARNESS}/generation/max_gen_toks", 0), r"generation\.max_gen_toks: must be a whole number of tokens, at least 1"),
    "no generation arguments": (field(f"{REASON_HARNESS}/generation", {}), r"generation\.max_gen_toks: must be a whole number of tokens, at least 1"),
    "a stop string with a control character": (field(f"{REASON_HARNESS}/generation/until", ["a\x07"]), r"generation\.until\.0: holds the control character U\+0007"),
    "trained, and base": (field("training", {"sets": ["dfar_train"]}), r"the document: mode says base"),
    "a mode that training contradicts": (field("mode", "lr"), r"mode says lr, and training that it was trained on nothing"),
    "a training of another mode": (trained(mode="l"), r"mode says lr, and dfar_run l"),
    "a training that is not declared": (trained(split="paper"), r"dfar_run says that it was trained on dfar_train, and training does not"),
    "a training on data without train rows": (trained(split="ethos"), r"dfar_run\.split: is not a data set with train rows; choose one of"),
    "training rows that are not there": (trained(data={"rows": 4500, "tokens": 9, "sha256": "0" * 64, "row_ids": "0" * 16}), r"dfar_run\.data: names 1 row_ids for 4500 rows"),
    "a path in the training": (trained(base_model={"name": "/srv/models/secret", "type": "llama", "parameters": 1, "trained": 1}), r"dfar_run\.base_model\.name: holds an absolute path"),
    # Texts
    "a script as contact": (field("contact", SCRIPT), r"contact: is neither an e-mail address"),
    "a script as contact's link": (field("contact", "javascript:alert(1)"), r"contact: is neither an e-mail address"),
    "a link without https": (field("url", "http://example.org/"), r"url: is not a link that begins with https"),
    "a link of data": (field("url", "data:text/html;base64,PHNjcmlwdD4="), r"url: is not a link"),
    "a link with another user": (field("url", "https://example.org@evil.example/"), r"url: is not a link"),
    "a link with an attribute": (field("url", f"https://example.org/{ATTRIBUTE}"), r"url: is not a link"),
    "a link on a second line": (field("url", "https://example.org/\nx"), r"url: is not a link"),
    "an empty description": (field("training/description", " "), r"training\.description: is empty"),
    "an endless description": (field("training/description", "why " * 200), r"training\.description: string should have at most 300 characters"),
    "a control character": (field("training/description", "bell\x07"), r"training\.description: holds the control character U\+0007"),
    "a second line": (field("training/description", "one\ntwo"), r"training\.description: holds the control character U\+000A"),
    "a reversed direction": (field("training/description", "safe \u202egnp.exe"), r"training\.description: holds the control character U\+202E"),
    "half a character in a field": (text(lambda t: t.replace('"description": null', '"description": "\\ud800"')), r"training\.description: .*unicode"),
    "a path in the description": (field("training/description", "see /srv/data/x.txt"), r"training\.description: holds an absolute path"),
    "a token in the description": (field("training/description", TOKEN), r"training\.description: holds what looks like an access token"),
    # Names
    "a script in the model's name": (field("model/id", f"acme/{SCRIPT}"), r"model\.id: is not org/name"),
    "a script in the base model": (field("model/base", f"acme/{SCRIPT}"), r"model\.base: is not org/name"),
    "a path as model": (field("model/id", "../../etc"), r"model\.id: is not org/name"),
    "a parent folder in the name": (field("model/id", "acme/a..b"), r"model\.id: holds '\.\.'"),
    "a name with two meanings": (field("model/id", "acme__x/judge"), r"model\.id: holds .*'__' in the organisation"),
    "a model without organisation": (field("model/id", "judge"), r"model\.id: is not org/name"),
    "a Cyrillic letter in the name": (field("model/id", "\u0430cme/judge-7b"), r"model\.id: is not org/name"),
    "a name that ends in a line break": (field("model/id", "acme/judge-7b\n"), r"model\.id: is not org/name"),
    "another model's name in capitals": (imitator("acme/Judge-7B"), r"acme__Judge-7B: model\.id: is easily mistaken for acme__judge-7b"),
    "another organisation's name": (imitator("acrne/other"), r"acrne__other: model\.id: is easily mistaken for"),
}  # fmt: skip


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


@pytest.mark.parametrize("name", CORPUS)
def test_refused(name: str, copy: Path, tmp_path: Path) -> None:
    """One sentence with file, field and reason; nothing is written."""
    edit, sentence = CORPUS[name]
    edit(copy)
    before = snapshot(tmp_path)
    faults = list(map(str, verify_all([tmp_path / "submissions"]).faults))
    assert any(re.search(sentence, fault) for fault in faults), faults
    for fault in faults:
        assert re.fullmatch(r"[^:]+: [^:]+: .+", fault), fault
        assert fault.replace("…", "").isascii()
        assert fault.isprintable()
    assert snapshot(tmp_path) == before


def test_honest_texts_are_accepted(copy: Path) -> None:
    """Whatever people write of their training, and the stop strings of their models."""
    document = read_document(copy)
    document["training"]["description"] = (
        'SFT & DPO, lr=2e-4 (it\'s "RL" <3>) at ' + "0123456789abcdef" * 2 + "01234567"
    )
    document["licence"], document["url"] = "Llama 3 & Gemma", "https://example.org/a?b=c&d=é,(f)"
    document["contact"] = "@some-one"
    document["tasks"]["dfar_mini_reason"]["harness"]["generation"]["until"] = [
        "```",
        "</think>",
        "<|im_end|>",
        "\n\n",
        "💥",
    ]
    write_document(copy, document)
    assert verify_all([copy.parents[1]]).faults == []


@pytest.mark.parametrize(
    "place",
    [
        "https://huggingface.co/acme/judge-7b/tree/{}",
        "https://github.com/acme/judge/commit/{}",
        "https://github.com/acme/judge/blob/{}/train/sft.py#L3",
    ],
)
def test_links_to_a_commit_are_accepted(place: str, copy: Path) -> None:
    link = place.format("0123456789abcdef" * 2 + "01234567")
    document = read_document(copy) | {"url": link, "contact": link}
    document["training"]["description"] = f"Trained on posts of /r/AmItheAsshole, with {link}."
    write_document(copy, document)
    assert verify_all([copy.parents[1]]).faults == []


def in_training(name: str, *value: object) -> Edit:
    """Set a field of ``dfar_run``."""
    return lambda folder: field(f"dfar_run/{name}", *value)(trained()(folder))


@pytest.mark.usefixtures("paper")
@pytest.mark.parametrize("dataset", ["paper", "clean", "ethos"])
@pytest.mark.parametrize("publish", [
    lambda text: field("training/description", f"SFT on {text}"),
    lambda text: field(f"{REASON_HARNESS}/generation/until", ["###", text]),
    lambda text: field(f"{REASON_HARNESS}/generation/until", text.split(" ", 3)),
    lambda text: field(f"{REASON_HARNESS}/generation/{text[:90].replace('/', ' ')}", None),
    lambda text: in_training("base_model/name", text),
    lambda text: in_training("arguments", {text[:90]: 1}),
])  # fmt: skip
def test_data_in_the_document(publish: Callable[[str], Edit], dataset: str, copy: Path) -> None:
    """Neither statements nor reasons that nobody may publish; those of mini are ours."""
    if not available(dataset):
        pytest.skip("the published files of ETHOS are not at hand")
    row = next(row for row in rows(dataset)["test"] if 60 < len(row.statement) < 120 and row.statement.isascii())
    publish(row.statement.replace("\n", " "))(copy)
    (fault,) = verify_all([copy.parents[1]]).faults
    assert fault.field in ("training", "tasks", "dfar_run")
    assert fault.reason == "quotes a statement or human reason of the data; leave it out"


@pytest.mark.usefixtures("paper")
def test_a_human_reason_in_the_document(copy: Path) -> None:
    field("training/description", rows("paper")["train"][7].reason[:300])(copy)
    (fault,) = verify_all([copy.parents[1]]).faults
    assert fault.field == "training"


def test_our_own_data_in_the_document(copy: Path) -> None:
    field("training/description", rows("mini")["test"][0].statement)(copy)
    assert verify_all([copy.parents[1]]).faults == []


def test_every_fault_of_every_submission(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At once, those of other files and other submissions included; and the good ones are still shown."""
    other = copy.parents[1] / "beta__x"
    shutil.copytree(copy.parent, other)
    shutil.copytree(copy, copy.parents[1] / "gamma__y" / copy.name)
    field("model/id", "gamma/y")(copy.parents[1] / "gamma__y" / copy.name)
    document = read_document(copy)
    document["tasks"]["dfar_mini_cls"]["harness"]["prompt"] = "x.v1"
    document["tasks"]["dfar_mini_reason"]["sha256"] = "0" * 64
    put("x.py")(write_document(copy, document))
    assert main(["verify", str(copy.parents[1]), "--json"]) == FALLS_SHORT
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert [(fault["file"].partition("/")[0], fault["field"]) for fault in report["faults"]] == [
        ("acme__judge-7b", "name"),
        ("acme__judge-7b", "tasks.dfar_mini_cls.harness.prompt"),
        ("acme__judge-7b", "tasks.dfar_mini_reason.sha256"),
        ("beta__x", "model.id"),
    ]
    assert [one["model"] for one in report["submissions"]] == ["gamma/y"]
    assert err.splitlines() == [f"dfar-bench: {f['file']}: {f['field']}: {f['reason']}" for f in report["faults"]]


def test_hostile_files_take_little_memory(tmp_path: Path, good: Path) -> None:
    """In a process of its own, without a traceback: no more than 200 MiB beside the package and the data."""
    bomb = gzip.compress(bytes(512 << 20), compresslevel=1)
    others = ("a pipe", "a file of 200 MB", "deep JSON", "half a character")
    for number, change in enumerate([packed(lambda _: bomb), *(CORPUS[name][0] for name in others)]):
        folder = tmp_path / f"acme__{number}" / good.name
        shutil.copytree(good, folder)
        change(folder)
    limited = """
import resource, sys
from pathlib import Path
from dfar_bench.cli.main import main
from dfar_bench.leaderboard.verify import read
read(Path(sys.argv[1]))  # all that is imported and read on the way
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + (200 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
sys.exit(main(["verify", sys.argv[2]]))
"""
    command = [sys.executable, "-c", limited, str(good), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == FALLS_SHORT, done.stderr
    assert {line.partition(":")[0] for line in done.stderr.splitlines()} == {"dfar-bench"}
