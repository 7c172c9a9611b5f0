"""The request log: calls searched, and one call with how each cent of it came about."""

from contextlib import suppress
from typing import Final

from starlette.responses import Response

from headgate.base.errors import NotFound
from headgate.console.visit import Visit
from headgate.ledger.record import Outcome

AT_ONCE: Final = 50
FILTERS: Final = {
    "workspace_slug": "Workspace",
    "tenant_id": "Tenant",
    "ai_model": "Model",
    "status_code": "Status",
    "outcome": "Outcome",
    "api_key_ids": "Key id",
    "user": "User",
    "trace_id": "Trace id",
    "request_id": "Request id",
}
"""By the analytics' name, what the field is called. Values with commas between: any of them."""


async def listed(visit: Visit) -> Response:
    """The latest first. To a script that searches, the rows alone."""
    typed = {name: visit.query.get(name, "").strip() for name in FILTERS}
    asked = {name: value for name, value in typed.items() if value}
    found = await visit.services.analytics.logs.find(
        visit.principal,
        {**asked, **visit.time.asked()},
        cursor=visit.query.get("cursor") or None,
        limit=AT_ONCE,
        count=False,
    )
    older = found["next_cursor"] and visit.link(visit.request.url.path, **asked, cursor=found["next_cursor"])
    template = "request_rows.html" if visit.request.headers.get("hx-request") == "true" else "requests.html"
    response = visit.page(
        template,
        rows=found["data"],
        tenants=await _names(visit, {each["tenant_id"] for each in found["data"]}),
        older=older,
        filters=FILTERS,
        typed=typed,
        outcomes=list(Outcome),
    )
    response.headers["vary"] = "hx-request"
    return response


async def show(visit: Visit) -> Response:
    """One call."""
    found = await visit.services.analytics.logs.get(visit.principal, visit.request.path_params["request"])
    template = "request.html" if "cost_lines" in found else "sent_log.html"
    return visit.page(template, call=found)


async def _names(visit: Visit, ids: set[str | None]) -> dict[str, str]:
    """What people call the tenants, for those who may see them. Some may be gone."""
    found: dict[str, str] = {}
    if visit.may("tenants.read"):
        for each in filter(None, ids):
            with suppress(NotFound):
                found[each] = (await visit.services.tenants.get(visit.principal, each)).name
    return found
