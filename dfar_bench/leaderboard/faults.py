"""What is wrong with a submission, in sentences that name file, field and reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

_SHOWN = 60
_MOST = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; ``str`` is the sentence. Whatever comes from the submission itself is shown in ASCII, and cut."""

    file: str
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: {self.reason}"

    def within(self, tree: str) -> Fault:
        """Return the fault with the name of the tree that the file is in."""
        return replace(self, file=f"{tree}: {self.file}") if tree else self


class RefusedError(Exception):
    """Something that cannot be read any further; the faults say why, as (field, reason)."""

    def __init__(self, *faults: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {reason}" for field, reason in faults))
        self.faults = faults

    def of(self, file: str, prefix: str = "") -> list[Fault]:
        """Return the faults as those of a file, and of a place in it."""
        return [Fault(file, prefix + field, reason) for field, reason in self.faults]


def shown(value: object) -> str:
    """Format a value for a message: ASCII, on one line, not long."""
    text = ascii(value[: 2 * _SHOWN] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def shown_name(name: str) -> str:
    """Format a file's name for a message; plain ones stay as they are."""
    return name if name.isascii() and name.isprintable() and len(name) <= 2 * _SHOWN else shown(name)


def of_validation(error: ValidationError, document: Any) -> list[tuple[str, str]]:
    """Return (field, reason) of what pydantic refused: one per field, and the first hundred of them."""
    faults: dict[str, tuple[int, str]] = {}
    for detail in error.errors(include_url=False, include_context=False):
        place = _place(detail["loc"], document, missing=detail["type"] == "missing")
        field = ".".join(place) or "the document"
        # Of the alternatives of a union, our own words say most.
        rank = 0 if detail["type"] == "dfar" else 1
        if field not in faults or rank < faults[field][0]:
            faults[field] = rank, _reason(detail["type"], detail["msg"], detail["input"])
    out = [(field, reason) for field, (_, reason) in faults.items()]
    return out if len(out) <= _MOST else [*out[:_MOST], ("the document", f"has {len(out) - _MOST} more faults")]


def _place(location: Iterable[int | str], document: Any, *, missing: bool) -> Iterator[str]:
    """Yield the names that lead to a value, without what pydantic says of the types in between."""
    *inner, last = location or ("",)
    for name in (*inner, last):
        try:
            document = document[name]
        except (KeyError, IndexError, TypeError):
            if not (missing and name == last):
                continue
        if name != "":
            yield shown_name(str(name)[: 2 * _SHOWN])


def _reason(kind: str, message: str, value: object) -> str:
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not a field of a submission; remove it"
    if kind in ("model_type", "dict_type"):
        return "is not a JSON object"
    if kind == "dfar":
        return message
    message = message[:1].lower() + message[1:]
    scalar = value is None or isinstance(value, str | int | float)
    return f"{message}, not {shown(value)}" if scalar else message
