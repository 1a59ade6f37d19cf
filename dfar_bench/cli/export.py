"""``export``: results in the formats that others read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dfar_bench.cli.options import FALLS_SHORT, FINE, JudgeName
from dfar_bench.datasets import DATASETS
from dfar_bench.errors import InputError
from dfar_bench.exports import formats  # noqa: F401
from dfar_bench.exports.base import FORMATS, RELATIONSHIPS, Options


def export(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Submissions or folders of them; samples of lm_eval or folders of those."),
    ],
    format_name: Annotated[str, typer.Option("--format", metavar="NAME", help=f"One of {', '.join(FORMATS)}.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="The folder to write; for one file, that file (default: print it)."),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help=f"This test set only ({', '.join(DATASETS)}); may be repeated."),
    ] = None,
    judge: JudgeName = "",
    model_id: Annotated[
        str | None,
        typer.Option(metavar="ORG/NAME", help="For samples of lm_eval: the model, if they do not name it so."),
    ] = None,
    dataset_id: Annotated[
        str | None, typer.Option(metavar="ORG/NAME", help="hub: the benchmark's data set on the Hub (required).")
    ] = None,
    organization: Annotated[
        str | None, typer.Option(metavar="TEXT", help="eee: who ran the evaluation (required).")
    ] = None,
    relationship: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"eee: theirs to the model's makers: {', '.join(RELATIONSHIPS)}."),
    ] = None,
    source_url: Annotated[
        str | None, typer.Option(metavar="URL", help="hub, eee: an https link to where the runs are described.")
    ] = None,
) -> int:
    """Write results for the Hugging Face Hub, for Every Eval Ever, or as tables for papers.

    Submissions are verified, and every figure is computed here from the answers. No format holds a statement or a human
    reason. Exit status 1, and nothing written, if a submission has a fault.
    """
    from dfar_bench.datasets import get_dataset
    from dfar_bench.exports.read import read_results
    from dfar_bench.files import atomic_write
    from dfar_bench.judges import DEFAULT_JUDGE, get_judge

    chosen, names = FORMATS.find(format_name), [get_dataset(name).name for name in split or ()]
    if out is None and not chosen.single:
        raise InputError(f"--format {chosen.name} writes several files: name a folder with --out.")
    if out is not None and out.exists() and out.is_dir() == chosen.single:
        written = "one file, and --out is a folder: name a file" if chosen.single else "several files: name a folder"
        raise InputError(f"--format {chosen.name} writes {written} with --out.")
    if relationship and relationship not in RELATIONSHIPS:
        raise InputError(f"there is no --relationship {relationship!r}: choose one of {', '.join(RELATIONSHIPS)}.")
    if source_url and not source_url.startswith("https://"):
        raise InputError("--source-url is not a link that begins with https://: correct it or leave it out.")
    options = Options(get_judge(judge or DEFAULT_JUDGE), dataset_id, source_url, organization, relationship)
    chosen.check(options)
    results, faults = read_results(paths, options.judge, model_id)
    for fault in faults:
        print(f"dfar-bench: {fault}", file=sys.stderr)
    if faults:
        print("dfar-bench: nothing was exported: correct these, or name the other submissions.", file=sys.stderr)
        return FALLS_SHORT
    results = [result for result in results if not names or result.task.dataset.name in names]
    if not results:
        raise InputError(f"there is nothing on {' or '.join(names)} among the results: choose another --split.")
    files = chosen.write(results, options)
    if out is None:
        (content,) = files.values()
        print(content.decode(), end="")
        return FINE
    for name, content in files.items():
        path = out if chosen.single else out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, content)
        print(path)
    return FINE
