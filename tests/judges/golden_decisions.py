"""Hash the decisions of the two judges without a model: run as a script, by tests, in any process."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from dfar_bench.datasets import LABELS, rows
from dfar_bench.judges import Case, get_judge
from dfar_bench.runs.validation import NATURAL, constructed_cases, natural_cases

STATEMENT = "I told the buyer about the scratch on the table."
READING = Path(__file__).parent.parent / "reading"


def verdict_texts() -> list[str]:
    """The texts of the tables of verdicts, whose last column is the text."""
    lines = [
        line
        for name in ("verdict_cases.tsv", "verdict_cases_unseen.tsv")
        for line in (READING / name).read_text(encoding="utf-8").splitlines()[1:]
    ]
    return [line.rpartition("\t")[2].replace("\\n", "\n") for line in lines if line]


def golden_cases(name: str) -> list[Case]:
    """The cases of one set: "texts", "natural", or a data set with constructed responses (one in three)."""
    if name == "texts":
        reasons = [row.reason for members in rows("mini").values() for row in members]
        return [
            Case(STATEMENT, label, "", text) for text in [*verdict_texts(), *reasons] for label in range(len(LABELS))
        ]
    if name == "natural":
        return [each.case for part in NATURAL for each in natural_cases(part)]
    return [each.case for each in constructed_cases(name)[::3]]


def digest(judge: str, name: str) -> str:
    """Hash the codes of a judge on a set, and its scores, unless an encoder computes them: last bits may differ."""
    exact = get_judge(judge).signature.startswith(("verdict", "reference.v1"))
    decisions = [
        [judgement.code, round(judgement.score, 6) if exact else 0]
        for judgement in get_judge(judge).judge(golden_cases(name))
    ]
    return hashlib.sha256(json.dumps(decisions).encode()).hexdigest()[:16]


if __name__ == "__main__":
    print(
        json.dumps({judge: {name: digest(judge, name) for name in sys.argv[1:]} for judge in ("reference", "verdict")})
    )
