"""``rescore``, ``compare`` and ``baselines``: figures from saved answers."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from dfar_bench.commands import BAD_INPUT, FALLS_SHORT, FINE, Verbs, judge_option, resamples, split_option
from dfar_bench.errors import InputError


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Give the verbs to the parser."""
    rescore = verbs.add_parser(
        "rescore",
        help="metrics again from logged samples, with intervals",
        description="Compute the metrics of finished runs again from lm_eval's logged samples, with 95 % intervals "
        "from a bootstrap clustered by contrast group. Exit status 1 if lm_eval had printed other values.",
    )
    rescore.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="samples files, or folders of them")
    judge_option(rescore)
    rescore.add_argument(
        "--resamples", type=resamples, default=None, help="of the bootstrap (default 10000; 0: no intervals)"
    )
    rescore.add_argument("--json", action="store_true", help="print one JSON document")
    rescore.set_defaults(verb=_rescore)

    compare = verbs.add_parser(
        "compare",
        help="two runs on the same rows: differences with intervals and p-values",
        description="Compare two runs by their logged samples, or as submitted: the difference (B minus A) of every "
        "metric, with a 95 % interval and a p-value from a paired bootstrap clustered by contrast group, and McNemar's "
        "test.",
    )
    compare.add_argument(
        "first", type=Path, metavar="A", help="samples files' folder, one samples file, or a submission"
    )
    compare.add_argument("second", type=Path, metavar="B", help="the same of the other run")
    judge_option(compare)
    compare.add_argument("--json", action="store_true", help="print one JSON document")
    compare.set_defaults(verb=_compare)

    baselines = verbs.add_parser(
        "baselines",
        help="null models and the paper's classical ones, with intervals",
        description="Train and score the majority, random and constant-text baselines and the paper's four classical "
        "models on a split's statements; on the paper split for leaked and unleaked rows apart, trained with and "
        "without the leaked rows, beside the published figures.",
    )
    split_option(baselines, "clean or mini")
    baselines.add_argument(
        "--resamples", type=resamples, default=None, help="of the bootstrap (default 10000; 0: none)"
    )
    baselines.add_argument("--json", action="store_true", help="print one JSON document")
    baselines.add_argument(
        "--verdicts",
        type=Path,
        metavar="FILE",
        help="write the classical models' verdicts there, for the board, and no table (needs the board extra)",
    )
    baselines.set_defaults(verb=_baselines)


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

    if arguments.verdicts:
        from dfar_bench.leaderboard.site.classical import classical
        from dfar_bench.whole_files import write_whole

        write_whole(arguments.verdicts, classical(arguments.split).model_dump_json(indent=1) + "\n")
        print(arguments.verdicts)
        return FINE
    drawn = RESAMPLES if arguments.resamples is None else arguments.resamples
    with tqdm(disable=None, unit=" models", leave=False) as bar:

        def show(name: str) -> None:
            bar.set_description(name)
            bar.update()

        found = baselines(arguments.split, drawn, show)
    if arguments.json:
        document = {
            "split": arguments.split,
            "features": FEATURES,
            "intervals": {"level": LEVEL, "resamples": drawn, "seed": SEED} if drawn else None,
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

    drawn = RESAMPLES if arguments.resamples is None else arguments.resamples
    unreadable: list[InputError] = []
    scored = rescore(arguments.paths, arguments.judge or DEFAULT_JUDGE, drawn, on_bad_run=unreadable.append)
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
