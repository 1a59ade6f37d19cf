# ruff: noqa: E501  (a table of faults reads best as a table)
"""Submissions that somebody made to deceive, to break or to get in: each is refused, and the sentence says why."""

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
from typing import Any

import pytest
from made_submissions import (
    CLS,
    REASON,
    answer_lines,
    made_submission,
    read_document,
    sealed,
    with_answers,
)

from dfar_bench.cli import main
from dfar_bench.commands import FALLS_SHORT, FINE

Mutation = Callable[[Path], object]

TASK = "tasks.dfar_mini_cls"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_submission(tmp_path_factory.mktemp("good") / "submissions")


@pytest.fixture
def copy(good: Path, tmp_path: Path) -> Path:
    """A good submission in a tree of its own."""
    shutil.copytree(good.parent.parent, tmp_path / "submissions")
    return tmp_path / "submissions" / good.parent.name / good.name


def field(place: str, value: object) -> Mutation:
    """Put a value at a place in ``submission.json``, such as ``tasks.dfar_mini_cls.rows``."""

    def mutate(folder: Path) -> None:
        document = read_document(folder)
        *inner, last = place.split("/")
        at = document
        for name in inner:
            at = at[name]
        at[last] = value
        sealed(folder, document)

    return mutate


def without(place: str) -> Mutation:
    def mutate(folder: Path) -> None:
        document = read_document(folder)
        *inner, last = place.split("/")
        at = document
        for name in inner:
            at = at[name]
        del at[last]
        sealed(folder, document)

    return mutate


def claim(metric: str, change: float, task: str = "dfar_mini_cls") -> Mutation:
    def mutate(folder: Path) -> None:
        document = read_document(folder)
        document["tasks"][task]["metrics"][metric] += change
        sealed(folder, document)

    return mutate


def swap_claims(folder: Path) -> None:
    document = read_document(folder)
    metrics = document["tasks"]["dfar_mini_cls"]["metrics"]
    metrics["fpr"], metrics["acc"] = metrics["acc"], metrics["fpr"]
    sealed(folder, document)


def signed(old: str, new: str, task: str = "dfar_mini_reason") -> Mutation:
    def mutate(folder: Path) -> None:
        document = read_document(folder)
        assert re.search(old, document["tasks"][task]["signature"])
        document["tasks"][task]["signature"] = re.sub(old, new, document["tasks"][task]["signature"])
        sealed(folder, document)

    return mutate


def text(change: Callable[[str], str | bytes]) -> Mutation:
    """Change the text of ``submission.json``."""

    def mutate(folder: Path) -> None:
        changed = change((folder / "submission.json").read_text())
        sealed(folder, changed if isinstance(changed, bytes) else changed.encode())

    return mutate


def lines(change: Callable[[list[str]], list[str]], file: str = CLS) -> Mutation:
    """Change the lines of an answers file, with its hash and the folder's name in keeping."""

    def mutate(folder: Path) -> None:
        changed = "".join(f"{line}\n" for line in change(answer_lines(folder, file)))
        with_answers(folder, file, gzip.compress(changed.encode("utf-8", "surrogateescape"), mtime=0))

    return mutate


def line(change: Callable[[dict[str, Any]], object], file: str = CLS, number: int = 3) -> Mutation:
    def edit(found: list[str]) -> list[str]:
        answer = json.loads(found[number])
        change(answer)
        return [*found[:number], json.dumps(answer), *found[number + 1 :]]

    return lines(edit, file)


def packed(change: Callable[[bytes], bytes], file: str = CLS) -> Mutation:
    """Change the packed bytes of an answers file."""
    return lambda folder: with_answers(folder, file, change((folder / file).read_bytes()))


def likelihoods(*values: float) -> Mutation:
    return line(lambda answer: answer.update(log_likelihoods=list(values)))


def raw_likelihood(number: str) -> Mutation:
    return lines(lambda found: [re.sub(r"\[.*\]", f"[{number},-1.0]", found[0]), *found[1:]])


def swap_answers(found: list[str]) -> list[str]:
    """The answers of two rows with other labels change places, ids and hashes do not."""
    one, other = json.loads(found[0]), json.loads(found[1])
    one["log_likelihoods"], other["log_likelihoods"] = other["log_likelihoods"], one["log_likelihoods"]
    return [json.dumps(one), json.dumps(other), *found[2:]]


def link(name: str) -> Mutation:
    """Put a link in the place of a file, to the same content elsewhere."""

    def mutate(folder: Path) -> None:
        away = folder.parents[2] / "away"
        shutil.move(folder / name, away)
        (folder / name).symlink_to(away)

    return mutate


def linked_folder(folder: Path) -> None:
    away = folder.parents[2] / "away"
    shutil.move(folder, away)
    folder.symlink_to(away)


def linked_model(folder: Path) -> None:
    away = folder.parents[2] / "away"
    shutil.move(folder.parent, away)
    folder.parent.symlink_to(away)


def put(name: str, content: bytes = b"") -> Mutation:
    def mutate(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return mutate


def sparse(name: str, size: int) -> Mutation:
    def mutate(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.truncate(size)

    return mutate


def pipe(folder: Path) -> None:
    (folder / CLS).unlink()
    os.mkfifo(folder / CLS)


def imitator(name: str) -> Mutation:
    """A second model in the tree, whose name looks like the first one's."""

    def mutate(folder: Path) -> None:
        other = folder.parents[1] / name.replace("/", "__") / folder.name
        shutil.copytree(folder, other)
        document = read_document(other)
        document["model"]["id"] = name
        sealed(other, document)

    return mutate


def renamed(name: str) -> Mutation:
    return lambda folder: folder.parent.rename(folder.parent.with_name(name))


def run(**fields: object) -> Mutation:
    """A declared training."""
    trained = {
        "mode": "lr", "split": "mini", "drop_leaked": False, "prompt": "llama2.v1", "method": "lora", "seed": 42,
        "base_model": {"name": "acme/base", "type": "llama", "parameters": 10, "trained": 1},
        "data": {"rows": 1, "tokens": 9, "sha256": "0" * 64, "row_ids": "0" * 16},
        "packages": {"torch": "2.13.0"}, "steps": 1, "final_loss": 1.5, "tokens_per_second": 9.0, "arguments": {},
        "distribution": {"type": "NO", "zero_stage": None, "offload": [], "processes": 1, "device": "cpu"},
    }  # fmt: skip

    def mutate(folder: Path) -> None:
        document = read_document(folder)
        document |= {"mode": "lr", "training": {"sets": ["dfar_mini_train"]}, "dfar_run": {**trained, **fields}}
        sealed(folder, document)

    return mutate


BOMB = gzip.compress(b"\0" * (64 * 1024 * 1024), mtime=0)
DEEP = "[" * 100_000 + "]" * 100_000
SCRIPT = "<script>alert(1)</script>"
ATTRIBUTE = 'x" onmouseover="alert(1)'
HARNESS = f"{TASK}/harness".replace(".", "/")
CLS_TASK = TASK.replace(".", "/")
REASON_HARNESS = "tasks/dfar_mini_reason/harness"
JSON = r"submission\.json"

CORPUS: dict[str, tuple[Mutation, str]] = {
    # Claims
    "a claim inflated by 0.002": (claim("acc", 0.002), rf"{JSON}: {TASK}\.metrics\.acc: is claimed to be 0\.\d+, and the answers give 0\.\d+"),
    "a claim inflated by a millionth": (claim("acc_unleaked", 1e-6), r"metrics\.acc_unleaked: is claimed to be"),
    "a claim lowered": (claim("mar", -0.002, "dfar_mini_reason"), r"tasks\.dfar_mini_reason\.metrics\.mar: is claimed to be"),
    "claims of two metrics swapped": (swap_claims, r"metrics\.fpr: is claimed to be"),
    "a claim of null": (field(f"{CLS_TASK}/metrics/acc", None), r"metrics\.acc: is claimed to be null, and the answers give 0\."),
    "a claim of true": (field(f"{CLS_TASK}/metrics/acc", True), rf"{TASK}\.metrics\.acc: input should be a valid number, not True"),
    "a claim as text": (field(f"{CLS_TASK}/metrics/acc", "0.99"), r"metrics\.acc: input should be a valid number, not '0\.99'"),
    "a claim left out": (without(f"{CLS_TASK}/metrics/ece"), r"metrics\.ece: is missing"),
    "a metric too many": (field(f"{CLS_TASK}/metrics/wisdom", 1.0), r"metrics\.wisdom: is no metric of this task"),
    "no metrics": (field(f"{CLS_TASK}/metrics", {}), r"metrics\.acc: is missing"),
    "a claim of NaN": (text(lambda t: re.sub(r'"acc": [0-9.]+', '"acc": NaN', t)), rf"{JSON}: JSON: holds NaN, which is no number"),
    "a claim of Infinity": (text(lambda t: re.sub(r'"acc": [0-9.]+', '"acc": Infinity', t)), r"JSON: holds Infinity"),
    "a claim beyond all numbers": (text(lambda t: re.sub(r'"acc": [0-9.]+', '"acc": 1e999', t)), r"metrics\.acc: input should be a finite number"),
    # Answers
    "answers changed after the claim": (lines(swap_answers), rf"{TASK}\.metrics\.brier: is claimed to be"),
    "answers changed, hash not": (lambda f: (f / CLS).write_bytes(gzip.compress(b"{}\n", mtime=0)), rf"{TASK}\.sha256: is not that of dfar_mini_cls\.jsonl\.gz"),
    "a row missing": (lines(lambda found: found[1:]), rf"{CLS}: rows: 1 of 52 rows are missing, mini-test-0000 first"),
    "a row twice": (lines(lambda found: [found[0], *found]), rf"{CLS}: rows: 1 rows stand there more than once, 'mini-test-0000' first"),
    "a row twice in the place of another": (lines(lambda found: [found[0], found[0], *found[2:]]), r"rows: 1 of 52 rows are missing, mini-test-0001"),
    "rows in another order": (lines(lambda found: found[::-1]), rf"{CLS}: rows: the lines are not sorted by row_id"),
    "rows of the train set": (line(lambda a: a.update(row_id="mini-train-0003")), r"row_id: 'mini-train-0003' is no test row of mini \(line 4\)"),
    "rows of another split": (lines(lambda found: [one.replace("mini-test", "paper-test") for one in found]), r"row_id: 'paper-test-0000' is no test row of mini"),
    "ids of two rows swapped": (lines(lambda found: [found[0].replace("test-0000", "test-0001"), found[1].replace("test-0001", "test-0000"), *found[2:]]), r"doc_hash: is not that of this version's data and prompt \(line 1 and 1 more\)"),
    "another prompt's hash": (line(lambda a: a.update(doc_hash="0" * 16)), r"doc_hash: is not that of this version's data and prompt \(line 4\)"),
    "a hash that is none": (line(lambda a: a.update(doc_hash="../../../etc")), rf"{CLS}: doc_hash: string should match pattern"),
    "log-likelihood NaN": (raw_likelihood("NaN"), rf"{CLS}: JSON: holds NaN, which is no number \(line 1\)"),
    "log-likelihood -Infinity": (raw_likelihood("-Infinity"), r"JSON: holds -Infinity, which is no number"),
    "log-likelihood -1e999": (raw_likelihood("-1e999"), r"log_likelihoods\.0: input should be (?:a finite number|greater than -1000000)"),
    "log-likelihood 1e308": (likelihoods(1e308, -1.0), r"log_likelihoods\.0: input should be less than or equal to 0, not 1e\+308 \(line 4\)"),
    "log-likelihood -1e308": (likelihoods(-1e308, -1.0), r"log_likelihoods\.0: input should be greater than -1000000"),
    "log-likelihood positive": (likelihoods(-1.0, 0.25), r"log_likelihoods\.1: input should be less than or equal to 0"),
    "three log-likelihoods": (likelihoods(-1.0, -2.0, -3.0), r"log_likelihoods: list should have at most 2 items"),
    "log-likelihoods as text": (line(lambda a: a.update(log_likelihoods=["-1", "-2"])), r"log_likelihoods\.0: input should be a valid number"),
    "a response in the place of log-likelihoods": (line(lambda a: (a.pop("log_likelihoods"), a.update(response="ethical"))), r"response: is not a field of a submission; remove it"),
    "the statement beside the answer": (line(lambda a: a.update(statement="I kept it.")), rf"{CLS}: statement: is not a field of a submission"),
    "the human reason beside the answer": (line(lambda a: a.update(reason="It was promised."), REASON), rf"{REASON}: reason: is not a field"),
    "no response": (line(lambda a: a.pop("response"), REASON), rf"{REASON}: the document: needs either response or sealed, and not both \(line 4\)"),
    "a response both in clear and sealed": (line(lambda a: a.update(sealed="AAAA"), REASON), r"the document: needs either response or sealed, and not both"),
    "sealed without end": (line(lambda a: (a.pop("response"), a.update(sealed="A" * 266_684)), REASON), r"sealed: string should have at most 266680 characters"),
    "sealed, and no base64": (line(lambda a: (a.pop("response"), a.update(sealed="AAAA\nAAAA")), REASON), r"sealed: is no base64; write it with dfar-bench submit \(line 4\)"),
    "sealed, and no text": (line(lambda a: (a.pop("response"), a.update(sealed=7)), REASON), r"sealed: input should be a valid string, not 7"),
    "sealed zeros": (line(lambda a: (a.pop("response"), a.update(sealed="AAAA" * 66_670)), REASON), r"sealed: does not open with the data: it is damaged, or another row's \(line 4\)"),
    "a response that is no text": (line(lambda a: a.update(response=["ethical"]), REASON), r"response: input should be a valid string"),
    "an endless response": (line(lambda a: a.update(response="why " * 20_000), REASON), r"response: string should have at most 50000 characters"),
    "a line without end": (lines(lambda found: [*found, "x" * 400_000], REASON), rf"{REASON}: line: is longer than 327,680 bytes \(line 53\)"),
    "half a character": (lines(lambda found: [found[0].replace('"response":"', '"response":"\\ud800'), *found[1:]], REASON), r"response: .*unicode"),
    "a key twice in a line": (lines(lambda found: [found[0].replace("{", '{"row_id":"mini-test-0001",', 1), *found[1:]]), rf"{CLS}: JSON: has the key 'row_id' twice"),
    "an access token in a response": (line(lambda a: a.update(response="ethical. hf_" + "aB3" * 11), REASON), rf"{REASON}: response: holds what looks like an access token \(line 4\)"),
    "answers of deep JSON": (lines(lambda found: [DEEP, *found]), r"(?:JSON: is nested too deeply|line: is longer)"),
    "answers that are no objects": (lines(lambda found: ["[]"] * 52), rf"{CLS}: the document: is no JSON object \(line 1 and 51 more\)"),
    "answers with a blank line": (lines(lambda found: [*found, ""]), r"JSON: is not valid JSON \(line 1, column 1\) \(line 53\)"),
    "answers that are not UTF-8": (lines(lambda found: [found[0].replace("mini", "m\udcffni"), *found[1:]]), rf"{CLS}: encoding: is not UTF-8 \(byte 12\)"),
    "answers with a byte order mark": (lines(lambda found: ["\ufeff" + found[0], *found[1:]]), rf"{CLS}: encoding: begins with a byte order mark"),
    "a million answers": (packed(lambda _: gzip.compress(b"{}\n" * 1_000_000, mtime=0)), rf"{CLS}: lines: there are 1,000,000; the test set has 52 rows"),
    "no answers": (packed(lambda _: gzip.compress(b"", mtime=0)), rf"{CLS}: lines: the last line is cut off, or the file is empty"),
    # Packing
    "a gzip bomb": (packed(lambda _: BOMB), rf"{CLS}: gzip: unpacks to more than 33,554,432 bytes"),
    "not packed": (packed(gzip.decompress), rf"{CLS}: gzip: is no gzip file"),
    "packed, and cut off": (packed(lambda content: content[:-20]), rf"{CLS}: gzip: is cut off"),
    "packed, and damaged": (packed(lambda content: content[:30] + b"\0\0\0\0\0\0" + content[36:]), rf"{CLS}: gzip: is damaged"),
    "packed, and something after it": (packed(lambda content: content + b"PK\x03\x04"), rf"{CLS}: gzip: 4 bytes follow the end"),
    "two packed files in one": (packed(lambda content: content + content), r"gzip: [\d,]+ bytes follow the end"),
    "packed with a path in its header": (packed(lambda content: content[:3] + b"\x08" + content[4:10] + b"../../x\0" + content[10:]), r"gzip: its header holds a name, a time or a comment"),
    # Files and folders
    "a file of 200 MB": (sparse(CLS, 200_000_000), rf"{CLS}: size: is 200,000,000 bytes; at most 8,388,608 are allowed"),
    "a submission.json of 200 MB": (sparse("submission.json", 200_000_000), rf"{JSON}: size: is 200,000,000 bytes"),
    "files too large in all": (lambda f: [sparse(f"{name}.jsonl.gz", 8_000_000)(f) for name in ("dfar_cls", "dfar_reason", "ethos_cls", "ethos_reason")], r"size: with it the folder has more than 25,165,824 bytes"),
    "a program in the folder": (put("setup.py", b"print()"), r"setup\.py: name: does not belong there"),
    "a hidden file": (put(".gitattributes"), r"\.gitattributes: name: does not belong there"),
    "a folder in the folder": (put("x/y.json"), r"/x: name: does not belong there"),
    "a file with an escape in its name": (put("\x1b[2J.json"), r"'\\x1b\[2J\.json': name: does not belong there"),
    "answers that nobody claims": (put("dfar_mini_cls2.jsonl.gz"), r"dfar_mini_cls2\.jsonl\.gz: name: does not belong there"),
    "answers of a task not claimed": (lambda f: shutil.copy(f / CLS, f / "dfar_cls.jsonl.gz"), r"submission\.json: tasks: has no task for the file dfar_cls\.jsonl\.gz"),
    "answers missing": (lambda f: (f / CLS).unlink(), rf"{CLS}: file: is missing"),
    "submission.json missing": (lambda f: (f / "submission.json").unlink(), rf"{JSON}: file: is missing"),
    "answers linked": (link(CLS), rf"{CLS}: file: is no regular file; links"),
    "submission.json linked": (link("submission.json"), rf"{JSON}: file: is no regular file; links"),
    "a link to nowhere": (lambda f: ((f / CLS).unlink(), (f / CLS).symlink_to("/dev/zero")), rf"{CLS}: file: is no regular file"),
    "a pipe": (pipe, rf"{CLS}: file: is no regular file; links, folders and devices"),
    "the folder linked": (linked_folder, r"acme__judge-7b/2026-01-31-[0-9a-f]{8}: name: does not belong there"),
    "the model's folder linked": (linked_model, r"acme__judge-7b: name: is no model folder"),
    "a file among the models": (lambda f: put("x.html")(f.parents[1]), r"x\.html: name: is no model folder"),
    "a file among the runs": (lambda f: put("index.html")(f.parent), r"acme__judge-7b/index\.html: name: does not belong there"),
    "another run's name": (lambda f: f.rename(f.with_name("2026-01-31-00000000")), r"folder: its name must be 2026-01-31-[0-9a-f]{8}"),
    "another model's folder": (renamed("meta__judge-7b"), r"model\.id: is acme/judge-7b, so the folder must be called acme__judge-7b"),
    "a folder without organisation": (renamed("judge"), r"model\.id: is acme/judge-7b, so the folder must be called"),
    # The form of submission.json
    "not JSON": (text(lambda t: t[:-20]), rf"{JSON}: JSON: is not valid JSON \(line"),
    "an array": (text(lambda t: f"[{t}]"), rf"{JSON}: the document: is no JSON object"),
    "deep JSON": (text(lambda t: DEEP), rf"{JSON}: JSON: is nested too deeply"),
    "deep JSON in a field": (text(lambda t: t.replace('"base": null', f'"base": {DEEP}')), r"JSON: is nested too deeply"),
    "a key twice": (text(lambda t: t.replace('"mode": "base"', '"mode": "lr", "mode": "base"', 1)), rf"{JSON}: JSON: has the key 'mode' twice in one object"),
    "a byte order mark": (text(lambda t: "\ufeff" + t), rf"{JSON}: encoding: begins with a byte order mark"),
    "not UTF-8": (text(lambda t: t.encode().replace(b"main", b"ma\xffin").replace(b"0123abc", b"\xff")), rf"{JSON}: encoding: is not UTF-8 \(byte \d+\)"),
    "UTF-16": (text(lambda t: t.encode("utf-16-le")), rf"{JSON}: (?:JSON|encoding): "),
    "a number of 5,000 digits": (text(lambda t: t.replace('"rows": 52', f'"rows": {"9" * 5000}', 1)), r"JSON: holds a number of too many digits"),
    "an unknown schema version": (field("schema_version", 2), rf"{JSON}: schema_version: is 2; this version reads 1"),
    "a schema version as text": (field("schema_version", "1"), r"schema_version: input should be a valid integer, not '1'"),
    "a schema version of true": (field("schema_version", True), r"schema_version: input should be a valid integer, not True"),
    "a schema version of 1.0": (field("schema_version", 1.0), r"schema_version: input should be a valid integer, not 1\.0"),
    "no schema version": (without("schema_version"), r"schema_version: is missing"),
    "a field too many": (field("rank", 1), rf"{JSON}: rank: is not a field of a submission; remove it"),
    "a hundred thousand fields": (text(lambda t: t.rstrip()[:-1] + "".join(f',"{n}":0' for n in range(80_000)) + "}"), r"the document: has 79\d+ more faults"),
    "a hundred thousand fields, one twice": (text(lambda t: "{" + "".join(f'"{n}":0,' for n in range(90_000)) + '"x":0,"x":0}'), r"JSON: has the key 'x' twice"),
    "a field that means something in JavaScript": (field("__proto__", {"admin": True}), r"__proto__: is not a field"),
    "a field of markup": (field("<img onerror=alert(1)>", 1), r"<img onerror=alert\(1\)>: is not a field of a submission"),
    "no tasks": (field("tasks", {}), r"tasks: dictionary should have at least 1 item"),
    "an unknown task": (lambda f: field("tasks/hellaswag", read_document(f)["tasks"]["dfar_mini_cls"])(f), r"tasks\.hellaswag: is no task of the benchmark"),
    "a task with a path": (lambda f: field("tasks/..\u2215x", read_document(f)["tasks"]["dfar_mini_cls"])(f), r"tasks\..*is no single word"),
    "answers elsewhere": (field(f"{CLS_TASK}/answers", "../../secret.jsonl.gz"), rf"{TASK}\.answers: is '\.\./\.\./secret\.jsonl\.gz', and must be {CLS}"),
    "fewer rows": (field(f"{CLS_TASK}/rows", 40), rf"{TASK}\.rows: is 40; the test set has 52"),
    "a limited run": (field(f"{HARNESS}/limit", 40), rf"{TASK}\.harness\.limit: input should be none|None"),
    "a date that is none": (field("created", "2026-02-30"), r"created: is no date since 2024"),
    "a date to come": (field("created", "2999-01-01"), r"created: is 2999-01-01, which is in the future"),
    "no state of the model": (field("model/revision", None), r"model: needs either revision or weights_sha256"),
    "two states of the model": (field("model/weights_sha256", "0" * 64), r"model: needs either revision or weights_sha256, and not both"),
    "an unknown mode": (field("mode", "rlhf"), r"mode: input should be 'base', 'l', 'lr' or 'other', not 'rlhf'"),
    # How it came about
    "another judge": (signed(r"judge:[^|]+", "judge:lenient.v1"), r"dfar_mini_reason\.signature: says judge:lenient\.v1, and the facts here give"),
    "another prompt in the signature": (signed(r"prompt:llama2\.v1", "prompt:plain.v1"), r"signature: says prompt:plain\.v1, and the facts here give llama2\.v1"),
    "an unknown prompt": (field(f"{HARNESS}/prompt", "jailbreak.v1"), rf"{TASK}\.harness\.prompt: is 'jailbreak\.v1', and this version asks with"),
    "another version": (signed(r"dfar_bench:[^|]+", "dfar_bench:99.0"), r"signature: was made by dfar_bench 99\.0; this one scores what"),
    "examples kept quiet": (signed(r"shots:0", "shots:5"), r"signature: says shots:5, and the facts here give 0"),
    "another lm_eval": (field(f"{HARNESS}/lm_eval", "0.4.12"), r"signature: says lm_eval:0\.4\.13, and the facts here give 0\.4\.12"),
    "a version that is none": (field(f"{HARNESS}/lm_eval", "latest"), r"harness\.lm_eval: is no version such as"),
    "a field twice in the signature": (signed(r"\|shots:0", "|shots:0|shots:0"), r"signature: names a field twice"),
    "a signature in another order": (signed(r"\|shots:0\|chat:no", "|chat:no|shots:0"), r"signature: names a field twice, or its fields in another order"),
    "more tokens than the signature says": (field(f"{REASON_HARNESS}/generation_kwargs/max_gen_toks", 4096), r"signature: says max_gen_toks:192, and the facts here give 4096"),
    "generation of a cls task": (field(f"{HARNESS}/generation_kwargs", {}), r"harness\.generation_kwargs: must be null for a cls task"),
    "an odd stop string": (field(f"{REASON_HARNESS}/generation_kwargs/until", [SCRIPT]), r"generation_kwargs\.until\.0: is no stop string"),
    "trained, and base": (field("training", {"sets": ["dfar_train"]}), r"the document: mode says base"),
    "a mode that training contradicts": (field("mode", "lr"), r"mode says lr, and training that it was trained on nothing"),
    "a training of another mode": (run(mode="l"), r"mode says lr, and dfar_run l"),
    "a training that is not declared": (run(split="paper"), r"dfar_run says that it was trained on dfar_train, and training does not"),
    "training rows that are not there": (run(data={"rows": 4500, "tokens": 9, "sha256": "0" * 64, "row_ids": "0" * 16}), r"dfar_run\.data: names 1 row_ids for 4500 rows"),
    "a path in the training": (run(base_model={"name": "/srv/models/secret", "type": "llama", "parameters": 1, "trained": 1}), r"dfar_run\.base_model\.name: holds an absolute path"),
    # Texts
    "a script in the model's name": (field("model/id", f"acme/{SCRIPT}"), r"model\.id: is not org/name"),
    "an attribute in the model's name": (field("model/id", f"acme/{ATTRIBUTE}"), r"model\.id: is not org/name"),
    "a script in the base model": (field("model/base", f"acme/{SCRIPT}"), r"model\.base: is not org/name"),
    "a script in the revision": (field("model/revision", SCRIPT), r"model\.revision: is no revision"),
    "a script in the description": (field("training/description", SCRIPT), r"training\.description: holds the character U\+003C"),
    "an attribute in the description": (field("training/description", ATTRIBUTE), r"training\.description: holds the character U\+0022"),
    "a template in the description": (field("training/description", "{{ config }}"), r"training\.description: holds the character U\+007B"),
    "a script as contact": (field("contact", SCRIPT), r"contact: is neither an e-mail address"),
    "an attribute as contact": (field("contact", f"a@b.org{ATTRIBUTE}"), r"contact: is neither an e-mail address"),
    "a script as contact's link": (field("contact", "javascript:alert(1)"), r"contact: is neither an e-mail address"),
    "a script as licence": (field("licence", SCRIPT), r"licence: is no licence identifier"),
    "a script in the metric's name": (field(f"{CLS_TASK}/metrics/{SCRIPT.replace('/', '')}", 1.0), r"metrics\..*is no single word"),
    "a script in the signature": (signed("mini", "<b>mini"), r"signature: is no signature of dfar-bench"),
    "a link without https": (field("url", "http://example.org/"), r"url: is no plain link that begins with https"),
    "a link of script": (field("url", "javascript:alert(1)"), r"url: is no plain link that begins with https"),
    "a link of data": (field("url", "data:text/html;base64,PHNjcmlwdD4="), r"url: is no plain link"),
    "a link with another user": (field("url", "https://example.org@evil.example/"), r"url: is no plain link"),
    "a link with an attribute": (field("url", f"https://example.org/{ATTRIBUTE}"), r"url: is no plain link"),
    "a link on a second line": (field("url", "https://example.org/\nx"), r"url: is no plain link"),
    "an empty description": (field("training/description", ""), r"training\.description: string should have at least 1 character"),
    "an endless description": (field("training/description", "why " * 200), r"training\.description: string should have at most 300 characters"),
    "a control character": (field("training/description", "bell\x07"), r"training\.description: holds the character U\+0007"),
    "a reversed direction": (field("training/description", "safe \u202egnp.exe"), r"training\.description: holds the character U\+202E"),
    "a character without width": (field("training/description", "sa\u200bfe"), r"training\.description: holds the character U\+200B"),
    "text not in normal form": (field("training/description", "cafe\u0301"), r"training\.description: is not in the Unicode normal form NFC"),
    "half a character in a field": (text(lambda t: t.replace('"description": null', '"description": "\\ud800"')), r"training\.description: .*unicode"),
    "a path in the description": (field("training/description", "see /srv/data/x.txt"), r"training\.description: holds an absolute path"),
    "a token in the description": (field("training/description", "hf_" + "aB3" * 11), r"training\.description: holds what looks like an access token"),
    # Names
    "a path as model": (field("model/id", "../../etc"), r"model\.id: is not org/name"),
    "a parent folder in the name": (field("model/id", "acme/a..b"), r"model\.id: holds '\.\.'"),
    "a hidden model": (field("model/id", "acme/.judge"), r"model\.id: is not org/name"),
    "a name with two meanings": (field("model/id", "acme__x/judge"), r"model\.id: holds .*'__' in the organisation"),
    "a model without organisation": (field("model/id", "judge"), r"model\.id: is not org/name"),
    "a Cyrillic letter in the name": (field("model/id", "\u0430cme/judge-7b"), r"model\.id: is not org/name"),
    "a name from right to left": (field("model/id", "acme/\u202egduj"), r"model\.id: is not org/name"),
    "a name that ends in a line break": (field("model/id", "acme/judge-7b\n"), r"model\.id: is not org/name"),
    "another row's name in capitals": (imitator("acme/Judge-7B"), r"acme__Judge-7B: model\.id: is easily taken for acme__judge-7b"),
    "another row's name with another sign": (imitator("acme/judge_7b"), r"acme__judge_7b: model\.id: is easily taken for acme__judge-7b"),
    "another row's organisation": (imitator("acrne/other"), r"acrne__other: model\.id: is easily taken for"),
}  # fmt: skip


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


def test_the_good_one_is_good(copy: Path) -> None:
    assert main(["verify", str(copy.parents[1])]) == FINE


@pytest.mark.parametrize("name", CORPUS)
def test_refused(name: str, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1, a sentence with file, field and reason, and nothing written, nor read from elsewhere."""
    mutate, sentence = CORPUS[name]
    mutate(copy)
    before = everything(tmp_path)
    assert main(["verify", str(tmp_path / "submissions")]) == FALLS_SHORT
    _, err = capsys.readouterr()
    assert re.search(sentence, err), err
    for said in err.splitlines():
        assert re.fullmatch(r"dfar-bench: [^:]+: [^:]+: .+", said), said
        assert said.replace("…", "").isascii()
        assert said.isprintable()
    assert everything(tmp_path) == before


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 60


def test_every_fault_of_every_submission(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At once, those of other files and other submissions included; and the good ones are still told."""
    other = copy.parents[1] / "beta__x"
    shutil.copytree(copy.parent, other)
    document = read_document(copy)
    document["tasks"]["dfar_mini_cls"]["metrics"]["acc"] += 0.002
    document["tasks"]["dfar_mini_reason"]["metrics"]["mar"] -= 0.002
    document["tasks"]["dfar_mini_reason"]["sha256"] = "0" * 64
    put("x.py")(sealed(copy, document))
    assert main(["verify", str(copy.parents[1]), "--json"]) == FALLS_SHORT
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert [(fault["file"].partition("/")[0], fault["field"]) for fault in report["faults"]] == [
        ("acme__judge-7b", "name"),
        ("acme__judge-7b", "tasks.dfar_mini_cls.metrics.acc"),
        ("acme__judge-7b", "tasks.dfar_mini_reason.sha256"),
        ("acme__judge-7b", "tasks.dfar_mini_reason.metrics.mar"),
        ("beta__x", "model.id"),
    ]
    assert err.count("\n") == len(report["faults"])


@pytest.mark.parametrize(
    "name", ["a gzip bomb", "a pipe", "a file of 200 MB", "deep JSON", "half a character in a field"]
)
def test_in_a_process_of_its_own(name: str, copy: Path) -> None:
    """In little memory and time, without a traceback."""
    CORPUS[name][0](copy)
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30));"
        "from dfar_bench.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", limited, "verify", str(copy.parents[1])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == FALLS_SHORT, done.stderr
    assert done.stderr.startswith("dfar-bench: ")
    assert "Traceback" not in done.stderr
