"""Providers through the API: one integration under several names, each with limits and an end of its own."""

from typing import Any

import pytest

from headgate.base.errors import Unauthenticated
from headgate.ledger.allowance import Resource
from headgate.routing.resolve import allowed_models, resolve
from headgate.tenancy.policy import Policy
from tests.support.administration import CATALOG, World, customer_key

SECRET = "sk-never-to-be-seen-again-0001"
PRODUCER = ["providers.create", "providers.read", "providers.update", "providers.delete", "providers.list"]


async def _integrate(world: World, *workspaces: str, slug: str = "openai") -> None:
    body = {"name": slug, "slug": slug, "ai_provider_id": "openai", "key": SECRET}
    await world.ok("POST", "/v1/integrations", body)
    access = {"workspaces": [{"id": each, "enabled": True} for each in workspaces]}
    await world.ok("PUT", f"/v1/integrations/{slug}/workspaces", access)


async def _second_workspace(world: World) -> str:
    slug: str = (await world.ok("POST", "/v1/admin/workspaces", {"name": "second"}))["slug"]
    return slug


async def _manager(world: World, workspace: str) -> str:
    body = {"name": "manager", "workspace_id": workspace, "scopes": PRODUCER}
    key: str = (await world.ok("POST", "/v1/api-keys/workspace/service", body))["key"]
    return key


async def _policy(world: World, workspace: str = "default") -> Policy:
    _, text = await customer_key(world, workspace)
    return await world.directory.authenticate(text)


async def _make(world: World, **fields: Any) -> dict[str, Any]:
    body = {"name": "Batch", "integration_id": "openai", "workspace_id": "default", **fields}
    made: dict[str, Any] = await world.ok("POST", "/v1/providers", body)
    return made


async def test_provisioning_makes_the_first_one(world: World) -> None:
    """Under the integration's slug, or the one that is chosen; none where none is wanted."""
    await _integrate(world, "default")
    listed = await world.ok("GET", "/v1/providers?current_page=0&page_size=50&workspace_id=default")
    assert (listed["object"], listed["total"]) == ("list", 1)
    assert {"slug": "openai", "integration_id": "openai", "status": "active", "object": "provider"}.items() <= (
        listed["data"][0].items()
    )
    other = await _second_workspace(world)
    entry = {"id": other, "enabled": True, "create_default_provider": False}
    await world.ok("PUT", "/v1/integrations/openai/workspaces", {"workspaces": [entry]})
    assert (await world.ok("GET", f"/v1/providers?workspace_id={other}"))["total"] == 0
    entry |= {"create_default_provider": True, "default_provider_slug": "mine"}
    await world.ok("PUT", "/v1/integrations/openai/workspaces", {"workspaces": [entry]})
    assert [each["slug"] for each in (await world.ok("GET", f"/v1/providers?workspace_id={other}"))["data"]] == ["mine"]


async def test_limits_of_its_own_come_beside_those_of_the_integration(world: World) -> None:
    """A call to the one name meets both; a call to the other name only the integration's."""
    await _integrate(world, "default")
    access = {"id": "default", "enabled": True, "usage_limits": [{"credit_limit": 9}]}
    await world.ok("PUT", "/v1/integrations/openai/workspaces", {"workspaces": [access]})
    made = await _make(
        world,
        slug="batch",
        note="for the night",
        usage_limits={"credit_limit": 5, "type": "cost"},
        rate_limits={"type": "requests", "unit": "rpm", "value": 3},
    )
    assert made["slug"] == "batch"
    policy = await _policy(world)
    own = [(each.scope.kind, each.resource, each.cap) for each in policy.providers["batch"].allowances]
    assert own == [
        ("integration", Resource.COST, 9_000_000_000),
        ("provider", Resource.COST, 5_000_000_000),
        ("provider", Resource.REQUESTS, 3),
    ]
    shared, default = policy.providers["batch"].allowances[0], policy.providers["openai"].allowances
    assert [each.id for each in default] == [shared.id]
    assert policy.providers["batch"].secret.reveal() == SECRET


async def test_it_is_shown_as_the_sdk_reads_it(world: World) -> None:
    """`rate_limits` an object in a list and an array on its own, `usage_limits` an object in both; no credential."""
    await _integrate(world, "default")
    rate = {"type": "tokens", "unit": "rpd", "value": 7}
    limits = {"usage_limits": {"credit_limit": 5}, "rate_limits": [rate]}
    await _make(world, slug="batch", expires_at="2030-01-01T00:00:00Z", **limits)
    listing = await world.call("GET", "/v1/providers?workspace_id=default")
    listed = listing.json["data"][1]
    assert (listed["rate_limits"], listed["rate_limits_list"]) == (rate, [rate])
    shown = await world.call("GET", "/v1/providers/batch?workspace_id=default")
    assert shown.json["rate_limits"] == [rate]
    for each in (listed, shown.json):
        assert {"type": "cost", "credit_limit": 5, "current_usage": 0, "remaining": 5}.items() <= (
            each["usage_limits"].items()
        )
        assert (each["expires_at"], each["note"], each["reset_usage"]) == ("2030-01-01T00:00:00.000Z", "", False)
    assert SECRET.encode() not in listing.body + shown.body


async def test_what_is_sent_is_changed_and_null_clears(world: World) -> None:
    """The name under which models are addressed stays; a reset begins a new count."""
    await _integrate(world, "default")
    await _make(world, slug="batch", usage_limits={"credit_limit": 5}, expires_at="2030-01-01T00:00:00Z")
    before = (await _policy(world)).providers["batch"].allowances[0]
    assert (await world.ok("PUT", "/v1/providers/batch?workspace_id=default", {"reset_usage": True}))["slug"] == "batch"
    after = (await _policy(world)).providers["batch"].allowances[0]
    assert (before.cap, after.cap) == (5_000_000_000, 5_000_000_000)
    assert (before.id != after.id, after.since > before.since) == (True, True)
    cleared = {"usage_limits": None, "expires_at": None, "note": "later", "name": None}
    await world.ok("PUT", "/v1/providers/batch", cleared)
    shown = await world.ok("GET", "/v1/providers/batch")
    assert (shown["usage_limits"], shown["expires_at"], shown["note"], shown["name"]) == (None, None, "later", "Batch")
    await world.ok("DELETE", "/v1/providers/batch")
    assert set((await _policy(world)).providers) == {"openai"}


async def test_after_its_end_nothing_goes_there(world: World) -> None:
    """Refused in words that say which of the two has expired; not listed any more; the other name goes on."""
    await _integrate(world, "default")
    await _make(world, slug="batch", expires_at="2027-01-15T09:00:00Z")
    policy, before = await _policy(world), world.clock.now()
    world.clock.move(7_200)
    now = world.clock.now()
    assert resolve(policy, CATALOG, "@batch/gpt-4o", None, "openai_chat", before).first.provider.slug == "batch"
    with pytest.raises(Unauthenticated, match="`@batch` has expired") as refused:
        resolve(policy, CATALOG, "@batch/gpt-4o", None, "openai_chat", now)
    assert refused.value.type == "virtual_key_expired_error"
    assert {provider.slug for provider, _ in allowed_models(policy, CATALOG, now)} == {"openai"}
    assert resolve(policy, CATALOG, "gpt-4o", None, "openai_chat", now).first.provider.slug == "openai"
    assert (await world.ok("GET", "/v1/providers/batch"))["status"] == "expired"


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"slug": "openai"}, 409, "slug"),
        ({"slug": "a/b"}, 400, "slug"),
        ({"integration_id": "no-such"}, 404, None),
        ({"workspace_id": None}, 400, "workspace_id"),
        ({"workspace_id": "second"}, 400, "integration_id"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, 400, "expires_at"),
        ({"usage_limits": {"credit_limit": -1}}, 400, "usage_limits.credit_limit"),
        ({"rate_limits": {"type": "requests", "unit": "rpx", "value": 1}}, 400, "rate_limits.unit"),
    ],
)
async def test_a_bad_provider_names_the_field(world: World, fields: dict[str, Any], status: int, param: str) -> None:
    """And the way out; nothing is made."""
    await _integrate(world, "default")
    await _second_workspace(world)
    body = {"name": "Batch", "integration_id": "openai", "workspace_id": "default", **fields}
    reply = await world.call("POST", "/v1/providers", body)
    assert (reply.status, reply.json["error"]["param"]) == (status, param), reply.body
    assert (await world.ok("GET", "/v1/providers"))["total"] == 1


async def test_a_workspace_key_is_kept_to_its_workspace(world: World) -> None:
    """It makes providers there, on integrations that workspace has; others' are absent, to the letter."""
    await _integrate(world, "default")
    await _integrate(world, await _second_workspace(world), slug="theirs")
    manager = await _manager(world, "default")
    made = await world.ok("POST", "/v1/providers", {"name": "Mine", "integration_id": "openai"}, key=manager)
    assert made["slug"] == "mine"
    for body in ({"name": "n", "integration_id": "theirs"}, {"name": "n", "integration_id": "never-was"}):
        reply = await world.call("POST", "/v1/providers", body, key=manager)
        assert (reply.status, reply.json["message"]) == (404, f"There is no integration `{body['integration_id']}`.")
    for method, change in (("GET", None), ("PUT", {"note": "x"}), ("DELETE", None)):
        foreign = await world.call(method, "/v1/providers/theirs", change, key=manager)
        absent = await world.call(method, "/v1/providers/never-was", change, key=manager)
        assert foreign.status == absent.status == 404
        assert foreign.body.replace(b"theirs", b"") == absent.body.replace(b"never-was", b"")
    assert (await world.call("GET", "/v1/providers?workspace_id=second", key=manager)).status == 404
    listed = await world.ok("GET", "/v1/providers", key=manager)
    assert [each["slug"] for each in listed["data"]] == ["openai", "mine"]


async def test_one_slug_in_two_workspaces_needs_the_workspace(world: World) -> None:
    """An admin key says which of them is meant."""
    await _integrate(world, "default", await _second_workspace(world))
    reply = await world.call("GET", "/v1/providers/openai")
    assert (reply.status, reply.json["error"]["param"]) == (400, "workspace_id")
    shown = await world.ok("GET", "/v1/providers/openai?workspace_id=second")
    assert shown["workspace_id"] == (await world.ok("GET", "/v1/admin/workspaces/second"))["id"]


async def test_every_change_is_audited(world: World) -> None:
    """Who, what, and no secret."""
    await _integrate(world, "default")
    await _make(world, slug="batch")
    await world.ok("PUT", "/v1/providers/batch", {"note": "x"})
    await world.ok("DELETE", "/v1/providers/batch")
    found = [entry.action for entry in await world.audit() if entry.resource.startswith("provider:")]
    assert found == ["create", "update", "delete"]
