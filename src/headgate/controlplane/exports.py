"""`/logs/exports`: usage as CSV or JSON lines, downloaded by a signed link that is good for minutes."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import StreamingResponse

from headgate.base.clock import NANOS_PER_SECOND
from headgate.controlplane.answers import Answer, listing
from headgate.controlplane.caller import AuthenticatedRoute, OpenTo, WithServices, needs
from headgate.controlplane.log_bodies import ExportFields
from headgate.controlplane.paging import Paged
from headgate.tenancy.moments import to_iso
from headgate.tenancy.principal import Principal
from headgate.tenancy.usage_export import KEEP_S, ExportFormat, ExportStatus, UsageExport

router = APIRouter(prefix="/logs/exports", tags=["exports"], route_class=AuthenticatedRoute)
files = APIRouter(prefix="/logs/exports", tags=["exports"], route_class=APIRoute)

Exporter = Annotated[Principal, needs("logs.export")]
_TYPES = {ExportFormat.CSV: "text/csv", ExportFormat.JSONL: "application/x-ndjson"}


@router.post("")
async def create(body: ExportFields, services: WithServices, principal: Exporter) -> Answer:
    """A draft, and how many records it would hold now."""
    return _told(await services.analytics.exports.create(principal, body.model_dump(exclude_unset=True)))


@router.get("")
async def find(services: WithServices, page: Paged, principal: Exporter, workspace_id: str | None = None) -> Answer:
    """The latest first."""
    found, total = await services.analytics.exports.find(principal, page, workspace_id)
    return listing([_view(each) for each in found], total)


@router.get("/{export_id}")
async def get(export_id: str, services: WithServices, principal: Exporter) -> Answer:
    """How far it is: `done` of `total_records` are written."""
    return Answer(_view(await services.analytics.exports.get(principal, export_id)))


@router.put("/{export_id}")
async def update(export_id: str, body: ExportFields, services: WithServices, principal: Exporter) -> Answer:
    """Change a draft."""
    return _told(await services.analytics.exports.update(principal, export_id, body.model_dump(exclude_unset=True)))


@router.post("/{export_id}/start")
async def start(export_id: str, services: WithServices, principal: Exporter) -> Answer:
    """Fix what it holds: all that there is now. It is written in the background."""
    export = await services.analytics.exports.start(principal, export_id)
    return Answer(
        {"message": f"The export will hold {export.total} records.", "object": "export", "status": export.status}
    )


@router.post("/{export_id}/cancel")
async def cancel(export_id: str, services: WithServices, principal: Exporter) -> Answer:
    """Stop it: it is written no further, links are no longer good, and downloads under way end."""
    export = await services.analytics.exports.cancel(principal, export_id)
    return Answer({"message": "The export is stopped.", "object": "export", "status": export.status})


@router.get("/{export_id}/download")
async def download(export_id: str, services: WithServices, principal: Exporter, request: Request) -> Answer:
    """A link to the file, good for ten minutes."""
    path = await services.analytics.exports.link(principal, export_id)
    return Answer({"signed_url": f"{str(request.base_url).rstrip('/')}{path}"})


@files.get("/{export_id}/file", dependencies=[Depends(OpenTo("a signed link"))])
async def file(export_id: str, services: WithServices, expires: int, signature: str) -> StreamingResponse:
    """The records, streamed; by a signed link."""
    export = await services.analytics.exports.open(export_id, expires, signature)
    name = f"{export.id}.{export.format}"
    return StreamingResponse(
        services.analytics.exporter.read(export),
        media_type=_TYPES[export.format],
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
    )


def _told(export: UsageExport) -> Answer:
    return Answer({"id": export.id, "total": export.total, "object": "export"})


def _expires_at(export: UsageExport) -> str | None:
    """When its file is removed; None: there is none."""
    if export.status is not ExportStatus.SUCCESS:
        return None
    return to_iso(export.updated_at + KEEP_S * NANOS_PER_SECOND)


def _view(export: UsageExport) -> dict[str, Any]:
    return {
        "id": export.id,
        "organisation_id": export.organization_id,
        "workspace_id": export.workspace_id,
        "filters": dict(export.filters),
        "requested_data": list(export.requested_data),
        "format": export.format,
        "status": export.status,
        "reason": export.reason,
        "description": export.description,
        "created_at": to_iso(export.created_at),
        "last_updated_at": to_iso(export.updated_at),
        "created_by": export.created_by,
        "total_records": export.total,
        "done": export.done,
        "expires_at": _expires_at(export),
        "object": "export",
    }
