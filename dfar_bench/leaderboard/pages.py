"""Pages as HTML.

A page holds its style and scripts itself, and its policy lets nothing else run: they are named by their hashes, since
``'self'`` means nothing to some browsers where a page is opened from disk. Data is in blocks that are not scripts. The
templates escape all text, so that whatever a model or a submitter wrote is shown and never run.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dfar_bench import __version__
from dfar_bench.leaderboard.charts import mark
from dfar_bench.leaderboard.submission import model_folder
from dfar_bench.scoring import Metric
from dfar_bench.text import policy_hash
from dfar_bench.training.modes import MODES

_FRAMES = {"compare.html": "frame-src 'self' file:; "}
"""Templates of pages that open others of the site in frames; ``file:`` is for those browsers, since no page from the
network can open a file."""


def page(template: str, *scripts: str, **context: Any) -> bytes:
    """Render a page as UTF-8.

    Args:
        scripts: the files of the page's own script, in order.
        context: what the template names; ``root`` is the way back to the site's folder, such as ``../../``.
    """
    style, code = _code("board.css"), Markup("").join(map(_code, scripts))
    policy = (
        f"default-src 'none'; script-src '{policy_hash(code)}'; style-src '{policy_hash(style)}'; "
        f"{_FRAMES.get(template, '')}base-uri 'none'; form-action 'none'"
    )
    own = {"style": style, "code": code, "policy": Markup(policy), "version": __version__, "modes": MODES}
    text: str = _environment().get_template(template).render({"root": "", **own, **context})
    # A lone surrogate, which JSON allows in a response, has no bytes.
    return text.encode("utf-8", errors="replace")


def data_block(value: Any) -> Markup:
    """Return JSON for a ``<script>`` element: nothing in it can end the element."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


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
        "folder": model_folder,
        "mark": mark,
        "mode": lambda name: MODES[name].title if name in MODES else name or "–",
        "plain": _plain,
        "sentence": lambda text: f"{text[:1].upper()}{text[1:]}.",
        "shown": _shown,
        "words": lambda name: name.replace("_", " "),
    }
    return environment


@cache
def _code(name: str) -> Markup:
    """A style or script of ours, which goes into pages as it is."""
    return Markup((resources.files(__package__ or "") / "templates" / name).read_text("utf-8"))


def _shown(value: float, metric: Metric) -> str:
    """Format a figure: shares in per cent."""
    return (f"{100 * value:.1f}" if metric.per_cent else f"{value:.2f}").replace("-", "−")


def _plain(value: object) -> str:
    """Format a recorded value for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
