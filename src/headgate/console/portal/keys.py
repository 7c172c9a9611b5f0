"""API keys of the tenant: made and shown once, given another secret, revoked."""

from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console import limit_rows
from headgate.console.keys import TRANSITIONS
from headgate.console.pager import Pager
from headgate.console.portal import models
from headgate.console.portal.visit import HOME, PortalVisit
from headgate.tenancy.api_key import ApiKey
from headgate.tenancy.portal_keys import grantable
from headgate.tenancy.portal_visitor import CALLS

KEYS: Final = f"{HOME}/keys"
WORDS: Final = {
    "completions.write": "call models",
    "models.list": "list models",
    "analytics.view": "see what the account uses",
    "logs.list": "search the request log",
    "logs.view": "see single calls, with what they said where that is kept",
    "logs.write": "write logs and feedback",
    "logs.export": "export the request log",
}
"""Scopes as people say them."""


async def listed(visit: PortalVisit) -> Response:
    """Fifty at a time."""
    pager, services = Pager.of(visit.query), visit.services
    found, total = await services.portal_keys.find(visit.visitor, pager.page)
    standings = await services.standings.of(visit.principal.organization_id, found)
    return visit.page(
        "keys.html",
        rows=list(zip(found, standings, strict=True)),
        pager=pager.over(total),
        now=services.clock.now(),
    )


async def new(visit: PortalVisit) -> Response:
    """An empty form."""
    return _form(visit, {"name": "", "scopes": [CALLS, "models.list"]})


async def create(visit: PortalVisit) -> Response:
    """Shows the key, this once."""
    typed: dict[str, Any] = {"name": visit.form.one("name"), "scopes": visit.form.all("scopes")}
    try:
        budgets = limit_rows.budgets(limit_rows.typed_rows(visit.form, "budget"))
        key, text = await visit.services.portal_keys.create(visit.visitor, {**typed, "usage_limits": budgets})
    except HeadgateError as error:
        return _form(visit, typed, error)
    return await _secret(visit, key, text)


async def ask(visit: PortalVisit) -> Response:
    """Before a key is rotated or revoked: which, and what then."""
    key = await visit.services.portal_keys.get(visit.visitor, visit.request.path_params["key"])
    return visit.page("key.html", key=key, transitions=TRANSITIONS, words=WORDS, now=visit.services.clock.now())


async def rotate(visit: PortalVisit) -> Response:
    """Shows the new secret, this once."""
    transition = visit.form.one("transition")
    fields = {"key_transition_period_ms": int(transition)} if transition in TRANSITIONS and transition else {}
    key, text = await visit.services.portal_keys.rotate(visit.visitor, visit.request.path_params["key"], fields)
    return await _secret(visit, key, text)


async def revoke(visit: PortalVisit) -> Response:
    """At once, and for good."""
    await visit.services.portal_keys.revoke(visit.visitor, visit.request.path_params["key"])
    return RedirectResponse(KEYS, 303)


async def _secret(visit: PortalVisit, key: ApiKey, text: str) -> Response:
    found = await models.names(visit) if CALLS in key.scopes else []
    return visit.page("secret.html", key=key, text=text, model=found[0] if found else None)


def _form(visit: PortalVisit, fields: dict[str, Any], error: HeadgateError | None = None) -> Response:
    return visit.page(
        "key_form.html",
        status=error.status if error else 200,
        fields=fields,
        scopes=grantable(visit.visitor),
        words=WORDS,
        budgets=[limit_rows.Row("cost", over="monthly")],
        choices=limit_rows,
        error=error,
    )
