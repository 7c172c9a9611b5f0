"""`/audit-logs`: who changed what, when and from where."""

import json
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Query

from headgate.controlplane.answers import Answer
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.tenancy.audit import AuditEntry, AuditFilter
from headgate.tenancy.moments import from_iso, to_iso
from headgate.tenancy.page import Page
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/audit-logs", tags=["audit"], route_class=AuthenticatedRoute)

LARGEST = 100
CHANGED = 200
"""An entry is written with a change that succeeded, and every success is answered so."""


def _page(
    current_page: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    page_size: Annotated[int, Query(ge=1, le=LARGEST)] = LARGEST,
) -> Page:
    return Page(offset=current_page * page_size, limit=page_size)


def _wanted(
    start_time: str | None = None,
    end_time: str | None = None,
    method: Literal["POST", "PUT", "DELETE"] | None = None,
    uri: str | None = None,
    request_id: str | None = None,
    user_id: str | None = None,
    user_type: Literal["user", "api_key"] | None = None,
    workspace_id: str | None = None,
    resource_type: str | None = None,
    action: str | None = None,
    client_ip: str | None = None,
    country: str | None = None,
    response_status_code: int | None = None,
) -> AuditFilter:
    return AuditFilter(
        start=None if start_time is None else from_iso(start_time, "start_time"),
        end=None if end_time is None else from_iso(end_time, "end_time"),
        method=method,
        uri=uri,
        request_id=request_id,
        user_id=user_id,
        user_type=user_type,
        workspace_id=workspace_id,
        resource_type=resource_type,
        action=action,
        client_ip=client_ip,
        country=None if country is None else country.upper(),
        requested=response_status_code is not None,
    )


@router.get("")
async def find(
    services: WithServices,
    page: Annotated[Page, Depends(_page)],
    wanted: Annotated[AuditFilter, Depends(_wanted)],
    principal: Annotated[Principal, needs("audit_logs.list")],
    organisation_id: str | None = None,
    response_status_code: int | None = None,
) -> Answer:
    """The latest first, in `records`. `country` is known where a trusted proxy tells it."""
    if response_status_code not in (None, CHANGED):
        return _listing([], 0)
    found, total = await services.audit_log.find(principal, page, wanted, organization=organisation_id)
    return _listing([_shown(entry) for entry in found], total)


def _listing(records: list[dict[str, Any]], total: int) -> Answer:
    return Answer({"object": "list", "total": total, "records": records})


def _shown(entry: AuditEntry) -> dict[str, Any]:
    origin = entry.origin
    kind, _, actor_id = entry.actor.partition(":")
    resource_type, _, resource_id = entry.resource.partition(":")
    return {
        "id": entry.seq,
        "timestamp": to_iso(entry.at),
        "method": origin.method if origin else None,
        "uri": origin.uri if origin else None,
        "request_id": origin.request_id if origin else None,
        "request_body": json.loads(origin.request_body) if origin else None,
        "query_params": dict(parse_qsl(origin.query)) if origin else {},
        "request_headers": json.loads(origin.headers) if origin else {},
        "client_ip": origin.client_ip if origin else None,
        "country": origin.country if origin else None,
        "user_id": entry.user_id or actor_id or None,
        "user_type": "user" if entry.user_id else kind,
        "api_key_id": actor_id if kind == "api_key" else None,
        "organisation_id": entry.organization_id,
        "workspace_id": entry.workspace_id,
        "response_status_code": CHANGED if origin else None,
        "resource_type": resource_type,
        "resource_id": resource_id,
        "action": entry.action,
        "changes": json.loads(entry.body),
        "hash": entry.hash.hex(),
        "object": "audit-log",
    }
