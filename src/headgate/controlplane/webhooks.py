"""`/admin/webhooks`: who is told what happens, and how telling them went."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane import alert_views
from headgate.controlplane.alert_bodies import NewWebhook, WebhookChange
from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.paging import Paged
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/admin/webhooks", tags=["webhooks"], route_class=AuthenticatedRoute)

Reader = Annotated[Principal, needs("webhooks.read")]
Changer = Annotated[Principal, needs("webhooks.update")]


@router.post("")
async def create(
    body: NewWebhook, services: WithServices, principal: Annotated[Principal, needs("webhooks.create")]
) -> Answer:
    """Make a webhook. `secret` in the answer is the only time it is shown."""
    found, secret = await services.webhooks.create(principal, body.sent())
    return Answer(alert_views.webhook(found) | {"secret": secret})


@router.get("")
async def find(services: WithServices, page: Paged, principal: Annotated[Principal, needs("webhooks.list")]) -> Answer:
    """All webhooks; for a workspace's key those of its workspace."""
    found, total = await services.webhooks.find(principal, page)
    return listing([alert_views.webhook(each) for each in found], total)


@router.get("/{webhook_id}")
async def get(webhook_id: str, services: WithServices, principal: Reader) -> Answer:
    """One webhook: everything but its secret."""
    return Answer(alert_views.webhook(await services.webhooks.get(principal, webhook_id)))


@router.put("/{webhook_id}")
async def update(webhook_id: str, body: WebhookChange, services: WithServices, principal: Changer) -> Answer:
    """Change what is sent. `status` `active` brings a disabled one back; `rotate_secret` shows a new secret once."""
    found, secret = await services.webhooks.update(principal, webhook_id, body.sent())
    return Answer(alert_views.webhook(found) | ({"secret": secret} if secret else {}))


@router.delete("/{webhook_id}")
async def delete(
    webhook_id: str, services: WithServices, principal: Annotated[Principal, needs("webhooks.delete")]
) -> Answer:
    """Remove a webhook and its deliveries."""
    await services.webhooks.delete(principal, webhook_id)
    return done()


@router.post("/{webhook_id}/test")
async def test(webhook_id: str, services: WithServices, principal: Changer) -> Answer:
    """Have it told of a `webhook.test`; its deliveries show how that went."""
    return Answer(alert_views.pending(await services.webhooks.test(principal, webhook_id)))


@router.get("/{webhook_id}/deliveries")
async def deliveries(webhook_id: str, services: WithServices, page: Paged, principal: Reader) -> Answer:
    """What it was told, the latest first, with every attempt and the first bytes of each answer."""
    found, total = await services.webhooks.deliveries(principal, webhook_id, page)
    return listing([alert_views.delivery(*each) for each in found], total)


@router.post("/{webhook_id}/deliveries/{delivery_id}/replay")
async def replay(webhook_id: str, delivery_id: str, services: WithServices, principal: Changer) -> Answer:
    """Deliver the same message once more, under the same id."""
    return Answer(alert_views.pending(await services.webhooks.replay(principal, webhook_id, delivery_id)))
