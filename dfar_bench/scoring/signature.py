"""The signature of a score: how it came about, in the manner of sacrebleu.

Its fields are of two sorts. Scores may be compared where the signatures agree in every *comparing* field: what was
asked, of which rows, after how many examples, and who judged. The others are *shown*: how the question was put to this
model (each is asked in the prompt of its kind), how its answers were generated, and the versions of the programs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dfar_bench.prompts import CONDITIONS

COMPARING = ("data", "rows", "task", "condition", "shots", "system", "context", "judge", "reference")
"""The fields that keep scores apart; all others are shown."""

_OLD_NAMES = {"split": "data", "mode": "condition"}
_UNSAFE = re.compile(r"[^\w.+/-]", re.ASCII)
_LENGTH = 60


@dataclass(frozen=True)
class Signature:
    """Fields in order, such as ``dfar|data:paper|task:reason|prompt:llama2.v1|…``.

    The fields are ``data``, ``rows`` (if not all), ``task`` (kind), ``prompt``, ``condition``, ``shots``, ``chat``,
    ``system``, ``context``, ``judge``, ``reference``, ``max_gen_toks``, ``gen``, ``seed``, ``ends`` (how it is known
    which answers were cut off), ``dtype``, ``batch``, ``dfar_bench``, ``lm_eval``; those that do not apply, or that the
    record does not hold, are left out.
    """

    fields: Mapping[str, str]

    @classmethod
    def of(cls, **values: object) -> Signature:
        """Make a signature; fields that are None are left out.

        Values may come from untrusted files, so characters that could pass for another field are replaced by "?".
        """
        return cls(
            {name: _UNSAFE.sub("?", str(value))[:_LENGTH] for name, value in values.items() if value is not None}
        )

    @classmethod
    def parse(cls, text: str) -> Signature:
        """Parse a signature's text; names of fields from earlier versions keep their meaning."""
        pairs = [part.partition(":") for part in text.split("|")[1:]]
        fields = {_OLD_NAMES.get(name, name): value for name, _, value in pairs}
        names = {alias: condition.name for condition in CONDITIONS.values() for alias in condition.aliases}
        if "condition" in fields:
            fields["condition"] = names.get(fields["condition"], fields["condition"])
        return cls(fields)

    def __str__(self) -> str:
        return "|".join(["dfar", *(f"{name}:{value}" for name, value in self.fields.items())])

    def __hash__(self) -> int:
        return hash(frozenset(self.fields.items()))

    def get(self, name: str, default: str = "") -> str:
        """Return a field's value."""
        return self.fields.get(name, default)

    def comparable(self) -> Signature:
        """Return the signature without the fields that do not keep scores apart."""
        return Signature({name: value for name, value in self.fields.items() if name in COMPARING})

    def differences(self, other: Signature) -> dict[str, tuple[str, str]]:
        """Return the fields in which two signatures differ, with both values, "-" where one has none.

        Fields that keep scores apart are those of ``COMPARING``.
        """
        names = dict.fromkeys([*self.fields, *other.fields])
        values = {name: (self.fields.get(name, "-"), other.fields.get(name, "-")) for name in names}
        return {name: pair for name, pair in values.items() if pair[0] != pair[1]}
