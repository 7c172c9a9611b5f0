"""Runs the simulator under uvicorn, on one port of this machine."""

import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import uvicorn

from headgate.simulator.app import Simulator, create_app
from headgate.simulator.deliveries import Pacing
from headgate.simulator.journal import Journal

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8788
_GRACE_S = 1


def run(
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    journal_path: Path | str = "simulator.journal",
    *,
    pacing: Pacing | None = None,
    credential: str | None = None,
    aliases: Mapping[str, str] | None = None,
    tell: Callable[[str], None] = print,
) -> None:
    """Serve until SIGINT or SIGTERM. Port 0 takes a free one; `tell` gets one line with the address once it listens.

    Raises `OSError` if the address is taken or the journal cannot be written.
    """
    with Journal(journal_path) as journal, _listen(host, port) as listening:
        app = create_app(journal, pacing, credential=credential, aliases=aliases)
        tell(f"simulator listening on http://{host}:{listening.getsockname()[1]}, journal {journal.path}")
        server_for(app).run(sockets=[listening])


def server_for(app: Simulator) -> uvicorn.Server:
    """The server, not yet running: `run(sockets=[...])` blocks until `should_exit` is set or a signal comes."""
    config = uvicorn.Config(
        app,
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="critical",  # hanging up in mid-answer is what some models are for
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return uvicorn.Server(config)


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.create_server(
        (host, port), backlog=2048, family=socket.AF_INET6 if ":" in host else socket.AF_INET
    )
    listening.setblocking(False)
    return listening
