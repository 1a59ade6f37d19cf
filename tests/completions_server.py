"""OpenAI-compatible completion and chat endpoints on loopback that answer with a real (tiny) model."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class _Model:
    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder).eval()

    def complete(self, tokens: list[int], request: dict[str, Any]) -> dict[str, Any]:
        if request.get("echo"):
            return {"text": self.tokenizer.decode(tokens), "logprobs": self._log_probabilities(tokens)}
        return {"text": self._generate(tokens, request["max_tokens"], request.get("stop") or [])}

    def chat(self, request: dict[str, Any]) -> dict[str, Any]:
        prompt = self.tokenizer.apply_chat_template(request["messages"], add_generation_prompt=True, tokenize=False)
        tokens, limit = self.tokenizer(prompt).input_ids, request["max_tokens"]
        text = self._generate(tokens, limit, request.get("stop") or [])
        written = len(self.tokenizer(text).input_ids)
        reason = "length" if written >= limit - 1 else "stop"
        return {"message": {"role": "assistant", "content": text}, "finish_reason": reason}

    def _log_probabilities(self, tokens: list[int]) -> dict[str, Any]:
        """Of every token given those before it, and of one more that the caller drops."""
        import torch

        with torch.inference_mode():
            rows = self.model(torch.tensor([tokens])).logits[0].float().log_softmax(-1)
        own = [None, *(rows[i, token].item() for i, token in enumerate(tokens[1:])), 0.0]
        top = [None, *({"best": row.max().item()} for row in rows)]
        return {"token_logprobs": own, "top_logprobs": top}

    def _generate(self, tokens: list[int], limit: int, stops: list[str]) -> str:
        import torch

        with torch.inference_mode():
            out = self.model.generate(torch.tensor([tokens]), max_new_tokens=limit, do_sample=False)
        text = self.tokenizer.decode(out[0, len(tokens) :], skip_special_tokens=True)
        for stop in stops:
            text = text.partition(stop)[0]
        return text


@contextmanager
def completions_server(folder: Path) -> Iterator[str]:
    """Serve the model of a folder; yields the address up to ``/v1``."""
    model, lock = _Model(folder), threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                if "messages" in request:
                    choices = [{"index": 0, **model.chat(request)}]
                else:
                    prompts = request["prompt"] if isinstance(request["prompt"][0], list) else [request["prompt"]]
                    choices = [{"index": i, **model.complete(prompt, request)} for i, prompt in enumerate(prompts)]
            body = json.dumps({"choices": choices}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
