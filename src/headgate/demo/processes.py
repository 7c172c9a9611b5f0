"""Simulator and gateway as child processes, each with its output in a file."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

READY_WITHIN_S = 30.0
END_WITHIN_S = 15.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


class NotReady(RuntimeError):
    """A process ended, or said nothing in time; the message shows what it wrote last."""


@contextmanager
def headgate(arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """`headgate` with these arguments until the end of the block; the address it listens on. Raises `NotReady`."""
    command = [sys.executable, "-c", "from headgate.cli.app import main; main()", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**_own_environment(), **(environment or {})},
            start_new_session=True,  # Ctrl-C reaches the demo, which ends the two in their order
        )
    try:
        yield _address(process, log)
    finally:
        process.terminate()
        try:
            process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _own_environment() -> dict[str, str]:
    """Without settings and provider keys of whoever runs the demo: it must not spend their money."""
    mine = os.environ.items()
    return {name: value for name, value in mine if not name.startswith("HEADGATE_") and not name.endswith("_API_KEY")}


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if found := _ADDRESS.search(log.read_text(errors="replace")):
            return found[0]
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise NotReady(f"It is not ready. {log} ends with:\n{log.read_text(errors='replace')[-2000:]}")


def port_or_free_one(wanted: int) -> int:
    """The port if nobody listens on it, else 0: the system then takes a free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted
