"""The audit log, and whether it is as it was written."""

import json
from typing import Final

from starlette.responses import Response

from headgate.console.pager import Pager
from headgate.console.visit import Visit
from headgate.tenancy.audit import AuditFilter
from headgate.tenancy.moments import from_iso

FILTERS: Final = {"action": "Action", "resource_type": "What", "user_id": "User or key id"}


async def listed(visit: Visit) -> Response:
    """The latest first."""
    return await _page(visit, checked=False)


async def checked(visit: Visit) -> Response:
    """The same, with the whole chain gone through."""
    return await _page(visit, checked=True)


async def _page(visit: Visit, *, checked: bool) -> Response:
    log, pager = visit.services.audit_log, Pager.of(visit.query)
    typed = {name: visit.query.get(name, "").strip() for name in FILTERS}
    times = visit.time.asked()
    wanted = AuditFilter(
        start=from_iso(times["time_of_generation_min"], "from"),
        end=from_iso(times["time_of_generation_max"], "to"),
        action=typed["action"] or None,
        resource_type=typed["resource_type"] or None,
        user_id=typed["user_id"] or None,
    )
    found, total = await log.find(visit.principal, pager.page, wanted)
    return visit.page(
        "audit.html",
        rows=[(each, json.dumps(json.loads(each.body), indent=1, ensure_ascii=False)) for each in found],
        pager=pager.over(total),
        filters=FILTERS,
        typed=typed,
        report=await log.verify(visit.principal) if checked else None,
    )
