"""Giving integrations to workspaces: on or off, with a budget and rate limits of each workspace's own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headgate.base.errors import Conflict, InvalidRequest
from headgate.tenancy import rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.integration import GlobalAccess, Integration, Provisioning
from headgate.tenancy.integration_access import visible_integration
from headgate.tenancy.owner import changed
from headgate.tenancy.owner_fields import rate_limits, usage_limits
from headgate.tenancy.principal import Principal
from headgate.tenancy.provider import WorkspaceProvider
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.workspace import Workspace


class ProvisioningService:
    """Only the organization's keys provision. Workspaces are named by slug or id. A workspace sees what it has of its
    own integrations."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def get(
        self, principal: Principal, reference: str
    ) -> tuple[Integration, list[tuple[Workspace, Provisioning]]]:
        """The integration and what each workspace has of it."""

        def work(stores: Stores) -> tuple[Integration, list[tuple[Workspace, Provisioning]]]:
            integration = visible_integration(stores, principal, reference, "read")
            workspaces = {each.id: each for each in _all_workspaces(stores, integration.organization_id)}
            found = stores.integrations.provisionings(integration.id)
            return integration, [(workspaces[each.workspace_id], each) for each in found]

        return await self._administration.transactions.read(work)

    async def update(self, principal: Principal, reference: str, fields: Mapping[str, Any]) -> None:
        """`workspaces` changes those it names; `global_workspace_access` is for workspaces to come and, with
        `override_existing_workspace_access`, for all that exist."""
        principal.require_organization()

        def work(change: Change) -> None:
            integration = visible_integration(change.stores, principal, reference, "update")
            if fields.get("global_workspace_access") is not None:
                integration = _set_global_access(change, integration, fields)
            for index, entry in enumerate(fields.get("workspaces") or []):
                _set_one(change, integration, entry, f"workspaces[{index}]", fields)
            change.record("update", f"integration:{integration.id}", {"workspaces": _state(change.stores, integration)})

        await self._administration.change(principal, work)


def provision(
    change: Change, integration: Integration, provisioning: Provisioning, slug: str | None = None, *, named: bool = True
) -> None:
    """Save it and, if `named`, give the integration a provider slug in the workspace when it has none there yet.

    Raises `Conflict` where the workspace uses the slug for another integration.
    """
    before = change.stores.integrations.provisioning(integration.id, provisioning.workspace_id)
    if before is not None:
        provisioning = changed(before, provisioning, change.now)
    change.stores.integrations.save_provisioning(provisioning)
    change.touched.workspaces.add(provisioning.workspace_id)
    names = change.stores.providers.of_integration(integration.id)
    here = [each for each in names if each.workspace_id == provisioning.workspace_id]
    wanted = slug or integration.slug
    if not (named and provisioning.enabled) or (here and slug is None) or any(each.slug == wanted for each in here):
        return
    if change.stores.providers.get(provisioning.workspace_id, wanted) is not None:
        raise Conflict(
            f"The workspace has another provider `{wanted}`. Choose a `default_provider_slug`.",
            param="default_provider_slug",
        )
    change.stores.providers.add(
        WorkspaceProvider(
            id=change.new_id("prv"),
            workspace_id=provisioning.workspace_id,
            integration_id=integration.id,
            slug=wanted,
            name=integration.name,
            usage_reset_at=change.now,
            created_at=change.now,
            updated_at=change.now,
        )
    )


def _set_global_access(change: Change, integration: Integration, fields: Mapping[str, Any]) -> Integration:
    given, param = fields["global_workspace_access"], "global_workspace_access"
    access = GlobalAccess(
        enabled=_flag(given, param),
        usage_limits=usage_limits(given, integration.global_access.usage_limits, change.now, f"{param}.") or (),
        rate_limits=rate_limits(given, integration.global_access.rate_limits, f"{param}.") or (),
    )
    integration = replace(integration, global_access=access, updated_at=change.now)
    change.stores.integrations.update(integration)
    if fields.get("override_existing_workspace_access"):
        _override_all(change, integration)
    return integration


def _override_all(change: Change, integration: Integration) -> None:
    access = integration.global_access
    has_some = {each.workspace_id for each in change.stores.integrations.provisionings(integration.id)}
    for workspace in _all_workspaces(change.stores, integration.organization_id):
        if access.enabled or workspace.id in has_some:
            after = replace(
                _current(change, integration, workspace),
                enabled=access.enabled,
                usage_limits=access.usage_limits,
                rate_limits=access.rate_limits,
            )
            provision(change, integration, after)


def _set_one(
    change: Change, integration: Integration, entry: Mapping[str, Any], param: str, fields: Mapping[str, Any]
) -> None:
    reference = str(entry.get("id") or "")
    workspace = change.stores.workspaces.get(integration.organization_id, reference)
    if workspace is None:
        raise InvalidRequest(f"`{param}.id`: there is no workspace `{reference[:100]}`.", param=f"{param}.id")
    if integration.workspace_id not in (None, workspace.id):
        raise InvalidRequest(f"`{param}.id`: this integration belongs to one other workspace.", param=f"{param}.id")
    after = replace(_current(change, integration, workspace), enabled=_flag(entry, param), updated_at=change.now)
    if (budgets := usage_limits(entry, after.usage_limits, change.now, f"{param}.")) is not None:
        after = replace(after, usage_limits=budgets)
    if (rates := rate_limits(entry, after.rate_limits, f"{param}.")) is not None:
        after = replace(after, rate_limits=rates)
    if entry.get("reset_usage"):
        after = replace(after, usage_reset_at=change.now)
    slug = entry.get("default_provider_slug") or fields.get("default_provider_slug")
    named = entry.get("create_default_provider", fields.get("create_default_provider")) is not False
    checked = rules.slug(slug, f"{param}.default_provider_slug") if slug else None
    provision(change, integration, after, checked, named=named)


def _current(change: Change, integration: Integration, workspace: Workspace) -> Provisioning:
    current = change.stores.integrations.provisioning(integration.id, workspace.id)
    if current is not None:
        return replace(current, updated_at=change.now)
    return Provisioning(
        integration_id=integration.id,
        workspace_id=workspace.id,
        enabled=False,
        created_at=change.now,
        updated_at=change.now,
    )


def _flag(entry: Mapping[str, Any], param: str) -> bool:
    enabled = entry.get("enabled")
    if not isinstance(enabled, bool):
        raise InvalidRequest(f"`{param}.enabled` must be true or false.", param=f"{param}.enabled")
    return enabled


def _all_workspaces(stores: Stores, organization_id: str) -> list[Workspace]:
    return list(stores.workspaces.find(organization_id, Page(limit=1_000_000))[0])


def _state(stores: Stores, integration: Integration) -> list[dict[str, Any]]:
    return [
        {
            "id": each.workspace_id,
            "enabled": each.enabled,
            "usage_limits": [limit.document() for limit in each.usage_limits],
            "rate_limits": [limit.document() for limit in each.rate_limits],
        }
        for each in stores.integrations.provisionings(integration.id)
    ]
