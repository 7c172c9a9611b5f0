"""At which percents alerts are told, and who gets a letter: of the organization, and of each workspace."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headgate.base.errors import InvalidRequest
from headgate.ledger.alerts import DEFAULT_PERCENTS
from headgate.tenancy import limit_rules, rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.alert_setting import AlertSetting
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Stores
from headgate.tenancy.workspaces import visible_workspace


class AlertSettingService:
    """`fields`: `percents` (null: inherited) and `emails`. `workspace` is a slug or id; without it the organization's,
    for the organization's keys only."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def get(self, principal: Principal, workspace: str | None) -> AlertSetting:
        return await self._administration.transactions.read(lambda stores: _found(stores, principal, workspace))

    async def percents(self, principal: Principal, setting: AlertSetting) -> tuple[int, ...]:
        """Those in force: its own, or what it inherits."""
        if setting.percents is not None:
            return setting.percents

        def work(stores: Stores) -> AlertSetting | None:
            return stores.alert_settings.get(principal.organization_id, "")

        above = await self._administration.transactions.read(work) if setting.workspace_id else None
        return DEFAULT_PERCENTS if above is None or above.percents is None else above.percents

    async def update(self, principal: Principal, workspace: str | None, fields: Mapping[str, Any]) -> AlertSetting:
        """What is sent takes the place of what was before. Raises `InvalidRequest` naming the field."""

        def work(change: Change) -> AlertSetting:
            setting = _with(_found(change.stores, principal, workspace), fields)
            change.stores.alert_settings.save(setting)
            owner = f"workspace:{setting.workspace_id}" if setting.workspace_id else principal.organization_id
            body = {"percents": setting.percents, "emails": setting.emails}
            change.record("update", f"alerts:{owner}", body)
            return setting

        return await self._administration.change(principal, work)


def _found(stores: Stores, principal: Principal, workspace: str | None) -> AlertSetting:
    reference = workspace or principal.workspace_id
    workspace_id = visible_workspace(stores, principal, reference).id if reference else ""
    organization_id = principal.organization_id
    return stores.alert_settings.get(organization_id, workspace_id) or AlertSetting(organization_id, workspace_id)


def _with(setting: AlertSetting, fields: Mapping[str, Any]) -> AlertSetting:
    changes: dict[str, Any] = {}
    if "percents" in fields:
        changes["percents"] = limit_rules.percents(fields["percents"], "percents")
    if "emails" in fields:
        changes["emails"] = rules.addresses(fields["emails"], "emails")
    if not changes:
        raise InvalidRequest("There is nothing to change: send at least one of percents, emails.")
    return replace(setting, **changes)
