"""Alerts: at which part of a budget they are told, who gets a letter, and what was told lately."""

from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError, InvalidRequest
from headgate.console import places
from headgate.console.pager import Pager
from headgate.console.visit import HOME, Visit

ALERTS: Final = f"{HOME}/alerts"
INHERITED: Final = "inherited"
OWN: Final = "own"


async def show(visit: Visit) -> Response:
    """Of the organization, or of the workspace that the address names."""
    return await _page(visit)


async def update(visit: Visit) -> Response:
    """What is on the form takes the place of what was before."""
    workspace = visit.form.one("workspace")
    percents = [int(each) if each.isascii() and each.isdigit() else each for each in visit.form.lines("percents")]
    asked: dict[str, Any] = {
        "percents": percents if visit.form.one("told") == OWN else None,
        "emails": visit.form.lines("emails"),
    }
    try:
        if asked["percents"] is None:
            await _require_meant(visit, workspace or None)
        await visit.services.alert_settings.update(visit.principal, workspace or None, asked)
    except HeadgateError as error:
        return await _page(visit, error)
    return RedirectResponse(f"{ALERTS}?workspace={workspace}" if workspace else ALERTS, 303)


async def _require_meant(visit: Visit, workspace: str | None) -> None:
    """Whoever typed percents, and left the choice beside them at those that are inherited, means one of the two."""
    services, principal = visit.services, visit.principal
    before = await services.alert_settings.get(principal, workspace)
    shown = [str(each) for each in await services.alert_settings.percents(principal, before)]
    typed = visit.form.lines("percents")
    if typed != shown and (typed or before.percents is None):
        raise InvalidRequest('`percents`: choose "at these" beside it, or leave them as they were.', param="percents")


async def _page(visit: Visit, error: HeadgateError | None = None) -> Response:
    services, principal, pager = visit.services, visit.principal, Pager.of(visit.query)
    reference = (visit.form.one("workspace") if error else visit.query.get("workspace", "")) or principal.workspace_id
    workspaces = list((await places.workspaces(visit)).values())
    setting = await services.alert_settings.get(principal, reference)
    in_force = await services.alert_settings.percents(principal, setting)
    fields = {
        "told": INHERITED if setting.percents is None else OWN,
        "percents": ", ".join(map(str, in_force)),
        "emails": "\n".join(setting.emails),
    }
    sent, total = await services.sent_alerts.find(principal, pager.page)
    return visit.page(
        "alerts.html",
        status=error.status if error else 200,
        workspace=next((each for each in workspaces if reference in (each.id, each.slug)), None),
        workspaces=workspaces,
        fields={name: visit.form.one(name) for name in fields} if error else fields,
        words={INHERITED: "as the organization says" if reference else "80, 90 and 100 %", OWN: "at these"},
        sent=sent,
        pager=pager.over(total),
        extra={"workspace": reference} if reference and visit.administers else {},
        error=error,
    )
