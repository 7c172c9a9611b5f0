"""The directory's policies of keys that act for tenants: loaded once, bounded, and as fresh as all others."""

import asyncio

import pytest

from headgate.base.errors import NotFound
from headgate.storage.database import Database
from headgate.tenancy import directory
from headgate.tenancy.policy import Policy
from headgate.tenancy.vault import MasterKey, Vault
from tests.support.administration import World, customer_key, node

SCOPES = ["completions.write", "tenants.act_as"]


async def tenant(world: World, name: str, **fields: object) -> None:
    await world.ok("POST", "/v1/admin/tenants", {"tenant_id": name, "workspace_id": "default", **fields})


async def service(world: World) -> Policy:
    """The policy of a key that may act."""
    _, text = await customer_key(world, "default", scopes=SCOPES)
    return await world.directory.authenticate(text)


async def test_what_a_tenant_s_own_key_has_and_the_key_s_own_besides(world: World) -> None:
    """Allowances, metadata, admission and models are those that a key of the tenant has."""
    rules = {"hold_wait_ms": 500}
    await tenant(world, "acme", monthly_budget_usd=5, allowed_models=["m"], metadata={"a": "b"}, admission=rules)
    limits = {"credit_limit": 9}
    _, of_tenant = await customer_key(world, "default", tenant_id="acme")
    own = await world.directory.authenticate(of_tenant)
    _, text = await customer_key(world, "default", scopes=SCOPES, usage_limits=limits)
    acting = await world.directory.acting(await world.directory.authenticate(text), "acme")
    for name in ("tenant_id", "tenant", "metadata", "admission", "workspace_id", "zone"):
        assert getattr(acting, name) == getattr(own, name), name
    assert acting.allowances[: len(own.allowances)] == own.allowances
    assert [each.scope.kind for each in acting.allowances] == ["tenant", "api_key"]


async def test_a_thousand_callers_at_once_are_one_load(world: World) -> None:
    """And afterwards it is the same object, from memory."""
    await tenant(world, "acme")
    policy = await service(world)
    reads = 0
    load = world.directory._loader.key

    async def counted(key_id: str, acting_for: str | None = None) -> object:
        nonlocal reads
        reads += 1
        return await load(key_id, acting_for)

    world.directory._loader.key = counted  # type: ignore[method-assign, assignment]
    found = await asyncio.gather(*(world.directory.acting(policy, "acme") for _ in range(1000)))
    assert reads == 1
    assert all(each is found[0] for each in found)
    for _ in range(3):
        with pytest.raises(NotFound):
            await world.directory.acting(policy, "nobody")
    assert reads == 2


async def test_many_names_are_forgotten_in_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that names what does not exist, over and over, fills no memory."""
    monkeypatch.setattr(directory, "MOST_ACTING", 3)
    await tenant(world, "acme")
    policy = await service(world)
    for number in range(5):
        with pytest.raises(NotFound):
            await world.directory.acting(policy, f"t{number}")
    assert list(world.directory._entries[policy.key_id].acting) == ["t2", "t3", "t4"]
    assert (await world.directory.acting(policy, "acme")).tenant_id is not None


async def test_a_change_of_another_node_is_seen_at_the_next_poll(world: World, database: Database) -> None:
    """A tenant suspended on one node is so on the other, once it has polled; one made there is there."""
    vault = Vault([MasterKey.generate()])
    async with node(database, vault, world.clock, world.admin_key, world.root.organization_id) as second:
        await tenant(world, "acme")
        _, text = await customer_key(world, "default", scopes=SCOPES)
        policy = await second.directory.authenticate(text)
        before = await second.directory.acting(policy, "acme")
        with pytest.raises(NotFound):
            await second.directory.acting(policy, "new")
        await world.ok("PUT", "/v1/admin/tenants/acme", {"status": "suspended"})
        await tenant(world, "new")
        await second.directory.poll()
        after = await second.directory.acting(policy, "acme")
        assert before.tenant is not None
        assert after.tenant is not None
        assert (before.tenant.suspended, after.tenant.suspended) == (False, True)
        assert (await second.directory.acting(policy, "new")).tenant_id is not None


async def test_a_change_during_a_load_is_not_missed(world: World) -> None:
    """What was read before the change is not kept."""
    await tenant(world, "acme")
    policy = await service(world)
    load, changed = world.directory._loader.key, False

    async def change_meanwhile(key_id: str, acting_for: str | None = None) -> object:
        nonlocal changed
        found = await load(key_id, acting_for)
        if not changed:
            changed = True
            await world.ok("PUT", "/v1/admin/tenants/acme", {"tier": "pro"})
        return found

    world.directory._loader.key = change_meanwhile  # type: ignore[method-assign, assignment]
    for _ in range(2):
        acting = await world.directory.acting(policy, "acme")
        assert acting.tenant is not None
        assert acting.tenant.tier == "pro"
