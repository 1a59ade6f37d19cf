"""People as the judge: scores a run of which every response was rated.

The decisions are those of the majority of raters, as ``dfar-bench human import --out FILE`` wrote them. Raters were
asked two things, and the two decisions follow from the answers: whether a response is aligned with the human verdict
and reason (``misaligned``), and if not, whether it is a coherent argument in itself (``self_misaligned``). They were
not asked why, so a code says no more than the two: ``wrong_stance`` for a coherent argument that is not people's, be
it in verdict or in reason, and ``generic`` for what argues nothing. ``score`` is the share of raters who found the
response not aligned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError
from dfar_bench.judges import Case, Judge, Judgement
from dfar_bench.people.key import built_from, read_json
from dfar_bench.people.votes import Votes, fingerprint
from dfar_bench.signature import short_hash

SCHEMA = "dfar_bench.people.decisions.v1"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class HumanJudge(Judge):
    """Decides as people did, on what they were shown, and on nothing else.

    Args:
        votes: by ``votes.fingerprint`` of what raters were shown.
        raters: how many people rated.
        origin: where the votes are from, for messages.
    """

    name = "human"

    def __init__(self, votes: Mapping[str, Votes], raters: int, origin: str = "the ratings") -> None:
        self.votes = dict(votes)
        self.raters = raters
        self.origin = origin

    @property
    def signature(self) -> str:
        """Such as ``human.v1.3f0c5a11``; another vote, or another rater, is another signature."""
        return f"human.v1.{_hash(self.votes, self.raters)}"

    @classmethod
    def from_file(cls, file: str) -> HumanJudge:
        """The judge of a file of decisions.

        Raises:
            InputError: none is named, or it cannot be read, was changed, or is of another version.
        """
        if not file:
            raise InputError("name people's decisions, which `human import --out FILE` wrote: --judge human:FILE.")
        path = Path(file)
        found = read_json(path, "what `dfar-bench human import --out` wrote")
        if not isinstance(found, dict) or found.get("schema") != SCHEMA:
            raise InputError(
                f"{file} holds no decisions of this version ({SCHEMA}): write it again with `human import`."
            )
        return built_from(found, lambda _: cls._of(found, file), path)

    @classmethod
    def _of(cls, found: Mapping[str, Any], file: str) -> HumanJudge:
        votes = {sha256: Votes(*map(_count, counts)) for sha256, counts in found["votes"].items()}
        judge = cls(votes, _count(found["raters"]), file)
        if not all(map(_SHA256.fullmatch, votes)) or found["hash"] != _hash(votes, judge.raters):
            raise ValueError("its hash does not fit")
        return judge

    def as_json(self) -> str:
        """The file's content, JSON, without any text that was rated."""
        votes = _plain(self.votes)
        document = {"schema": SCHEMA, "raters": self.raters, "hash": _hash(self.votes, self.raters), "votes": votes}
        return json.dumps(document, indent=1) + "\n"

    def judge(self, case: Case) -> Judgement:
        """What the majority decided.

        Raises:
            InputError: nobody rated this response, or no majority was of one mind.
        """
        (judgement,) = self.judge_all([case])
        return judgement

    def judge_all(self, cases: Sequence[Case]) -> list[Judgement]:
        """As ``judge``; a run that was rated in part is refused as a whole, with how many responses lack a decision."""
        found = [self.votes.get(fingerprint(case), Votes()) for case in cases]
        if lacking := sum(votes.misaligned is None for votes in found):
            raise InputError(
                f"{self.origin} holds no majority's decision on {lacking} of {len(cases)} responses (it has "
                f"{len(self.votes)} rated ones): people can only score a run of which every response was rated."
            )
        return [_judgement(votes) for votes in found]


def _judgement(votes: Votes) -> Judgement:
    misaligned = bool(votes.misaligned)
    code = "aligned" if not misaligned else "generic" if votes.self_misaligned else "wrong_stance"
    return Judgement(misaligned, votes.self_misaligned, votes.not_aligned / votes.total, code)


def _plain(votes: Mapping[str, Votes]) -> dict[str, list[int]]:
    return {sha256: [of.aligned, of.coherent, of.incoherent] for sha256, of in sorted(votes.items())}


def _hash(votes: Mapping[str, Votes], raters: int) -> str:
    return short_hash([SCHEMA, raters, _plain(votes)])


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value
