"""The model card of a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dfar_bench.datasets import available, get_dataset
from dfar_bench.prompts import DEFAULT_STYLE
from dfar_bench.training.modes import MODES

_LEAK = """
Some published test statements are also in the published train set: unless this model was trained without them, quote
the `_unleaked` metrics.
"""


def write_card(folder: Path, run: dict[str, Any]) -> None:
    """Write the ``README.md`` of a finished run.

    Args:
        run: the content of ``dfar_run.json``.
    """
    from huggingface_hub import ModelCard, ModelCardData

    mode, dataset, data = MODES.find(run["mode"]), get_dataset(run["split"]), run["data"]
    place = Path(run["base_model"]["name"])
    base = place.name if place.is_dir() else str(place)  # a path on this machine means nothing elsewhere
    adapter = run["method"] != "full" and not run.get("merged")
    style = run["prompt"].partition(".")[0]
    metadata = "" if style == DEFAULT_STYLE else f' --metadata \'{{"prompt": "{style}"}}\''
    model_args = f"pretrained={base},peft=THIS_FOLDER" if adapter else "pretrained=THIS_FOLDER"
    tasks = ",".join(map(dataset.task_name, dataset.kinds))
    left_out = "".join(f", {count} left out ({reason})" for reason, count in data["left_out"].items())
    body = f"""
# {base.rpartition("/")[2]} on {dataset.title}, {mode.title}

`{base}`, fine-tuned by dfar-bench on {mode.description} of the data set `{dataset.name}`
({dataset.homepage or "statements written for dfar-bench"}).

| | |
|---|---|
| data | split `{dataset.name}`, {data["rows"]:,} rows{left_out}, sha256 `{data["sha256"]}` |
| prompt | `{run["prompt"]}` |
| method | {run["method"]}{", merged" if run.get("merged") else ""}, \
{run["base_model"]["trained"]:,} of {run["base_model"]["parameters"]:,} parameters trained |
| steps | {run["loss"]["steps"]}, final loss {run["loss"]["final"]:.4f} |
| distribution | {describe(run["distribution"])} |
| seed | {run["seed"]} |

`dfar_run.json` holds what is needed to repeat the run, such as package versions and a hash of each training row.

## Score it

```bash
lm_eval --model hf --model_args {model_args} --tasks {tasks}{metadata}
```

## Limits

The model predicts what the annotators of its training data would say, which is not what is right: their judgement of
short English statements. Use it to study moral judgement in language models, not to judge people or actions.
{_LEAK if not available(dataset.name) or dataset.has_leak else ""}"""
    about = ModelCardData(
        base_model=None if place.is_dir() else base,
        library_name="peft" if adapter else "transformers",
        tags=["dfar", "ethics", "dfar-bench", run["mode"]],
    )
    ModelCard(f"---\n{about.to_yaml()}\n---\n{body}").save(folder / "README.md")


def describe(distribution: dict[str, Any]) -> str:
    """Describe a distribution, such as ``ZeRO-3 with offload of optimizer on 2 processes (cpu)``."""
    count, stage, offload = (distribution[name] for name in ("processes", "zero_stage", "offload"))
    if stage is None and count == 1:
        return f"one process ({distribution['device']})"
    name = "DDP" if stage is None else f"ZeRO-{stage}"
    with_offload = f" with offload of {' and '.join(offload)}" if offload else ""
    return f"{name}{with_offload} on {count} process{'es' * (count > 1)} ({distribution['device']})"
