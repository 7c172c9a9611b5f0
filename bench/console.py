"""How long the pages of console and portal take over a million usage records, 200 tenants and 5,000 keys, on the
embedded SQLite.

The records are those of `bench.analytics`; every tenant and every key has a monthly budget. Somebody who administers
the organization asks for every page of the console, and one tenant for every page of the portal, over 30 days where a
page is about a time. Each figure is the slower of two runs; CPU time is what a busy neighbour disturbs least.
"""

import asyncio
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from bench.analytics import BATCH, KEYS, PER_TENANT, QUICK, RECORDS, TIERS, records
from bench.rig import save, table
from headgate.base.clock import NANOS_PER_SECOND
from headgate.bootstrap import open_gateway
from headgate.console.app import create_console
from headgate.console.pages import PAGES
from headgate.console.portal.app import PAGES as PORTAL_PAGES
from headgate.ledger.allowance import Allowance, Resource, Scope, Window, WindowKind
from headgate.settings import Settings
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.database import open_database
from headgate.storage.migrate import upgrade
from headgate.tenancy.alert_events import Owner, Reached, budget_event
from headgate.tenancy.api_key import ApiKey, KeyLevel, KeyOwner
from headgate.tenancy.audit import next_entry
from headgate.tenancy.limits import UsageLimit
from headgate.tenancy.outbox import Delivery, DeliveryStatus
from headgate.tenancy.stores import Stores
from headgate.tenancy.tenant import Tenant
from headgate.tenancy.vault import Vault
from headgate.tenancy.webhook import EventType
from headgate.tenancy.workspace import Workspace
from tests.console.furnished import FILES
from tests.support.administration import World, founded
from tests.support.asgi import Reply, request

_LIMIT_MS: Final = 500
_TENANTS: Final = KEYS // PER_TENANT
_MONTHLY: Final = (UsageLimit(Resource.COST, 10**15, reset="month"),)
_TIME: Final = "range=30d"
_ALERTS: Final = 10_000
_CHANGES: Final = 20_000
_TENANT: Final = "tenant-7"
_KEY: Final = f"key_{7 * PER_TENANT:020d}"
"""One of that tenant's."""
_QUERIES: Final = {
    "/integrations/{integration}/access": "workspace=enterprise",
    "/models/price": "provider=openai&model=gpt-4o",
}
_MORE: Final = (
    "/console/alerts?page=100",
    "/console/audit?page=400&range=90d",
    "/console/audit?resource_type=tenant&action=update&range=90d",
    "/console/routing?tenant=tenant-7",
    "/console/tenants?page=4&range=30d",
    "/console/keys?page=100",
    "/console/keys?workspace=enterprise",
    "/console/models?disputed=yes",
    "/console/requests?tenant_id=tenant-7&range=30d",
    "/console/requests?status_code=500&range=30d",
)


Times = dict[str, dict[str, float]]
"""Milliseconds by page."""


def furnish(stores: Stores, organization_id: str, now: int) -> None:
    """The workspaces, tenants and keys that the records are of."""
    of: dict[str, Any] = {"organization_id": organization_id, "created_at": now, "updated_at": now}
    limited = {**of, "usage_limits": _MONTHLY}
    for number, tier in enumerate(TIERS):
        stores.workspaces.add(Workspace(id=f"ws_{number:020d}", slug=tier, name=tier, **limited))
    for number in range(_TENANTS):
        workspace_id = f"ws_{number % len(TIERS):020d}"
        name = f"tenant-{number}"
        stores.tenants.add(Tenant(id=f"ten_{number:020d}", workspace_id=workspace_id, slug=name, name=name, **limited))
    for number in range(KEYS):
        tenant = number // PER_TENANT
        stores.api_keys.add(
            ApiKey(
                id=f"key_{number:020d}",
                workspace_id=f"ws_{tenant % len(TIERS):020d}",
                tenant_id=f"ten_{tenant:020d}",
                level=KeyLevel.WORKSPACE,
                owner=KeyOwner.SERVICE,
                name=f"seat {number}",
                hash=number.to_bytes(32),
                masked="hg_…",
                scopes=frozenset({"completions.write"}),
                **limited,
            )
        )


def told(stores: Stores, organization_id: str, lane: str, now: int) -> None:
    """Alerts that went to a webhook, and changes by administrators."""
    owner = Owner(organization_id, "ws_00000000000000000000", "ten_00000000000000000007")
    allowance = Allowance("a", Scope("tenant", "ten_7", "tenant-7"), Resource.COST, Window(WindowKind.LIFETIME), 10**9)
    for number in range(_ALERTS):
        at = now - number * NANOS_PER_SECOND
        reached = Reached(allowance, owner, ("80%",), 8 * 10**8, 8 * 10**8, 0, None)
        event = budget_event(f"evt_{number:020d}", EventType.THRESHOLD_REACHED, reached, at)
        of: dict[str, Any] = {"event_id": event.id, "organization_id": organization_id, "lane": lane}
        made = Delivery(id=f"dlv_{number:020d}", started_at=at, next_at=at, created_at=at, **of)
        stores.deliveries.add(event, replace(made, status=DeliveryStatus.DELIVERED, attempts=1))
    last = stores.audit.last(organization_id)
    for number in range(_CHANGES):
        last = next_entry(
            organization_id,
            last,
            at=now - (_CHANGES - number) * NANOS_PER_SECOND,
            actor="operator",
            action="update",
            resource=f"tenant:ten_{number % _TENANTS:020d}",
            body={"name": f"tenant-{number % _TENANTS}", "usage_limits": [{"type": "cost", "credit_limit": 100}]},
        )
        stores.audit.append(last)


async def things(world: World) -> dict[str, str]:
    """What stands in the paths of pages, by its name there."""
    body = {"name": "OpenAI", "slug": "openai-prod", "ai_provider_id": "openai", "key": "a credential"}
    await world.ok("POST", "/v1/integrations", body)
    access = {"enabled": True, "usage_limits": [{"type": "cost", "credit_limit": 10_000, "periodic_reset": "monthly"}]}
    given = {"workspaces": [{"id": tier, **access} for tier in TIERS]}
    await world.ok("PUT", "/v1/integrations/openai-prod/workspaces", given)
    policy = {"name": "Users", "type": "cost", "credit_limit": 100, "group_by": [{"key": "metadata._user"}]}
    made = await world.ok("POST", "/v1/policies/usage-limits", policy | {"periodic_reset": "monthly"})
    invite = await world.ok("POST", "/v1/admin/users/invites", {"email": "ann@example.com", "role": "admin"})
    token = invite["invite_link"].partition("#token=")[2]
    accepted = {"token": token, "first_name": "Ann"}
    user = await world.ok("POST", "/v1/admin/users/invites/accept", accepted, key="")
    targets = {"targets": [{"provider": "@openai-prod"}]}
    config = await world.ok("POST", "/v1/configs", {"name": "One", "workspace_id": "enterprise", "config": targets})
    checks = [{"id": "default.contains", "parameters": {"words": ["x"], "operator": "none"}}]
    guard = await world.ok("POST", "/v1/guardrails", {"name": "No x", "checks": checks})
    hook = await world.ok("POST", "/v1/admin/webhooks", {"url": "https://hooks.example.com/in"})
    tiers = {tier: {"simple": "@openai-prod/gpt-4o-mini", "complex": "@openai-prod/gpt-4o"} for tier in TIERS}
    managed = {"keys": "manage", "playground": True, "request_log": True}
    await world.ok("PUT", f"/v1/admin/tenants/{_TENANT}", {"portal": managed})
    await world.ok("PUT", "/v1/admin/organisation", {"routing_table": {"tiers": tiers}})
    return {
        "config": config["slug"],
        "guardrail": guard["slug"],
        "webhook": hook["id"],
        "workspace": "enterprise",
        "tenant": _TENANT,
        "key": _KEY,
        "request": f"req_{7:032x}",
        "integration": "openai-prod",
        "kind": "budgets",
        "policy": made["id"],
        "user": user["id"],
    }


def pages(values: dict[str, str]) -> Iterator[str]:
    """Every page there is to look at; files are read as long as they are."""
    for method, path, _, _ in PAGES:
        if method == "GET" and path not in FILES:
            query = "&".join(filter(None, (_TIME, _QUERIES.get(path))))
            yield f"/console{path.format(**values)}?{query}"
    yield from _MORE


def portal_pages(request: str) -> Iterator[str]:
    """Every page of the portal there is to look at, and searches of its request log."""
    for method, path, _, _ in PORTAL_PAGES:
        if method == "GET":
            yield f"/portal{path.format(key=_KEY, request=request)}?{_TIME}"
    yield from (f"/portal/requests?{_TIME}&{query}" for query in ("status_code=500", f"api_key_ids={_KEY}"))


async def measure(folder: Path, count: int) -> dict[str, Any]:
    """Write so many records, then look at everything."""
    database = await open_database(f"sqlite:///{folder}/headgate.db", synchronous="NORMAL")
    try:
        await upgrade(database)
        async with founded(database) as world:
            organization_id, end = world.root.organization_id, world.clock.now()
            await world.transactions.write(partial(furnish, organization_id=organization_id, now=end))
            values = await things(world)
            fill = partial(told, organization_id=organization_id, lane=values["webhook"], now=end)
            await world.transactions.write(fill)
            await _written(world, count, end)
            app = create_console(world.services, dict, "http://test")
            times = await _looked_at(app, pages(values), await _cookie(world, app))
    finally:
        await database.close()
    return {"records": count, "pages": times | await _of_a_tenant(folder, world)}


async def _of_a_tenant(folder: Path, world: World) -> Times:
    """In a whole gateway, which tells the portal what the tenant may call and what it has left."""
    assert world.master_key is not None
    gateway = await open_gateway(Settings(data_dir=folder, url="http://test"), Vault([world.master_key]), world.clock)
    try:
        _, link = await gateway.services.portal_links.create(world.root, _TENANT, {"name": "Ada", "role": "manager"})
        entered: Reply = await request(gateway.app, "GET", link.removeprefix("http://test"))
        cookie = entered.headers["set-cookie"].partition(";")[0]
        log: Reply = await request(gateway.app, "GET", f"/portal/requests?{_TIME}", headers={"cookie": cookie})
        (call, *_) = re.findall(r"/portal/requests/(req_\w+)", log.body.decode())
        return await _looked_at(gateway.app, portal_pages(call), cookie)
    finally:
        await gateway.close()


async def _looked_at(app: Any, addresses: Iterable[str], cookie: str) -> Times:
    times = {}
    for page in addresses:
        runs = [await _timed(app, page, cookie) for _ in range(2)]
        times[re.sub(r"[a-z]{3}_[0-9a-z]{20,32}", "…", page.removeprefix("/console"))] = {
            "ms": max(wall for wall, _ in runs),
            "cpu_ms": max(cpu for _, cpu in runs),
        }
    return times


async def _written(world: World, count: int, end: int) -> None:
    rows, batch = AlertedRows(world.clock), []
    for record in records(count, world.root.organization_id, end):
        batch.append(record)
        if len(batch) == BATCH:
            await world.database.write(partial(rows.insert, records=batch))
            batch = []


async def _cookie(world: World, app: Any) -> str:
    fields = urlencode({"key": world.admin_key}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": "http://test"}
    reply: Reply = await request(app, "POST", "/console/sign-in", fields, headers)
    return reply.headers["set-cookie"].partition(";")[0]


async def _timed(app: Any, page: str, cookie: str) -> tuple[float, float]:
    begun, used = time.perf_counter(), time.process_time()
    reply: Reply = await request(app, "GET", page, headers={"cookie": cookie})
    took = round((time.perf_counter() - begun) * 1_000, 1), round((time.process_time() - used) * 1_000, 1)
    assert reply.status in (200, 303), f"{page}: {reply.status} {reply.body[:2_000]!r}"
    return took


def run(*, quick: bool = False) -> int:
    """1 where a page takes more than it may."""
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(measure(Path(folder), QUICK if quick else RECORDS))
    times = result["pages"]
    table(
        f"Pages of console and portal over {result['records']:,} usage records and {KEYS:,} keys (SQLite)",
        [(name, f"{each['ms']:,.0f} ms", f"{each['cpu_ms']:,.0f} ms") for name, each in times.items()],
        ("page", "took", "CPU"),
    )
    slowest = max(times, key=lambda name: times[name]["cpu_ms"])
    print(f"\n  most: {slowest}, {times[slowest]['cpu_ms']:,.0f} ms of CPU")
    if not quick:
        save("console", result)
    return int(times[slowest]["cpu_ms"] > _LIMIT_MS)
