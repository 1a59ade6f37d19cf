"""The ``llm`` judge: a language model behind any OpenAI-compatible chat endpoint reads the argument.

Endpoint and key are those of the ``openai`` client, ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY``. What is asked, and
what follows from the answers, stands in ``llm_rubric``. Temperature 0 and a fixed seed are no endpoint's promise, so
decisions are repeatable only from the cache; nor can the signature know that an endpoint serves another model under
the same name than yesterday, or than another endpoint.

Environment variables (all optional):
    DFAR_BENCH_LLM_MODEL: the model, where ``--judge llm`` names none.
    DFAR_BENCH_LLM_FORMAT: what holds the model to the schema: ``json_schema`` (the endpoint, default),
        ``json_object`` (the endpoint to JSON, the instructions to the schema), or ``text`` (the instructions).
    DFAR_BENCH_LLM_PARAMETERS: JSON object of request parameters to add or change, such as ``{"seed": null}``; null
        takes one away.
    DFAR_BENCH_LLM_CONCURRENCY: requests at a time, 1 to 256 (default 8).
    DFAR_BENCH_LLM_TIMEOUT: seconds until a request counts as lost, 1 to 3600 (default 120).
    DFAR_BENCH_LLM_CACHE: the file of answers (default ``llm.sqlite`` in the folder of ``sources.cache_folder``).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeVar

from tqdm import tqdm

from dfar_bench.errors import InputError
from dfar_bench.judges import Case, Judge, Judgement
from dfar_bench.judges.llm_cache import AnswerCache
from dfar_bench.judges.llm_endpoint import Endpoint, base_url
from dfar_bench.judges.llm_rubric import (
    COMPARISON,
    READING,
    VERSION,
    Answer,
    Question,
    code_of,
    judgement_of,
    questions_hash,
)
from dfar_bench.responses import is_degenerate, own_answer
from dfar_bench.signature import short_hash
from dfar_bench.sources import cache_folder

FORMATS = ("json_schema", "json_object", "text")
PARAMETERS: Mapping[str, object] = {"temperature": 0, "seed": 0}
_OURS = ("model", "messages", "response_format", "stream", "n")
"""Parameters that nobody may change: the answers could not be read, or be of another model than is signed for."""

_ASKED_AGAIN = 3
"""How often a model is asked again whose answer is not what was asked for."""

_RETRIES = 6
_NAME_CHARACTERS = 40  # a field of a signature holds 60

_T = TypeVar("_T")


@dataclass(frozen=True)
class LLMJudge(Judge):
    """See the module.

    Attributes:
        model: as the endpoint names it.
        url: the endpoint.
        cache: the file of answers.
        format: one of ``FORMATS``.
        parameters: of every request, JSON values.
        concurrency: requests at a time.
        retries: of a request that did not come through; see ``Endpoint``.
        timeout_s: seconds until a request counts as lost.
    """

    model: str
    url: str = field(repr=False)  # an address may hold a password
    cache: Path
    format: str = FORMATS[0]
    parameters: Mapping[str, object] = field(default_factory=lambda: PARAMETERS)
    concurrency: int = 8
    retries: int = _RETRIES
    timeout_s: float = 120.0

    name = "llm"

    @classmethod
    def from_environment(cls, model: str) -> LLMJudge:
        """The judge that the environment describes.

        Args:
            model: "" for that of ``DFAR_BENCH_LLM_MODEL``.

        Raises:
            InputError: a variable is missing or cannot be read, or the ``openai`` package is not installed.
        """
        model = model or os.environ.get("DFAR_BENCH_LLM_MODEL", "")
        if not model:
            raise InputError(
                "the llm judge needs a model: name it as in --judge llm:MODEL, or set DFAR_BENCH_LLM_MODEL."
            )
        format = os.environ.get("DFAR_BENCH_LLM_FORMAT") or FORMATS[0]
        if format not in FORMATS:
            raise InputError(f"DFAR_BENCH_LLM_FORMAT is {format!r}: set it to one of {', '.join(FORMATS)}.")
        return cls(
            model=model,
            url=base_url(),
            cache=Path(os.environ.get("DFAR_BENCH_LLM_CACHE") or cache_folder() / "llm.sqlite"),
            format=format,
            parameters=_parameters(os.environ.get("DFAR_BENCH_LLM_PARAMETERS") or "{}"),
            concurrency=_number("DFAR_BENCH_LLM_CONCURRENCY", default=8, most=256),
            timeout_s=_number("DFAR_BENCH_LLM_TIMEOUT", default=120, most=3600),
        )

    @property
    def signature(self) -> str:
        """Such as ``llm.v1.3fa9c1d2.MODEL``; a model's name that had to be cut or cleaned ends with its hash."""
        asked = questions_hash(format=self.format, parameters=dict(self.parameters))
        name = re.sub(r"[^\w.+/-]", "-", self.model, flags=re.ASCII)
        if name != self.model or len(name) > _NAME_CHARACTERS:
            name = f"{name[: _NAME_CHARACTERS - 9]}.{short_hash(self.model)}"
        return f"{VERSION}.{asked}.{name}"

    def judge(self, case: Case) -> Judgement:
        """The judgement of one case; see ``judge_all``."""
        with AnswerCache(self.cache) as cache:
            return _to_end(self._judge_all([case], _Asking(self, cache)))[0]

    def judge_all(self, cases: Sequence[Case]) -> list[Judgement]:
        """The judgements of many cases in their order.

        Says on stderr what it took. Answers are kept as they come, so a run that was stopped goes on where it was.

        Raises:
            InputError: the endpoint fails, or its model does not give the answer that was asked for, even when asked
                again; the cache cannot be used.
        """
        with (
            AnswerCache(self.cache) as cache,
            tqdm(total=len(cases), desc=self.name, disable=None, leave=False) as bar,
        ):
            asking = _Asking(self, cache, bar)
            try:
                return _to_end(self._judge_all(cases, asking))
            finally:
                bar.close()
                print(f"llm judge: {asking.spent}", file=sys.stderr)

    async def _judge_all(self, cases: Sequence[Case], asking: _Asking) -> list[Judgement]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(asking.judgement(case)) for case in cases]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            await asking.endpoint.close()
        return [task.result() for task in tasks]

    def request(self, question: Question, texts: Mapping[str, str]) -> dict[str, object]:
        """What is sent besides the model's name; the same for the same texts."""
        request: dict[str, object] = {"messages": question.messages(texts), **self.parameters}
        if self.format == "json_schema":
            schema = {"name": question.name, "strict": True, "schema": question.schema}
            request["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.format == "json_object":
            request["response_format"] = {"type": "json_object"}
        return request


@dataclass
class _Spent:
    """What a run took, as the endpoint counts it."""

    calls: int = 0
    kept: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __str__(self) -> str:
        return (
            f"{self.calls} calls, {self.kept} answers from the cache, "
            f"{self.prompt_tokens} prompt tokens, {self.completion_tokens} completion tokens"
        )


class _Asking:
    """One run of a judge: where it asks, what it keeps, what it spent."""

    def __init__(self, judge: LLMJudge, cache: AnswerCache, bar: tqdm[NoReturn] | None = None) -> None:
        self._judge = judge
        self._cache = cache
        self._bar = bar
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.spent = _Spent()
        self.endpoint = Endpoint(
            judge.url, concurrency=judge.concurrency, retries=judge.retries, timeout_s=judge.timeout_s
        )

    async def judgement(self, case: Case) -> Judgement:
        code = await self._code(case)
        if self._bar is not None:
            self._bar.update()
        return judgement_of(code)

    async def _code(self, case: Case) -> str:
        response = own_answer(case.response)
        if is_degenerate(response):
            return "degenerate"
        texts = {"statement": case.statement, "response": response}
        reading = await self._answer(READING, texts)
        code = code_of(reading, case.label)
        if code != "aligned" or not case.reference.strip():
            return code
        comparison = await self._answer(COMPARISON, {**texts, "reason": case.reference})
        return code_of(reading, case.label, contradicts_reference=comparison["contradicts_reference"] is True)

    async def _answer(self, question: Question, texts: Mapping[str, str]) -> Answer:
        """The answer to a question, from the cache or the endpoint; nothing is guessed where there is none."""
        judge = self._judge
        request = judge.request(question, texts)
        key = hashlib.sha256(json.dumps([judge.url, judge.model, request], sort_keys=True).encode()).hexdigest()
        async with self._one_at_a_time[key]:  # whoever comes second finds the answer in the cache
            if (kept := self._cache.get(key)) is None:
                kept = await self._fetch(question, request, key, texts["statement"])
            else:
                self.spent.kept += 1
        if fault := question.fault(kept):
            raise self._cache.damaged(fault)
        return question.read(kept)

    async def _fetch(self, question: Question, request: Mapping[str, object], key: str, statement: str) -> str:
        """Ask until the answer is one that can be read, and keep that."""
        model = self._judge.model
        fault = ""
        for _ in range(1 + _ASKED_AGAIN):
            reply = await self.endpoint.ask(model, request)
            self.spent.calls += 1
            self.spent.prompt_tokens += reply.prompt_tokens
            self.spent.completion_tokens += reply.completion_tokens
            if not (fault := reply.fault or question.fault(reply.text)):
                return self._cache.keep(key, reply.text, reply.prompt_tokens, reply.completion_tokens)
        raise InputError(
            f"{model} did not answer as asked on the case {statement[:60]!r}, not even when asked {_ASKED_AGAIN} times "
            f"again ({fault}): choose another model or DFAR_BENCH_LLM_FORMAT; answers that came are kept."
        )


def _to_end(work: Coroutine[object, object, _T]) -> _T:
    """Run a coroutine, in a thread of its own where an event loop runs already (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def _parameters(text: str) -> Mapping[str, object]:
    """The parameters of every request, with a user's changes.

    Raises:
        InputError: not a JSON object, or it touches what the judge itself must set.
    """
    try:
        changes = json.loads(text)
    except ValueError:
        changes = None
    if not isinstance(changes, dict):
        raise InputError("DFAR_BENCH_LLM_PARAMETERS is no JSON object: write it as in '{\"seed\": null}'.")
    if taken := [name for name in _OURS if name in changes]:
        raise InputError(f"DFAR_BENCH_LLM_PARAMETERS may not set {', '.join(taken)}: take that out.")
    return {name: value for name, value in {**PARAMETERS, **changes}.items() if value is not None}


def _number(variable: str, *, default: int, most: int) -> int:
    """A whole number between 1 and ``most`` from the environment."""
    given = os.environ.get(variable) or str(default)
    if not re.fullmatch("[0-9]{1,9}", given) or not 1 <= int(given) <= most:
        raise InputError(f"{variable} is {given!r}: set it to a whole number between 1 and {most}.")
    return int(given)
