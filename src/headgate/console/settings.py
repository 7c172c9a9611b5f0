"""The organization's settings: name, time zone, limits, what is kept of calls, what metadata must be."""

import json
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console import limit_rows
from headgate.console.form import Form
from headgate.console.visit import HOME, Visit
from headgate.tenancy.organization import Organization
from headgate.tenancy.organizations import SCHEMAS

SETTINGS: Final = f"{HOME}/settings"
READ: Final = ("organisation_settings.read",)
UPDATE: Final = ("organisation_settings.update",)
_FIELDS: Final = ("name", "time_zone", "keep_days", "portal_origins", "require_second_factor", *SCHEMAS)


async def show(visit: Visit) -> Response:
    """All of them, as a form for those who may change them."""
    return await _page(visit)


async def update(visit: Visit) -> Response:
    """What is on the form takes the place of what was before."""
    before = await visit.services.organizations.get(visit.principal)
    try:
        visit.form.require_unchanged(before.updated_at)
        await visit.services.organizations.update(visit.principal, _asked(visit.form, before))
    except HeadgateError as error:
        return await _page(visit, error)
    return RedirectResponse(SETTINGS, 303)


async def reset(visit: Visit) -> Response:
    """What was used before counts no longer."""
    await visit.services.organizations.update(visit.principal, {"reset_usage": True})
    return RedirectResponse(SETTINGS, 303)


async def _page(visit: Visit, error: HeadgateError | None = None) -> Response:
    organization = await visit.services.organizations.get(visit.principal)
    typed = {name: visit.form.one(name) for name in _FIELDS}
    return visit.page(
        "settings.html",
        status=error.status if error else 200,
        organization=organization,
        fields=typed if error else _present(organization),
        budgets=await visit.services.standings.one(organization.id, organization),
        limits=limit_rows.limit_rows(organization, visit.form),
        choices=limit_rows,
        may_change=visit.may(*UPDATE),
        error=error,
    )


def _present(organization: Organization) -> dict[str, str]:
    days = organization.keep_bodies_days
    return {
        "name": organization.name,
        "time_zone": organization.time_zone,
        "keep_days": "" if days is None else str(days),
        "portal_origins": "\n".join(organization.portal_origins),
        "require_second_factor": "yes" if organization.require_second_factor else "",
        **{name: _written(getattr(organization, name)) for name in SCHEMAS},
    }


def _written(schema: Any) -> str:
    return "" if schema is None else json.dumps(schema, indent=1, ensure_ascii=False)


def _asked(form: Form, before: Organization) -> dict[str, Any]:
    asked: dict[str, Any] = {"name": form.one("name"), "portal_origins": form.lines("portal_origins")}
    if form.one("time_zone") != before.time_zone:  # saying it again would begin all periods again
        asked["time_zone"] = form.one("time_zone")
    asked["require_second_factor"] = form.one("require_second_factor") == "yes"
    days = form.one("keep_days")
    asked["log_bodies"] = {"retention_days": int(days) if days.isascii() and days.isdigit() else days} if days else None
    return asked | {name: form.document(name) for name in SCHEMAS} | limit_rows.limits_asked(form, before)
