"""Running commands one after the other: each is shown as one would type it, and what it prints is kept in a file.

On a terminal the last line that a command printed, which may be a progress bar, stands under it while it runs.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dfar_bench.errors import InputError

PROGRAMS = {
    "accelerate": ("-m", "accelerate.commands.accelerate_cli"),
    "lm_eval": ("-m", "lm_eval"),
    "dfar-bench": ("-m", "dfar_bench.cli"),
    "python": (),
}
"""How this Python runs what would be typed."""


@dataclass(frozen=True)
class Step:
    """A command.

    Attributes:
        title: for people.
        words: as one would type them; the first is a key of ``PROGRAMS``.
        makes: a path that is there when it has been run to its end; None for a command that may run again.
        writes: the path that ``words`` name instead of ``makes``, where an interrupted command leaves a part behind.
    """

    title: str
    words: Sequence[str]
    makes: Path | None = None
    writes: Path | None = None


def run_all(steps: Sequence[Step], folder: Path, logs: Path, environment: Mapping[str, str]) -> None:
    """Run commands in a folder, but for those that have been run before.

    Args:
        logs: where what they print is kept.

    Raises:
        InputError: a command failed; with what it said.
    """
    logs.mkdir(parents=True, exist_ok=True)
    with _interrupted_by(signal.SIGTERM, signal.SIGHUP):
        for number, step in enumerate(steps, start=1):
            print(f"[{number}/{len(steps)}] {step.title}\n  $ {shlex.join(step.words)}", flush=True)
            if step.makes and step.makes.exists():
                print("  has been done before", flush=True)
                continue
            start = time.monotonic()
            _run(step, folder, logs / f"{number:02}.txt", environment)
            print(f"  {time.monotonic() - start:.0f} s", flush=True)


@contextmanager
def _interrupted_by(*signals: signal.Signals) -> Iterator[None]:
    """Have signals that would end this process at once interrupt it, so that it ends what it has started."""
    heeded = [one for one in signals if signal.getsignal(one) is not signal.SIG_IGN]  # nohup has the hang-up ignored
    before = {one: signal.signal(one, signal.default_int_handler) for one in heeded}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _run(step: Step, folder: Path, log: Path, environment: Mapping[str, str]) -> None:
    if step.writes:
        shutil.rmtree(step.writes, ignore_errors=True)
    program, *words = step.words
    output, end = _channel()
    with log.open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, *PROGRAMS[program], *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=end,
            stderr=end,
            start_new_session=True,  # so that all it starts can be ended with it
        )
        os.close(end)
        try:
            while True:
                running = process.poll() is None
                if _ready(output, 0.2 if running else 0) and (piece := _read(output)):
                    printed.write(piece)
                    _show(_last_line(piece))
                elif not running:
                    break
            status = process.wait()
        finally:
            _show("")
            os.close(output)
            _end(process)
    if status:
        raise InputError(f"{step.title} ended with status {status}: {_complaint(log)} (all of it: {log})")
    if step.writes and step.makes:
        os.replace(step.writes, step.makes)


def _channel() -> tuple[int, int]:
    """Where output is read and where it is written: a terminal if this is one, so that progress is drawn."""
    if not sys.stderr.isatty():
        return os.pipe()
    import pty
    import termios

    output, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    return output, end


def _ready(output: int, seconds: float) -> bool:
    """Whether there is something to read; a command's end is no end of its output if it has left a process behind."""
    return bool(select.select([output], [], [], seconds)[0])


def _read(output: int) -> bytes:
    try:
        return os.read(output, 65536)
    except OSError:  # how a terminal says that nobody writes any more
        return b""


def _last_line(printed: bytes) -> str:
    lines = printed.decode(errors="replace").replace("\r", "\n").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _complaint(log: Path) -> str:
    """What our own commands say of what went wrong; the launcher's report stands below it. Else the last line."""
    printed = log.read_bytes()
    ours = re.findall(rb"\b(?:sft\.py|merge\.py|dfar-bench): [^\r\n]+", printed)  # a progress bar may stand before it
    return _last_line(ours[-1] if ours else printed) or "nothing was said"


def _show(line: str) -> None:
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 3
        plain = "".join(char for char in line if char.isprintable())
        sys.stderr.write(f"\r\x1b[K  {plain[:width]}" if plain else "\r\x1b[K")
        sys.stderr.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and all it started, in any case; nothing happens to one that has ended."""
    with suppress(ProcessLookupError):
        try:
            os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
