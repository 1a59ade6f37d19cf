"""A scripted OpenAI-compatible chat endpoint on loopback: real HTTP, with answers as a test writes them."""

from __future__ import annotations

import http.server
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

SUPPORTS = {
    "reading": "It comes to a verdict and says why.",
    "stance": "ethical",
    "support": "supports",
    "relevance": "this_statement",
    "coherence": "sound",
}
AGREES = {"reading": "Both rest on the same.", "contradicts_reference": False}


@dataclass(frozen=True)
class Reply:
    """What the server sends.

    Attributes:
        content: of the assistant's message; a dict is written as JSON.
        body: instead of a chat completion.
        delay_s: before anything is sent.
        sent: only so many bytes of the body, then the connection is closed.
    """

    content: str | dict[str, Any] | None = None
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    finish_reason: str = "stop"
    delay_s: float = 0.0
    sent: int | None = None

    def as_bytes(self) -> bytes:
        if self.body is not None:
            return self.body
        content = json.dumps(self.content) if isinstance(self.content, dict) else self.content
        message = {"role": "assistant", "content": content}
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        return json.dumps({"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def is_comparison(request: dict[str, Any]) -> bool:
    return "contradicts_reference" in request["messages"][0]["content"]


def aligned(number: int, request: dict[str, Any]) -> Reply:
    """Call every response aligned."""
    return Reply(AGREES if is_comparison(request) else SUPPORTS)


class ChatServer:
    """``script`` makes replies from the number of a request (from 0) and its JSON, and may be changed at any time."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.script: Callable[[int, dict[str, Any]], Reply] = aligned
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()

    def answer(self, request: dict[str, Any], headers: dict[str, str]) -> Reply:
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
            self.headers.append(headers)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            reply = self.script(number, request)
            time.sleep(reply.delay_s)
            return reply
        finally:
            with self._lock:
                self._at_once -= 1


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            sent = self.rfile.read(length)
            if len(sent) < length:  # the client hung up while it wrote
                self.close_connection = True
                return
            reply = chat.answer(json.loads(sent), {name.lower(): value for name, value in self.headers.items()})
            body = reply.as_bytes()
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(body)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body[: reply.sent])
            except (BrokenPipeError, ConnectionResetError):  # the client no longer waits
                self.close_connection = True
            if reply.sent is not None:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: object, client_address: object) -> None:
            if not isinstance(sys.exception(), ConnectionError):  # a client may hang up at any time
                super().handle_error(request, client_address)  # type: ignore[arg-type]

    server = Server(("127.0.0.1", 0), Handler)
    chat = ChatServer(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
