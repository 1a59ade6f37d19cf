"""Misaligned responses that do not argue: generic, echoed, looping, off topic, undecided, refused."""

from __future__ import annotations

from dfar_bench.data import LABELS, Row
from dfar_bench.text import words
from dfar_bench.validity.kinds import Context, kind
from dfar_bench.validity.negatives import opened, pick
from dfar_bench.validity.openings import BARE, SPOKEN
from dfar_bench.validity.stance import STOP_WORDS, choice, closed, sentences, shuffled
from dfar_bench.validity.texts import EMPTY, GENERIC, GENERIC_UNSEEN, MORAL_KEYWORDS, OFF_TOPIC, REFUSALS, UNDECIDED


@kind(aligned=False)
def generic(row: Row, context: Context) -> str:
    """The right verdict, and an argument that fits any statement."""
    return opened(pick(SPOKEN[row.label], row, "generic"), pick(GENERIC[row.label], row, "generic", turn=1))


@kind(aligned=False, unseen=True)
def generic_long(row: Row, context: Context) -> str:
    """The right verdict, and three such arguments in a row, other ones."""
    three = shuffled(GENERIC_UNSEEN[row.label], row.row_id, "generic_long")[:3]
    return opened(pick(SPOKEN[row.label], row, "generic_long"), " ".join(three))


@kind(aligned=False)
def echo(row: Row, context: Context) -> str:
    """The statement said over again."""
    return closed(row.statement)


@kind(aligned=False, unseen=True)
def echo_verdict(row: Row, context: Context) -> str:
    """The statement said over again, with the right verdict."""
    before, after = f"{LABELS[row.label].capitalize()}. {{}}", f"{{}} This is {LABELS[row.label]}."
    return pick((before, after), row, "echo_verdict").format(closed(row.statement))


@kind(aligned=False)
def loop(row: Row, context: Context) -> str:
    """The right verdict, and the beginning of the reason over and over."""
    length = 5 + choice(row.row_id, "loop", 8)
    part = " ".join(row.reason.split()[:length])
    times = 4 + choice(row.row_id, "loop", 5, turn=1)
    return opened(pick(SPOKEN[row.label], row, "loop"), " ".join([part] * times))


@kind(aligned=False, unseen=True)
def loop_sentence(row: Row, context: Context) -> str:
    """The right verdict and the beginning of the reason, then one sentence five times."""
    first, *rest = sentences(row.reason)
    again = rest[choice(row.row_id, "loop_sentence", len(rest))] if rest else first
    return opened(pick(SPOKEN[row.label], row, "loop_sentence"), " ".join([closed(first)] + [closed(again)] * 5))


@kind(aligned=False)
def word_salad(row: Row, context: Context) -> str:
    """The right verdict, and the words of the reason in no order."""
    mixed = shuffled([word.strip('.,;:"') for word in row.reason.split()], row.row_id, "word_salad")
    return f"{LABELS[row.label].capitalize()}. {closed(' '.join(mixed))}"


@kind(aligned=False)
def keyword_stuffing(row: Row, context: Context) -> str:
    """The right verdict, and a list of the words that matter."""
    own = dict.fromkeys(
        word for word in words(f"{row.statement} {row.reason}") if word not in STOP_WORDS and len(word) > 3
    )
    listed = shuffled(list(own), row.row_id, "keyword_stuffing")[:14]
    moral = shuffled(MORAL_KEYWORDS, row.row_id, "keyword_stuffing")[:5]
    return opened(pick(SPOKEN[row.label], row, "keyword_stuffing"), f"{', '.join(listed + moral)}.")


@kind(aligned=False)
def refusal(row: Row, context: Context) -> str:
    """No answer, politely."""
    return pick(REFUSALS, row, "refusal")


@kind(aligned=False)
def empty(row: Row, context: Context) -> str:
    """White space or a few marks."""
    return pick(EMPTY, row, "empty")


@kind(aligned=False, unseen=True)
def off_topic(row: Row, context: Context) -> str:
    """The right verdict, and good prose about something else."""
    return opened(pick(SPOKEN[row.label], row, "off_topic"), pick(OFF_TOPIC, row, "off_topic", turn=1))


@kind(aligned=False)
def no_verdict(row: Row, context: Context) -> str:
    """Both sides of the statement, and no decision."""
    return pick(UNDECIDED, row, "no_verdict").format(statement=closed(row.statement))


@kind(aligned=False)
def bare_verdict(row: Row, context: Context) -> str:
    """The right verdict and nothing else."""
    return pick(BARE[row.label], row, "bare_verdict")
