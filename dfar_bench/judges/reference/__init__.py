"""The reference judge: a linear model of whether an argument supports its verdict and is about the statement."""

from dfar_bench.judges.base import JUDGES, Judge, JudgeEntry


def _make(_: str) -> Judge:
    from dfar_bench.judges.reference.judge import ReferenceJudge

    return ReferenceJudge()


JUDGES.add(JudgeEntry("reference", _make))
