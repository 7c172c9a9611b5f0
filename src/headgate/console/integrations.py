"""Integrations: providers' credentials, written and never shown, tried, and what each workspace has of them."""

from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console import limit_rows
from headgate.console.pager import Pager
from headgate.console.visit import HOME, Visit
from headgate.tenancy.credential_checks import CredentialCheck
from headgate.tenancy.integration import Integration, Provisioning
from headgate.tenancy.stores import Page

INTEGRATIONS: Final = f"{HOME}/integrations"
LIST: Final = ("organisation_integrations.list", "workspace_integrations.list")
READ: Final = ("organisation_integrations.read", "workspace_integrations.read")
CREATE: Final = ("organisation_integrations.create", "workspace_integrations.create")
UPDATE: Final = ("organisation_integrations.update", "workspace_integrations.update")
DELETE: Final = ("organisation_integrations.delete", "workspace_integrations.delete")
GIVE: Final = ("organisation_integrations.update",)
_TEXTS: Final = ("name", "slug", "ai_provider_id", "description", "custom_host", "workspace_id")


def may(visit: Visit, verb: str, integration: Integration) -> bool:
    """The organization's, or one of the workspace's own: see `tenancy.integration_access`."""
    own = integration.workspace_id is not None and visit.may(f"workspace_integrations.{verb}")
    return own or visit.may(f"organisation_integrations.{verb}")


def path_of(integration: Integration) -> str:
    return f"{INTEGRATIONS}/{integration.slug}"


async def listed(visit: Visit) -> Response:
    """Fifty at a time."""
    pager = Pager.of(visit.query)
    found, total = await visit.services.integrations.find(visit.principal, pager.page)
    return visit.page(
        "integrations.html",
        rows=[(each, visit.services.catalog.provider(each.kind), may(visit, "read", each)) for each in found],
        workspaces=await _workspaces(visit),
        pager=pager.over(total),
    )


async def show(visit: Visit) -> Response:
    """One of them."""
    return await _shown(visit)


async def test(visit: Visit) -> Response:
    """Ask its provider, and say on its page what came of it."""
    found = await visit.services.credential_checks.check(visit.principal, visit.named("integration"))
    return await _shown(visit, check=found)


async def remove(visit: Visit) -> Response:
    """With its credential; which workspaces still have it is said on its page."""
    try:
        await visit.services.integrations.delete(visit.principal, visit.named("integration"))
    except HeadgateError as error:
        return await _shown(visit, error=error)
    return RedirectResponse(INTEGRATIONS, 303)


async def new(visit: Visit) -> Response:
    """The form, for the provider that is named in the address."""
    fields = dict.fromkeys(_TEXTS, "") | {"ai_provider_id": visit.query.get("provider", "openai")}
    return await _form(visit, None, fields)


async def create(visit: Visit) -> Response:
    """To the new integration, where it can be tried and given to workspaces."""
    typed = {name: visit.form.one(name) for name in _TEXTS}
    asked: dict[str, Any] = {name: value for name, value in typed.items() if value or name == "name"}
    asked.pop("custom_host", None)
    if typed["custom_host"]:
        asked["configurations"] = {"custom_host": typed["custom_host"]}
    try:
        made = await visit.services.integrations.create(visit.principal, asked | _key(visit))
    except HeadgateError as error:
        return await _form(visit, None, typed, error)
    return RedirectResponse(path_of(made), 303)


async def edit(visit: Visit) -> Response:
    """The form with what there is; the credential's field is empty, and stays what it is if it is left so."""
    found = await _mine(visit)
    fields = {"name": found.name, "description": found.description, "custom_host": found.base_url or ""}
    return await _form(visit, found, fields)


async def update(visit: Visit) -> Response:
    """The same as `create`, for one that is there."""
    before = await _mine(visit)
    typed = {name: visit.form.one(name) for name in ("name", "description", "custom_host")}
    asked: dict[str, Any] = {"name": typed["name"], "description": typed["description"]}
    if typed["custom_host"] != (before.base_url or ""):
        asked["configurations"] = {"custom_host": typed["custom_host"] or None}
    try:
        visit.form.require_unchanged(before.updated_at)
        await visit.services.integrations.update(visit.principal, before.id, asked | _key(visit))
    except HeadgateError as error:
        return await _form(visit, before, typed, error)
    return RedirectResponse(path_of(before), 303)


async def give(visit: Visit) -> Response:
    """What one workspace has of it."""
    integration, provisioning, workspace = await _given(visit, visit.query.get("workspace", ""))
    return _give_form(visit, integration, workspace, provisioning, enabled=provisioning is None or provisioning.enabled)


async def gave(visit: Visit) -> Response:
    """Given, taken back, or with other limits."""
    integration, before, workspace = await _given(visit, visit.form.one("workspace"))
    enabled = bool(visit.form.one("enabled"))
    try:
        visit.form.require_unchanged(before.updated_at if before else 0)
        entry = {"id": workspace.id, "enabled": enabled, **limit_rows.limits_asked(visit.form, before)}
        if visit.form.one("reset_usage"):
            entry["reset_usage"] = True
        if slug := visit.form.one("default_provider_slug"):
            entry["default_provider_slug"] = slug
        await visit.services.provisioning.update(visit.principal, integration.id, {"workspaces": [entry]})
    except HeadgateError as error:
        return _give_form(visit, integration, workspace, before, enabled=enabled, error=error)
    return RedirectResponse(path_of(integration), 303)


async def _shown(visit: Visit, check: CredentialCheck | None = None, error: HeadgateError | None = None) -> Response:
    services, principal = visit.services, visit.principal
    integration, provisioned = await services.provisioning.get(principal, visit.named("integration"))
    standings = await services.standings.of(integration.organization_id, [each for _, each in provisioned])
    has = {workspace.id for workspace, _ in provisioned}
    lacking = [each for each in (await _workspaces(visit)).values() if each.id not in has]
    return visit.page(
        "integration.html",
        status=error.status if error else 200,
        integration=integration,
        here=path_of(integration),
        provider=services.catalog.provider(integration.kind),
        given=[(*each, its) for each, its in zip(provisioned, standings, strict=True)],
        lacking=lacking if integration.workspace_id is None else [],
        verbs={verb for verb in ("update", "delete") if may(visit, verb, integration)},
        check=check,
        error=error,
    )


async def _mine(visit: Visit) -> Integration:
    """For a form that changes it."""
    found = await visit.services.integrations.get(visit.principal, visit.named("integration"))
    own = () if found.workspace_id is None else ("workspace_integrations.update",)
    visit.principal.require("organisation_integrations.update", *own)
    return found


async def _given(visit: Visit, reference: str) -> tuple[Integration, Provisioning | None, Any]:
    visit.principal.require_organization()
    integration, provisioned = await visit.services.provisioning.get(visit.principal, visit.named("integration"))
    workspace = await visit.services.workspaces.get(visit.principal, reference)
    found = next((each for of, each in provisioned if of.id == workspace.id), None)
    return integration, found, workspace


def _give_form(
    visit: Visit,
    integration: Integration,
    workspace: Any,
    before: Provisioning | None,
    *,
    enabled: bool,
    error: HeadgateError | None = None,
) -> Response:
    return visit.page(
        "integration_access.html",
        status=error.status if error else 200,
        integration=integration,
        here=path_of(integration),
        workspace=workspace,
        before=before,
        enabled=enabled,
        slug=visit.form.one("default_provider_slug"),
        limits=limit_rows.limit_rows(before, visit.form),
        choices=limit_rows,
        error=error,
    )


async def _form(
    visit: Visit, integration: Integration | None, fields: dict[str, str], error: HeadgateError | None = None
) -> Response:
    return visit.page(
        "integration_form.html",
        status=error.status if error else 200,
        integration=integration,
        fields=fields,
        providers=sorted(visit.services.catalog.providers(), key=lambda each: each.name.lower()),
        workspaces=list((await _workspaces(visit)).values()),
        error=error,
    )


def _key(visit: Visit) -> dict[str, str]:
    key = visit.form.one("key")
    return {"key": key} if key else {}


async def _workspaces(visit: Visit) -> dict[str, Any]:
    found, _ = await visit.services.workspaces.find(visit.principal, Page(limit=1_000))
    return {each.id: each for each in found}
