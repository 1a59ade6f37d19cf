"""Pairs of answers for preference training (``--mode dpo``): what a model wrote to train rows, ranked by a judge.

The model to be trained answers each row several times. An answer that the judge finds at fault in what it says is the
rejected one; chosen is what people wrote (``human`` pairs), or another answer of the model that the judge accepts
(``hard`` pairs). Answers that are no argument at all teach only form, and those that were cut off teach no end: neither
is used.

A file of pairs is JSON Lines: first how it was made, then one pair per line. It quotes the data, so it is not to be
published.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dfar_bench.datasets import Row
from dfar_bench.errors import InputError, one_line
from dfar_bench.files import atomic_write, read_jsonl
from dfar_bench.judges import Case, Judge, Judgement
from dfar_bench.prompts import gold_answer, make_prompt
from dfar_bench.training.subset import evenly

SCHEMA_VERSION = 1

FAULTS = ("wrong_stance", "self_contradiction", "off_topic", "generic")
"""The judge's codes of answers that may be rejected."""


@dataclass(frozen=True)
class Sampling:
    """How a model is asked; all of it decides what the answers are.

    Attributes:
        model: its folder, or its name on the Hub.
        weights: what tells them from others, see ``BaseModel.state``.
        split, drop_leaked: whose train rows.
        prompt: the prompt style.
        samples: answers per row.
        max_new_tokens: the limit on each.
        batch_size: rows at once.
        limit: the number of rows, evenly spaced; None for all.
    """

    model: str
    weights: str | None
    split: str
    drop_leaked: bool
    prompt: str
    samples: int
    temperature: float
    max_new_tokens: int
    batch_size: int
    seed: int
    dtype: str
    limit: int | None = None


Answers = dict[str, list[str | None]]
"""What a model wrote, by row id; None for an answer that was cut off."""


def sample(sampling: Sampling, rows: Sequence[Row], file: Path) -> Answers:
    """Let a model answer rows; what is finished is in ``file``, from which a run that was interrupted goes on.

    Raises:
        InputError: the file is of another run, or the model cannot be loaded.
    """
    how = {"schema_version": SCHEMA_VERSION, **asdict(sampling)}
    found = _read_answers(file, how)
    batches = _batches(rows, sampling.batch_size)
    left = [(number, batch) for number, batch in enumerate(batches) if any(row.row_id not in found for row in batch)]
    if not left:
        return found
    write = _writer(sampling)
    with file.open("a", encoding="utf-8") as out:
        if not out.tell():
            out.write(json.dumps(how) + "\n")
        for number, batch in tqdm(left, desc="answers", unit=" batches", disable=None):
            new = dict(zip((row.row_id for row in batch), write(number, batch)))
            found |= new
            out.write("".join(json.dumps({"row_id": name, "answers": texts}) + "\n" for name, texts in new.items()))
            out.flush()
    return found


def _read_answers(file: Path, how: dict[str, Any]) -> Answers:
    """Return the answers of an earlier run, without a line that was cut by a kill."""
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").split("\n")
    whole = [line for line in lines[:-1] if line]
    atomic_write(file, "".join(f"{line}\n" for line in whole))
    if not whole:
        return {}
    try:
        before, *entries = map(json.loads, whole)
        answers = {entry["row_id"]: list(entry["answers"]) for entry in entries}
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{file} does not hold answers of dfar-bench pairs ({one_line(error)}): delete it.") from None
    for name, value in how.items():
        if before.get(name) != value:
            raise InputError(
                f"{file} holds answers that were made with {name} {before.get(name)!r}, not {value!r}: name another "
                "--out, or delete it."
            )
    return answers


def _batches(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    """Return rows of about the same length together; the same in every run, since each batch has its own seed."""
    ordered = sorted(rows, key=lambda row: (len(row.statement), row.row_id))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def _writer(sampling: Sampling) -> Any:
    """Load the model; return (number of batch, rows) -> answers of each row."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    try:
        tokenizer = AutoTokenizer.from_pretrained(sampling.model, padding_side="left")
        model = AutoModelForCausalLM.from_pretrained(sampling.model, dtype=sampling.dtype)
    except (OSError, ValueError) as error:
        raise InputError(f"--model {sampling.model} cannot be loaded: {one_line(error)}") from None
    end = tokenizer.eos_token_id
    if torch.cuda.is_available():
        model = model.cuda()
    model.eval()
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.generation_config = GenerationConfig(  # in place of the model's own, whose settings are not in the record
        do_sample=False,
        max_new_tokens=sampling.max_new_tokens,
        eos_token_id=end,
        pad_token_id=tokenizer.pad_token_id,
    )

    def write(number: int, rows: Sequence[Row]) -> list[list[str | None]]:
        torch.manual_seed(sampling.seed * 1_000_003 + number)
        prompts = [make_prompt(sampling.prompt, "reason", row) for row in rows]
        asked = [prompt.text for prompt in prompts for _ in range(sampling.samples)]
        shown = tokenizer(asked, return_tensors="pt", padding=True).to(model.device)
        with torch.inference_mode():
            written = model.generate(**shown, logits_processor=[drawing(sampling.temperature)])[
                :, shown["input_ids"].shape[1] :
            ].tolist()
        ended = [end in tokens for tokens in written]
        said = [tokens[: tokens.index(end)] if end in tokens else tokens for tokens in written]
        texts = tokenizer.batch_decode(said, skip_special_tokens=True)
        stops = [prompt.stops for prompt in prompts for _ in range(sampling.samples)]
        answers = [_finished(*each) for each in zip(texts, ended, stops)]
        return [answers[start : start + sampling.samples] for start in range(0, len(answers), sampling.samples)]

    return write


def drawing(temperature: float) -> Any:
    """Return what lets greedy decoding sample: of the scores (texts, tokens) it leaves one drawn token a text.

    It needs one random number a text. generate's own sampling needs one for each token of the vocabulary, which takes
    half of the time on a CPU with 262,144 of them.
    """
    import torch
    from transformers import LogitsProcessor

    class Draw(LogitsProcessor):  # type: ignore[misc]
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            below = (scores.float() / temperature).softmax(dim=-1).cumsum(dim=-1)
            place = torch.rand(len(scores), 1, device=scores.device) * below[:, -1:]
            drawn = torch.searchsorted(below, place, right=True).clamp_(max=scores.shape[-1] - 1)
            return torch.full_like(scores, -torch.inf).scatter_(1, drawn, 0.0)

    return Draw()


def _finished(text: str, ended: bool, stops: Sequence[str]) -> str | None:
    """Return an answer up to the first stop; None if it was cut off."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    if places:
        return text[: min(places)].strip()
    return text.strip() if ended else None


def rank(rows: Sequence[Row], answers: Answers, prompt: str, judge: Judge) -> list[dict[str, str]]:
    """Pair the answers to each row: at most one pair with people's answer, and one of two answers of the model.

    Where the two differ in verdict, each label is preferred equally often; see ``_balanced``.
    """
    written = [(row, text) for row in rows for text in dict.fromkeys(filter(None, answers[row.row_id]))]
    cases = [
        Case(row.statement, row.label, row.reason, text, make_prompt(prompt, "reason", row)) for row, text in written
    ]
    by_row: dict[str, list[tuple[str, Judgement]]] = {}
    for (row, text), judgement in zip(written, judge.judge(cases), strict=True):
        by_row.setdefault(row.row_id, []).append((text, judgement))
    pairs = []
    for row in rows:
        judged = by_row.get(row.row_id, [])
        rejected = [(text, one.code) for text, one in judged if one.misaligned and one.code in FAULTS]
        chosen = [text for text, one in judged if not one.misaligned]
        if rejected:
            text, code = rejected[0]
            human = gold_answer(prompt, "reason", row)
            pairs.append({"row_id": row.row_id, "kind": "human", "chosen": human, "rejected": text, "code": code})
        if rejected and chosen:
            text, code = rejected[-1]  # another one, if there is
            pairs.append({"row_id": row.row_id, "kind": "hard", "chosen": chosen[0], "rejected": text, "code": code})
    return _balanced(pairs, {row.row_id: row.label for row in rows})


def _balanced(pairs: Sequence[dict[str, str]], labels: Mapping[str, int]) -> list[dict[str, str]]:
    """Leave out pairs, evenly spaced, until those that reject the other verdict prefer each label equally often.

    A preference for one label is learned before anything about the statements: if a share p of the pairs prefers it, a
    model that cannot tell statements apart moves towards it by log(p / (1 − p)) / β, which is 2.8 nats at 57 % and
    β = 0.1. Human and hard pairs are balanced each by themselves.

    Args:
        labels: of the train rows, by row id.
    """
    dropped: set[int] = set()
    for kind in {pair["kind"] for pair in pairs}:
        by_label: dict[int, list[int]] = {label: [] for label in labels.values()}
        for number, pair in enumerate(pairs):
            if (pair["kind"], pair["code"]) == (kind, "wrong_stance"):
                by_label[labels[pair["row_id"]]].append(number)
        fewest = min(map(len, by_label.values()))
        for numbers in by_label.values():
            dropped |= {*numbers} - {*evenly(numbers, fewest)}
    return [pair for number, pair in enumerate(pairs) if number not in dropped]


def write_pairs(file: Path, sampling: Sampling, judge: Judge, pairs: Sequence[dict[str, str]]) -> None:
    """Write a file of pairs, atomically."""
    head = {"schema_version": SCHEMA_VERSION, **asdict(sampling), "judge": judge.signature}
    atomic_write(file, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in (head, *pairs)))


def describe(pairs: Sequence[dict[str, str]]) -> str:
    """Count pairs by kind and fault, with the mean lengths of both sides in words."""
    if not pairs:
        return "no pairs"
    kinds, codes = (Counter(pair[name] for pair in pairs) for name in ("kind", "code"))
    counts = [f"{count} {name}" for name, count in kinds.items()]
    faults = [f"{code} {count}" for code, count in codes.most_common()]
    chosen, rejected = (sum(len(pair[side].split()) for pair in pairs) / len(pairs) for side in ("chosen", "rejected"))
    lengths = f"chosen {chosen:.0f} words, rejected {rejected:.0f}"
    return f"{len(pairs)} pairs ({', '.join(counts)}; {', '.join(faults)}; {lengths})"


def read_pairs(file: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Return how a file of pairs was made, with its ``sha256``, and the pairs.

    Raises:
        InputError: names the file and the line of the first fault.
    """
    lines: Iterator[tuple[int, Any]] = read_jsonl(file, "a file of dfar-bench pairs")
    _, head = next(lines, (0, None))
    names = {"schema_version", "split", "prompt", "weights", "judge"}
    if not isinstance(head, dict) or not names <= head.keys() or head["schema_version"] != SCHEMA_VERSION:
        raise InputError(f"{file} is not a file of pairs of this version: make it with dfar-bench pairs.")
    pairs = []
    for number, pair in lines:
        fields = ("row_id", "kind", "chosen", "rejected", "code")
        if not isinstance(pair, dict) or not all(isinstance(pair.get(name), str) for name in fields):
            raise InputError(f"{file}, line {number}: not a pair of answers; make it with dfar-bench pairs.")
        pairs.append({name: pair[name] for name in fields})
    return {**head, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}, pairs


def with_answers(rows: Sequence[Row], pairs: Sequence[dict[str, str]], file: Path) -> list[Row]:
    """Return the train row of each pair, with ``chosen`` and ``rejected`` among its facts.

    Raises:
        InputError: a pair is not of a train row.
    """
    by_id = {row.row_id: row for row in rows}
    made = []
    for pair in pairs:
        if (row := by_id.get(pair["row_id"])) is None:
            raise InputError(f"{file} has a pair of {pair['row_id']}, which is not a train row: make it again.")
        made.append(replace(row, facts={**row.facts, "chosen": pair["chosen"], "rejected": pair["rejected"]}))
    return made
