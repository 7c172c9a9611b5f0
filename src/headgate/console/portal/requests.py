"""The tenant's own calls: searched, and one with what it cost. What stands behind a model is not theirs to see."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from headgate.base.errors import InvalidRequest, NotFound
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
    """The latest first. To a script that searches, the rows alone. What was wrong with a search stands in the place of
    the rows, and the search as it was typed."""
    try:
        found = await visit.services.analytics.logs.find(
            visit.principal,
            {**_asked(visit), **visit.time.asked(), **visit.own("logs.list")},
            cursor=visit.query.get("cursor") or None,
            limit=AT_ONCE,
            count=False,
        )
    except InvalidRequest as error:
        return _listed(visit.forgiving(), {"data": [], "next_cursor": None}, error)
    return _listed(visit, found)


def _asked(visit: PortalVisit) -> dict[str, str]:
    typed = {name: visit.query.get(name, "").strip() for name in FILTERS}
    return {name: value for name, value in typed.items() if value}


def _listed(visit: PortalVisit, found: Mapping[str, Any], error: InvalidRequest | None = None) -> Response:
    asked, part = _asked(visit), wants_part(visit.request)
    cursor = found["next_cursor"]
    response = visit.page(
        "request_rows.html" if part else "requests.html",
        status=400 if error and not part else 200,
        error=error,
        rows=found["data"],
        older=cursor and visit.link(visit.request.url.path, **asked, cursor=cursor),
        filters=FILTERS,
        typed={name: asked.get(name, "") for name in FILTERS},
    )
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
