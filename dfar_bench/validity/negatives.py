"""Misaligned responses that argue: the verdict turned round, the argument borrowed from another statement."""

from __future__ import annotations

from dfar_bench.data import LABELS, Row
from dfar_bench.validity.kinds import Context, kind
from dfar_bench.validity.openings import FLIPPED, PLAIN, SPOKEN, TAKEN_BACK
from dfar_bench.validity.stance import beginnings, choice, closed, flipped, lowered, neutralised, reworded, shuffled
from dfar_bench.verdicts import parse_verdict


def pick(forms: tuple[str, ...], row: Row, kind_name: str, turn: int = 0) -> str:
    """The form that a row gets."""
    return forms[choice(row.row_id, kind_name, len(forms), turn)]


def opened(form: str, text: str) -> str:
    """An opening and what follows it."""
    return form + text if form.endswith("\n") else f"{form} {text}"


@kind(aligned=False)
def verdict_flipped(row: Row, context: Context) -> str | None:
    """The human reason with its verdicts turned round, under the other verdict."""
    text = closed(flipped(row.reason))
    if choice(row.row_id, "verdict_flipped", 3, turn=1) == 0 and (clause := lowered(text)):
        return f"The statement is {LABELS[1 - row.label]} because {clause}"
    return opened(pick(FLIPPED[1 - row.label], row, "verdict_flipped"), text)


@kind(aligned=False, unseen=True)
def antonym_flip(row: Row, context: Context) -> str:
    """The other verdict, and no word of ethical or unethical."""
    return opened(pick(PLAIN[1 - row.label], row, "antonym_flip"), closed(reworded(flipped(row.reason))))


@kind(aligned=False)
def other_reason_same_label(row: Row, context: Context) -> str | None:
    """Verdict and reason of another statement; the verdict happens to be right."""
    return _borrowed(row, context, row.label, "other_reason_same_label")


@kind(aligned=False)
def other_reason_opposite_label(row: Row, context: Context) -> str | None:
    """Verdict and reason of another statement; the verdict is wrong as well."""
    return _borrowed(row, context, 1 - row.label, "other_reason_opposite_label")


def _borrowed(row: Row, context: Context, label: int, kind_name: str) -> str | None:
    other = context.stranger(row, label, kind_name)
    return None if other is None else opened(pick(SPOKEN[label], row, kind_name), closed(other.reason))


@kind(aligned=False)
def sibling_opposite(row: Row, context: Context) -> str | None:
    """Verdict and reason of a statement that differs in one detail, and in the label."""
    siblings = context.opposite_siblings(row)
    if not siblings:
        return None
    other = siblings[choice(row.row_id, "sibling_opposite", len(siblings), turn=1)]
    return opened(pick(SPOKEN[other.label], row, "sibling_opposite"), closed(other.reason))


@kind(aligned=False)
def opposite_argument(row: Row, context: Context) -> str | None:
    """The right verdict, and an argument for the other one that does not say so."""
    for other in _opposites(row, context, "opposite_argument"):
        argument = neutralised(other.reason)
        if _own_details(argument, other, row) >= 2:
            return opened(pick(SPOKEN[row.label], row, "opposite_argument"), argument)
    return None


@kind(aligned=False)
def opposite_argument_spelled(row: Row, context: Context) -> str | None:
    """The right verdict, and an argument for the other one that pronounces it."""
    for other in _opposites(row, context, "opposite_argument_spelled"):
        if parse_verdict(other.reason) == other.label and _own_details(other.reason, other, row):
            return opened(pick(SPOKEN[row.label], row, "opposite_argument_spelled"), closed(other.reason))
    return None


@kind(aligned=False, unseen=True)
def contradicting_last(row: Row, context: Context) -> str:
    """The human verdict and reason, taken back in the last sentence."""
    said = opened(pick(SPOKEN[row.label], row, "contradicting_last"), closed(row.reason))
    return f"{said} {pick(TAKEN_BACK[1 - row.label], row, 'contradicting_last', turn=1)}"


def _opposites(row: Row, context: Context, kind_name: str) -> list[Row]:
    """The siblings of the other label in an order of the row's own; without any, the nearest row of the other label."""
    siblings = context.opposite_siblings(row)
    order = shuffled([sibling.row_id for sibling in siblings], row.row_id, kind_name)
    nearest = context.nearest_opposite(row)
    return sorted(siblings, key=lambda sibling: order.index(sibling.row_id)) or ([nearest] if nearest else [])


def _own_details(argument: str, other: Row, row: Row) -> int:
    """How many details an argument names that are its own statement's and not the row's.

    Without any, what is said against one act may be said for its contrary ("the flock must stay in").
    """
    return len(beginnings(argument) & beginnings(other.statement) - beginnings(row.statement))
