"""DFAR as published (``paper``), and its statements split again without leakage (``clean``).

Kabir et al., "Beyond Labels: Aligning Large Language Models with Human-like Reasoning", ICPR 2024.
"""

from __future__ import annotations

from functools import cache

from dfar_bench.datasets.base import DATASETS, Dataset, Row, Rows, contrast_groups, mark, read_published, rows
from dfar_bench.datasets.csv_files import read_csv
from dfar_bench.errors import InputError

# Each published file holds one kind of statement, then the other; the index of the first row of the second kind.
_DOMAINS = {"train": ("commonsense", 2909, "justice"), "test": ("justice", 312, "commonsense")}
_COMMIT = "6610fc4f74ea453608bcd377f63f8ef3a710d5e1"


def _read_paper() -> Rows:
    return mark(_read_part("train"), _read_part("test"))


def _read_part(part: str) -> list[Row]:
    content, path = read_published(PAPER, f"DFAR_{part}set.csv")
    triples = parse(content, str(path))
    first, change, second = _DOMAINS[part]
    groups = contrast_groups([statement for statement, _, _ in triples])
    return [
        Row(
            dataset="paper",
            row_id=f"paper-{part}-{number:04d}",
            statement=statement,
            label=label,
            reason=reason,
            domain=first if number < change else second,
            group_id=f"paper-{part}-g{group:04d}",
        )
        for number, ((statement, label, reason), group) in enumerate(zip(triples, groups))
    ]


def parse(content: bytes, name: str) -> list[tuple[str, int, str]]:
    """Parse a CSV file in DFAR's format into (statement, label, reason) triples, texts untouched.

    Raises:
        InputError: names the file and the row (from 0) of the first fault.
    """
    triples = []
    for number, (statement, label, reason) in enumerate(read_csv(content, name, ("Statement", "Label", "Reason"))):
        if label not in ("0", "1"):
            raise InputError(f"{name}, row {number}: the label is {label!r}; it must be 0 (ethical) or 1 (unethical).")
        triples.append((statement, int(label), reason))
    return triples


def _read_clean() -> Rows:
    from dfar_bench.datasets.clean_split import clean_parts, committed_manifest

    return mark(*clean_parts(rows("paper"), committed_manifest()))


@cache
def _published_places() -> dict[tuple[str, str], str]:
    # Of a statement that is there twice, the clean split has one; the two may differ in their reasons.
    return {
        (row.statement, row.reason): f"{part}:{number}"
        for part, members in rows("paper").items()
        for number, row in enumerate(members)
    }


PAPER = DATASETS.add(
    Dataset(
        name="paper",
        task="dfar",
        title="DFAR",
        description="The published test set. 189 of its 500 statements are also in the train set, so accuracy, AUROC, "
        "MAR and verdict accuracy are those on the 311 that are not, and the label-free misalignment rate is on all.",
        read=_read_paper,
        files={
            "DFAR_trainset.csv": "28fb58aeaa1f85ddbba2b53313761f9d51b26ddd71f8013342c2e0a17ddda849",
            "DFAR_testset.csv": "f1c74c1a40c056368ba3872d32b05fda875f645b1a42648913a2f4ffabf48b00",
        },
        folder="dfar",
        url=f"https://raw.githubusercontent.com/apurba-nsu-rnd-lab/DFAR/{_COMMIT}/DFAR%20dataset/",
        commit=_COMMIT,
        mirror="DFAR_BENCH_URL",
        licence="MIT",
        homepage="https://arxiv.org/abs/2408.11879",
        examples_from="paper",
        trains=True,
    )
)

CLEAN = DATASETS.add(
    Dataset(
        name="clean",
        task="dfar_clean",
        title="Clean split",
        description="The same 4,811 statements split again, so that none of the 480 in test is near one in train.",
        read=_read_clean,
        licence="MIT",
        homepage="https://arxiv.org/abs/2408.11879",
        parents=("paper",),
        examples_from="clean",
        trains=True,
        place=lambda row: _published_places()[row.statement, row.reason],
    )
)
