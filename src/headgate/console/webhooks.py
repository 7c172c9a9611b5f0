"""Webhooks: who is told what happens, how telling them went, and telling it once more."""

from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console import places
from headgate.console.pager import Pager
from headgate.console.visit import HOME, Visit
from headgate.tenancy.webhook import Webhook, WebhookStatus
from headgate.tenancy.webhooks import SELECTABLE

WEBHOOKS: Final = f"{HOME}/webhooks"
_TEXTS: Final = ("url", "description", "workspace_id", "tenant_id")


async def listed(visit: Visit) -> Response:
    """Fifty at a time."""
    pager = Pager.of(visit.query)
    found, total = await visit.services.webhooks.find(visit.principal, pager.page)
    return visit.page("webhooks.html", rows=found, places=await places.workspaces(visit), pager=pager.over(total))


async def show(visit: Visit) -> Response:
    """One of them, with what it was told: the latest first."""
    return await _shown(visit)


async def new(visit: Visit) -> Response:
    """An empty form."""
    return await _form(visit, None, dict.fromkeys(_TEXTS, "") | {"types": []})


async def create(visit: Visit) -> Response:
    """The new webhook's secret, this once; or back to the form with what was wrong."""
    typed = _typed(visit)
    asked = {name: value for name, value in typed.items() if value}
    try:
        made, secret = await visit.services.webhooks.create(visit.principal, {"url": "", **asked})
    except HeadgateError as error:
        return await _form(visit, None, typed, error)
    return _secret(visit, made, secret)


async def edit(visit: Visit) -> Response:
    """The form with what there is."""
    found = await visit.services.webhooks.get(visit.principal, visit.named("webhook"))
    return await _form(
        visit, found, {"url": found.url, "description": found.description, "types": [str(each) for each in found.types]}
    )


async def update(visit: Visit) -> Response:
    """The same as `create`, for one that is there."""
    typed = {name: value for name, value in _typed(visit).items() if name in ("url", "description", "types")}
    before = await visit.services.webhooks.get(visit.principal, visit.named("webhook"))
    try:
        visit.form.require_unchanged(before.updated_at)
        await visit.services.webhooks.update(visit.principal, before.id, typed)
    except HeadgateError as error:
        return await _form(visit, before, typed, error)
    return RedirectResponse(path_of(before), 303)


async def rotate(visit: Visit) -> Response:
    """A new secret, this once. For a day messages carry signatures of both."""
    found, secret = await visit.services.webhooks.update(
        visit.principal, visit.named("webhook"), {"rotate_secret": True}
    )
    return _secret(visit, found, secret)


async def switch(visit: Visit) -> Response:
    """On or off; switched on, what was pending is sent."""
    status = visit.form.one("status")
    found, _ = await visit.services.webhooks.update(visit.principal, visit.named("webhook"), {"status": status})
    return RedirectResponse(path_of(found), 303)


async def test(visit: Visit) -> Response:
    """Have it told of a test, which is then among its deliveries."""
    try:
        await visit.services.webhooks.test(visit.principal, visit.named("webhook"))
    except HeadgateError as error:
        return await _shown(visit, error)
    return RedirectResponse(f"{WEBHOOKS}/{visit.named('webhook')}", 303)


async def replay(visit: Visit) -> Response:
    """The same message under the same id, once more."""
    try:
        await visit.services.webhooks.replay(visit.principal, visit.named("webhook"), visit.named("delivery"))
    except HeadgateError as error:
        return await _shown(visit, error)
    return RedirectResponse(f"{WEBHOOKS}/{visit.named('webhook')}", 303)


async def remove(visit: Visit) -> Response:
    """With its deliveries."""
    await visit.services.webhooks.delete(visit.principal, visit.named("webhook"))
    return RedirectResponse(WEBHOOKS, 303)


def path_of(webhook: Webhook) -> str:
    return f"{WEBHOOKS}/{webhook.id}"


async def _shown(visit: Visit, error: HeadgateError | None = None) -> Response:
    pager = Pager.of(visit.query)
    webhook = await visit.services.webhooks.get(visit.principal, visit.named("webhook"))
    found, total = await visit.services.webhooks.deliveries(visit.principal, webhook.id, pager.page)
    return visit.page(
        "webhook.html",
        status=error.status if error else 200,
        webhook=webhook,
        here=path_of(webhook),
        active=webhook.status is WebhookStatus.ACTIVE,
        places=await places.workspaces(visit),
        deliveries=found,
        pager=pager.over(total),
        error=error,
    )


def _secret(visit: Visit, webhook: Webhook, secret: str) -> Response:
    return visit.page("webhook_secret.html", webhook=webhook, here=path_of(webhook), text=secret)


def _typed(visit: Visit) -> dict[str, Any]:
    return {name: visit.form.one(name) for name in _TEXTS} | {"types": visit.form.all("types")}


async def _form(
    visit: Visit, webhook: Webhook | None, fields: dict[str, Any], error: HeadgateError | None = None
) -> Response:
    return visit.page(
        "webhook_form.html",
        status=error.status if error else 200,
        webhook=webhook,
        back=WEBHOOKS if webhook is None else path_of(webhook),
        fields=fields,
        types=SELECTABLE,
        workspaces=(await places.workspaces(visit)).values(),
        error=error,
    )
