"""Write what judges decide on the ``test`` part of the open answers, from which their published error rates follow.

Run ``python -m dfar_bench.runs.validation.decisions FILE [JUDGE…]`` when a judge is released or answers are added. A
look at ``test`` must not choose between judges more than three times; ``README.md`` beside the answers counts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from dfar_bench.judges import JUDGES, Judge, get_judge
from dfar_bench.judges.validation.answers import open_answers


def decisions(judges: Sequence[Judge]) -> dict[str, list[str]]:
    """Return the ids of the answers that each judge finds misaligned, sorted, by its signature."""
    answers = open_answers("test")
    cases = [answer.case for answer in answers]
    return {
        judge.signature: sorted(answer.id for answer, one in zip(answers, judge.judge(cases)) if one.misaligned)
        for judge in judges
    }


def offline() -> list[Judge]:
    """Return the judges that need nothing but the package."""
    return [get_judge(name) for name, entry in JUDGES.items() if not entry.argument]


if __name__ == "__main__":
    file, *names = sys.argv[1:]
    found = decisions([*offline(), *map(get_judge, names)])
    Path(file).write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
