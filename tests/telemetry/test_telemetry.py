"""What an operator's tools see of a running gateway: its metrics and its traces, and nothing that is not theirs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.gateway import Gateway, simulated_providers, started
from tests.support.http import call
from tests.telemetry.collector import Collector, collecting

PROMPT = "canary-in-a-prompt"
CUSTOMER = "canary-customer"
PARENT = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Gateway]:
    environment = {"HEADGATE_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with started(tmp_path_factory.mktemp("telemetry"), environment) as running:
        for provider in simulated_providers(running.simulator):
            running.integrate(provider, ["default"])
        yield running


@pytest.fixture(scope="module")
def key(gateway: Gateway) -> str:
    return gateway.key("default", name=CUSTOMER)


def metrics(gateway: Gateway) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = call("GET", f"{gateway.url}/metrics")
    assert answer.status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


def total(found: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    return sum(value for (known, has), value in found.items() if known == name and labels.items() <= dict(has).items())


def test_calls_tokens_and_cost_are_counted(gateway: Gateway, key: str) -> None:
    """Each call once, under its endpoint, provider, model, status and outcome, with what was settled for it."""
    before = metrics(gateway)
    answer = gateway.chat(key, "@openai/sim-fast", PROMPT)
    assert answer.status == 200
    gone = gateway.chat(key, "@nowhere/sim-fast", PROMPT)
    assert gone.status == 404
    after = metrics(gateway)

    def grown(name: str, **labels: str) -> float:
        return total(after, name, **labels) - total(before, name, **labels)

    fast = {"model": "sim-fast", "provider": "openai"}
    usage = answer.json["usage"]
    assert grown("headgate_calls_total", **fast, status="200", outcome="ok") == 1
    assert grown("headgate_call_duration_seconds_count", **fast) == 1
    assert grown("headgate_first_byte_seconds_count", **fast) == 0, "this was no stream"
    assert grown("headgate_tokens_total", **fast, direction="input") == usage["prompt_tokens"]
    assert grown("headgate_tokens_total", **fast, direction="output") == usage["completion_tokens"]
    assert grown("headgate_cost_usd_total", **fast) == pytest.approx(float(answer.header("x-headgate-cost-usd") or 0))
    assert grown("headgate_refusals_total", status="404", code="provider_not_found") == 1
    assert grown("headgate_calls_total", outcome="refused", status="404") == 1
    assert total(after, "headgate_ready") == 1
    assert total(after, "headgate_holds") == 0
    assert total(after, "headgate_alert_deliveries", status="pending") == 0


def test_no_metric_names_a_customer(gateway: Gateway, key: str) -> None:
    """No key, tenant, workspace, prompt or credential is in a name or a label."""
    gateway.chat(key, "@openai/sim-fast", PROMPT)
    page = call("GET", f"{gateway.url}/metrics").body.decode()
    for canary in (CUSTOMER, PROMPT, key, "upstream-secret-of", gateway.admin_key):
        assert canary not in page


def test_metrics_are_for_this_machine(gateway: Gateway) -> None:
    """Behind a proxy, everybody would be on this machine: what was forwarded is refused, with the way out."""
    answer = call("GET", f"{gateway.url}/metrics", headers={"x-forwarded-for": "127.0.0.1"})
    assert (answer.status, answer.json["error"]["code"]) == (403, "metrics_closed")
    assert "HEADGATE_METRICS_TOKEN" in answer.json["error"]["message"]
    assert call("POST", f"{gateway.url}/metrics", {}).status == 405


def test_a_token_opens_the_metrics(tmp_path: Path) -> None:
    """Where one is set, nothing else does."""
    with started(tmp_path, {"HEADGATE_METRICS_TOKEN": "s3cret-token"}) as gateway:
        url = f"{gateway.url}/metrics"
        assert call("GET", url).status == 401
        assert call("GET", url, headers={"authorization": "Bearer wrong"}).status == 401
        headers = {"authorization": "Bearer s3cret-token", "x-forwarded-for": "203.0.113.9"}
        assert call("GET", url, headers=headers).status == 200


def test_a_call_is_a_span(gateway: Gateway, key: str, collector: Collector) -> None:
    """In the words of the GenAI conventions, below the client's own span, with its tokens and without its words."""
    headers = {"traceparent": f"00-{PARENT}-00f067aa0ba902b7-01"}
    body = {"model": "@anthropic/sim-fast", "max_tokens": 50, "messages": [{"role": "user", "content": PROMPT}]}
    answer = gateway.post("/v1/messages", body, key, headers)
    assert answer.status == 200
    have = 0
    while not (found := [span for span in collector.wait(have) if span["trace_id"] == PARENT]):
        have = len(collector.spans) + 1
    span = found[0]
    assert span["name"] == "chat sim-fast"
    assert span["parent"] == "00f067aa0ba902b7"
    assert span["gen_ai.provider.name"] == "anthropic"
    assert span["gen_ai.request.model"] == "@anthropic/sim-fast"
    assert span["gen_ai.usage.input_tokens"] == answer.json["usage"]["input_tokens"]
    assert span["gen_ai.usage.output_tokens"] == answer.json["usage"]["output_tokens"]
    assert span["headgate.request_id"] == answer.header("x-headgate-request-id")
    assert 0 < span["nanos"] < 10_000_000_000
    assert PROMPT not in repr(collector.spans)
