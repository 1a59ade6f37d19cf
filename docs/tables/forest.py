"""A forest plot as SVG: for each line one estimate and its interval per series, in points of a hundred."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from dfar_bench.leaderboard.charts import Axis
from dfar_bench.scoring import Estimate

_LEFT, _WIDTH, _TOP, _STEP = 270.0, 720.0, 44.0, 14.0
_INKS = ("#1f4e8c", "#b5501b", "#2f6f3e")
"""Of series; each has its own shape as well, for those who see no colours."""


def forest(title: str, lines: Mapping[str, Sequence[Estimate]], series: Sequence[str]) -> str:
    """Draw differences of shares; 0 is marked.

    Args:
        lines: by title, an estimate for each of at most three ``series``.
    """
    ends = [end for estimates in lines.values() for one in estimates for end in one.interval or (one.value or 0.0,)]
    low, high = max(-1.0, math.floor(min(*ends, 0) * 10) / 10), min(1.0, math.ceil(max(*ends, 0) * 10) / 10)
    axis = Axis(low, high, _LEFT, _WIDTH - 20)  # a t interval may go beyond what a difference of shares can be
    of_line = _STEP * (len(series) + 1)
    bottom = _TOP + of_line * len(lines)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {bottom + 24:.0f}" '
        'font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH:.0f}" height="{bottom + 24:.0f}" fill="#fff"/>',
    ]
    for share, per_cent in axis.ticks:
        ink = "#555" if per_cent == 0 else "#ddd"
        out.append(f'<line x1="{share}" x2="{share}" y1="{_TOP}" y2="{bottom}" stroke="{ink}"/>')
        label = f"{per_cent:+d}".replace("-", "−") if per_cent else "0"
        out.append(f'<text x="{share}" y="{bottom + 16}" text-anchor="middle">{label}</text>')
    for number, name in enumerate(series):
        x = 20 + number * (_WIDTH - 40) / len(series)
        out += [_mark(number, x, 16), f'<text x="{x + 10}" y="20">{escape(name)}</text>']
    for row, (name, estimates) in enumerate(lines.items()):
        middle = _TOP + of_line * (row + 0.5)
        out.append(f'<text x="{_LEFT - 12}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>')
        for number, one in enumerate(estimates):
            y = middle + _STEP * (number - (len(estimates) - 1) / 2)
            if len(interval := axis.ends(one)) == 2:
                low, high = interval
                out.append(f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="{_INKS[number]}"/>')
            out.append(_mark(number, axis(one.value or 0.0), y))
    return "\n".join([*out, "</svg>", ""])


def _mark(series: int, x: float, y: float) -> str:
    ink = f'fill="{_INKS[series]}"'
    shapes = (
        f'<circle cx="{x}" cy="{y}" r="4" {ink}/>',
        f'<rect x="{x - 3.5}" y="{y - 3.5}" width="7" height="7" {ink}/>',
        f'<path d="M{x - 5} {y}L{x} {y - 5}L{x + 5} {y}L{x} {y + 5}Z" {ink}/>',
    )
    return shapes[series]
