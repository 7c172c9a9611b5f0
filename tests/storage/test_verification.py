"""`verify` finds what is wrong with the books, and finds nothing wrong with books that are right."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from headgate.base.clock import NANOS_PER_SECOND, SystemClock
from headgate.base.money import NANOS_PER_USD
from headgate.bootstrap import JOURNAL_DIRECTORY
from headgate.storage.journal_reading import read_journal
from headgate.storage.verification import Findings, verify
from tests.support.plane import Plane, completion, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.01, "response_token": 0.01}
CALL = {"model": "@openai/m", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    """Limits on every level, and five calls that count against them."""

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await peer.answer(completion("x", 10, 20))

    limits = {
        "usage_limits": [{"credit_limit": 10, "periodic_reset": "monthly"}, {"credit_limit": 9, "type": "requests"}],
        "rate_limits": [{"type": "tokens", "unit": "rpd", "value": 100_000}, {"type": "in_flight", "value": 5}],
    }
    async with open_plane(tmp_path, play) as opened:
        await opened.integrate("openai", {"m": PRICES})
        await opened.admin("PUT", "/admin/organisation", limits)
        await opened.admin("PUT", "/admin/workspaces/default", limits)
        tenant = {"tenant_id": "acme", "name": "acme", "workspace_id": "default", **limits}
        await opened.admin("POST", "/admin/tenants", tenant)
        access = {"id": "default", "enabled": True, **limits}
        await opened.admin("PUT", "/integrations/openai/workspaces", {"workspaces": [access]})
        await opened.admin("PUT", "/providers/openai", limits)
        key = await opened.key(tenant_id="acme", **limits)
        for _ in range(5):
            assert (await opened.call(key, CALL).reply()).status == 200
        assert len(await opened.records()) == 5
        yield opened


async def looked_at(plane: Plane, directory: Path) -> Findings:
    replay = read_journal(directory / JOURNAL_DIRECTORY)
    return await plane.gateway.database.read(lambda connection: verify(connection, replay, SystemClock.now()))


async def change(plane: Plane, statement: str) -> None:
    await plane.gateway.database.write(lambda connection: connection.execute(text(statement)))


async def test_right_books(plane: Plane, tmp_path: Path) -> None:
    """Everything is looked at, and nothing differs; the server goes on meanwhile."""
    found = await looked_at(plane, tmp_path)
    assert found.differences == []
    assert (found.records, found.journalled, found.waiting, found.unfinished) == (5, 5, 0, 0)
    assert (found.allowances, found.balances) == (24, 12)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "DELETE FROM usage_record WHERE request_id = (SELECT min(request_id) FROM usage_record)",
            "from 0: 5 requests",
        ),
        ("UPDATE allowance_use SET settled = settled + 1 WHERE allowance_id LIKE 'tenant:%:cost:month'", "tenant:"),
        ("UPDATE usage_record SET cost = cost + 1", "its lines $0.003000000"),
        ("UPDATE usage_record SET output_tokens = 7", "20 out, its sums say 10 and 7"),
        ("UPDATE usage_record SET cost = 0, cost_lines = '[]'", "the journal settled $0.003000000"),
    ],
)
async def test_wrong_books(plane: Plane, tmp_path: Path, statement: str, told: str) -> None:
    """A record that is gone, a sum that drifted, a cost that was changed: each is named with both figures."""
    await change(plane, statement)
    found = await looked_at(plane, tmp_path)
    assert any(told in difference for difference in found.differences), found.differences


async def test_calls_that_took_long_are_no_difference(plane: Plane, tmp_path: Path) -> None:
    """They began before the window, and end in it: tokens count, and the sums of a start say the same."""
    day = 86_400 * NANOS_PER_SECOND
    await change(plane, f"UPDATE usage_record SET started_at = started_at - {2 * day}, ended_after = {2 * day}")
    found = await looked_at(plane, tmp_path)
    assert [each for each in found.differences if each.startswith("a start would restore") and ":rpd" in each] == []


async def test_a_settled_call_may_wait_for_the_database(plane: Plane, tmp_path: Path) -> None:
    """The journal has it: it is counted, and is no difference."""
    await change(plane, "DELETE FROM usage_record")
    await change(plane, "DELETE FROM allowance_use")
    found = await looked_at(plane, tmp_path)
    assert (found.records, found.journalled, found.waiting, found.differences) == (0, 5, 5, [])


async def test_money_is_exact(plane: Plane) -> None:
    """The calls above, for those who add up by hand: thirty tokens at a hundredth of a cent."""
    assert {record.cost for record in await plane.records()} == {30 * NANOS_PER_USD // 10_000}
