"""Run a judge on responses of known truth and report its error rates, beside those of two trivial judges."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import numpy as np

from dfar_bench.judges import Judge, Judgement, get_judge
from dfar_bench.validity.items import SPLITS, Item, dropped, items
from dfar_bench.validity.measures import areas, by_length, interval
from dfar_bench.validity.natural import PARTS, natural_items
from dfar_bench.validity.report import Agreement, KindResult, Measured, Report

__all__ = ["items", "natural_items", "run", "validate"]


def validate(judge: Judge, splits: Iterable[str] = SPLITS, natural: Iterable[str] = PARTS) -> Report:
    """Measure a judge on the constructed responses of some splits and on parts of the natural ones.

    Raises:
        InputError: a split or part does not exist, or its data is not to be had.
    """
    sections = [run(judge, items(split), split, dropped(split)) for split in splits]
    sections += [run(judge, natural_items(part), f"natural {part}") for part in natural]
    return Report(judge.name, judge.signature, tuple(sections))


def run(judge: Judge, found: Sequence[Item], name: str = "", dropped: dict[str, int] | None = None) -> Measured:
    """Measure a judge on some responses.

    Args:
        found: constructed ones, told apart by their kind, or natural ones, told apart by their code.
        name: what the report calls them.
        dropped: rows that no response was built from, by rule.
    """
    cases = [item.case for item in found]
    start = time.perf_counter()
    judgements = judge.judge_all(cases)
    seconds = time.perf_counter() - start
    flags = [judgement.misaligned for judgement in judgements]
    by_verdict = [judgement.misaligned for judgement in get_judge("verdict").judge_all(cases)]
    lengths, by_words = by_length(found)
    deciders = (flags, by_words, by_verdict)
    kinds = [item.code or item.kind for item in found]
    scores = (np.array([judgement.score for judgement in judgements]), lengths, np.array(by_verdict, dtype=float))
    return Measured(
        name=name,
        responses=len(found),
        rows=len({item.row_id for item in found}),
        dropped=dropped or {},
        kinds=tuple(_kind(kind, found, kinds, deciders) for kind in dict.fromkeys(kinds)),
        areas=tuple(areas(found, kinds, each) for each in scores),
        agreements=_agreements(found, judgements, deciders),
        seconds=seconds,
    )


def _kind(kind: str, found: Sequence[Item], kinds: Sequence[str], deciders: Sequence[Sequence[bool]]) -> KindResult:
    at = [place for place, each in enumerate(kinds) if each == kind]
    flags = [deciders[0][place] for place in at]
    rates = [sum(flags[place] for place in at) / len(at) for flags in deciders]
    return KindResult(
        kind=kind,
        aligned=found[at[0]].aligned,
        unseen=found[at[0]].unseen,
        n=len(at),
        rate=rates[0],
        interval=interval(flags, [found[place].group_id for place in at]),
        length=rates[1],
        verdict=rates[2],
    )


def _agreements(
    found: Sequence[Item], judgements: Sequence[Judgement], deciders: Sequence[Sequence[bool]]
) -> tuple[Agreement, ...]:
    """How often the truth is met: over all responses, those of unseen kinds and the hard ones; and the code."""
    parts = {
        "all": list(range(len(found))),
        "unseen": [place for place, item in enumerate(found) if item.unseen],
        "hard": [place for place, item in enumerate(found) if item.hard],
    }
    out = []
    for name, at in parts.items():
        if at and (name == "all" or len(at) < len(found)):
            right = [[flags[place] != found[place].aligned for place in at] for flags in deciders]
            shares = [sum(each) / len(at) for each in right]
            out.append(
                Agreement(
                    name,
                    len(at),
                    shares[0],
                    interval(right[0], [found[place].group_id for place in at]),
                    shares[1],
                    shares[2],
                )
            )
    if coded := [place for place, item in enumerate(found) if item.code]:
        same = [judgements[place].code == found[place].code for place in coded]
        clusters = [found[place].group_id for place in coded]
        out.append(Agreement("code", len(coded), sum(same) / len(same), interval(same, clusters), None, None))
    return tuple(out)
