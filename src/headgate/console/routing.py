"""The routing table: which model a call gets that leaves the choice to the gateway, by tier and complexity."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console import places
from headgate.console.form import Form
from headgate.console.visit import HOME, Visit
from headgate.tenancy.routing_table import COMPLEX, SIMPLE, ComplexityRules, Document, routing_table

ROUTING: Final = f"{HOME}/routing"
READ: Final = ("organisation_settings.read", "workspaces.read", "tenants.read")
UPDATE: Final = ("organisation_settings.update", "workspaces.update", "tenants.update")
SPARE_ROWS: Final = 2
SWITCHES: Final = {"": "as above", "yes": "is complex", "no": "is not"}
_WORDS: Final = {True: "yes", False: "no", None: ""}


class Routed(Protocol):
    """Whoever has a part of the table."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def routing(self) -> Document: ...
    @property
    def updated_at(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Whose part is looked at. `kind` is `organization`, `workspace` or `tenant`; `above` are those whose entries count
    where this one has none, the farthest first."""

    kind: str
    owner: Routed
    above: tuple[Routed, ...]
    query: dict[str, str]
    writable: bool


async def show(visit: Visit) -> Response:
    """Of the organization, of the workspace or of the tenant that the address names."""
    return await _page(visit, await _place(visit, visit.query.get("workspace", ""), visit.query.get("tenant", "")))


async def update(visit: Visit) -> Response:
    """What is on the form takes the place of what was before; an empty form takes the part away."""
    place = await _place(visit, visit.form.one("workspace"), visit.form.one("tenant"))
    services, principal = visit.services, visit.principal
    try:
        visit.form.require_unchanged(place.owner.updated_at)
        fields = {"routing_table": _asked(visit.form)}
        if place.kind == "organization":
            principal.require("organisation_settings.update")
            await services.organizations.update(principal, fields)
        elif place.kind == "workspace":
            principal.require("workspaces.update")
            await services.workspaces.update(principal, place.owner.id, fields)
        else:
            principal.require("tenants.update")
            await services.tenants.update(principal, place.owner.id, fields)
    except HeadgateError as error:
        return await _page(visit, place, error)
    return RedirectResponse(visit.link(ROUTING, **place.query), 303)


async def _place(visit: Visit, workspace: str, tenant: str) -> Place:
    services, principal = visit.services, visit.principal
    organization: tuple[Routed, ...] = ()
    if visit.administers and visit.may("organisation_settings.read"):
        organization = (await services.organizations.get(principal),)
    if tenant:
        principal.require("tenants.read")
        found = await services.tenants.get(principal, tenant)
        above: tuple[Routed, ...] = organization
        if visit.may("workspaces.read"):
            above = (*above, await services.workspaces.get(principal, found.workspace_id))
        return Place("tenant", found, above, {"tenant": found.slug}, visit.may("tenants.update"))
    reference = workspace or principal.workspace_id or ""
    if reference or not organization:
        principal.require("workspaces.read")
        its = await services.workspaces.get(principal, reference)
        writable = visit.administers and visit.may("workspaces.update")
        return Place("workspace", its, organization, {"workspace": its.slug}, writable)
    return Place("organization", organization[0], (), {}, visit.may("organisation_settings.update"))


async def _page(visit: Visit, place: Place, error: HeadgateError | None = None) -> Response:
    chain = (*place.above, place.owner)
    fields = _typed(visit.form) if error else _present(place.owner.routing)
    return visit.page(
        "routing.html",
        status=error.status if error else 200,
        place=place,
        table=routing_table(*(each.routing for each in chain)),
        said_by={tier: each.name for each in chain for tier in each.routing.get("tiers", {})},
        usual=ComplexityRules(),
        fields={**fields, "tiers": [*fields["tiers"], *[("", "", "")] * SPARE_ROWS]},
        switches=SWITCHES,
        workspaces=(await places.workspaces(visit)).values() if visit.administers else (),
        resting=visit.services.system.resting(visit.principal) if visit.administers else (),
        error=error,
    )


def _present(document: Document) -> dict[str, Any]:
    rules = document.get("complexity", {})
    tiers = document.get("tiers", {})
    return {
        "tiers": [(name, models[SIMPLE], models[COMPLEX]) for name, models in tiers.items()],
        "default_tier": document.get("default_tier", ""),
        "length": str(rules.get("length", "")),
        "keywords": "\n".join(rules.get("keywords", ())),
        "tools": _WORDS[rules.get("tools")],
        "images": _WORDS[rules.get("images")],
    }


def _typed(form: Form) -> dict[str, Any]:
    names = ("default_tier", "length", "keywords", "tools", "images")
    return {name: form.one(name) for name in names} | {"tiers": _rows(form)}


def _rows(form: Form) -> list[tuple[str, str, str]]:
    """A row without a tier is none."""
    columns = (form.all("tier"), form.all("simple"), form.all("complex"))
    return [each for each in zip(*columns, strict=False) if each[0]]


def _asked(form: Form) -> dict[str, Any] | None:
    """As the API takes it. A tier with one model has it for all calls."""
    found: dict[str, Any] = {}
    if rows := _rows(form):
        models = {name: {SIMPLE: simple, COMPLEX: complex_} for name, simple, complex_ in rows}
        found["tiers"] = {name: {k: v for k, v in each.items() if v} for name, each in models.items()}
    if tier := form.one("default_tier"):
        found["default_tier"] = tier
    rules: dict[str, Any] = {}
    if length := form.one("length"):
        rules["length"] = int(length) if length.isascii() and length.isdigit() else length
    if keywords := form.lines("keywords"):
        rules["keywords"] = keywords
    rules |= {name: form.one(name) == "yes" for name in ("tools", "images") if form.one(name)}
    if rules:
        found["complexity"] = rules
    return found or None
