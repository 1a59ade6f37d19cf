"""Prompt styles: how a question is put, for evaluation and training alike.

``llama2`` and ``mistral`` are byte for byte the prompts of the paper's notebooks (Kabir et al., ICPR 2024; official
repository at the commit named in ``datasets.dfar``), without the ``<s>`` and ``</s>`` that the Mistral notebooks spell
out and that a tokenizer adds itself. ``plain`` is ours, for models that know neither format. ``chat`` is ours, for
models that are asked under a chat template; ``chat_b`` and ``chat_c`` ask the same in other words, to see how far a
score depends on the words.

A training text is ``prompt + completion``. Prompts end without a space and completions begin with one, so that the
border between them is also a border between tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dfar_bench.datasets import Dataset, Row, get_dataset
from dfar_bench.errors import InputError
from dfar_bench.prompts.conditions import CONDITIONS, Final, Turn, find_condition
from dfar_bench.registry import Registry

DEFAULT_STYLE, CHAT_STYLE = "llama2", "chat"
"""The prompt styles without and with a chat template, unless ``--metadata`` names one."""

FIXED_CHAT_STYLE = "messages"
"""The style with a chat template of data sets that fix their own: it says nothing besides."""

STOPS = ("### Question:", "### Instruction:", "\nIs the following statement")
"""Beginnings of a next prompt: an answer ends where a model that was shown bare text goes on to write one.

Not a blank line: models write paragraphs, and an answer that begins with a stop would become empty.
"""
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Style:
    """One way of asking. Changing any template changes scores, so it needs a new ``version``.

    Attributes:
        prompt: template with the fields ``ask`` (of the condition), ``statement`` and ``opening`` (of the answer).
        label, reason: templates of the expected answer without and with a reason; fields ``label``, ``Label`` (with a
            capital) and ``reason``.
        follow_up: template of a further turn, with the fields ``ask`` and ``opening``, where there is no chat template.
        choice: template of the verdict whose likelihood is computed; fields ``label`` and ``Label``.
        stops: see ``STOPS``; empty where a chat template ends the answer: a stop would act inside a thought, too.
        begins_answer: whether the prompt ends with "The statement is", after which no thought can come.
        fixed: whether it is for data sets that name their style: their conditions hold all that is said.
    """

    name: str
    version: int
    prompt: str
    label: str
    reason: str
    follow_up: str = "\n\n{ask}\nAnswer:"
    choice: str = "{label}"
    stops: tuple[str, ...] = STOPS
    begins_answer: bool = False
    fixed: bool = False

    @property
    def signature(self) -> str:
        """Name and version, such as ``llama2.v1``."""
        return f"{self.name}.v{self.version}"

    def begin(self, ask: str, statement: str, opening: str) -> str:
        """Put the first turn."""
        return self._open(self.prompt.format(ask=ask, statement=statement, opening=opening), opening)

    def go_on(self, ask: str, opening: str) -> str:
        """Put a further turn, where there is no chat template."""
        return self._open(self.follow_up.format(ask=ask, opening=opening), opening)

    def _open(self, text: str, opening: str) -> str:
        """Leave out the space before an opening that there is not: a word begins with its space."""
        return text.rstrip(" ") if self.fixed and not opening else text

    def choices(self, row: Row) -> tuple[tuple[str, ...], ...]:
        """Return the continuations whose likelihoods are compared: for each label those that mean it."""
        dataset = get_dataset(row.dataset)
        if dataset.answers:
            return tuple(map(tuple, dataset.answers(row)))
        return tuple((self.choice.format(label=label, Label=label.capitalize()),) for label in dataset.labels)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model was shown for one row, and how its answer is to be read.

    Attributes:
        text: of the first turn; "" where it is not known.
        stops, final: see ``Condition``.
        follow_ups: what is asked in further turns.
        openings: how the answer to each turn begins; () where none does.
        thinking: whether the chat template opened a thought, so that the answer begins inside it.
    """

    text: str = ""
    stops: tuple[str, ...] = STOPS
    final: Final = "opening"
    follow_ups: tuple[str, ...] = ()
    openings: tuple[str, ...] = ()
    thinking: bool = False


STYLES: Registry[Style] = Registry("prompt style")
STYLES.add(
    Style(
        "llama2",
        1,
        prompt="### Question: {ask} Statement: {statement} The statement is \n ### Answer:",
        label="{label}",
        reason="{label}. {reason}",
        follow_up="\n ### Question: {ask} \n ### Answer:",
        begins_answer=True,
    )
)
STYLES.add(
    Style(
        "mistral",
        1,
        prompt="\n\n### Instruction:\n {ask}\n\n### Input:\n {statement}\n\n### Response:\n The statement is",
        label="{label}.",
        reason="{label}.{reason}",
        follow_up="\n\n### Instruction:\n {ask}\n\n### Response:\n",
        begins_answer=True,
    )
)
STYLES.add(
    Style(
        "plain",
        1,
        prompt="{ask}\n\nStatement: {statement}\nAnswer:",
        label="{label}.",
        reason="{label}. {reason}",
    )
)

for _name, _prompt in {
    "chat": "{ask}\n\nStatement: {statement}",
    "chat_b": "Statement: {statement}\n\n{ask}",
    "chat_c": "{ask}\n\nStatement: {statement}",
}.items():
    STYLES.add(Style(_name, 1, _prompt, label="{Label}.", reason="{Label}. {reason}", choice="{Label}", stops=()))

for _name, _turn, _follow_up, _stops in (
    ("continued", "{ask}{opening}", "{ask}{opening}", ()),
    ("dialogue", "Human: {ask}\n\nAssistant: {opening}", "\n\nHuman: {ask}\n\nAssistant: {opening}", ("\n\nHuman:",)),
    (FIXED_CHAT_STYLE, "{ask}", "{ask}", ()),
):
    STYLES.add(Style(_name, 1, _turn, "{label}", "{label}", _follow_up, stops=_stops, fixed=True))


def find_style(name: object, dataset: Dataset | None = None) -> Style:
    """Return the style of a name.

    Raises:
        InputError: there is none, or the data set is not asked in it.
    """
    style = STYLES.find(name)
    if dataset and dataset.style and style.name not in (dataset.style, FIXED_CHAT_STYLE):
        raise InputError(f"{dataset.name} has prompts of its own: leave out the prompt {style.name}.")
    if dataset and style.fixed and not dataset.style:
        raise InputError(f"the prompt {style.name} is for data sets with prompts of their own: choose another.")
    return style


def styles_of(dataset: Dataset) -> list[Style]:
    """Return the styles in which a data set can be asked."""
    names = (dataset.style, FIXED_CHAT_STYLE) if dataset.style else [name for name, s in STYLES.items() if not s.fixed]
    return [STYLES[name] for name in names]


def default_style(dataset: Dataset, *, chat: bool = False) -> str:
    """Return the style in which a data set is asked unless another is named: without or with a chat template."""
    if dataset.style:
        return FIXED_CHAT_STYLE if chat else dataset.style
    return CHAT_STYLE if chat else DEFAULT_STYLE


def make_prompt(style: str, condition: str, row: Row) -> Prompt:
    """Make the prompt that asks about a row; nothing of the statement is trimmed.

    Args:
        style: a name in ``STYLES``.
        condition: a name or alias in ``CONDITIONS``.

    Raises:
        InputError: there is no such style or condition.
    """
    dataset = get_dataset(row.dataset)
    chosen, how = find_style(style, dataset), find_condition(condition, dataset)
    (first, opening), *others = _turns(chosen, how.turns, row)
    openings = (opening, *(opening for _, opening in others))
    return Prompt(
        chosen.begin(first, row.statement, opening),
        chosen.stops if how.stops is None else how.stops,
        how.final,
        tuple(ask for ask, _ in others),
        openings if any(openings) else (),
    )


def gold_answer(style: str, condition: str, row: Row) -> str:
    """Return what people would answer, without the leading space of ``gold_completion``."""
    dataset = get_dataset(row.dataset)
    chosen, how = find_style(style, dataset), find_condition(condition, dataset)
    template = chosen.reason if how.with_reason else chosen.label
    label = dataset.labels[row.label]
    return template.format(label=label, Label=label.capitalize(), reason=row.reason)


def gold_completion(style: str, condition: str, row: Row) -> str:
    """Return what a model learns to write after the prompt; the trainer adds the end-of-text token."""
    return " " + gold_answer(style, condition, row)


def _turns(style: Style, turns: Sequence[Turn], row: Row) -> list[tuple[str, str]]:
    """Fill in the templates of turns: what is asked, and how the answer begins."""
    dataset = get_dataset(row.dataset)
    count = len(dataset.labels)
    fields = {
        "question": dataset.question,
        "options": dataset.options,
        "count": _NUMBERS[count] if count < len(_NUMBERS) else count,
    }
    if not style.fixed:
        fields["reason"] = _wording(style, CONDITIONS["reason"].turns[0]).format(**fields)
    fields |= {"statement": row.statement, **row.facts}
    return [(_wording(style, turn).format(**fields), turn.opening.format(**fields)) for turn in turns]


def _wording(style: Style, turn: Turn) -> str:
    return turn.wordings.get(style.name, turn.ask)
