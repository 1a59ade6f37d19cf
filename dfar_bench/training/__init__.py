"""Training of L and L+R models: what ``train/sft.py`` is made of. Needs the ``train`` extra."""

from dfar_bench.errors import InputError


class TrainingStopped(InputError):
    """Met by one process in the middle of training, unlike what all processes refuse alike at the start."""
