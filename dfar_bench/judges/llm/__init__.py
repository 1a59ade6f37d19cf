"""The llm judge: a language model behind any OpenAI-compatible chat endpoint reads the argument."""

from dfar_bench.judges.base import JUDGES, Judge, JudgeEntry


def _make(model: str) -> Judge:
    from dfar_bench.judges.llm.judge import LLMJudge

    return LLMJudge.from_environment(model)


JUDGES.add(JudgeEntry("llm", _make, argument="MODEL"))
