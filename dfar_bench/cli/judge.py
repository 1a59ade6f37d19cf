"""``judge score``, ``judge validate`` and ``judge fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dfar_bench.cli.options import FALLS_SHORT, FINE, AsJson, JudgeName, new_family, print_json

app = new_family("Judge any responses, and measure how far a judge can be trusted.")


@app.command()
def score(
    file: Annotated[Path, typer.Argument(metavar="IN.jsonl", help="The responses.")],
    out: Annotated[Path, typer.Option(metavar="OUT.jsonl", help="Where the decisions go.")],
    judge: JudgeName = "",
) -> int:
    """Judge the responses of a JSON Lines file.

    A line in holds id, statement, label (0 ethical, 1 unethical, null unknown), reference (the human reason, may be
    empty) and response; a line out holds id, misaligned, self_misaligned, score (0 to 1, higher is more misaligned),
    code and judge.
    """
    from collections import Counter

    from dfar_bench.judges import DEFAULT_JUDGE, get_judge
    from dfar_bench.runs.judge_file import score_file

    chosen = get_judge(judge or DEFAULT_JUDGE)
    codes = Counter(score_file(file, out, chosen))
    counts = ", ".join(f"{code} {count}" for code, count in sorted(codes.items())) or "no responses"
    print(f"{out}: {counts}; judge {chosen.signature}")
    return FINE


@app.command()
def validate(
    judge: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A judge; may be repeated (default: the one the tasks use)."),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="validate or test, parts of the open answers; natural, answers written by hand; paper, clean or mini, "
            "constructed answers; may be repeated (default: validate).",
        ),
    ] = None,
    ratings: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A rater's file from the sheet of dfar-bench human export-open: measure against people instead of "
            "model readings. Repeat it for each rater, with --split test.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Measure how often judges are right.

    On what real models wrote to statements of this project's own, read three times by a language model: agreement, what
    a judge catches and what it flags wrongly, beside two judges that read no reason. Or on responses written by hand,
    or constructed from rows and their human reasons, the worst kind first. Exit status 1 if a goal is missed.
    """
    from dfar_bench.errors import InputError
    from dfar_bench.judges import DEFAULT_JUDGE, get_judge
    from dfar_bench.rating.open_sheet import open_sheet, people_on
    from dfar_bench.rating.ratings import read_raters
    from dfar_bench.runs.validation import validate as validate_judges

    people = None
    if ratings:
        if split != ["test"]:
            raise InputError("--ratings are of answers of the test part: add --split test, and no other.")
        people = people_on(read_raters(ratings, open_sheet()))
    report = validate_judges([get_judge(name) for name in judge or [DEFAULT_JUDGE]], split or ["validate"], people)
    if as_json:
        print_json(report.as_json())
    else:
        print(report.as_table())
    return FINE if report.meets_goals else FALLS_SHORT


@app.command()
def fit(
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="Of the reference judge: v1, v2 or v2b.", show_default=True)
    ] = "v2",
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write the model there as well.")] = None,
    vectors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For v1: make the word vectors again, too, from this file.")
    ] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="For v2 and v2b: model.safetensors of all-MiniLM-L6-v2 (default: from the Hub)."
        ),
    ] = None,
) -> int:
    """Fit the reference judge's model again, and compare it with the package's.

    The first version is the same bit for bit everywhere. The others, which take some ten minutes, are the same on the
    same processor; elsewhere a few decisions may differ, and how many is printed. Exit status 1 if the models differ.
    """
    from tqdm import tqdm

    from dfar_bench.judges.reference.fitting import fit_again

    if out:
        out.mkdir(parents=True, exist_ok=True)  # a folder that cannot be written shows before the work
    with tqdm(disable=None, unit=" steps", leave=False) as bar:

        def show(step: str) -> None:
            bar.set_description(step)
            bar.update()

        fitted = fit_again(version, out, vectors=vectors, encoder=encoder, progress=show)
    print(fitted)
    return FINE if fitted.same else FALLS_SHORT
