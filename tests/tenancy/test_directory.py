"""The directory of policies: in memory, shared, and never older than it promises."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from headgate.base.errors import Unauthenticated, Unavailable
from headgate.storage.database import Database
from headgate.tenancy import keys
from headgate.tenancy.directory import MOST_UNKNOWN
from headgate.tenancy.stores import Stores
from headgate.tenancy.vault import MasterKey, Vault
from tests.support.administration import PEPPER, World, customer_key, node

T = TypeVar("T")


class Counted:
    """Transactions that count their reads, can be held back at a gate, and can be made to fail."""

    def __init__(self, world: World) -> None:
        self._inner = world.transactions
        self.reads = 0
        self.away = False
        self.before_read: Callable[[int], object] = lambda number: None

    async def read(self, function: Callable[[Stores], T]) -> T:
        self.reads += 1
        number = self.reads
        if self.away:
            raise Unavailable("away")
        found = await self._inner.read(function)
        waited = self.before_read(number)
        if asyncio.iscoroutine(waited):
            await waited
        return found

    async def write(self, function: Callable[[Stores], T]) -> T:
        return await self._inner.write(function)


def count(world: World) -> Counted:
    """From now on the directory reads through this."""
    counted = Counted(world)
    world.directory._loader._transactions = counted
    return counted


async def test_a_key_is_loaded_once_and_then_in_memory(world: World) -> None:
    """`lookup` answers without waiting; a thousand callers at once cause one load."""
    _, text = await customer_key(world, "default")
    counted = count(world)
    assert world.directory.lookup(text) is None
    policies = await asyncio.gather(*(world.directory.load(text) for _ in range(1000)))
    assert counted.reads == 2  # the key, and its workspace
    assert all(policy is policies[0] for policy in policies)
    assert world.directory.lookup(text) is policies[0]


async def test_keys_of_a_workspace_share_its_part(world: World) -> None:
    """Credentials are opened once for each workspace, not once for each key."""
    body = {"name": "OpenAI", "slug": "openai", "ai_provider_id": "openai", "key": "sk-secret-000000000000"}
    await world.ok("POST", "/v1/integrations", body)
    await world.ok("PUT", "/v1/integrations/openai/workspaces", {"workspaces": [{"id": "default", "enabled": True}]})
    texts = [(await customer_key(world, "default"))[1] for _ in range(3)]
    first, second, third = [await world.directory.authenticate(text) for text in texts]
    assert first.providers["openai"] is second.providers["openai"] is third.providers["openai"]


async def test_a_wrong_secret_is_refused_like_an_unknown_key(world: World) -> None:
    """The same words and code for a wrong secret, an unknown id and a malformed text."""
    key_id, text = await customer_key(world, "default")
    forged = keys.mint(PEPPER)
    wrong = forged.text.replace(forged.id, key_id)
    body = wrong.rpartition("_")[0]
    wrong = f"{body}_{keys._checksum(body)}"
    assert keys.parse(wrong) is not None
    told = []
    for bad in (wrong, forged.text, text[:-1], "", "hg_"):
        with pytest.raises(Unauthenticated) as refused:
            await world.directory.authenticate(bad)
        told.append((refused.value.message, refused.value.code))
    await world.directory.authenticate(text)
    for bad in (wrong, text[:-1], text + "0"):
        with pytest.raises(Unauthenticated) as refused:
            world.directory.lookup(bad)
        told.append((refused.value.message, refused.value.code))
    for bad in (text.upper(), f"xx{text[2:]}"):
        with pytest.raises(Unauthenticated) as refused:
            await world.directory.authenticate(bad)
        told.append((refused.value.message, refused.value.code))
    assert len(set(told)) == 1
    assert told[0][1] == "03"


async def test_unknown_keys_are_remembered_for_a_moment(world: World) -> None:
    """A client that insists does not reach the database each time; the memory is bounded."""
    unknown = keys.mint(PEPPER).text
    counted = count(world)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await world.directory.authenticate(unknown)
    assert counted.reads == 1
    world.clock.move(1.1)
    with pytest.raises(Unauthenticated):
        await world.directory.authenticate(unknown)
    assert counted.reads == 2
    for number in range(MOST_UNKNOWN + 10):
        world.directory._remember_unknown(str(number))
    assert len(world.directory._unknown) <= MOST_UNKNOWN


async def test_a_change_here_forgets_only_what_it_touches(world: World) -> None:
    """Policies of other workspaces stay in memory, and are the same objects."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "Other"})
    _, mine = await customer_key(world, "default")
    _, other = await customer_key(world, "other")
    before, untouched = await world.directory.authenticate(mine), await world.directory.authenticate(other)
    await world.ok("PUT", "/v1/admin/workspaces/default", {"defaults": {"metadata": {"tier": "gold"}}})
    assert world.directory.lookup(mine) is None
    assert world.directory.lookup(other) is untouched
    after = await world.directory.authenticate(mine)
    assert (before.metadata, after.metadata) == ({}, {"tier": "gold"})
    await world.directory.poll()
    assert world.directory.lookup(other) is untouched


async def test_a_change_of_another_node_is_seen_at_the_next_poll(world: World, database: Database) -> None:
    """Two nodes on one database: revoked on one, refused by the other once it has polled."""
    vault = Vault([MasterKey.generate()])
    async with node(database, vault, world.clock, world.admin_key, world.root.organization_id) as second:
        key_id, text = await customer_key(world, "default")
        await second.directory.authenticate(text)
        await world.ok("DELETE", f"/v1/api-keys/{key_id}")
        assert second.directory.lookup(text) is not None
        await second.directory.poll()
        with pytest.raises(Unauthenticated):
            await second.directory.authenticate(text)


async def test_a_key_of_another_node_is_known_although_it_was_asked_for_before(
    world: World, database: Database
) -> None:
    """The memory of unknown keys ends with the poll that shows a change."""
    vault = Vault([MasterKey.generate()])
    async with node(database, vault, world.clock, world.admin_key, world.root.organization_id) as second:
        key_id, text = await customer_key(world, "default")
        second.directory._remember_unknown(key_id)
        with pytest.raises(Unauthenticated):
            second.directory.lookup(text)
        await second.directory.poll()
        await second.directory.authenticate(text)


async def test_a_change_during_a_load_is_not_missed(world: World) -> None:
    """What was read before the change is not kept: the load starts again."""
    key_id, text = await customer_key(world, "default")
    counted = count(world)

    def change_meanwhile(number: int) -> object:
        if number != 1:
            return None
        return world.ok("PUT", f"/v1/api-keys/{key_id}", {"defaults": {"metadata": {"new": "yes"}}})

    counted.before_read = change_meanwhile
    assert (await world.directory.authenticate(text)).metadata == {"new": "yes"}
    assert (await world.directory.authenticate(text)).metadata == {"new": "yes"}


async def test_a_read_begun_before_a_change_is_not_shared_after_it(world: World) -> None:
    """A key that is loaded after a change does not get the workspace as somebody else read it before the change."""
    _, early = await customer_key(world, "default")
    _, late = await customer_key(world, "default")
    counted = count(world)
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def hold_back() -> None:
        reading.set()
        await go_on.wait()

    # Read 1 is the early key; read 2 its workspace, which has been read and is held back.
    counted.before_read = lambda number: hold_back() if number == 2 else None
    first = asyncio.ensure_future(world.directory.load(early))  # noqa: TID251 - kept, and awaited below
    await reading.wait()
    counted.before_read = lambda number: None
    await world.ok("PUT", "/v1/admin/workspaces/default", {"defaults": {"metadata": {"tier": "gold"}}})
    joined = asyncio.Event()
    counted.before_read = lambda number: joined.set()  # the late key is read: its workspace is next
    second = asyncio.ensure_future(world.directory.load(late))  # noqa: TID251
    await joined.wait()
    go_on.set()
    assert [policy.metadata for policy in await asyncio.gather(first, second)] == [{"tier": "gold"}] * 2


async def test_while_the_store_is_away_known_policies_stay(world: World) -> None:
    """A call with a key in memory goes on; one that must be loaded is told to come back."""
    _, text = await customer_key(world, "default")
    _, other = await customer_key(world, "default")
    policy = await world.directory.authenticate(text)
    counted = count(world)
    counted.away = True
    with pytest.raises(Unavailable):
        await world.directory.poll()
    assert world.directory.lookup(text) is policy
    with pytest.raises(Unavailable):
        await world.directory.authenticate(other)
    counted.away = False
    await world.directory.authenticate(other)


async def test_a_caller_that_gives_up_does_not_end_the_load_for_others(world: World) -> None:
    """Hanging up while a key is loaded is nobody else's problem."""
    _, text = await customer_key(world, "default")
    impatient = asyncio.ensure_future(world.directory.load(text))  # noqa: TID251
    patient = asyncio.ensure_future(world.directory.load(text))  # noqa: TID251
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).key_name == "customer"
