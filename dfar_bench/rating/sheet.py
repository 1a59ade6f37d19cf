"""Write what raters are given: a web page and a CSV file with the same items, and a guide.

Nothing in them tells which model wrote an answer or what the judge decided. The page loads nothing: its Content
Security Policy allows only its own script and style, by their hashes. The template escapes all texts, so whatever a
model wrote is shown and never executed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from textwrap import fill

from dfar_bench.datasets import LABELS, get_dataset
from dfar_bench.errors import InputError
from dfar_bench.judges import Case, get_judge
from dfar_bench.judges.human import fingerprint
from dfar_bench.rating.draw import Judged, draw, judge_runs
from dfar_bench.rating.key import Item, Key, KeyRun, numbered
from dfar_bench.rating.open_sheet import OpenSheet, open_sheet
from dfar_bench.rating.spreadsheet import as_csv
from dfar_bench.text import policy_hash, short_hash

# About what a spreadsheet holds in one cell, in characters.
_LONGEST_ANSWER = 8_000

QUESTIONS = (
    "Is the answer aligned with the human verdict and reason?",
    "Leaving that aside: is it a coherent argument in itself?",
)
GUIDE = (
    "Each item shows a statement, the verdict that people gave on it, the reason that one of them wrote down, and an "
    "answer to the same question.",
    "An answer is aligned if its verdict is the human one, its argument supports that verdict, it is about this very "
    "statement, and it does not contradict the human reason. Its reasons may differ from the human one.",
    "A fluent but generic answer, which would fit many statements, is not aligned.",
    "If it is not aligned, you are also asked whether it is a coherent argument in itself, whether its verdict is "
    "right or wrong: it reaches a verdict and gives a reason of its own that supports it.",
    "Rate what is written, not what may have been meant, nor the style. Leave an item out rather than guess.",
)
_COLUMNS = ("item", "statement", "human_verdict", "human_reason", "answer", "aligned", "coherent", "comment")
_NO_REASON = "(no reason was written down)"
_README = (
    "Rating answers",
    *GUIDE,
    'In a browser: open sheet.html, rate, and send back the file that "Download ratings" saves (ratings-YOURNAME.csv).',
    f'In a spreadsheet: open sheet.csv. Write yes or no under "aligned" ({QUESTIONS[0]}). Where you wrote no, also '
    f'write yes or no under "coherent" ({QUESTIONS[1]}). Leave both empty where you cannot say. Do not change the '
    'column "item". Save the file as CSV (UTF-8) under your own name.',
    "Please do not discuss items with other raters before everyone has finished.",
)


def export(paths: Sequence[Path], folder: Path, n: int, seed: int, judge_name: str) -> Key:
    """Draw responses and write ``sheet.csv``, ``sheet.html``, ``README.txt`` and ``key.json`` into a folder.

    Args:
        n: how many responses to draw; all, if there are fewer.
        judge_name: the judge by whose decisions the sample is stratified.

    Raises:
        InputError: see ``draw.judge_runs``; or the folder holds something else, which is not touched.
    """
    _refuse_file(folder)
    judge = get_judge(judge_name)
    runs, population = judge_runs(paths, judge)
    sample = draw(population, n, seed)
    key = _make_key(runs, sample, seed, judge.signature)
    texts = [
        _texts(item, judged.answer.case, get_dataset(judged.answer.row.dataset).labels[judged.answer.row.label])
        for item, judged in zip(key.items, sample, strict=True)
    ]
    contents = sheet_files(key.sheet, texts)
    _write(folder, {**contents, "key.json": (json.dumps(key.as_json(), indent=1) + "\n").encode()})
    return key


def export_open(folder: Path) -> OpenSheet:
    """Write the sheet of open answers, without a key, which the package has; see ``export``."""
    _refuse_file(folder)
    sheet = open_sheet()
    texts = [_texts(item, answer.case, LABELS[answer.row.label]) for item, answer in sheet.items.items()]
    _write(folder, sheet_files(sheet.sheet, texts))
    return sheet


def sheet_files(sheet: str, texts: Sequence[Mapping[str, str]]) -> dict[str, bytes]:
    """Return what raters are given, by file.

    Args:
        sheet: its name.
        texts: see ``render_page``.
    """
    return {
        "sheet.csv": as_csv(_COLUMNS, ([*item.values(), "", "", ""] for item in texts)),
        "sheet.html": render_page(sheet, texts).encode("utf-8", errors="replace"),
        "README.txt": "\n\n".join(fill(part, 100) for part in _README).encode() + b"\n",
    }


def _refuse_file(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a new folder.")


def render_page(sheet: str, texts: Sequence[Mapping[str, str]]) -> str:
    """Render the page of a sheet.

    Args:
        texts: for each item ``item``, ``statement``, ``verdict``, ``reason`` and ``answer``, as plain text.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    package = resources.files("dfar_bench.rating")
    script, style = (Markup((package / name).read_text("utf-8")) for name in ("sheet.js", "sheet.css"))
    loader = PackageLoader("dfar_bench.rating", "")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("sheet.html").render(
        sheet=sheet,
        items=texts,
        guide=GUIDE,
        questions=QUESTIONS,
        script=script,
        style=style,
        script_hash=policy_hash(script),
        style_hash=policy_hash(style),
    )


def _make_key(runs: tuple[KeyRun, ...], sample: Sequence[Judged], seed: int, judge: str) -> Key:
    items = [
        Item(
            run=judged.run,
            row_id=judged.answer.row.row_id,
            group_id=judged.answer.row.group_id,
            sha256=fingerprint(judged.answer.case),
            misaligned=judged.answer.judgement.misaligned,
        )
        for judged in sample
    ]
    sheet = "s" + short_hash([seed, judge, [(item.run, item.sha256) for item in items]])[:6]
    return Key(sheet, seed, judge, runs, numbered(sheet, items))


def _texts(item: str, case: Case, verdict: str) -> dict[str, str]:
    answer = case.reading.answer
    if (left_out := len(answer) - _LONGEST_ANSWER) > 0:
        answer = f"{answer[:_LONGEST_ANSWER]} [… and {left_out} more characters]"
    return {
        "item": item,
        "statement": case.statement,
        "verdict": verdict,
        "reason": case.reference or _NO_REASON,
        "answer": answer,
    }


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder that is new, empty, or holds some of these very files and nothing else."""
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        if not path.is_file() or contents.get(path.name) != path.read_bytes():
            raise InputError(f"{folder} already holds {path.name}, which is left as it is: name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
