"""Alerts from end to end: calls through a real gateway, a receiver that is down, `kill -9`, and a restart."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from headgate.tenancy import keys
from tests.support.gateway import ADDRESS, Gateway, Provider
from tests.support.processes import running
from tests.support.receiver import Message
from tests.support.services import free_port

PATIENCE_S = 30.0


@contextmanager
def receiving(port: int) -> Iterator[list[Message]]:
    """What comes in on this port."""
    messages: list[Message] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            messages.append(Message(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield messages
        finally:
            server.shutdown()
            thread.join()


def wait_for(what: str, ready: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < deadline, f"{what} did not come to pass within {PATIENCE_S} s"
        time.sleep(0.05)  # why: another process brings it about


def test_what_was_crossed_before_a_kill_arrives_after_the_restart(tmp_path: Path) -> None:
    """Ten calls of a budget of ten, the receiver is down, the gateway is killed; after its restart every threshold
    arrives once, signed, and the calls from before the kill are told once."""
    admin_key = keys.mint(os.urandom(keys.PEPPER_BYTES)).text
    settings = {"HEADGATE_ADMIN_KEY": admin_key, "HEADGATE_ALLOW_PRIVATE_WEBHOOKS": "true"}
    data_dir, port = tmp_path / "data", free_port()
    serve = ("serve", "--port", "0", "--data-dir", data_dir)
    simulate = ("simulate", "--port", "0", "--journal", tmp_path / "simulator.journal")
    with running(simulate, tmp_path / "simulator.log", ADDRESS) as (_, upstream):

        def gateway_on(process: Any, url: str) -> Gateway:
            return Gateway(url, data_dir, admin_key, process, upstream[1], tmp_path / "simulator.journal")

        with running(serve, tmp_path / "first.log", ADDRESS, settings) as (process, address):
            gateway = gateway_on(process, address[1])
            workspace = gateway.workspace("alerts")
            gateway.integrate(Provider("openai", "openai", f"{upstream[1]}/v1", ["sim-fast"]), [workspace])
            webhook = gateway.admin("POST", "/admin/webhooks", {"url": f"http://127.0.0.1:{port}/hooks"})
            key = gateway.key(workspace, usage_limits={"type": "requests", "credit_limit": 10})
            for _ in range(9):
                assert gateway.chat(key, "@openai/sim-fast").status == 200
            path = f"/admin/webhooks/{webhook['id']}/deliveries"
            wait_for("two failed attempts", lambda: len(tried(gateway.admin("GET", path))) == 2)
            process.kill()
            process.wait()

        with (
            receiving(port) as messages,
            running(serve, tmp_path / "second.log", ADDRESS, settings) as (process, address),
        ):
            gateway = gateway_on(process, address[1])
            gateway.chat(key, "@openai/sim-fast")
            wait_for("four messages", lambda: len({message.id for message in messages}) == 4)
    told = sorted((message.json["type"], *message.json["data"]["thresholds"]) for message in messages)
    assert told == [
        ("budget.threshold_reached", "100%"),
        ("budget.threshold_reached", "80%"),
        ("budget.threshold_reached", "90%"),
        ("key.exhausted", "exhausted"),
    ]
    assert all(message.signed_with(webhook["secret"]) for message in messages)


def tried(listed: Any) -> list[Any]:
    return [each for each in listed["data"] if each["attempts"]]
