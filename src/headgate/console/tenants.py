"""Tenants: what each spends, what it may, and its keys."""

from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console import limit_rows, portal_rows, view_as
from headgate.console.keys import listed_kinds
from headgate.console.overview import calling, spending
from headgate.console.pager import Pager
from headgate.console.visit import HOME, Visit
from headgate.tenancy.stores import Page
from headgate.tenancy.tenant import Tenant

TENANTS: Final = f"{HOME}/tenants"
_TEXTS: Final = ("name", "tier", "default_model")


async def listed(visit: Visit) -> Response:
    """Fifty at a time, each with where its budgets stand and what it spent."""
    services, principal, pager = visit.services, visit.principal, Pager.of(visit.query)
    asked = {name: visit.query[name].strip() for name in ("workspace", "name") if visit.query.get(name, "").strip()}
    found, total = await services.tenants.find(principal, pager.page, **asked)
    standings = await services.standings.of(principal.organization_id, found)
    spent = await _spent(visit, [each.slug for each in found])
    workspaces, _ = await services.workspaces.find(principal, Page())
    return visit.page(
        "tenants.html",
        rows=[(each, its, spent.get(each.id)) for each, its in zip(found, standings, strict=True)],
        workspaces={each.id: each for each in workspaces},
        asked=asked,
        pager=pager.over(total),
    )


async def show(visit: Visit) -> Response:
    """One tenant."""
    return await _shown(visit)


async def new(visit: Visit) -> Response:
    """An empty form."""
    return await _form(visit, None, {})


async def create(visit: Visit) -> Response:
    """To the new tenant, or back to the form with what was wrong."""
    fields = _typed(visit)
    try:
        asked = {name: value for name, value in fields.items() if value or name == "name"}
        tenant = await visit.services.tenants.create(visit.principal, asked | limit_rows.limits_asked(visit.form))
    except HeadgateError as error:
        return await _form(visit, None, fields, error)
    return RedirectResponse(f"{TENANTS}/{tenant.id}", 303)


async def edit(visit: Visit) -> Response:
    """The form with what there is."""
    tenant = await visit.services.tenants.get(visit.principal, visit.named("tenant"))
    return await _form(visit, tenant, _present(tenant))


async def update(visit: Visit) -> Response:
    """The same as `create`, for one that is there."""
    before = await visit.services.tenants.get(visit.principal, visit.named("tenant"))
    fields = _typed(visit)
    try:
        asked = {name: value or None for name, value in fields.items() if name not in ("tenant_id", "workspace_id")}
        asked["metadata"] = fields["metadata"]
        asked |= limit_rows.limits_asked(visit.form, before)
        visit.form.require_unchanged(before.updated_at)
        await visit.services.tenants.update(visit.principal, before.id, asked)
    except HeadgateError as error:
        return await _form(visit, before, fields, error)
    return RedirectResponse(f"{TENANTS}/{before.id}", 303)


async def reset(visit: Visit) -> Response:
    """What it used before counts no longer."""
    tenant = await visit.services.tenants.update(visit.principal, visit.named("tenant"), {"reset_usage": True})
    return RedirectResponse(f"{TENANTS}/{tenant.id}", 303)


async def remove(visit: Visit) -> Response:
    """One that has no keys any more; what keeps it is said on its page."""
    try:
        await visit.services.tenants.delete(visit.principal, visit.named("tenant"))
    except HeadgateError as error:
        return await _shown(visit, error)
    return RedirectResponse(TENANTS, 303)


async def _shown(visit: Visit, error: HeadgateError | None = None) -> Response:
    services, principal = visit.services, visit.principal
    tenant = await services.tenants.get(principal, visit.named("tenant"))
    charts = []
    if visit.may("analytics.view"):
        sums = await services.analytics.usage.sums(principal, {**visit.time.asked(), "tenant_id": tenant.id})
        charts = [spending(visit, sums["cost"]), calling(visit, sums["requests"])]
    keys, total = [], 0
    if kinds := listed_kinds(visit):
        found, total = await services.api_keys.find(principal, Page(limit=50), kinds, tenant=tenant.id)
        keys = [*found]
    return visit.page(
        "tenant.html",
        status=error.status if error else 200,
        error=error,
        tenant=tenant,
        workspace=await services.workspaces.get(principal, tenant.workspace_id),
        budgets=await services.standings.one(principal.organization_id, tenant),
        charts=charts,
        keys=keys,
        total=total,
        now=services.clock.now(),
        may_view=view_as.allowed(visit),
        inside=await view_as.inside(visit, tenant.id),
    )


async def _form(
    visit: Visit, tenant: Tenant | None, fields: dict[str, Any], error: HeadgateError | None = None
) -> Response:
    workspaces, _ = await visit.services.workspaces.find(visit.principal, Page())
    return visit.page(
        "tenant_form.html",
        status=error.status if error else 200,
        tenant=tenant,
        fields={"workspace_id": visit.query.get("workspace", ""), **fields},
        limits=limit_rows.limit_rows(tenant, visit.form),
        workspaces=workspaces,
        choices=limit_rows,
        portal=portal_rows.portal_fields(fields.get("portal") or {}),
        portal_choices=portal_rows,
        error=error,
    )


def _typed(visit: Visit) -> dict[str, Any]:
    form = visit.form
    return {
        **{name: form.one(name) for name in (*_TEXTS, "tenant_id", "workspace_id")},
        "status": form.one("status") or "active",
        "allowed_models": form.lines("allowed_models") or None,
        "metadata": form.pairs("metadata"),
        "portal": portal_rows.typed_portal(form),
    }


def _present(tenant: Tenant) -> dict[str, Any]:
    return {
        **{name: getattr(tenant, name) or "" for name in _TEXTS},
        "tenant_id": tenant.slug,
        "workspace_id": tenant.workspace_id,
        "status": tenant.status,
        "allowed_models": list(tenant.allowed_models or ()),
        "metadata": tenant.metadata,
        "portal": tenant.portal,
    }


async def _spent(visit: Visit, slugs: list[str]) -> dict[str, Any]:
    """By id, within the time the page is about; nothing where he may not see it."""
    if not slugs or not visit.may("analytics.view"):
        return {}
    asked = {**visit.time.asked(), "tenant_id": slugs}
    rows, _ = await visit.services.analytics.usage.group(
        visit.principal, "tenants", asked, Page(), order_by="cost", ascending=False
    )
    return {each["tenant"]: each for each in rows}
