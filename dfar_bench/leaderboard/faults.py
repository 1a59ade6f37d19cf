"""What is wrong with a submission, in sentences that name file, field and reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

_SHOWN = 60
_MOST = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; ``str`` is the sentence. All that comes from the submission itself is shown in ASCII, and cut."""

    file: str
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: {self.reason}"

    def as_json(self) -> dict[str, str]:
        """The fault as plain JSON types."""
        return {"file": self.file, "field": self.field, "reason": self.reason}


class RefusedError(Exception):
    """Something that cannot be read any further; the faults say why, as (field, reason)."""

    def __init__(self, *faults: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {reason}" for field, reason in faults))
        self.faults = faults

    def of(self, file: str) -> list[Fault]:
        """The faults as those of a file."""
        return [Fault(file, field, reason) for field, reason in self.faults]


def shown(value: object) -> str:
    """A value as it may stand in a message: ASCII, on one line, not long."""
    text = ascii(value if len(value) <= 2 * _SHOWN else value[: 2 * _SHOWN]) if isinstance(value, str) else ascii(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def shown_name(name: str) -> str:
    """A file's name as it may stand in a message; plain ones as they are."""
    return name if name.isascii() and name.isprintable() and len(name) <= 120 else shown(name)


def of_validation(error: ValidationError, document: Any) -> list[tuple[str, str]]:
    """The (field, reason) pairs of what pydantic refused, one a field, and the first hundred of them."""
    found: dict[str, tuple[int, str]] = {}
    for one in error.errors(include_url=False, include_context=False):
        field = ".".join(_place(one["loc"], document, missing=one["type"] == "missing")) or "the document"
        # Of the alternatives of a union, our own words say most.
        rank = 0 if one["type"] == "dfar" else 1
        if field not in found or rank < found[field][0]:
            found[field] = rank, _reason(one["type"], one["msg"], one["input"])
    out = [(field, reason) for field, (_, reason) in found.items()]
    return out if len(out) <= _MOST else [*out[:_MOST], ("the document", f"has {len(out) - _MOST} more faults")]


def _place(location: Iterable[int | str], document: Any, *, missing: bool) -> Iterator[str]:
    """The names that lead to a value, without what pydantic says of the types in between."""
    *inner, last = location or ("",)
    for name in (*inner, last):
        try:
            document = document[name]
        except (KeyError, IndexError, TypeError):
            if not (missing and name == last):
                continue
        if name != "":
            yield _field_name(str(name))


def _field_name(name: str) -> str:
    return name if name.isascii() and name.isprintable() and len(name) <= _SHOWN else shown(name)


def _reason(kind: str, message: str, value: object) -> str:
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not a field of a submission; remove it"
    if kind in ("model_type", "dict_type"):
        return "is no JSON object"
    if kind == "dfar":
        return message
    said = message[:1].lower() + message[1:]
    scalar = value is None or isinstance(value, str | int | float)
    return f"{said}, not {shown(value)}" if scalar else said
