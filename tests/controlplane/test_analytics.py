"""Graphs and groups over HTTP: the figures are those of the calls, and nobody sees another's."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pytest

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.record import Outcome, UsageRecord
from headgate.storage.alert_rows import AlertedRows
from tests.support.administration import NOON, World

HOUR = 3_600 * NANOS_PER_SECOND
DAY = 24 * HOUR
MONTH = {"time_of_generation_min": "2026-12-16T08:00:00+00:00", "time_of_generation_max": "2027-01-15T09:00:00+00:00"}


def call(number: int, world: World, workspace_id: str, ago: int, **fields: Any) -> UsageRecord:
    """One that took a tenth of a second times its number, and cost a cent."""
    values: dict[str, Any] = {
        "request_id": f"req_{number:032x}",
        "trace_id": f"trace-{number}",
        "organization_id": world.root.organization_id,
        "workspace_id": workspace_id,
        "key_id": "key_1",
        "integration_id": "int_1",
        "provider": "openai-prod",
        "provider_kind": "openai",
        "endpoint": "/v1/chat/completions",
        "model_asked": "gpt-4o",
        "model": "gpt-4o",
        "stream": False,
        "started_at": NOON - ago,
        "ended_after": (number + 1) * NANOS_PER_SECOND // 10,
        "outcome": Outcome.OK,
        "status": 200,
        "usage": {"input": 10, "output": 5},
        "cost": 10_000_000,
    }
    return UsageRecord(**{**values, **fields})


async def written(world: World, records: Sequence[UsageRecord]) -> None:
    rows = AlertedRows(world.clock)
    await world.database.write(lambda connection: rows.insert(connection, records))


async def workspace(world: World, slug: str) -> str:
    made = await world.ok("POST", "/v1/admin/workspaces", {"name": slug, "slug": slug})
    found: str = made["id"]
    return found


async def graph(world: World, name: str, key: str | None = None, **filters: str) -> Any:
    return await world.ok("GET", f"/v1/analytics/graphs/{name}?{urlencode({**MONTH, **filters})}", key=key)


async def group(world: World, name: str, key: str | None = None, **filters: str) -> Any:
    return await world.ok("GET", f"/v1/analytics/groups/{name}?{urlencode({**MONTH, **filters})}", key=key)


@pytest.fixture
async def month(world: World) -> World:
    """Two workspaces' calls of the last month."""
    pro, starter = await workspace(world, "pro"), await workspace(world, "starter")
    await written(
        world,
        [
            call(0, world, pro, HOUR, metadata={"tier": "pro", "_user": "ann"}),
            call(1, world, pro, DAY, metadata={"tier": "pro", "_user": "bob"}, model="gpt-5", cost=25_000_001),
            call(2, world, pro, 2 * DAY, metadata={"tier": "pro", "_user": "ann"}, status=429, attempts=2, cost=0),
            call(3, world, pro, 2 * DAY, metadata={"tier": "pro"}, attempts=2),
            call(4, world, starter, 20 * DAY, metadata={"tier": "starter", "_user": "eve"}, key_id="key_2"),
            call(5, world, starter, 31 * DAY, metadata={"tier": "starter"}),
        ],
    )
    return world


async def test_the_requests_and_the_cost_of_a_month(month: World) -> None:
    """One point for each of the organization's days, those without calls too; cost in cents, exact."""
    requests = await graph(month, "requests")
    assert requests["object"] == "analytics-graph"
    assert requests["summary"] == {"total": 5}
    assert len(requests["data_points"]) == 31
    assert requests["data_points"][-1] == {"timestamp": "2027-01-15T00:00:00.000Z", "total": 1}
    assert sum(point["total"] for point in requests["data_points"]) == 5
    cost = await graph(month, "cost")
    assert cost["summary"]["total"] == 5.5000001
