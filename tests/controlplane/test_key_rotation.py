"""Rotation of API keys: another secret for the same key, and a while in which both are good."""

from headgate.base.errors import Unauthenticated
from headgate.tenancy import keys
from tests.support.administration import PEPPER, World, customer_key

HALF_AN_HOUR = 1_800


async def good(world: World, text: str) -> bool:
    try:
        await world.directory.authenticate(text)
    except Unauthenticated:
        return False
    return True


async def test_both_secrets_are_good_until_the_old_one_ends(world: World) -> None:
    """To the nanosecond; the id stays, the new secret goes on, and the answer says when."""
    key_id, old = await customer_key(world, "default")
    assert await good(world, old)
    made = await world.ok("POST", f"/v1/api-keys/{key_id}/rotate", {"key_transition_period_ms": HALF_AN_HOUR * 1_000})
    rotated_at, new = world.clock.now(), made["key"]
    assert made["id"] == key_id
    assert made["key_transition_expires_at"] == "2027-01-15T08:30:00.002Z"
    parsed = keys.parse(new)
    assert parsed is not None
    assert parsed.id == key_id
    assert [await good(world, each) for each in (old, new, old, new)] == [True] * 4
    world.clock.at = rotated_at + HALF_AN_HOUR * 10**9 - 1
    assert await good(world, old)
    world.clock.at += 1
    assert [await good(world, each) for each in (old, new)] == [False, True]


async def test_no_second_rotation_while_one_is_under_way(world: World) -> None:
    """409, naming the moment; afterwards it may be. The first secret never comes back."""
    key_id, first = await customer_key(world, "default")
    path = f"/v1/api-keys/{key_id}/rotate"
    second = (await world.ok("POST", path))["key"]
    refused = await world.call("POST", path)
    assert (refused.status, refused.json["error"]["param"]) == (409, "id")
    assert "08:30:00" in refused.json["message"]
    world.clock.move(HALF_AN_HOUR)
    third = (await world.ok("POST", path))["key"]
    assert [await good(world, each) for each in (first, second, third)] == [False, True, True]


async def test_a_secret_in_wrong_hands_ends_at_once(world: World) -> None:
    """A transition of 0; shorter than half an hour otherwise is refused by name."""
    key_id, old = await customer_key(world, "default")
    refused = await world.call("POST", f"/v1/api-keys/{key_id}/rotate", {"key_transition_period_ms": 1_000})
    assert (refused.status, refused.json["error"]["param"]) == (400, "key_transition_period_ms")
    new = (await world.ok("POST", f"/v1/api-keys/{key_id}/rotate", {"key_transition_period_ms": 0}))["key"]
    assert [await good(world, each) for each in (old, new)] == [False, True]
    again = await world.call("POST", f"/v1/api-keys/{key_id}/rotate")
    assert again.status == 200


async def test_a_policy_says_when_the_next_is_due_and_how_long_both_are_good(world: World) -> None:
    """Shown with the key; a rotation puts it forward; null takes it away."""
    policy = {"rotation_period": "weekly", "key_transition_period_ms": 3_600_000}
    key_id, _ = await customer_key(world, "default", rotation_policy=policy)
    path = f"/v1/api-keys/{key_id}"
    shown = (await world.ok("GET", path))["rotation_policy"]
    assert shown == {**policy, "rotation_period_days": None, "next_rotation_at": "2027-01-22T08:00:00.001Z"}
    world.clock.move(86_400)
    made = await world.ok("POST", f"{path}/rotate")
    assert made["key_transition_expires_at"] == "2027-01-16T09:00:00.003Z"
    after = await world.ok("GET", path)
    assert after["rotation_policy"]["next_rotation_at"] == "2027-01-23T08:00:00.003Z"
    assert after["last_rotated_at"] == "2027-01-16T08:00:00.003Z"
    assert after["key_transition_expires_at"] == made["key_transition_expires_at"]
    await world.ok("PUT", path, {"rotation_policy": None})
    assert (await world.ok("GET", path))["rotation_policy"] is None


async def test_a_rotation_is_audited_without_a_secret(world: World) -> None:
    """Who, which key, until when the old one is good; neither the text nor its HMAC."""
    key_id, old = await customer_key(world, "default")
    new = (await world.ok("POST", f"/v1/api-keys/{key_id}/rotate"))["key"]
    entry = (await world.audit())[-1]
    assert (entry.action, entry.resource) == ("rotate", f"api_key:{key_id}")
    written = "".join(each.body for each in await world.audit())
    for text in (old, new):
        assert text.split("_")[2] not in written
        assert keys.hash_key(text, PEPPER).hex() not in written


async def test_it_takes_the_scope_and_what_the_key_may_do(world: World) -> None:
    """Whoever rotates a key has it in hand: one that may do more than the caller is not his to rotate."""
    rotator = ["workspace_service_api_keys.rotate", "completions.write"]
    _, caller = await customer_key(world, "default", scopes=rotator)
    _, other = await customer_key(world, "default", scopes=["workspace_service_api_keys.read"])
    plain, _ = await customer_key(world, "default")
    strong, _ = await customer_key(world, "default", scopes=["completions.write", "logs.view"])
    assert (await world.call("POST", f"/v1/api-keys/{plain}/rotate", key=other)).status == 403
    assert (await world.call("POST", f"/v1/api-keys/{plain}/rotate", key=caller)).status == 200
    refused = await world.call("POST", f"/v1/api-keys/{strong}/rotate", key=caller)
    assert (refused.status, "logs.view" in refused.json["message"]) == (403, True)
    admin = (await world.ok("GET", "/v1/api-keys/self"))["id"]
    assert (await world.call("POST", f"/v1/api-keys/{admin}/rotate", key=caller)).status == 404


async def test_an_admin_key_may_rotate_itself(world: World) -> None:
    """And goes on with either secret."""
    own = (await world.ok("GET", "/v1/api-keys/self"))["id"]
    new = (await world.ok("POST", f"/v1/api-keys/{own}/rotate"))["key"]
    assert (await world.ok("GET", "/v1/api-keys/self", key=new))["id"] == own
    assert (await world.ok("GET", "/v1/api-keys/self"))["id"] == own


async def test_a_key_sees_itself_and_nothing_else(world: World) -> None:
    """Without any scope for it, under `self` and under its id; what another key is it does not learn."""
    key_id, text = await customer_key(world, "default", usage_limits={"credit_limit": 5, "periodic_reset": "monthly"})
    other, _ = await customer_key(world, "default")
    for path in ("self", key_id):
        shown = await world.ok("GET", f"/v1/api-keys/{path}", key=text)
        assert shown["id"] == key_id
        assert (shown["usage_limits"]["remaining"], shown["usage_limits"]["current_usage"]) == (5, 0)
    assert (await world.call("GET", f"/v1/api-keys/{other}", key=text)).status == 403


async def test_what_a_key_is_cannot_be_changed(world: World) -> None:
    """Its kind, its user and where it belongs: nobody is to think that he put a key under a tenant's limits. The object
    as it was shown may be sent back."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "other"})
    for tenant in ("acme", "globex"):
        await world.ok("POST", "/v1/admin/tenants", {"tenant_id": tenant, "workspace_id": "default"})
    key_id, _ = await customer_key(world, "default", usage_limits={"credit_limit": 5})
    of_acme, _ = await customer_key(world, "default", tenant_id="acme")
    await world.ok("PUT", f"/v1/api-keys/{of_acme}", {"workspace_id": "default", "tenant_id": "acme"})
    for tenant_id in ("globex", None):
        refused = await world.call("PUT", f"/v1/api-keys/{of_acme}", {"tenant_id": tenant_id})
        assert (refused.status, refused.json["error"]["param"]) == (400, "tenant_id")
    path = f"/v1/api-keys/{key_id}"
    shown = await world.ok("GET", path)
    await world.ok("PUT", path, shown)
    assert (await world.ok("GET", path))["usage_limits"] == shown["usage_limits"]
    others = {"type": "organisation-service", "user_id": "somebody", "workspace_id": "other", "tenant_id": "acme"}
    for field, value in others.items():
        refused = await world.call("PUT", path, {field: value})
        assert (refused.status, refused.json["error"]["param"]) == (400, field)
