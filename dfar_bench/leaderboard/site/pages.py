"""From what the board shows to HTML.

A page holds its style and scripts itself, and its policy lets nothing else run: they are named by their hashes, since
``'self'`` means nothing to some browsers where a page is opened from disk. Data stands in blocks that are no scripts.
Texts are escaped by the templates, so that whatever a model or a submitter wrote is shown and never run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dfar_bench import __version__
from dfar_bench.leaderboard.site.board import Entry, Group

MODES = {"base": "base", "l": "L", "lr": "L+R", "other": "other", "null": "–"}
KINDS = {"cls": "Verdicts by likelihood", "reason": "Verdicts with reasons"}


def page(template: str, script: str = "", **context: Any) -> bytes:
    """A page as UTF-8.

    Args:
        script: the name of the page's own script, "" if it has none.
        context: what the template names; ``root`` is the way back to the site's folder, such as ``../../``.
    """
    style, early, late = _code("board.css"), _code("early.js"), _code(script) if script else Markup("")
    policy = (
        f"default-src 'none'; script-src {_hash(early)} {_hash(late)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = {"style": style, "early": early, "late": late, "policy": Markup(policy), "version": __version__}
    text: str = _environment().get_template(template).render({"root": "", **parts, **context})
    # A lone surrogate, which JSON allows in a response, has no bytes.
    return text.encode("utf-8", errors="replace")


def data_block(value: Any) -> Markup:
    """JSON that may stand in a ``<script>`` element: nothing in it can end the element."""
    return Markup(json.dumps(value, separators=(",", ":"), sort_keys=True).replace("<", "\\u003c"))


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "mode": lambda name: MODES.get(name, name),
        "per_cent": lambda share: f"{100 * share:.1f}".replace("-", "−"),
        "plain": _plain,
        "capitalised": _capitalised,
        "sentence": lambda text: f"{_capitalised(text)}.",
        "setting": _setting,
        "why_contaminated": _why_contaminated,
        "words": lambda name: name.replace("_", " "),
    }
    return made


@cache
def _code(name: str) -> Markup:
    """A style or script of ours, which is put into pages as it is."""
    return Markup((resources.files(__package__ or "") / name).read_text("utf-8"))


def _hash(code: str) -> str:
    """As a policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plain(value: object) -> str:
    """A recorded fact as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _setting(group: Group) -> str:
    """How the models of a group were asked, for a heading; the signature says it exactly."""
    fields = {
        kind: dict(part.partition(":")[::2] for part in text.split("|")[1:]) for kind, text in group.signatures.items()
    }
    either = next(iter(fields.values()))
    said = [f"prompt {either.get('prompt', '?')}", _shots(either.get("shots", "?"))]
    said.append({"no": "no chat template"}.get(either.get("chat", "?"), "chat template"))
    said += [f"{name} {either[name]}" for name in ("system", "context") if name in either]
    if "reason" in fields:
        said += [f"up to {fields['reason'].get('max_gen_toks', '?')} tokens", f"judge {fields['reason'].get('judge')}"]
    if fields.get("cls", {}).get("mode") == "lr":
        said.append("verdicts asked for with a reason")
    if len(fields) == 1:
        said.append(f"{next(iter(fields))} only")
    return ", ".join(said)


def _shots(count: str) -> str:
    return {"0": "no examples", "1": "1 example"}.get(count, f"{count} examples")


def _why_contaminated(entry: Entry) -> str:
    """Each sentence once; how many of the rows met are among those of the unleaked metrics."""
    said = []
    for task in entry.tasks.values():
        if (found := task.contamination) and found.why not in said:
            said.append(found.why)
    unleaked = max((t.contamination.unleaked_rows for t in entry.tasks.values() if t.contamination), default=0)
    if entry.contaminated:
        said.append(f"{unleaked or 'none'} of them among the unleaked rows")
    return "; ".join(said)
