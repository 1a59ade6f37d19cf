"""Read what ``lm_eval --log_samples`` wrote, trusting none of it.

Statement, label and reason are taken from our own data by row id; what the file says of them must agree. A run is
what one call of the harness wrote for one task: usually one file, but several when rows were spread over processes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonlines

from dfar_bench import prompts
from dfar_bench.data import LABELS, SPLITS, Row, rows, task_name
from dfar_bench.errors import InputError
from dfar_bench.signature import short_hash

_NAME = re.compile(r"samples_(?P<task>.+?)_(?P<stamp>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?)(?P<part>.*)\.jsonl")
_OUR_TASKS = frozenset(task_name(split, kind) for split in SPLITS for kind in ("cls", "reason"))
_HOW_TO_LOG = "lm_eval writes them with --log_samples --output_path FOLDER"


@dataclass(frozen=True, slots=True)
class LoggedAnswer:
    """One row and what the model answered: two log-likelihoods (``cls``) or a text (``reason``)."""

    row: Row
    answer: tuple[float, float] | str


@dataclass(frozen=True)
class LoggedRun:
    """The answers of one task in one run, sorted by row id, and how they were asked for.

    Attributes:
        kind: ``cls`` or ``reason``.
        expected: how many test rows the split has.
        generation: the generation arguments, None for ``cls``.
        context: hash of all that the model was shown if it is more than the prompts (few-shot examples, a chat
            template, a system prompt), else None.
        messages: whether the model was sent chat messages rather than text.
        results: the harness's own results file of the run, {} if it is not there.
    """

    files: tuple[Path, ...]
    task: str
    split: str
    kind: str
    prompt: str
    mode: str
    answers: tuple[LoggedAnswer, ...]
    expected: int
    generation: dict[str, Any] | None
    context: str | None
    messages: bool
    results: dict[str, Any] = field(default_factory=dict)


def find_runs(paths: Iterable[Path]) -> list[tuple[Path, ...]]:
    """The sample files of each run among files and folders (searched throughout), in order of their names.

    Files in one folder that carry the same task and time are parts of one run.

    Raises:
        InputError: a path that does not exist, or a folder without samples of our tasks.
    """
    runs: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        if path.is_dir():
            found = [p for p in sorted(path.rglob("samples_*.jsonl")) if _is_ours(p.name) and p.is_file()]
            if not found:
                raise InputError(f"{path} holds no samples of the DFAR tasks (samples_dfar*.jsonl): {_HOW_TO_LOG}.")
        elif path.is_file():
            if path.suffix == ".json":
                raise InputError(f"{path} is no samples file: name samples_*.jsonl beside it, or the folder.")
            found = [path]
        else:
            raise InputError(f"{path} does not exist: name a samples file or the folder given to --output_path.")
        for file in map(Path.resolve, found):
            match = _NAME.fullmatch(file.name)
            key = (str(file.parent), match["task"], match["stamp"]) if match else (str(file),)
            files = runs.setdefault(key, [])
            if file not in files:
                files.append(file)
    return [tuple(files) for _, files in sorted(runs.items())]


def read_run(files: tuple[Path, ...]) -> LoggedRun:
    """Read the files of one run.

    Raises:
        InputError: names the file and line of the first fault: not JSON (cut off), another task's, made from
            other data or by another version, a row twice, fewer rows than the run is said to have.
    """
    seen: dict[str, str] = {}
    answers: list[LoggedAnswer] = []
    settings: dict[str, Any] = {}
    contexts: list[tuple[str, str]] = []
    plain, messages = True, False
    for file in files:
        for number, sample in _lines(file):
            where = f"{file}, line {number}"
            reader = _SampleReader(sample, where)
            row = reader.row()
            if row.row_id in seen:
                raise InputError(
                    f"{where}: row {row.row_id} stands here and at {seen[row.row_id]}; remove one of the two."
                )
            seen[row.row_id] = where
            answer, context = reader.answer(), reader.context()
            _must_agree(settings, reader.settings(row, answer), where)
            answers.append(LoggedAnswer(row, answer))
            contexts.append((row.row_id, context))
            plain = plain and context == reader.doc["prompt"]
            messages = messages or reader.sent_messages()
    if not answers:
        raise InputError(f"{files[0]} is empty: {_HOW_TO_LOG}.")
    split, kind = settings["split"], settings["kind"]
    task = task_name(split, kind)
    results = _results_beside(files[0])
    expected = len(rows(split)["test"])
    _check_against_results(results, task, len(answers), files[0])
    return LoggedRun(
        files=files,
        task=task,
        split=split,
        kind=kind,
        prompt=settings["prompt"],
        mode=settings["mode"],
        answers=tuple(sorted(answers, key=lambda answer: answer.row.row_id)),
        expected=expected,
        generation=settings["generation"],
        context=None if plain else short_hash(sorted(contexts)),
        messages=messages,
        results=results,
    )


class _SampleReader:
    """One line of a samples file; every method raises InputError where the line is not what a task of ours logs."""

    def __init__(self, sample: Any, where: str) -> None:
        self.where = where
        self.sample = sample if isinstance(sample, dict) else {}
        doc = self.sample.get("doc")
        self.doc: dict[str, Any] = doc if isinstance(doc, dict) else {}
        if not all(isinstance(self.doc.get(name), str) for name in ("row_id", "prompt_style", "mode", "prompt")):
            raise InputError(f"{where}: this is no sample of a DFAR task of this version: score those that are.")

    def row(self) -> Row:
        """Our own row; what the sample says of it must be the same."""
        row_id = self.doc["row_id"]
        row, fields = _test_rows(row_id.partition("-")[0]).get(row_id, (None, {}))
        if row is None:
            raise InputError(
                f"{self.where}: {row_id!r} is no test row of {', '.join(SPLITS)}: score the tasks' own samples."
            )
        for name, value in fields.items():
            if self.doc.get(name) != value:
                raise InputError(
                    f"{self.where}: the {name} of {row_id} is not that of the data here: "
                    f"the samples were made from other data or by another version; run the task again."
                )
        style, _, version = self.doc["prompt_style"].partition(".v")
        known = prompts.STYLES.get(style)
        if known is None or self.doc["mode"] not in prompts.MODES:
            raise InputError(f"{self.where}: unknown prompt {self.doc['prompt_style']!r}: run the task again.")
        if (
            str(known.version) != version
            or prompts.prompt(style, self.doc["mode"], row.statement) != self.doc["prompt"]
        ):
            raise InputError(
                f"{self.where}: the prompt {self.doc['prompt_style']} is not that of this version "
                f"({known.signature}): run the task again, or install the version that made the samples."
            )
        return row

    def answer(self) -> tuple[float, float] | str:
        """The response, or the log-likelihoods of the two labels, which must be what the samples say they are of."""
        found = self.sample.get("filtered_resps")
        if isinstance(found, list) and len(found) == 1 and isinstance(found[0], str):
            return found[0]
        try:
            (ethical, _), (unethical, _) = found  # type: ignore[misc]
            log_likelihoods = float(ethical), float(unethical)
        except (TypeError, ValueError, OverflowError):
            raise InputError(
                f"{self.where}: filtered_resps holds neither one text nor two log-likelihoods: run the task again."
            ) from None
        continued = tuple(self._argument(1, of=number) for number in range(len(LABELS)))
        if [text.strip() if isinstance(text, str) else text for text in continued] != list(LABELS):
            raise InputError(
                f"{self.where}: the log-likelihoods are not of {' and '.join(LABELS)}: run the task again."
            )
        return log_likelihoods

    def settings(self, row: Row, answer: tuple[float, float] | str) -> dict[str, Any]:
        """What all samples of a run have in common."""
        generation = self._argument(1) if isinstance(answer, str) else None
        if isinstance(answer, str) and not isinstance(generation, dict):
            raise InputError(f"{self.where}: arguments.gen_args_0 holds no generation arguments: run the task again.")
        return {
            "split": row.row_id.partition("-")[0],
            "kind": "cls" if generation is None else "reason",
            "prompt": self.doc["prompt_style"],
            "mode": self.doc["mode"],
            "generation": generation,
        }

    def context(self) -> str:
        """What the model was shown."""
        context = self._argument(0)
        if not isinstance(context, str | list) or not context:
            raise InputError(f"{self.where}: arguments.gen_args_0 holds no context: run the task again.")
        if isinstance(context, list):  # chat endpoints are sent, and the harness logs, messages
            return json.dumps(context)
        if self.doc["prompt"].strip() not in context:
            raise InputError(
                f"{self.where}: the model was not shown the prompt {self.doc['prompt_style']}: lm_eval's "
                f"--cache_requests mixes up prompt styles; run the task again with --cache_requests refresh."
            )
        return context

    def sent_messages(self) -> bool:
        """Whether the context is a list of chat messages."""
        return isinstance(self._argument(0), list)

    def _argument(self, number: int, of: int = 0) -> Any:
        try:
            return self.sample["arguments"][f"gen_args_{of}"][f"arg_{number}"]
        except (KeyError, TypeError):
            raise InputError(f"{self.where}: arguments.gen_args_{of} is missing or cut: run the task again.") from None


def section(results: dict[str, Any], *names: str) -> dict[str, Any]:
    """An object inside a results file, {} where the file has none of that name."""
    found: Any = results
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _is_ours(name: str) -> bool:
    match = _NAME.fullmatch(name)
    return match is not None and match["task"] in _OUR_TASKS


@cache
def _test_rows(split: str) -> dict[str, tuple[Row, dict[str, Any]]]:
    """Our test rows by id, each with its fields as a sample should have them."""
    return {row.row_id: (row, asdict(row)) for row in rows(split)["test"]} if split in SPLITS else {}


def _lines(file: Path) -> Iterator[tuple[int, Any]]:
    try:
        with jsonlines.open(file) as reader:
            yield from enumerate(reader, start=1)
    except jsonlines.InvalidLineError as error:
        raise InputError(f"{file}, line {error.lineno}: not valid JSON; the file seems cut off or damaged.") from None
    except RecursionError:
        raise InputError(f"{file}: nested too deeply to be a sample; the file is damaged.") from None
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8 text: {_HOW_TO_LOG}.") from None
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}).") from None


def _must_agree(settings: dict[str, Any], found: dict[str, Any], where: str) -> None:
    for name, value in found.items():
        if settings.setdefault(name, value) != value:
            raise InputError(
                f"{where}: {name} is {value} here but {settings[name]} before; "
                f"these samples are of different runs, score them one by one."
            )


def _results_beside(file: Path) -> dict[str, Any]:
    match = _NAME.fullmatch(file.name)
    beside = file.with_name(f"results_{match['stamp']}.json") if match else None
    if beside is None or not beside.is_file():
        return {}
    try:
        results = json.loads(beside.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError):
        raise InputError(f"{beside} is not valid JSON; it seems cut off or damaged: restore it or remove it.") from None
    return results if isinstance(results, dict) else {}


def _check_against_results(results: dict[str, Any], task: str, found: int, file: Path) -> None:
    effective = section(results, "n-samples", task).get("effective")
    if isinstance(effective, int) and effective not in (0, found):  # 0 after --predict_only
        raise InputError(
            f"{file} holds {found} rows of {task}, but its run scored {effective}: "
            f"the file is cut off, or parts of it are missing."
        )
