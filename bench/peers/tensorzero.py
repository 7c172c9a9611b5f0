"""TensorZero's embedded engine, served over HTTP by the function its own package tests with; observability off."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench.peers.installed import environment, python_environment
from bench.peers.subject import CannotRun, Subject
from bench.rig import MEASURED, free_port, process

VERSION = "2026.6.0"
CONFIGURATION = """
[gateway]
observability.enabled = false
[models.bench]
routing = ["mock"]
[models.bench.providers.mock]
type = "openai"
model_name = "bench"
api_base = "http://127.0.0.1:{upstream}/v1/"
api_key_location = "none"
"""
SERVER = """
import asyncio, socket, sys
from tensorzero import _start_http_gateway
async def main(configuration, told, port):
    nothing = dict(clickhouse_url=None, postgres_url=None, valkey_url=None)
    gateway = await _start_http_gateway(config_file=configuration, async_setup=True, **nothing)
    with open(told, "w") as file:
        file.write(gateway.base_url)
    ready = socket.create_server(("127.0.0.1", int(port)))
    await asyncio.Event().wait()
asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def tensorzero(upstream: int) -> Iterator[Subject]:
    """In front of the mock on this port. Raises `CannotRun`."""
    place = python_environment("peer-tensorzero", f"tensorzero=={VERSION}")
    ready = free_port()
    with tempfile.TemporaryDirectory() as folder:
        server, configuration, told = (Path(folder) / name for name in ("server.py", "tensorzero.toml", "url"))
        server.write_text(SERVER)
        configuration.write_text(CONFIGURATION.format(upstream=upstream))
        command: list[str | Path] = [place / "bin" / "python", server, configuration, told, str(ready)]
        with process(command, MEASURED, ready, environment(place), within_s=60, quiet=True) as running:
            url = urlsplit(told.read_text())
            if url.port is None:
                raise CannotRun(f"it told no port: {url.geturl()}")
            path = url.path.rstrip("/") + "/chat/completions"
            yield Subject("TensorZero", VERSION, url.port, running.pid, "tensorzero::model_name::bench", path=path)
