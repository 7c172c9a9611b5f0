"""The request log: calls searched, watched as they end, and one call with how each cent of it came about."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from headgate.base.errors import HeadgateError, InvalidRequest, NotFound
from headgate.console.call_filters import CHOICES, FILTERS, OF_ONE, asked_by, typed_filters
from headgate.console.places import tenant_names
from headgate.console.visit import Visit
from headgate.ledger.record import Outcome
from headgate.tenancy.owner import LimitOwner
from headgate.tenancy.standing import Budgets

AT_ONCE: Final = 50
SEARCHED: Final = {**FILTERS, **OF_ONE}


@dataclass(frozen=True, slots=True)
class Counted:
    """Something that a call counted for, and its budgets as they stand now."""

    kind: str
    path: str
    name: str
    budgets: Budgets


Owner = tuple[str, str, LimitOwner, str]
"""Kind, path of its page, itself, and what people call it."""


async def listed(visit: Visit) -> Response:
    """The latest first. To a script that searches or watches, the rows alone. What was wrong with a search stands in
    the place of the rows, and the search as it was typed."""
    try:
        found = await visit.services.analytics.logs.find(
            visit.principal,
            {**asked_by(typed_filters(visit, SEARCHED)), **visit.time.asked()},
            cursor=visit.query.get("cursor") or None,
            limit=AT_ONCE,
            count=False,
        )
    except (InvalidRequest, NotFound) as error:
        return await _listed(visit.forgiving(), {"data": [], "next_cursor": None}, error)
    return await _listed(visit, found)


async def _listed(visit: Visit, found: Mapping[str, Any], error: HeadgateError | None = None) -> Response:
    typed = typed_filters(visit, SEARCHED)
    same = {name: text for name, text in typed.items() if text}
    live = visit.query.get("live") == "on"
    path = visit.request.url.path
    response = visit.page(
        "requests_found.html" if visit.of_script else "requests.html",
        status=error.status if error and not visit.of_script else 200,
        error=error,
        rows=found["data"],
        tenants=await tenant_names(visit, {each["tenant_id"] for each in found["data"]}),
        older=found["next_cursor"] and visit.link(path, **same, cursor=found["next_cursor"]),
        live=live,
        here=visit.link(path, **same, **({"live": "on"} if live else {})),
        other=visit.link(path, **same, **({} if live else {"live": "on"})),
        filters=SEARCHED,
        typed=typed,
        choices={**CHOICES, "outcome": {"": "any", **{each: each for each in Outcome}}},
    )
    response.headers.add_vary_header("hx-request")
    return response


async def show(visit: Visit) -> Response:
    """One call."""
    found = await visit.services.analytics.logs.get(visit.principal, visit.request.path_params["request"])
    if "cost_lines" not in found:
        return visit.page("sent_log.html", call=found)
    owners = await _owners(visit, found["metrics"])
    return visit.page(
        "request.html",
        call=found,
        owners={kind: (path, name) for kind, path, _, name in owners},
        counted=await _counted(visit, owners),
        feedback=await visit.services.analytics.feedback.of_trace(visit.principal, found["metrics"]["trace_id"]),
    )


async def _owners(visit: Visit, told: Mapping[str, Any]) -> list[Owner]:
    """Whose it was, for those who may see them. Some may be gone."""
    services, principal = visit.services, visit.principal
    wanted = (
        ("Workspace", "workspaces", told["workspace_id"], services.workspaces),
        ("Tenant", "tenants", told["tenant_id"], services.tenants),
        ("Key", "keys", told["api_key_id"], services.api_keys),
    )
    owners: list[Owner] = []
    if visit.administers and visit.may("organisation_settings.read"):
        organization = await services.organizations.get(principal)
        owners.append(("Organization", "/console/settings", organization, organization.name))
    for kind, name, identifier, service in wanted:
        if identifier and (name == "keys" or visit.may(f"{name}.read")):
            with suppress(HeadgateError):
                owner = await service.get(principal, identifier)
                owners.append((kind, f"/console/{name}/{identifier}", owner, owner.name))
    return owners


async def _counted(visit: Visit, owners: Sequence[Owner]) -> list[Counted]:
    """Those of them that have budgets, in which it counted."""
    services, principal = visit.services, visit.principal
    standing = await services.standings.of(principal.organization_id, [owner for _, _, owner, _ in owners])
    return [
        Counted(kind, path, name, budgets)
        for (kind, path, _, name), budgets in zip(owners, standing, strict=True)
        if budgets
    ]
