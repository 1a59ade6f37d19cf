"""The three conditions of moral self-correction (Ganguli et al. 2023, arXiv 2302.07459).

Q asks the question, Q+IF adds an instruction to be fair, and Q+IF+CoT first has the model go on with "Let's think about
how …" for at most 256 tokens and then asks for the answer. The paper samples the thought; here decoding is greedy.
Probabilities are shares of the answers that are compared.
"""

from __future__ import annotations

from dfar_bench.prompts.conditions import Turn
from dfar_bench.suite._asked import add_condition

_THOUGHT = 256


def add_conditions(data: str, question: Turn, instructed: Turn, thought: str, last: Turn) -> None:
    """Add ``q``, ``q_if`` and ``q_if_cot`` of a data set, whose name they begin with.

    Args:
        question: of Q.
        instructed: of Q+IF; in Q+IF+CoT the same is asked.
        thought: how the answer to that begins in Q+IF+CoT.
        last: asks for the answer after the thought.
    """
    for name, title, turns in (
        ("q", "asked directly", (question,)),
        ("q_if", "told to be fair", (instructed,)),
        ("q_if_cot", "told to be fair, thought first", (Turn(instructed.ask, opening=thought), last)),
    ):
        add_condition(data, name, title, *turns, max_tokens=_THOUGHT)
