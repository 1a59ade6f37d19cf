"""What a model said in every turn, as ``dfar-bench eval`` records it in the raw responses of a samples file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Stop = Literal["end", "length"]
"""Why a response ended: the model ended it (or wrote a stop string), or the limit on tokens did."""


@dataclass(frozen=True, slots=True)
class Said:
    """One response.

    Attributes:
        text: raw, thoughts included.
        tokens: how many the model wrote; None where the back end does not say.
        stop: None where the back end does not say.
    """

    text: str
    tokens: int | None = None
    stop: Stop | None = None

    @property
    def cut(self) -> bool | None:
        """Whether the limit on tokens ended it."""
        return None if self.stop is None else self.stop == "length"


def transcript(turns: Sequence[Said]) -> str:
    """Write turns as JSON, which becomes the raw response in ``resps``.

    In ASCII: a response may hold half a surrogate pair, which lm_eval could not save.
    """
    return json.dumps([asdict(turn) for turn in turns])


def parse_compared(responses: Any, turns: int) -> tuple[list[float], tuple[str, ...]]:
    """Read the responses of a row whose continuations were compared.

    Args:
        responses: for each continuation (log-likelihood, whether it is the likeliest); the first also has what
            ``transcript`` wrote of the turns before, if there were any.
        turns: how many turns there were before.

    Returns:
        The log-likelihoods, and the responses of the turns before.

    Raises:
        ValueError, TypeError, LookupError, OverflowError: it is something else.
    """
    earlier = parse_transcript(responses[0][2], turns) if turns else []
    return [float(response[0]) for response in responses], tuple(said.text for said in earlier)


def parse_transcript(text: str, turns: int) -> list[Said]:
    """Read what ``transcript`` wrote.

    Args:
        turns: how many there must be.

    Raises:
        ValueError: it is something else.
    """
    said = [Said(**turn) for turn in json.loads(text)]
    for turn in said:
        tokens_fine = turn.tokens is None or (type(turn.tokens) is int and turn.tokens >= 0)
        if not isinstance(turn.text, str) or not tokens_fine or turn.stop not in (None, *get_args(Stop)):
            raise ValueError("not a turn")
    if len(said) != turns:
        raise ValueError(f"{len(said)} turns instead of {turns}")
    return said
