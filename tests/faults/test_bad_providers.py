"""Providers that fail in every way the simulator knows: what the client is told, and that the books hold."""

import json
from typing import Any

import pytest

from tests.support.customer import Customer
from tests.support.http import Answer

PROVIDERS = ("openai", "anthropic", "gemini")
CLIENTS = ("chat", "messages")
REFUSALS = [("sim-500", 500, None), ("sim-429", 429, "7"), ("sim-529", 529, "3")]


def ask(customer: Customer, client: str, model: str, *, stream: bool = False) -> Answer:
    path = "/v1/messages" if client == "messages" else "/v1/chat/completions"
    body: dict[str, Any] = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "hello there"}]}
    return customer.gateway.post(path, {**body, "stream": stream}, customer.key)


def kind(answer: Answer, client: str) -> str:
    """The error's type, where the client's format has it."""
    told = answer.json
    assert told["error"]["message"]
    assert client != "messages" or told["type"] == "error"
    return str(told["error"]["type"])


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("model", "status", "after"), REFUSALS)
def test_a_providers_refusal_keeps_its_status(
    customer: Customer, provider: str, client: str, model: str, status: int, after: str | None
) -> None:
    """In the client's format, told apart from the gateway's own, and free."""
    for stream in (False, True):
        answer = ask(customer, client, f"@{provider}/{model}", stream=stream)
        assert (answer.status, answer.header("retry-after")) == (status, after)
        assert kind(answer, client)
        assert answer.header("x-headgate-source") == "provider"
        record = customer.gateway.record(answer.header("x-headgate-request-id"))
        assert (record["outcome"], record["cost"], record["usage"]) == ("provider_error", 0, {})


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("model", "status"),
    [("sim-stall", 408), ("sim-bad-json", 502), ("sim-cut-mid-stream", 502), ("sim-redirect", 502)],
)
def test_a_plain_answer_that_does_not_come(
    customer: Customer, provider: str, client: str, model: str, status: int
) -> None:
    """Silence, a body that is no JSON or breaks off, a redirect: the gateway says so, and counts what it may cost."""
    answer = ask(customer, client, f"@{provider}/{model}")
    assert answer.status == status, answer.body
    assert kind(answer, client)
    assert answer.header("x-headgate-source") == "gateway"
    record = customer.gateway.record(answer.header("x-headgate-request-id"))
    assert record["outcome"] == "upstream_failed"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "model", ["sim-cut-mid-stream", "sim-cut-mid-utf8", "sim-error-mid-stream", "sim-stall-mid-stream"]
)
def test_a_stream_that_breaks_ends_with_an_error_event(
    customer: Customer, provider: str, client: str, model: str
) -> None:
    """The client reads what came, then an error in its format; never an end that says all is well."""
    answer = ask(customer, client, f"@{provider}/{model}", stream=True)
    assert answer.status == 200
    answer.body.decode()
    assert b"[DONE]" not in answer.body
    assert b"message_stop" not in answer.body
    name, last = answer.events[-1]
    assert last["error"]["message"]
    assert name == ("error" if client == "messages" else "")
    record = customer.gateway.record(answer.header("x-headgate-request-id"))
    assert record["outcome"] == "upstream_failed"


@pytest.mark.parametrize("provider", ["anthropic", "gemini"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_stream_that_never_says_why_it_ended_is_not_whole(customer: Customer, provider: str, client: str) -> None:
    """HTTP ended as it should, the answer did not: an error event, and an estimate."""
    answer = ask(customer, client, f"@{provider}/sim-no-done", stream=True)
    assert answer.events[-1][1]["error"]["message"]
    assert customer.gateway.record(answer.header("x-headgate-request-id"))["outcome"] == "upstream_failed"


@pytest.mark.parametrize("client", CLIENTS)
def test_an_openai_stream_may_leave_out_its_done(customer: Customer, client: str) -> None:
    """Compatible servers do: the finish reason has said that the answer is whole, and the usage has come."""
    answer = ask(customer, client, "@openai/sim-no-done", stream=True)
    assert not any("error" in data for _, data in answer.events if isinstance(data, dict))
    record = customer.gateway.record(answer.header("x-headgate-request-id"))
    assert (record["outcome"], record["usage_source"]) == ("ok", "provider")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("stream", [False, True])
def test_usage_that_is_not_told_is_estimated(customer: Customer, provider: str, stream: bool) -> None:
    """The client has its answer; the record is marked, and no less than what was billed."""
    answer = ask(customer, "chat", f"@{provider}/sim-no-usage", stream=stream)
    assert answer.status == 200
    record = customer.gateway.record(answer.header("x-headgate-request-id"))
    assert (record["outcome"], record["usage_source"]) == ("ok", "estimated")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("model", ["sim-trickle", "sim-huge", "sim-long"])
def test_unusual_streams_come_through_whole(customer: Customer, provider: str, model: str) -> None:
    """Byte by byte, in pieces of 64 KiB, in a thousand events: the text is the provider's."""
    body = {"model": f"@{provider}/{model}", "max_tokens": 300_000, "stream": True}
    messages = [{"role": "user", "content": "hello there"}]
    answer = customer.gateway.post("/v1/chat/completions", {**body, "messages": messages}, customer.key)
    assert answer.whole
    chunks = [data for _, data in answer.events if isinstance(data, dict) and data["choices"]]
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    size = {"sim-trickle": 21, "sim-huge": 1024 * 1024, "sim-long": 16_000}[model]
    assert len(text) == size


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nothing_of_the_platform_goes_up_or_comes_down(customer: Customer, provider: str) -> None:
    """The provider sees its own credential and none of the client's headers; the client sees no header of the
    provider's that tells of the platform's account, and never the credential.
    """
    spying = {"x-customer-secret": "s3cret", "cookie": "session=1", "x-portkey-metadata": '{"a":"b"}'}
    path, body = "/v1/chat/completions", {"model": f"@{provider}/sim-reflect", "max_tokens": 4_000}
    messages = [{"role": "user", "content": "hello there"}]
    answer = customer.gateway.post(path, {**body, "messages": messages}, customer.key, spying)
    seen = json.loads(answer.json["choices"][0]["message"]["content"])
    assert f"upstream-secret-of-{provider}" in json.dumps(seen)
    assert customer.key not in json.dumps(seen)
    assert not {"x-customer-secret", "cookie", "x-portkey-metadata", "x-portkey-api-key"} & seen.keys()
    names = {name.lower() for name, _ in answer.headers}
    assert not {name for name in names if name.startswith(("x-reflected", "set-cookie", "openai-organization"))}


def test_a_redirect_is_never_followed(customer: Customer) -> None:
    """A credential goes to the origin it was stored for and nowhere else."""
    ask(customer, "chat", "@openai/sim-redirect")
    assert "redirected" not in {call.intent.dialect for call in customer.gateway.upstream_calls()}
