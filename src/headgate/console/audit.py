"""The audit log, searched, as a file, and whether it is as it was written."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Final

from starlette.responses import Response

from headgate.base.errors import InvalidRequest
from headgate.console import places
from headgate.console.pager import Pager
from headgate.console.sheet import sheet
from headgate.console.visit import Visit
from headgate.tenancy.audit import AuditEntry, AuditFilter
from headgate.tenancy.audit_log import AT_ONCE, Checked
from headgate.tenancy.moments import from_iso, to_iso
from headgate.tenancy.stores import Page

FILTERS: Final = {
    "user_id": "By user or key id",
    "action": "Action",
    "resource_type": "Kind of object",
    "client_ip": "IP address",
}
COLUMNS: Final = (
    *("number", "at", "who", "user", "did", "to", "workspace", "address", "country", "method", "path", "request"),
    *("what changed", "hash"),
)


async def listed(visit: Visit) -> Response:
    """The latest first."""
    return await _page(visit)


async def checked(visit: Visit) -> Response:
    """The same with the chain gone through, a step at a time; to a script how far it is, alone."""
    check = await visit.services.audit_log.check(visit.principal, visit.query.get("ticket", ""))
    typed = {**_typed(visit), "workspace": visit.query.get("workspace", "").strip()}
    onwards = visit.link(visit.request.url.path, **typed, ticket=check.ticket) if check.ticket else ""
    if visit.of_script:
        response = visit.page("audit_check.html", check=check, onwards=onwards)
    else:
        response = await _page(visit, check=check, onwards=onwards)
    response.headers.add_vary_header("hx-request")
    return response


async def as_file(visit: Visit) -> Response:
    """All that match, the latest first."""
    visit.principal.require_organization()
    return sheet("audit-log", COLUMNS, _parts(visit, _wanted(visit)))


async def _parts(visit: Visit, wanted: AuditFilter) -> AsyncIterator[list[list[str]]]:
    """What is written meanwhile is left out, so that no entry comes twice."""
    offset = 0
    while True:
        found, _ = await visit.services.audit_log.find(visit.principal, Page(offset=offset, limit=AT_ONCE), wanted)
        yield [_row(each) for each in found]
        if len(found) < AT_ONCE:
            return
        offset += AT_ONCE


def _row(entry: AuditEntry) -> list[str]:
    origin = entry.origin
    where = ("", "", "", "", "")
    if origin is not None:
        where = (origin.client_ip, origin.country or "", origin.method, origin.uri, origin.request_id)
    of = (entry.actor, entry.user_id or "", entry.action, entry.resource, entry.workspace_id or "")
    return [str(entry.seq), to_iso(entry.at), *of, *where, entry.body, entry.hash.hex()]


def _wanted(visit: Visit) -> AuditFilter:
    times = visit.time.asked()
    typed = {name: value or None for name, value in _typed(visit).items()}
    return AuditFilter(
        start=from_iso(times["time_of_generation_min"], "from"),
        end=min(from_iso(times["time_of_generation_max"], "to"), visit.services.clock.now()),
        workspace_id=visit.query.get("workspace", "").strip() or None,
        user_id=typed["user_id"],
        action=typed["action"],
        resource_type=typed["resource_type"],
        client_ip=typed["client_ip"],
    )


def _typed(visit: Visit) -> dict[str, str]:
    return {name: visit.query.get(name, "").strip() for name in FILTERS}


async def _page(visit: Visit, check: Checked | None = None, onwards: str = "") -> Response:
    log, pager = visit.services.audit_log, Pager.of(visit.query)
    found: Sequence[AuditEntry] = ()
    total, error = 0, None
    try:
        found, total = await log.find(visit.principal, pager.page, _wanted(visit))
    except InvalidRequest as wrong:
        visit, error = visit.forgiving(), wrong
    typed = {**_typed(visit), "workspace": visit.query.get("workspace", "").strip()}
    return visit.page(
        "audit.html",
        status=400 if error else 200,
        error=error,
        rows=[(each, json.dumps(json.loads(each.body), indent=1, ensure_ascii=False)) for each in found],
        pager=pager.over(total),
        filters=FILTERS,
        typed=typed,
        workspaces=await places.workspaces(visit),
        check=check,
        onwards=onwards,
    )
