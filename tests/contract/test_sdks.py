"""Official SDKs against the running gateway, only `base_url` and `api_key` changed.

What a client gets does not depend on the provider behind it: the OpenAI SDK talks to Anthropic and Gemini, the
Anthropic SDK to OpenAI and Gemini. The upstream is the simulator, whose answers follow from the request.
"""

import json
from typing import Any

import pytest

from tests.support.customer import Customer
from tests.support.sdk import run_script

PROVIDERS = ("openai", "anthropic", "gemini")
ECHO = "You said: hello there"
CITIES = [{"city": "Oslo"}, {"city": "Lima"}]


def statuses(errors: dict[str, Any]) -> dict[str, int]:
    assert all(error["text"] for error in errors.values())
    return {name: error["status"] for name, error in errors.items()}


def decoded(calls: list[list[Any]]) -> list[tuple[str, Any]]:
    return [(name, json.loads(given) if isinstance(given, str) else given) for name, given in calls]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_openai(customer: Customer, provider: str) -> None:
    """Text, streams with and without usage, tools both ways, structure, and each error as the SDK's own class."""
    found = run_script("openai", "openai_sdk.py", **customer.arguments(provider))
    assert found["plain"] == {"text": ECHO, "finish": "stop", "input": 3, "output": 6}
    assert found["streamed"] == {"text": ECHO, "finish": "stop"}
    assert found["streamed_with_usage"] == found["plain"]
    assert decoded(found["tool_calls"]["calls"]) == [("get_weather", city) for city in CITIES]
    assert found["tool_calls"]["finish"] == "tool_calls"
    assert found["tool_calls"]["after"] == "You said: the weather in both cities?"
    assert decoded(found["streamed_tool_calls"]) == [("get_weather", city) for city in CITIES]
    assert json.loads(found["structured"]) == CITIES[0]
    expected = {"wrong key": 401, "unknown model": 404, "refused": 412, "overloaded": 529}
    assert statuses(found["errors"]) == expected
    if provider == "openai":
        assert found["others"]["response"] == ECHO
        assert found["others"]["response events"] == ["response.created", "response.completed"]
        assert found["others"]["vectors"] == 2
        assert "@openai/sim-fast" in found["others"]["models"]
        assert customer.refused not in found["others"]["models"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_anthropic(customer: Customer, provider: str) -> None:
    """The same through the Anthropic SDK, whose stream helper checks the order of the events."""
    found = run_script("anthropic", "anthropic_sdk.py", **customer.arguments(provider))
    assert found["plain"] == {"blocks": [ECHO], "stop": "end_turn", "output": 6}
    assert found["streamed"] == {"text": ECHO, "blocks": [ECHO], "stop": "end_turn", "output": 6}
    assert found["tool_calls"]["blocks"] == [["get_weather", city] for city in CITIES]
    assert found["tool_calls"]["stop"] == "tool_use"
    assert found["tool_calls"]["after"] == ["You said: the weather in both cities?"]
    assert found["streamed_tool_calls"] == [["get_weather", city] for city in CITIES]
    expected = {"wrong key": 401, "unknown model": 404, "refused": 412, "overloaded": 529}
    assert statuses(found["errors"]) == expected
    listed = found["models"]["ids"]
    assert f"@{provider}/sim-fast" in listed
    assert customer.refused not in listed
    assert found["models"] == {"ids": listed, "paged": listed, "first": [listed[0], "model"]}
    if provider == "anthropic":
        assert found["counted"] == 3


def test_portkey(customer: Customer) -> None:
    """Calls with a customer's key, whose placeholder bearer is no credential, and administration with the admin key."""
    more = {"admin_key": customer.gateway.admin_key, "workspace": customer.workspace}
    found = run_script("portkey-ai", "portkey_sdk.py", **customer.arguments("openai"), **more)
    assert found["plain"] == {"text": ECHO, "trace": True}
    assert found["streamed"] == ECHO
    assert found["with_provider_header"] == ECHO
    assert "@openai/sim-fast" in found["models"]
    assert statuses(found["errors"]) == {"wrong key": 401, "refused": 412, "failing": 529, "not an administrator": 403}
    administered = found["administration"]
    assert customer.workspace in administered["workspaces"]
    assert administered["text"] == ECHO
    assert "made by the sdk" in administered["listed"]
    assert administered["masked"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_langchain(customer: Customer, provider: str) -> None:
    """Text, stream and tools through LangChain, and its errors."""
    found = run_script("langchain-openai", "langchain_sdk.py", **customer.arguments(provider))
    assert found["plain"] == {"text": ECHO, "output": 6}
    assert found["streamed"] == ECHO
    assert found["tool_calls"] == [["get_weather", city] for city in CITIES]
    assert statuses(found["errors"]) == {"wrong key": 401, "refused": 412}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_pydantic_ai(customer: Customer, provider: str) -> None:
    """Agents with a tool, plain and streamed, over both of its clients."""
    arguments = {**customer.arguments(provider), "anthropic_model": f"@{provider}/sim-fast"}
    found = run_script("pydantic-ai", "pydantic_ai_sdk.py", **arguments)
    agent = {"plain": ECHO, "output": 6, "streamed": ECHO, "asked": ["Oslo"], "after": "You said: the weather?"}
    assert found["openai"] == agent
    assert found["anthropic"] == agent
    assert statuses(found["errors"]) == {"wrong key": 401, "refused": 412}


def test_every_call_of_an_sdk_is_in_both_books(customer: Customer) -> None:
    """What the simulator billed is what was recorded, call by call; of streams that were cut off, at least that."""
    before = customer.gateway.bills().keys()
    run_script("openai", "openai_sdk.py", **customer.arguments("anthropic"))
    for request_id, bill in customer.gateway.bills().items():
        if bill.usage and request_id not in before:
            record = customer.gateway.record(request_id)
            used = {meter: count for meter, count in record["usage"].items() if count}
            if record["usage_source"] == "estimated":
                assert record["outcome"] in ("cut", "client_gone")
                assert sum(used.values()) >= sum(bill.usage.values())
            else:
                assert used == bill.usage
