"""Headgate in several processes, as gateways to be tried: one PostgreSQL and one Valkey of their own, from wheels."""

import asyncio
import os
import signal
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from bench.overspend.headgate import Headgate, set_up
from bench.overspend.play import WITHIN_S
from tests.support.databases import create_postgres_database
from tests.support.mortal import Mortal
from tests.support.postgres_records import usage_records_in
from tests.support.services import postgres_server
from tests.support.valkey import valkey_server

WORKERS: Final = 4
NODES: Final = ("one", "two")


class Workers(Headgate):
    """One `headgate serve --workers`: what is killed is one of its workers."""

    name = f"Headgate, {WORKERS} workers"

    def __init__(self, lives: Mortal, workspace: str, database_url: str) -> None:
        super().__init__(lives, workspace)
        self._database_url = database_url

    def records(self) -> dict[str, dict[str, Any]]:
        return asyncio.run(usage_records_in(self._database_url))

    def kill(self) -> None:
        self._ready = len(self._lives.ready_workers())
        os.kill(dict(self._lives.ready_workers())[2], signal.SIGKILL)

    def start_again(self) -> None:
        self._lives.wait_for_workers(self._ready + 1)


class Nodes(Workers):
    """Two `headgate serve`, each with its own data directory, whose callers go to one and the other in turn: what is
    killed is the first."""

    name = "Headgate, 2 nodes"

    def __init__(self, lives: list[Mortal], workspace: str, database_url: str) -> None:
        super().__init__(lives[0], workspace, database_url)
        self.lives = lives
        self._turns = cycle(lives)

    @property
    def url(self) -> str:
        return next(self._turns).gateway.url

    def kill(self) -> None:
        self._lives.gateway.process.kill()

    def start_again(self) -> None:
        self._lives.dead()
        self._lives.start()


@contextmanager
def _services(**more: str) -> Iterator[dict[str, str]]:
    """The environment of gateways that share them."""
    with postgres_server() as postgres, valkey_server() as valkey:
        yield {
            "HEADGATE_DATABASE_URL": asyncio.run(create_postgres_database(postgres)),
            "HEADGATE_REDIS_URL": valkey.url,
            "HEADGATE_MASTER_KEY": b64encode(os.urandom(32)).decode(),
            **more,
        }


@contextmanager
def workers(directory: Path, simulator: str, journal: Path) -> Iterator[Workers]:
    """Run until the block ends."""
    with _services(HEADGATE_WORKERS=str(WORKERS)) as environment:
        lives = Mortal(_made(directory / "workers"), simulator, environment, journal)
        try:
            lives.start()
            lives.wait_for_workers(WORKERS)
            yield Workers(lives, set_up(lives), environment["HEADGATE_DATABASE_URL"])
        finally:
            lives.end()


@contextmanager
def nodes(directory: Path, simulator: str, journal: Path) -> Iterator[Nodes]:
    """Run until the block ends."""
    with _services() as environment, ExitStack() as stack:
        lives = [Mortal(_made(directory / name), simulator, environment, journal) for name in NODES]
        for each in lives:
            stack.callback(each.end)
            each.start()
        made = Nodes(lives, set_up(lives[0]), environment["HEADGATE_DATABASE_URL"])
        _know_the_key_of_the_last_change(made)
        yield made


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def _know_the_key_of_the_last_change(made: Nodes) -> None:
    """Every node has heard of what was set up: within a second."""
    key = made.lives[0].gateway.key(made.workspace)
    deadline = time.monotonic() + WITHIN_S
    while any(each.gateway.chat(key, made.model("priced")).status != 200 for each in made.lives):
        if time.monotonic() > deadline:
            raise TimeoutError("a node does not know what was set up")
        time.sleep(0.05)
