"""Compute the metrics of finished runs again from their logged samples, with confidence intervals.

No model is run. The values equal to the last digit what lm_eval printed, and that is checked wherever the
harness's results file lies beside the samples.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dfar_bench import __version__
from dfar_bench.answers import Choice, Response, read_choice, read_responses
from dfar_bench.bootstrap import LEVEL, MIN_CLUSTERS, RESAMPLES, SEED, intervals
from dfar_bench.errors import InputError
from dfar_bench.judges import DEFAULT_JUDGE, ErrorRates, Judge, get_judge
from dfar_bench.metrics import METRICS, NOTHING_COUNTS
from dfar_bench.samples import LoggedRun, find_runs, read_run, section
from dfar_bench.signature import short_hash, signature


@dataclass(frozen=True)
class Score:
    """One metric of one run.

    Attributes:
        value: the point estimate, None where no answer counts.
        interval: (low, high), None where it was left out or is undefined.
        printed: what lm_eval reported for it, None if unknown or not comparable (another judge).
    """

    value: float | None
    interval: tuple[float, float] | None
    printed: float | str | None

    @property
    def differs(self) -> bool:
        """Whether lm_eval printed something else."""
        return self.printed is not None and self.printed != (NOTHING_COUNTS if self.value is None else self.value)


@dataclass(frozen=True)
class Rescored:
    """A run with its scores by metric name, the signature they stand under, and how often the judge gave each code.

    ``error_rates`` are the judge's, None where no judge was at work or they are not known.
    """

    run: LoggedRun
    signature: str
    scores: dict[str, Score]
    codes: dict[str, int]
    resamples: int
    error_rates: ErrorRates | None = None

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON types."""
        return {
            "task": self.run.task,
            "split": self.run.split,
            "model": model_name(self.run),
            "files": [str(file) for file in self.run.files],
            "rows": len(self.run.answers),
            "expected_rows": self.run.expected,
            "signature": self.signature,
            "intervals": {"level": LEVEL, "resamples": self.resamples, "seed": SEED} if self.resamples else None,
            "metrics": {
                name: {
                    "value": score.value,
                    "low": score.interval[0] if score.interval else None,
                    "high": score.interval[1] if score.interval else None,
                    "printed": score.printed,
                }
                for name, score in self.scores.items()
            },
            "codes": self.codes,
            "judge_error_rates": asdict(self.error_rates) if self.error_rates else None,
        }

    def as_table(self) -> str:
        """The report for people."""
        rows = f"{len(self.run.answers)} of {self.run.expected} rows"
        lines = [f"{self.run.task} · {model_name(self.run) or 'unknown model'} · {rows}"]
        lines += [*(file.name for file in self.run.files), ""]
        lines.append(f"{'metric':<22}{'value':>8}   {LEVEL:.0%} interval")
        for name, score in self.scores.items():
            value = NOTHING_COUNTS if score.value is None else f"{score.value:.4f}"
            interval = f"{score.interval[0]:.4f} – {score.interval[1]:.4f}" if score.interval else NOTHING_COUNTS
            note = f"   lm_eval printed {score.printed}" if score.differs else ""
            lines.append(f"{name:<22}{value:>8}   {interval}{note}")
        lines.append("")
        if self.resamples and not any(score.interval for score in self.scores.values()):
            lines.append(f"no intervals: fewer than {MIN_CLUSTERS} contrast groups were answered")
        if self.codes:
            lines.append("codes: " + ", ".join(f"{code} {count}" for code, count in self.codes.items()))
            lines.append(f"judge: {self.error_rates or 'its error rates are not known here'}")
        lines.append(f"signature: {self.signature}")
        if all(score.printed is None for score in self.scores.values()):
            lines.append("not compared with lm_eval's own figures: no results file with them lies beside the samples")
        return "\n".join(lines)


def rescore(
    paths: Iterable[Path],
    judge_name: str = DEFAULT_JUDGE,
    resamples: int = RESAMPLES,
    *,
    on_bad_run: Callable[[InputError], object] | None = None,
) -> list[Rescored]:
    """Score every run found in files and folders.

    Args:
        resamples: of the bootstrap; 0 leaves the intervals out.
        on_bad_run: told of every run that cannot be read, so that it does not hide the others; if None, the first
            one raises.

    Raises:
        InputError: see ``samples.find_runs`` and ``samples.read_run``.
    """
    judge = get_judge(judge_name)
    scored = []
    for files in find_runs(paths):
        try:
            scored.append(rescore_run(read_run(files), judge, resamples))
        except InputError as error:
            if on_bad_run is None:
                raise
            on_bad_run(error)
    return scored


def rescore_run(run: LoggedRun, judge: Judge, resamples: int = RESAMPLES) -> Rescored:
    """Score one run."""
    answers = read_answers(run, judge)
    metrics = METRICS[run.kind]
    found = intervals(metrics, answers, resamples=resamples) if resamples else {}
    printed = section(run.results, "results", run.task)
    same_judge = judge.signature == get_judge().signature
    scores = {}
    for metric in metrics:
        comparable = same_judge or not metric.judged
        scores[metric.name] = Score(
            value=metric.score([metric.item(answer) for answer in answers]),
            interval=found.get(metric.name),
            printed=_printed(printed.get(f"{metric.name},none")) if comparable else None,
        )
    codes = Counter(answer.judgement.code for answer in answers if isinstance(answer, Response))
    rates = judge.error_rates if run.kind == "reason" else None
    return Rescored(run, run_signature(run, judge), scores, dict(sorted(codes.items())), resamples, rates)


def read_answers(run: LoggedRun, judge: Judge) -> list[Choice | Response]:
    """The answers of a run as metrics take them, sorted by row id."""
    texts = [(answer.row, answer.answer) for answer in run.answers if isinstance(answer.answer, str)]
    choices = [(answer.row, answer.answer) for answer in run.answers if not isinstance(answer.answer, str)]
    return [*read_responses(texts, judge), *(read_choice(row, both) for row, both in choices)]


def run_signature(run: LoggedRun, judge: Judge) -> str:
    """What a run's scores stand under.

    ``rows`` is there if not all were answered, with a hash of which. ``shots``, ``chat`` and ``system`` come from the
    harness's results file; without it they are known only if the model was shown the bare prompts, and "?" otherwise.
    ``reference:none`` says that the rows have no human reason, so that the judge works from label and statement alone.
    ``context`` hashes what the model was shown where that is more than the prompts, but not under a chat template,
    which is the model's own and would make every model's signature different.
    """
    bare = run.context is None
    shots = section(run.results, "n-shot").get(run.task)
    system = run.results.get("system_instruction_sha")
    chat = _chat(run, shots)
    return signature(
        {
            "split": run.split,
            "rows": _part_of_rows(run),
            "task": run.kind,
            "prompt": run.prompt,
            "mode": run.mode,
            "shots": shots if isinstance(shots, int) else 0 if bare else "?",
            "chat": chat,
            "system": str(system)[:8] if system else None,
            "context": run.context if chat in ("no", "?") else None,
            "judge": judge.signature if run.kind == "reason" else None,
            "reference": "none" if run.kind == "reason" and not any(a.row.reason for a in run.answers) else None,
            "max_gen_toks": run.generation.get("max_gen_toks", "?") if run.generation else None,
            "gen": short_hash(run.generation) if run.generation else None,
            "seed": section(run.results, "config").get("torch_seed", "?") if _is_sampled(run.generation) else None,
            "dfar_bench": __version__,
            "lm_eval": run.results.get("lm_eval_version", "?"),
        }
    )


def _part_of_rows(run: LoggedRun) -> str | None:
    if len(run.answers) == run.expected:
        return None
    which = short_hash([answer.row.row_id for answer in run.answers])
    return f"{len(run.answers)}/{run.expected}.{which}"


def _chat(run: LoggedRun, shots: object) -> str:
    """Whether a chat template was applied, and if so whether few-shot examples were turns of their own."""
    if run.context is None:
        return "no"
    if not run.results:
        return "?"
    if not (run.results.get("chat_template_sha") or run.messages):
        return "no"
    return "multiturn" if shots and run.results.get("fewshot_as_multiturn") else "yes"


def _is_sampled(generation: dict[str, Any] | None) -> bool:
    """Whether the answers were drawn at random; some back ends look at the temperature alone."""
    return generation is not None and bool(generation.get("do_sample") or generation.get("temperature"))


def model_name(run: LoggedRun) -> str | None:
    """The model as the harness names it, None if its results file is not there."""
    name = run.results.get("model_name")
    return name if isinstance(name, str) else None


def _printed(value: object) -> float | str | None:
    """What a results file says, as a number where it is one."""
    if value is None or (isinstance(value, int | float) and math.isfinite(value)):
        return value
    return str(value)
