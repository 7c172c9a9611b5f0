"""`headgate serve`, from the lock to the last flush."""

import asyncio
import socket
from dataclasses import replace

import structlog
import uvloop

from headgate.bootstrap import check_sharing, open_gateway
from headgate.process.announcing import announce, log_facts
from headgate.process.data_dir import DataDirLock
from headgate.process.first_start import first_start, preset_key
from headgate.process.listening import listen
from headgate.process.master_key import load_master_keys
from headgate.process.open_files import fitted
from headgate.process.signals import stop_requested
from headgate.process.until_stopped import take_calls
from headgate.process.worker_places import settle_left_behind
from headgate.process.workers import run_workers
from headgate.settings import Settings
from headgate.tenancy.vault import Vault

log = structlog.get_logger("headgate.process")


def run(settings: Settings) -> int:
    """Serve until a signal says to stop; the exit code. Raises `HeadgateError` where it cannot start."""
    # What is wrong stops a start before anything is made.
    preset_key(settings)
    check_sharing(settings)
    settings = fitted(settings)
    with DataDirLock.take(settings.data_dir):
        if settings.workers > 1:
            return run_workers(settings)
        with listen(settings) as listening:
            settings = replace(settings, port=listening.getsockname()[1])
            vault = Vault(load_master_keys(settings))
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(_serve(settings, vault, listening))


async def _serve(settings: Settings, vault: Vault, listening: socket.socket) -> int:
    await settle_left_behind(settings, vault)
    gateway = await open_gateway(settings, vault)
    try:
        await first_start(settings, gateway)
        stop = stop_requested()

        def ready() -> None:
            announce(settings)
            log_facts(settings, gateway)

        code = await take_calls(settings, gateway, listening, stop, ready)
    finally:
        await gateway.close()
    log.info("stopped")
    return code
