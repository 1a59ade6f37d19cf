"""The devices of this machine."""

from __future__ import annotations


def gpu_count() -> int:
    """Return how many GPUs PyTorch can use."""
    import torch

    return torch.cuda.device_count()
