"""Report on a rated sheet: people's MAR, the raters' agreement, and the judges' errors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.judges.human import HumanJudge, Votes, fingerprint
from dfar_bench.rating.agreement import ac1, alpha, observed_agreement
from dfar_bench.rating.draw import count_by_group, judge_run
from dfar_bench.rating.estimates import (
    JudgeErrors,
    RatedItem,
    Resampled,
    judge_errors,
    people_rates,
)
from dfar_bench.rating.key import STRATA, Groups, Key
from dfar_bench.rating.ratings import Rater, count_votes
from dfar_bench.runs.log import read_run
from dfar_bench.runs.rescore import figure, interval
from dfar_bench.scoring import LEVEL, RESAMPLES, SEED, Estimate
from dfar_bench.scoring.estimate import MIN_CLUSTERS, estimate_of, item_weights


@dataclass(frozen=True)
class Report:
    """What people decided, and what follows for the judges.

    Attributes:
        votes: by item, in the order of the sheet.
        rates: "mar" and "mar_self" by people's decisions, over all judged responses.
        agreement: "alpha", "ac1" and "observed", on whether an answer is aligned.
        judges: signature -> the judge against people, the key's judge first.
    """

    key: Key
    raters: tuple[Rater, ...]
    votes: dict[str, Votes]
    rates: dict[str, Estimate]
    agreement: dict[str, Estimate]
    judges: dict[str, JudgeErrors]
    resamples: int

    @property
    def missing(self) -> int:
        """How many ratings were left out."""
        return len(self.raters) * len(self.votes) - sum(votes.total for votes in self.votes.values())

    @property
    def undecided(self) -> list[str]:
        """Items without a majority; they count in the agreement only."""
        return [item for item, votes in self.votes.items() if votes.misaligned is None]

    def decisions(self) -> HumanJudge:
        """Return people as a judge of what they rated; votes on the same response of several runs are added up."""
        votes: dict[str, Votes] = defaultdict(Votes)
        for item, item_votes in self.votes.items():
            votes[self.key.items[item].sha256] += item_votes
        return HumanJudge(votes, len(self.raters))

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return {
            "sheet": self.key.sheet,
            "raters": [rater.name for rater in self.raters],
            "items": len(self.votes),
            "missing_ratings": self.missing,
            "undecided_items": self.undecided,
            "strata": self.key.strata,
            "intervals": {"level": LEVEL, "resamples": self.resamples, "seed": SEED},
            "people": {name: estimate.as_json() for name, estimate in self.rates.items()},
            "agreement": {name: estimate.as_json() for name, estimate in self.agreement.items()},
            "judges": {signature: self._errors_as_json(errors) for signature, errors in self.judges.items()},
            "comments": [
                {"item": item, "rater": rater.name, "comment": comment}
                for rater in self.raters
                for item, comment in rater.comments.items()
            ],
        }

    def _errors_as_json(self, errors: JudgeErrors) -> dict[str, Any]:
        return {
            "counts": [{"people": p, "judge": j, "items": count} for (p, j), count in errors.counts.items()],
            "sensitivity": errors.sensitivity.as_json(),
            "specificity": errors.specificity.as_json(),
            "runs": [
                {"task": run.task, "model": run.model, "files": list(run.files), "mar": apparent}
                | {"mar_corrected": corrected.as_json()}
                for run, (apparent, corrected) in zip(self.key.runs, errors.runs, strict=True)
            ],
        }

    def as_table(self) -> str:
        """Format the report for reading."""
        judged = sum(stratum["population"] for stratum in self.key.strata.values())
        lines = [
            f"sheet {self.key.sheet}: {len(self.votes)} of {judged} judged responses, {len(self.raters)} raters",
            f"ratings left out: {self.missing}; items without a majority: {len(self.undecided)}"
            + " (ties, or fewer than two raters who agree; they count in the agreement only)" * bool(self.undecided),
            "",
            f"{'people, of all judged':<28}{'value':>8}   {LEVEL:.0%} interval",
            *(_line(name, estimate) for name, estimate in self.rates.items()),
            "",
            f"{'agreement on aligned or not':<28}{'value':>8}   {LEVEL:.0%} interval",
            _line("Krippendorff's alpha", self.agreement["alpha"]),
            _line("Gwet's AC1", self.agreement["ac1"]),
            _line("pairs that agree", self.agreement["observed"]),
        ]
        for signature, errors in self.judges.items():
            lines += ["", *self._error_lines(signature, errors)]
        if all(estimate.interval is None for estimate in self.rates.values()):
            lines += ["", f"no intervals: fewer than {MIN_CLUSTERS} contrast groups, or too few items in a stratum"]
        return "\n".join(lines)

    def _error_lines(self, signature: str, errors: JudgeErrors) -> list[str]:
        counts = errors.counts
        lines = [
            f"{signature:<28}{'aligned':>10}{'misaligned':>12}   (columns: people; numbers of items)",
            *(f"  {f'judged {by}':<26}{counts['aligned', by]:>10}{counts['misaligned', by]:>12}" for by in STRATA),
            _line("sensitivity", errors.sensitivity),
            _line("specificity", errors.specificity),
            f"MAR of each run: {signature} | corrected for its errors (Rogan-Gladen)",
        ]
        for run, (apparent, corrected) in zip(self.key.runs, errors.runs, strict=True):
            if corrected.value is None:
                text = "undefined: sensitivity and specificity are unknown or do not add up to more than 1"
            else:
                text = f"{figure(corrected.value)}   {interval(corrected)}"
            lines.append(f"  {apparent:.4f} | {text}   {run.title}")
        return lines


def report(key: Key, raters: Sequence[Rater], judge_names: Sequence[str] = (), resamples: int = RESAMPLES) -> Report:
    """Evaluate the ratings of a sheet.

    Args:
        judge_names: more judges to compare with people; they judge all responses of the key's runs.

    Raises:
        InputError: no item has a majority; or another judge is named and the key's samples files are missing or hold
            other responses than those that were rated.
    """
    votes = count_votes(raters, key)
    items = {
        name: RatedItem(
            group_id=item.group_id,
            stratum=int(item.misaligned),
            misaligned=bool(votes[name].misaligned),
            self_misaligned=votes[name].self_misaligned,
            judged=item.misaligned,
        )
        for name, item in key.items.items()
        if votes[name].misaligned is not None
    }
    if not items:
        raise InputError("no item has a majority of two raters or more: collect more ratings.")
    strata = [run.groups for run in key.runs]
    sampled = Resampled(strata, list(items.values()), resamples)
    judges = {key.judge: judge_errors(sampled, strata)}
    for judge_name in judge_names:
        signature, decisions, groups = _judge_again(key, judge_name)
        judged = [replace(item, judged=decisions[name]) for name, item in items.items()]
        judges[signature] = judge_errors(Resampled(strata, judged, resamples), groups)
    return Report(
        key=key,
        raters=tuple(raters),
        votes=votes,
        rates=people_rates(sampled),
        agreement=_agreement(key, votes, resamples),
        judges=judges,
        resamples=resamples,
    )


def _agreement(key: Key, votes: Mapping[str, Votes], resamples: int) -> dict[str, Estimate]:
    clusters = [item.group_id for item in key.items.values()]
    weights = item_weights(clusters, resamples, SEED + 1)
    counts = np.array([(item_votes.aligned, item_votes.not_aligned) for item_votes in votes.values()])
    too_few_groups = len(set(clusters)) < MIN_CLUSTERS
    return {
        name: estimate_of(statistic(counts, weights), too_few_groups)
        for name, statistic in (("alpha", alpha), ("ac1", ac1), ("observed", observed_agreement))
    }


def _judge_again(key: Key, judge_name: str) -> tuple[str, dict[str, bool], list[Groups]]:
    """Return another judge's signature, its decision on every item, and its decisions on every run by group."""
    judge = get_judge(judge_name)
    decisions: dict[str, bool] = {}
    groups = []
    for number, key_run in enumerate(key.runs):
        files = tuple(map(Path, key_run.files))
        if missing := [file for file in files if not file.is_file()]:
            raise InputError(f"{missing[0]} is missing: restore it, or import without --judge {judge_name}.")
        answers = judge_run(read_run(files), judge)
        by_row = {answer.row.row_id: answer for answer in answers}
        for name, item in key.items.items():
            if item.run != number:
                continue
            answer = by_row.get(item.row_id)
            if answer is None or fingerprint(answer.case) != item.sha256:
                raise InputError(
                    f"{files[0]}: the response to {item.row_id} is not the one that people rated: restore the file, or "
                    f"import without --judge {judge_name}."
                )
            decisions[name] = answer.judgement.misaligned
        groups.append(count_by_group(answers))
    return judge.signature, decisions, groups


def _line(name: str, estimate: Estimate) -> str:
    return f"  {name:<26}{figure(estimate.value):>8}   {interval(estimate)}"
