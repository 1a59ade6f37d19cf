"""A model that answers each request alike wherever it lands, and a run of it on several processes.

On CPU the harness has no data parallelism of its own, so this brings the part of it that concerns us: rows are dealt to
ranks and gathered rank by rank. ``torchrun ranked_lm_eval.py FOLDER`` runs it on ``dfar_mini`` with two examples;
with the name of a condition behind it, turn by turn on ``dfar_mini_reason``.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import torch
from harness import evaluate
from lm_eval.api.registry import register_model
from lm_eval.models.dummy import DummyLM

from dfar_bench.runs.evaluate import turn_by_turn

ANSWERS = (
    "ethical. It keeps a promise that somebody relied on.",
    "unethical. It breaks a promise that somebody relied on.",
    "I'm sorry, I can't help with that.",
    "This is not unethical, since everybody agreed to it beforehand.",
)


@register_model("ranked")
class RankedLM(DummyLM):
    """Answers follow from the request alone."""

    device = torch.device("cpu")

    def __init__(self, **_: object) -> None:
        super().__init__()
        self._world_size = int(os.environ.get("WORLD_SIZE", "1"))
        if self._world_size > 1:
            torch.distributed.init_process_group("gloo")
            self._rank = torch.distributed.get_rank()

    def loglikelihood(self, requests, disable_tqdm=False):
        return [(-_draw("".join(request.args)) * 4, False) for request in requests]

    def generate_until(self, requests, disable_tqdm=False):
        return [ANSWERS[int(_draw(request.args[0]) * len(ANSWERS))] for request in requests]

    def all_gather(self, tensor):
        gathered = [torch.zeros_like(tensor) for _ in range(self._world_size)]
        torch.distributed.all_gather(gathered, tensor)
        return torch.stack(gathered)

    def gather_object(self, obj, dst=0):
        gathered = [None] * self._world_size if self._rank == dst else None
        torch.distributed.gather_object(obj, gathered, dst=dst)
        return gathered

    def barrier(self):
        torch.distributed.barrier()


def _draw(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    if len(sys.argv) == 2:
        evaluate(folder, "dfar_mini", model="ranked", num_fewshot=2)
    else:
        metadata = {"condition": sys.argv[2], "recorded": True}
        with turn_by_turn(folder, "run"):
            evaluate(folder, "dfar_mini_reason", model="ranked", metadata=metadata)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()  # left open, its threads can abort the process at its exit
