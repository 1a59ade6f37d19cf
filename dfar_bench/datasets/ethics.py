"""ETHICS, the hard test splits of commonsense morality (short texts) and justice (Hendrycks et al., ICLR 2021).

DFAR took its statements from ETHICS' other splits: 310 of the 311 test rows of DFAR that do not leak are in ETHICS'
justice test, so a score on that beside one on DFAR counts the same rows twice. The hard splits share no statement with
DFAR. Rows that are near one of DFAR's, or begin like one, are left out all the same.

In the published files 1 means wrong (commonsense) and reasonable (justice); here 1 is "unethical" for both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

from dfar_bench.datasets.base import (
    DATASETS,
    MIN_PREFIX_WORDS,
    Dataset,
    Row,
    Rows,
    begin_alike,
    contrast_groups,
    mark,
    near_between,
    read_published,
    rows,
)
from dfar_bench.datasets.clean_split import NEAR
from dfar_bench.datasets.csv_files import read_csv
from dfar_bench.errors import InputError
from dfar_bench.text import words

_COMMIT = "5449543c71c039753603ab57344147a1156bfb46"
_LABELS = {"0": 0, "1": 1}


def _read(name: str) -> Rows:
    dataset = DATASETS[name]
    justice, hard = "justice" in name, name.endswith("_hard")
    (file,) = dataset.files
    content, path = read_published(dataset, file)
    columns = ("label", "scenario") if justice else ("label", "input", "is_short")
    found: list[tuple[int, str, int]] = []
    for number, (label, statement, *short) in enumerate(read_csv(content, str(path), columns)):
        if label not in _LABELS:
            raise InputError(f"{path}, row {number}: the label is {label!r}; use the published file.")
        if short != ["False"]:
            found.append((number, statement, 1 - _LABELS[label] if justice else _LABELS[label]))
    near = near_dfar([statement for _, statement, _ in found]) if hard else [False] * len(found)
    groups = contrast_groups([statement for _, statement, _ in found])
    test = [
        Row(
            dataset=name,
            row_id=f"{name}-test-{number:04d}",
            statement=statement,
            label=label,
            domain="justice" if justice else "commonsense",
            group_id=f"{name}-g{group:04d}",
        )
        for (number, statement, label), group, left_out in zip(found, groups, near)
        if not left_out
    ]
    return mark((), test)


def near_dfar(statements: Sequence[str]) -> list[bool]:
    """Say of each statement whether it is near one of DFAR's or begins like one (see ``contrast_groups``)."""
    dfar = [row.statement for part in rows("paper").values() for row in part]
    beginnings: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    for statement in map(words, dfar):
        beginnings[statement[:MIN_PREFIX_WORDS]].append(statement)
    near = {number for number, _ in near_between(statements, dfar, NEAR)}
    for number, statement in enumerate(map(words, statements)):
        if any(begin_alike(statement, other) for other in beginnings[statement[:MIN_PREFIX_WORDS]]):
            near.add(number)
    return [number in near for number in range(len(statements))]


def _add(name: str, file: str, sha256: str, title: str, description: str, **options: Any) -> None:
    DATASETS.add(
        Dataset(
            name=name,
            task=name,
            title=title,
            description=description,
            read=partial(_read, name),
            files={file: sha256},
            folder="ethics",
            url=f"https://raw.githubusercontent.com/oughtinc/ice/{_COMMIT}/ethics/",
            commit=_COMMIT,
            mirror="DFAR_BENCH_ETHICS_URL",
            licence="MIT",
            homepage="https://arxiv.org/abs/2008.02275",
            **options,
        )
    )


for _name, _file, _sha256, _title, _description in (
    (
        "ethics_cm_hard",
        "cm_test_hard.csv",
        "9689b2d7b72f3f21796c31cdc21522d8e11296fba21aa8bc3d9e8f0b9071b522",
        "ETHICS commonsense, hard",
        "Short scenes of everyday life from ETHICS' hard test split: is what the first person does wrong?",
    ),
    (
        "ethics_justice_hard",
        "justice_test_hard.csv",
        "b1c5fd1217878ceaf451a3e5bddc6f2cc3fdce64a6b6ce56026dbd631c91b960",
        "ETHICS justice, hard",
        "Claims and habits from ETHICS' hard test split: is the reason given a fair one?",
    ),
):
    _add(
        _name,
        _file,
        _sha256,
        _title,
        f"{_description} There are no human reasons.",
        parents=("paper",),
        examples_from="paper",
        suite=True,
    )

# The splits from which DFAR was made. Nothing is asked of them; what they share with others is measured.
for _name, _file, _sha256, _title in (
    (
        "ethics_cm",
        "cm_test.csv",
        "aa521e2a45f0aa34c9b055d8022012044f705b35767627cf48919a1102b89115",
        "ETHICS commonsense",
    ),
    (
        "ethics_justice",
        "justice_test.csv",
        "d7cc506a1055915d455a9244b26de573c75a760d416a8508a9420d41cbf40250",
        "ETHICS justice",
    ),
):
    _add(_name, _file, _sha256, _title, "The test split, short texts, from which DFAR took statements.", kinds=())
