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
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write the model there as well.")] = None,
    vectors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Make the word vectors again, too, from this file of vectors.")
    ] = None,
) -> int:
    """Fit the reference judge's model again.

    Fits it to DFAR's train rows that are in no test set and the arguments in the package, and compares the result
    with the package's model, bit for bit. Exit status 1 if they differ.
    """
    from tqdm import tqdm

    from dfar_bench.judges.reference.v1.fit import fit as fit_judge
    from dfar_bench.judges.reference.v1.fit import save
    from dfar_bench.judges.reference.v1.model import ReferenceModel, load

    if out:
        out.mkdir(parents=True, exist_ok=True)  # a folder that cannot be written shows before the work
    with tqdm(disable=None, unit=" steps", leave=False) as bar:

        def show(step: str) -> None:
            bar.set_description(step)
            bar.update()

        arrays = fit_judge(vectors, show)
    if out:
        save(arrays, out)
    digest, committed = ReferenceModel(arrays).digest, load().digest
    same = digest == committed
    print(f"{digest}: {'' if same else 'not '}the model of the package{'' if same else f', which is {committed}'}")
    return FINE if same else FALLS_SHORT
