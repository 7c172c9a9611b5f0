"""What administrators see of budgets that calls take from: exact at every moment; what they change applies at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from headgate.base.clock import SystemClock
from headgate.bootstrap import JOURNAL_DIRECTORY, Gateway, open_gateway
from headgate.settings import Settings
from headgate.storage.journal_reading import read_journal
from headgate.storage.verification import Findings, verify
from headgate.tenancy.vault import MasterKey, Vault
from tests.support.plane import Plane, completion, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.0, "response_token": 0.01}
TEN_CENTS = {"credit_limit": 0.1, "periodic_reset": "monthly"}


class Provider:
    """Answers at once with a call of a cent; once `holding`, when `go` is set."""

    def __init__(self) -> None:
        self.holding = False
        self.go = asyncio.Event()
        self.reached = asyncio.Event()

    async def __call__(self, peer: Peer, body: dict[str, Any]) -> None:
        self.reached.set()
        if self.holding:
            await self.go.wait()
        await peer.answer(completion("x" * 100, 3, 100))


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def vault() -> Vault:
    return Vault([MasterKey.generate()])


@pytest.fixture
async def plane(tmp_path: Path, vault: Vault, provider: Provider) -> AsyncIterator[Plane]:
    async with open_plane(tmp_path, provider, vault) as opened:
        await opened.integrate("openai", {"m": PRICES})
        yield opened


BODY = {"model": "@openai/m", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}


async def statuses(plane: Plane, key: str, calls: int = 1) -> list[int]:
    return [(await plane.call(key, BODY).reply()).status for _ in range(calls)]


async def one_key(plane: Plane, **more: object) -> tuple[str, str]:
    """Its path and its text."""
    text = await plane.key(**more)
    return f"/api-keys/{text.split('_')[1]}", text


async def budget(plane: Plane, path: str) -> Any:
    return (await plane.admin("GET", path))["usage_limits"]


async def books(gateway: Gateway, directory: Path) -> Findings:
    await gateway.usage.flush()
    replay = read_journal(directory / JOURNAL_DIRECTORY)
    return await gateway.database.read(lambda connection: verify(connection, replay, SystemClock.now()))


@asynccontextmanager
async def started_again(plane: Plane, directory: Path, vault: Vault) -> AsyncIterator[Plane]:
    """The same installation in another process's place, the first one ended."""
    await plane.gateway.drain(0)
    await plane.gateway.close()
    plane.gateway = await open_gateway(Settings(data_dir=directory), vault)
    yield plane


async def test_used_held_and_left(plane: Plane, provider: Provider) -> None:
    """While a call is under way its bound is held; then what it cost is used."""
    path, key = await one_key(plane, usage_limits=TEN_CENTS)
    assert await statuses(plane, key) == [200]
    shown = await budget(plane, path)
    assert (shown["current_usage"], shown["held"], shown["remaining"], shown["status"]) == (0.01, 0, 0.09, "active")
    provider.holding = True
    provider.reached.clear()
    under_way = plane.call(key, BODY)
    await provider.reached.wait()
    shown = await budget(plane, path)
    assert (shown["current_usage"], shown["held"], shown["remaining"]) == (0.01, 0.01, 0.08)
    provider.go.set()
    assert (await under_way.reply()).status == 200
    shown = await budget(plane, path)
    assert (shown["current_usage"], shown["held"], shown["remaining"]) == (0.02, 0, 0.08)


async def test_everybody_whose_budget_a_call_takes_from(plane: Plane) -> None:
    """Organization, workspace, integration in the workspace, and key, each in its own answer."""
    limits = {"usage_limits": [TEN_CENTS]}
    await plane.admin("PUT", "/admin/organisation", limits)
    await plane.admin("PUT", "/admin/workspaces/default", limits)
    await plane.admin(
        "PUT", "/integrations/openai/workspaces", {"workspaces": [{"id": "default", "enabled": True} | limits]}
    )
    path, key = await one_key(plane, usage_limits=TEN_CENTS)
    assert await statuses(plane, key, 2) == [200, 200]
    (of_workspace,) = (await plane.admin("GET", "/admin/workspaces/default"))["usage_limits"]
    (of_organization,) = (await plane.admin("GET", "/admin/organisation"))["usage_limits"]
    (integration,) = (await plane.admin("GET", "/integrations/openai/workspaces"))["workspaces"]
    (listed,) = (await plane.admin("GET", "/admin/workspaces"))["data"]
    found = [
        of_workspace,
        of_organization,
        integration["usage_limits"],
        await budget(plane, path),
        *listed["usage_limits"],
    ]
    assert [each["current_usage"] for each in found] == [0.02] * 5
    assert [each["remaining"] for each in found] == [0.08] * 5


async def test_exhausted_and_active_again(plane: Plane) -> None:
    """Raised or reset, the next call is taken, and what was used before a reset counts no longer."""
    path, key = await one_key(plane, usage_limits={"credit_limit": 0.01})
    assert await statuses(plane, key, 2) == [200, 412]
    shown = await plane.admin("GET", path)
    assert (shown["status"], shown["usage_limits"]["status"], shown["last_reset_at"]) == (
        "exhausted",
        "exhausted",
        None,
    )
    await plane.admin("PUT", path, {"usage_limits": {"credit_limit": 0.02}})
    assert (await plane.admin("GET", path))["status"] == "active"
    assert await statuses(plane, key, 2) == [200, 412]
    await plane.admin("PUT", path, {"reset_usage": True})
    shown = await plane.admin("GET", path)
    assert (shown["status"], shown["usage_limits"]["current_usage"]) == ("active", 0)
    assert shown["usage_limits"]["last_reset_at"] == shown["last_reset_at"] is not None
    assert await statuses(plane, key, 3) == [200, 200, 412]


@pytest.mark.parametrize("path", ["/admin/workspaces/default", "/integrations/openai/workspaces"])
async def test_a_reset_of_others_reactivates_too(plane: Plane, path: str) -> None:
    """The workspace's budget, and that of an integration in it."""
    limits: dict[str, Any] = {"usage_limits": [{"credit_limit": 0.01}]}
    reset: dict[str, Any] = {"reset_usage": True}
    if path.startswith("/integrations"):
        limits, reset = ({"workspaces": [{"id": "default", "enabled": True} | each]} for each in (limits, reset))
    await plane.admin("PUT", path, limits)
    key = await plane.key()
    assert await statuses(plane, key, 2) == [200, 412]
    await plane.admin("PUT", path, reset)
    assert await statuses(plane, key, 2) == [200, 412]


async def test_after_a_start_it_is_the_same(plane: Plane, tmp_path: Path, vault: Vault) -> None:
    """Of keys that no call was made with since, too: it is read from what was settled, and nothing is loaded for it."""
    path, key = await one_key(plane, usage_limits=TEN_CENTS)
    idle, _ = await one_key(plane, usage_limits=TEN_CENTS)
    assert await statuses(plane, key, 3) == [200] * 3
    before = [await budget(plane, each) for each in (path, idle)]
    async with started_again(plane, tmp_path, vault):
        assert [await budget(plane, each) for each in (path, idle)] == before
        assert (before[0]["current_usage"], before[1]["current_usage"]) == (0.03, 0)


async def test_a_budget_that_is_set_once_more_knows_the_calls_in_between(
    plane: Plane, tmp_path: Path, vault: Vault
) -> None:
    """A budget set in the middle of a period counts the whole period's use, however often it was taken away before: in
    memory, in the database, to `verify`, and after a start."""
    path, key = await one_key(plane, usage_limits=TEN_CENTS)
    assert await statuses(plane, key) == [200]
    for _ in range(2):
        await plane.admin("PUT", path, {"usage_limits": None})
        assert await statuses(plane, key) == [200]
        await plane.admin("PUT", path, {"usage_limits": TEN_CENTS})
    assert (await budget(plane, path))["current_usage"] == 0.03
    assert await statuses(plane, key) == [200]
    assert (await budget(plane, path))["current_usage"] == 0.04
    found = await books(plane.gateway, tmp_path)
    assert (found.records, found.differences) == (4, [])
    async with started_again(plane, tmp_path, vault):
        assert (await budget(plane, path))["current_usage"] == 0.04
        assert await statuses(plane, key, 7) == [200] * 6 + [412]
        assert (await books(plane.gateway, tmp_path)).differences == []


async def test_a_rate_that_is_set_once_more_knows_the_calls_in_between(plane: Plane) -> None:
    """Never more than its value in any of its windows, whoever took it away for a while."""
    rate = {"rate_limits": [{"type": "requests", "unit": "rph", "value": 3}]}
    path, key = await one_key(plane, **rate)
    assert await statuses(plane, key) == [200]
    await plane.admin("PUT", path, {"rate_limits": None})
    assert await statuses(plane, key) == [200]
    await plane.admin("PUT", path, rate)
    assert await statuses(plane, key, 2) == [200, 429]


async def test_a_policy_that_looks_at_other_calls_and_back_again(plane: Plane, tmp_path: Path) -> None:
    """It counts all calls of the period that meet its conditions, those made while it looked elsewhere included."""
    key = await plane.key()
    here, elsewhere = ([{"key": "model", "value": f"@openai/{name}"}] for name in ("m", "other"))
    made = await plane.admin("POST", "/policies/usage-limits", {"name": "p", "conditions": here, "credit_limit": 0.03})
    path = f"/policies/usage-limits/{made['id']}"
    assert await statuses(plane, key) == [200]
    await plane.admin("PUT", path, {"conditions": elsewhere})
    assert await statuses(plane, key) == [200]
    await plane.admin("PUT", path, {"conditions": here})
    assert await statuses(plane, key, 2) == [200, 412]
    assert (await books(plane.gateway, tmp_path)).differences == []
