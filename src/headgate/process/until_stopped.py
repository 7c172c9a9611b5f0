"""A gateway that takes calls until it is asked to end."""

import asyncio
import gc
import select
import socket
from collections.abc import Callable
from typing import Final

import structlog

from headgate.base.tasks import Tasks
from headgate.bootstrap import Gateway, server_for
from headgate.process.listening import at_once
from headgate.process.signals import Stop
from headgate.settings import Settings

log = structlog.get_logger("headgate.process")

LINGER_S: Final = 0.5
"""Who was accepted last has so long to send a request, where others take the calls that come then."""


async def take_calls(
    settings: Settings, gateway: Gateway, listening: socket.socket, stop: Stop, ready: Callable[[], None]
) -> int:
    """From `ready` until `stop`, and then until all calls are over or the deadline is. The exit code."""
    server = server_for(gateway.app, settings)
    tasks = Tasks(lambda name, error: log.error("task failed", task=name, exc_info=error))
    serving = tasks.start(server.serve(sockets=at_once(listening)), "http server")
    begun = tasks.start(server.ready.wait(), "http server listens")
    await asyncio.wait((serving, begun), return_when=asyncio.FIRST_COMPLETED)
    _spare_the_collector()
    if server.ready.is_set():
        ready()
    stopping = tasks.start(stop.wait(), "stop signal")
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    log.info("draining", calls=gateway.data_plane.live, deadline_s=settings.drain_timeout_s)
    if stop.others_stay or settings.redis_url is not None:  # who is refused a connection goes to another process
        await _accepted(listening)
        server.stop_listening()
        await asyncio.sleep(LINGER_S)
        server.stop_accepting()
    await gateway.drain(settings.drain_timeout_s)
    server.stop_accepting()
    server.should_exit = True
    await asyncio.wait((serving,))
    failed = serving.exception() is not None
    await tasks.close()
    return 1 if failed else 0


async def _accepted(listening: socket.socket) -> None:
    """Returns when no connection waits to be accepted, or after a while: those that wait at the end are reset."""
    waiting = select.poll()
    waiting.register(listening, select.POLLIN)
    for _ in range(1_000):
        if not waiting.poll(0):
            return
        await asyncio.sleep(0)  # why: the server accepts a few at each turn of the loop


def _spare_the_collector() -> None:
    """What the start has made stays: the garbage collector need not look at it again and again.

    Calls make hardly any cycles, so it may also come less often; see docs/decisions/0006-garbage-collector.md.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
