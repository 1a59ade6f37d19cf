"""``rescore`` and ``compare``: figures from saved answers."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dfar_bench.cli.options import (
    BAD_INPUT,
    FALLS_SHORT,
    FINE,
    AsJson,
    JudgeName,
    Resamples,
    Samples,
    print_json,
    warn_of_differences,
)
from dfar_bench.errors import InputError
from dfar_bench.scoring import RESAMPLES

if TYPE_CHECKING:
    from dfar_bench.runs.run import Run


def rescore(
    paths: Samples,
    judge: JudgeName = "",
    resamples: Resamples = RESAMPLES,
    specificity: Annotated[
        bool, typer.Option("--specificity", help="Also ask the judge whether reasons fit sibling statements as well.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Compute metrics again from logged samples or submissions.

    With 95 % intervals from a bootstrap clustered by contrast group; no model is run. Exit status 1 if lm_eval had
    printed other values.
    """
    from dfar_bench.judges import DEFAULT_JUDGE, get_judge
    from dfar_bench.runs.log import find_runs
    from dfar_bench.runs.rescore import rescore as rescore_samples
    from dfar_bench.runs.rescore import rescore_run, spreads

    judge = judge or DEFAULT_JUDGE
    get_judge(judge)  # no run can be scored without it
    unreadable: list[InputError] = []
    samples: list[Path] = []
    submitted: list[Run] = []
    for path in paths:
        try:
            if _submission(path):
                submitted += _read_runs(path).values()
            elif find_runs([path]):
                samples.append(path)
        except InputError as error:
            unreadable.append(error)
        except OSError as error:
            unreadable.append(InputError(f"{path}: {error.strerror}"))
    scored = rescore_samples(  # together: parts of runs, too
        samples, judge, resamples, with_specificity=specificity, on_bad_run=unreadable.append
    )
    scored += [rescore_run(run, get_judge(judge), resamples, with_specificity=specificity) for run in submitted]
    for fault in unreadable:
        print(f"dfar-bench: {fault}", file=sys.stderr)
    if scored and as_json:
        print_json({"runs": [run.as_json() for run in scored], "spreads": [asdict(one) for one in spreads(scored)]})
    elif scored:
        print("\n\n".join([*(run.as_table() for run in scored), *(one.as_text() for one in spreads(scored))]))
    if unreadable:
        return BAD_INPUT
    differing = [
        f"{run.run.task.name}: {name}" for run in scored for name, score in run.scores.items() if score.differs
    ]
    warn_of_differences(differing)
    return FALLS_SHORT if differing else FINE


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A samples file, a folder of them, or a submission.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The same of the other run.")],
    judge: JudgeName = "",
    as_json: AsJson = False,
) -> int:
    """Compare two runs on the same rows.

    Prints the difference (B minus A) of every metric with a 95 % interval and a p-value from a paired bootstrap
    clustered by contrast group, and McNemar's test.
    """
    from dfar_bench.judges import DEFAULT_JUDGE, get_judge
    from dfar_bench.runs.compare import compare_runs
    from dfar_bench.scoring import LEVEL, SEED

    comparisons = compare_runs(_read_runs(first), _read_runs(second), get_judge(judge or DEFAULT_JUDGE))
    if as_json:
        intervals = {"level": LEVEL, "resamples": RESAMPLES, "seed": SEED}
        print_json({"intervals": intervals, "comparisons": [comparison.as_json() for comparison in comparisons]})
    else:
        print("\n\n".join(comparison.as_table() for comparison in comparisons))
    return FINE


def _submission(path: Path) -> Path | None:
    """Return the folder of a submission, None for anything else."""
    folder = path.parent if path.name == "submission.json" else path
    return folder if (folder / "submission.json").is_file() else None


def _read_runs(path: Path) -> dict[str, Run]:
    if folder := _submission(path):
        from dfar_bench.leaderboard.verify import submitted_runs

        return submitted_runs(folder.absolute())
    from dfar_bench.runs.log import runs_by_task

    return runs_by_task(path)
