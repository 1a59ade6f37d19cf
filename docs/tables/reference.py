"""The registries, the command line, and the options of training."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import typer

from dfar_bench.cli.main import make_app
from dfar_bench.datasets import Row, get_dataset, rows
from dfar_bench.prompts import CHAT_STYLE, DEFAULT_STYLE, STYLES, conditions_of, make_prompt, styles_of
from dfar_bench.scoring import KINDS, tasks
from tables.formats import ROOT, fenced, table


def metrics_cls() -> str:
    return metrics_of("cls")


def metrics_reason() -> str:
    return metrics_of("reason")


def metrics_review() -> str:
    return metrics_of("reason", revised=True)


def metrics_of(kind: str, *, revised: bool = False) -> str:
    """Tabulate the metrics of a kind of task: those that it always has, or those of a second look."""
    arrows = {True: "↑", False: "↓", None: ""}
    metrics = [metric for metric in KINDS[kind].all_metrics if metric.revised == revised]
    return table(
        "metric|better|what it is",
        [[f"`{m.name}`", arrows[m.higher_is_better], m.description or m.title] for m in metrics],
    )


def conditions() -> str:
    row = Row("paper", "", "…", 0)
    lines = []
    for condition in conditions_of(get_dataset("paper")).values():
        prompt = make_prompt("chat", condition.name, row)
        first = prompt.text.removesuffix("\n\nStatement: …")
        names = ", ".join(f"`{name}`" for name in (condition.name, *condition.aliases))
        lines.append([names, " → ".join([first, *prompt.follow_ups])])
    return table("condition|asks, in the prompt style `chat`", lines)


def chat_wordings() -> str:
    row = Row("paper", "", "…", 0)
    styles = [name for name in STYLES if name.startswith(CHAT_STYLE)]
    return table(
        "prompt|", [[f"`{name}`", make_prompt(name, "reason", row).text.replace("\n\n", " ⏎ ")] for name in styles]
    )


def task_list() -> str:
    lines = [
        [f"`{name}`", task.dataset.title, len(rows(task.dataset.name)["test"]), task.kind.title]
        for name, task in tasks().items()
    ]
    return table("task|data|rows|asks for", lines)


def metadata() -> str:
    paper = get_dataset("paper")
    default = {DEFAULT_STYLE: " (default)", CHAT_STYLE: " (default under a chat template)"}
    styles = ", ".join(f"`{name}`{default.get(name, '')}" for name in (style.name for style in styles_of(paper)))
    conditions = ", ".join(
        f"`{c.name}`" + (f" (or `{'`, `'.join(c.aliases)}`)" if c.aliases else "")
        for c in conditions_of(paper).values()
    )
    defaults = ", ".join(f"`{KINDS[kind].condition}` for `*_{kind}`" for kind in paper.kinds)
    return table(
        "key|values|",
        [
            [
                "`prompt`",
                styles,
                "`llama2` and `mistral` are the paper's, byte for byte; [how a model is asked](asking.md)",
            ],
            [
                "`condition`",
                conditions,
                f"what is asked for; default {defaults}; those of several turns need `dfar-bench eval`. "
                "`mode` is an alias of the key",
            ],
        ],
    )


def commands() -> str:
    return "\n\n".join(_described("dfar-bench", typer.main.get_command(make_app())))


def _described(name: str, command: Any) -> list[str]:
    """Describe a command, or those of a group."""
    if hasattr(command, "commands"):
        return [part for verb, sub in command.commands.items() for part in _described(f"{name} {verb}", sub)]
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join([name, *(p.metavar or p.name.upper() for p in arguments), "[OPTIONS]"])
    parameters = [
        [f"`{p.metavar if p in arguments else ' '.join(filter(None, [*p.opts, p.metavar]))}`", p.help, _default(p)]
        for p in command.params
    ]
    paragraphs = [" ".join(paragraph.split()) for paragraph in (command.help or "").split("\n\n")]
    parts = [f"### {name}", f"`{usage}`", *paragraphs]
    return [*parts, table("option|what it does|default", parameters)] if parameters else parts


def _default(parameter: Any) -> str:
    value = parameter.default
    return "" if value is None or isinstance(value, bool) or callable(value) or value in ("", (), []) else f"`{value}`"


def training_options() -> str:
    command = [sys.executable, str(ROOT / "train" / "sft.py"), "--help"]
    return fenced(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
