"""Graphs and groups over HTTP: the figures are those of the calls, and nobody sees another's."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from urllib.parse import urlencode

import pytest

from headgate.analytics.asked import FILTERS
from headgate.base.clock import NANOS_PER_SECOND
from headgate.controlplane.usage_filters import UsageFilters
from headgate.ledger.record import Outcome, UsageRecord
from headgate.storage.alert_rows import AlertedRows
from tests.support.administration import NOON, World, customer_key

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
            call(0, world, pro, HOUR, metadata={"tier": "pro", "_user": "ann"}, config="pc-careful", prompt="greeting"),
            call(1, world, pro, DAY, metadata={"tier": "pro", "_user": "bob"}, model="gpt-5", cost=25_000_001),
            call(2, world, pro, 2 * DAY, metadata={"tier": "pro", "_user": "ann"}, status=429, attempts=2, cost=0),
            call(3, world, pro, 2 * DAY, metadata={"tier": "pro"}, attempts=2, config="pc-careful", span_id="step-1"),
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


async def test_a_graph_s_figures_are_those_of_its_calls(month: World) -> None:
    """Tokens, users, errors by status, and calls that more than one attempt saved."""
    assert (await graph(month, "tokens"))["summary"] == {"total": 75, "avg": 15, "input": 50, "output": 25}
    assert (await graph(month, "users"))["summary"] == {"total": 3}
    assert (await graph(month, "users/requests"))["summary"] == {"total": 4, "avg": 1.3333}
    assert (await graph(month, "errors"))["summary"] == {"total": 1}
    assert (await graph(month, "errors/rate"))["summary"] == {"rate": 20}
    stacks = await graph(month, "errors/stacks")
    assert stacks["summary"] == {"total": 1, "stats": [{"response_status_code": 429, "count": 1}]}
    assert [point["stats"] for point in stacks["data_points"] if point["total"]] == [
        [{"response_status_code": 429, "count": 1}]
    ]
    assert (await graph(month, "requests/rescued"))["summary"] == {"total": 1}
    assert (await graph(month, "cache/hit-rate"))["summary"] == {"rate": 0, "hits": 0, "total": 5}


async def test_latencies_are_within_nine_percent(month: World) -> None:
    """The mean is exact; percentiles come from a histogram."""
    summary = (await graph(month, "latency"))["summary"]
    assert summary["avg"] == 300
    assert summary["p50"] == pytest.approx(300, rel=0.0905)
    assert summary["p99"] == pytest.approx(500, rel=0.0905)


async def test_calls_are_grouped(month: World) -> None:
    """By any metadata key and by the contract's names; ordered and paged; calls without the label are left out."""
    tiers = await group(month, "metadata/tier")
    assert [(row["metadata_value"], row["requests"]) for row in tiers["data"]] == [("pro", 4), ("starter", 1)]
    assert tiers["data"][0] == {
        "metadata_value": "pro",
        "requests": 4,
        "cost": 4.5000001,
        "tokens": 60,
        "input_tokens": 40,
        "output_tokens": 20,
        "avg_tokens": 15,
        "avg_latency": 250,
        "last_seen": "2027-01-15T07:00:00.000Z",
        "object": "analytics-group",
    }
    users = await group(month, "users", order_by="cost")
    assert (users["total"], [row["user"] for row in users["data"]]) == (3, ["bob", "ann", "eve"])
    page = await group(month, "users", order_by="cost", order_by_type="asc", page_size="1", current_page="2")
    assert (page["total"], [row["user"] for row in page["data"]]) == (3, ["bob"])
    assert [row["ai_model"] for row in (await group(month, "ai-models"))["data"]] == ["gpt-4o", "gpt-5"]
    assert [row["workspace_slug"] for row in (await group(month, "workspaces"))["data"]] == ["pro", "starter"]
    (careful,) = (await group(month, "config"))["data"]
    assert (careful["config"], careful["requests"]) == ("pc-careful", 2)
    assert [(row["prompt"], row["requests"]) for row in (await group(month, "prompt"))["data"]] == [("greeting", 1)]
    for name in ("api_key", "provider", "ai_service", "status_code", "outcome", "model"):
        assert sum(row["requests"] for row in (await group(month, name))["data"]) == 5


@pytest.mark.parametrize(
    ("filters", "total"),
    [
        ({"metadata": '{"tier":"pro"}'}, 4),
        ({"metadata": '{"tier":"pro","_user":"ann"}'}, 2),
        ({"metadata": '{"tier":"pro"}', "ai_model": "gpt-5"}, 1),
        ({"workspace_slug": "starter"}, 1),
        ({"api_key_ids": "key_2,key_3"}, 1),
        ({"status_code": "429"}, 1),
        ({"ai_org_model": "openai__gpt-5,anthropic__claude"}, 1),
        ({"virtual_keys": "openai-prod"}, 5),
        ({"user": "ann"}, 2),
        ({"trace_id": "trace-3"}, 1),
        ({"span_id": "step-1"}, 1),
        ({"configs": "pc-careful,pc-other"}, 2),
        ({"prompt_slug": "greeting"}, 1),
        ({"is_success": "true"}, 4),
        ({"is_success": "false"}, 1),
        ({"cost_min": "1.1"}, 1),
        ({"cost_max": "0"}, 1),
        ({"total_units_min": "16"}, 0),
        ({"prompt_token_min": "10", "completion_token_max": "5"}, 5),
        ({"metadata": '{"tier":"x\\"; drop"}'}, 0),
    ],
    ids=str,
)
async def test_filters_leave_calls_out(month: World, filters: dict[str, str], total: int) -> None:
    """Whether sums know of them or only records do, the answer is the same in graphs, groups and logs."""
    assert (await graph(month, "requests", **filters))["summary"] == {"total": total}
    rows = (await group(month, "provider", **filters))["data"]
    assert sum(row["requests"] for row in rows) == total
    logs = await month.ok("GET", f"/v1/logs?{urlencode({**MONTH, **filters, 'include_total': 'true'})}")
    assert (logs["total"], len(logs["data"])) == (total, total)


def test_every_filter_can_be_asked_for() -> None:
    """One that exports know, and a query does not, would filter nothing and not say so."""
    assert {each.name for each in fields(UsageFilters)} == set(FILTERS)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"time_of_generation_min": "yesterday"}, "time_of_generation_min"),
        ({"time_of_generation_min": "1900-01-01"}, "time_of_generation_min"),
        ({"time_of_generation_max": "9999-12-31T00:00:00Z"}, "time_of_generation_max"),
        ({"time_of_generation_min": "2027-01-02T00:00:00Z", "time_of_generation_max": "2027-01-01T00:00:00Z"}, None),
        ({"metadata": "tier"}, "metadata"),
        ({"metadata": '{"a\\"b":"c"}'}, "metadata"),
        ({"status_code": "many"}, "status_code"),
        ({"status_code": "2147483648"}, "status_code"),
        ({"cost_min": "1e400"}, "cost_min"),
    ],
    ids=str,
)
async def test_a_question_that_makes_no_sense_is_refused(
    world: World, query: dict[str, str], param: str | None
) -> None:
    """With the field's name."""
    reply = await world.call("GET", f"/v1/analytics/graphs/cost?{urlencode(query)}")
    assert reply.status == 400, reply.body
    assert reply.json["error"]["param"] == (param or "time_of_generation_min")


async def test_unknown_graphs_groups_and_workspaces_are_not_found(month: World) -> None:
    """The answer says which there are."""
    assert (await month.call("GET", "/v1/analytics/graphs/weather")).status == 404
    assert (await month.call("GET", "/v1/analytics/graphs/feedbacks/weather")).status == 404
    assert (await month.call("GET", "/v1/analytics/groups/weather")).status == 400
    assert (await month.call("GET", "/v1/analytics/graphs/cost?workspace_slug=other")).status == 404
    assert (await month.call("GET", "/v1/analytics/graphs/cost?tenant_id=other")).status == 404


@pytest.mark.parametrize("name", [",", "%20", "%00", "req_nobody"])
async def test_a_log_that_is_none_is_not_found(month: World, name: str) -> None:
    """A name that filters nothing is not the latest call's."""
    assert (await month.call("GET", f"/v1/logs/{name}")).status == 404


async def test_a_workspace_s_key_sees_its_workspace(month: World) -> None:
    """Whatever it asks for; and nothing without the scope."""
    scopes = ["analytics.view", "logs.list", "logs.view", "logs.export"]
    _, viewer = await customer_key(month, "starter", scopes=scopes)
    assert (await graph(month, "requests", viewer, workspace_slug="pro"))["summary"] == {"total": 1}
    assert [row["metadata_value"] for row in (await group(month, "metadata/tier", viewer))["data"]] == ["starter"]
    assert (await month.ok("GET", f"/v1/logs?{urlencode(MONTH)}", key=viewer))["data"][0]["metadata"]["_user"] == "eve"
    assert (await month.call("GET", f"/v1/logs/req_{0:032x}", key=viewer)).status == 404
    assert (await month.call("GET", f"/v1/logs/req_{4:032x}", key=viewer)).status == 200
    _, caller = await customer_key(month, "starter", name="caller")
    assert (await month.call("GET", "/v1/analytics/graphs/cost", key=caller)).status == 403
    assert (await month.call("GET", "/v1/logs", key=caller)).status == 403


async def test_a_tenant_s_key_sees_its_tenant(world: World) -> None:
    """Another tenant of the same workspace is not there for it."""
    pro = await workspace(world, "pro")
    tenants = [
        (await world.ok("POST", "/v1/admin/tenants", {"name": name, "tenant_id": name, "workspace_id": "pro"}))["id"]
        for name in ("acme", "globex")
    ]
    await written(world, [call(index, world, pro, HOUR, tenant_id=each) for index, each in enumerate(tenants)])
    scopes = ["analytics.view", "logs.list", "logs.view"]
    _, key = await customer_key(world, "pro", tenant_id="acme", scopes=scopes)
    assert (await graph(world, "requests", key))["summary"] == {"total": 1}
    assert [row["tenant_slug"] for row in (await group(world, "tenant", key))["data"]] == ["acme"]
    assert (await world.call("GET", "/v1/analytics/graphs/cost?tenant_id=globex", key=key)).status == 404
    assert (await world.call("GET", f"/v1/logs/req_{1:032x}", key=key)).status == 404
    assert len((await world.ok("GET", "/v1/logs", key=key))["data"]) == 1


async def test_days_are_those_of_the_organization(world: World) -> None:
    """23:30 in Berlin is that day's, though in UTC the next one would not have begun either; 00:30 is the next's."""
    await world.ok("PUT", "/v1/admin/organisation", {"time_zone": "Asia/Kolkata"})
    pro = await workspace(world, "pro")
    midnight = 13 * HOUR + 30 * 60 * NANOS_PER_SECOND  # before NOON: 00:00 in Kolkata on the 15th
    await written(world, [call(0, world, pro, midnight - 60 * NANOS_PER_SECOND), call(1, world, pro, midnight + 1)])
    points = (await graph(world, "requests"))["data_points"]
    assert [point for point in points if point["total"]] == [
        {"timestamp": "2027-01-13T18:30:00.000Z", "total": 1},
        {"timestamp": "2027-01-14T18:30:00.000Z", "total": 1},
    ]
    hours = {"time_of_generation_min": "2027-01-14T00:00:00Z", "time_of_generation_max": "2027-01-17T00:00:00Z"}
    stamps = {point["timestamp"][14:16] for point in (await graph(world, "requests", **hours))["data_points"]}
    assert stamps == {"30"}


async def test_another_time_zone_counts_no_call_twice_or_never(world: World) -> None:
    """Calls of days that had begun when it was set are where they happened, and there are as many as before."""
    pro = await workspace(world, "pro")
    ago = {"2027-01-04T05:00:00.000Z": 11 * DAY + 2 * HOUR, "2027-01-15T05:00:00.000Z": HOUR}
    await written(world, [call(number, world, pro, each) for number, each in enumerate(ago.values())])
    time = {"time_of_generation_min": "2027-01-04T00:30:00Z", "time_of_generation_max": "2027-01-15T07:30:00Z"}
    for zone in ("UTC", "America/New_York"):
        await world.ok("PUT", "/v1/admin/organisation", {"time_zone": zone})
        shown = await graph(world, "requests", **time)
        assert shown["summary"] == {"total": 2}, zone
        rows = (await group(world, "provider", **time))["data"]
        assert [row["requests"] for row in rows] == [2], zone
    assert [point["timestamp"] for point in shown["data_points"] if point["total"]] == list(ago)
    world.clock.move(DAY / NANOS_PER_SECOND)
    await written(world, [call(2, world, pro, -DAY)])
    later = {**time, "time_of_generation_max": "2027-01-17T00:00:00Z"}
    assert (await graph(world, "requests", **later))["summary"] == {"total": 3}


async def test_what_was_deleted_is_found_by_its_id(world: World) -> None:
    """Groups show it under its id, so its calls are to be had; for a workspace's key it is as if it never was."""
    pro = await workspace(world, "pro")
    tenant = await world.ok("POST", "/v1/admin/tenants", {"tenant_id": "acme", "workspace_id": "pro"})
    await written(world, [call(0, world, pro, HOUR, tenant_id=tenant["id"]), call(1, world, pro, HOUR)])
    _, viewer = await customer_key(world, "default", scopes=["analytics.view"])
    await world.ok("DELETE", "/v1/admin/tenants/acme")
    await world.ok("DELETE", "/v1/admin/workspaces/pro")
    [row] = (await group(world, "tenants"))["data"]
    for filters, total in (({"tenant_id": row["tenant"]}, 1), ({"workspace_slug": pro}, 2)):
        assert (await graph(world, "requests", **filters))["summary"] == {"total": total}
        logs = await world.ok("GET", f"/v1/logs?{urlencode({**MONTH, **filters})}")
        assert len(logs["data"]) == total
    hidden = await world.call("GET", f"/v1/analytics/graphs/cost?tenant_id={row['tenant']}", key=viewer)
    assert hidden.status == 404
    assert (await world.call("GET", "/v1/logs?tenant_id=acme")).status == 404
