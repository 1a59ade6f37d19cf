"""``data fetch``, ``data audit``, ``data noise``, ``data sample`` and ``data split``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dfar_bench.cli.options import FALLS_SHORT, FINE, AsJson, Split, new_family, print_json
from dfar_bench.datasets import DATASETS

app = new_family("Download and check the data.")


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help=f"Of {', '.join(DATASETS)}.")] = None,
    ethos: Annotated[bool, typer.Option("--ethos", help="Also ETHOS, which holds offensive comments.")] = False,
) -> int:
    """Download the published files of data sets (default: paper) and check their hashes."""
    from dfar_bench.datasets import get_dataset, read_published

    chosen = dict.fromkeys([*(names or ["paper"]), *["ethos"] * ethos])
    for dataset in map(get_dataset, dict.fromkeys(name for one in chosen for name in get_dataset(one).needs)):
        for file in dataset.files:
            print(f"{read_published(dataset, file)[1]}: as published")
        if not dataset.files and not dataset.parents:
            print(f"{dataset.name}: comes with the package")
    return FINE


@app.command()
def audit(
    split: Split = "paper",
    across: Annotated[bool, typer.Option("--across", help="Instead, what every two data sets share.")] = False,
    as_json: AsJson = False,
) -> int:
    """Report leakage, near duplicates, contrast groups, encoding faults and noise, by row id."""
    if across:
        from dfar_bench.runs.across import across as compare_all

        matrix = compare_all()
        print_json(matrix.as_json()) if as_json else print(matrix.as_text())
        return FINE
    from dfar_bench.runs.audit import as_text
    from dfar_bench.runs.audit import audit as audit_dataset

    report = audit_dataset(split)
    if as_json:
        print_json(report)
    else:
        print(as_text(report))
    return FINE


@app.command()
def noise(split: Split = "paper") -> int:
    """List suspicious rows and the rule that finds each, as CSV.

    Rows whose reason goes against the label or names no verdict, and rows with encoding faults. The rules are the
    verdict parser's and patterns, not people's: their precision is low.
    """
    from dfar_bench.runs.audit import audit as audit_dataset
    from dfar_bench.runs.audit import noise_list

    print("row_id,rule")
    for row_id, rule in noise_list(audit_dataset(split)):
        print(f"{row_id},{rule}")
    return FINE


@app.command()
def sample() -> int:
    """Print some 200 rows of each task of the moral suite, whole groups and pairs, for lm_eval's --samples."""
    from dfar_bench.runs.suite_sample import suite_sample

    print(suite_sample(), end="")
    return FINE


@app.command("split")
def make_split(
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the manifest there as well.")] = None,
) -> int:
    """Make the manifest of the clean split again.

    Makes it from the published files and compares it with the one in the package. Exit status 1 if they differ.
    """
    from dfar_bench.datasets import rows
    from dfar_bench.datasets.clean_split import committed_manifest, manifest

    text = manifest(rows("paper"))
    if out:
        out.write_text(text, encoding="utf-8")
    same = text == committed_manifest()
    print(f"the manifest {'is the one' if same else 'differs from the one'} in the package")
    return FINE if same else FALLS_SHORT
