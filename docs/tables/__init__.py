"""Write the generated parts of README.md, CONTRIBUTING.md and docs/*.md in place: ``make tables``.

A generated part is between ``<!-- table: NAME -->`` and ``<!-- end -->``. NAME is a function of one of these modules,
with - for _, or ``addition-FILE`` for a file of tests/additions, ``metrics-of-DATA`` or
``published-on-DATA``. The published data must be available.
A test asserts that the pages are as this package would write them.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tables import (
    bench,
    data,
    experiments,
    judges,
    memory,
    models,
    readings,
    reference,
    submissions,
    suite,
    trained,
    training,
)
from tables.formats import ROOT, fenced

MODULES = (bench, data, experiments, judges, memory, models, readings, reference, submissions, suite, trained, training)

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PART = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(page: str) -> str:
    """Return a page with its generated parts as they should be."""
    return PART.sub(lambda part: f"{part[1]}{content(part[2])}\n{part[3]}", page)


@cache
def content(name: str) -> str:
    """Return one generated part."""
    if name.startswith("addition-"):
        return fenced((ROOT / "tests" / "additions" / f"{name[9:]}.py").read_text(encoding="utf-8"), "python")
    function = name.replace("-", "_")
    if function.startswith("metrics_of_"):
        return reference.metrics_of(function.removeprefix("metrics_of_"))
    if function.startswith("published_on_"):
        return suite.published_on(function.removeprefix("published_on_"))
    (module,) = (module for module in MODULES if hasattr(module, function))
    return str(getattr(module, function)())


def pictures() -> dict[Path, str]:
    """Return all pictures and other files that the code makes, by their file."""
    return {**suite.pictures(), **experiments.pictures()}
