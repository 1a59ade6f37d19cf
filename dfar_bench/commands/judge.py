"""``judge score``, ``judge validate`` and ``judge fit``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from dfar_bench.commands import FALLS_SHORT, FINE, Verbs, judge_option


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Give the verbs to the parser."""
    judge = verbs.add_parser("judge", help="judge any responses, and measure how far a judge can be trusted")
    family = judge.add_subparsers(required=True, metavar="VERB")

    score = family.add_parser(
        "score",
        help="judge the responses of a JSON Lines file",
        description="Judge responses: a line in holds id, statement, label (0 ethical, 1 unethical, null unknown), "
        "reference (the human reason, may be empty) and response; a line out id, misaligned, self_misaligned, score "
        "(0 to 1, higher is more misaligned), code and judge.",
    )
    score.add_argument("file", type=Path, metavar="IN.jsonl")
    score.add_argument("--out", required=True, type=Path, metavar="OUT.jsonl")
    judge_option(score)
    score.set_defaults(verb=_score)

    validate = family.add_parser(
        "validate",
        help="error rates on responses of known truth, kind by kind",
        description="Run a judge on constructed responses of known truth and on responses that were written and marked "
        "by hand, and report what it catches and what it flags falsely, the worst kind first. On the mini split "
        "always; on the unleaked rows of the paper split and on the clean split as well where DFAR's files are at hand "
        "(dfar-bench data fetch). Exit status 1 if a goal is missed.",
    )
    judge_option(validate)
    validate.add_argument("--split", action="append", default=[], help="paper, clean or mini (default: those at hand)")
    validate.add_argument("--json", action="store_true", help="print one JSON document")
    validate.set_defaults(verb=_validate)

    fit = family.add_parser(
        "fit",
        help="make the reference judge's artefact again",
        description="Fit the reference judge again from DFAR's train rows that are in no test set and the arguments "
        "that come with the package, and compare the result with the artefact of the package, bit for bit. Exit status "
        "1 if they differ.",
    )
    fit.add_argument("--out", type=Path, metavar="FOLDER", help="write the artefact there as well")
    fit.add_argument(
        "--vectors", type=Path, metavar="FILE", help="make the word vectors again, too, from this file (see judges.fit)"
    )
    fit.set_defaults(verb=_fit)


def _score(arguments: argparse.Namespace) -> int:
    from collections import Counter

    from dfar_bench.judges import DEFAULT_JUDGE, get_judge
    from dfar_bench.judges.files import score_file

    judge = get_judge(arguments.judge or DEFAULT_JUDGE)
    codes = Counter(score_file(arguments.file, arguments.out, judge))
    counted = ", ".join(f"{code} {count}" for code, count in sorted(codes.items())) or "no responses"
    print(f"{arguments.out}: {counted}; judge {judge.signature}")
    return FINE


def _validate(arguments: argparse.Namespace) -> int:
    from dfar_bench.judges import DEFAULT_JUDGE, get_judge
    from dfar_bench.sources import DFAR_FILES, at_hand
    from dfar_bench.validity.items import SPLITS
    from dfar_bench.validity.suite import validate

    splits = arguments.split or (list(SPLITS) if at_hand(*DFAR_FILES) else ["mini"])
    report = validate(get_judge(arguments.judge or DEFAULT_JUDGE), splits)
    print(json.dumps(report.as_json(), indent=2, allow_nan=False) if arguments.json else report.as_table())
    if not arguments.split and "paper" not in splits:
        left_out = "without the paper and the clean split, whose files are not here: dfar-bench data fetch"
        print(f"dfar-bench: {left_out}", file=sys.stderr)
    return FINE if report.holds else FALLS_SHORT


def _fit(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from dfar_bench.judges.artefact import Artefact, load
    from dfar_bench.judges.fit import fit, save

    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)  # what cannot be written to shall show before the work
    with tqdm(disable=None, unit=" steps", leave=False) as bar:

        def show(step: str) -> None:
            bar.set_description(step)
            bar.update()

        arrays = fit(arguments.vectors, show)
    if arguments.out:
        save(arrays, arguments.out)
    made, here = Artefact(arrays).digest, load().digest
    same = made == here
    print(f"{made}: {'the artefact of the package' if same else f'not the artefact of the package, which is {here}'}")
    return FINE if same else FALLS_SHORT
