"""The training loss: negative log-likelihood of the completions, computed only where there is something to predict."""

from __future__ import annotations

from typing import Any

import torch

from dfar_bench.training.examples import IGNORED

_CHUNK = 2**23
"""Number of logits converted to float32 at a time."""


def scored_positions(targets: torch.Tensor) -> torch.Tensor:
    """Return the positions where any line of a batch has a token to predict; for ``logits_to_keep``.

    Args:
        targets: shape (lines, positions); ``IGNORED`` where nothing is predicted.
    """
    return (targets != IGNORED).any(0).nonzero()[:, 0]


def completion_nll(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Compute the summed negative log-likelihood of targets, in float32.

    The gradient is computed together with the loss and overwrites the logits, which are not needed any more. That
    saves a pass over lines x positions x vocabulary, and the memory for a second array of that size.

    Args:
        logits: shape (lines, positions, vocabulary), any floating type. **Overwritten.**
        targets: shape (lines, positions); ``IGNORED`` where nothing is predicted.

    Returns:
        A scalar; its gradient flows to ``logits``.
    """
    total: torch.Tensor = _CompletionNll.apply(logits, targets)  # type: ignore[no-untyped-call]
    return total


class _CompletionNll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        flat, flat_targets = logits.detach().flatten(0, 1), targets.flatten()
        step = max(1, _CHUNK // flat.size(1))
        total = flat.new_zeros((), dtype=torch.float32)
        for start in range(0, len(flat_targets), step):
            part, target = flat[start : start + step], flat_targets[start : start + step, None]
            counts = target != IGNORED
            target = target.masked_fill(~counts, 0)
            chunk = part.float()
            chunk -= chunk.max(1, keepdim=True).values
            target_score = chunk.gather(1, target)
            chunk.exp_()
            mass = chunk.sum(1, keepdim=True)
            total += ((mass.log() - target_score) * counts).sum()
            chunk *= counts / mass
            chunk.scatter_add_(1, target, -counts.float())
            part.copy_(chunk)
        ctx.save_for_backward(flat.view_as(logits))
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return gradient.mul_(gradients[0]), None
