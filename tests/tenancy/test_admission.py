"""Admission rules: what can be said, and whose counts."""

from typing import Any

import pytest

from headgate.base.errors import InvalidRequest
from headgate.base.usage import INPUT, OUTPUT
from headgate.catalog.price import Price
from headgate.tenancy.admission import BY_DEFAULT, Streams, Unpriced, admission
from headgate.tenancy.admission_rules import admission_rules, shown

PRICES = {"pay_as_you_go": {"request_token": {"price": 0.001}, "response_token": {"price": 0.002}}}
EVERYTHING = {
    "clamp_min_output": 64,
    "hold_wait_ms": 250,
    "streams": "adaptive",
    "first_hold_tokens": 2048,
    "unpriced": "allow",
}


def test_without_rules_nothing_gives_way() -> None:
    """No clamp, no waiting, whole holds, no free models."""
    assert admission() == admission({}, {}) == BY_DEFAULT
    assert (BY_DEFAULT.clamp_min_output, BY_DEFAULT.hold_wait_ms) == (None, 0)
    assert (BY_DEFAULT.streams, BY_DEFAULT.unpriced) == (Streams.STRICT, Unpriced.REFUSE)


def test_each_rule_is_the_nearest_owners() -> None:
    """Tenant over workspace over organization, rule by rule; a null takes a clamp away again."""
    organization = admission_rules({"clamp_min_output": 100, "hold_wait_ms": 100, "streams": "adaptive"})
    workspace = admission_rules({"hold_wait_ms": 200, "streams": "strict"})
    tenant = admission_rules({"clamp_min_output": None})
    found = admission(organization, workspace, tenant)
    assert (found.clamp_min_output, found.hold_wait_ms, found.streams) == (None, 200, Streams.STRICT)


def test_a_fallback_price_is_written_like_any_other() -> None:
    """In US cents per token, as the contract has it; kept as integers, and shown as it was written."""
    rules = admission_rules({"unpriced": PRICES})
    found = admission(rules).unpriced
    assert isinstance(found, Price)
    assert (found.rates.rate(INPUT), found.rates.rate(OUTPUT)) == (10_000_000_000, 20_000_000_000)
    units = shown(rules)["unpriced"]["pay_as_you_go"]
    assert {unit: float(each["price"]) for unit, each in units.items()} == {
        "request_token": 0.001,
        "response_token": 0.002,
    }


def test_everything_comes_back_as_it_was_written() -> None:
    """What is read can be sent again."""
    assert shown(admission_rules(EVERYTHING)) == EVERYTHING
    assert admission_rules(None) == {}


@pytest.mark.parametrize(
    ("value", "param"),
    [
        ("strict", "admission"),
        ({"clamp": 1}, "admission.clamp"),
        ({"clamp_min_output": 0}, "admission.clamp_min_output"),
        ({"hold_wait_ms": -1}, "admission.hold_wait_ms"),
        ({"hold_wait_ms": 60_001}, "admission.hold_wait_ms"),
        ({"hold_wait_ms": 1.5}, "admission.hold_wait_ms"),
        ({"hold_wait_ms": True}, "admission.hold_wait_ms"),
        ({"streams": "loose"}, "admission.streams"),
        ({"streams": None}, "admission.streams"),
        ({"streams": ["strict"]}, "admission.streams"),
        ({"first_hold_tokens": 10}, "admission.first_hold_tokens"),
        ({"unpriced": "free"}, "admission.unpriced"),
        ({"unpriced": {"pay_as_you_go": {}}}, "admission.unpriced.pay_as_you_go"),
        ({"unpriced": {"pay_as_you_go": {"smiles": {"price": 1}}}}, "admission.unpriced.pay_as_you_go.smiles"),
    ],
)
def test_what_cannot_be_is_refused_by_name(value: Any, param: str) -> None:
    """A misspelt rule too: it must not be taken for one that is in force."""
    with pytest.raises(InvalidRequest) as refused:
        admission_rules(value)
    assert refused.value.param == param
