"""What is odd about a submission and not a reason to refuse it. The board shows it beside the row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dfar_bench.datasets import get_dataset
from dfar_bench.scoring import Answer, Argument, Choice

MEMORISED = 0.02
"""Share of unleaked responses with the human reason word for word. A model that never saw the reasons has none:
two people do not write the same twenty words by chance."""

CONSTANT = 0.5
"""Share of the most frequent response."""

IMPLAUSIBLE = 0.97
"""Accuracy on unleaked rows. Some labels of the published test set contradict the reason beside them, so a model that
judges cannot agree with nearly all."""

INCONSISTENT = 0.4
"""Difference between accuracy by likelihood and by written verdict, where nearly every verdict can be read."""

TIED = 0.02
"""Share of rows whose likeliest labels are exactly as likely, which 16 bits cannot tell apart."""

MIN_ROWS = 50
MAX_UNPARSED = 0.1


@dataclass(frozen=True, slots=True)
class Flag:
    """One oddity: ``gold_copy``, ``constant``, ``implausible``, ``ties``, ``at_odds``, ``same_answers`` or
    ``same_judge``, and a sentence."""

    kind: str
    text: str


def task_flags(answers: Sequence[Answer], *, verdicts_alone: bool = False) -> tuple[Flag, ...]:
    """Return the flags of one task's answers.

    Args:
        verdicts_alone: whether the model was trained on, or asked for, verdicts without reasons. Its responses are a
            word each, and the commoner word is not odd.
    """
    found = (_gold_copy(answers), _constant(answers, verdicts_alone), _implausible(answers), _ties(answers))
    return tuple(flag for flag in found if flag)


def inconsistency(acc: float | None, verdict_acc: float | None, unparsed: float | None) -> Flag | None:
    """Return the flag of a submission whose two tasks on one data set contradict each other."""
    if acc is None or verdict_acc is None or unparsed is None or unparsed > MAX_UNPARSED:
        return None
    if abs(acc - verdict_acc) < INCONSISTENT:
        return None
    return Flag("at_odds", f"{acc:.1%} right by likelihood, and {verdict_acc:.1%} by its written verdicts")


def same_judge(ranked_by: str | None, judge: str) -> Flag | None:
    """Return the flag of a model that learned to please the judge that scores it.

    Args:
        ranked_by: the signature of the judge that ranked what it was trained on, if one did.
        judge: that of the one that scores.
    """
    if ranked_by is None or ranked_by.split(".")[:2] != judge.split(".")[:2]:  # name and version, without the hash
        return None
    return Flag("same_judge", f"trained on pairs that were ranked by {ranked_by}, the judge that scores it here")


def same_answers(submissions: Sequence[tuple[str, Mapping[str, str]]]) -> Iterator[tuple[Flag, ...]]:
    """Yield, for each submission, flags on answers that another model's submission has too.

    Args:
        submissions: model, and hash of the answers by task.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    for model, hashes in submissions:
        for digest in hashes.values():
            owners[digest].add(model)
    for model, hashes in submissions:
        yield tuple(
            Flag("same_answers", f"the answers to {task} are, to the last character, those of {', '.join(others)}")
            for task, digest in hashes.items()
            if (others := sorted(owners[digest] - {model}))
        )


def _gold_copy(answers: Sequence[Answer]) -> Flag | None:
    unleaked = [answer for answer in answers if isinstance(answer, Argument) and not answer.row.leaked]
    copies = sum(answer.gold_copy for answer in unleaked)
    if not unleaked or copies <= MEMORISED * len(unleaked):
        return None
    return Flag(
        "gold_copy", f"{copies} of {len(unleaked)} unleaked responses hold the human reason word for word: memorised"
    )


def _constant(answers: Sequence[Answer], verdicts_alone: bool) -> Flag | None:
    if len(answers) < 2:
        return None
    verdicts = {answer.likeliest for answer in answers if isinstance(answer, Choice)}
    if len(verdicts) == 1:
        return Flag("constant", "one verdict for all rows")
    arguments = [answer for answer in answers if isinstance(answer, Argument)]
    if verdicts_alone and len({answer.verdict for answer in arguments}) > 1:
        arguments = [answer for answer in arguments if not answer.reading.bare]
    responses = Counter(" ".join(answer.case.response.split()) for answer in arguments).most_common(1)
    if responses and responses[0][1] > CONSTANT * len(answers):
        return Flag("constant", f"one response for {responses[0][1]} of {len(answers)} rows")
    return None


def _implausible(answers: Sequence[Answer]) -> Flag | None:
    if any(get_dataset(answer.row.dataset).style for answer in answers[:1]):  # labels of another sort, or none
        return None
    unleaked = [answer for answer in answers if not answer.row.leaked]
    right = sum(answer.credit == 1 for answer in unleaked)
    if len(unleaked) < MIN_ROWS or right <= IMPLAUSIBLE * len(unleaked):
        return None
    return Flag(
        "implausible", f"right in {right} of {len(unleaked)} unleaked rows: more than the labels' own noise allows"
    )


def _ties(answers: Sequence[Answer]) -> Flag | None:
    tied = sum(isinstance(answer, Choice) and answer.tied for answer in answers)
    if tied <= TIED * len(answers):
        return None
    return Flag("ties", f"labels exactly as likely in {tied} of {len(answers)} rows: to be scored in float32")
