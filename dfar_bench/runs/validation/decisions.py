"""Write what judges decide on the ``test`` part of the open answers, from which their published error rates follow.

Run ``python -m dfar_bench.runs.validation.decisions FILE [JUDGE…]`` when a judge is released or answers are added: the
judges named, and those that need nothing but the package, are added to the file. The data card counts the looks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dfar_bench.judges import JUDGES, Judge, get_judge
from dfar_bench.judges.validation.answers import open_answers
from dfar_bench.judges.validation.rates import answers_hash


def decisions(judges: Sequence[Judge]) -> dict[str, Any]:
    """Return by signature a hash of the answers that a judge was shown, and the ids of those it finds misaligned."""
    answers = open_answers("test")
    cases = [answer.case for answer in answers]
    shown = answers_hash(answer.id for answer in answers)
    found = {judge.signature: zip(answers, judge.judge(cases)) for judge in judges}
    return {
        signature: {"answers": shown, "misaligned": sorted(answer.id for answer, one in pairs if one.misaligned)}
        for signature, pairs in found.items()
    }


def offline() -> list[Judge]:
    """Return the judges that need nothing but the package."""
    return [get_judge(name) for name, entry in JUDGES.items() if not entry.argument]


if __name__ == "__main__":
    file, names = Path(sys.argv[1]), sys.argv[2:]
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known |= decisions([*offline(), *map(get_judge, names)])
    file.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
