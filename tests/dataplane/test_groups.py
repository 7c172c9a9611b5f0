"""Limit policies on calls: a counter for each group, within its cap, over restarts, changed for the very next call."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from headgate.base.clock import SystemClock
from headgate.base.errors import RateLimited
from headgate.bootstrap import JOURNAL_DIRECTORY, open_gateway
from headgate.dataplane.endpoints import ENDPOINTS
from headgate.dataplane.groups import Groups
from headgate.settings import Settings
from headgate.storage.alert_tables import allowance_use, event
from headgate.storage.journal_reading import read_journal
from headgate.storage.verification import verify
from headgate.tenancy.limit_policy import ENDPOINT_TYPES, Facts
from headgate.tenancy.policy import Policy
from headgate.tenancy.vault import MasterKey, Vault
from tests.support.asgi import Reply
from tests.support.plane import Plane, completion, open_plane
from tests.support.raw_server import Peer
from tests.tenancy.test_limit_policy import facts, policy

PRICES = {"request_token": 0.0, "response_token": 0.01}
TWO_CENTS = {"name": "per user", "group_by": [{"key": "metadata.user"}], "credit_limit": 0.02}
"""Two calls of a cent each."""


async def answer(peer: Peer, body: dict[str, Any]) -> None:
    await peer.answer(completion("x" * 100, 3, 100))


@pytest.fixture
def vault() -> Vault:
    return Vault([MasterKey.generate()])


@pytest.fixture
async def plane(tmp_path: Path, vault: Vault) -> AsyncIterator[Plane]:
    async with open_plane(tmp_path, answer, vault) as opened:
        await opened.integrate("openai", {"m": PRICES, "n": PRICES})
        yield opened


async def call(plane: Plane, key: str, user: str | None = None, model: str = "m") -> Reply:
    body = {"model": f"@openai/{model}", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
    more = {} if user is None else {"metadata": {"user": user}}
    return await plane.call(key, body | more).reply()


async def limit(plane: Plane, body: dict[str, Any], kind: str = "usage-limits") -> str:
    return str((await plane.admin("POST", f"/policies/{kind}", body))["id"])


async def test_a_config_has_a_counter_of_its_own(plane: Plane) -> None:
    """Calls that take it share one, whoever makes them; calls without one, and with another, do not count in it."""
    configs = [
        (await plane.admin("POST", "/configs", {"name": name, "config": {"retry": {"attempts": 1}}}))["slug"]
        for name in ("one", "two")
    ]
    body = {**TWO_CENTS, "group_by": [{"key": "config"}], "conditions": [{"key": "config", "value": "pc-*"}]}
    policy_id = await limit(plane, body)
    ask = {"model": "@openai/m", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
    keys = [await plane.key(), await plane.key(name="other")]
    for key, named, status in (
        (keys[0], configs[0], 200),
        (keys[1], configs[0], 200),
        (keys[1], configs[0], 412),
        (keys[0], configs[1], 200),
    ):
        assert (await plane.call(key, ask, x_portkey_config=named).reply()).status == status
    for _ in range(3):
        assert (await call(plane, keys[0])).status == 200
    await plane.gateway.usage.flush()
    found = await plane.admin("GET", f"/policies/usage-limits/{policy_id}/entities")
    assert sorted(each["current_usage"] for each in found["data"]) == [0.01, 0.02]


async def test_one_counter_for_each_value(plane: Plane) -> None:
    """Each user has the whole cap; those who do not say who they are share one; the refusal names the group."""
    key = await plane.key()
    await limit(plane, {**TWO_CENTS, "workspace_id": "default"})
    for user in ("ann", "bob", None):
        assert [(await call(plane, key, user)).status for _ in range(3)] == [200, 200, 412]
    told = (await call(plane, key, "ann")).json["error"]
    assert "policy `per user (metadata.user=ann)`" in told["message"]
    assert len(plane.asked) == 6


async def test_a_key_s_metadata_cannot_be_spoofed(plane: Plane) -> None:
    """Whatever a request says of itself, what the administrator wrote on its key counts."""
    key = await plane.key(defaults={"metadata": {"user": "ann"}})
    await limit(plane, TWO_CENTS)
    assert [(await call(plane, key, each)).status for each in ("x", "y", "z")] == [200, 200, 412]


async def test_conditions_choose_the_calls(plane: Plane) -> None:
    """Only what is not excluded counts, and other calls go on."""
    key = await plane.key()
    conditions = [{"key": "model", "value": "@openai/*"}, {"key": "model", "value": "@openai/n", "excludes": True}]
    await limit(plane, {"name": "p", "conditions": conditions, "credit_limit": 0.01})
    assert [(await call(plane, key, model=each)).status for each in "nmnmn"] == [200, 200, 200, 412, 200]


async def test_an_endpoint_has_limits_of_its_own(plane: Plane) -> None:
    """Calls elsewhere do not count, and go on; after a restart the records say the same."""
    key = await plane.key()
    conditions = [{"key": "endpoint_type", "value": ["/v1/completions", "images/*"]}]
    policy_id = await limit(plane, {"name": "old", "conditions": conditions, "credit_limit": 0.02})
    body = {"model": "@openai/m", "max_tokens": 100, "prompt": "hi"}
    statuses = []
    for _ in range(3):
        statuses += [(await plane.call(key, body, "/v1/completions").reply()).status, (await call(plane, key)).status]
    assert statuses == [200, 200, 200, 200, 412, 200]
    await plane.gateway.usage.flush()
    [group] = (await plane.admin("GET", f"/policies/usage-limits/{policy_id}/entities"))["data"]
    assert group["current_usage"] == 0.02
    assert await plane.limits(key) == []  # another endpoint's limits are not all calls'


def test_endpoints_are_known_by_name() -> None:
    """What a condition may name is what calls are recorded as, and nothing else."""
    recorded = {each.path.removeprefix("/v1/") for each in ENDPOINTS if each.kept or not each.aside}
    assert recorded == set(ENDPOINT_TYPES)


async def test_all_budgets_must_fit(plane: Plane) -> None:
    """Two policies and the key's own: the tightest decides, and a refusal takes nothing from the others."""
    key = await plane.key(usage_limits={"credit_limit": 0.05})
    await limit(plane, TWO_CENTS)
    await limit(plane, {"name": "all", "credit_limit": 3, "type": "requests"})
    statuses = [(await call(plane, key, user)).status for user in ("ann", "ann", "ann", "bob", "bob")]
    assert statuses == [200, 200, 412, 200, 412]
    [own] = await plane.limits(key)  # the pot of all customers is not shown to one of them
    assert (own["scope"], own["used_usd"]) == ("api_key", "0.030000000")


async def test_a_rate_for_each_group(plane: Plane) -> None:
    """429, and when to come back."""
    key = await plane.key()
    rate = {"name": "r", "group_by": [{"key": "metadata.user"}], "type": "requests", "unit": "rph", "value": 1}
    await limit(plane, rate, "rate-limits")
    assert [(await call(plane, key, user)).status for user in ("ann", "ann", "bob")] == [200, 429, 200]
    refused = await call(plane, key, "ann")
    assert int(refused.headers["retry-after"]) > 0


async def test_changes_apply_to_the_next_call(plane: Plane) -> None:
    """A cap that is raised, a usage that is reset, a policy that is gone."""
    key = await plane.key()
    made = await limit(plane, TWO_CENTS)
    path = f"/policies/usage-limits/{made}"
    assert [(await call(plane, key)).status for _ in range(3)] == [200, 200, 412]
    await plane.admin("PUT", path, {"credit_limit": 0.03})
    assert [(await call(plane, key)).status for _ in range(2)] == [200, 412]
    await plane.admin("PUT", path, {"reset_usage": True})
    assert [(await call(plane, key)).status for _ in range(4)] == [200, 200, 200, 412]
    await plane.admin("DELETE", path)
    assert (await call(plane, key)).status == 200


async def test_what_was_used_before_there_was_a_policy_counts(plane: Plane) -> None:
    """As with every other limit: the records of the period say what is left."""
    key = await plane.key()
    for user in ("ann", "ann", "bob"):
        assert (await call(plane, key, user)).status == 200
    await limit(plane, TWO_CENTS)
    assert [(await call(plane, key, user)).status for user in ("ann", "bob", "bob")] == [412, 200, 412]


async def test_use_outlives_the_process(tmp_path: Path, vault: Vault) -> None:
    """A budget and a rate that are used up stay used up after a restart."""
    async with open_plane(tmp_path, answer, vault) as plane:
        await plane.integrate("openai", {"m": PRICES})
        key, other = await plane.key(), await plane.key(defaults={"metadata": {"plan": "slow"}})
        await limit(plane, {**TWO_CENTS, "periodic_reset": "monthly", "workspace_id": "default"})
        slow = {"name": "slow", "conditions": [{"key": "metadata.plan", "value": "slow"}], "type": "requests"}
        await limit(plane, {**slow, "unit": "rpd", "value": 1}, "rate-limits")
        assert [(await call(plane, key, "ann")).status for _ in range(2)] == [200, 200]
        assert (await call(plane, other, "bob")).status == 200
    gateway = await open_gateway(Settings(data_dir=tmp_path), vault)
    try:
        again = Plane(gateway, "", "")
        assert (await call(again, key, "ann")).status == 412
        assert (await call(again, other, "bob")).status == 429
    finally:
        await gateway.drain(0)
        await gateway.close()


async def test_the_books_and_the_alerts_know_groups(plane: Plane, tmp_path: Path) -> None:
    """Sums are kept beside the records and verified from them; each group's thresholds are told."""
    key = await plane.key()
    await limit(plane, TWO_CENTS)
    for user in ("ann", "ann", "bob", None):
        assert (await call(plane, key, user)).status == 200
    await plane.records()
    replay = read_journal(tmp_path / JOURNAL_DIRECTORY)
    database = plane.gateway.database
    found = await database.read(lambda connection: verify(connection, replay, SystemClock.now()))
    assert (found.differences, found.allowances, found.balances) == ([], 3, 3)
    settled = await database.read(lambda c: c.execute(select(allowance_use.c.settled)).scalars().all())
    assert sorted(settled) == [10_000_000, 10_000_000, 20_000_000]
    told = await database.read(lambda c: c.execute(select(event.c.body)).scalars().all())
    assert told
    assert all('"kind":"policy"' in body and "metadata.user=ann" in body for body in told)
    await database.write(lambda c: c.execute(allowance_use.update().values(settled=allowance_use.c.settled + 1)))
    wrong = await database.read(lambda connection: verify(connection, replay, SystemClock.now()))
    assert len([each for each in wrong.differences if each.startswith("kept for policy:")]) == 3


async def test_limits_shows_a_key_the_groups_it_is_in(plane: Plane) -> None:
    """Those that all its calls count in, by key; what depends on the call is not guessed."""
    key = await plane.key()
    await limit(plane, {"name": "each", "group_by": [{"key": "api_key"}], "credit_limit": 1})
    await limit(plane, TWO_CENTS)
    assert (await call(plane, key)).status == 200
    [shown] = await plane.limits(key)
    assert (shown["scope"], shown["used_usd"], shown["left_usd"]) == ("policy", "0.010000000", "0.990000000")


class Counters:
    """A ledger's, of which the idle can be dropped."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.idle: set[str] = set()

    def __contains__(self, allowance_id: str) -> bool:
        return allowance_id in self.there

    def forget(self, allowance_ids: Any, idle_seconds: int) -> set[str]:
        gone = self.idle & set(allowance_ids)
        self.there -= gone
        return gone


async def test_groups_are_bounded() -> None:
    """A new value beyond the bound is refused, known ones go on, and idle ones give way."""
    counters = Counters()

    async def restore(allowances: Any) -> None:
        counters.there |= {each.id for each in allowances}

    class Steady(SystemClock):
        at = 0

        def monotonic(self) -> int:
            return self.at

    clock = Steady()
    groups = Groups(counters, restore, clock, most=2)
    limits = (policy(group_by=("metadata.user",)),)
    caller: Any = Policy("org", "ws", "ws", "key", "key", frozenset(), {})

    async def counted(user: str) -> str:
        found: Facts = facts(metadata={"user": user})
        [allowance] = await groups._counted(caller, limits, found)
        return allowance.id

    ann = await counted("ann")
    await counted("bob")
    with pytest.raises(RateLimited, match="2 groups"):
        await counted("eve")
    assert await counted("ann") == ann
    counters.idle = {ann}
    with pytest.raises(RateLimited):
        await counted("eve")
    clock.at += 61 * 10**9
    await counted("eve")
    assert ann not in counters
