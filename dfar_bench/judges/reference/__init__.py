"""The reference judge in its versions. ``reference`` is the newest."""

from functools import partial

from dfar_bench.judges.base import JUDGES, Judge, JudgeEntry

NEWEST = "v2"
VERSIONS = ("v1", "v2", "v2b")
"""``v2b`` is fitted to other statements than ``v2``, so that what one of them has chosen can be scored by the other."""


def _make(version: str, _: str) -> Judge:
    if version == "v1":
        from dfar_bench.judges.reference.v1.judge import ReferenceJudge as FirstJudge

        return FirstJudge()
    from dfar_bench.judges.reference.v2.judge import ReferenceJudge

    return ReferenceJudge(version)


JUDGES.add(JudgeEntry("reference", partial(_make, NEWEST)))
for _version in VERSIONS:
    JUDGES.add(JudgeEntry(f"reference.{_version}", partial(_make, _version)))
