"""Guardrails: what calls and answers are checked with, and what becomes of those that fail."""

import json
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError, InvalidRequest
from headgate.console import places
from headgate.console.pager import Pager
from headgate.console.visit import HOME, Visit
from headgate.tenancy.checks.registry import checks
from headgate.tenancy.guardrail import Guardrail

GUARDRAILS: Final = f"{HOME}/guardrails"
_EXAMPLE: Final = [{"id": "default.wordCount", "parameters": {"minWords": 1, "maxWords": 5_000}}]
DENY: Final = "deny"
TELL: Final = "tell"
ASIDE: Final = "async"
OUTCOMES: Final = {
    DENY: "is refused with 446",
    TELL: "goes on, and its answer says so",
    ASIDE: "goes on, and only its record says so",
}
_ELSEWHERE: Final = ("deny", "async")
"""Actions that are not in the JSON field, because the form asks for them by words."""


def scopes(verb: str) -> tuple[str, str]:
    """Whose it is decides which of the two: the service checks it."""
    return f"guardrails.{verb}", f"organisation_guardrails.{verb}"


def may(visit: Visit, verb: str, guardrail: Guardrail) -> bool:
    return visit.may(scopes(verb)[guardrail.workspace_id is None])


async def listed(visit: Visit) -> Response:
    """Fifty at a time."""
    pager = Pager.of(visit.query)
    found, total = await visit.services.guardrails.find(visit.principal, pager.page)
    return visit.page(
        "guardrails.html",
        rows=[(each, outcome_of(each), may(visit, "read", each)) for each in found],
        outcomes=OUTCOMES,
        places=await places.workspaces(visit),
        pager=pager.over(total),
    )


async def show(visit: Visit) -> Response:
    """One of them, with what it was each time it was written."""
    return await _shown(visit)


async def new(visit: Visit) -> Response:
    """A form with an example."""
    fields = {"name": "", "workspace_id": "", "checks": _written(_EXAMPLE), "actions": "", "outcome": DENY}
    return await _form(visit, None, fields)


async def create(visit: Visit) -> Response:
    """To the new guardrail, or back to the form with what was wrong and where."""
    typed = _typed(visit)
    try:
        asked = _asked(visit) | {"workspace_id": typed["workspace_id"] or None}
        made = await visit.services.guardrails.create(visit.principal, asked)
    except HeadgateError as error:
        return await _form(visit, None, typed, error)
    return RedirectResponse(path_of(made), 303)


async def edit(visit: Visit) -> Response:
    """The form with what there is."""
    found = await visit.services.guardrails.get(visit.principal, visit.named("guardrail"))
    others = {name: value for name, value in found.actions.items() if name not in _ELSEWHERE}
    fields = {
        "name": found.name,
        "checks": _written(found.checks),
        "actions": _written(others) if others else "",
        "outcome": outcome_of(found),
    }
    return await _form(visit, found, fields)


async def update(visit: Visit) -> Response:
    """A new version, in force where the guardrail is attached from the next call on."""
    before = await visit.services.guardrails.get(visit.principal, visit.named("guardrail"))
    try:
        await visit.services.guardrails.update(visit.principal, before.id, _asked(visit))
    except HeadgateError as error:
        return await _form(visit, before, _typed(visit), error)
    return RedirectResponse(path_of(before), 303)


async def remove(visit: Visit) -> Response:
    """With its versions; where it is still attached is said on its page."""
    try:
        await visit.services.guardrails.delete(visit.principal, visit.named("guardrail"))
    except HeadgateError as error:
        return await _shown(visit, error)
    return RedirectResponse(GUARDRAILS, 303)


def path_of(guardrail: Guardrail) -> str:
    return f"{GUARDRAILS}/{guardrail.slug}"


def outcome_of(guardrail: Guardrail) -> str:
    """What becomes of what fails."""
    if guardrail.actions.get("deny"):
        return DENY
    return ASIDE if guardrail.actions.get("async") else TELL


async def _shown(visit: Visit, error: HeadgateError | None = None) -> Response:
    pager = Pager.of(visit.query)
    found = await visit.services.guardrails.get(visit.principal, visit.named("guardrail"))
    versions, total = await visit.services.guardrails.versions(visit.principal, found.id, pager.page)
    return visit.page(
        "guardrail.html",
        status=error.status if error else 200,
        guardrail=found,
        outcome=OUTCOMES[outcome_of(found)],
        verbs={verb for verb in ("update", "delete") if may(visit, verb, found)},
        here=path_of(found),
        places=await places.workspaces(visit),
        versions=versions,
        pager=pager.over(total),
        error=error,
    )


def _typed(visit: Visit) -> dict[str, str]:
    return {name: visit.form.one(name) for name in ("name", "workspace_id", "checks", "actions", "outcome")}


def _asked(visit: Visit) -> dict[str, Any]:
    actions = visit.form.document("actions") or {}
    if not isinstance(actions, dict):
        raise InvalidRequest("`actions` must be an object.", param="actions")
    outcome = visit.form.one("outcome")
    switches = {"deny": outcome == DENY, "async": outcome == ASIDE}
    return {"name": visit.form.one("name"), "checks": visit.form.document("checks"), "actions": actions | switches}


def _written(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


async def _form(
    visit: Visit, guardrail: Guardrail | None, fields: dict[str, str], error: HeadgateError | None = None
) -> Response:
    return visit.page(
        "guardrail_form.html",
        status=error.status if error else 200,
        guardrail=guardrail,
        back=GUARDRAILS if guardrail is None else path_of(guardrail),
        fields=fields,
        outcomes=OUTCOMES,
        known=list(checks()),
        workspaces=(await places.workspaces(visit)).values(),
        error=error,
    )
