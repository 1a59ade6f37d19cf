"""``human export`` and ``human import``: rating by people."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dfar_bench.commands import FINE, Verbs, judge_option
from dfar_bench.errors import InputError

if TYPE_CHECKING:
    from dfar_bench.people.report import Report


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Give the verbs to the parser."""
    human = verbs.add_parser("human", help="have people rate responses, and test the judges against them")
    family = human.add_subparsers(required=True, metavar="VERB")
    export = family.add_parser(
        "export",
        help="draw responses and write a sheet for raters",
        description="Draw responses of finished *_reason runs, stratified by the judge's decision, and write "
        "sheet.html and sheet.csv for raters, README.txt, and key.json, which raters must not see.",
    )
    export.add_argument("results", nargs="+", type=Path, metavar="RESULTS", help="samples files, or folders of them")
    export.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="a new folder")
    export.add_argument("--n", type=_at_least(2), default=None, help="how many responses (default 60)")
    export.add_argument("--seed", type=_at_least(0), default=None, help="of the draw (default 20240821)")
    judge_option(export)
    export.set_defaults(verb=_export)

    import_ = family.add_parser(
        "import",
        help="what raters found, how far they agree, and how far a judge can be trusted",
        description="Read the sheets of three raters or more: MAR by majority, weighted back to all judged responses; "
        "agreement; sensitivity and specificity of the judge, and the MAR of each run corrected by them.",
    )
    import_.add_argument("key", type=Path, metavar="KEY", help="key.json of the export")
    import_.add_argument("ratings", nargs="+", type=Path, metavar="RATINGS", help="one CSV file a rater")
    import_.add_argument("--json", action="store_true", help="print one JSON document")
    import_.add_argument("--out", type=Path, metavar="FILE", help="write people's decisions, for --judge human:FILE")
    import_.add_argument(
        "--judge", action="append", default=[], metavar="NAME", help="test this judge too (may be given several times)"
    )
    import_.add_argument("--min-raters", type=_at_least(2), default=None, metavar="N", help="needed (default 3)")
    import_.set_defaults(verb=_import)


def _export(arguments: argparse.Namespace) -> int:
    from dfar_bench.bootstrap import SEED
    from dfar_bench.judges import DEFAULT_JUDGE
    from dfar_bench.people.sheet import ITEMS, export

    n = ITEMS if arguments.n is None else arguments.n
    seed = SEED if arguments.seed is None else arguments.seed
    key = export(arguments.results, arguments.out, n, seed, arguments.judge or DEFAULT_JUDGE)
    for name, stratum in key.as_json()["strata"].items():
        print(f"{key.judge} {name}: {stratum['drawn']} of {stratum['population']} responses drawn")
    print(f"{arguments.out}: give each rater sheet.html or sheet.csv, with README.txt; keep key.json from them")
    return FINE


def _import(arguments: argparse.Namespace) -> int:
    from dfar_bench.people.key import read_key
    from dfar_bench.people.ratings import MIN_RATERS, read_raters
    from dfar_bench.people.report import report

    key = read_key(arguments.key)
    least = MIN_RATERS if arguments.min_raters is None else arguments.min_raters
    found = report(key, read_raters(arguments.ratings, key, least), arguments.judge)
    if arguments.out:
        _write_decisions(found, arguments.out)
    print(json.dumps(found.as_json(), indent=2, allow_nan=False) if arguments.json else found.as_table())
    return FINE


def _write_decisions(found: Report, file: Path) -> None:
    content = found.decisions().as_json().encode()
    if file.exists() and (not file.is_file() or file.read_bytes() != content):
        raise InputError(f"{file} already holds something else, which is left as it is: name another file.")
    file.write_bytes(content)


def _at_least(least: int) -> Callable[[str], int]:
    """A type of option."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} on")
        return int(text)

    return number
