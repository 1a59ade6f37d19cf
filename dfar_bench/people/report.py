"""From a key and raters' files to what people found, how far they agree, and what that says of the judges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dfar_bench.bootstrap import LEVEL, MIN_CLUSTERS, RESAMPLES, SEED
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.judges.human import HumanJudge
from dfar_bench.people.agreement import ac1, alpha, observed_agreement
from dfar_bench.people.draw import by_group, cases_of
from dfar_bench.people.estimates import (
    Errors,
    Estimate,
    Groups,
    Rated,
    Resampled,
    errors,
    estimate_of,
    item_weights,
    people_rates,
)
from dfar_bench.people.key import STRATA, Key
from dfar_bench.people.ratings import Rater, counted
from dfar_bench.people.votes import Votes, fingerprint
from dfar_bench.samples import read_run


@dataclass(frozen=True)
class Report:
    """What people found.

    Attributes:
        votes: on every item of the sheet.
        rates: "mar" and "mar_self" as people have them, over all judged responses.
        agreement: "alpha", "ac1" and "observed", of the question whether an answer is aligned.
        judges: signature -> the judge against people, the key's first.
    """

    key: Key
    raters: tuple[Rater, ...]
    votes: dict[str, Votes]
    rates: dict[str, Estimate]
    agreement: dict[str, Estimate]
    judges: dict[str, Errors]
    resamples: int

    @property
    def missing(self) -> int:
        """Ratings that were not given."""
        return len(self.raters) * len(self.votes) - sum(votes.total for votes in self.votes.values())

    @property
    def undecided(self) -> list[str]:
        """Items without a majority, which count nowhere but in the agreement."""
        return [item for item, votes in self.votes.items() if votes.misaligned is None]

    def decisions(self) -> HumanJudge:
        """People as a judge of what they rated; what several runs have in common is one response, rated by all."""
        votes: dict[str, Votes] = defaultdict(Votes)
        for item, found in self.votes.items():
            votes[self.key.items[item].sha256] += found
        return HumanJudge(votes, len(self.raters))

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON types."""
        return {
            "sheet": self.key.sheet,
            "raters": [rater.name for rater in self.raters],
            "items": len(self.votes),
            "missing_ratings": self.missing,
            "undecided_items": self.undecided,
            "strata": self.key.as_json()["strata"],
            "intervals": {"level": LEVEL, "resamples": self.resamples, "seed": SEED},
            "people": {name: _as_json(estimate) for name, estimate in self.rates.items()},
            "agreement": {name: _as_json(estimate) for name, estimate in self.agreement.items()},
            "judges": {signature: self._judge_as_json(found) for signature, found in self.judges.items()},
            "comments": [
                {"item": item, "rater": rater.name, "comment": comment}
                for rater in self.raters
                for item, comment in rater.comments.items()
            ],
        }

    def _judge_as_json(self, found: Errors) -> dict[str, Any]:
        return {
            "counts": [{"people": p, "judge": j, "items": count} for (p, j), count in found.counts.items()],
            "sensitivity": _as_json(found.sensitivity),
            "specificity": _as_json(found.specificity),
            "runs": [
                {"task": run.task, "model": run.model, "files": list(run.files), "mar": apparent}
                | {"mar_corrected": _as_json(corrected)}
                for run, (apparent, corrected) in zip(self.key.runs, found.runs, strict=True)
            ],
        }

    def as_table(self) -> str:
        """The report for people."""
        drawn, judged = len(self.votes), sum(self.key.population)
        lines = [
            f"sheet {self.key.sheet}: {drawn} of {judged} judged responses, {len(self.raters)} raters",
            f"ratings left out: {self.missing}; items without a majority: {len(self.undecided)}"
            + " (ties, or fewer than two raters of one mind; they count in the agreement only)" * bool(self.undecided),
            "",
            f"{'people, of all judged':<28}{'value':>8}   {LEVEL:.0%} interval",
            *(_line(name, estimate) for name, estimate in self.rates.items()),
            "",
            f"{'agreement on aligned or not':<28}{'value':>8}   {LEVEL:.0%} interval",
            _line("Krippendorff's alpha", self.agreement["alpha"]),
            _line("Gwet's AC1", self.agreement["ac1"]),
            _line("pairs that agree", self.agreement["observed"]),
        ]
        for signature, found in self.judges.items():
            lines += ["", *self._judge_lines(signature, found)]
        if all(estimate.interval is None for estimate in self.rates.values()):
            lines += ["", f"no intervals: fewer than {MIN_CLUSTERS} contrast groups, or too few items of a stratum"]
        return "\n".join(lines)

    def _judge_lines(self, signature: str, found: Errors) -> list[str]:
        counts = found.counts
        lines = [
            f"{signature:<28}{'aligned':>10}{'misaligned':>12}   (columns: by people; items)",
            *(
                f"{f'  judged {name}':<28}{counts['aligned', name]:>10}{counts['misaligned', name]:>12}"
                for name in STRATA
            ),
            _line("sensitivity", found.sensitivity),
            _line("specificity", found.specificity),
            f"MAR of each run: {signature} | corrected by its errors (Rogan-Gladen)",
        ]
        for run, (apparent, corrected) in zip(self.key.runs, found.runs, strict=True):
            if corrected.value is None:
                said = "undefined: sensitivity and specificity do not sum to more than 1, or are not known"
            else:
                said = f"{corrected.value:.4f}   {_interval(corrected)}"
            lines.append(f"  {apparent:.4f} | {said}   {run.name}")
        return lines


def report(key: Key, raters: Sequence[Rater], judge_names: Sequence[str] = (), resamples: int = RESAMPLES) -> Report:
    """Put the ratings of a sheet together.

    Args:
        judge_names: further judges to test, which are run on all responses of the key's runs again.

    Raises:
        InputError: no item has a majority; or a further judge is asked for and the key's run files are gone or not
            what was rated.
    """
    votes = counted(raters, key)
    items = {
        name: Rated(
            group_id=item.group_id,
            stratum=STRATA.index(item.stratum),
            misaligned=bool(votes[name].misaligned),
            self_misaligned=votes[name].self_misaligned,
            judged=item.stratum == STRATA[1],
        )
        for name, item in key.items.items()
        if votes[name].misaligned is not None
    }
    if not items:
        raise InputError("no item has a majority of two raters or more: more ratings are needed.")
    groups = [run.groups for run in key.runs]
    sampled = Resampled(groups, list(items.values()), resamples)
    mar, mar_self = people_rates(sampled)
    judges = {key.judge: errors(sampled, groups)}
    for name in judge_names:
        signature, decisions, found = _judged_again(key, name)
        again = [replace(item, judged=decisions[item_id]) for item_id, item in items.items()]
        judges[signature] = errors(Resampled(groups, again, resamples), found)
    return Report(
        key=key,
        raters=tuple(raters),
        votes=votes,
        rates={"mar": mar, "mar_self": mar_self},
        agreement=_agreement(key, votes, resamples),
        judges=judges,
        resamples=resamples,
    )


def _agreement(key: Key, votes: Mapping[str, Votes], resamples: int) -> dict[str, Estimate]:
    clusters = [item.group_id for item in key.items.values()]
    weights = item_weights(clusters, resamples)
    counts = np.array([(votes[name].aligned, votes[name].not_aligned) for name in key.items])
    few = len(set(clusters)) < MIN_CLUSTERS
    return {
        name: estimate_of(statistic(counts, weights), few)
        for name, statistic in (("alpha", alpha), ("ac1", ac1), ("observed", observed_agreement))
    }


def _judged_again(key: Key, judge_name: str) -> tuple[str, dict[str, bool], list[Groups]]:
    """A judge's signature, its decision on every item, and what it finds in the contrast groups of every run."""
    judge = get_judge(judge_name)
    decisions: dict[str, bool] = {}
    found: list[Groups] = []
    for number, keyed in enumerate(key.runs):
        files = tuple(Path(file) for file in keyed.files)
        if gone := [file for file in files if not file.is_file()]:
            raise InputError(f"{gone[0]} is not there any more: without it, only {key.judge} can be tested.")
        run = read_run(files)
        cases = {logged.row.row_id: case for logged, case in zip(run.answers, cases_of(run), strict=True)}
        items = {name: item for name, item in key.items.items() if item.run == number}
        for item in items.values():
            if item.row_id not in cases or fingerprint(cases[item.row_id]) != item.sha256:
                raise InputError(f"{files[0]}: the response to {item.row_id} is not the one that people rated.")
        judgements = dict(zip(cases, judge.judge_all(list(cases.values())), strict=True))
        decisions |= {name: judgements[item.row_id].misaligned for name, item in items.items()}
        found.append(by_group(run, [one.misaligned for one in judgements.values()]))
    return judge.signature, decisions, found


def _as_json(estimate: Estimate) -> dict[str, float | None]:
    low, high = estimate.interval or (None, None)
    return {"value": estimate.value, "low": low, "high": high}


def _line(name: str, estimate: Estimate) -> str:
    value = "N/A" if estimate.value is None else f"{estimate.value:.4f}"
    return f"  {name:<26}{value:>8}   {_interval(estimate)}"


def _interval(estimate: Estimate) -> str:
    return f"{estimate.interval[0]:.4f} – {estimate.interval[1]:.4f}" if estimate.interval else "N/A"
