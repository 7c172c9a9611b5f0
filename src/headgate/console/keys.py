"""API keys: made and shown once, given another secret, revoked."""

from typing import Final

from starlette.responses import RedirectResponse, Response

from headgate.console.chart import Chart
from headgate.console.overview import calling, spending
from headgate.console.pager import Pager
from headgate.console.places import tenant_names
from headgate.console.visit import HOME, Visit
from headgate.controlplane.api_keys import scope_of
from headgate.tenancy.api_key import ApiKey, KeyLevel, KeyOwner, Kind
from headgate.tenancy.stores import Page
from headgate.tenancy.workspace import Workspace

KEYS: Final = f"{HOME}/keys"
KINDS: Final[tuple[Kind, ...]] = tuple((level, owner) for level in KeyLevel for owner in KeyOwner)
CREATE: Final = tuple(dict.fromkeys(scope_of(level, KeyOwner.SERVICE, "create") for level in KeyLevel))
ROTATE: Final = tuple(dict.fromkeys(scope_of(*kind, "rotate") for kind in KINDS))
UPDATE: Final = tuple(dict.fromkeys(scope_of(*kind, "update") for kind in KINDS))
READ: Final = tuple(dict.fromkeys(scope_of(*kind, "read") for kind in KINDS))
REVOKE: Final = tuple(dict.fromkeys(scope_of(*kind, "delete") for kind in KINDS))
FILTERS: Final = ("workspace", "tenant", "name")
"""Of the list: whose keys, and a part of their name or id."""
VERBS: Final = ("update", "rotate", "delete")
TRANSITIONS: Final = {"": "half an hour", "86400000": "a day", "604800000": "a week", "0": "not at all: at once"}
"""How long the old secret stays good, in milliseconds."""


def listed_kinds(visit: Visit) -> list[Kind]:
    """Those that he may see in a list."""
    return [kind for kind in KINDS if visit.may(scope_of(*kind, "list"))]


async def listed(visit: Visit) -> Response:
    """Fifty at a time."""
    services, principal, pager = visit.services, visit.principal, Pager.of(visit.query)
    asked = {name: text for name in FILTERS if (text := visit.query.get(name, "").strip())}
    found, total = await services.api_keys.find(principal, pager.page, listed_kinds(visit), **asked)
    standings = await services.standings.of(principal.organization_id, found)
    return visit.page(
        "keys.html",
        rows=list(zip(found, standings, strict=True)),
        workspaces=await workspaces_by_id(visit),
        pager=pager.over(total),
        now=services.clock.now(),
        may_read=[kind for kind in KINDS if visit.may(scope_of(*kind, "read"))],
        tenants=await tenant_names(visit, {each.tenant_id for each in found}),
        asked=asked,
        of={name: text for name, text in asked.items() if name != "name"},
    )


async def show(visit: Visit) -> Response:
    """One key: what it may, its limits and its spend; and, for those who may, another secret or none."""
    services, principal = visit.services, visit.principal
    key = await one(visit, "read", "rotate", "delete")
    charts: list[Chart] = []
    if visit.may("analytics.view"):
        sums = await services.analytics.usage.sums(principal, {**visit.time.asked(), "api_key_ids": key.id})
        charts = [spending(visit, sums["cost"]), calling(visit, sums["requests"])]
    return visit.page(
        "key.html",
        key=key,
        here=f"{KEYS}/{key.id}",
        workspace=await services.workspaces.get(principal, key.workspace_id) if key.workspace_id else None,
        tenant=await services.tenants.get(principal, key.tenant_id) if key.tenant_id else None,
        budgets=await services.standings.one(principal.organization_id, key),
        charts=charts,
        transitions=TRANSITIONS,
        verbs={verb for verb in VERBS if visit.may(scope_of(key.level, key.owner, verb))},
        now=services.clock.now(),
    )


async def reset(visit: Visit) -> Response:
    """What it used before counts no longer."""
    key = await one(visit, "update")
    await visit.services.api_keys.update(visit.principal, key.id, {"reset_usage": True})
    return RedirectResponse(f"{KEYS}/{key.id}", 303)


async def rotate(visit: Visit) -> Response:
    """Shows the new secret, this once."""
    key = await one(visit, "rotate")
    transition = visit.form.one("transition")
    fields = {"key_transition_period_ms": int(transition)} if transition in TRANSITIONS and transition else {}
    key, text = await visit.services.api_keys.rotate(visit.principal, key.id, fields)
    return secret(visit, key, text)


async def revoke(visit: Visit) -> Response:
    """At once, and for good."""
    key = await one(visit, "delete")
    await visit.services.api_keys.revoke(visit.principal, key.id)
    return RedirectResponse(KEYS, 303)


async def one(visit: Visit, *verbs: str) -> ApiKey:
    """With a right to do one of these with a key of its kind."""
    key = await visit.services.api_keys.get(visit.principal, visit.named("key"))
    visit.principal.require(*(scope_of(key.level, key.owner, verb) for verb in verbs))
    return key


def secret(visit: Visit, key: ApiKey, text: str) -> Response:
    """The page that shows a key, this once."""
    calls = key.level is KeyLevel.WORKSPACE and "completions.write" in key.scopes
    return visit.page("secret.html", key=key, text=text, calls=calls)


async def workspaces_by_id(visit: Visit) -> dict[str, Workspace]:
    """Those that he may see."""
    found, _ = await visit.services.workspaces.find(visit.principal, Page())
    return {each.id: each for each in found}
