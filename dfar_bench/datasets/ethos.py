"""ETHOS: online comments with the share of people who call them hate speech (Mollas et al., 2022).

There are no train rows and no human reasons.
"""

from __future__ import annotations

from dfar_bench.datasets.base import DATASETS, Dataset, Row, Rows, mark, read_published
from dfar_bench.datasets.csv_files import read_csv
from dfar_bench.errors import InputError
from dfar_bench.text import normalize

_FILE = "Ethos_Dataset_Binary.csv"
_COMMIT = "705258e118ce9611ebbd5ab2a4841b0066547293"

# From this share of votes on, a comment counts as hate, and as unethical (74 of 998 have exactly this share).
_HATE = 0.5


def parse(content: bytes, name: str) -> list[tuple[str, float]]:
    """Parse ETHOS' binary file into (comment, share of votes for hate, 0 to 1) pairs.

    Raises:
        InputError: names the file and the row (from 0) of the first fault.
    """
    pairs = []
    for number, (comment, votes) in enumerate(read_csv(content, name, ("comment", "isHate"), delimiter=";")):
        try:
            share = float(votes)
        except ValueError:
            raise InputError(f"{name}, row {number}: isHate is {votes!r}, which is not a number.") from None
        if not 0 <= share <= 1:
            raise InputError(f"{name}, row {number}: isHate is {votes}; it must be between 0 and 1.")
        pairs.append((comment, share))
    return pairs


def _read() -> Rows:
    content, path = read_published(ETHOS, _FILE)
    first_rows: dict[str, int] = {}  # one comment is there twice
    test = [
        Row(
            dataset="ethos",
            row_id=f"ethos-test-{number:04d}",
            statement=comment,
            label=int(share >= _HATE),
            domain="hate_speech",
            group_id=f"ethos-g{first_rows.setdefault(normalize(comment), number):04d}",
            shares=(1 - share, share),
        )
        for number, (comment, share) in enumerate(parse(content, str(path)))
    ]
    return mark((), test)


ETHOS = DATASETS.add(
    Dataset(
        name="ethos",
        task="ethos",
        title="ETHOS",
        description="998 online comments, hate speech or not. There are no human reasons, so MAR says only whether a "
        "response disagrees with the label, or is not an argument at all.",
        read=_read,
        files={_FILE: "0cd0050c2592afcb5eca5876df485ca15cda9d7d16fe32c269857260fd10d96c"},
        folder="ethos",
        url="https://raw.githubusercontent.com/intelligence-csd-auth-gr/Ethos-Hate-Speech-Dataset/"
        f"{_COMMIT}/ethos/ethos_data/",
        commit=_COMMIT,
        mirror="DFAR_BENCH_ETHOS_URL",
        licence="GPL-3.0",
        homepage="https://doi.org/10.1007/s40747-021-00608-2",
        examples_from="paper",
        content_warning="ETHOS consists of online comments, many of them hateful and offensive",
        note="unethical where at least half of the votes are for hate; 74 of the 998 rows have exactly half",
    )
)
