"""Submissions made directly, and the site that is built from them, shared by all tests of the board."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT

from dfar_bench.datasets import LABELS, Row, available, row_hash, rows
from dfar_bench.judges.validation.rates import ErrorRates, error_rates
from dfar_bench.leaderboard import build as build_module
from dfar_bench.leaderboard.answers_file import answer_line, pack
from dfar_bench.leaderboard.build import build
from dfar_bench.leaderboard.contamination import Contamination
from dfar_bench.leaderboard.facts import Facts, facts_of
from dfar_bench.leaderboard.flags import Flag
from dfar_bench.leaderboard.submission import answers_name, model_folder, run_id
from dfar_bench.leaderboard.verified import VerifiedSubmission
from dfar_bench.leaderboard.verify import verify
from dfar_bench.prompts import STYLES, make_prompt
from dfar_bench.scoring import Output, find_task

REPORTED = ROOT / "leaderboard" / "reported"
TASKS = ("dfar_mini_cls", "dfar_mini_reason")
HOSTILE = (
    "</script><script>document.title='run'</script>",
    "<img src=x onerror=\"document.title='run'\">",
    "{{ 7 * 7 }} {% raw %} ${7*7} <!-- <script> \u2028 \u202e ]]> &lt;b&gt; ' \" `",
)
KNOWN = ErrorRates("instruct", ("m",) * 200, *[(True, False) * 100] * 2, (True,) * 200, (*map(str, range(200)),))
HARNESS = json.loads("""{
    "lm_eval": "0.4.13", "transformers": null, "torch": null, "prompt": "llama2.v1", "shots": 0, "multiturn": false,
    "chat_template_sha": null, "system_instruction_sha": null, "context": null, "messages": false, "limit": null,
    "seeds": {"random": 0, "numpy": 1, "torch": 1, "fewshot": 1}
}""")
DFAR_RUN = f"""{{
    "mode": "lr", "split": "mini", "drop_leaked": false, "prompt": "llama2.v1", "method": "lora", "seed": 1,
    "packages": {{}}, "steps": 1, "final_loss": 1.0, "tokens_per_second": 1.0, "arguments": {{}},
    "base_model": {{"name": "x", "type": "llama", "parameters": 1, "trained": 1}},
    "data": {{"rows": 10, "tokens": 1, "sha256": "{"0" * 64}"}},
    "distribution": {{"type": "NO", "zero_stage": null, "offload": [], "processes": 1, "device": "cpu"}}
}}"""
Answerer = Callable[[Row, str], Any]


def answering(share: float, salt: str, texts: tuple[str, ...] = ()) -> Answerer:
    """Return a model with about this share of right verdicts; wrong ones get an empty reason, some one of ``texts``."""

    def answer(row: Row, kind: str) -> Any:
        draw = hashlib.sha256(f"{salt} {row.row_id} {kind}".encode()).digest()
        right = draw[0] < 256 * share
        label = row.label if right else 1 - row.label
        if kind == "cls":
            pair = (-draw[1] / 256, -3 - draw[2] / 64)
            return pair if label == 0 else pair[::-1]
        if texts and draw[4] < 96:
            return f" {LABELS[label]}. {texts[draw[3] % len(texts)]}"
        if right:
            half = row.reason.split()[: 12 + draw[3] % 9]
            return f" {LABELS[label]}. {' '.join(half)}. That is how it looks in case {draw[5]}."
        return f" {LABELS[label]}. Whoever relied on it is treated as they could expect, or not, in case {draw[5]}."

    return answer


def tying(answer: Answerer) -> Answerer:
    """Return a model that has no preference between the labels of every third row."""
    return lambda row, kind: (-2.0, -2.0) if kind == "cls" and int(row.row_id[-2:]) % 3 == 0 else answer(row, kind)


def write_submission(
    tree: Path,
    model: str,
    answer: Answerer,
    tasks: tuple[str, ...] = TASKS,
    style: str = "llama2",
    condition: str = "",
    row_ids: Collection[str] | None = None,
    **fields: Any,
) -> Path:
    """Write a submission and return its folder; the style ``chat`` is put under a chat template.

    A data set with a style of its own is asked in that; a condition other than that of the tasks may be named, and the
    rows that are answered.
    """
    document: dict[str, Any] = {
        "schema_version": 2,
        "created": "2026-01-31",
        "model": {"id": model, "revision": "1" * 40, "weights_sha256": None, "base": fields.pop("base", None)},
        "mode": "base",
        "training": {"sets": ["none"], "description": None},
        "dfar_run": None,
        "tasks": {},
        **fields,
    }
    template = {"chat_template_sha": "0" * 64, "context": "0" * 8} if style == "chat" else {}
    files = {}
    for name in tasks:
        task = find_task(name)
        asked, put = condition or task.kind.condition, task.dataset.style or style
        outputs = [
            Output(row, answer(row, task.kind.name), prompt, earlier=("So be it.",) * len(prompt.follow_ups))
            for row in sorted(rows(task.dataset.name)["test"], key=lambda row: row.row_id)
            if row_ids is None or row.row_id in row_ids
            for prompt in [make_prompt(put, asked, row)]
        ]
        files[answers_name(name)] = content = pack(answer_line(output, task) for output in outputs)
        generation = {"max_gen_toks": 192, "do_sample": False} if task.kind.judged else None
        document["tasks"][name] = {
            "answers": answers_name(name),
            "sha256": hashlib.sha256(content).hexdigest(),
            "harness": {
                **HARNESS,
                **template,
                "prompt": STYLES[put].signature,
                "condition": asked,
                "generation": generation,
            },
        }
    content = (json.dumps(document) + "\n").encode()
    folder = tree / model_folder(model) / run_id(document["created"], content)
    folder.mkdir(parents=True)
    for file, bytes_ in {**files, "submission.json": content}.items():
        (folder / file).write_bytes(bytes_)
    return folder


def trained_on_test_rows() -> dict[str, Any]:
    """Return the fields of a submission that was trained on ten test rows of mini."""
    run = json.loads(DFAR_RUN)
    run["data"]["row_ids"] = " ".join(row_hash(row.row_id) for row in rows("mini")["test"][:10])
    return {"mode": "lr", "training": {"sets": ["dfar_mini_train"], "description": None}, "dfar_run": run}


def accepted(folder: Path) -> VerifiedSubmission:
    """Verify a submission without fault."""
    result = verify(folder)
    assert isinstance(result, VerifiedSubmission), result
    return result


def content(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six models on mini: one was trained on test rows, one was asked differently, one has one task only.

    Where the published data is available there is also one of ours on DFAR, whose answers quote it.
    """
    folder = tmp_path_factory.mktemp("board") / "submissions"
    trained = {"sets": ["other"], "description": "reasons of its own"}
    write_submission(folder, "acme/judge-7b", answering(0.55, "base", HOSTILE))
    for mode, share in (("l", 0.75), ("lr", 0.9)):
        fields = {"mode": mode, "base": "acme/judge-7b", "training": trained}
        write_submission(folder, f"acme/judge-7b-{mode}", answering(share, mode), **fields)
    url = "https://example.org/m"
    write_submission(folder, "zeta/has-met-them", answering(0.97, "met"), url=url, **trained_on_test_rows())
    write_submission(folder, "other/asked-otherwise", answering(0.6, "short"), style="plain")
    write_submission(folder, "other/verdicts-only", answering(0.7, "half"), TASKS[:1])
    if available("paper"):
        for submission in (ROOT / "leaderboard" / "submissions" / "dfar-bench__gemma-3-270m-lr").iterdir():
            if (submission / "dfar_reason.jsonl.gz").exists():
                shutil.copytree(submission, folder / submission.parent.name / submission.name)
    return folder


@pytest.fixture(scope="session")
def two_kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model whose verdicts tie on every third row of mini, and a chat model, each asked as its kind is."""
    folder = tmp_path_factory.mktemp("kinds") / "submissions"
    write_submission(folder, "acme/base", tying(answering(0.9, "base")))
    write_submission(folder, "acme/chat", answering(0.6, "chat"), style="chat")
    return folder


@pytest.fixture(scope="session")
def two_kinds_site(two_kinds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of these two, as if the judge's errors were known on answers of chat models (``KNOWN``)."""
    out = tmp_path_factory.mktemp("kinds-site") / "board"
    with pytest.MonkeyPatch.context() as patched:
        known = lambda judge, kind: KNOWN if kind == "instruct" else error_rates("none", kind)  # noqa: E731
        patched.setattr("dfar_bench.runs.run.error_rates", known)
        build(two_kinds, out)
    return out


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was computed of these submissions."""
    return tmp_path_factory.mktemp("board-cache")


@pytest.fixture(scope="session")
def site(tree: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of these submissions."""
    out = tmp_path_factory.mktemp("site") / "board"
    built = build(tree, out, cache=cache, reported=REPORTED)
    assert (built.site, built.submissions, built.faults) == (out, len(list(tree.glob("*/*"))), [])
    return out


def hostile_facts(submission: VerifiedSubmission) -> dict[str, Any]:
    """Return what no schema would accept, in every text that a submitter can choose."""
    honest, evil = Facts.model_validate(facts_of(submission)), "".join(HOSTILE)
    flag = Flag(evil, evil)
    hostile = {
        "signature": f"dfar|data:mini|{evil}|prompt:{evil}|condition:{evil}",
        "codes": {evil: 3},
        "flags": [flag],
        "contamination": Contamination(None, 0, 0, evil),
        "harness": {evil: evil},
    }
    tasks = {name: task.model_copy(update=hostile) for name, task in honest.tasks.items()}
    about = {"Link": evil, "Contact": f"https://{evil}", evil: evil}
    update = {"base": evil, "created": evil, "mode": evil, "about": about, "flags": [flag], "tasks": tasks}
    if honest.model == "acme/judge-7b":
        update["model"] = f"x/{HOSTILE[1]}".replace("/", "∕")
    return honest.model_copy(update=update).model_dump(mode="json")


@pytest.fixture(scope="session")
def hostile_site(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of hostile facts, as if the checks of submissions had accepted everything."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(build_module, "facts_of", hostile_facts)
        build(tree, folder / "board", splits=["mini"])
    return folder / "board"
