"""The training loss: negative log-likelihood of the completions, scored only where there is one."""

from __future__ import annotations

from typing import Any

import torch

from dfar_bench.training.examples import IGNORED

_CHUNK = 2**23
"""Logits that are worked on in float32 at a time."""


def scored_positions(targets: torch.Tensor) -> torch.Tensor:
    """The positions at which any line of a batch has something to predict, to be passed as ``logits_to_keep``.

    Args:
        targets: shape (lines, positions); ``IGNORED`` where nothing is to be predicted.
    """
    return (targets != IGNORED).any(0).nonzero()[:, 0]


def completion_nll(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Summed negative log-likelihood of targets, in float32.

    The gradient is computed together with the loss and overwrites the logits, which are of no further use. That
    saves another pass over lines x positions x vocabulary, and the memory for a second array of that size.

    Args:
        logits: shape (lines, positions, vocabulary), any floating type. **Overwritten.**
        targets: shape (lines, positions), ``IGNORED`` where nothing is to be predicted.

    Returns:
        A scalar; its gradient flows to ``logits``.
    """
    summed: torch.Tensor = _CompletionNll.apply(logits, targets)  # type: ignore[no-untyped-call]
    return summed


class _CompletionNll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        scores, wanted = logits.detach().flatten(0, 1), targets.flatten()
        step = max(1, _CHUNK // scores.size(1))
        total = scores.new_zeros((), dtype=torch.float32)
        for start in range(0, len(wanted), step):
            piece, target = scores[start : start + step], wanted[start : start + step, None]
            counts = target != IGNORED
            target = target.masked_fill(~counts, 0)
            chunk = piece.float()
            chunk -= chunk.max(1, keepdim=True).values
            target_score = chunk.gather(1, target)
            chunk.exp_()
            mass = chunk.sum(1, keepdim=True)
            total += ((mass.log() - target_score) * counts).sum()
            chunk *= counts / mass
            chunk.scatter_add_(1, target, -counts.float())
            piece.copy_(chunk)
        ctx.save_for_backward(scores.view_as(logits))
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (gradient_of_logits,) = ctx.saved_tensors
        return gradient_of_logits.mul_(gradients[0]), None
