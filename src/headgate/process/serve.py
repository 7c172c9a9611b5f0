"""`headgate serve`, from the lock to the last flush."""

import asyncio
import gc
import socket
from importlib.metadata import version

import structlog
import uvloop

from headgate.base.errors import Conflict
from headgate.base.tasks import Tasks
from headgate.bootstrap import Gateway, open_gateway, server_for
from headgate.process.data_dir import DataDirLock
from headgate.process.first_start import first_start, preset_key
from headgate.process.master_key import load_master_keys
from headgate.process.signals import stop_requested
from headgate.settings import BadSetting, Settings
from headgate.tenancy.vault import Vault

log = structlog.get_logger("headgate.process")

BACKLOG = 2048


def run(settings: Settings) -> int:
    """Serve until a signal says to stop; the exit code. Raises `HeadgateError` where it cannot start."""
    # What is wrong stops a start before anything is made.
    preset_key(settings)
    if settings.workers > 1:
        raise BadSetting(
            "workers: this version decides in one process; several cannot share allowances yet.", param="workers"
        )
    if settings.redis_url is not None:
        raise BadSetting(
            "redis_url: this version does not share allowances between processes yet, and would let each spend them "
            "whole. Leave it out, and run one process.",
            param="redis_url",
        )
    with DataDirLock.take(settings.data_dir), _listen(settings) as listening:
        vault = Vault(load_master_keys(settings))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(settings, vault, listening))


def _listen(settings: Settings) -> socket.socket:
    """Bound before anything is opened, so that a taken port changes nothing."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Conflict(
            f"port: cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Name another with --host and --port.",
            param="port",
        ) from None


async def _serve(settings: Settings, vault: Vault, listening: socket.socket) -> int:
    gateway = await open_gateway(settings, vault)
    try:
        await first_start(settings, gateway)
        stop = stop_requested()
        server = server_for(gateway.app, settings)
        tasks = Tasks(lambda name, error: log.error("task failed", task=name, exc_info=error))
        serving = tasks.start(server.serve(sockets=[listening]), "http server")
        _announce(settings, listening, gateway)
        _spare_the_collector()
        stopping = tasks.start(stop.wait(), "stop signal")
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        log.info("draining", calls=gateway.data_plane.live, deadline_s=settings.drain_timeout_s)
        await gateway.drain(settings.drain_timeout_s)
        server.stop_accepting()
        server.should_exit = True
        await asyncio.wait((serving,))
        failed = serving.exception() is not None
        await tasks.close()
    finally:
        await gateway.close()
    log.info("stopped")
    return 1 if failed else 0


def _spare_the_collector() -> None:
    """What the start has made stays: the garbage collector need not look at it again and again.

    Calls make hardly any cycles, so it may also come less often; see docs/decisions/0006-garbage-collector.md.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _announce(settings: Settings, listening: socket.socket, gateway: Gateway) -> None:
    port = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{port}"
    print(
        f"Headgate {version('headgate')} listens on {url}\n\n"
        f'    curl {url}/v1/chat/completions -H "Authorization: Bearer $KEY" \\\n'
        '      -d \'{"model": "@openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}\'\n',
        flush=True,
    )
    facts = gateway.database.facts()
    for warning in facts.warnings:
        log.warning(warning)
    log.info("listening", url=url, data_dir=str(settings.data_dir), database=f"{facts.engine} {facts.version}")
