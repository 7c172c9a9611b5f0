"""Real processes for tests: started with their output in a file, ready when they say so, ended by their own id."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

READY_WITHIN_S = 30.0
HEADGATE = ("-c", "from headgate.cli.app import main; main()")
"""What Python is told to run."""
END_WITHIN_S = 10.0


class NotReady(RuntimeError):
    """The process ended or said nothing in time; the message holds what it wrote."""


@contextmanager
def running(
    arguments: Sequence[str | Path],
    log: Path,
    says: str,
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] = HEADGATE,
) -> Iterator[tuple[subprocess.Popen[bytes], re.Match[str]]]:
    """`headgate`, or another program, with these arguments, from the line that matches `says` until the end of the
    block (SIGTERM, then SIGKILL). Raises `NotReady`.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *program, *map(str, arguments)],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**clean_environment(), **(environment or {})},
        )
    try:
        yield process, _line(process, log, says)
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> int:
    """Ask it to end, insist after a while; its exit code."""
    process.terminate()
    try:
        return process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def clean_environment() -> dict[str, str]:
    """Without what a developer's shell may hold: settings of Headgate and real providers' keys. With compiled modules
    kept, because every start would otherwise compile them anew."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADGATE_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {name: value for name, value in kept.items() if not name.endswith("_API_KEY")}


def _line(process: subprocess.Popen[bytes], log: Path, says: str) -> re.Match[str]:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if found := re.search(says, log.read_text()):
            return found
        if process.poll() is not None:
            raise NotReady(f"It ended with {process.returncode} before it was ready:\n{log.read_text()}")
        time.sleep(0.02)  # why: another process writes what is looked at
    raise NotReady(f"It was not ready within {READY_WITHIN_S} s:\n{log.read_text()}")
