"""Streams that the gateway ends, because their budget is used up, read by official SDKs."""

import itertools

import pytest

from tests.support.customer import Customer
from tests.support.http import call
from tests.support.sdk import run_script

BUDGET_USD = 0.06
"""Of the 100,000 tokens that each call may take, 3,000 can be paid."""
WHOLE = 400_000
"""Characters of the provider's whole answer: megabytes of stream, more than can be under way when it is cut."""

_numbers = itertools.count(1)


def tight_key(customer: Customer) -> str:
    """The key of a tenant whose streams hold as they go."""
    name = f"tight-{next(_numbers)}"
    rules = {"streams": "adaptive", "first_hold_tokens": 2048}
    tenant = {"tenant_id": name, "name": name, "workspace_id": customer.workspace, "admission": rules}
    customer.gateway.admin("POST", "/admin/tenants", tenant)
    limits = {"usage_limits": {"credit_limit": BUDGET_USD}}
    return customer.gateway.key(customer.workspace, tenant_id=name, **limits)


def check_books(customer: Customer, key: str, characters: int) -> None:
    """Nothing is held any more, and what was delivered is used, a token for each character at the most."""
    answer = call("GET", f"{customer.gateway.url}/v1/limits", None, {"authorization": f"Bearer {key}"})
    [budget] = answer.json["data"]
    assert budget["held"] == 0
    assert budget["used"] >= min(characters * 20_000, budget["limit"])


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_the_openai_sdk_reads_an_answer_at_its_length_limit(customer: Customer, provider: str) -> None:
    """`finish_reason` is `length`, whatever provider is behind."""
    key = tight_key(customer)
    arguments = {"base_url": f"{customer.gateway.url}/v1", "key": key, "model": f"@{provider}/sim-long"}
    found = run_script("openai", "cut_openai.py", **arguments, format="chat")
    assert found["finish"] == "length"
    assert 0 < found["text"] < WHOLE
    check_books(customer, key, found["text"])


def test_the_openai_sdk_reads_an_incomplete_response(customer: Customer) -> None:
    """In the Responses API it is `incomplete`, for `max_output_tokens`."""
    key = tight_key(customer)
    arguments = {"base_url": f"{customer.gateway.url}/v1", "key": key, "model": "@openai/sim-long"}
    found = run_script("openai", "cut_openai.py", **arguments, format="response")
    assert (found["status"], found["finish"]) == ("incomplete", "max_output_tokens")
    assert 0 < found["text"] < WHOLE
    check_books(customer, key, found["text"])


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_the_anthropic_sdk_reads_an_answer_at_its_length_limit(customer: Customer, provider: str) -> None:
    """`stop_reason` is `max_tokens`, every block is closed, and there is usage."""
    key = tight_key(customer)
    arguments = {"base_url": f"{customer.gateway.url}/v1", "key": key, "model": f"@{provider}/sim-long"}
    found = run_script("anthropic", "cut_anthropic.py", **arguments)
    assert found["finish"] == "max_tokens"
    assert 0 < found["text"] < WHOLE
    check_books(customer, key, found["text"])
