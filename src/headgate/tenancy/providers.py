"""Making, changing and removing providers: an integration under another name in a workspace, with limits of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from headgate.base.errors import Conflict, InvalidRequest
from headgate.tenancy import moments, rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.integration import Integration, Provisioning
from headgate.tenancy.owner import changed
from headgate.tenancy.owner_fields import limit_changes
from headgate.tenancy.page import Page
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.provider import WorkspaceProvider
from headgate.tenancy.stores import Stores
from headgate.tenancy.workspaces import names_of_workspace, visible_workspace

Provided = tuple[WorkspaceProvider, Integration]
"""A provider, and the integration it is a name of."""


class ProviderService:
    """`fields` are the contract's, only those that were sent: `name`, `integration_id`, `workspace_id`, `slug`, `note`,
    `usage_limits`, `rate_limits`, `expires_at`, `reset_usage`. A workspace's key acts in its workspace; others name it,
    by slug or id, wherever a provider's slug alone does not say which one is meant."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> WorkspaceProvider:
        """On an integration that the workspace has been given. Raises `Conflict` where the slug is taken."""

        def work(change: Change) -> WorkspaceProvider:
            workspace_id = workspace_for(change.stores, principal, fields.get("workspace_id"))
            integration = _provisioned(change.stores, principal, fields.get("integration_id"), workspace_id)
            return create_provider(change, integration, workspace_id, fields)

        return await self._administration.change(principal, work)

    async def find(
        self, principal: Principal, page: Page, *, workspace: str | None = None
    ) -> tuple[Sequence[Provided], int]:
        """All that the principal may see, or those of one workspace."""

        def work(stores: Stores) -> tuple[Sequence[Provided], int]:
            within = visible_workspace(stores, principal, workspace).id if workspace else principal.workspace_id
            return stores.providers.find(principal.organization_id, page, workspace_id=within)

        return await self._administration.transactions.read(work)

    async def in_force(
        self, principal: Principal, workspace: str
    ) -> Sequence[tuple[WorkspaceProvider, Integration, Provisioning]]:
        """Those that calls of one workspace may go to, each with what the workspace has of its integration."""
        return await self._administration.transactions.read(
            lambda stores: stores.providers.in_workspace(visible_workspace(stores, principal, workspace).id)
        )

    async def get(self, principal: Principal, slug: str, workspace: str | None = None) -> Provided:
        return await self._administration.transactions.read(
            lambda stores: visible_provider(stores, principal, slug, workspace)
        )

    async def update(
        self, principal: Principal, slug: str, fields: Mapping[str, Any], workspace: str | None = None
    ) -> WorkspaceProvider:
        """What is sent takes the place of what was before; `reset_usage` starts its budgets again from zero. Its slug
        and its integration stay."""

        def work(change: Change) -> WorkspaceProvider:
            before, of = visible_provider(change.stores, principal, slug, workspace)
            within = names_of_workspace(change.stores, of.organization_id, before.workspace_id)
            stays = {"slug": (None, before.slug), "integration_id": (None, of.id, of.slug), "workspace_id": within}
            rules.refuse_moved("provider", fields, stays)
            return update_provider(change, before, fields)

        return await self._administration.change(principal, work)

    async def delete(self, principal: Principal, slug: str, workspace: str | None = None) -> None:
        """The workspace keeps the integration, under its other names if it has any."""

        def work(change: Change) -> None:
            provider, _ = visible_provider(change.stores, principal, slug, workspace)
            remove_provider(change, provider)

        await self._administration.change(principal, work)


def workspace_for(stores: Stores, principal: Principal, reference: object) -> str:
    """The id of the workspace that is named, else of the principal's own. Raises `InvalidRequest` for neither."""
    named = reference or principal.workspace_id
    if not isinstance(named, str):
        raise InvalidRequest(
            "`workspace_id` is missing: with an admin key, name the workspace by slug or id.", param="workspace_id"
        )
    return visible_workspace(stores, principal, named).id


def visible_provider(
    stores: Stores, principal: Principal, slug: str, workspace: str | None, *, own: bool = False, noun: str = "provider"
) -> Provided:
    """By slug, in the workspace that is named or else in the only one that has it. `own`: on an integration of its
    workspace's own. Absent and foreign ones answer alike."""
    within = visible_workspace(stores, principal, workspace).id if workspace else principal.workspace_id
    two = Page(limit=2)
    found, _ = stores.providers.find(principal.organization_id, two, workspace_id=within, slug=slug, own=own)
    if not found:
        raise not_found(noun, slug)
    if len(found) > 1:
        raise InvalidRequest(
            f"Several workspaces have a {noun} `{slug}`: name one of them with `workspace_id`.", param="workspace_id"
        )
    return found[0]


def create_provider(
    change: Change, integration: Integration, workspace_id: str, fields: Mapping[str, Any]
) -> WorkspaceProvider:
    """Within a change under way."""
    name = rules.name(fields.get("name"))
    taken = {each.slug for each, _ in _of_workspace(change.stores, change.principal.organization_id, workspace_id)}
    slug = (
        rules.slug(fields["slug"]) if fields.get("slug") else rules.slug_for(name, taken.__contains__, integration.slug)
    )
    if slug in taken:
        raise Conflict(f"The workspace has a provider `{slug}` already.", param="slug")
    blank = WorkspaceProvider(
        id=change.new_id("prv"),
        workspace_id=workspace_id,
        integration_id=integration.id,
        slug=slug,
        name=name,
        usage_reset_at=change.now,
        created_at=change.now,
        updated_at=change.now,
    )
    provider = _with(blank, fields, change)
    change.stores.providers.add(provider)
    change.touched.workspaces.add(workspace_id)
    change.record("create", f"provider:{provider.id}", {"integration_id": integration.id} | _seen(provider))
    return provider


def update_provider(change: Change, before: WorkspaceProvider, fields: Mapping[str, Any]) -> WorkspaceProvider:
    """Within a change under way."""
    after = changed(before, replace(_with(before, fields, change), updated_at=change.now), change.now)
    change.stores.providers.update(after)
    change.touched.workspaces.add(after.workspace_id)
    change.record("update", f"provider:{after.id}", {"fields": sorted(fields)} | _seen(after))
    return after


def remove_provider(change: Change, provider: WorkspaceProvider) -> None:
    """Within a change under way."""
    change.stores.providers.remove(provider.id)
    change.touched.workspaces.add(provider.workspace_id)
    change.record("delete", f"provider:{provider.id}", {"slug": provider.slug, "workspace_id": provider.workspace_id})


def _of_workspace(stores: Stores, organization_id: str, workspace_id: str) -> Sequence[Provided]:
    return stores.providers.find(organization_id, Page(limit=1_000_000), workspace_id=workspace_id)[0]


def _provisioned(stores: Stores, principal: Principal, reference: object, workspace_id: str) -> Integration:
    """To a workspace's key there is no integration but those its workspace has."""
    named = rules.name(reference, "integration_id")
    integration = stores.integrations.get(principal.organization_id, named)
    provisioning = stores.integrations.provisioning(integration.id, workspace_id) if integration is not None else None
    given = provisioning is not None and provisioning.enabled
    if integration is None or (principal.workspace_id is not None and not given):
        raise not_found("integration", named)
    if not given:
        raise InvalidRequest(
            f"The integration `{integration.slug}` is not provisioned to this workspace. Give it to the workspace "
            f"first: PUT /v1/integrations/{integration.slug}/workspaces.",
            param="integration_id",
        )
    return integration


def _with(provider: WorkspaceProvider, fields: Mapping[str, Any], change: Change) -> WorkspaceProvider:
    changes: dict[str, Any] = {}
    if "name" in fields:
        changes["name"] = rules.name(fields["name"])
    if "note" in fields:
        changes["note"] = rules.text(fields["note"] or "", "note")
    changes |= limit_changes(provider, fields, change.now)
    if "expires_at" in fields:
        changes["expires_at"] = moments.end(fields["expires_at"], change.now, provider.expires_at)
    return replace(provider, **changes)


def _seen(provider: WorkspaceProvider) -> dict[str, Any]:
    return {
        "workspace_id": provider.workspace_id,
        "slug": provider.slug,
        "name": provider.name,
        "usage_limits": [limit.document() for limit in provider.usage_limits],
        "rate_limits": [limit.document() for limit in provider.rate_limits],
        "expires_at": provider.expires_at,
    }
