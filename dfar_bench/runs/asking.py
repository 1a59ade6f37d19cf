"""A model that asks turn by turn, whatever class of lm_eval's it is, and records what was said.

lm_eval asks a model once. Here its own model class gets a subclass that asks turn by turn, all rows of a turn in one
batch, and answers with the record of all turns, which ``DfarTask`` takes apart. What the class does to generate, batch,
gather and apply a chat template stays its own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from dfar_bench.datasets import Row, get_dataset, rows
from dfar_bench.errors import InputError
from dfar_bench.prompts import STYLES, Prompt, find_condition, make_prompt
from dfar_bench.reading import has_thought, opens_thought, split_thought
from dfar_bench.reading.properties import until
from dfar_bench.runs.journal import Journal
from dfar_bench.runs.turns import Said, transcript

_log = logging.getLogger("lm_eval.dfar_bench")


class TurnByTurn:
    """The part of a model class that asks turn by turn and records what was said."""

    rank: int
    world_size: int
    tokenizer: Any
    max_length: int

    def check_processes(self, name: str) -> None:
        """Refuse processes that the model class knows nothing of: each would do all the work."""
        processes = int(os.environ.get("WORLD_SIZE", "1"))
        device = getattr(getattr(self, "device", None), "type", "cpu")
        if processes > 1 and self.world_size == 1 and device == "cpu":
            raise InputError(
                f"{processes} processes were started, and --model {name} would run everything in each of them on CPUs: "
                "start one."
            )

    def begin(self, journal: Journal) -> None:
        """Prepare for questions; called once, by the constructor."""
        self._journal = journal
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
        # What an encoder-decoder model writes begins with a padding token, which looks like its end.
        self._tokens = list(tokens) if isinstance(tokens, list) and self._is_causal() else []
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

    def loglikelihood(self, requests: list[Any], *args: Any, **kwargs: Any) -> list[tuple[Any, ...]]:
        """Ask the turns before the last of every row that has them, and compare likelihoods in the last."""
        measure = super().loglikelihood  # type: ignore[misc]
        talks: dict[str, _Talk] = {}
        for request in requests:
            if request.doc.get("recorded") and (prompt := _prompt_of(request.doc)).follow_ups:
                talks.setdefault(request.doc["row_id"], _Talk(request, prompt, _generation(request.doc, prompt)))
        asked = list(talks.values())
        generate = super().generate_until  # type: ignore[misc]
        for talk in asked:
            talk.written = len(talk.prompt.follow_ups)
        self._ask_turns(asked, generate)
        for talk in asked:
            talk.context, talk.generation = self._next_context(talk, len(talk.said)), {}
        too_long = sum(not (talk.complete and self._fits(talk)) for talk in asked)
        if too_long:
            said_so = f"{too_long} of {len(asked)} conversations are too long for the model, and were cut"
            _log.warning("%s: give it more room by max_length in --model_args.", said_so)
        last, said = [], []
        for request in requests:
            of_row = talks.get(request.doc.get("row_id"))
            last.append(replace(request, arguments=(of_row.context, request.args[1])) if of_row else request)
            said.append((transcript(of_row.said),) if of_row and request.idx == 0 else ())  # once a row
        answers = measure(last, *args, **kwargs)
        return [(*answer, *before) for answer, before in zip(answers, said, strict=True)]

    def _ask(self, requests: list[Any], generate: Callable[[list[Any]], list[str]]) -> list[str]:
        talks = [_Talk(request, _prompt_of(request.doc), request.args[1]) for request in requests]
        self._ask_turns(talks, generate)
        return [transcript(talk.said) for talk in talks]

    def _ask_turns(self, talks: list[_Talk], generate: Callable[[list[Any]], list[str]]) -> None:
        """Ask the turns of each talk that are answered in writing."""
        for turn in range(max((talk.written for talk in talks), default=0)):
            asked = [talk for talk in talks if turn < talk.written]
            for talk in asked[: len(asked) if turn else 0]:
                talk.context = self._next_context(talk, turn)
            fitting = [talk for talk in asked if self._fits(talk)]
            if turn == 0 and len(fitting) < len(asked):
                raise InputError(
                    f"{len(asked) - len(fitting)} of {len(asked)} questions are too long for the model, which has room "
                    f"for {self.max_length} tokens with the answer: use fewer examples (--num_fewshot), a smaller "
                    "max_gen_toks in --gen_kwargs, or a larger max_length in --model_args."
                )
            self._ask_turn(fitting, generate)
            for talk in asked:
                if len(talk.said) == turn:  # lm_eval would cut the question off and say so in a log at most
                    talk.said.append(Said("", 0, "length"))

    def _ask_turn(self, talks: Sequence[_Talk], generate: Callable[[list[Any]], list[str]]) -> None:
        sampled = any(talk.generation.get("do_sample") for talk in talks)
        todo: dict[str, _Talk] = {}
        of_context: dict[str, deque[str]] = defaultdict(deque)
        for number, talk in enumerate(talks):
            key = _key(talk.context, talk.generation)
            talk.key = f"{key}-{number}" if sampled else key  # equal questions may get different answers
            if talk.key not in self._journal and talk.key not in todo:
                todo[talk.key] = talk
                of_context[_key(talk.context)].append(talk.key)

        def keep(context: Any, generation: dict[str, Any], text: str) -> None:
            if keys := of_context[_key(context)]:  # some model classes change the generation arguments
                self._journal.add(keys.popleft(), self._said(generation, text))

        self._finish_reasons.clear()
        self._kept = keep
        texts = generate([talk.as_request() for talk in todo.values()]) if todo else []
        for key, text in zip(todo, texts, strict=True):
            if key not in self._journal:  # by a model class that does not tell of finished requests
                self._journal.add(key, Said(str(text)))
        for talk in talks:
            talk.said.append(self._journal[talk.key])

    def _fits(self, talk: _Talk) -> bool:
        """Whether the model has room for a context beside its answer; true where that cannot be told."""
        room, encode = getattr(self, "max_length", None), getattr(self, "tok_encode", None)
        if not isinstance(room, int) or encode is None or not isinstance(talk.context, str):
            return True
        tokens = encode(talk.context)
        if isinstance(tokens, str):  # by a class that does not know the endpoint's tokens
            return True
        answer = talk.generation.get("max_gen_toks", 0) if self._is_causal() else 0  # else of the decoder alone
        return bool(len(tokens) + answer <= room)

    def _is_causal(self) -> bool:
        """Whether the answer goes on from the context, unlike in lm_eval's encoder-decoder models."""
        return bool(getattr(self, "backend", "causal") == "causal")

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
        stops = generation.get("until") or ()
        answer = until(raw, [stops] if isinstance(stops, str) else stops)
        ended = length < len(self._tokens) or answer != raw or length < generation.get("max_gen_toks", 0)
        if answer != raw:  # what follows a stop string was written for the rest of the batch only
            length = len(self.tokenizer(answer, add_special_tokens=False)["input_ids"])
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
        opening = talk.opening(turn)
        if (messages := self._conversations.get(talk.context)) is not None:
            if messages[-1]["role"] == "assistant":  # the opening of the answer
                *messages, begun = messages
                answer = f"{begun['content']}{answer}"
            said = [{"role": "assistant", "content": answer.strip()}, {"role": "user", "content": question}]
            begins = [{"role": "assistant", "content": opening}] if opening else []
            return self.apply_chat_template([*messages, *said, *begins], add_generation_prompt=not begins)
        return f"{talk.context}{answer.rstrip()}{talk.style.go_on(question, opening)}"


class _Talk:
    """One row's conversation so far."""

    def __init__(self, request: Any, prompt: Prompt, generation: dict[str, Any]) -> None:
        self.request, self.prompt, self.generation = request, prompt, generation
        self.context = request.args[0]
        self.style = STYLES[request.doc["prompt_style"].partition(".")[0]]
        self.written = len(prompt.follow_ups) + 1  # how many turns are answered in writing
        self.said: list[Said] = []
        self.key = ""

    @property
    def complete(self) -> bool:
        """Whether there was room for every turn."""
        return not any(said.tokens == 0 and said.cut for said in self.said)

    def opening(self, turn: int) -> str:
        """Return how the answer to a turn begins."""
        return self.prompt.openings[turn] if self.prompt.openings else ""

    def answer(self) -> str:
        """Return what was said last, without its thought and the next prompt that the model goes on to."""
        thinking = isinstance(self.context, str) and opens_thought(self.context)
        return until(split_thought(self.said[-1].text, thinking)[0], self.prompt.stops)

    def as_request(self) -> Any:
        """Return the next question as a request of lm_eval."""
        asked = {"request_type": "generate_until", "arguments": (self.context, self.generation)}
        return replace(self.request, **asked, resps=[], filtered_resps={})


def _prompt_of(doc: dict[str, Any]) -> Prompt:
    style = doc["prompt_style"].partition(".")[0]
    return make_prompt(style, doc["condition"], _test_rows(doc["dataset"])[doc["row_id"]])


def _generation(doc: dict[str, Any], prompt: Prompt) -> dict[str, Any]:
    """Return how thoughts before a choice are generated: the most likely, up to the condition's limit."""
    limit = find_condition(doc["condition"], get_dataset(doc["dataset"])).max_tokens
    return {"until": list(prompt.stops), "do_sample": False, "max_gen_toks": limit}


def _key(*what: Any) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()


@cache
def _test_rows(dataset: str) -> dict[str, Row]:
    return {row.row_id: row for row in rows(dataset)["test"]}
