"""Portkey's open gateway: stateless, the provider in headers; so without keys, budgets or usage."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.installed import environment, node_environment
from bench.peers.subject import Subject
from bench.rig import MEASURED, free_port, process

VERSION = "1.15.2"


@contextmanager
def portkey(upstream: int) -> Iterator[Subject]:
    """In front of the mock on this port. Raises `CannotRun`."""
    place = node_environment("peer-portkey", f"@portkey-ai/gateway@{VERSION}")
    port = free_port()
    server = place / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    command: list[str | Path] = ["node", server, f"--port={port}", "--headless"]
    # why: its check of custom hosts lets a private one through only when the operator lists it
    trusted = environment(place, TRUSTED_CUSTOM_HOSTS="127.0.0.1,localhost")
    with process(command, MEASURED, port, trusted, quiet=True) as running:
        headers = {
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": f"http://127.0.0.1:{upstream}/v1",
            "Authorization": "Bearer upstream",
        }
        yield Subject("Portkey", VERSION, port, running.pid, "bench", headers)
