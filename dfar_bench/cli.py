"""The ``dfar-bench`` command. Heavy imports live inside the verbs, so that ``--help`` is instant."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dfar_bench import __version__
from dfar_bench.errors import InputError

FINE, FALLS_SHORT, BAD_INPUT = 0, 1, 2
"""Exit statuses: fine; what was checked falls short; bad usage or unreadable input."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a dash is no reason to fail
    arguments = _parser().parse_args(argv)
    verb: Callable[[argparse.Namespace], int] = arguments.verb
    try:
        status = verb(arguments)
        sys.stdout.flush()
        return status
    except InputError as error:
        print(f"dfar-bench: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except OSError as error:
        print(f"dfar-bench: {error.filename or 'output'}: {error.strerror or error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("dfar-bench: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dfar-bench",
        description="Do a model's moral judgements, and the reasons it gives, agree with people's? "
        "Models are scored with lm_eval --tasks dfar_cls,dfar_reason; this command does the rest.",
        epilog="Exit status: 0 fine, 1 what was checked falls short, 2 bad usage or unreadable input.",
    )
    parser.add_argument("--version", action="version", version=f"dfar-bench {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    data = verbs.add_parser("data", help="download and check the data").add_subparsers(required=True, metavar="VERB")
    fetch = data.add_parser("fetch", help="make sure that the published DFAR files are at hand")
    fetch.add_argument("--ethos", action="store_true", help="and the ETHOS file, which holds offensive comments")
    fetch.set_defaults(verb=_data_fetch)
    audit = data.add_parser("audit", help="leakage, contrast groups, duplicates, noise")
    _split_option(audit)
    audit.add_argument("--json", action="store_true", help="print one JSON document, rows by id")
    audit.set_defaults(verb=_data_audit)

    noise = data.add_parser(
        "noise",
        help="rows with something odd, and by which rule, as CSV",
        description="List the rows whose reason goes against the label or names no verdict, and those with encoding "
        "faults, by row id and rule. The rules are the verdict parser's and patterns, not people's: of low precision.",
    )
    _split_option(noise)
    noise.set_defaults(verb=_data_noise)
    divide = data.add_parser(
        "split",
        help="make the manifest of the clean split again",
        description="Make the manifest of the clean split again from the published files, and compare it with the one "
        "that comes with the package. Exit status 1 if they differ.",
    )
    divide.add_argument("--out", type=Path, metavar="FILE", help="write it there as well")
    divide.set_defaults(verb=_data_split)

    rescore = verbs.add_parser(
        "rescore",
        help="metrics again from logged samples, with intervals",
        description="Compute the metrics of finished runs again from lm_eval's logged samples, with 95 % intervals "
        "from a bootstrap clustered by contrast group. Exit status 1 if lm_eval had printed other values.",
    )
    rescore.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="samples files, or folders of them")
    rescore.add_argument("--judge", default=None, help="the judge of the reasons (default: the tasks' own)")
    rescore.add_argument(
        "--resamples", type=_resamples, default=None, help="of the bootstrap (default 10000; 0: no intervals)"
    )
    rescore.add_argument("--json", action="store_true", help="print one JSON document")
    rescore.set_defaults(verb=_rescore)

    compare = verbs.add_parser(
        "compare",
        help="two runs on the same rows: differences with intervals and p-values",
        description="Compare two runs by their logged samples: the difference (B minus A) of every metric, with a 95 % "
        "interval and a p-value from a paired bootstrap clustered by contrast group, and McNemar's test.",
    )
    compare.add_argument("first", type=Path, metavar="A", help="samples files' folder, or one samples file")
    compare.add_argument("second", type=Path, metavar="B", help="the same of the other run")
    compare.add_argument("--judge", default=None, help="the judge of the reasons (default: the tasks' own)")
    compare.add_argument("--json", action="store_true", help="print one JSON document")
    compare.set_defaults(verb=_compare)

    baselines = verbs.add_parser(
        "baselines",
        help="null models and the paper's classical ones, with intervals",
        description="Train and score the majority, random and constant-text baselines and the paper's four classical "
        "models on a split's statements; on the paper split for leaked and unleaked rows apart, trained with and "
        "without the leaked rows, beside the published figures.",
    )
    _split_option(baselines)
    baselines.add_argument(
        "--resamples", type=_resamples, default=None, help="of the bootstrap (default 10000; 0: none)"
    )
    baselines.add_argument("--json", action="store_true", help="print one JSON document")
    baselines.set_defaults(verb=_baselines)
    return parser


def _split_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", default="paper", help="paper (default), clean, mini or ethos")


def _resamples(text: str) -> int:
    from dfar_bench.bootstrap import MAX_RESAMPLES, MIN_RESAMPLES

    if not text.isdecimal() or not (int(text) == 0 or MIN_RESAMPLES <= int(text) <= MAX_RESAMPLES):
        raise argparse.ArgumentTypeError(f"must be 0, or a whole number from {MIN_RESAMPLES} to {MAX_RESAMPLES}")
    return int(text)


def _data_fetch(arguments: argparse.Namespace) -> int:
    from dfar_bench.sources import DFAR_FILES, ETHOS_FILES, read_published

    for name in (*DFAR_FILES, *(ETHOS_FILES if arguments.ethos else ())):
        _, path = read_published(name)
        print(f"{path}: as published")
    return FINE


def _data_audit(arguments: argparse.Namespace) -> int:
    from dfar_bench.audit import as_text, audit

    report = audit(arguments.split)
    print(json.dumps(report, indent=2) if arguments.json else as_text(report))
    return FINE


def _data_noise(arguments: argparse.Namespace) -> int:
    from dfar_bench.audit import audit, noise_list

    print("row_id,rule")
    for row_id, rule in noise_list(audit(arguments.split)):
        print(f"{row_id},{rule}")
    return FINE


def _data_split(arguments: argparse.Namespace) -> int:
    from dfar_bench.clean import committed_manifest, manifest
    from dfar_bench.data import rows

    made = manifest(rows("paper"))
    if arguments.out:
        arguments.out.write_text(made, encoding="utf-8")
    same = made == committed_manifest()
    print("the manifest is the one of the package" if same else "the manifest differs from the one of the package")
    return FINE if same else FALLS_SHORT


def _compare(arguments: argparse.Namespace) -> int:
    from dfar_bench.bootstrap import LEVEL, RESAMPLES, SEED
    from dfar_bench.compare import compare
    from dfar_bench.judges import DEFAULT_JUDGE

    found = compare(arguments.first, arguments.second, arguments.judge or DEFAULT_JUDGE)
    if arguments.json:
        document = {
            "intervals": {"level": LEVEL, "resamples": RESAMPLES, "seed": SEED},
            "comparisons": [one.as_json() for one in found],
        }
        print(json.dumps(document, indent=2, allow_nan=False))
    else:
        print("\n\n".join(one.as_table() for one in found))
    return FINE


def _baselines(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from dfar_bench.baselines import FEATURES, as_text, baselines
    from dfar_bench.bootstrap import LEVEL, RESAMPLES, SEED

    resamples = RESAMPLES if arguments.resamples is None else arguments.resamples
    with tqdm(disable=None, unit=" models", leave=False) as bar:

        def show(name: str) -> None:
            bar.set_description(name)
            bar.update()

        found = baselines(arguments.split, resamples, show)
    if arguments.json:
        document = {
            "split": arguments.split,
            "features": FEATURES,
            "intervals": {"level": LEVEL, "resamples": resamples, "seed": SEED} if resamples else None,
            "baselines": [one.as_json() for one in found],
        }
        print(json.dumps(document, indent=2, allow_nan=False))
    else:
        print(as_text(arguments.split, found))
    return FINE


def _rescore(arguments: argparse.Namespace) -> int:
    from dfar_bench.bootstrap import RESAMPLES
    from dfar_bench.judges import DEFAULT_JUDGE
    from dfar_bench.rescore import rescore

    resamples = RESAMPLES if arguments.resamples is None else arguments.resamples
    unreadable: list[InputError] = []
    scored = rescore(arguments.paths, arguments.judge or DEFAULT_JUDGE, resamples, on_bad_run=unreadable.append)
    for error in unreadable:
        print(f"dfar-bench: {error}", file=sys.stderr)
    if unreadable and not scored:
        return BAD_INPUT
    if arguments.json:
        print(json.dumps({"runs": [run.as_json() for run in scored]}, indent=2, allow_nan=False))
    else:
        print("\n\n".join(run.as_table() for run in scored))
    if unreadable:
        return BAD_INPUT
    differing = [f"{run.run.task}: {name}" for run in scored for name, score in run.scores.items() if score.differs]
    if differing:
        print(
            f"dfar-bench: lm_eval printed other values for {', '.join(differing)}: "
            f"the samples were changed, or scored by another version.",
            file=sys.stderr,
        )
        return FALLS_SHORT
    return FINE


if __name__ == "__main__":
    sys.exit(main())
