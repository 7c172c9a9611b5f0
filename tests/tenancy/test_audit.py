"""The audit log: every change is in it, in the same transaction, and none can be altered unseen."""

from dataclasses import replace

import pytest

from headgate.base.errors import Conflict
from headgate.storage.database import Database
from headgate.storage.tables import audit as table
from headgate.tenancy.administration import Change
from headgate.tenancy.audit import AuditEntry, verify_chain
from headgate.tenancy.origin import Origin
from tests.support.administration import World, customer_key

ORIGIN = Origin("req_1", "POST", "/v1/x", "", "{}", "null", "127.0.0.1")


async def _busy(world: World) -> list[AuditEntry]:
    await world.ok("POST", "/v1/admin/workspaces", {"name": "One"})
    key_id, _ = await customer_key(world, "one")
    await world.ok("PUT", f"/v1/api-keys/{key_id}", {"name": "renamed"})
    body = {"name": "OpenAI", "ai_provider_id": "openai", "key": "sk-secret-000000000000"}
    await world.ok("POST", "/v1/integrations", body)
    await world.ok("PUT", "/v1/integrations/openai", {"description": "d"})
    await world.ok("PUT", "/v1/integrations/openai/workspaces", {"workspaces": [{"id": "one", "enabled": True}]})
    await world.ok("PUT", "/v1/integrations/openai/models", {"allow_all_models": False})
    await world.ok("PUT", "/v1/integrations/openai/workspaces", {"workspaces": [{"id": "one", "enabled": False}]})
    await world.ok("DELETE", "/v1/integrations/openai")
    await world.ok("DELETE", f"/v1/api-keys/{key_id}")
    await world.ok("POST", "/v1/admin/tenants", {"name": "T", "workspace_id": "default"})
    await world.ok("DELETE", "/v1/admin/workspaces/one")
    return await world.audit()


async def test_every_change_is_there_and_the_chain_holds(world: World) -> None:
    """One entry for each, in order, by the key that made it; on both engines."""
    founding = len(await world.audit())
    entries = await _busy(world)
    kinds = [f"{entry.action} {entry.resource.split(':')[0]}" for entry in entries[founding:]]
    assert kinds == [
        "create workspace",
        "create api_key",
        "update api_key",
        "create integration",
        "update integration",
        "update integration",
        "update integration",
        "update integration",
        "delete integration",
        "delete api_key",
        "create tenant",
        "delete workspace",
    ]
    assert {entry.actor.split(":")[0] for entry in entries[founding:]} == {"api_key"}
    report = verify_chain(entries)
    assert report.intact
    assert (report.entries, report.head) == (len(entries), entries[-1].hash)


async def test_any_tampering_breaks_the_chain_where_it_was_done(world: World) -> None:
    """Every field of every entry, an entry left out, two exchanged."""
    entries = await _busy(world)
    for index, entry in enumerate(entries):
        for altered in (
            replace(entry, body=entry.body.replace("{", "{ ", 1)),
            replace(entry, actor="operator2"),
            replace(entry, action="nothing"),
            replace(entry, resource=entry.resource + "x"),
            replace(entry, at=entry.at + 1),
            replace(entry, user_id="usr_x"),
            replace(entry, workspace_id=None if entry.workspace_id else "ws_x"),
            replace(entry, origin=replace(entry.origin or ORIGIN, client_ip="10.9.8.7")),
            replace(entry, hash=bytes(32)),
            replace(entry, previous_hash=b"x" * 32),
        ):
            report = verify_chain([*entries[:index], altered, *entries[index + 1 :]])
            assert report.broken_at == index + 1
        if index < len(entries) - 1:
            assert verify_chain([*entries[:index], *entries[index + 1 :]]).broken_at == index + 1
    assert verify_chain([entries[1], entries[0], *entries[2:]]).broken_at == 1


async def test_tampering_in_the_database_is_found(world: World, database: Database) -> None:
    """What is read back is what is checked."""
    await _busy(world)
    await database.write(lambda c: c.execute(table.update().where(table.c.seq == 3).values(actor="somebody else")))
    assert verify_chain(await world.audit()).broken_at == 3


async def test_a_change_that_fails_leaves_no_entry(world: World) -> None:
    """Change and entry are one transaction, also when the failure comes after the entry."""
    before = await world.audit()

    def work(change: Change) -> None:
        change.record("create", "workspace:x", {})
        raise Conflict("after all, no")

    with pytest.raises(Conflict):
        await world.administration.change(world.root, work)
    assert (await world.call("POST", "/v1/admin/workspaces", {"name": "Default"})).status == 409
    assert await world.audit() == before


async def test_a_change_without_an_entry_is_undone(world: World) -> None:
    """A service that forgets to record is a bug, and changes nothing."""
    version = await world.transactions.read(lambda stores: stores.version())
    with pytest.raises(AssertionError):
        await world.administration.change(world.root, lambda change: None)
    assert await world.transactions.read(lambda stores: stores.version()) == version


async def test_an_end_that_was_cut_off_is_found_by_the_head_that_was_noted(world: World) -> None:
    """What is left is a whole chain; the head from before is not in it."""
    entries = await _busy(world)
    noted = entries[-1].hash
    assert verify_chain(entries, noted).intact
    assert verify_chain([*entries], entries[4].hash).intact
    cut = verify_chain(entries[:-1], noted)
    assert (cut.intact, cut.broken_at, cut.knows) == (False, None, False)
