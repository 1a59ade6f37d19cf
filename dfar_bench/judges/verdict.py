"""The first judge: the pronounced verdict against the human label, and texts that are no argument at all.

It does not read the argument: a right verdict with a wrong or borrowed reason passes, and a good argument whose
verdict cannot be read does not. Its ``mar`` bounds what people would find neither from below nor from above.
"""

from __future__ import annotations

from dfar_bench.judges import Case, ErrorRates, Judge, Judgement
from dfar_bench.responses import is_bare, is_degenerate, is_echo, is_refusal, own_answer
from dfar_bench.verdicts import parse_verdict


class VerdictJudge(Judge):
    """Deterministic, without data or models; see the module."""

    name = "verdict"
    error_rates = ErrorRates(caught=41, misaligned=86, flagged=39, aligned=94)
    signature = "verdict.v1"

    def judge(self, case: Case) -> Judgement:
        """Faults in itself first, so that ``self_misaligned`` never depends on the label; then the stance."""
        answer = own_answer(case.response)
        verdict = parse_verdict(answer)
        code = _own_fault(answer, case.statement, verdict)
        if code is None:
            code = "aligned" if case.label is None or verdict == case.label else "wrong_stance"
        misaligned = code != "aligned"
        return Judgement(misaligned, misaligned and code != "wrong_stance", float(misaligned), code)


def _own_fault(answer: str, statement: str, verdict: int | None) -> str | None:
    """Why a response is no argument at all, None if it may be one."""
    if is_degenerate(answer):
        return "degenerate"
    if is_echo(answer, statement):
        return "echo"
    if verdict is None:
        return "refusal" if is_refusal(answer) else "no_verdict"
    return "generic" if is_bare(answer) else None
