"""Graphs and groups over usage: who may ask, and what the answer says."""

from collections.abc import Mapping, Sequence
from typing import Any

from headgate.analytics import groups
from headgate.analytics.asked import calls_asked, metadata_name
from headgate.analytics.calls import METADATA, Calls, Label, Sums
from headgate.analytics.figures import merged, milliseconds, ratio
from headgate.analytics.graphs import GRAPHS, HIT, TOGETHER
from headgate.analytics.points import Points, points_of
from headgate.analytics.stores import UsageReader
from headgate.base.clock import Clock
from headgate.base.errors import NotFound
from headgate.tenancy.moments import to_iso
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Page, Stores, Transactions

Asked = Mapping[str, Any]
"""Filters as they were sent; see `analytics.asked`."""


def _told(points: Points, summary: dict[str, Any], each: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "object": "analytics-graph",
        "summary": summary,
        "data_points": [{"timestamp": to_iso(start), **told} for start, told in zip(points.starts, each, strict=True)],
    }


class UsageService:
    """A workspace's key sees its workspace, a tenant's key its tenant, the organization's all."""

    def __init__(self, transactions: Transactions, reader: UsageReader, clock: Clock) -> None:
        self._transactions = transactions
        self._reader = reader
        self._clock = clock

    async def graph(self, principal: Principal, name: str, asked: Asked) -> dict[str, Any]:
        """`summary` over all, and `data_points` in the organization's time zone. Raises `NotFound` for no graph."""
        graph = GRAPHS.get(name)
        if graph is None:
            raise NotFound(f"There is no graph `{name[:100]}`. Known: {', '.join(GRAPHS)}.")
        calls, time_zone = await self.calls_of(principal, asked)
        points = points_of(calls.since, calls.until, time_zone)
        return _told(points, *await graph.read(self._reader, calls, points))

    async def sums(self, principal: Principal, asked: Asked) -> dict[str, dict[str, Any]]:
        """The graphs of `TOGETHER` by their names, from one reading."""
        calls, time_zone = await self.calls_of(principal, asked)
        points = points_of(calls.since, calls.until, time_zone)
        found = await self._reader.over_time(calls, points, latencies=True)
        whole = merged(found)
        return {name: _told(points, tell(whole), [tell(each) for each in found]) for name, tell in TOGETHER.items()}

    async def total(self, principal: Principal, asked: Asked) -> Sums:
        """All of it."""
        calls, _ = await self.calls_of(principal, asked)
        return merged((await self._reader.grouped(calls, "")).values())

    async def grouped(self, principal: Principal, asked: Asked, label: Label) -> Mapping[str, Sums]:
        """By label; without one under the empty text."""
        calls, _ = await self.calls_of(principal, asked)
        return await self._reader.grouped(calls, label)

    async def group(
        self, principal: Principal, name: str, asked: Asked, page: Page, *, order_by: str | None, ascending: bool
    ) -> tuple[Sequence[dict[str, Any]], int]:
        """A page of rows and how many there are. Calls without the label are in no row, but for models and statuses,
        which every call has."""
        label, field = groups.group_of(name)
        order = groups.order_of(order_by)
        if label.startswith(METADATA):
            metadata_name(label.removeprefix(METADATA))
        calls, _ = await self.calls_of(principal, asked)
        found = await self._reader.grouped(calls, label)
        rows = sorted([(each, sums) for each, sums in found.items() if each])
        rows.sort(key=lambda row: order(row[1]), reverse=not ascending)
        shown = rows[page.offset : page.offset + page.limit]
        names = await self.names_of(principal, label, [each for each, _ in shown])
        return [groups.told(field, each, sums) | names.get(each, {}) for each, sums in shown], len(rows)

    async def cache_summary(self, principal: Principal, asked: Asked) -> dict[str, Any]:
        """How often the answer cache had the answer, and how much sooner."""
        calls, _ = await self.calls_of(principal, asked)
        found = await self._reader.grouped(calls, Label.CACHE)
        hit = found.get(HIT, Sums())
        others = merged(sums for status, sums in found.items() if status != HIT)
        mean, usual = (ratio(milliseconds(sums.took), sums.calls, 3) for sums in (hit, others))
        return {
            "object": "analytics-summary",
            "summary": {
                "hits": hit.requests,
                "avg_latency": mean,
                "total_requests": hit.requests + others.requests,
                "cache_speedup": round(usual / mean, 2) if mean else 0,
            },
        }

    async def calls_of(self, principal: Principal, asked: Asked) -> tuple[Calls, str]:
        """Which calls are asked about, and the organization's time zone. Raises as `calls_asked`."""
        now = self._clock.now()

        def work(stores: Stores) -> tuple[Calls, str]:
            organization = stores.organizations.get(principal.organization_id)
            assert organization is not None, "a principal without an organization"
            return calls_asked(stores, principal, asked, now), organization.time_zone

        return await self._transactions.read(work)

    async def names_of(self, principal: Principal, label: str, ids: Sequence[str]) -> Mapping[str, dict[str, Any]]:
        """What people call those that are known by an id. Some may be gone."""

        def work(stores: Stores) -> dict[str, dict[str, Any]]:
            found: dict[str, dict[str, Any]] = {}
            for each in ids:
                if label == Label.API_KEY and (key := stores.api_keys.get(each)) is not None:
                    found[each] = {"name": key.name}
                elif label == Label.WORKSPACE:
                    if (workspace := stores.workspaces.get(principal.organization_id, each)) is not None:
                        found[each] = {"workspace_slug": workspace.slug, "name": workspace.name}
                elif label == Label.TENANT and (tenant := stores.tenants.get(principal.organization_id, each)):
                    found[each] = {"tenant_slug": tenant.slug, "name": tenant.name}
            return found

        if label not in (Label.API_KEY, Label.WORKSPACE, Label.TENANT):
            return {}
        return await self._transactions.read(work)
