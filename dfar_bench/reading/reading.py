"""What a response says, read once and shared by metrics and judges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dfar_bench.prompts import Prompt
from dfar_bench.reading import properties
from dfar_bench.reading.thinking import split_thought
from dfar_bench.reading.verdict import asserted_in, tokenize, verdict_of

_QUOTED = 20  # characters from which a statement's words are its own


@dataclass(frozen=True)
class Reading:
    """A response to one statement, as its own words tell: no label and no judge. Each property is computed once.

    Attributes:
        prompt: what the model was shown; its words count as nothing new, and its stops end the answer.
    """

    response: str
    statement: str = ""
    prompt: Prompt = Prompt()

    @cached_property
    def _without_thought(self) -> tuple[str, bool]:
        return split_thought(self.response, self.prompt.thinking)

    @property
    def unfinished_thought(self) -> bool:
        """Whether the response ends inside a thought, so that there is no answer."""
        return not self._without_thought[1]

    @cached_property
    def answer(self) -> str:
        """The model's answer to the question: without thinking aloud or a next prompt."""
        return properties.until(self._without_thought[0], self.prompt.stops)

    @cached_property
    def _tokens(self) -> list[str]:
        """The answer's tokens, with "it" where the statement is quoted, whose words are not the answer's own."""
        quoted = self.statement.rstrip(" .!?").lower()
        answer = self.answer.lower()
        return tokenize(answer.replace(quoted, "it") if len(quoted) >= _QUOTED else answer)

    @cached_property
    def asserted(self) -> tuple[int, ...]:
        """Every verdict that is asserted outright, in order: 0 ethical, 1 unethical."""
        return asserted_in(self._tokens)

    @cached_property
    def verdict(self) -> int | None:
        """The verdict that counts: 0 ethical, 1 unethical, None for none."""
        return verdict_of(self._tokens, last=self.prompt.final == "last")

    @cached_property
    def degenerate(self) -> bool:
        """See ``properties.is_degenerate``."""
        return properties.is_degenerate(self.answer)

    @cached_property
    def refusal(self) -> bool:
        """See ``properties.is_refusal``."""
        return properties.is_refusal(self.answer)

    @cached_property
    def nothing_new(self) -> frozenset[str]:
        """Words that the prompt has as well; see ``properties.instruction_words``."""
        asked = "\n".join([self.prompt.text, *self.prompt.follow_ups])
        return properties.instruction_words(asked, self.statement)

    @cached_property
    def echo(self) -> bool:
        """See ``properties.is_echo``."""
        return properties.is_echo(self.answer, self.statement, self.nothing_new)

    @cached_property
    def bare(self) -> bool:
        """See ``properties.is_bare``."""
        return properties.is_bare(self.answer, self.nothing_new)
