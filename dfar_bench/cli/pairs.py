"""``pairs``: pairs of answers for preference training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dfar_bench.cli.options import FALLS_SHORT, FINE
from dfar_bench.errors import InputError
from dfar_bench.prompts import DEFAULT_STYLE


def pairs(
    model: Annotated[str, typer.Option(metavar="M", help="The merged L+R model: a folder, or a name on the Hub.")],
    out: Annotated[Path, typer.Option(metavar="FILE.jsonl", help="Where the pairs go; the answers go beside it.")],
    split: Annotated[str, typer.Option(metavar="NAME", help="The data set whose train rows are used.")] = "paper",
    drop_leaked: Annotated[
        bool, typer.Option("--drop-leaked", help="Leave out rows that are in the test set.")
    ] = False,
    prompt: Annotated[
        str, typer.Option(metavar="STYLE", help="The prompt style the model was trained in.")
    ] = DEFAULT_STYLE,
    judge: Annotated[
        str, typer.Option(metavar="NAME", help="The judge that ranks; it must not be the one that scores.")
    ] = "reference.v2b",
    samples: Annotated[int, typer.Option(min=2, max=64, help="Answers per row.")] = 4,
    temperature: Annotated[float, typer.Option(min=0.05, max=5, help="Of sampling.")] = 1.0,
    max_new_tokens: Annotated[int, typer.Option(min=8, help="The limit on an answer; longer ones are not used.")] = 256,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows at once.")] = 16,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Rows, evenly spaced (default: all).")] = None,
    seed: Annotated[int, typer.Option(help="Of sampling.")] = 42,
    dtype: Annotated[str, typer.Option(metavar="DTYPE", help="Of the weights.")] = "float32",
) -> int:
    """Make pairs of answers for train/sft.py --mode dpo.

    The model answers train rows several times, a judge reads the answers, and one that is at fault is paired with
    people's answer and with another of the model's that is not. A run that was interrupted goes on when it is started
    again. The file quotes the data: do not publish it. Exit status 1 if there is no pair.
    """
    from dfar_bench.datasets import get_dataset
    from dfar_bench.judges import get_judge
    from dfar_bench.prompts import find_style
    from dfar_bench.training import pairs as making
    from dfar_bench.training.base import find_base
    from dfar_bench.training.modes import MODES, train_rows
    from dfar_bench.training.options import Options, set_up_libraries
    from dfar_bench.training.subset import evenly

    mode = MODES["dpo"]
    if split not in mode.splits:
        raise InputError(f"--split {split} has no reasons to train on: choose one of {', '.join(mode.splits)}.")
    find_style(prompt, get_dataset(split))
    ranking = get_judge(judge)
    if out.suffix != ".jsonl":
        raise InputError(f"--out {out} must end in .jsonl.")
    rows = evenly(train_rows(Options(split=split, drop_leaked=drop_leaked)), limit)
    set_up_libraries()
    if (Path(model) / "adapter_config.json").exists():
        raise InputError(f"--model {model} is an adapter: merge it with train/merge.py first.")
    sampling = making.Sampling(
        model=model,
        weights=find_base(model).state,
        split=split,
        drop_leaked=drop_leaked,
        prompt=prompt,
        samples=samples,
        temperature=temperature,
        max_new_tokens=max_new_tokens,
        batch_size=batch_size,
        seed=seed,
        dtype=dtype,
        limit=limit,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    answers = making.sample(sampling, rows, out.with_suffix(".answers.jsonl"))
    found = making.rank(rows, answers, prompt, ranking)
    making.write_pairs(out, sampling, ranking, found)
    print(f"{out}: {making.describe(found)}; judge {ranking.signature}")
    return FINE if found else FALLS_SHORT
