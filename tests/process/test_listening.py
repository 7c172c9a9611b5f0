"""The port: of one process, and of several workers."""

import asyncio
import socket
from collections import Counter
from contextlib import ExitStack
from typing import Any

import pytest
import uvloop

from headgate.base.errors import Conflict
from headgate.process.listening import at_once, listen, reserve
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


def test_a_crowd_is_taken_in_a_few_turns_of_the_event_loop() -> None:
    """Not one client at each, which with many calls under way would have the last ones wait for seconds."""
    clients, turns = 64, 0

    async def take(listening: socket.socket) -> None:
        nonlocal turns
        loop, taken = asyncio.get_running_loop(), list[asyncio.BaseTransport]()

        class Client(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                taken.append(transport)

        servers = [await loop.create_server(Client, sock=each) for each in at_once(listening)]
        while len(taken) < clients:
            await asyncio.sleep(0)
            turns += 1
        for transport in taken:
            transport.close()
        for server in servers:
            server.close()

    with listen(settings()) as listening, ExitStack() as crowd:
        for _ in range(clients):
            crowd.enter_context(socket.create_connection(("127.0.0.1", port_of(listening)), 5))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(take(listening))
    assert turns <= clients // 2


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
