"""Configs: where calls go and on what terms, written as JSON, with what each was before."""

import json
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError, InvalidRequest
from headgate.console import places
from headgate.console.pager import Pager
from headgate.console.visit import HOME, Visit
from headgate.tenancy.configs import STATUSES, SeenConfig
from headgate.tenancy.stores import Page

CONFIGS: Final = f"{HOME}/configs"
EXAMPLE: Final = {
    "strategy": {"mode": "fallback"},
    "targets": [{"provider": "@openai"}, {"provider": "@anthropic", "override_params": {"model": "claude-sonnet-4-5"}}],
}


async def listed(visit: Visit) -> Response:
    """Fifty at a time."""
    pager = Pager.of(visit.query)
    found, total = await visit.services.configs.find(visit.principal, pager.page)
    return visit.page("configs.html", rows=found, places=await places.workspaces(visit), pager=pager.over(total))


async def show(visit: Visit) -> Response:
    """One of them, with what it was each time it was written."""
    return await _shown(visit)


async def new(visit: Visit) -> Response:
    """A form with an example."""
    return await _form(visit, None, {"name": "", "workspace_id": "", "config": _written(EXAMPLE), "status": "active"})


async def create(visit: Visit) -> Response:
    """To the new config, or back to the form with what was wrong and where."""
    typed = _typed(visit)
    try:
        asked = {"name": typed["name"], "config": _document(visit), "workspace_id": typed["workspace_id"] or None}
        made = await visit.services.configs.create(visit.principal, asked)
    except HeadgateError as error:
        return await _form(visit, None, typed, error)
    return RedirectResponse(path_of(made), 303)


async def edit(visit: Visit) -> Response:
    """The form with what there is, or with what there was: `version` in the address."""
    found = await visit.services.configs.get(visit.principal, visit.named("config"))
    document, number = found.config.document, visit.query.get("version", "")
    if number:
        document = await _before(visit, number)
    status = STATUSES[found.config.archived]
    return await _form(visit, found, {"name": found.config.name, "config": _written(document), "status": status})


async def update(visit: Visit) -> Response:
    """A new version, which the next call has."""
    before = await visit.services.configs.get(visit.principal, visit.named("config"))
    typed = _typed(visit)
    try:
        asked = {"name": typed["name"], "config": _document(visit), "status": typed["status"]}
        await visit.services.configs.update(visit.principal, before.config.slug, asked)
    except HeadgateError as error:
        return await _form(visit, before, typed, error)
    return RedirectResponse(path_of(before), 303)


async def default(visit: Visit) -> Response:
    """It becomes what its workspace's calls have, or is so no longer."""
    try:
        found = await visit.services.configs.update(
            visit.principal, visit.named("config"), {"is_default": visit.form.one("is_default") == "yes"}
        )
    except HeadgateError as error:
        return await _shown(visit, error)
    return RedirectResponse(path_of(found), 303)


async def remove(visit: Visit) -> Response:
    """With its versions; who still has it is said on its page."""
    try:
        await visit.services.configs.delete(visit.principal, visit.named("config"))
    except HeadgateError as error:
        return await _shown(visit, error)
    return RedirectResponse(CONFIGS, 303)


def path_of(found: SeenConfig) -> str:
    return f"{CONFIGS}/{found.config.slug}"


async def _shown(visit: Visit, error: HeadgateError | None = None) -> Response:
    pager = Pager.of(visit.query)
    found = await visit.services.configs.get(visit.principal, visit.named("config"))
    versions, total = await visit.services.configs.versions(visit.principal, found.config.slug, pager.page)
    return visit.page(
        "config.html",
        status=error.status if error else 200,
        config=found.config,
        is_default=found.is_default,
        here=path_of(found),
        places=await places.workspaces(visit),
        versions=versions,
        pager=pager.over(total),
        error=error,
    )


async def _before(visit: Visit, number: str) -> Any:
    """The document of a version that is on the page its link stands on."""
    versions, _ = await visit.services.configs.versions(visit.principal, visit.named("config"), Page(limit=1_000))
    for each in versions:
        if str(each.number) == number:
            return each.document["config"]
    raise InvalidRequest("`version` is none of the last thousand.", param="version")


def _typed(visit: Visit) -> dict[str, str]:
    return {name: visit.form.one(name) for name in ("name", "workspace_id", "config", "status")}


def _document(visit: Visit) -> Any:
    found = visit.form.document("config")
    if found is None:
        raise InvalidRequest("`config` is missing.", param="config")
    return found


def _written(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


async def _form(
    visit: Visit, found: SeenConfig | None, fields: dict[str, str], error: HeadgateError | None = None
) -> Response:
    return visit.page(
        "config_form.html",
        status=error.status if error else 200,
        config=None if found is None else found.config,
        back=CONFIGS if found is None else path_of(found),
        fields=fields,
        statuses=STATUSES,
        workspaces=(await places.workspaces(visit)).values(),
        error=error,
    )
