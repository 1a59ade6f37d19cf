"""``eval``: lm_eval with conditions of several turns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dfar_bench.cli.options import FINE


def evaluate(
    context: typer.Context,
    output_path: Annotated[Path, typer.Option("--output_path", "-o", metavar="DIR", help="Where the results go.")],
    condition: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What the model is asked for, such as reason, cot, q_if or review; by default each task's own.",
        ),
    ] = None,
) -> int:
    """Score a model as lm_eval does, under a condition of one turn or several.

    Takes lm_eval's own arguments besides (--model, --model_args, --tasks, --batch_size, --apply_chat_template, ...) and
    logs every turn with its tokens and why it ended. A run that was killed goes on from its finished turns.
    """
    from dfar_bench.runs.evaluate import evaluate as ask

    ask([argument for argument in context.args if argument != "--log_samples"], condition, output_path)
    return FINE
