"""Training of L and L+R models: what ``train/sft.py`` is made of. Needs the ``train`` extra."""

import os
import warnings

import torch

from dfar_bench.errors import InputError

if not torch.accelerator.is_available():
    os.environ.setdefault("DS_ACCELERATOR", "cpu")  # or DeepSpeed warns as soon as it is imported
# TRL and PEFT still say gradient_checkpointing where transformers 5 says activation_checkpointing.
warnings.filterwarnings("ignore", "`(is_)?gradient_checkpointing.*deprecated", FutureWarning)
# DeepSpeed calls functions of torch.distributed by their old names, at every step of stage 3.
warnings.filterwarnings("ignore", "`torch.distributed.*deprecated", FutureWarning)
# PEFT says that it corrects what follows from the layers' type, as with GPT-2.
warnings.filterwarnings("ignore", "fan_in_fan_out is set to False", UserWarning)


class TrainingError(InputError):
    """Met by one process in the middle of training, unlike what all processes refuse alike at the start."""
