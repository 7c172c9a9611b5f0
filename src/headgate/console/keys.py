"""API keys: made and shown once, given another secret, revoked."""

from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console import limit_rows
from headgate.console.pager import Pager
from headgate.console.visit import HOME, Visit
from headgate.controlplane.api_keys import scope_of
from headgate.tenancy.api_key import ApiKey, KeyLevel, KeyOwner, Kind
from headgate.tenancy.api_keys import TENANT_SCOPES
from headgate.tenancy.scopes import ORGANIZATION_SCOPES, WORKSPACE_SCOPES
from headgate.tenancy.stores import Page

KEYS: Final = f"{HOME}/keys"
KINDS: Final[tuple[Kind, ...]] = tuple((level, owner) for level in KeyLevel for owner in KeyOwner)
CREATE: Final = tuple(dict.fromkeys(scope_of(level, KeyOwner.SERVICE, "create") for level in KeyLevel))
ROTATE: Final = tuple(dict.fromkeys(scope_of(*kind, "rotate") for kind in KINDS))
REVOKE: Final = tuple(dict.fromkeys(scope_of(*kind, "delete") for kind in KINDS))
CALLS: Final = ("completions.write", "models.list")
TRANSITIONS: Final = {"": "half an hour", "86400000": "a day", "604800000": "a week", "0": "not at all: at once"}
"""How long the old secret stays good, in milliseconds."""


def listed_kinds(visit: Visit) -> list[Kind]:
    """Those that he may see in a list."""
    return [kind for kind in KINDS if visit.may(scope_of(*kind, "list"))]


async def listed(visit: Visit) -> Response:
    """Fifty at a time."""
    services, principal, pager = visit.services, visit.principal, Pager.of(visit.query)
    found, total = await services.api_keys.find(
        principal,
        pager.page,
        listed_kinds(visit),
        workspace=visit.query.get("workspace") or None,
        tenant=visit.query.get("tenant") or None,
    )
    standings = await services.standings.of(principal.organization_id, found)
    return visit.page(
        "keys.html",
        rows=list(zip(found, standings, strict=True)),
        workspaces=await _workspaces(visit),
        tenant=visit.query.get("tenant", ""),
        pager=pager.over(total),
        now=services.clock.now(),
        may_rotate=[kind for kind in KINDS if visit.may(scope_of(*kind, "rotate"))],
        may_revoke=[kind for kind in KINDS if visit.may(scope_of(*kind, "delete"))],
    )


async def new(visit: Visit) -> Response:
    """The form: for a tenant where one is named in the address."""
    start = {"tenant_id": visit.query.get("tenant", ""), "level": KeyLevel.WORKSPACE, "scopes": [*CALLS]}
    return await _form(visit, start)


async def create(visit: Visit) -> Response:
    """Shows the key, this once."""
    form = visit.form
    level = KeyLevel.ORGANIZATION if form.one("level") == KeyLevel.ORGANIZATION else KeyLevel.WORKSPACE
    typed: dict[str, Any] = {name: form.one(name) for name in ("name", "workspace_id", "tenant_id")}
    typed |= {"level": level, "scopes": form.all("scopes")}
    try:
        visit.principal.require(scope_of(level, KeyOwner.SERVICE, "create"))
        asked = {name: value for name, value in typed.items() if value and name != "level"}
        if level is KeyLevel.ORGANIZATION:
            asked.pop("workspace_id", None)  # the form names one in any case
        asked = {"scopes": [], **asked, **limit_rows.limits_asked(form)}
        key, text = await visit.services.api_keys.create(visit.principal, level, KeyOwner.SERVICE, asked)
    except HeadgateError as error:
        return await _form(visit, typed, error)
    return _secret(visit, key, text)


async def ask(visit: Visit) -> Response:
    """Before a key is rotated or revoked: which, and what then."""
    key = await _one(visit, "rotate", "delete")
    return visit.page(
        "key.html",
        key=key,
        transitions=TRANSITIONS,
        may_rotate=visit.may(scope_of(key.level, key.owner, "rotate")),
        may_revoke=visit.may(scope_of(key.level, key.owner, "delete")),
        now=visit.services.clock.now(),
    )


async def rotate(visit: Visit) -> Response:
    """Shows the new secret, this once."""
    key = await _one(visit, "rotate")
    transition = visit.form.one("transition")
    fields = {"key_transition_period_ms": int(transition)} if transition in TRANSITIONS and transition else {}
    key, text = await visit.services.api_keys.rotate(visit.principal, key.id, fields)
    return _secret(visit, key, text)


async def revoke(visit: Visit) -> Response:
    """At once, and for good."""
    key = await _one(visit, "delete")
    await visit.services.api_keys.revoke(visit.principal, key.id)
    return RedirectResponse(KEYS, 303)


async def _one(visit: Visit, *verbs: str) -> ApiKey:
    """With a right to do one of these with a key of its kind."""
    key = await visit.services.api_keys.get(visit.principal, visit.request.path_params["key"])
    visit.principal.require(*(scope_of(key.level, key.owner, verb) for verb in verbs))
    return key


def _secret(visit: Visit, key: ApiKey, text: str) -> Response:
    calls = key.level is KeyLevel.WORKSPACE and "completions.write" in key.scopes
    return visit.page("secret.html", key=key, text=text, calls=calls)


async def _form(visit: Visit, fields: dict[str, Any], error: HeadgateError | None = None) -> Response:
    return visit.page(
        "key_form.html",
        status=error.status if error else 200,
        fields={"name": "", "workspace_id": "", **fields},
        levels=[each for each in KeyLevel if visit.may(scope_of(each, KeyOwner.SERVICE, "create"))],
        workspaces=await _workspaces(visit),
        scopes=_scopes(visit, tenant=bool(fields["tenant_id"])),
        limits=limit_rows.limit_rows(None, visit.form),
        choices=limit_rows,
        error=error,
    )


def _scopes(visit: Visit, *, tenant: bool) -> list[str]:
    """Those that he could give, those of calls first."""
    principal = visit.principal
    allowed = TENANT_SCOPES if tenant else WORKSPACE_SCOPES
    if principal.workspace_id is not None:
        allowed &= principal.scopes
    elif not tenant:
        allowed |= ORGANIZATION_SCOPES & principal.scopes
    return sorted(allowed, key=lambda scope: (scope not in CALLS, scope))


async def _workspaces(visit: Visit) -> dict[str, Any]:
    found, _ = await visit.services.workspaces.find(visit.principal, Page())
    return {each.id: each for each in found}
