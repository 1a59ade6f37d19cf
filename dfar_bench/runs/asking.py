"""``dfar-bench eval``: lm_eval, with conditions of several turns, a record of every turn, and going on after a kill.

lm_eval asks a model once. Here its own model class gets a subclass that asks turn by turn, all rows of a turn in one
batch, and answers with the record of all turns, which ``DfarTask`` takes apart. The class may be any of lm_eval's: what
it does to generate, batch, gather and apply a chat template stays its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dfar_bench.datasets import Row, rows
from dfar_bench.errors import InputError
from dfar_bench.prompts import STYLES, Prompt, find_condition, make_prompt
from dfar_bench.reading import has_thought, opens_thought, split_thought
from dfar_bench.reading.properties import until
from dfar_bench.runs.journal import Journal
from dfar_bench.runs.turns import Said, transcript

_HOW = ("batch_size", "max_batch_size", "device")
"""Arguments of a model that do not decide what it answers."""


def evaluate(arguments: Sequence[str], condition: str, output_path: Path) -> None:
    """Run lm_eval with its own arguments and a condition.

    Args:
        arguments: as typed, without ``--condition``, ``--output_path`` and ``--log_samples``.
        output_path: gets the results, and until then the finished turns.

    Raises:
        InputError: something in the arguments does not go with conditions of several turns.
    """
    from lm_eval.__main__ import cli_evaluate

    for option in ("--use_cache", "--cache_requests"):
        if any(argument.partition("=")[0] == option for argument in arguments):
            raise InputError(f"{option} does not go with eval, which keeps finished turns itself: leave it out.")
    metadata = {"condition": find_condition(condition).name, "recorded": True}
    own = ("--metadata", json.dumps(metadata), "--output_path", str(output_path), "--log_samples")
    with turn_by_turn(output_path / "unfinished"), patch.object(sys, "argv", ["lm_eval", "run", *arguments, *own]):
        cli_evaluate()


@contextmanager
def turn_by_turn(folder: Path) -> Iterator[None]:
    """Let lm_eval make models that ask turn by turn; the harness has no hook for it.

    Args:
        folder: for the finished turns; gone when all is finished.
    """
    from lm_eval.api import registry

    journals: list[Journal] = []
    get_model = registry.get_model

    def get(name: str) -> type[Any]:
        return _asking(get_model(name), name, folder, journals)

    with patch.object(registry, "get_model", get):
        try:
            yield
        except BaseException:
            for journal in journals:
                journal.close()
            raise
    for journal in journals:
        journal.remove()


def _asking(model: type[Any], name: str, folder: Path, journals: list[Journal]) -> type[Any]:
    class Asking(TurnByTurn, model):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._check_processes(name)
            what = [name, args, {key: value for key, value in sorted(kwargs.items()) if key not in _HOW}]
            self._begin(json.dumps(what, default=str), journal := Journal(folder, self.rank))
            journals.append(journal)

    return Asking


class TurnByTurn:
    """The part of a model class that asks turn by turn and records what was said."""

    rank: int
    world_size: int
    tokenizer: Any

    def _check_processes(self, name: str) -> None:
        """Refuse processes that the model class knows nothing of: each would do all the work."""
        processes = int(os.environ.get("WORLD_SIZE", "1"))
        device = getattr(getattr(self, "device", None), "type", "cpu")
        if processes > 1 and self.world_size == 1 and device == "cpu":
            raise InputError(
                f"{processes} processes were started, and --model {name} would run everything in each of them on CPUs: "
                "start one."
            )

    def _begin(self, identity: str, journal: Journal) -> None:
        self._identity, self._journal = identity, journal
        self._conversations: dict[Any, list[dict[str, str]]] = {}
        self._tokens: list[int] = []
        self._finish_reasons: deque[tuple[int | None, str | None]] = deque()
        self._kept: Callable[[Any, dict[str, Any], str], object] = lambda context, generation, text: None
        self.cache_hook = self  # told of every finished request

    # What the model class calls while it works.

    def apply_chat_template(self, chat_history: list[dict[str, str]], *args: Any, **kwargs: Any) -> Any:
        """Apply the chat template, and keep in mind which messages a context is made of."""
        context = super().apply_chat_template(chat_history, *args, **kwargs)  # type: ignore[misc]
        self._conversations[context] = list(chat_history)
        return context

    def tok_decode(self, tokens: Any, *args: Any, **kwargs: Any) -> Any:
        """Decode, and keep in mind the tokens of the response that is finished next."""
        self._tokens = list(tokens) if isinstance(tokens, list) else []
        return super().tok_decode(tokens, *args, **kwargs)  # type: ignore[misc]

    def parse_generations(self, outputs: Any, **kwargs: Any) -> list[str]:
        """Parse what an endpoint sent, and keep in mind why each response ended."""
        for out in outputs if isinstance(outputs, list) else [outputs]:
            tokens = (out.get("usage") or {}).get("completion_tokens") if isinstance(out, dict) else None
            choices = out.get("choices", []) if isinstance(out, dict) else []
            for choice in sorted(choices, key=lambda choice: choice.get("index", 0)):
                self._finish_reasons.append((tokens if len(choices) == 1 else None, choice.get("finish_reason")))
        texts = super().parse_generations(outputs=outputs, **kwargs)  # type: ignore[misc]
        return ["" if text is None else text for text in texts]  # nothing but a thought that did not end

    def add_partial(self, kind: str, request: tuple[Any, Any], text: Any) -> None:
        """Take over a finished request: the method of lm_eval's cache hook."""
        if kind == "generate_until":
            context, generation = request
            self._kept(context, generation, text)

    # Asking.

    def generate_until(self, requests: list[Any], *args: Any, **kwargs: Any) -> list[str]:
        """Ask every turn of every request; requests of other tasks are asked as ever."""
        ours = [request for request in requests if request.doc.get("recorded")]
        others = [request for request in requests if not request.doc.get("recorded")]
        generate = super().generate_until  # type: ignore[misc]
        plain = iter(generate(others, *args, **kwargs) if others else ())
        recorded = iter(self._ask(ours, lambda todo: generate(todo, *args, **kwargs)))
        return [next(recorded) if request.doc.get("recorded") else next(plain) for request in requests]

    def _ask(self, requests: list[Any], generate: Callable[[list[Any]], list[str]]) -> list[str]:
        talks = [_Talk(request, _prompt_of(request.doc)) for request in requests]
        for turn in range(max((len(talk.prompt.follow_ups) + 1 for talk in talks), default=0)):
            asked = [talk for talk in talks if turn <= len(talk.prompt.follow_ups)]
            for talk in asked[: len(asked) if turn else 0]:
                talk.context = self._next_context(talk, turn)
            self._ask_turn(asked, generate)
        return [transcript(talk.said) for talk in talks]

    def _ask_turn(self, talks: Sequence[_Talk], generate: Callable[[list[Any]], list[str]]) -> None:
        sampled = any(talk.generation.get("do_sample") for talk in talks)
        todo: dict[str, _Talk] = {}
        of_question: dict[str, deque[str]] = defaultdict(deque)
        for number, talk in enumerate(talks):
            question = self._key(talk.context, talk.generation)
            talk.key = f"{question}-{number}" if sampled else question  # equal questions may get different answers
            if talk.key not in self._journal and talk.key not in todo:
                todo[talk.key] = talk
                of_question[question].append(talk.key)

        def keep(context: Any, generation: dict[str, Any], text: str) -> None:
            if keys := of_question.get(self._key(context, generation)):
                self._journal.add(keys.popleft(), self._said(generation, text))

        self._finish_reasons.clear()
        self._kept = keep
        texts = generate([talk.as_request() for talk in todo.values()]) if todo else []
        for key, text in zip(todo, texts, strict=True):
            if key not in self._journal:  # by a model class that does not tell of finished requests
                self._journal.add(key, Said(str(text)))
        for talk in talks:
            talk.said.append(self._journal[talk.key])

    def _key(self, context: Any, generation: dict[str, Any]) -> str:
        text = json.dumps([self._identity, context, generation], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def _said(self, generation: dict[str, Any], text: str) -> Said:
        """Return the response that was finished last, with what is known of its end."""
        if self._finish_reasons:
            tokens, reason = self._finish_reasons.popleft()
            return Said(text, tokens, "length" if reason == "length" else "end" if reason == "stop" else None)
        if not self._tokens:
            return Said(text)
        ends = self._ending_tokens()
        length = next((at for at, token in enumerate(self._tokens) if token in ends), len(self._tokens))
        raw = self.tokenizer.decode(self._tokens[:length], skip_special_tokens=False)
        answer = until(raw, generation.get("until") or ())
        ended = length < len(self._tokens) or answer != raw or length < generation.get("max_gen_toks", 0)
        # lm_eval drops special tokens, which mark the thoughts of some models.
        return Said(answer if has_thought(raw) else text, length, "end" if ended else "length")

    def _ending_tokens(self) -> set[int]:
        """Return the tokens that end a response, or fill up the batch behind it."""
        config = getattr(getattr(self, "model", None), "generation_config", None)
        ends = getattr(config, "eos_token_id", None)
        known = [
            self.tokenizer.eos_token_id,
            self.tokenizer.pad_token_id,
            *(ends if isinstance(ends, list) else [ends]),
        ]
        return {token for token in known if token is not None}

    def _next_context(self, talk: _Talk, turn: int) -> Any:
        """Return the context of a further turn: all that was said, thoughts left out, and the next question."""
        question, answer = talk.prompt.follow_ups[turn - 1], talk.answer()
        if (messages := self._conversations.get(talk.context)) is not None:
            said = [{"role": "assistant", "content": answer.strip()}, {"role": "user", "content": question}]
            return self.apply_chat_template([*messages, *said])
        return f"{talk.context}{answer.rstrip()}{talk.follow_up.format(ask=question)}"


class _Talk:
    """One row's conversation so far."""

    def __init__(self, request: Any, prompt: Prompt) -> None:
        self.request, self.prompt = request, prompt
        self.context, self.generation = request.args
        self.follow_up = STYLES[request.doc["prompt_style"].partition(".")[0]].follow_up
        self.said: list[Said] = []
        self.key = ""

    def answer(self) -> str:
        """Return what was said last, without its thought and the next prompt that the model goes on to."""
        thinking = isinstance(self.context, str) and opens_thought(self.context)
        return until(split_thought(self.said[-1].text, thinking)[0], self.prompt.stops)

    def as_request(self) -> Any:
        """Return the next question as a request of lm_eval."""
        return replace(self.request, arguments=(self.context, self.generation), resps=[], filtered_resps={})


def _prompt_of(doc: dict[str, Any]) -> Prompt:
    style = doc["prompt_style"].partition(".")[0]
    return make_prompt(style, doc["condition"], _test_rows(doc["dataset"])[doc["row_id"]])


@cache
def _test_rows(dataset: str) -> dict[str, Row]:
    return {row.row_id: row for row in rows(dataset)["test"]}
