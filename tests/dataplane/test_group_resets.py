"""Limit policies as administrators look at them: each group's use, and resets of single groups, seen by calls."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headgate.base.clock import SystemClock
from headgate.bootstrap import JOURNAL_DIRECTORY
from headgate.storage.journal_reading import read_journal
from headgate.storage.verification import verify
from headgate.tenancy.vault import MasterKey, Vault
from tests.dataplane.test_groups import PRICES, TWO_CENTS, answer, call, limit
from tests.support.asgi import request
from tests.support.plane import Plane, open_plane


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with open_plane(tmp_path, answer, Vault([MasterKey.generate()])) as opened:
        await opened.integrate("openai", {"m": PRICES})
        yield opened


async def entities(plane: Plane, path: str) -> dict[str, Any]:
    listed = await plane.admin("GET", f"{path}/entities")
    assert listed["total"] == len(listed["data"])
    return {each["value"]: each for each in listed["data"]}


async def test_each_group_s_use_is_shown(plane: Plane) -> None:
    """Used, left and status of each value that calls had, and of those without one; by value on the policy itself."""
    key = await plane.key()
    path = f"/policies/usage-limits/{await limit(plane, TWO_CENTS)}"
    assert await entities(plane, path) == {}
    assert [(await call(plane, key, user)).status for user in ("ann", "ann", "bob", None)] == [200] * 4
    found = await entities(plane, path)
    assert {value: (each["current_usage"], each["remaining"], each["status"]) for value, each in found.items()} == {
        "ann": (0.02, 0, "exhausted"),
        "bob": (0.01, 0.01, "active"),
        "": (0.01, 0.01, "active"),
    }
    assert found["ann"]["group"] == {"metadata.user": "ann"}
    assert found["ann"]["object"] == "policy_usage_limits_entity"
    policy = await plane.admin("GET", f"{path}?include_usage=true")
    assert policy["value_key_usage_map"]["bob"]["current_usage"] == 0.01
    assert "value_key_usage_map" not in await plane.admin("GET", path)


async def test_one_group_begins_anew(plane: Plane, tmp_path: Path) -> None:
    """By its id or by its value; from the very next call on, nobody else with it; the books stay right."""
    key = await plane.key()
    path = f"/policies/usage-limits/{await limit(plane, TWO_CENTS)}"
    assert [(await call(plane, key, user)).status for user in ("ann", "ann", "ann", "bob", "bob", "bob")] == [
        *(200, 200, 412),
        *(200, 200, 412),
    ]
    ann = (await entities(plane, path))["ann"]
    assert await plane.admin("PUT", f"{path}/entities/{ann['id']}/reset") == {}
    found = await entities(plane, path)
    assert (found["ann"]["current_usage"], found["bob"]["current_usage"]) == (0, 0.02)
    assert found["ann"]["last_reset_at"] is not None
    assert [(await call(plane, key, user)).status for user in ("ann", "bob", "ann", "ann")] == [200, 412, 200, 412]
    await plane.admin("PUT", path, {"reset_usage_for_value": "bob"})
    assert [(await call(plane, key, user)).status for user in ("ann", "bob", "bob", "bob")] == [412, 200, 200, 412]
    await plane.admin("PUT", path, {"reset_usage": True})
    assert [(await call(plane, key, user)).status for user in ("ann", "bob")] == [200, 200]
    await plane.gateway.usage.flush()
    replay = read_journal(tmp_path / JOURNAL_DIRECTORY)
    books = await plane.gateway.database.read(lambda connection: verify(connection, replay, SystemClock.now()))
    assert (books.records, books.differences) == (10, [])


async def test_a_rate_s_group_begins_anew(plane: Plane) -> None:
    """Its window counts from the reset."""
    key = await plane.key()
    rate = {"name": "r", "group_by": [{"key": "metadata.user"}], "type": "requests", "unit": "rph", "value": 1}
    path = f"/policies/rate-limits/{await limit(plane, rate, 'rate-limits')}"
    assert [(await call(plane, key, user)).status for user in ("ann", "bob", "ann")] == [200, 200, 429]
    found = await entities(plane, path)
    assert (found["ann"]["current_usage"], found["ann"]["remaining"]) == (1, 0)
    await plane.admin("PUT", f"{path}/entities/{found['ann']['id']}/reset")
    assert [(await call(plane, key, user)).status for user in ("ann", "bob", "ann")] == [200, 429, 429]


async def test_a_policy_without_groups_has_one(plane: Plane) -> None:
    """All calls that it applies to, together."""
    key = await plane.key()
    path = f"/policies/usage-limits/{await limit(plane, {'name': 'all', 'credit_limit': 5, 'type': 'requests'})}"
    await call(plane, key, "ann")
    await call(plane, key, "bob")
    found = await entities(plane, path)
    assert {value: each["current_usage"] for value, each in found.items()} == {"*": 2}


async def test_a_group_that_is_not_there_cannot_be_reset(plane: Plane) -> None:
    """404, of an unknown group as of an unknown policy."""
    path = f"/v1/policies/usage-limits/{await limit(plane, TWO_CENTS)}"
    for wrong in (f"{path}/entities/nobody/reset", "/v1/policies/usage-limits/pol_x/entities/nobody/reset"):
        reply = await request(plane.gateway.app, "PUT", wrong, None, {"x-portkey-api-key": plane.admin_key})
        assert reply.status == 404
