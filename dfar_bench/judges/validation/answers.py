"""The open answers: what real models wrote to statements of our own, each read three times by a language model.

Readings by one language model show that the guide can be followed and repeated, not what people would say; rates that
rest on them are named "against model readings".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Literal, TypeVar

from dfar_bench.datasets import LABELS, Row, rows
from dfar_bench.errors import InputError
from dfar_bench.files import packaged_json, packaged_jsonl
from dfar_bench.judges.base import Case
from dfar_bench.judges.reference.corpus import corpus
from dfar_bench.judges.validation.statements import PARTS as NEW
from dfar_bench.judges.validation.statements import open_statements
from dfar_bench.prompts import make_prompt

PARTS = ("make", *NEW)
"""``make`` is what judges are made from: answers to mini's train rows, to the siblings, and to further statements."""

UNDECIDED = "undecided"
"""The code of an answer to which the readings gave three different ones."""

T = TypeVar("T")

SourceKind = Literal["base", "fine-tuned", "instruct"]


@dataclass(frozen=True, slots=True)
class Source:
    """A model that wrote answers.

    Attributes:
        model: what it is, and from which file it was made.
        licence: of the model.
    """

    name: str
    kind: SourceKind
    model: str
    licence: str


@dataclass(frozen=True, slots=True)
class Vote:
    """What one reader decided on an answer.

    Attributes:
        stance: the verdict that the answer conveys as a whole: a label, or None for none.
        code: why it is aligned or not; one of ``judges.CODES`` or ``truncated``.
        sure: whether a second careful reader would surely say the same.
    """

    stance: int | None
    code: str
    sure: bool


@dataclass(frozen=True)
class OpenAnswer:
    """An answer with its readings.

    Attributes:
        prompt: name of the prompt style; ``condition`` and ``temperature`` likewise say how the model was asked.
        cut: whether the limit on tokens ended it.
    """

    id: str
    part: str
    row: Row
    source: Source
    prompt: str
    condition: str
    temperature: float
    cut: bool
    response: str
    votes: tuple[Vote, ...]

    @cached_property
    def case(self) -> Case:
        """What a judge sees of it, made and read once."""
        row = replace(self.row, dataset="mini")  # whose question and labels were asked for
        prompt = make_prompt(self.prompt, self.condition, row)
        return Case(self.row.statement, self.row.label, self.row.reason, self.response, prompt)

    @cached_property
    def code(self) -> str:
        """The code of most readings."""
        return _majority([vote.code for vote in self.votes]) or UNDECIDED

    @property
    def aligned(self) -> bool:
        """Whether most readings find it aligned."""
        return self.code == "aligned"

    @cached_property
    def stance(self) -> int | None:
        """The stance of most readings; None also where there is none."""
        return _majority([vote.stance for vote in self.votes])


def _majority(values: Sequence[T]) -> T | None:
    """Return the value of more than half; None if there is none."""
    (value, count), *_ = Counter(values).most_common(1)
    return value if 2 * count > len(values) else None


@cache
def sources() -> dict[str, Source]:
    """Return the models that wrote answers, by name."""
    return {name: Source(name, **fields) for name, fields in packaged_json(__package__, "sources.json").items()}


@cache
def open_answers(part: str) -> tuple[OpenAnswer, ...]:
    """Read the answers of a part.

    Raises:
        InputError: there is no such part.
    """
    if part not in PARTS:
        raise InputError(f"there are no open answers {part!r}: choose one of {', '.join(PARTS)}.")
    of_part = _rows(part)
    return tuple(_answer(record, part, of_part[record["row"]]) for record in _records() if record["row"] in of_part)


@cache
def argued_answers() -> tuple[OpenAnswer, ...]:
    """Read the answers of models that were told which side to argue for, to statements of ``make``; each was read once.

    They are for making judges, which learn most where people's verdict comes with a poor reason.
    """
    of_make, asked = _rows("make"), {"prompt": "chat", "condition": "reason"}  # the nearest to how they were asked
    records = packaged_jsonl(__package__, "argued.jsonl")
    return tuple(_answer({**record, **asked}, "make", of_make[record["row"]]) for record in records)


@cache
def imitated_answers() -> tuple[OpenAnswer, ...]:
    """Read the answers that a large language model wrote in the manner of small ones, good and poor ones alike.

    They all have people's verdict, so that only the reason tells them apart, and each was read once. They are for
    making judges.
    """
    of_make = _rows("make")
    same = {"source": "claude", "prompt": "chat", "condition": "reason", "temperature": 1.0, "cut": False}
    records = packaged_jsonl(__package__, "imitated.jsonl")
    return tuple(_answer({**record, **same}, "make", of_make[record["row"]]) for record in records)


@cache
def _records() -> list[Any]:
    return packaged_jsonl(__package__, "answers.jsonl")


def _answer(record: dict[str, Any], part: str, row: Row) -> OpenAnswer:
    fields = {name: record[name] for name in ("id", "prompt", "condition", "temperature", "cut", "response")}
    votes = tuple(
        Vote(None if stance is None else LABELS.index(stance), code, sure) for stance, code, sure in record["readings"]
    )
    return OpenAnswer(part=part, row=row, source=sources()[record["source"]], votes=votes, **fields)


@cache
def _rows(part: str) -> dict[str, Row]:
    if part != "make":
        return {row.row_id: row for row in open_statements(part)}
    siblings = [
        Row("siblings", f"sibling-{number:03d}-{place}", row["statement"], row["label"], row["reason"], "", f"{number}")
        for number, group in enumerate(corpus("siblings"))
        for place, row in enumerate(group["rows"])
    ]
    return {row.row_id: row for row in (*rows("mini")["train"], *siblings, *open_statements("make"))}
