"""The moral suite: its tasks, metrics, and what its data sets share."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

from dfar_bench.datasets import DATASETS, rows
from dfar_bench.judges import get_judge
from dfar_bench.leaderboard.answers_file import answers_name
from dfar_bench.leaderboard.board import make_tables
from dfar_bench.leaderboard.facts import Facts, facts_of
from dfar_bench.leaderboard.profile import Line, profiles
from dfar_bench.leaderboard.reported import read_reported
from dfar_bench.leaderboard.submission import find_submissions
from dfar_bench.leaderboard.verified import VerifiedSubmission
from dfar_bench.leaderboard.verify import verify
from dfar_bench.prompts import conditions_of
from dfar_bench.runs.across import STORED, Across
from dfar_bench.runs.across import across as compare_all
from dfar_bench.scoring import KINDS, METRICS, Metric, suite_tasks
from tables.formats import ROOT, measured, percent, shown, table

_CELL, _LEFT, _TOP, _RIGHT = 34, 150, 150, 70


def suite() -> str:
    lines = []
    for dataset in DATASETS.values():
        if dataset.suite:
            task = dataset.task_name(dataset.kinds[0])
            page = "ethics_hard" if dataset.name.startswith("ethics") else dataset.name
            conditions = ", ".join(f"`{name}`" for name in conditions_of(dataset)) if dataset.style else "as for DFAR"
            lines.append(
                [f"[`{task}`](data/{page}.md)", dataset.title, f"{len(rows(dataset.name)['test']):,}", conditions]
            )
    return table("task|data|rows|conditions", lines)


def suite_metrics() -> str:
    kinds = [dataset.kinds[0] for dataset in DATASETS.values() if dataset.suite and dataset.style]
    return table("task|metrics", [[f"`{k}`", ", ".join(f"`{m.name}`" for m in KINDS[k].all_metrics)] for k in kinds])


def published_on(data: str) -> str:
    """Figures of leaderboard/reported: shares in per cent, with the deviation where there is one."""
    (source,) = (s for s in read_reported(ROOT / "leaderboard" / "reported") if any(d == data for d, _ in s.columns))
    names = [metric for name, metric in source.columns if name == data]
    return table(
        "model|" + "|".join(METRICS[name].title for name in names),
        [[row.model, *(_published(row.figures[data], METRICS[name]) for name in names)] for row in source.rows],
    )


def _published(figures: dict[str, float], metric: Metric) -> str:
    values = [figures[name] for name in (metric.name, f"{metric.name}_sd") if name in figures]
    return " ± ".join(f"{100 * value:.2f}" if metric.per_cent else str(value) for value in values)


def suite_scores() -> str:
    """What models of the committed submissions score, with the references of the board's profiles.

    A model under a chat template and without one are two columns; a column with one data set alone has its own page.
    """
    names = [dataset.name for dataset in DATASETS.values() if dataset.suite]
    folders, _ = find_submissions([ROOT / "leaderboard" / "submissions"])
    files = [answers_name(task.name) for task in suite_tasks()]
    verified = [verify(folder) for folder in folders if any((folder / file).exists() for file in files)]
    facts = [Facts.model_validate(facts_of(one)) for one in verified if isinstance(one, VerifiedSubmission)]
    tables = make_tables(facts, get_judge(), {}, names)
    cells: dict[tuple[str, str, str], dict[str, Line]] = {}
    sets: dict[str, set[str]] = {}
    for profile in profiles(tables, read_reported(ROOT / "leaderboard" / "reported")):
        for line in profile.lines:
            chat = "" if line.signature.get("chat") == "no" else ", chat template"
            column = f"{profile.model.partition('/')[2]}{chat}"
            cells.setdefault((line.dataset.name, line.condition, line.metric.name), {})[column] = line
            sets.setdefault(column, set()).add(line.dataset.name)
    models = [column for column, of in sets.items() if len(of) > 1]
    found = []
    for by_model in cells.values():
        line = next(iter(by_model.values()))
        references = (line.trivial, line.published)
        found.append(
            [
                f"`{line.dataset.name}`",
                line.column.title,
                *(one and shown(one.value, line.metric) for one in references),
            ]
            + [measured(by_model[each].estimate, line.metric) if each in by_model else "" for each in models]
        )
    return table(
        "|".join(["task|metric|trivial|published", *models]), [[cell or "" for cell in line] for line in found]
    )


@cache
def _matrix() -> Across:
    return compare_all()


def across() -> str:
    matrix = _matrix()
    lines = [
        [f"`{p.first}`", f"`{p.second}`", f"{p.equal:,}"]
        + [f"{n:,} of {matrix.sizes[s]:,}" for n, s in ((p.near_first, p.first), (p.near_second, p.second))]
        for p in matrix.dependent()
    ]
    return table("first|second|equal|of the first, equal or near|of the second", lines)


def pictures() -> dict[Path, str]:
    """Return the picture of the matrix, and the matrix as the package stores it, by their file."""
    matrix = _matrix()
    kept = replace(matrix, pairs=tuple(matrix.dependent()))
    return {
        ROOT / "docs" / "across.svg": picture(matrix),
        ROOT / "dfar_bench" / "runs" / STORED: json.dumps(kept.as_json(), indent=1) + "\n",
    }


def picture(matrix: Across) -> str:
    """Draw the matrix as SVG: a square for each two data sets, darker where more is shared, with its per cent."""
    names = list(matrix.sizes)
    size = _CELL * len(names)
    width = _LEFT + size + _RIGHT  # room for the last name, which is at a slant
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_TOP + size + 10}" '
        'font-family="sans-serif" font-size="12" role="img">',
        "<title>Share of each data set's statements that are equal or near to one of another, in per cent</title>",
        f'<rect width="{width}" height="{_TOP + size + 10}" fill="#fff"/>',
    ]
    for number, name in enumerate(names):
        middle = _CELL * number + _CELL / 2
        out.append(f'<text x="{_LEFT - 6}" y="{_TOP + middle + 4}" text-anchor="end">{name}</text>')
        at = f"{_LEFT + middle + 4} {_TOP - 6}"
        out.append(f'<text transform="translate({at}) rotate(-60)">{name}</text>')
    for row, first in enumerate(names):
        for column, second in enumerate(names):
            share = matrix.share(first, second)
            shade = 0.06 + 0.94 * share if share else 0
            x, y = _LEFT + _CELL * column, _TOP + _CELL * row
            out.append(
                f'<rect x="{x}" y="{y}" width="{_CELL - 1}" height="{_CELL - 1}" fill="#1f4e8c" '
                f'fill-opacity="{shade:.2f}" stroke="#ccc"/>'
            )
            if share:
                ink = "#fff" if shade > 0.5 else "#000"
                text = percent(share).removesuffix(".0") if first != second else ""
                out.append(
                    f'<text x="{x + _CELL / 2}" y="{y + _CELL / 2 + 4}" text-anchor="middle" fill="{ink}" '
                    f'font-size="10">{text}</text>'
                )
    return "\n".join([*out, "</svg>", ""])
