"""The reference judge in its versions. ``reference`` is the newest."""

from dfar_bench.judges.base import JUDGES, Judge, JudgeEntry


def _v1(_: str) -> Judge:
    from dfar_bench.judges.reference.v1.judge import ReferenceJudge

    return ReferenceJudge()


JUDGES.add(JudgeEntry("reference", _v1))
