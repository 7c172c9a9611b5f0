"""nginx in front: streams pass as they come and through long silences, with our configuration and a stock one."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.gateway import Gateway, simulated_providers, started
from tests.support.http import call
from tests.support.nginx import NGINX, nginx, ours
from tests.support.processes import end
from tests.support.services import free_port

pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx on this machine")

READ_TIMEOUT_S = 1
HEARTBEAT_S = 0.3
ENOUGH = round(3 * READ_TIMEOUT_S / HEARTBEAT_S)
"""Heartbeats come twice in that time at most, so these take longer than nginx waits."""
STOCK = "server { listen 127.0.0.1:PORT; location / { proxy_pass http://GATEWAY; proxy_read_timeout WITHIN; } }"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    quick = {
        "HEADGATE_HEARTBEAT_S": str(HEARTBEAT_S),
        "HEADGATE_READ_AFTER_HANGUP_S": "0",
        "HEADGATE_DRAIN_TIMEOUT_S": "0",
    }
    with started(tmp_path_factory.mktemp("behind"), quick) as behind:
        yield behind


@pytest.fixture(scope="module")
def key(gateway: Gateway) -> str:
    workspace = gateway.workspace("behind")
    gateway.integrate(simulated_providers(gateway.simulator)[0], [workspace])
    return gateway.key(workspace)


def address(url: str) -> str:
    return urlsplit(url).netloc


def stock(gateway: str, within: str = f"{READ_TIMEOUT_S}s") -> str:
    """What a beginner writes, but for the time that nginx waits: 60 s are too long for a test."""
    return STOCK.replace("GATEWAY", gateway).replace("WITHIN", within)


def half_a_stream(url: str, key: str) -> tuple[int, int]:
    """The provider sends half of its answer and falls silent: how many events came, and how many heartbeats, until a
    silence of several read timeouts had passed or the stream was cut. Raises `TimeoutError` if nothing comes."""
    parts = urlsplit(url)
    body = {"model": "@openai/sim-stall-mid-stream", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)) as connection:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        with connection.getresponse() as answer:
            assert answer.status == 200
            came = b""
            with suppress(http.client.IncompleteRead):
                while came.count(b"\n:") < ENOUGH and (part := answer.read1(65_536)):
                    came += part
    return came.count(b"data: {"), came.count(b"\n:")


def test_streams_pass_with_our_configuration(gateway: Gateway, key: str, tmp_path: Path) -> None:
    """What the provider has said is there while it is silent."""
    with nginx(tmp_path / "nginx", ours(address(gateway.url))) as url:
        events, beats = half_a_stream(url, key)
    assert (events >= 5, beats) == (True, ENOUGH)


def test_streams_pass_a_stock_nginx(gateway: Gateway, key: str, tmp_path: Path) -> None:
    """It speaks HTTP/1.0 to the gateway, and gives up after its read timeout, but for the heartbeats."""
    with nginx(tmp_path / "nginx", stock(address(gateway.url))) as url:
        events, beats = half_a_stream(url, key)
    assert (events >= 5, beats) == (True, ENOUGH)


def test_without_heartbeats_it_would_give_up(gateway: Gateway, key: str, tmp_path: Path) -> None:
    """The test above would notice: where nginx waits less than from one heartbeat to the next, it cuts the stream."""
    with nginx(tmp_path / "nginx", stock(address(gateway.url), "50ms")) as url:
        events, beats = half_a_stream(url, key)
    assert (events >= 5, beats) == (True, 0)


def test_a_gateway_that_ends_takes_no_call_with_it(gateway: Gateway, tmp_path: Path) -> None:
    """Of two, one is told to end: every call that comes then goes to the other. Metrics are not shown."""
    with started(tmp_path, {"HEADGATE_ADMIN_KEY": gateway.admin_key}) as second:
        gone = f"127.0.0.1:{free_port()}"
        servers = ours(address(gateway.url), address(second.url), gone)
        with nginx(tmp_path / "nginx", servers) as url:
            headers = {"x-portkey-api-key": gateway.admin_key}
            assert [call("GET", f"{url}/v1/admin/workspaces", headers=headers).status for _ in range(20)] == [200] * 20
            assert end(second.process) == 0
            assert [call("GET", f"{url}/v1/admin/workspaces", headers=headers).status for _ in range(20)] == [200] * 20
            assert call("GET", f"{url}/metrics").status == 404
