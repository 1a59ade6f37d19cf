"""Pages as HTML.

A page holds its style and scripts itself, and its policy lets nothing else run: they are named by their hashes, since
``'self'`` means nothing to some browsers where a page is opened from disk. Data is in blocks that are not scripts. The
templates escape all text, so that whatever a model or a submitter wrote is shown and never run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dfar_bench import __version__
from dfar_bench.leaderboard.charts import mark
from dfar_bench.leaderboard.entries import MIX
from dfar_bench.leaderboard.links import PAGES, Links
from dfar_bench.leaderboard.origin import SIZES, TITLES, WEIGHTS
from dfar_bench.leaderboard.submission import model_folder
from dfar_bench.scoring import Metric
from dfar_bench.text import policy_hash
from dfar_bench.training.modes import MODES

_FRAMES = {"compare.html": "frame-src 'self' file:; "}
"""Templates of pages that open others of the site in frames; ``file:`` is for those browsers, since no page from the
network can open a file."""

NOT_KNOWN = "not known"
"""What is shown of a model in place of a fact that is not recorded."""


def page(template: str, *scripts: str, **context: Any) -> bytes:
    """Render a page as UTF-8.

    Args:
        scripts: the files of the page's own script, in order.
        context: what the template names; ``root`` is the way back to the site's folder, such as ``../../``, and
            ``links`` where the pages lead.
    """
    style, code = _code("board.css"), Markup("").join(map(_code, scripts))
    policy = (
        f"default-src 'none'; script-src '{policy_hash(code)}'; style-src '{policy_hash(style)}'; "
        f"{_FRAMES.get(template, '')}base-uri 'none'; form-action 'none'"
    )
    own = {"style": style, "code": code, "policy": Markup(policy), "version": __version__, "modes": MODES}
    text: str = _environment().get_template(template).render({"root": "", "links": Links(), **own, **context})
    # A lone surrogate, which JSON allows in a response, has no bytes.
    return text.encode("utf-8", errors="replace")


def data_block(value: Any) -> Markup:
    """Return JSON for a ``<script>`` element: nothing in it can end the element."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


def picture(name: str) -> bytes:
    """Return a picture of ours, for the site's folder."""
    return (resources.files(__package__ or "") / "templates" / name).read_bytes()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": _count,
        "folder": model_folder,
        "mark": mark,
        "mode": _mode,
        "plain": _plain,
        "sentence": lambda text: f"{text[:1].upper()}{text[1:]}.",
        "shown": _shown,
        "stacked": _stacked,
        "words": lambda name: name.replace("_", " "),
    }
    environment.globals |= {
        "all_modes": {name: _mode(name) for name in ("base", *MODES, "other")},
        "kinds_of_model": TITLES,
        "mix": MIX,
        "not_known": NOT_KNOWN,
        "pages_of_docs": PAGES,
        "sizes": (*SIZES, NOT_KNOWN),
        "weights": WEIGHTS,
    }
    return environment


@cache
def _code(name: str) -> Markup:
    """A style or script of ours, which goes into pages as it is."""
    return Markup((resources.files(__package__ or "") / "templates" / name).read_text("utf-8"))


def _mode(name: str) -> str:
    return MODES[name].title if name in MODES else name or "–"


def _count(number: int) -> str:
    """Format a large number as people say it, such as 271M."""
    for least, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if number >= least:
            return f"{number / least:.3g}{unit}"
    return str(number)


def _stacked(shares: Sequence[float]) -> list[tuple[float, float]]:
    """Return where each of some shares begins and how long it is, in per cent of their sum, which is 1."""
    ends = [round(100 * sum(shares[:at]), 1) for at in range(len(shares) + 1)]
    return [(start, round(end - start, 1)) for start, end in pairwise(ends)]


def _shown(value: float, metric: Metric) -> str:
    """Format a figure: shares in per cent."""
    return (f"{100 * value:.1f}" if metric.per_cent else f"{value:.2f}").replace("-", "−")


def _plain(value: object) -> str:
    """Format a recorded value for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
