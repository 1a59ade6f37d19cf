"""``submit``, ``verify`` and ``board build``: the leaderboard."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dfar_bench import leaderboard
from dfar_bench.cli.options import FALLS_SHORT, FINE, AsJson, new_family, print_json, warn_of_differences
from dfar_bench.datasets import DATASETS
from dfar_bench.errors import InputError
from dfar_bench.training.modes import MODES

SUBMISSIONS = Path(leaderboard.SUBMISSIONS)

app = new_family("Build the leaderboard's pages.")


def submit(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULTS",
            help="The folder given to lm_eval --output_path; several if the model was scored in several runs.",
        ),
    ],
    model_id: Annotated[str, typer.Option(metavar="ORG/NAME", help="The model's name on the board.")],
    mode: Annotated[str, typer.Option(metavar="MODE", help=f"How it was trained: base, {', '.join(MODES)} or other.")],
    revision: Annotated[
        str | None, typer.Option(metavar="R", help="The model's commit on the Hub, all 40 digits.")
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="For a local model: the folder of *.safetensors that was scored; is hashed."),
    ] = None,
    base: Annotated[str | None, typer.Option(metavar="ORG/NAME", help="The model that was fine-tuned.")] = None,
    training: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SET",
            help="Trained on: none, other, or a train set such as dfar_train_unleaked; may be repeated (default: what "
            "dfar_run.json says, and none with --mode base).",
        ),
    ] = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="Of the training, one sentence.")] = None,
    dfar_run: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="dfar_run.json of train/sft.py; auto: the one beside the model, if any."),
    ] = None,
    contact: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="An e-mail address, @name on GitHub, or an https link; will be public."),
    ] = None,
    licence: Annotated[str | None, typer.Option(metavar="NAME", help="Of the model, such as Apache-2.0.")] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="An https link to the model or a report.")] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder of all submissions.")] = SUBMISSIONS,
) -> int:
    """Make a leaderboard submission from lm_eval's output folders, of one model.

    Needs --log_samples. The submission holds the answers, not the statements and human reasons, and is re-scored from
    them before it is written. What is said of the model must agree with what lm_eval recorded.
    """
    from dfar_bench.leaderboard.submit import About, find_dfar_run
    from dfar_bench.leaderboard.submit import submit as make_submission

    if (revision is None) == (weights is None):
        raise InputError("submit needs either --revision (a model on the Hub) or --weights (a local one): give one.")
    run = find_dfar_run(results) if dfar_run == "auto" else dfar_run
    about = About(
        model_id=model_id,
        mode=mode,
        revision=revision,
        weights=weights,
        base=base,
        training=tuple(training or ()),
        description=description,
        dfar_run=Path(run) if run else None,
        contact=contact,
        licence=licence,
        url=url,
    )
    done = make_submission(results, about, out)
    how = "written, and re-scored from its answers" if done.new else "is there already, with the same content"
    print(f"{done.folder}: {how}")
    print(done.verified.as_text())
    warn_of_differences(done.differing)
    for remark in done.remarks:
        print(f"dfar-bench: {remark}.", file=sys.stderr)
    print("next: commit this folder and open a pull request (docs/leaderboard.md says how)")
    return FINE


def verify(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Folders of submissions, models, or all.")],
    as_json: AsJson = False,
    skip_unchanged: Annotated[
        Path | None,
        typer.Option(
            metavar="CACHE",
            help="A folder that remembers submissions without fault; it is trusted, so keep it where only you write.",
        ),
    ] = None,
) -> int:
    """Check submissions and print their figures.

    Re-scores the answers with our own data and judge. Which model gave them is the submitter's word. Every fault of
    every submission is named on stderr, with file, field and reason. Exit status 1 if there is one.
    """
    from dfar_bench.leaderboard.report import verify_all

    report = verify_all(paths, cache=skip_unchanged)
    if as_json:
        print_json(report.as_json())
    else:
        print(report.as_text())
    for fault in report.faults:
        print(f"dfar-bench: {fault}", file=sys.stderr)
    return FALLS_SHORT if report.faults else FINE


@app.callback()
def _board() -> None:
    """Keep ``build`` a subcommand, though it is the only one."""


@app.command()
def build(
    trees: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TREE",
            help="Folders of submissions, and pinned archives of other repositories: "
            f"https://…/COMMIT.tar.gz#sha256=HASH&subdirectory={SUBMISSIONS} (default: {SUBMISSIONS}).",
        ),
    ] = None,
    sources: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A text file with more of them, one per line.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The site.")] = Path("board"),
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="A folder that remembers figures; it is trusted, so keep it where only you write."
        ),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help=f"Show this test set only ({', '.join(DATASETS)}); may be repeated."),
    ] = None,
    reported: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Published tables, shown apart (default: reported beside the submissions)."),
    ] = None,
    skip_faulty: Annotated[
        bool, typer.Option("--skip-faulty", help="Leave out submissions that have a fault, and name them.")
    ] = False,
    without_answers: Annotated[
        bool, typer.Option("--without-answers", help="Leave out what the models answered, for a large board.")
    ] = False,
    repository: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the sources are: every page leads there.")
    ] = None,
    docs: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where the built documentation is; may be a folder beside the pages."),
    ] = None,
    address: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the pages will be, for the picture beside links to them.")
    ] = None,
) -> int:
    """Make one static folder of pages from all submissions.

    Re-scores all submissions from their answers, ranks them and writes pages that open from disk (index.html), with
    results.json and results.csv; sources.html says where each submission came from. Exit status 1, and nothing
    written, if a submission has a fault.
    """
    from dfar_bench.datasets import get_dataset
    from dfar_bench.leaderboard.build import SITE_BYTES
    from dfar_bench.leaderboard.build import build as build_site
    from dfar_bench.leaderboard.links import Links
    from dfar_bench.leaderboard.sources import is_address, read_list

    for name in split or []:
        get_dataset(name)
    if reported and not reported.is_dir():
        raise InputError(f"{reported} is not a folder: name one that holds published tables, or leave out --reported.")
    given = [*(trees or []), *(read_list(sources) if sources else [])] or [str(SUBMISSIONS)]
    beside = next((Path(tree).absolute().parent for tree in given if not is_address(tree)), SUBMISSIONS.parent)
    built = build_site(
        given,
        out,
        cache=cache,
        splits=split or [],
        reported=reported or beside / "reported",
        baselines=beside / "baselines",
        reproduced=beside / "reproduced",
        skip_faulty=skip_faulty,
        without_answers=without_answers,
        links=Links.of(repository, docs, address),
    )
    for fault in built.faults:
        print(f"dfar-bench: {fault}", file=sys.stderr)
    if built.site is None:
        print("dfar-bench: nothing was built: correct these, or leave them out with --skip-faulty.", file=sys.stderr)
        return FALLS_SHORT
    print(f"{built.site / 'index.html'}: {built.submissions} submissions, {built.size / 10**6:.1f} MB")
    if built.size > SITE_BYTES:
        remedy = "" if without_answers else "; --without-answers leaves out what the models answered"
        print(f"dfar-bench: the site is larger than {SITE_BYTES / 10**6:.0f} MB{remedy}.", file=sys.stderr)
    return FINE
