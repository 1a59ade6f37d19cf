"""Fit an encoder of the reference judge: fine-tune the published one on half of the material, weigh it on the other.

A statement's contrast group is in one half of the material (``examples``) or the other. How much the encoder's word
counts beside the first version's is fitted on the real answers of the half that the encoder has not seen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from dfar_bench.datasets import LABELS
from dfar_bench.errors import InputError, one_line
from dfar_bench.files import check_sha256
from dfar_bench.judges.reference.v2 import CLASSES
from dfar_bench.judges.reference.v2.encoder import (
    BASE,
    COMBINATION,
    SHARED,
    Arrays,
    Encoder,
    encode,
    stored,
    tokenizer,
)
from dfar_bench.judges.reference.v2.examples import SEED, Example, example_of, examples
from dfar_bench.judges.reference.v2.judge import ReferenceJudge
from dfar_bench.judges.reference.v2.network import Network
from dfar_bench.judges.validation.answers import OpenAnswer, open_answers

VERSIONS = ("v2", "v2b")
"""By the half of the statements that each is fitted to."""

PUBLISHED = "sentence-transformers/all-MiniLM-L6-v2"
PUBLISHED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The published encoder on the Hugging Face Hub, and the hash of its ``model.safetensors``."""

_FLAGGED = 0.1
"""Share of good answers that may be found at fault."""

_EPOCHS = 3
_BATCH = 16
_RATE = 5e-5
_DECAY = 0.01
_WARMUP = 0.1

_NEITHER = ("off_topic", "generic", "degenerate", "echo", "no_verdict", "truncated", "refusal")
"""Codes of answers without a reason that bears on the statement."""


def fit(version: str, published: Path, progress: Callable[[str], object] = lambda _: None) -> Arrays:
    """Fit the arrays of a version's ``Encoder``.

    The same seed gives the same weights on the same processor and versions of torch; elsewhere they differ in their
    last bits, and a decision or two with them.

    Args:
        published: ``model.safetensors`` of the published encoder.
        progress: called with the name of each step.

    Raises:
        InputError: the published encoder cannot be read, or is another file.
    """
    seen = VERSIONS.index(version)
    material = [example for example in examples() if example.half == seen]
    progress(f"encoder {version}, {len(material)} examples")
    network = read_published(published)
    _train(network, material)
    arrays = stored(network)
    progress(f"weighing {version}")
    held_out = [answer for answer in open_answers("make") if example_of(answer).half != seen]
    unweighed = Encoder({**arrays, COMBINATION: np.zeros(3, np.float32)})
    return arrays | {COMBINATION: _combination(version, unweighed, held_out)}


def find_published() -> Path:
    """Return the published encoder's file, from the Hugging Face Hub or what was downloaded from there.

    Raises:
        InputError: it cannot be obtained.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(PUBLISHED, "model.safetensors"))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise InputError(
            f"{PUBLISHED} cannot be obtained from the Hub ({one_line(error)[:80]}): "
            f"name its model.safetensors with --encoder."
        ) from None


def save(version: str, arrays: Arrays, folder: Path) -> None:
    """Write the file of a version, and the one that all versions share."""
    for file, shared in ((BASE, True), (f"{version}.npz", False)):
        chosen: dict[str, Any] = {name: array for name, array in arrays.items() if name.startswith(SHARED) == shared}
        np.savez_compressed(folder / file, **chosen)


def read_published(file: Path) -> Network:
    """Return the published encoder, with a head that is not trained yet.

    Raises:
        InputError: the file cannot be read, or is another.
    """
    from safetensors.torch import load

    weights = load(check_sha256(file, PUBLISHED_SHA256))
    torch.manual_seed(SEED)
    network = Network()
    network.bert.load_state_dict({name: weights[name] for name in network.bert.state_dict()})
    return network


def _train(network: Network, material: Sequence[Example]) -> None:
    """Fine-tune the layers that versions do not share."""
    torch.manual_seed(SEED)
    draw = random.Random(SEED)
    for name, parameter in network.named_parameters():
        parameter.requires_grad = not name.startswith(SHARED)
    optimizer = torch.optim.AdamW([each for each in network.parameters() if each.requires_grad], weight_decay=_DECAY)
    steps = _EPOCHS * -(-len(material) // _BATCH)
    schedule = (min(1.0, (step + 1) / (_WARMUP * steps), (steps - step) / steps) for step in range(steps))
    split = tokenizer()
    network.train()
    for batch in tqdm(list(_batches(material, draw)), disable=None, leave=False, unit=" batches"):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * next(schedule)
        inputs = encode(split, [(example.statement, example.response) for example in batch])
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(*inputs)
        optimizer.zero_grad()
        torch.autograd.backward(_loss(logits.float(), batch))
        optimizer.step()


def _batches(material: Sequence[Example], draw: random.Random) -> Iterator[list[Example]]:
    """Yield the batches of all epochs, each of answers of about the same length."""
    for _ in range(_EPOCHS):
        order = draw.sample(material, len(material))
        pools = [sorted(pool, key=lambda example: len(example.response)) for pool in _cut(order, 20 * _BATCH)]
        batches = [batch for pool in pools for batch in _cut(pool, _BATCH)]
        yield from draw.sample(batches, len(batches))


def _cut(examples: Sequence[Example], size: int) -> list[list[Example]]:
    return [list(examples[start : start + size]) for start in range(0, len(examples), size)]


def _loss(logits: torch.Tensor, batch: Sequence[Example]) -> torch.Tensor:
    """Return the mean of minus the log-probability of what the readings allow.

    An aligned answer argues for people's verdict. One without a reason that bears on the statement argues for neither.
    One that contradicts itself, or has the other verdict, may do anything but argue for people's.
    """
    allowed = torch.zeros_like(logits, dtype=torch.bool)
    for number, example in enumerate(batch):
        if example.code == "aligned":
            allowed[number, example.label] = True
        elif example.code in CLASSES:
            allowed[number, CLASSES.index(example.code)] = True
        elif example.code in _NEITHER:
            allowed[number, len(LABELS) :] = True
        else:
            allowed[number] = True
            allowed[number, example.label] = False
    probabilities = torch.log_softmax(logits, dim=1).masked_fill(~allowed, -torch.inf)
    return -torch.logsumexp(probabilities, dim=1).mean()


def _combination(version: str, encoder: Encoder, answers: Sequence[OpenAnswer]) -> NDArray[np.float32]:
    """Fit the weights of a constant, the encoder and the first version, on answers that the encoder has not seen.

    Only answers with people's verdict are used: the rest is known without a look at the reason. The constant is set
    so that no more than ``_FLAGGED`` of the good answers are found at fault: most bad answers have the wrong verdict
    and are caught anyway, so a judge that doubts many reasons does more harm than good.
    """
    from sklearn.linear_model import LogisticRegression

    members = [answer for answer in answers if answer.case.reading.verdict == answer.row.label]
    sides = encoder.probabilities([(answer.row.statement, answer.case.reading.answer) for answer in members])
    judge = ReferenceJudge(version, encoder)
    evidence = [
        judge.evidence(answer.case, answer.row.label, float(of[answer.row.label])) for answer, of in zip(members, sides)
    ]
    model = LogisticRegression(class_weight="balanced", solver="newton-cholesky", tol=1e-10)
    model.fit(evidence, [not answer.aligned for answer in members])
    weights = np.array([*model.intercept_, *model.coef_[0]])
    good = [answer.aligned for answer in members]
    weights[0] -= np.quantile(model.decision_function(evidence)[good], 1 - _FLAGGED)
    return np.round(weights, 3).astype(np.float32)
