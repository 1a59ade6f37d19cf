"""``latex``: a table for each data set and each way of asking, with booktabs.

Its columns are those of the board. A figure is bold only where it is the best and its interval meets that of no other
model; models that were trained on test statements are marked, and neither bold nor in the way of others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dfar_bench import __version__
from dfar_bench.exports.base import FORMATS, Format, Options
from dfar_bench.exports.result import Figure, Result
from dfar_bench.scoring import LEVEL

if TYPE_CHECKING:
    from dfar_bench.leaderboard.entries import Column

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "|": r"\textbar{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "κ": r"$\kappa$", "λ": r"$\lambda$", "−": "$-$", "–": "--", "½": r"$\frac{1}{2}$",
}  # fmt: skip
_ARROWS = {True: r" $\uparrow$", False: r" $\downarrow$", None: ""}


def escape(text: str) -> str:
    """Return a text as LaTeX prints it."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def _latex(results: Sequence[Result], options: Options) -> dict[str, bytes]:
    from dfar_bench.leaderboard.board import keeps_apart

    tables: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        tables[result.task.name, str(keeps_apart(str(result.signature)))].append(result)
    texts = [_table(members, number) for number, members in enumerate(tables.values(), start=1)]
    head = f"% Made by dfar-bench {__version__}. Needs \\usepackage{{booktabs}}, and UTF-8.\n"
    return {"results.tex": (head + "\n".join(texts)).encode()}


def _table(results: Sequence[Result], number: int) -> str:
    """Return a table of results that may be compared."""
    from dfar_bench.leaderboard.entries import columns

    task = results[0].task
    results = sorted(results, key=lambda result: (result.model, result.run_id))
    shown = [
        column
        for column in columns(task.dataset)
        if column.metric.kind == task.kind.name and any(result.figure(column.metric.name) for result in results)
    ]
    names = {result.model for result in results}
    with_runs, signatures = len(names) < len(results), list(dict.fromkeys(str(r.signature) for r in results))
    labels = ["Model", *["Run"] * with_runs, "Prompt", *["Signature"] * (len(signatures) > 1)]
    head = [*labels, *(escape(column.title) + _ARROWS[column.metric.higher_is_better] for column in shown)]
    counts = [*[""] * len(labels), *(_count(results, column) for column in shown)]
    best = {column.name: _separated(results, column) for column in shown}
    lines = []
    for result in results:
        mark = r"$^\dagger$" * bool(result.contaminated)
        cells = [escape(result.model) + mark, *[escape(result.run_id)] * with_runs]
        cells.append(escape(result.signature.get("prompt")))
        cells += [str(signatures.index(str(result.signature)) + 1)] * (len(signatures) > 1)
        for column in shown:
            cell = result.words_for(column.metric) or _cell(result.figure(column.metric.name))
            cells.append(rf"\textbf{{{cell}}}" if result is best[column.name] else cell)
        lines.append(cells)
    rule = [r"\toprule", _line(head), _line(counts), r"\midrule", *map(_line, lines), r"\bottomrule"]
    notes = " ".join(_notes(results, signatures))
    caption = f"{task.dataset.title}, {task.kind.title.lower()}, condition {results[0].signature.get('condition')}"
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape(caption)}.}}",
            rf"\label{{tab:dfar-bench-{number}}}",
            rf"\begin{{tabular}}{{{'l' * len(labels)}{'r' * len(shown)}}}",
            *rule,
            r"\end{tabular}",
            "",
            r"\smallskip",
            rf"\begin{{minipage}}{{\linewidth}}\footnotesize {notes}\end{{minipage}}",
            r"\end{table}",
            "",
        ]
    )


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "--"
    scale, digits = (100, 1) if figure.metric.per_cent else (1, 3)
    value, *ends = (
        f"{number * scale:z.{digits}f}".replace("-", "$-$")
        for number in (figure.estimate.value, *(figure.estimate.interval or ()))
        if number is not None
    )
    return f"{value} [{', '.join(ends)}]" if ends else value


def _count(results: Sequence[Result], column: Column) -> str:
    """Return on how many answers a column rests."""
    counts = sorted({figure.n for result in results if (figure := result.figure(column.metric.name))})
    return f"$n={counts[0]}$" if len(counts) == 1 else f"$n={counts[0]}$--${counts[-1]}$"


def _separated(results: Sequence[Result], column: Column) -> Result | None:
    """Return the best of several results, if its interval lies beyond those of all others."""
    if column.metric.higher_is_better is None:
        return None
    sign = 1 if column.metric.higher_is_better else -1
    ends: list[tuple[float, float, Result]] = []
    for result in results:
        figure = result.figure(column.metric.name)
        if figure is None or result.contaminated or result.words_for(column.metric):
            continue
        if figure.estimate.interval is None:
            return None
        worse, better = sorted(sign * end for end in figure.estimate.interval)
        ends.append((worse, better, result))
    if len(ends) < 2:
        return None
    worse, _, best = max(ends, key=lambda end: end[0])
    return best if all(worse > better for _, better, result in ends if result is not best) else None


def _notes(results: Sequence[Result], signatures: Sequence[str]) -> Iterator[str]:
    yield f"With {LEVEL * 100:.0f}\\,\\% intervals, from a bootstrap clustered by contrast group; rates are per cent."
    yield "Bold: the best, where its interval meets no other."
    if any(result.contaminated for result in results):
        yield r"$^\dagger$\,trained on statements of this test set."
    judges = dict.fromkeys(result.signature.get("judge") for result in results if result.task.kind.judged)
    if judges:
        errs = dict.fromkeys(result.judge_errs for result in results)
        yield f"Judge {escape(', '.join(judges))}: {escape('; '.join(errs))}."
    for number, signature in enumerate(signatures, start=1):
        name = f"Signature {number}" if len(signatures) > 1 else "Signature"
        yield rf"{name}: \texttt{{{_breakable(signature)}}}."


def _breakable(signature: str) -> str:
    """Return a signature that may be broken between its fields."""
    return re.sub(r"\\textbar\{\}", lambda bar: rf"{bar[0]}\allowbreak{{}}", escape(signature))


FORMATS.add(Format("latex", _latex, single=True))
