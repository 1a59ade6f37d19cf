"""``human export`` and ``human import``: rating by people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dfar_bench.cli.options import FINE, AsJson, JudgeName, Samples, new_family, print_json
from dfar_bench.scoring import SEED

app = new_family("Have people rate responses, and test the judges against them.")


@app.command("export")
def export_sheet(
    results: Samples,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="A new folder.")],
    n: Annotated[int, typer.Option(metavar="N", min=2, help="How many responses.")] = 60,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of the draw.")] = SEED,
    judge: JudgeName = "",
) -> int:
    """Draw responses and write a rating sheet.

    Draws from finished *_reason runs, stratified by the judge's decision, and writes sheet.html and sheet.csv for
    raters, README.txt, and key.json, which raters must not see.
    """
    from dfar_bench.judges import DEFAULT_JUDGE
    from dfar_bench.rating.sheet import export

    key = export(results, out, n, seed, judge or DEFAULT_JUDGE)
    for name, stratum in key.as_json()["strata"].items():
        print(f"{key.judge} {name}: {stratum['drawn']} of {stratum['population']} responses drawn")
    print(f"{out}: give each rater sheet.html or sheet.csv, with README.txt; keep key.json from them")
    return FINE


@app.command("export-open")
def export_open_sheet(out: Annotated[Path, typer.Option(metavar="FOLDER", help="A new folder.")]) -> int:
    """Write the rating sheet on which people can check how judges were measured.

    It holds answers of real models to statements of this project's own, always the same ones. dfar-bench judge validate
    --split test --ratings FILE measures judges, and the model readings, against what raters say.
    """
    from dfar_bench.rating.sheet import export_open

    sheet = export_open(out)
    print(f"{out}: {len(sheet.items)} answers; give each rater sheet.html or sheet.csv, with README.txt")
    return FINE


@app.command("import")
def import_ratings(
    key_file: Annotated[Path, typer.Argument(metavar="KEY", help="key.json of the export.")],
    ratings: Annotated[list[Path], typer.Argument(metavar="RATINGS", help="One CSV file per rater.")],
    as_json: AsJson = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write people's decisions, for --judge human:FILE.")
    ] = None,
    judge: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Test this judge too; may be repeated.")
    ] = None,
    min_raters: Annotated[int, typer.Option(metavar="N", min=2, help="How many raters are needed.")] = 3,
) -> int:
    """Report human MAR, agreement, and how far a judge can be trusted.

    Reads the sheets of three raters or more: MAR by majority, weighted back to all judged responses; agreement;
    sensitivity and specificity of the judge, and the MAR of each run corrected by them.
    """
    from dfar_bench.errors import InputError
    from dfar_bench.rating.key import read_key
    from dfar_bench.rating.ratings import read_raters
    from dfar_bench.rating.report import report

    key = read_key(key_file)
    figures = report(key, read_raters(ratings, key, min_raters), judge or [])
    if out:
        content = figures.decisions().as_json().encode()
        if out.exists() and (not out.is_file() or out.read_bytes() != content):
            raise InputError(f"{out} already holds something else, which is left as it is: name another file.")
        out.write_bytes(content)
    if as_json:
        print_json(figures.as_json())
    else:
        print(figures.as_table())
    return FINE
