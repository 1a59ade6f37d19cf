"""Steps: commands that one would type, each run once, whatever interrupts them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from dfar_bench.errors import InputError
from dfar_bench.files import atomic_write

ROOT = Path(__file__).parents[2]
"""The checkout: ``train/`` and ``ds_configs/`` are not part of the package."""

# The arguments with which this Python runs what one would type.
PROGRAMS = {
    "accelerate": ("-m", "accelerate.commands.accelerate_cli"),
    "lm_eval": ("-m", "lm_eval"),
    "dfar-bench": ("-m", "dfar_bench.cli.main"),
    "python": (),
}


class Step(NamedTuple):
    """A command: ``words`` as one would type them, the first of which is a key of ``PROGRAMS``.

    Attributes:
        makes: a path that exists when the command has finished; None for a command that may run again.
        part: the path that ``words`` name instead of ``makes``, so that an interrupted command leaves no ``makes``.
        mark: whether ``makes`` is an empty file that only says that the command has finished, and is written here.
    """

    title: str
    words: Sequence[str]
    makes: Path | None = None
    part: Path | None = None
    mark: bool = False


def run_steps(steps: Sequence[Step], logs: Path, environment: Mapping[str, str]) -> None:
    """Run commands in the checkout, except those that have finished before; ``logs`` is for what they print.

    Raises:
        InputError: a command failed; quotes its complaint.
    """
    logs.mkdir(parents=True, exist_ok=True)
    with _endings_interrupt():
        _run_all(steps, logs, environment)


@contextmanager
def _endings_interrupt() -> Iterator[None]:
    """Let what ends this process raise KeyboardInterrupt, so that it ends the commands as well."""
    endings = [signal.SIGTERM, signal.SIGHUP]  # which nohup ignores
    changed = [ending for ending in endings if signal.getsignal(ending) is signal.SIG_DFL]
    for ending in changed:
        signal.signal(ending, signal.default_int_handler)
    try:
        yield
    finally:
        for ending in changed:
            signal.signal(ending, signal.SIG_DFL)


def _run_all(steps: Sequence[Step], logs: Path, environment: Mapping[str, str]) -> None:
    for number, step in enumerate(steps, start=1):
        print(f"[{number}/{len(steps)}] {step.title}\n  $ {shlex.join(step.words)}", flush=True)
        if step.makes and step.makes.exists():
            print("  done before", flush=True)
            continue
        start, log = time.monotonic(), logs / f"{number:02}.txt"
        if step.part:
            shutil.rmtree(step.part, ignore_errors=True)
        if status := _run(step.words, log, environment):
            raise InputError(f"{step.title} ended with status {status}: {_complaint(log)} (all of it: {log})")
        if step.part and step.makes:
            os.replace(step.part, step.makes)
        if step.mark and step.makes:
            step.makes.touch()
        print(f"  {time.monotonic() - start:.0f} s", flush=True)


def _run(words: Sequence[str], log: Path, environment: Mapping[str, str]) -> int:
    """Run a command and return its exit status; its children end with it, and with this process."""
    command, null = [sys.executable, *PROGRAMS[words[0]], *words[1:]], subprocess.DEVNULL
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=null, stdout=out, stderr=out, start_new_session=True
        )
        try:
            return process.wait()
        finally:
            with suppress(ProcessLookupError):
                try:
                    os.killpg(process.pid, signal.SIGTERM)
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(10)
                finally:  # also at a second Ctrl-C
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


def _complaint(log: Path) -> str:
    """Return the sentence of our own commands, which a launcher's report may follow; otherwise the last line."""
    lines = [line.strip() for line in log.read_text(errors="replace").replace("\r", "\n").split("\n") if line.strip()]
    ours = [match[0] for line in lines if (match := re.search(r"\b(sft\.py|merge\.py|dfar-bench): .+", line))]
    return (ours or lines or ["it printed nothing"])[-1]


@contextmanager
def claim(folder: Path, file: str, story: Mapping[str, Any], wait: float = 0) -> Iterator[None]:
    """Keep a folder to one story, and to one process at a time.

    Args:
        file: the name of the file in which the story is written; without its ending it says what the folder is for.
        wait: so many seconds for another process.

    Raises:
        InputError: the folder holds something else, or another process has it.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    record, lock, what = folder / file, folder / ".lock", file.partition(".")[0]
    try:
        with FileLock(lock, timeout=wait):
            if not record.exists() and any(path != lock for path in folder.iterdir()):
                raise InputError(f"{folder} holds something else: choose another --out.")
            refuse_another(folder, file, story)
            atomic_write(record, json.dumps(story))
            yield
    except Timeout:
        raise InputError(f"another {what} is running in {folder}: wait for it, or choose another --out.") from None


def refuse_another(folder: Path, file: str, story: Mapping[str, Any]) -> None:
    """Make sure that a folder holds nothing yet, or the same story.

    Raises:
        InputError: it holds another.
    """
    record, what = folder / file, file.partition(".")[0]
    if record.exists() and record.read_text() != json.dumps(story):
        raise InputError(f"{folder} holds another {what}: delete it, or choose another --out.")


def environment(processes: int, gpus: int) -> dict[str, str]:
    """Return the environment of the commands: other working directory, and a fair share of the processor cores."""
    variables = {"TOKENIZERS_PARALLELISM": "false", "LMEVAL_LOG_LEVEL": "WARNING", **os.environ}
    for name in ("DFAR_BENCH_DATA", "DFAR_BENCH_CACHE", "DFAR_BENCH_PLUGINS", "HF_HOME"):
        if variables.get(name):
            variables[name] = os.pathsep.join(map(os.path.abspath, variables[name].split(os.pathsep)))
    if not gpus:  # otherwise each process would take one core, or all of them
        variables.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    return variables


def typed(path: Path) -> str:
    """Return a path as one would type it in the checkout."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
