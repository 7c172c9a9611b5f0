"""The tenant's own calls: searched, and one with what it cost. What stands behind a model is not theirs to see."""

from typing import Final

from starlette.responses import Response

from headgate.base.errors import NotFound
from headgate.console.portal.visit import PortalVisit
from headgate.console.visit import wants_part

AT_ONCE: Final = 50
FILTERS: Final = {
    "ai_model": "Model",
    "status_code": "Status",
    "api_key_ids": "Key id",
    "user": "User",
    "trace_id": "Trace id",
    "request_id": "Request id",
}
"""By the analytics' name, what the field is called. Values with commas between: any of them."""


async def listed(visit: PortalVisit) -> Response:
    """The latest first. To a script that searches, the rows alone."""
    typed = {name: visit.query.get(name, "").strip() for name in FILTERS}
    asked = {name: value for name, value in typed.items() if value}
    found = await visit.services.analytics.logs.find(
        visit.principal,
        {**asked, **visit.time.asked(), **visit.own("logs.list")},
        cursor=visit.query.get("cursor") or None,
        limit=AT_ONCE,
        count=False,
    )
    older = found["next_cursor"] and visit.link(visit.request.url.path, **asked, cursor=found["next_cursor"])
    template = "request_rows.html" if wants_part(visit.request) else "requests.html"
    response = visit.page(template, rows=found["data"], older=older, filters=FILTERS, typed=typed)
    response.headers.add_vary_header("hx-request")
    return response


async def show(visit: PortalVisit) -> Response:
    """One call."""
    request_id = visit.request.path_params["request"]
    found = await visit.services.analytics.logs.get(visit.principal, request_id)
    mine = visit.own("logs.view").get("api_key_ids")
    if "cost_lines" not in found or mine not in (None, found["metrics"]["api_key_id"]):
        raise NotFound(f"There is no log `{request_id[:100]}`.")
    return visit.page("request.html", call=found)
