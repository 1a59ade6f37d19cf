"""The llm judge: a language model behind any OpenAI-compatible chat endpoint reads the argument.

Endpoint and key are those of the ``openai`` client, ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY``. ``rubric`` holds what
is asked and what follows from the answers. No endpoint guarantees that temperature 0 and a fixed seed give the same
answer again, so decisions are only repeatable from the cache; nor can the signature know whether an endpoint serves
the same model under a name as yesterday, or as another endpoint.

Environment variables (all optional):
    DFAR_BENCH_LLM_MODEL: the model, where ``--judge llm`` names none.
    DFAR_BENCH_LLM_FORMAT: what makes the model follow the schema: ``json_schema`` (the endpoint, default),
        ``json_object`` (the endpoint for JSON, the instructions for the schema), or ``text`` (the instructions).
    DFAR_BENCH_LLM_PARAMETERS: JSON object of request parameters to add or change, such as ``{"seed": null}``; null
        removes one.
    DFAR_BENCH_LLM_CONCURRENCY: requests at a time, 1 to 256 (default 8).
    DFAR_BENCH_LLM_TIMEOUT: seconds after which a request counts as lost, 1 to 3600 (default 120).
    DFAR_BENCH_LLM_CACHE: the file of answers (default ``llm.sqlite`` in the cache folder).
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
from sqlite3 import DatabaseError
from typing import Any, TypeVar

from tqdm import tqdm

from dfar_bench.errors import InputError
from dfar_bench.files import cache_folder
from dfar_bench.judges.base import Case, Judge, Judgement
from dfar_bench.judges.cache import AnswerCache, open_cache
from dfar_bench.judges.llm.endpoint import Endpoint, base_url
from dfar_bench.judges.llm.rubric import (
    COMPARISON,
    READING,
    VERSION,
    Fields,
    Question,
    code_of,
    judgement_of,
    questions_hash,
)
from dfar_bench.text import short_hash

FORMATS = ("json_schema", "json_object", "text")
PARAMETERS: Mapping[str, object] = {"temperature": 0, "seed": 0}
_CACHE = "DFAR_BENCH_LLM_CACHE"
_RESERVED = ("model", "messages", "response_format", "stream", "n")
"""Parameters that users may not change: the answers could not be read, or would be of a model that the signature does
not name."""

_ATTEMPTS = 4
"""How often a model is asked that does not answer as asked."""

_RETRIES = 6
_NAME_CHARACTERS = 40  # a field of a signature holds 60

T = TypeVar("T")


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
        retries: of a request that fails; see ``Endpoint``.
        timeout_s: seconds after which a request counts as lost.
    """

    model: str
    url: str = field(repr=False)  # an address may contain a password
    cache: Path
    format: str = FORMATS[0]
    parameters: Mapping[str, object] = field(default_factory=lambda: PARAMETERS)
    concurrency: int = 8
    retries: int = _RETRIES
    timeout_s: float = 120.0

    name = "llm"

    @classmethod
    def from_environment(cls, model: str) -> LLMJudge:
        """Make the judge that the environment describes.

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
            cache=Path(os.environ.get(_CACHE) or cache_folder() / "llm.sqlite"),
            format=format,
            parameters=_parameters(os.environ.get("DFAR_BENCH_LLM_PARAMETERS") or "{}"),
            concurrency=_whole_number("DFAR_BENCH_LLM_CONCURRENCY", default=8, most=256),
            timeout_s=_whole_number("DFAR_BENCH_LLM_TIMEOUT", default=120, most=3600),
        )

    @property
    def signature(self) -> str:
        """Such as ``llm.v1.3fa9c1d2.MODEL``; a model's name that had to be shortened or cleaned ends with its hash."""
        name = re.sub(r"[^\w.+/-]", "-", self.model, flags=re.ASCII)
        if name != self.model or len(name) > _NAME_CHARACTERS:
            name = f"{name[: _NAME_CHARACTERS - 9]}.{short_hash(self.model)}"
        questions = questions_hash(format=self.format, parameters=dict(self.parameters))
        return f"{VERSION}.{questions}.{name}"

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        """Judge a batch and print on stderr what it took; answers are kept, so an interrupted run can go on.

        Raises:
            InputError: the endpoint fails, or its model does not answer as asked; the cache cannot be used.
        """
        with (
            open_cache(self.cache, _CACHE) as cache,
            tqdm(total=len(cases), desc=self.name, disable=None, leave=False) as bar,
        ):
            batch = _Batch(self, cache, bar)
            try:
                return _run(batch.judgements(cases))
            finally:
                bar.close()
                print(f"llm judge: {batch.usage}", file=sys.stderr)

    def request(self, question: Question, texts: Mapping[str, str]) -> dict[str, object]:
        """Return what is sent besides the model's name; the same for the same texts."""
        request: dict[str, object] = {"messages": question.messages(texts), **self.parameters}
        if self.format == "json_schema":
            schema = {"name": question.name, "strict": True, "schema": question.schema}
            request["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.format == "json_object":
            request["response_format"] = {"type": "json_object"}
        return request


@dataclass
class _Usage:
    """What a batch took, as the endpoint counts it."""

    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __str__(self) -> str:
        return (
            f"{self.calls} calls, {self.cached} answers from the cache, "
            f"{self.prompt_tokens} prompt tokens, {self.completion_tokens} completion tokens"
        )


class _Batch:
    """The judging of one batch."""

    def __init__(self, judge: LLMJudge, cache: AnswerCache, bar: tqdm[Any]) -> None:
        self._judge = judge
        self._cache = cache
        self._bar = bar
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._endpoint = Endpoint(
            judge.url, concurrency=judge.concurrency, retries=judge.retries, timeout_s=judge.timeout_s
        )
        self.usage = _Usage()

    async def judgements(self, cases: Sequence[Case]) -> list[Judgement]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._code(case)) for case in cases]
                for task in tasks:
                    task.add_done_callback(lambda _: self._bar.update())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            await self._endpoint.close()
        return [judgement_of(task.result()) for task in tasks]

    async def _code(self, case: Case) -> str:
        if case.reading.degenerate:
            return "degenerate"
        texts = {"statement": case.statement, "response": case.reading.answer}
        reading = await self._answer(READING, texts)
        code = code_of(reading, case.label)
        if code != "aligned" or not case.reference.strip():
            return code
        comparison = await self._answer(COMPARISON, {**texts, "reason": case.reference})
        return code_of(reading, case.label, contradicts_reference=comparison["contradicts_reference"] is True)

    async def _answer(self, question: Question, texts: Mapping[str, str]) -> Fields:
        """Return the answer to a question, from the cache or the endpoint; there is no default."""
        judge = self._judge
        request = judge.request(question, texts)
        key = hashlib.sha256(json.dumps([judge.url, judge.model, request], sort_keys=True).encode()).hexdigest()
        async with self._locks[key]:  # whoever asks the same second finds the answer in the cache
            answer = self._cache.get(key)
            if answer is None:
                answer = await self._fetch(question, request, key, texts["statement"])
            else:
                self.usage.cached += 1
        try:
            return question.read(answer)
        except ValueError as error:
            raise DatabaseError(error) from None  # only readable answers are stored

    async def _fetch(self, question: Question, request: Mapping[str, object], key: str, statement: str) -> str:
        """Ask until the answer can be read, and store that."""
        fault = ""
        for _ in range(_ATTEMPTS):
            reply = await self._endpoint.ask(self._judge.model, request)
            self.usage.calls += 1
            self.usage.prompt_tokens += reply.prompt_tokens
            self.usage.completion_tokens += reply.completion_tokens
            if not (fault := reply.fault or question.fault(reply.text)):
                return self._cache.add(key, reply.text, reply.prompt_tokens, reply.completion_tokens)
        raise InputError(
            f"{self._judge.model} did not answer as asked on the case {statement[:60]!r} in {_ATTEMPTS} attempts "
            f"({fault}): choose another model or DFAR_BENCH_LLM_FORMAT; answers received so far are kept."
        )


def _run(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine; in a thread where an event loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def _parameters(text: str) -> Mapping[str, object]:
    """Return the parameters of every request, with a user's changes.

    Raises:
        InputError: not a JSON object, or it changes what the judge itself must set.
    """
    try:
        changes = json.loads(text)
    except ValueError:
        changes = None
    if not isinstance(changes, dict):
        raise InputError("DFAR_BENCH_LLM_PARAMETERS is not a JSON object: write it as in '{\"seed\": null}'.")
    if reserved := [name for name in _RESERVED if name in changes]:
        raise InputError(f"DFAR_BENCH_LLM_PARAMETERS may not set {', '.join(reserved)}: remove that.")
    return {name: value for name, value in {**PARAMETERS, **changes}.items() if value is not None}


def _whole_number(variable: str, *, default: int, most: int) -> int:
    """Read a whole number between 1 and ``most`` from the environment."""
    text = os.environ.get(variable) or str(default)
    if not re.fullmatch("[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise InputError(f"{variable} is {text!r}: set it to a whole number between 1 and {most}.")
    return int(text)
