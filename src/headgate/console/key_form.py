"""The form of an API key: to make one, and to change what it may and how much."""

from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console import limit_rows
from headgate.console.form import Form
from headgate.console.keys import KEYS, one, secret, workspaces_by_id
from headgate.console.visit import Visit
from headgate.controlplane.api_keys import scope_of
from headgate.tenancy.api_key import ApiKey, KeyLevel, KeyOwner
from headgate.tenancy.api_keys import TENANT_SCOPES
from headgate.tenancy.key_rotation import held_for
from headgate.tenancy.moments import to_iso
from headgate.tenancy.scopes import ORGANIZATION_SCOPES, WORKSPACE_SCOPES

CALLS: Final = ("completions.write", "models.list")
LEVELS: Final = {
    KeyLevel.ORGANIZATION: "the organization: administers, makes no calls",
    KeyLevel.WORKSPACE: "a workspace",
}
_BLANK: Final = {"name": "", "description": "", "workspace_id": "", "expires_at": "", "alert_emails": ""}


async def new(visit: Visit) -> Response:
    """The form: for a tenant where one is named in the address."""
    start = {"tenant_id": visit.query.get("tenant", ""), "level": KeyLevel.WORKSPACE, "scopes": [*CALLS]}
    return await _form(visit, None, start)


async def create(visit: Visit) -> Response:
    """Shows the key, this once."""
    form = visit.form
    level = KeyLevel.ORGANIZATION if form.one("level") == KeyLevel.ORGANIZATION else KeyLevel.WORKSPACE
    typed = {**_typed(form), "workspace_id": form.one("workspace_id"), "tenant_id": form.one("tenant_id")}
    try:
        visit.principal.require(scope_of(level, KeyOwner.SERVICE, "create"))
        asked = {"name": form.one("name"), "scopes": form.all("scopes"), **_asked(form)}
        if level is KeyLevel.WORKSPACE:  # the form names one in any case
            asked |= {name: form.one(name) for name in ("workspace_id", "tenant_id") if form.one(name)}
        key, text = await visit.services.api_keys.create(visit.principal, level, KeyOwner.SERVICE, asked)
    except HeadgateError as error:
        return await _form(visit, None, {**typed, "level": level}, error)
    return secret(visit, key, text)


async def edit(visit: Visit) -> Response:
    """The form with what there is."""
    key = await one(visit, "update")
    fields = {
        "name": key.name,
        "description": key.description,
        "scopes": key.scopes,
        "allowed_models": key.allowed_models or (),
        "expires_at": "" if key.expires_at is None else to_iso(key.expires_at)[:16],
        "alert_emails": "\n".join(key.alert_emails),
    }
    return await _form(visit, key, fields)


async def update(visit: Visit) -> Response:
    """What it may from its next call on."""
    key, form = await one(visit, "update"), visit.form
    try:
        asked = {"name": form.one("name"), **_asked(form, key)}
        if key.expires_at is not None and form.one("expires_at") == to_iso(key.expires_at)[:16]:
            asked.pop("expires_at")  # it may be over by now, or be said to the second
        if set(form.all("scopes")) != key.scopes:
            asked["scopes"] = form.all("scopes")
        form.require_unchanged(key.updated_at)
        await visit.services.api_keys.update(visit.principal, key.id, asked)
    except HeadgateError as error:
        return await _form(visit, key, _typed(form), error)
    return RedirectResponse(f"{KEYS}/{key.id}", 303)


def _typed(form: Form) -> dict[str, Any]:
    said = {name: form.one(name) for name in ("name", "description", "expires_at", "alert_emails")}
    return {**said, "scopes": form.all("scopes"), "allowed_models": form.lines("allowed_models")}


def _asked(form: Form, before: ApiKey | None = None) -> dict[str, Any]:
    """What the form has of every key."""
    return {
        "description": form.one("description"),
        "allowed_models": form.lines("allowed_models") or None,
        "expires_at": form.one("expires_at") or None,
        "alert_emails": form.lines("alert_emails"),
        **limit_rows.limits_asked(form, before),
    }


async def _form(
    visit: Visit, key: ApiKey | None, fields: dict[str, Any], error: HeadgateError | None = None
) -> Response:
    tenant = bool(fields.get("tenant_id")) if key is None else key.tenant_id is not None
    scopes = _scopes(visit, tenant=tenant)
    return visit.page(
        "key_form.html",
        status=error.status if error else 200,
        key=key,
        fields={**_BLANK, "allowed_models": (), **fields},
        levels=[each for each in KeyLevel if visit.may(scope_of(each, KeyOwner.SERVICE, "create"))],
        level_words=LEVELS,
        workspaces=await workspaces_by_id(visit),
        calling=CALLS,
        scopes=[*scopes, *sorted(set(fields["scopes"]) - set(scopes))],
        limits=limit_rows.limit_rows(key, visit.form),
        choices=limit_rows,
        error=error,
    )


def _scopes(visit: Visit, *, tenant: bool) -> list[str]:
    """Those that he could give, those of calls first."""
    principal = visit.principal
    allowed = (TENANT_SCOPES if tenant else WORKSPACE_SCOPES) & held_for(principal, KeyLevel.WORKSPACE)
    if principal.workspace_id is None and not tenant:
        allowed |= ORGANIZATION_SCOPES & principal.scopes
    return sorted(allowed, key=lambda scope: (scope not in CALLS, scope))
