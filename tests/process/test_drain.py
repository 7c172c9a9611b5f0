"""The end of a server: calls under way are finished or told, and every one of them is in the books."""

import http.client
import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.gateway import ADDRESS, Gateway, simulated_providers, started, usage_records
from tests.support.http import Answer, call
from tests.support.processes import running


def key_for(gateway: Gateway) -> str:
    """A key that may call the simulator as OpenAI."""
    workspace = gateway.workspace("draining")
    gateway.integrate(simulated_providers(gateway.simulator)[0], [workspace])
    return gateway.key(workspace)


@contextmanager
def stream(gateway: Gateway, key: str, model: str) -> Iterator[http.client.HTTPResponse]:
    """A streamed call of which the first event has arrived."""
    parts = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    body = {
        "model": f"@openai/{model}",
        "max_tokens": 200,
        "stream": True,
        "messages": [{"role": "user", "content": "hi"}],
    }
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Authorization": f"Bearer {key}"})
        with connection.getresponse() as answer:
            assert answer.status == 200
            assert answer.readline().startswith(b"data: ")
            yield answer
    finally:
        connection.close()


def not_ready(gateway: Gateway) -> Answer:
    """The first answer of `/readyz` that is not 200."""
    pause = threading.Event()
    for _ in range(500):
        if (answer := call("GET", f"{gateway.url}/readyz")).status != 200:
            return answer
        pause.wait(0.01)
    raise AssertionError("still ready after five seconds")


def test_a_stream_that_ends_in_time_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """SIGTERM: not ready, new calls refused with `draining`, the running stream whole, exit 0, the call on record."""
    with started(tmp_path) as gateway:
        key = key_for(gateway)
        with stream(gateway, key, "sim-slow") as running_stream:
            gateway.process.send_signal(signal.SIGTERM)
            assert not_ready(gateway).json == {"status": "draining"}
            assert call("GET", f"{gateway.url}/healthz").status == 200
            refused = gateway.chat(key, "@openai/sim-fast")
            assert (refused.status, refused.json["error"]["code"]) == (503, "draining")
            assert running_stream.read().rstrip().endswith(b"data: [DONE]")
            request_id = running_stream.headers["x-headgate-request-id"]
        assert gateway.process.wait(20) == 0
    (record,) = usage_records(gateway.data_dir).values()
    assert (record["request_id"], record["outcome"], record["usage_source"]) == (request_id, "ok", "provider")


def test_a_stream_that_does_not_end_in_time_is_told(tmp_path: Path) -> None:
    """At the deadline it gets an error event of its own format, and an end; exit 0, and the call is in the books."""
    with started(tmp_path, {"HEADGATE_DRAIN_TIMEOUT_S": "0.3"}) as gateway:
        with stream(gateway, key_for(gateway), "sim-stall-mid-stream") as running_stream:
            gateway.process.send_signal(signal.SIGTERM)
            events = [line for line in running_stream.read().split(b"\n") if line.startswith(b"data: ")]
            error = next(json.loads(line[6:])["error"] for line in events if b'"error"' in line)
            assert error["code"] == "draining"
        assert gateway.process.wait(20) == 0
    (record,) = usage_records(gateway.data_dir).values()
    assert record["outcome"] == "cut"
    assert record["cost"] > 0


def test_a_second_signal_ends_at_once_and_the_next_start_settles(tmp_path: Path) -> None:
    """Who insists is obeyed: no deadline is waited for. What was held is settled by the next start, as `recovered`."""
    with started(tmp_path, {"HEADGATE_DRAIN_TIMEOUT_S": "3600"}) as gateway:
        with stream(gateway, key_for(gateway), "sim-stall-mid-stream") as running_stream:
            request_id = running_stream.headers["x-headgate-request-id"]
            gateway.process.send_signal(signal.SIGTERM)
            not_ready(gateway)
            gateway.process.send_signal(signal.SIGTERM)
            assert gateway.process.wait(10) == -signal.SIGTERM
        assert usage_records(gateway.data_dir) == {}
        again = ("serve", "--port", "0", "--data-dir", str(gateway.data_dir))
        with running(again, tmp_path / "again.log", ADDRESS) as (process, _):
            assert isinstance(process, subprocess.Popen)
            (record,) = usage_records(gateway.data_dir).values()
    assert (record["request_id"], record["outcome"], record["usage_source"]) == (request_id, "recovered", "estimated")
    assert record["cost"] > 0
