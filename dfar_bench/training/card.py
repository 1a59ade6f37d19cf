"""The model card of a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dfar_bench.data import task_name
from dfar_bench.prompts import DEFAULT_STYLE

MODES = {"l": "labels alone (L)", "lr": "labels and reasons (L+R)"}

_BODY = """
# {title}

`{base}`, fine-tuned on DFAR statements with {learned}, by dfar-bench. DFAR is the dataset of Kabir et al.,
*Beyond Labels*, ICPR 2024.

| | |
|---|---|
| data | split `{split}`, {rows:,} rows{left_out}, sha256 `{sha}` |
| prompt | `{prompt}` |
| method | {method}, {trainable:,} of {total:,} parameters trained |
| steps | {steps}, final loss {loss:.4f} |
| distribution | {distribution} |
| seed | {seed} |

Everything else that is needed to repeat it, package versions and each training row's hash among it, stands in
`dfar_run.json`.

## Score it

```bash
lm_eval --model hf --model_args {model_args} --tasks {tasks}
```

## Limits

It says what annotators of DFAR would say, which is not what is right: one English-speaking group's judgement of
short statements. Use it to study moral judgement in language models, not to judge people or actions. Of the
published test statements, 37.8 % also stand in the published training set: unless this model was trained without
them, quote the `_unleaked` metrics.
"""


def write_card(folder: Path, run: dict[str, Any]) -> None:
    """Write ``README.md`` for a finished run.

    Args:
        folder: the model's.
        run: what ``dfar_run.json`` holds.
    """
    from huggingface_hub import ModelCard, ModelCardData

    base = Path(run["base_model"]["name"])
    shown = base.name if base.is_dir() else str(base)  # a place on this machine means nothing elsewhere
    adapter = run["method"] != "full" and not run.get("merged")
    data, spread = run["data"], run["distribution"]
    style = run["prompt"].partition(".")[0]
    metadata = "" if style == DEFAULT_STYLE else f' --metadata \'{{"prompt": "{style}"}}\''
    body = _BODY.format(
        title=f"{base.name} on DFAR, {run['mode'].upper().replace('LR', 'L+R')}",
        base=shown,
        learned=MODES[run["mode"]],
        split=run["split"],
        rows=data["rows"],
        left_out="".join(f", {count} left out ({why})" for why, count in data["left_out"].items()),
        sha=data["sha256"],
        prompt=run["prompt"],
        method=run["method"] + (", merged" if run.get("merged") else ""),
        trainable=run["base_model"]["trained"],
        total=run["base_model"]["parameters"],
        steps=run["loss"]["steps"],
        loss=run["loss"]["final"],
        distribution=describe(spread),
        seed=run["seed"],
        model_args=f"pretrained={shown},peft=THIS_FOLDER" if adapter else "pretrained=THIS_FOLDER",
        tasks=f"{task_name(run['split'], 'cls')},{task_name(run['split'], 'reason')}{metadata}",
    )
    about = ModelCardData(
        base_model=None if base.is_dir() else shown,
        library_name="peft" if adapter else "transformers",
        tags=["dfar", "ethics", "dfar-bench", run["mode"]],
    )
    ModelCard(f"---\n{about.to_yaml()}\n---\n{body}").save(folder / "README.md")


def describe(distribution: dict[str, Any]) -> str:
    """Such as ``ZeRO-3 with offload of optimizer on 2 processes (cpu)``."""
    count, stage = distribution["processes"], distribution["zero_stage"]
    name = f"ZeRO-{stage}" if stage is not None else "DDP" if count > 1 else "one process"
    offload = f" with offload of {' and '.join(distribution['offload'])}" if distribution["offload"] else ""
    spread = "" if name == "one process" else f" on {count} {'process' if count == 1 else 'processes'}"
    return f"{name}{offload}{spread} ({distribution['device']})"
