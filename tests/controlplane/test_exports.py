"""Exports over HTTP: made, started, downloaded by a link, stopped; feedback and logs that are sent in."""

import asyncio
import csv
import io
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest

from headgate.analytics.calls import Calls
from headgate.analytics.exporter import LEASE_S, Exporter
from headgate.analytics.stores import LogReader, Place
from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.record import UsageRecord
from headgate.storage.analytics.export_files import SqlExportFiles
from headgate.storage.analytics.logs import SqlLogReader
from headgate.tenancy.usage_export import KEEP_S
from tests.controlplane.test_analytics import HOUR, call, workspace, written
from tests.support.administration import World, customer_key


@pytest.fixture
async def used(world: World) -> World:
    """2,500 calls of one workspace, one of another."""
    pro, starter = await workspace(world, "pro"), await workspace(world, "starter")
    await written(world, [call(index, world, pro, HOUR + index, metadata={"n": str(index)}) for index in range(2_500)])
    await written(world, [call(9_999, world, starter, HOUR, metadata={"n": "=1+1"})])
    return world


async def made(world: World, key: str | None = None, **fields: Any) -> str:
    answer = await world.ok("POST", "/v1/logs/exports", fields, key=key)
    found: str = answer["id"]
    return found


async def downloaded(world: World, export_id: str, key: str | None = None) -> bytes:
    await world.ok("POST", f"/v1/logs/exports/{export_id}/start", key=key)
    await world.services.analytics.exporter.turn()
    link = urlsplit((await world.ok("GET", f"/v1/logs/exports/{export_id}/download", key=key))["signed_url"])
    reply = await world.call("GET", f"{link.path}?{link.query}", key="")
    assert reply.status == 200, reply.body
    return reply.body


async def test_an_export_holds_every_record_once(used: World) -> None:
    """As JSON lines, in the order of their start, with the columns asked for."""
    created = await used.ok("POST", "/v1/logs/exports", {"workspace_id": "pro", "requested_data": ["id", "cost"]})
    assert (created["total"], created["object"]) == (2_500, "export")
    lines = [json.loads(line) for line in (await downloaded(used, created["id"])).splitlines()]
    assert lines[-1] == {"id": f"req_{0:032x}", "cost": 1}
    assert len({line["id"] for line in lines}) == len(lines) == 2_500
    shown = await used.ok("GET", f"/v1/logs/exports/{created['id']}")
    assert (shown["status"], shown["total_records"], shown["done"]) == ("success", 2_500, 2_500)
    assert shown["expires_at"].startswith("2027-01-22T")


@pytest.mark.parametrize(
    ("filters", "total"),
    [
        ({"is_success": False}, 1),
        ({"is_success": True}, 2),
        ({"metadata": {"vip": True}}, 1),
        ({"metadata": {"score": 1.5}}, 1),
        ({"page_size": 1, "current_page": 0, "order_by": "cost", "order_by_type": "asc"}, 3),
    ],
    ids=str,
)
async def test_filters_are_json(world: World, filters: dict[str, Any], total: int) -> None:
    """A body says `false` where a query says `"false"`; an export has all pages."""
    pro = await workspace(world, "pro")
    metadata: list[dict[str, str]] = [{"vip": "true"}, {"score": "1.5"}, {}]
    calls = [call(at, world, pro, HOUR, metadata=each, status=200 if each else 500) for at, each in enumerate(metadata)]
    await written(world, calls)
    assert (await world.ok("POST", "/v1/logs/exports", {"filters": filters}))["total"] == total


async def test_a_filter_that_is_none_is_refused(used: World) -> None:
    """What somebody wanted to leave out by a name that is wrong would be in the file."""
    export_id = await made(used, workspace_id="pro")
    for method, path in (("POST", "/v1/logs/exports"), ("PUT", f"/v1/logs/exports/{export_id}")):
        reply = await used.call(method, path, {"filters": {"tenant": "acme"}})
        assert (reply.status, reply.json["error"]["param"]) == (400, "filters.tenant")
        assert "tenant_id" in reply.json["error"]["message"]


@pytest.mark.parametrize("until", ["2027-02-01T00:00:00Z", None])
async def test_what_comes_after_the_start_is_not_in_it(world: World, until: str | None) -> None:
    """Whether its time has an end that is still to come, or none: it holds as many as the answer says."""
    pro = await workspace(world, "pro")
    await written(world, [call(0, world, pro, HOUR)])
    filters = {"time_of_generation_min": "2027-01-01T00:00:00Z", "time_of_generation_max": until}
    export_id = await made(world, filters=filters, requested_data=["id"])
    answer = await world.ok("POST", f"/v1/logs/exports/{export_id}/start")
    assert answer["message"] == "The export will hold 1 records."
    await written(world, [call(1, world, pro, -HOUR)])
    world.clock.move(7_200)
    await world.services.analytics.exporter.turn()
    assert (await world.ok("GET", f"/v1/logs/exports/{export_id}"))["done"] == 1


class Dying(LogReader):
    """Reads so many times, and then the process is gone."""

    def __init__(self, inner: LogReader, times: int) -> None:
        self._inner = inner
        self._left = times

    async def latest(self, calls: Calls, before: Place | None, limit: int) -> Sequence[UsageRecord]:
        return await self._inner.latest(calls, before, limit)

    async def after(self, calls: Calls, place: Place | None, limit: int) -> Sequence[UsageRecord]:
        if not self._left:
            raise asyncio.CancelledError
        self._left -= 1
        return await self._inner.after(calls, place, limit)


def dying(world: World, times: int) -> Exporter:
    """Of a process that dies after reading so many parts."""
    analytics, database = world.services.analytics, world.database
    reader = Dying(SqlLogReader(database), times)
    return Exporter(SqlExportFiles(database), reader, analytics.bodies, analytics.exports.calls_of, world.clock)


async def test_an_export_in_progress_survives_its_process(used: World) -> None:
    """It says how far it is; once the lease is over the next one goes on there, and every record is in it once."""
    export_id = await made(used, workspace_id="pro", requested_data=["id"], format="csv")
    await used.ok("POST", f"/v1/logs/exports/{export_id}/start")
    with pytest.raises(asyncio.CancelledError):
        await dying(used, 2).turn()
    exporter, path = used.services.analytics.exporter, f"/v1/logs/exports/{export_id}"
    await exporter.turn()
    shown = await used.ok("GET", path)
    assert (shown["status"], shown["total_records"], shown["done"]) == ("in_progress", 2_500, 2_000)
    early = await used.call("GET", f"{path}/download")
    assert (early.status, "2000 of 2500" in early.json["error"]["message"]) == (409, True)
    used.clock.move(LEASE_S + 1)
    await exporter.turn()
    link = urlsplit((await used.ok("GET", f"{path}/download"))["signed_url"])
    lines = (await used.call("GET", f"{link.path}?{link.query}", key="")).body.decode().split()
    assert lines == ["id", *(f"req_{index:032x}" for index in reversed(range(2_500)))]
    assert (await used.ok("GET", path))["status"] == "success"


async def test_an_export_that_is_stopped_is_written_no_further(used: World) -> None:
    """Also in the middle; nothing of it is left."""
    export_id = await made(used, workspace_id="pro", requested_data=["id"])
    await used.ok("POST", f"/v1/logs/exports/{export_id}/start")
    with pytest.raises(asyncio.CancelledError):
        await dying(used, 1).turn()
    answer = await used.ok("POST", f"/v1/logs/exports/{export_id}/cancel")
    assert answer["status"] == "stopped"
    used.clock.move(LEASE_S + 1)
    await used.services.analytics.exporter.turn()
    assert (await used.ok("GET", f"/v1/logs/exports/{export_id}"))["done"] == 1_000
    files = SqlExportFiles(used.database)
    assert await files.part(export_id, 0) is not None
    while await files.forget(0):
        pass
    assert await files.part(export_id, 0) is None


async def test_an_export_that_cannot_be_written_says_why(used: World) -> None:
    """A tenant that its filters name is gone: it has failed, and others are written."""
    tenant = {"tenant_id": "acme", "name": "Acme", "workspace_id": "pro"}
    await used.ok("POST", "/v1/admin/tenants", tenant)
    failing = await made(used, filters={"tenant_id": "acme"})
    good = await made(used, workspace_id="starter", requested_data=["id"])
    for export_id in (failing, good):
        await used.ok("POST", f"/v1/logs/exports/{export_id}/start")
    await used.ok("DELETE", "/v1/admin/tenants/acme")
    await used.services.analytics.exporter.turn()
    shown = await used.ok("GET", f"/v1/logs/exports/{failing}")
    assert (shown["status"], "acme" in shown["reason"]) == ("failed", True)
    assert (await used.ok("GET", f"/v1/logs/exports/{good}"))["status"] == "success"


async def test_a_file_is_kept_for_a_week_and_sealed(used: World) -> None:
    """In the database it is encrypted; then it is gone, and says so."""
    export_id = await made(used, workspace_id="starter", requested_data=["id", "trace_id"])
    assert b"trace-9999" in await downloaded(used, export_id)
    files = SqlExportFiles(used.database)
    part = await files.part(export_id, 0)
    assert part is not None
    assert b"trace-9999" not in part
    assert await files.forget(used.clock.now() - KEEP_S * NANOS_PER_SECOND) == 0
    used.clock.move(KEEP_S + 1)
    assert await files.forget(used.clock.now() - KEEP_S * NANOS_PER_SECOND) == 1
    late = await used.call("GET", f"/v1/logs/exports/{export_id}/download")
    assert (late.status, "7 days" in late.json["error"]["message"]) == (409, True)


async def test_an_export_as_csv(used: World) -> None:
    """With a head; a text that a spreadsheet would take for a formula is marked as text."""
    export_id = await made(used, workspace_id="starter", format="csv", requested_data=["id", "metadata", "trace_id"])
    rows = list(csv.reader(io.StringIO((await downloaded(used, export_id)).decode())))
    assert rows == [["id", "metadata", "trace_id"], [f"req_{9_999:032x}", '{"n":"=1+1"}', "trace-9999"]]
    await written(used, [call(10_000, used, "ws_gone", HOUR, trace_id="=cmd()")])
    export_id = await made(used, filters={"trace_id": "=cmd()"}, format="csv", requested_data=["trace_id"])
    assert (await downloaded(used, export_id)).decode().split() == ["trace_id", "'=cmd()"]


async def test_a_link_is_good_for_this_export_and_for_minutes(used: World) -> None:
    """Another export's signature, another end, and a link of yesterday open nothing; nor does one that was stopped."""
    first, second = await made(used, workspace_id="starter"), await made(used, workspace_id="pro")
    assert (await used.call("GET", f"/v1/logs/exports/{first}/download")).status == 409
    await downloaded(used, second)
    await downloaded(used, first)
    link = urlsplit((await used.ok("GET", f"/v1/logs/exports/{first}/download"))["signed_url"])
    for path, query in (
        (link.path.replace(first, second), link.query),
        (link.path, link.query.replace("expires=1", "expires=2")),
        (link.path, link.query[:-1] + "ö"),
    ):
        assert (await used.call("GET", f"{path}?{query}", key="")).status == 404
    used.clock.move(599)
    assert (await used.call("GET", f"{link.path}?{link.query}", key="")).status == 200
    used.clock.move(2)
    assert (await used.call("GET", f"{link.path}?{link.query}", key="")).status == 404
    link = urlsplit((await used.ok("GET", f"/v1/logs/exports/{first}/download"))["signed_url"])
    await used.ok("POST", f"/v1/logs/exports/{first}/cancel")
    assert (await used.call("GET", f"{link.path}?{link.query}", key="")).status == 404


async def test_a_started_export_does_not_grow(used: World) -> None:
    """What comes later is not in it, and it can no longer be changed."""
    export_id = await made(used, workspace_id="starter", requested_data=["id"])
    await used.ok("PUT", f"/v1/logs/exports/{export_id}", {"description": "For March"})
    await used.ok("POST", f"/v1/logs/exports/{export_id}/start")
    await used.services.analytics.exporter.turn()
    used.clock.move(10)
    starter = (await used.ok("GET", "/v1/admin/workspaces/starter"))["id"]
    await written(used, [call(10_001, used, starter, -5_000_000_000)])
    link = urlsplit((await used.ok("GET", f"/v1/logs/exports/{export_id}/download"))["signed_url"])
    assert len((await used.call("GET", f"{link.path}?{link.query}", key="")).body.splitlines()) == 1
    assert (await used.call("PUT", f"/v1/logs/exports/{export_id}", {"description": "x"})).status == 409
    assert (await used.call("POST", f"/v1/logs/exports/{export_id}/start")).status == 409


async def test_exports_of_another_workspace_are_not_there(used: World) -> None:
    """A workspace's key makes, lists and opens its own."""
    foreign = await made(used, workspace_id="pro")
    _, key = await customer_key(used, "starter", scopes=["logs.export"])
    for method, end in (("GET", ""), ("PUT", ""), ("POST", "/start"), ("POST", "/cancel"), ("GET", "/download")):
        reply = await used.call(method, f"/v1/logs/exports/{foreign}{end}", {}, key=key)
        absent = await used.call(method, f"/v1/logs/exports/exp_none{end}", {}, key=key)
        assert (reply.status, absent.status) == (404, 404)
        assert reply.body.replace(foreign.encode(), b"exp_none") == absent.body
    assert (await used.call("POST", "/v1/logs/exports", {"workspace_id": "pro"}, key=key)).status == 404
    own = await made(used, key, requested_data=["id"])
    assert (await downloaded(used, own, key)).splitlines() == [b'{"id":"req_%032x"}' % 9_999]
    assert (await used.ok("GET", "/v1/logs/exports", key=key))["total"] == 1
    assert (await used.ok("GET", "/v1/logs/exports"))["total"] == 2


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"requested_data": ["secrets"]}, "requested_data"),
        ({"format": "xml"}, "format"),
        ({"filters": {"cost_min": "x"}}, "cost_min"),
        ({"filters": {"time_of_generation_min": "soon"}}, "time_of_generation_min"),
    ],
    ids=str,
)
async def test_an_export_that_makes_no_sense_is_refused(world: World, fields: dict[str, Any], param: str) -> None:
    """With the field's name."""
    reply = await world.call("POST", "/v1/logs/exports", fields)
    assert (reply.status, reply.json["error"]["param"]) == (400, param)


async def test_every_step_of_an_export_is_audited(used: World) -> None:
    """Data that leaves leaves a trace."""
    export_id = await made(used, workspace_id="starter")
    await downloaded(used, export_id)
    await used.ok("POST", f"/v1/logs/exports/{export_id}/cancel")
    told = [entry.action for entry in await used.audit() if entry.resource == f"export:{export_id}"]
    assert told == ["create", "export", "update"]


async def test_feedback_is_given_changed_and_counted(used: World) -> None:
    """One or several at once; only the key that gave it changes it; graphs by score, weight and model."""
    _, key = await customer_key(used, "pro", scopes=["completions.write"])
    _, other = await customer_key(used, "pro", name="other", scopes=["completions.write"])
    one = await used.ok("POST", "/v1/feedback", {"trace_id": "trace-1", "value": 10, "weight": 0.5}, key=key)
    assert (one["status"], len(one["feedback_ids"])) == ("success", 1)
    await used.ok(
        "POST", "/v1/feedback", [{"trace_id": "trace-2", "value": -2}, {"trace_id": "x", "value": 1}], key=key
    )
    path = f"/v1/feedback/{one['feedback_ids'][0]}"
    assert (await used.call("PUT", path, {"value": 0}, key=other)).status == 404
    assert (await used.ok("PUT", path, {"value": 4}, key=key))["feedback_ids"] == one["feedback_ids"]
    total = await used.ok("GET", "/v1/analytics/graphs/feedbacks")
    assert total["summary"] == {"total": 3}
    assert sum(point["total"] for point in total["data_points"]) == 3
    scores = await used.ok("GET", "/v1/analytics/graphs/feedbacks/scores")
    assert scores["summary"]["stats"] == [{"score": value, "total": 1} for value in (-2, 1, 4)]
    assert (await used.ok("GET", "/v1/analytics/graphs/feedbacks/weighted"))["summary"] == {"avg": 0.4, "total": 3}
    models = (await used.ok("GET", "/v1/analytics/graphs/feedbacks/ai-models"))["summary"]["stats"]
    assert models == [{"ai_model": "", "avg": 1, "total": 1}, {"ai_model": "gpt-4o", "avg": 0, "total": 2}]
    _, viewer = await customer_key(used, "starter", scopes=["analytics.view"])
    assert (await used.ok("GET", "/v1/analytics/graphs/feedbacks", key=viewer))["summary"] == {"total": 0}


@pytest.mark.parametrize(
    "fields",
    [{"trace_id": "t", "value": 11}, {"trace_id": "t", "value": 1, "weight": 1.5}, {"value": 1}, [], [{}]],
    ids=str,
)
async def test_feedback_that_makes_no_sense_is_refused(world: World, fields: Any) -> None:
    """And nothing of it is kept."""
    assert (await world.call("POST", "/v1/feedback", fields)).status in (400, 403)
    _, key = await customer_key(world, "default")
    assert (await world.call("POST", "/v1/feedback", fields, key=key)).status == 400


async def test_a_log_is_sent_in_and_shown_to_its_workspace(used: World) -> None:
    """Encrypted in between, and in no graph."""
    scopes = ["logs.write", "logs.view"]
    _, key = await customer_key(used, "starter", scopes=scopes)
    _, foreign = await customer_key(used, "pro", scopes=scopes)
    log = {"request": {"url": "u", "body": {"canary": "Feldspat"}}, "response": {}, "metadata": {"trace_id": "t"}}
    log_id = (await used.ok("POST", "/v1/logs", log, key=key))["id"]
    shown = await used.ok("GET", f"/v1/logs/{log_id}", key=key)
    assert (shown["trace_id"], shown["request"]["body"]["canary"]) == ("t", "Feldspat")
    assert (await used.call("GET", f"/v1/logs/{log_id}", key=foreign)).status == 404
    stored = await used.database.read(lambda c: c.exec_driver_sql("SELECT sealed FROM sent_log").scalar_one())
    assert b"Feldspat" not in stored
    ids = (await used.ok("POST", "/v1/logs", [log, log], key=key))["ids"]
    assert [(await used.ok("GET", f"/v1/logs/{each}", key=key))["trace_id"] for each in ids] == ["t", "t"]
    assert (await used.call("POST", "/v1/logs", [log, {"request": {"x": "y" * 300_000}}], key=key)).status == 413
    assert (await used.call("POST", "/v1/logs", [], key=key)).status == 400
    assert (await used.call("POST", "/v1/logs", {"request": {"x": "y" * 300_000}}, key=key)).status == 413


async def test_logs_are_paged_while_new_ones_come(used: World) -> None:
    """Each page begins where the one before ended; no call is shown twice, none is left out."""
    pro = (await used.ok("GET", "/v1/admin/workspaces/pro"))["id"]
    seen, cursor = [], ""
    for page in range(3):
        found = await used.ok("GET", f"/v1/logs?workspace_slug=pro&page_size=1000&virtual_keys=openai-prod{cursor}")
        seen += [line["id"] for line in found["data"]]
        await written(used, [call(20_000 + page, used, pro, 0)])
        cursor = f"&cursor={found['next_cursor']}"
    assert found["next_cursor"] is None
    assert seen == [f"req_{index:032x}" for index in range(2_500)]
    assert (await used.call("GET", "/v1/logs?cursor=bad")).status == 400


async def test_a_log_tells_how_its_cost_came_about(world: World) -> None:
    """The contract's shape, with price lines and attempts."""
    pro = await workspace(world, "pro")
    lines = (("input", 10, 2_500_000_000, 25_000), ("output", 5, 10_000_000_000, 50_000))
    await written(world, [call(7, world, pro, HOUR, cost=75_000, cost_lines=lines, attempts=2, metadata={"a": "b"})])
    log = await world.ok("GET", f"/v1/logs/req_{7:032x}")
    assert log["metrics"]["cost"] == 0.0075
    assert (log["metrics"]["metadata.key"], log["metrics"]["metadata.value"]) == (["a"], ["b"])
    assert log["response"] == {"status": 200, "headers": {}, "body": None, "responseTime": 800}
    assert log["cost_lines"][0] == {"meter": "input", "count": 10, "cents_per_million": 250, "cost": 0.0025}
    assert log["attempts"] == 2
