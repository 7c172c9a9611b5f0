"""The port: of one process, and of several workers."""

import socket
from collections import Counter
from contextlib import ExitStack
from typing import Any

import pytest

from headgate.base.errors import Conflict
from headgate.process.listening import listen, reserve
from headgate.settings import Settings


def settings(port: int = 0, host: str = "127.0.0.1") -> Settings:
    return Settings(port=port, host=host)


def port_of(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_connections_are_spread_over_all_who_listen(host: str) -> None:
    """None comes to the socket that only reserves the port."""
    with reserve(settings(host=host)) as reserved, ExitStack() as open_sockets:
        port = port_of(reserved)
        workers = [open_sockets.enter_context(listen(settings(port, host), shared=True)) for _ in range(4)]
        for _ in range(200):
            open_sockets.enter_context(socket.create_connection((host, port), 5))
        took: Counter[int] = Counter()
        for number, worker in enumerate(workers):
            worker.setblocking(False)
            took[number] = accepted(worker, open_sockets)
        assert took.total() == 200
        assert min(took.values()) > 200 / 4 / 3


def accepted(listening: socket.socket, open_sockets: Any) -> int:
    count = 0
    while True:
        try:
            connection, _ = listening.accept()
        except BlockingIOError:
            return count
        open_sockets.enter_context(connection)
        count += 1


def test_a_port_that_only_is_reserved_refuses() -> None:
    """Whoever connects goes elsewhere, and does not wait for a worker that is not there."""
    with reserve(settings()) as reserved, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port_of(reserved)), 5)


@pytest.mark.parametrize("theirs", ["alone", "shared"])
def test_a_port_that_others_have_is_refused(theirs: str) -> None:
    """Also where they share it among themselves: their customers are not ours."""
    with listen(settings(), shared=theirs == "shared") as other:
        for take in (reserve, listen):
            with pytest.raises(Conflict, match="port: cannot listen on"):
                take(settings(port_of(other)))
