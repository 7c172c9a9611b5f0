"""API keys through the API: shown once, changed at once, revoked for good."""

from typing import Any

import pytest

from headgate.base.errors import Unauthenticated
from headgate.tenancy import keys
from tests.support.administration import PEPPER, World, customer_key


async def test_a_key_is_shown_once(world: World) -> None:
    """Afterwards its mask only; what is stored is an HMAC."""
    key_id, text = await customer_key(world, "default")
    parsed = keys.parse(text)
    assert parsed is not None
    assert parsed.id == key_id
    shown = await world.call("GET", f"/v1/api-keys/{key_id}")
    listed = await world.call("GET", "/v1/api-keys")
    secret = text.split("_")[2]
    audit = "".join(entry.body for entry in await world.audit())
    assert not any(secret in each for each in (shown.body.decode(), listed.body.decode(), audit))
    assert shown.json["key"] == keys.mask(text)
    stored = await world.transactions.read(lambda stores: stores.api_keys.get(key_id))
    assert stored is not None
    assert stored.hash == keys.hash_key(text, PEPPER)


async def test_a_key_without_limits_has_the_shapes_the_sdk_takes(world: World) -> None:
    """`usage_limits` null, `rate_limits` a list, `defaults` an object, moments as text."""
    key_id, _ = await customer_key(world, "default", expires_at="2030-01-01T00:00:00Z")
    shown = await world.ok("GET", f"/v1/api-keys/{key_id}")
    assert shown["usage_limits"] is None
    assert shown["rate_limits"] == []
    assert shown["defaults"] == {"metadata": {}, "config_id": None, "allow_config_override": True}
    assert shown["expires_at"] == "2030-01-01T00:00:00.000Z"


async def test_a_change_applies_to_the_next_call(world: World) -> None:
    """Raised, replaced and cleared; a field that is not sent stays. The counter of a raised cap stays the same."""
    key_id, text = await customer_key(world, "default", usage_limits={"credit_limit": 1, "periodic_reset": "monthly"})
    (before,) = (await world.directory.authenticate(text)).allowances
    path = f"/v1/api-keys/{key_id}"
    raised = {"usage_limits": {"credit_limit": 2, "periodic_reset": "monthly"}, "id": key_id}
    assert await world.ok("PUT", path, raised) == {}
    (after,) = (await world.directory.authenticate(text)).allowances
    assert (before.id, before.cap, after.id, after.cap) == (after.id, 1_000_000_000, after.id, 2_000_000_000)
    await world.ok(
        "PUT", path, {"rate_limits": [{"type": "requests", "unit": "rps", "value": 0}], "usage_limits": None}
    )
    (rate,) = (await world.directory.authenticate(text)).allowances
    assert (rate.cap, rate.window.seconds) == (0, 1)
    assert (await world.ok("GET", path))["name"] == "customer"


async def test_a_reset_starts_the_budget_from_zero(world: World) -> None:
    """By naming another counter; a rate limit goes on as it is."""
    key_id, text = await customer_key(
        world,
        "default",
        usage_limits={"credit_limit": 1},
        rate_limits=[{"type": "requests", "unit": "rpm", "value": 1}],
    )
    budget, rate = (await world.directory.authenticate(text)).allowances
    await world.ok("PUT", f"/v1/api-keys/{key_id}", {"reset_usage": True})
    new_budget, same_rate = (await world.directory.authenticate(text)).allowances
    assert budget.id != new_budget.id
    assert rate == same_rate


async def test_a_revoked_key_is_refused_at_once_and_absent(world: World) -> None:
    """The next call with it is unauthenticated, with the words for a key that never was."""
    key_id, text = await customer_key(world, "default")
    await world.directory.authenticate(text)
    assert await world.ok("DELETE", f"/v1/api-keys/{key_id}") == {}
    with pytest.raises(Unauthenticated) as revoked:
        world.directory.lookup(text) or await world.directory.load(text)
    with pytest.raises(Unauthenticated) as unknown:
        await world.directory.authenticate(keys.mint(PEPPER).text)
    assert (revoked.value.message, revoked.value.code) == (unknown.value.message, unknown.value.code)
    assert (await world.call("GET", f"/v1/api-keys/{key_id}")).status == 404
    assert (await world.call("DELETE", f"/v1/api-keys/{key_id}")).status == 404
    assert (await world.ok("GET", "/v1/api-keys"))["total"] == 1


async def test_an_expired_key_says_so(world: World) -> None:
    """Code 01, from its moment on."""
    _, text = await customer_key(world, "default", expires_at="2027-01-15T08:01:00Z")
    await world.directory.authenticate(text)
    world.clock.move(60)
    with pytest.raises(Unauthenticated) as expired:
        await world.directory.authenticate(text)
    assert expired.value.code == "01"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"scopes": None}, "scopes"),
        ({"workspace_id": None}, "workspace_id"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59Z"}, "expires_at"),
        ({"tenant_id": ""}, "tenant_id"),
        ({"usage_limits": {"type": "cost"}}, "usage_limits.credit_limit"),
        ({"usage_limits": {"credit_limit": 1, "alert_threshold": 80}}, "usage_limits.alert_threshold"),
        ({"usage_limits": {"credit_limit": 1, "periodic_reset": "yearly"}}, "usage_limits.periodic_reset"),
        ({"rate_limits": [{"type": "cost", "unit": "rpm", "value": 1}]}, "rate_limits[0].type"),
        ({"rate_limits": [{"type": "requests", "unit": "rpm", "value": 1.5}]}, "rate_limits[0].value"),
        ({"defaults": {"metadata": {"k": None}}}, "defaults.metadata.k"),
    ],
)
async def test_a_bad_key_names_the_field(world: World, fields: dict[str, Any], param: str) -> None:
    """400, and no key was made."""
    body = {"name": "k", "workspace_id": "default", "scopes": ["completions.write"], **fields}
    reply = await world.call("POST", "/v1/api-keys/workspace/service", body)
    assert (reply.status, reply.json["error"]["param"]) == (400, param), reply.body
    assert (await world.ok("GET", "/v1/api-keys"))["total"] == 1


async def test_a_user_key_needs_its_user(world: World) -> None:
    """And says so."""
    body = {"name": "k", "workspace_id": "default", "scopes": []}
    reply = await world.call("POST", "/v1/api-keys/workspace/user", body)
    assert (reply.status, reply.json["error"]["param"]) == (400, "user_id")


async def test_an_admin_key_gives_what_it_has_and_calls(world: World) -> None:
    """One that is there to make customers' keys cannot make itself one that reads their logs, by none of the ways."""
    may = [f"workspace_service_api_keys.{verb}" for verb in ("create", "update", "rotate")]
    body = {"name": "onboarding", "scopes": may}
    onboarding = (await world.ok("POST", "/v1/api-keys/organisation/service", body))["key"]
    made = {"name": "k", "workspace_id": "default"}
    path = "/v1/api-keys/workspace/service"
    customer = await world.ok("POST", path, {**made, "scopes": ["completions.write", "models.list"]}, key=onboarding)
    reader, _ = await customer_key(world, "default", scopes=["completions.write", "logs.view"])
    wider = {"scopes": ["completions.write", "logs.view"]}
    for method, at, sent in (
        ("POST", path, {**made, **wider}),
        ("PUT", f"/v1/api-keys/{customer['id']}", wider),
        ("POST", f"/v1/api-keys/{reader}/rotate", {}),
    ):
        refused = await world.call(method, at, sent, key=onboarding)
        assert (refused.status, "`logs.view`" in refused.json["error"]["message"]) == (403, True), at
    assert (await world.call("POST", f"/v1/api-keys/{customer['id']}/rotate", {}, key=onboarding)).status == 200
