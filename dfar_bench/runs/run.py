"""A run: the answers of one model to one task, and how they were asked for, whoever recorded them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dfar_bench import __version__
from dfar_bench.datasets import rows
from dfar_bench.judges import Judge, get_judge
from dfar_bench.judges.validation.answers import SourceKind
from dfar_bench.judges.validation.rates import ErrorRates, error_rates
from dfar_bench.prompts import Condition
from dfar_bench.runs.scored_model import ScoredModel
from dfar_bench.scoring import Answer, Metric, Output, Signature, Task
from dfar_bench.text import short_hash

JUDGED_BY = "judged_by"
"""Key of a task's metadata in lm_eval's results: the signature of the judge that scored it."""

MANY_TIES = 0.01
"""Share of ties from which on a warning is due, and what to do about it."""
AGAINST_TIES = "score with dtype=float32, in which ties hardly occur"


@dataclass(frozen=True)
class Harness:
    """How the outputs were asked for. None where the record does not say.

    Attributes:
        shots: number of few-shot examples.
        multiturn: whether the examples were turns of their own.
        context: hash of everything the model was shown, if that is more than the bare prompts (few-shot examples, a
            chat template, a system prompt); None for bare prompts.
        messages: whether the model was sent chat messages rather than text.
        thinking: whether the chat template opened a thought before the answer.
        dtype: the precision of the model, such as ``float32``.
        batch: the batch size, as typed.
        generation: lm_eval's generation arguments; None for tasks by likelihood.
        seeds: lm_eval's seeds, by name (``random``, ``numpy``, ``torch``, ``fewshot``).
        recorded: whether lm_eval's results file was there; without it shots and chat template are guesses.
    """

    lm_eval: str | None = None
    transformers: str | None = None
    torch: str | None = None
    shots: int | None = None
    multiturn: bool = False
    chat_template_sha: str | None = None
    system_instruction_sha: str | None = None
    context: str | None = None
    messages: bool = False
    thinking: bool = False
    dtype: str | None = None
    batch: str | None = None
    generation: Mapping[str, Any] | None = None
    limit: float | None = None
    seeds: Mapping[str, int | None] = field(default_factory=dict)
    recorded: bool = True


@dataclass(frozen=True)
class Run:
    """The outputs of one task, sorted by row id.

    Attributes:
        style: signature of the prompt style, such as ``llama2.v1``.
        files: the sample files it was read from, if any.
        model: the model's name as recorded.
        scored: what is recorded of the model besides.
        tuned: whether it is known to be fine-tuned.
        started: the POSIX time at which it began.
        printed: the figures that lm_eval itself reported, by metric.
        printed_by: signature of the judge that was at work there.
    """

    task: Task
    style: str
    condition: Condition
    outputs: tuple[Output, ...]
    harness: Harness
    files: tuple[Path, ...] = ()
    model: str | None = None
    scored: ScoredModel = field(default_factory=ScoredModel)
    tuned: bool = False
    started: float | None = None
    printed: Mapping[str, float | str] = field(default_factory=dict)
    printed_by: str | None = None

    @property
    def created(self) -> str | None:
        """The day of the run, in UTC, such as 2026-01-31."""
        return None if self.started is None else datetime.fromtimestamp(self.started, UTC).date().isoformat()

    @property
    def expected(self) -> int:
        """How many test rows the data set has."""
        return len(rows(self.task.dataset.name)["test"])

    @property
    def complete(self) -> bool:
        """Whether every test row was answered."""
        return len(self.outputs) == self.expected

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of its task under its condition."""
        return self.task.kind.metrics_under(self.condition)

    @property
    def source_kind(self) -> SourceKind:
        """What sort of model wrote the answers; a judge's errors depend on it.

        A base model where nothing is known of a training or a chat template.
        """
        if self.tuned:
            return "fine-tuned"
        return "base" if self._chat() in ("no", "?") else "instruct"

    @property
    def cuts_recorded(self) -> bool:
        """Whether it is known, and not estimated, which responses were cut off."""
        return all(output.cut is not None for output in self.outputs)

    def answers(self, judge: Judge) -> list[Answer]:
        """Read the outputs, in their order."""
        return self.task.kind.read(self.outputs, judge)

    def error_rates(self, judge: Judge) -> ErrorRates | None:
        """Return how often a judge errs on answers of such models; None where none decides or it was not tried.

        Also None where the rows have no human reason: the judge was tried with one at hand.
        """
        if not self.task.kind.judged or not any(output.row.reason for output in self.outputs):
            return None
        return error_rates(judge.signature, self.source_kind)

    def printed_of(self, metric: Metric, judge: Judge) -> float | str | None:
        """Return what lm_eval reported for a metric; None if nothing, or if it was not computed as it is now.

        Args:
            judge: decides now. Verdicts are read as they were if the judge was the one that decides by default.
        """
        now = judge if metric.judged else get_judge()
        same = not self.task.kind.judged or self.printed_by == now.signature
        return self.printed.get(metric.name) if same else None

    def signature(self, judge: Judge) -> Signature:
        """Return the signature of the run's scores.

        ``rows`` is there if not all were answered, with a hash of which. ``shots``, ``chat`` and ``system`` come from
        the harness's results file; without it they are known only if the model was shown bare prompts, and are "?"
        otherwise. ``reference:none`` says that the rows have no human reason, so the judge works from label and
        statement alone. ``context`` is left out under a chat template, which is the model's own and would make every
        model's signature different.
        """
        harness, judged = self.harness, self.task.kind.judged
        chat = self._chat()
        generation = dict(harness.generation) if harness.generation is not None else None
        system = harness.system_instruction_sha
        shots = harness.shots if harness.shots is not None else 0 if harness.context is None else "?"
        return Signature.of(
            data=self.task.dataset.name,
            rows=self._subset(),
            task=self.task.kind.name,
            prompt=self.style,
            condition=self.condition.signature,
            shots=shots,
            chat=chat,
            system=system[:8] if system else None,
            context=harness.context if chat in ("no", "?") else None,
            judge=judge.signature if judged else None,
            reference="none" if judged and not any(output.row.reason for output in self.outputs) else None,
            max_gen_toks=generation.get("max_gen_toks", "?") if generation else None,
            gen=short_hash(generation) if generation else None,
            seed=_seed(generation, harness),
            ends="recorded" if generation and self.cuts_recorded else None,
            dtype=harness.dtype,
            batch=harness.batch,
            dfar_bench=__version__,
            lm_eval=harness.lm_eval or "?",
        )

    def _subset(self) -> str | None:
        if self.complete:
            return None
        which = short_hash([output.row.row_id for output in self.outputs])
        return f"{len(self.outputs)}/{self.expected}.{which}"

    def _chat(self) -> str:
        """Whether a chat template was applied, and if so whether few-shot examples were turns of their own."""
        harness = self.harness
        if harness.context is None:
            return "no"
        if not harness.recorded:
            return "?"
        if not (harness.chat_template_sha or harness.messages):
            return "no"
        return "multiturn" if harness.shots and harness.multiturn else "yes"


def _seed(generation: Mapping[str, Any] | None, harness: Harness) -> object:
    """The seed where answers were sampled; some back ends look at the temperature alone."""
    if not generation or not (generation.get("do_sample") or generation.get("temperature")):
        return None
    seed = harness.seeds.get("torch")
    return "?" if seed is None else seed
