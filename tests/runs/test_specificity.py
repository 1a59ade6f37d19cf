"""Reason specificity: a reason that fits both statements of a contrast group is not specific."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from harness import ROOT

from dfar_bench.datasets import rows
from dfar_bench.judges import Case, Judge, Judgement
from dfar_bench.prompts import CONDITIONS, make_prompt
from dfar_bench.runs.run import Harness, Run
from dfar_bench.runs.specificity import specificity
from dfar_bench.scoring import Output, find_task
from dfar_bench.text import words


class Overlap(Judge):
    """Accepts a reason as far as the words of the statement are in it."""

    name = "overlap"

    @property
    def signature(self) -> str:
        return "overlap.v1"

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        out = []
        for case in cases:
            assert case.statement in case.prompt.text  # of a sibling as well, so that its words count as repeated
            stated = set(words(case.statement))
            share = len(stated & set(words(case.response))) / len(stated)
            out.append(Judgement(share < 0.5, False, 1 - share, "aligned" if share >= 0.5 else "off_topic"))
        return out


def answered(reason: str) -> Run:
    """A run that gives everybody's verdict with a reason, in which "…" stands for the statement."""
    test = rows("mini")["test"]
    verdicts = ("Ethical", "Unethical")
    outputs = tuple(
        Output(row, f"{verdicts[row.label]}. {reason.replace('…', row.statement)}", make_prompt("chat", "reason", row))
        for row in test
    )
    return Run(find_task("dfar_mini_reason"), "chat.v1", CONDITIONS["reason"], outputs, Harness())


def test_a_reason_that_names_the_act_is_specific() -> None:
    specific = specificity(answered("The act that matters here is this one: …"), Overlap(), resamples=200)
    vague = specificity(answered("It was a thing that some people would do."), Overlap(), resamples=200)
    assert specific.value is not None
    assert vague.value is not None
    assert specific.value > 2 * vague.value
    assert specific.interval
    assert specific.interval[0] <= specific.value <= specific.interval[1]


def test_a_bare_verdict_does_not_count() -> None:
    assert specificity(answered(""), Overlap(), resamples=200).value is None


@pytest.mark.usefixtures("paper")
def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    from dfar_bench.cli.main import main

    (answers, *_) = sorted((ROOT / "leaderboard" / "submissions").rglob("dfar_clean_reason.jsonl.gz"))
    assert main(["rescore", "--resamples", "1000", "--judge", "verdict", "--specificity", str(answers.parent)]) == 0
    assert "\nreason_specificity " in capsys.readouterr().out
