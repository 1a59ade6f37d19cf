"""Constructions of misaligned responses: bad arguments for a verdict, and texts that do not argue."""

from __future__ import annotations

from dfar_bench.datasets import LABELS, Row
from dfar_bench.reading import parse_verdict
from dfar_bench.runs.validation import texts
from dfar_bench.runs.validation.rewriting import (
    STOP_WORDS,
    decapitalize,
    end_sentence,
    flip_verdict,
    remove_verdict,
    replace_verdict_words,
    sentences,
    stems,
)
from dfar_bench.runs.validation.source import Source, construction
from dfar_bench.text import words


@construction(aligned=False)
def verdict_flipped(source: Source) -> str:
    """The human reason with its verdicts flipped, after the other verdict."""
    other = 1 - source.row.label
    text = end_sentence(flip_verdict(source.row.reason))
    if source.number(3, turn=1) == 0 and (clause := decapitalize(text)):
        return f"The statement is {LABELS[other]} because {clause}"
    return source.opened(texts.FLIPPED, text, other)


@construction(aligned=False, unseen=True)
def antonym_flip(source: Source) -> str:
    """The same, without the words ethical and unethical."""
    text = end_sentence(replace_verdict_words(flip_verdict(source.row.reason)))
    return source.opened(texts.PLAIN, text, 1 - source.row.label)


@construction(aligned=False)
def other_reason_same_label(source: Source) -> str | None:
    """Verdict and reason of another statement; the verdict happens to be right."""
    return _borrowed(source, source.row.label)


@construction(aligned=False)
def other_reason_opposite_label(source: Source) -> str | None:
    """Verdict and reason of another statement; the verdict is wrong as well."""
    return _borrowed(source, 1 - source.row.label)


def _borrowed(source: Source, label: int) -> str | None:
    others = source.pool.unrelated(source.row, label)
    if not others:
        return None
    return source.opened(texts.SPOKEN, end_sentence(others[source.number(len(others))].reason), label)


@construction(aligned=False)
def sibling_opposite(source: Source) -> str | None:
    """Verdict and reason of a statement that differs in one detail, and in the label."""
    siblings = source.pool.opposite_siblings(source.row)
    if not siblings:
        return None
    other = siblings[source.number(len(siblings), turn=1)]
    return source.opened(texts.SPOKEN, end_sentence(other.reason), other.label)


@construction(aligned=False)
def opposite_argument(source: Source) -> str | None:
    """The right verdict, and an argument for the other one that does not pronounce it."""
    for other in _opposites(source):
        argument = remove_verdict(other.reason)
        if _own_details(argument, other, source.row) >= 2:
            return source.opened(texts.SPOKEN, argument)
    return None


@construction(aligned=False)
def opposite_argument_spelled(source: Source) -> str | None:
    """The right verdict, and an argument for the other one that pronounces it."""
    for other in _opposites(source):
        if parse_verdict(other.reason) == other.label and _own_details(other.reason, other, source.row):
            return source.opened(texts.SPOKEN, end_sentence(other.reason))
    return None


def _opposites(source: Source) -> list[Row]:
    """Return the siblings of the other label, shuffled; without any, the most similar row of the other label."""
    siblings = {sibling.row_id: sibling for sibling in source.pool.opposite_siblings(source.row)}
    if siblings:
        return [siblings[row_id] for row_id in source.shuffle(list(siblings))]
    nearest = source.pool.nearest_opposite(source.row)
    return [nearest] if nearest else []


def _own_details(argument: str, other: Row, row: Row) -> int:
    """Count the details in an argument that are its own statement's and not the row's.

    Without any, what is said against one act may speak for its opposite ("the flock must stay in").
    """
    return len(stems(argument) & stems(other.statement) - stems(row.statement))


@construction(aligned=False, unseen=True)
def contradicting_last(source: Source) -> str:
    """The human verdict and reason, taken back in the last sentence."""
    text = source.opened(texts.SPOKEN, end_sentence(source.row.reason))
    return f"{text} {source.pick(texts.TAKEN_BACK[1 - source.row.label], turn=1)}"


@construction(aligned=False)
def generic(source: Source) -> str:
    """The right verdict, and an argument that fits any statement."""
    return source.opened(texts.SPOKEN, source.pick(texts.GENERIC[source.row.label], turn=1))


@construction(aligned=False, unseen=True)
def generic_long(source: Source) -> str:
    """The right verdict, and three such arguments in a row, other ones."""
    return source.opened(texts.SPOKEN, " ".join(source.shuffle(texts.GENERIC_UNSEEN[source.row.label])[:3]))


@construction(aligned=False)
def echo(source: Source) -> str:
    """The statement again."""
    return end_sentence(source.row.statement)


@construction(aligned=False, unseen=True)
def echo_verdict(source: Source) -> str:
    """The statement again, with the right verdict."""
    label, statement = LABELS[source.row.label], end_sentence(source.row.statement)
    return (f"{label.capitalize()}. {statement}", f"{statement} This is {label}.")[source.number(2)]


@construction(aligned=False)
def loop(source: Source) -> str:
    """The right verdict, and the beginning of the reason over and over."""
    part = " ".join(source.row.reason.split()[: 5 + source.number(8)])
    return source.opened(texts.SPOKEN, " ".join([part] * (4 + source.number(5, turn=1))))


@construction(aligned=False, unseen=True)
def loop_sentence(source: Source) -> str:
    """The right verdict and the beginning of the reason, then one sentence five times."""
    first, *rest = sentences(source.row.reason)
    repeated = rest[source.number(len(rest))] if rest else first
    return source.opened(texts.SPOKEN, " ".join([end_sentence(first)] + [end_sentence(repeated)] * 5))


@construction(aligned=False)
def word_salad(source: Source) -> str:
    """The right verdict, and the words of the reason in random order."""
    shuffled = source.shuffle([word.strip('.,;:"') for word in source.row.reason.split()])
    return f"{LABELS[source.row.label].capitalize()}. {end_sentence(' '.join(shuffled))}"


@construction(aligned=False)
def keyword_stuffing(source: Source) -> str:
    """The right verdict, and a list of the words that matter."""
    tokens = words(f"{source.row.statement} {source.row.reason}")
    own = dict.fromkeys(word for word in tokens if word not in STOP_WORDS and len(word) > 3)
    keywords = source.shuffle(list(own))[:14] + source.shuffle(texts.MORAL_KEYWORDS)[:5]
    return source.opened(texts.SPOKEN, f"{', '.join(keywords)}.")


@construction(aligned=False)
def refusal(source: Source) -> str:
    """A polite refusal."""
    return source.pick(texts.REFUSALS)


@construction(aligned=False)
def empty(source: Source) -> str:
    """White space or a few symbols."""
    return source.pick(texts.EMPTY)


@construction(aligned=False, unseen=True)
def off_topic(source: Source) -> str:
    """The right verdict, and good prose about something else."""
    return source.opened(texts.SPOKEN, source.pick(texts.OFF_TOPIC, turn=1))


@construction(aligned=False)
def no_verdict(source: Source) -> str:
    """Both sides of the statement, and no decision."""
    return source.pick(texts.UNDECIDED).format(statement=end_sentence(source.row.statement))


@construction(aligned=False)
def bare_verdict(source: Source) -> str:
    """The right verdict and nothing else."""
    return source.pick(texts.BARE[source.row.label])
