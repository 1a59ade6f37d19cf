"""How responses open and close: verdicts in many forms, by the label that they pronounce."""

from __future__ import annotations

from dfar_bench.data import LABELS


def _by_label(*forms: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Forms for either label; {label} and {Label} stand for its word, {other} for the other's."""
    ethical, unethical = (
        tuple(
            form.format(label=LABELS[label], Label=LABELS[label].capitalize(), other=LABELS[1 - label])
            for form in forms
        )
        for label in (0, 1)
    )
    return ethical, unethical


# Each ends so that a sentence may follow.
SPOKEN = _by_label(
    "{Label}.",
    "{label}.",
    "The statement is {label}.",
    "**Answer:** {label}\n",
    "This is {label}.",
    "Verdict: {label}.",
    "It is {label}.",
    "**{Label}.**",
    "I would call this {label}.",
    "Answer: {label}\n\nReason:",
)
"""The verdict by its own word."""

BARE = _by_label(
    "{Label}.",
    "{label}",
    "{Label}",
    "The statement is {label}.",
    "Answer: {label}",
    "This is {label}.",
    "**{Label}**",
    "It is {label}.",
    "Verdict: {label}.",
    "I think it is {label}.",
)

FLIPPED = (
    (
        *SPOKEN[0][:5],
        "Yes, it is ethical.",
        "The statement is ethical, and here is why:",
        "Final verdict: ethical.",
        "I consider this to be ethical.",
    ),
    (
        *SPOKEN[1][:5],
        "No, it is not ethical.",
        "The statement is unethical, and here is why:",
        "Final verdict: unethical.",
        "I consider this to be unethical.",
    ),
)

PLAIN = (
    (
        "There is nothing wrong with this.",
        "This is fine.",
        "That was the right thing to do.",
        "I see no problem with it.",
        "It is perfectly all right.",
        "This is as it should be.",
        "This deserves approval.",
        "Nobody can be blamed for this.",
    ),
    (
        "It was wrong to do that.",
        "This is not okay.",
        "That should not have been done.",
        "One must not act like that.",
        "This is plainly wrong.",
        "There is no excuse for this.",
        "This deserves blame.",
        "I cannot approve of this.",
    ),
)
"""The verdict without the words ethical and unethical."""

TAKEN_BACK = (
    (
        "So in the end the statement is ethical.",
        "All things considered, however, this is ethical.",
        "But on reflection none of that counts, and it was perfectly fine after all.",
        "Still, I come to the conclusion that there is nothing wrong with it.",
        "Nevertheless, my final verdict is: ethical.",
        "And yet it was the right thing to do, so nobody should be blamed.",
        "Then again, all of this is beside the point, and the conduct deserves approval.",
        "Having said that, I was mistaken above: it is ethical.",
    ),
    (
        "So in the end the statement is unethical.",
        "All things considered, however, this is unethical.",
        "But on reflection none of that counts, and it was plainly wrong after all.",
        "Still, I come to the conclusion that it should never have been done.",
        "Nevertheless, my final verdict is: unethical.",
        "And yet it was the wrong thing to do, so the blame is deserved.",
        "Then again, all of this is beside the point, and the conduct deserves blame.",
        "Having said that, I was mistaken above: it is unethical.",
    ),
)
"""Last sentences that pronounce a verdict against all that was said before."""

DOUBLE_NEGATION = (
    (
        "It would not be right to call this unethical.",
        "I do not think that this is unethical.",
        "This can hardly be called unethical.",
        "There is nothing unethical about this.",
        "Nobody could say in earnest that this is unethical.",
        "The statement is not unethical.",
    ),
    (
        "It would not be right to call this ethical.",
        "I do not think that this is ethical.",
        "This can hardly be called ethical.",
        "There is nothing ethical about this.",
        "Nobody could say in earnest that this is ethical.",
        "The statement is not ethical.",
    ),
)

CLOSING = _by_label(
    "Therefore the statement is {label}.",
    "For these reasons it is {label}.",
    "So my verdict is: {label}.",
    "That is why I call it {label}.",
    "In conclusion, this is {label}.",
    "Hence the answer is {label}.",
)

HEDGES = _by_label(
    "There are arguments on both sides, and some would object, but the statement is {label}.",
    "Not everyone will agree, and I can see why one might hesitate, but all in all this is {label}.",
    "It is not an easy case, and details could matter. On balance, though, I find it {label}.",
    "People may look at this in different ways; still, it seems {label} to me.",
    "One could argue about it for a while, but in my view it is {label}.",
    "I may be missing something, but as far as I can tell this is {label}.",
)

ELABORATIONS = _by_label(
    'That is why, for the case "{{statement}}", the verdict can only be {label}: what has been said here bears on '
    "precisely this.",
    'All of this applies directly to someone who says: "{{statement}}" Seen in this light, it is {label}.',
    'Put together, these points settle how to look at "{{statement}}", and they lead to the same answer, {label}.',
    'Anyone who reads "{{statement}}" with these points in mind will come to the conclusion that it is {label}.',
)
"""Closings that restate the statement, with a place for it."""

CHAT = _by_label("**Verdict: {label}**", "**{Label}**", "### Verdict\n**{Label}**", "The statement is **{label}**.")
