"""`headgate serve --workers N`: a supervisor has the port and the data directory, and N workers take calls."""

import asyncio
import gc
import socket
from collections.abc import Sequence
from dataclasses import replace
from secrets import token_bytes

import structlog
import uvloop

from headgate.base.errors import HeadgateError
from headgate.bootstrap import open_gateway
from headgate.process.announcing import announce, log_facts
from headgate.process.first_start import first_start
from headgate.process.listening import listen, reserve
from headgate.process.logging import configure_logging
from headgate.process.master_key import load_master_keys
from headgate.process.signals import worker_stop_requested
from headgate.process.supervisor import Place, Supervisor
from headgate.process.told import tell
from headgate.process.until_stopped import take_calls
from headgate.process.worker_places import place_of, settle_left_behind
from headgate.settings import Settings
from headgate.telemetry.neighbours import Neighbours, page_sockets
from headgate.tenancy.vault import Vault

log = structlog.get_logger("headgate.process")


def run_workers(settings: Settings) -> int:
    """Until a signal says to stop; the exit code. The caller has the data directory to itself."""
    with reserve(settings) as reserved:
        settings = replace(settings, port=reserved.getsockname()[1])
        vault = Vault(load_master_keys(settings))
        pages, secret = page_sockets(settings.workers), token_bytes(32)
        gc.freeze()  # so that workers do not copy what none of them changes

        def work(place: Place) -> int:
            configure_logging(settings, worker=place.number)
            try:
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    return runner.run(_work(settings, vault, place, Neighbours(place.number, pages, secret)))
            except HeadgateError as error:
                return tell(error)

        supervisor = Supervisor(settings.workers, work, settings.drain_timeout_s, lambda: announce(settings))
        try:
            return supervisor.run()
        finally:
            _close(pages)


def _close(sockets: Sequence[socket.socket]) -> None:
    for each in sockets:
        each.close()


async def _work(settings: Settings, vault: Vault, place: Place, neighbours: Neighbours) -> int:
    """One worker, from its journal's replay to its last flush."""
    stop = worker_stop_requested(place.lifeline)
    if place.number == 1:
        await settle_left_behind(settings, vault)
    gateway = await open_gateway(place_of(settings, place.number), vault)
    try:
        if place.number == 1:
            await first_start(settings, gateway, ask=False)
            log_facts(settings, gateway)
        await neighbours.serve(gateway.metrics)
        with listen(settings, shared=True) as listening:
            code = await take_calls(settings, gateway, listening, stop, place.ready)
        await neighbours.close()
    finally:
        await gateway.close()
    log.info("stopped")
    return code
