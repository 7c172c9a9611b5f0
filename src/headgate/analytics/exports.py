"""Exports of usage: made, changed, started, stopped, and downloaded by a link that is good for minutes."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from headgate.analytics.asked import FILTERS, calls_asked
from headgate.analytics.calls import Calls
from headgate.analytics.export_lines import REQUESTABLE
from headgate.analytics.stores import UsageReader
from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import Conflict, InvalidRequest, NotFound
from headgate.tenancy import rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.moments import to_iso
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.usage_export import KEEP_S, ExportFormat, ExportStatus, UsageExport

LINK_S: Final = 600
"""How long a link is good."""
_ORDER: Final = ("page_size", "current_page", "order_by", "order_by_type")
"""The contract's; an export has all, in the order of time."""


class ExportService:
    """`fields`: `filters`, `requested_data`, `workspace_id`, `description`, `format`. `key` signs links."""

    def __init__(self, administration: Administration, sums: UsageReader, key: bytes) -> None:
        self._administration = administration
        self._sums = sums
        self._key = key

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> UsageExport:
        """A draft."""

        def work(change: Change) -> UsageExport:
            export = _with(
                UsageExport(
                    id=change.new_id("exp"),
                    organization_id=principal.organization_id,
                    workspace_id=principal.workspace_id,
                    tenant_id=principal.tenant_id,
                    description="",
                    filters={},
                    requested_data=(),
                    format=ExportFormat.JSONL,
                    status=ExportStatus.DRAFT,
                    total=0,
                    done=0,
                    created_by=principal.actor,
                    created_at=change.now,
                    updated_at=change.now,
                ),
                fields,
                change,
            )
            change.stores.usage_exports.add(export)
            change.record("create", f"export:{export.id}", _seen(export))
            return export

        return await self._counted(principal, await self._administration.change(principal, work))

    async def update(self, principal: Principal, export_id: str, fields: Mapping[str, Any]) -> UsageExport:
        """Raises `Conflict` unless it is a draft."""

        def work(change: Change) -> UsageExport:
            export = _draft(_visible(change.stores, principal, export_id))
            export = replace(_with(export, fields, change), updated_at=change.now)
            change.stores.usage_exports.update(export)
            change.record("update", f"export:{export.id}", _seen(export))
            return export

        return await self._counted(principal, await self._administration.change(principal, work))

    async def start(self, principal: Principal, export_id: str) -> UsageExport:
        """It will hold what there is now, and is written in the background."""
        export = _draft(await self.get(principal, export_id))
        calls, now = await self.calls_of(export), self._administration.clock.now()
        times = {
            "time_of_generation_min": to_iso(calls.since),
            "time_of_generation_max": to_iso(min(calls.until, now)),
        }
        export = replace(export, filters=dict(export.filters) | times)
        total = (await self._counted(principal, export)).total

        def work(change: Change) -> UsageExport:
            _draft(_visible(change.stores, principal, export_id))
            started = replace(export, status=ExportStatus.IN_PROGRESS, total=total, updated_at=change.now)
            change.stores.usage_exports.update(started)
            change.record("export", f"export:{export.id}", _seen(started))
            return started

        return await self._administration.change(principal, work)

    async def cancel(self, principal: Principal, export_id: str) -> UsageExport:
        """It is written no further, links to it are no longer good, and downloads under way end."""

        def work(change: Change) -> UsageExport:
            export = _visible(change.stores, principal, export_id)
            stopped = replace(export, status=ExportStatus.STOPPED, updated_at=change.now)
            change.stores.usage_exports.update(stopped)
            change.record("update", f"export:{export.id}", _seen(stopped))
            return stopped

        return await self._administration.change(principal, work)

    async def get(self, principal: Principal, export_id: str) -> UsageExport:
        """Absent and foreign exports answer alike."""
        return await self._administration.transactions.read(lambda stores: _visible(stores, principal, export_id))

    async def find(self, principal: Principal, page: Page, workspace: str | None) -> tuple[Sequence[UsageExport], int]:
        """Those that the caller may see, or of one workspace."""

        def work(stores: Stores) -> tuple[Sequence[UsageExport], int]:
            workspace_id = principal.workspace_id or _workspace_id(stores, principal, workspace)
            return stores.usage_exports.find(
                principal.organization_id, page, workspace_id=workspace_id, tenant_id=principal.tenant_id
            )

        return await self._administration.transactions.read(work)

    async def link(self, principal: Principal, export_id: str) -> str:
        """Path and query of a download that needs no API key. Raises `Conflict` where there is no file."""
        export = _ready(await self.get(principal, export_id), self._administration.clock.now())
        expires = self._administration.clock.now() // NANOS_PER_SECOND + LINK_S
        return f"/v1/logs/exports/{export.id}/file?expires={expires}&signature={self._signature(export.id, expires)}"

    async def open(self, export_id: str, expires: int, signature: str) -> UsageExport:
        """Of a link. Raises the `NotFound` of a link that is not good, whatever is wrong with it."""
        good = hmac.compare_digest(self._signature(export_id, expires).encode(), signature.encode())
        if good and expires > self._administration.clock.now() // NANOS_PER_SECOND:
            export = await self._administration.transactions.read(lambda stores: stores.usage_exports.get(export_id))
            if export is not None and export.status is ExportStatus.SUCCESS:
                return _ready(export, self._administration.clock.now())
        raise NotFound("This link is not good, or no longer: ask for another download.")

    async def _counted(self, principal: Principal, export: UsageExport) -> UsageExport:
        sums = await self._sums.grouped(await self.calls_of(export), "")
        return replace(export, total=sum([each.calls for each in sums.values()]))

    async def calls_of(self, export: UsageExport) -> Calls:
        """What its maker saw, within its workspace and tenant."""
        maker = Principal(
            export.organization_id,
            export.created_by,
            frozenset(),
            workspace_id=export.workspace_id,
            tenant_id=export.tenant_id,
        )
        now = self._administration.clock.now()
        return await self._administration.transactions.read(
            lambda stores: calls_asked(stores, maker, export.filters, now)
        )

    def _signature(self, export_id: str, expires: int) -> str:
        return hmac.new(self._key, f"export|{export_id}|{expires}".encode(), sha256).hexdigest()


def _with(export: UsageExport, fields: Mapping[str, Any], change: Change) -> UsageExport:
    changes: dict[str, Any] = {}
    if fields.get("workspace_id") is not None:
        changes["workspace_id"] = _workspace_id(change.stores, change.principal, fields["workspace_id"])
    if fields.get("description") is not None:
        changes["description"] = rules.text(fields["description"], "description")
    if fields.get("format") is not None:
        if fields["format"] not in tuple(ExportFormat):
            raise InvalidRequest("`format` must be `jsonl` or `csv`.", param="format")
        changes["format"] = ExportFormat(fields["format"])
    if fields.get("filters") is not None:
        changes["filters"] = _filters(fields["filters"], change)
    if fields.get("requested_data") is not None or not export.requested_data:
        asked = rules.texts(fields.get("requested_data"), "requested_data") or tuple(REQUESTABLE)
        if unknown := [each for each in asked if each not in REQUESTABLE]:
            raise InvalidRequest(
                f"`requested_data` has no `{unknown[0]}`. Known: {', '.join(REQUESTABLE)}.", param="requested_data"
            )
        changes["requested_data"] = asked
    return replace(export, **changes)


def _filters(value: object, change: Change) -> dict[str, Any]:
    """Those that say something, and can be answered. A name that is none is refused: what it was to leave out would be
    in the file."""
    if not isinstance(value, Mapping):
        raise InvalidRequest("`filters` must be an object.", param="filters")
    if unknown := sorted(set(value) - {*FILTERS, *_ORDER}):
        raise InvalidRequest(
            f"`filters` has no `{unknown[0]}`. Known: {', '.join(FILTERS)}.", param=f"filters.{unknown[0]}"
        )
    calls_asked(change.stores, change.principal, value, change.now)
    return {name: value[name] for name in FILTERS if value.get(name) not in (None, "")}


def _workspace_id(stores: Stores, principal: Principal, reference: str | None) -> str | None:
    if reference is None:
        return None
    workspace = stores.workspaces.get(principal.organization_id, rules.text(reference, "workspace_id"))
    if workspace is None:
        raise not_found("workspace", reference)
    principal.require_sight(workspace.id, "workspace", reference)
    return workspace.id


def _visible(stores: Stores, principal: Principal, export_id: str) -> UsageExport:
    export = None if "\0" in export_id else stores.usage_exports.get(export_id)
    if export is None or export.organization_id != principal.organization_id:
        raise not_found("export", export_id)
    principal.require_sight(export.workspace_id, "export", export_id)
    if principal.tenant_id not in (None, export.tenant_id):
        raise not_found("export", export_id)
    return export


def _draft(export: UsageExport) -> UsageExport:
    if export.status is not ExportStatus.DRAFT:
        raise Conflict("This export was started already. Make another one.")
    return export


def _ready(export: UsageExport, now: int) -> UsageExport:
    """Raises `Conflict` where there is no file, or no longer."""
    match export.status:
        case ExportStatus.SUCCESS if now < export.updated_at + KEEP_S * NANOS_PER_SECOND:
            return export
        case ExportStatus.SUCCESS:
            raise Conflict(f"The file of this export was kept for {KEEP_S // 86_400} days. Make another one.")
        case ExportStatus.IN_PROGRESS:
            raise Conflict(
                f"This export is in progress: {export.done} of {export.total} records are written. Ask again."
            )
        case _:
            raise Conflict(f"This export is `{export.status}`: only one that is whole can be downloaded.")


def _seen(export: UsageExport) -> dict[str, Any]:
    return {
        "workspace_id": export.workspace_id,
        "filters": dict(export.filters),
        "requested_data": list(export.requested_data),
        "status": export.status.value,
        "total": export.total,
    }
