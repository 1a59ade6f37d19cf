"""An OpenAI-compatible chat endpoint, through the ``openai`` client; each failure becomes one sentence."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dfar_bench.errors import InputError, one_line

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion

_OPENAI = "https://api.openai.com/v1"  # the client's own default
_CONNECT_TIMEOUT_S = 10.0
_QUOTED_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint sent: a text, or the reason why there is none; the tokens it counted, 0 if it did not."""

    text: str
    fault: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Endpoint:
    """A chat endpoint, to be used within one event loop.

    Args:
        concurrency: requests at a time.
        retries: after HTTP 408, 409, 429 and 5xx, time-outs and lost connections. The client waits as long as
            ``Retry-After`` says (up to 2 minutes), else about 0.5, 1, 2, 4, 8, 8 … seconds, with jitter.
        timeout_s: seconds without any answer after which a request counts as lost.
    """

    def __init__(self, url: str, *, concurrency: int, retries: int, timeout_s: float) -> None:
        self._url = url
        self._slots = asyncio.Semaphore(concurrency)
        self._retries = retries
        self._timeout_s = timeout_s

    @cached_property
    def _client(self) -> openai.AsyncOpenAI:
        """Made when first needed: if all answers are in the cache, nothing heavy is imported."""
        import openai

        timeout = openai.Timeout(self._timeout_s, connect=min(self._timeout_s, _CONNECT_TIMEOUT_S))
        return openai.AsyncOpenAI(base_url=self._url, max_retries=self._retries, timeout=timeout)

    async def close(self) -> None:
        if "_client" in self.__dict__:
            await self._client.close()

    async def ask(self, model: str, request: Mapping[str, object]) -> Reply:
        """Send one request: the messages and all parameters except the model's name.

        Raises:
            InputError: the endpoint cannot be reached, refuses, or keeps failing.
        """
        import openai

        async with self._slots:
            try:
                # All in extra_body, which replaces what is given beside it: other endpoints have other parameters.
                return _reply(await self._client.chat.completions.create(model=model, messages=[], extra_body=request))
            except openai.APIConnectionError as error:
                raise InputError(
                    f"{self._name} did not answer {1 + self._retries} requests in a row "
                    f"({_quoted(error.__cause__ or error)}): check that it runs, correct OPENAI_BASE_URL, or set "
                    f"DFAR_BENCH_LLM_TIMEOUT to more seconds; answers received so far are kept."
                ) from None
            except openai.APIStatusError as error:
                advice = _advice(error.status_code, model)
                raise InputError(
                    f"{self._name} refused (HTTP {error.status_code}: {_quoted(error)}): {advice}."
                ) from None
            except openai.OpenAIError as error:
                raise InputError(f"{self._name} cannot be used ({_quoted(error)}): correct OPENAI_BASE_URL.") from None
            except (ValueError, RecursionError):  # its content type says JSON, but it is not
                return Reply("", "the reply is not JSON")

    @property
    def _name(self) -> str:
        """The endpoint, without the password that its address may contain."""
        return f"the endpoint {urlsplit(self._url).netloc.rpartition('@')[2]}"


def base_url() -> str:
    """Return the address that the ``openai`` client would use, after checking all that it needs.

    Raises:
        InputError: the package, the key or a usable address is missing.
    """
    try:
        import openai  # noqa: F401
    except ImportError:
        raise InputError(
            "the llm judge needs the openai package: install it with pip install 'dfar-bench[judge]'."
        ) from None
    key = os.environ.get("OPENAI_API_KEY", "")
    if not key:
        raise InputError(
            "the llm judge needs OPENAI_API_KEY: set it to the endpoint's key, or to any word if it needs none."
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise InputError("OPENAI_API_KEY has characters that no key has: set it again, without a line break.")
    url = os.environ.get("OPENAI_BASE_URL") or _OPENAI
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not (url.isascii() and url.isprintable()):
        raise InputError(
            "OPENAI_BASE_URL is not an http or https address: set it to one such as http://localhost:8000/v1."
        )
    return url.rstrip("/")


def _advice(status: int, model: str) -> str:
    if status in (401, 403):
        return "correct OPENAI_API_KEY"
    if status == 404:
        return f"check that it has the model {model!r}, and whether OPENAI_BASE_URL should end with /v1"
    if status in (400, 422):
        return (
            "if it does not support the response format, set DFAR_BENCH_LLM_FORMAT to json_object or text; if it "
            "does not support a parameter, remove it with DFAR_BENCH_LLM_PARAMETERS, such as '{\"seed\": null}'"
        )
    return "try again later, or with a lower DFAR_BENCH_LLM_CONCURRENCY; answers received so far are kept"


def _reply(completion: ChatCompletion) -> Reply:
    """Read the client's objects without trusting them: it builds them from any JSON, and text from what is not JSON."""
    try:
        choice = completion.choices[0]
        text, finish, refusal = choice.message.content, choice.finish_reason, choice.message.refusal
    except (AttributeError, IndexError, KeyError, TypeError):
        return Reply("", "the reply is not a chat completion")
    tokens = [getattr(completion.usage, name, 0) for name in ("prompt_tokens", "completion_tokens")]
    prompt_tokens, completion_tokens = (count if isinstance(count, int) else 0 for count in tokens)
    fault = ""
    if finish == "length":
        fault = "the answer was cut off at the token limit"
    elif finish == "content_filter":
        fault = "the endpoint's content filter held the answer back"
    elif not isinstance(text, str):
        fault = "the model declined to answer" if refusal else "the answer has no text"
    text = text.encode("utf-8", "replace").decode() if isinstance(text, str) else ""  # lone surrogates
    return Reply(text, fault, prompt_tokens, completion_tokens)


def _quoted(error: BaseException) -> str:
    """Return an error's message on one line, without the API key, in case an endpoint repeats it."""
    message = one_line(error) if isinstance(error, Exception) and str(error) else type(error).__name__
    if key := os.environ.get("OPENAI_API_KEY"):
        message = message.replace(key, "…")
    return "".join(c if c.isprintable() else "?" for c in message)[:_QUOTED_CHARACTERS]
