"""Providers that fail, and configs that know another one: what clients see, and that both books agree, call by call."""

import itertools
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.support.customer import Customer
from tests.support.gateway import simulated_providers
from tests.support.http import Answer

PROVIDERS = ("openai", "anthropic", "gemini")
UNBILLED = ("sim-500", "sim-429", "sim-529")
BILLED = ("sim-hang-up", "sim-bad-json")
_numbers = itertools.count()
BROKEN_OFF = ("sim-cut-after-one", "sim-cut-mid-line", "sim-cut-mid-stream", "sim-cut-mid-utf8")


def config(*models: str, **more: object) -> dict[str, object]:
    """Each target with its model, `@provider/model`, in this order."""
    return {
        "strategy": {"mode": "fallback"},
        "targets": [{"override_params": {"model": each}} for each in models],
        **more,
    }


def ask(
    customer: Customer,
    config: object,
    *,
    key: str = "",
    path: str = "/v1/chat/completions",
    model: str = "any",
    **more: object,
) -> Answer:
    body: dict[str, Any] = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "hello there"}]}
    headers = {"x-portkey-config": json.dumps(config)}
    return customer.gateway.post(path, {**body, **more}, key or customer.key, headers)


def asked_since(customer: Customer, before: int) -> list[str]:
    return [call.intent.model for call in customer.gateway.upstream_calls()[before:]]


def seen(customer: Customer) -> int:
    return len(customer.gateway.upstream_calls())


@pytest.fixture
def own(customer: Customer) -> dict[str, str]:
    """The slugs of integrations of this test's own, by provider: what others taught of health is not theirs."""
    number = next(_numbers)
    found = {}
    for provider in simulated_providers(customer.gateway.simulator):
        found[provider.slug] = slug = f"{provider.slug}-{os.getpid()}-{number}"
        mine = replace(provider, slug=slug, models=["sim-fast", "sim-flapping", *UNBILLED, *BILLED])
        customer.gateway.integrate(mine, [customer.workspace])
    return found


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("failing", PROVIDERS)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_another_provider_answers(
    customer: Customer, own: dict[str, str], path: str, failing: str, stream: bool
) -> None:
    """S08: whichever provider fails in whichever way before its first byte, the client has a whole answer, in its own
    format, and one record says what was tried."""
    first, after = own[failing], own[PROVIDERS[(PROVIDERS.index(failing) + 1) % len(PROVIDERS)]]
    for model in (*UNBILLED, *BILLED):
        if stream and model == "sim-bad-json":
            continue  # its first events are in order, and reach the client
        before = seen(customer)
        told = ask(customer, config(f"@{first}/{model}", f"@{after}/sim-fast"), path=path, stream=stream)
        assert (told.status, told.whole) == (200, True), told.body
        assert b"hello" in told.body
        assert asked_since(customer, before) == [model, "sim-fast"]
        record = customer.gateway.record(told.header("x-headgate-request-id"))
        assert (record["provider"], record["outcome"], record["attempts"]) == (after, "ok", 2)
        [earlier] = json.loads(record["earlier_attempts"])
        assert (earlier["provider"], earlier["model"]) == (first, model)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("model", BROKEN_OFF)
def test_what_the_client_has_seen_is_not_begun_again(customer: Customer, provider: str, model: str) -> None:
    """S07: the stream ends with the format's error event; no other provider is asked, and nothing says `[DONE]`."""
    before = seen(customer)
    told = ask(customer, config(f"@{provider}/{model}", "@openai/sim-fast"), stream=True)
    assert told.status == 200
    assert b"[DONE]" not in told.body
    assert told.events[-1][1]["error"]["message"]
    assert asked_since(customer, before) == [model]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_error_event_in_place_of_an_answer_is_fallen_back_from(customer: Customer, provider: str, path: str) -> None:
    """S07: 200, then an error: the client has seen nothing of it, in its provider's format and in another."""
    before = seen(customer)
    told = ask(customer, config(f"@{provider}/sim-error-at-once", "@gemini/sim-fast"), path=path, stream=True)
    assert (told.status, told.whole) == (200, True), told.body
    assert b"hello" in told.body
    assert asked_since(customer, before) == ["sim-error-at-once", "sim-fast"]
    [earlier] = json.loads(customer.gateway.record(told.header("x-headgate-request-id"))["earlier_attempts"])
    assert earlier["error"] == "provider_error_in_stream"


def test_an_error_event_is_tried_again_where_the_config_says_so(customer: Customer) -> None:
    """S07: as often as it says; after the last of them the client reads what the provider said, as it came."""
    before = seen(customer)
    told = ask(customer, {"retry": {"attempts": 1}}, model="@openai/sim-error-at-once", stream=True)
    assert (told.status, told.header("x-portkey-retry-attempt-count")) == (200, "1")
    assert told.events[-1][1]["error"]["message"]
    assert asked_since(customer, before) == ["sim-error-at-once"] * 2


def test_a_flapping_provider_is_tried_again_within_its_budget(customer: Customer, own: dict[str, str]) -> None:
    """S08: every second request fails. Every client has its answer, and what is tried again stays within a bound."""
    before = seen(customer)
    with ThreadPoolExecutor(8) as pool:
        flapping = config(f"@{own['openai']}/sim-flapping", f"@{own['anthropic']}/sim-fast", retry={"attempts": 2})
        told = list(pool.map(lambda _: ask(customer, flapping), range(40)))
    assert {answer.status for answer in told} == {200}
    asked = asked_since(customer, before)
    tries, calls = asked.count("sim-flapping"), 40
    assert tries <= calls + 10 + calls // 5, "beside the calls a bucket of ten, and a fifth of the calls"
    assert len(asked) == tries + sum(answer.header("x-portkey-provider") == "anthropic" for answer in told)
    traces = {answer.header("x-portkey-trace-id") for answer in told}
    assert len(traces) == 40


def test_a_provider_that_keeps_failing_is_left_alone(customer: Customer, own: dict[str, str]) -> None:
    """S27: after five failures in a row nobody is sent there who may go elsewhere, until it has rested."""
    before = seen(customer)
    down = config(f"@{own['gemini']}/sim-hang-up", f"@{own['openai']}/sim-fast")
    for _ in range(12):
        assert ask(customer, down).status == 200
    asked = asked_since(customer, before)
    assert asked.count("sim-hang-up") < 12
    assert asked[-2:] == ["sim-fast", "sim-fast"]


def test_a_slow_provider_does_not_slow_the_others(customer: Customer) -> None:
    """S27: thirty calls wait for one that never answers; those to another provider are as quick as ever, and the thirty
    are answered by another when their patience is over."""
    with ThreadPoolExecutor(30) as pool:
        slow = config("@openai/sim-stall", "@gemini/sim-fast", request_timeout=1_500)
        waiting = [pool.submit(ask, customer, slow) for _ in range(30)]
        began = time.monotonic()
        for _ in range(20):
            assert customer.gateway.chat(customer.key, "@anthropic/sim-fast").status == 200
        took = time.monotonic() - began
        assert {each.result().status for each in waiting} == {200}
    assert took < 10, "twenty calls in a row, beside thirty new connections, on a busy machine"


def test_one_customers_bad_calls_do_not_take_a_provider_from_another(customer: Customer) -> None:
    """S26: what a provider refuses because of the request tells nothing of its health; nor does a client's haste."""
    noisy = customer.gateway.key(customer.workspace)
    first = config("@openai/sim-fast", "@gemini/sim-fast")
    for _ in range(20):
        refused = ask(customer, {"retry": {"attempts": 0}}, key=noisy, model="@openai/sim-gone-model")
        assert refused.status in (404, 412)
        hasty = {**first, "targets": [{"override_params": {"model": "@openai/sim-stall"}}], "request_timeout": 1}
        assert ask(customer, hasty, key=noisy).status == 408
    told = ask(customer, first)
    assert (told.status, told.header("x-portkey-last-used-option-index")) == (200, "config.targets[0]")


def test_calls_are_shared_between_credentials_of_one_model(customer: Customer) -> None:
    """Where the config says so: in the shares it sets; and one that fails is left out soon."""

    def share(*targets: object) -> dict[str, object]:
        return {"strategy": {"mode": "loadbalance"}, "targets": list(targets)}

    two = share({"provider": "openai", "weight": 0.8}, {"provider": "gemini", "weight": 0.2})
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: ask(customer, two, model="sim-fast"), range(60)))
    served = [answer.header("x-portkey-provider") for answer in told]
    assert {answer.status for answer in told} == {200}
    assert 30 < served.count("openai") < 60


def test_a_silent_stream_is_kept_alive(customer: Customer) -> None:
    """S29: comments go to the client while the provider thinks; what it said is whole and unchanged."""
    for provider in PROVIDERS:
        answer = customer.gateway.chat(customer.key, f"@{provider}/sim-silence", stream=True)
        assert b": still working\n\n" in answer.body
        assert answer.events[-1][1] == "[DONE]"
