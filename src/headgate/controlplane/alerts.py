"""`/admin/alerts`: at which percents of a budget alerts are told, and who gets a letter."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane import alert_views
from headgate.controlplane.alert_bodies import AlertSettingChange
from headgate.controlplane.answers import Answer, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.paging import Paged
from headgate.tenancy.alert_setting import AlertSetting
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/admin/alerts", tags=["alerts"], route_class=AuthenticatedRoute)


@router.get("")
async def get(
    services: WithServices, principal: Annotated[Principal, needs("webhooks.read")], workspace_id: str | None = None
) -> Answer:
    """Of the organization, or of one workspace, by slug or id."""
    return await _shown(services, principal, await services.alert_settings.get(principal, workspace_id))


@router.get("/sent")
async def sent(services: WithServices, page: Paged, principal: Annotated[Principal, needs("webhooks.read")]) -> Answer:
    """What was told lately, the latest first, and to whom; for a workspace's key what is about its workspace."""
    found, total = await services.sent_alerts.find(principal, page)
    return listing([alert_views.sent(each) for each in found], total)


@router.put("")
async def update(
    body: AlertSettingChange,
    services: WithServices,
    principal: Annotated[Principal, needs("webhooks.update")],
    workspace_id: str | None = None,
) -> Answer:
    """Change what is sent. `percents` null goes back to what is inherited, an empty list turns them off."""
    setting = await services.alert_settings.update(principal, workspace_id, body.sent())
    return await _shown(services, principal, setting)


async def _shown(services: WithServices, principal: Principal, setting: AlertSetting) -> Answer:
    return Answer(
        {
            "object": "alert-settings",
            "workspace_id": setting.workspace_id or None,
            "percents": setting.percents,
            "percents_in_force": await services.alert_settings.percents(principal, setting),
            "emails": setting.emails,
        }
    )
