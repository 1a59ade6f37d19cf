"""``submit``, ``verify``, ``board build`` and ``board serve``: the leaderboard."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from dfar_bench.commands import FALLS_SHORT, FINE, Verbs
from dfar_bench.errors import InputError

SUBMISSIONS = Path("leaderboard/submissions")
SITE = Path("board")


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Give the verbs to the parser."""
    _add_submit(verbs)
    verify = verbs.add_parser(
        "verify",
        help="score submissions again from their answers, and list every fault",
        description="Compute every metric of submissions again from their answers, with our own data and judge. "
        "Every fault of every submission is named on stderr, with file, field and reason. Exit status 1 if there is "
        "one.",
    )
    verify.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="folders of submissions, of models, or the whole tree"
    )
    verify.add_argument("--json", action="store_true", help="print one JSON document")
    verify.add_argument(
        "--skip-unchanged",
        type=Path,
        metavar="CACHE",
        help="a file that remembers submissions without fault; it is believed, so keep it where only you write",
    )
    verify.set_defaults(verb=_verify)
    _add_board(verbs)


def _add_submit(verbs: Verbs[argparse.ArgumentParser]) -> None:
    submit = verbs.add_parser(
        "submit",
        help="make a leaderboard submission of lm_eval's output folder",
        description="Make a submission of the runs in lm_eval's output folder (--log_samples), verify it, and put it "
        "into the tree of submissions. Answers go in, statements and human reasons do not.",
    )
    submit.add_argument("results", type=Path, metavar="RESULTS", help="the folder given to lm_eval --output_path")
    submit.add_argument("--model-id", required=True, metavar="ORG/NAME", help="under which the model is to be shown")
    state = submit.add_mutually_exclusive_group(required=True)
    state.add_argument("--revision", metavar="R", help="commit, tag or branch of the model on the Hub")
    state.add_argument("--weights", type=Path, metavar="DIR", help="folder of *.safetensors, of which a hash is taken")
    submit.add_argument("--mode", required=True, choices=["base", "l", "lr", "other"], help="how it was trained")
    submit.add_argument("--base", metavar="ORG/NAME", help="the model that was fine-tuned")
    submit.add_argument(
        "--training",
        action="append",
        default=[],
        metavar="SET",
        help="trained on: none, dfar_train, dfar_train_unleaked, dfar_clean_train, dfar_mini_train or other (may be "
        "given several times; default: what dfar_run.json says, and none with --mode base)",
    )
    submit.add_argument("--description", metavar="TEXT", help="of the training, a sentence")
    submit.add_argument(
        "--dfar-run",
        metavar="FILE",
        help="dfar_run.json of train/sft.py; auto: beside the model that the run names, where there is one",
    )
    submit.add_argument("--contact", help="an e-mail address, @name on GitHub, or an https link; will be public")
    submit.add_argument("--licence", help="of the model, such as Apache-2.0")
    submit.add_argument("--url", help="an https link to the model or a report")
    submit.add_argument(
        "--out", type=Path, default=SUBMISSIONS, metavar="FOLDER", help=f"the tree (default {SUBMISSIONS})"
    )
    submit.set_defaults(verb=_submit)


def _add_board(verbs: Verbs[argparse.ArgumentParser]) -> None:
    board = verbs.add_parser("board", help="the leaderboard's pages").add_subparsers(required=True, metavar="VERB")
    build = board.add_parser(
        "build",
        help="make the pages of all submissions",
        description="Verify all submissions, rank them and write the board as one folder that opens from disk "
        "(index.html), with results.json and results.csv. Exit status 1, and nothing written, if a submission has a "
        "fault.",
    )
    build.add_argument(
        "tree", nargs="?", type=Path, default=SUBMISSIONS, metavar="SUBMISSIONS", help=f"default {SUBMISSIONS}"
    )
    build.add_argument("--out", type=Path, default=SITE, metavar="FOLDER", help=f"the site (default {SITE})")
    build.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="a folder that remembers what was computed; it is believed, so keep it where only you write",
    )
    build.add_argument(
        "--split",
        action="append",
        default=[],
        choices=["paper", "clean", "mini", "ethos"],
        help="show this test set only (may be given several times)",
    )
    build.add_argument(
        "--reported",
        type=Path,
        metavar="DIR",
        help="a folder of published tables, shown apart (default: reported beside the submissions)",
    )
    build.add_argument(
        "--skip-faulty", action="store_true", help="build without submissions that have a fault, and name them"
    )
    build.set_defaults(verb=_build)
    serve = board.add_parser("serve", help="look at the pages on this machine")
    serve.add_argument("--out", type=Path, default=SITE, metavar="FOLDER", help=f"the site (default {SITE})")
    serve.add_argument("--port", type=_port, default=8765, help="default 8765; 0 takes a free one")
    serve.set_defaults(verb=_serve)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("must be a whole number from 0 to 65535")
    return int(text)


def _submit(arguments: argparse.Namespace) -> int:
    from dfar_bench.leaderboard.submit import About, find_dfar_run, submit

    run = find_dfar_run(arguments.results) if arguments.dfar_run == "auto" else arguments.dfar_run
    done = submit(
        arguments.results,
        About(
            model_id=arguments.model_id,
            mode=arguments.mode,
            revision=arguments.revision,
            weights=arguments.weights,
            base=arguments.base,
            training=tuple(arguments.training),
            description=arguments.description,
            dfar_run=Path(run) if run else None,
            contact=arguments.contact,
            licence=arguments.licence,
            url=arguments.url,
        ),
        arguments.out,
    )
    print(f"{done.folder}: {'written and verified' if done.new else 'is there already, with the same content'}")
    for name, task in done.verified.tasks.items():
        figures = (f"{metric} {'N/A' if value is None else f'{value:.4f}'}" for metric, value in task.metrics.items())
        print(f"{name}: {', '.join(figures)}\n  {task.signature}\n  {task.contamination.why}")
        for flag in task.flags:
            print(f"  flag: {flag.text}")
    for flag in done.verified.flags:
        print(f"flag: {flag.text}")
    if done.differing:
        print(
            f"dfar-bench: lm_eval printed other values for {', '.join(done.differing)}: "
            "the samples were changed, or scored by another version.",
            file=sys.stderr,
        )
    print("next: commit this folder and open a pull request (leaderboard/README.md says how)")
    return FINE


def _verify(arguments: argparse.Namespace) -> int:
    from dfar_bench.leaderboard.tree import verify

    cache: Path | None = arguments.skip_unchanged
    if cache and (cache.is_dir() or not os.access(cache.absolute().parent, os.W_OK)):
        raise InputError(f"{cache} cannot be written: name a file for --skip-unchanged, in a folder that is yours.")
    report = verify(arguments.paths, cache)
    print(json.dumps(report.as_json(), indent=2, allow_nan=False) if arguments.json else report.as_text())
    for fault in report.faults:
        print(f"dfar-bench: {fault}", file=sys.stderr)
    return FALLS_SHORT if report.faults else FINE


def _build(arguments: argparse.Namespace) -> int:
    from dfar_bench.leaderboard.site.build import build

    built = build(
        arguments.tree,
        arguments.out,
        cache=arguments.cache,
        splits=arguments.split,
        reported=arguments.reported or arguments.tree.absolute().parent / "reported",
        baselines=arguments.tree.absolute().parent / "baselines",
        skip_faulty=arguments.skip_faulty,
    )
    for fault in built.faults:
        print(f"dfar-bench: {fault}", file=sys.stderr)
    if built.site is None:
        print(
            "dfar-bench: nothing was built: correct these, or leave them out with --skip-faulty.",
            file=sys.stderr,
        )
        return FALLS_SHORT
    print(f"{built.site / 'index.html'}: {built.submissions} submissions")
    return FINE


def _serve(arguments: argparse.Namespace) -> int:
    from dfar_bench.leaderboard.site.serve import serve

    serve(arguments.out, arguments.port)
    return FINE
