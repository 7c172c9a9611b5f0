"""Making, changing and removing workspaces."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from headgate.base.errors import Conflict, InvalidRequest
from headgate.tenancy import call_defaults, rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.integration import Provisioning
from headgate.tenancy.membership import add_member
from headgate.tenancy.owner import changed
from headgate.tenancy.owner_fields import call_changes, limit_changes
from headgate.tenancy.portal import portal_document
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.provisioning import provision
from headgate.tenancy.roles import WorkspaceRole
from headgate.tenancy.stores import Match, Page, Stores
from headgate.tenancy.users import existing_user
from headgate.tenancy.workspace import Workspace


class WorkspaceService:
    """`fields` are the contract's, only those that were sent. Only the organization's keys make and change workspaces;
    a workspace's key sees its own."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> Workspace:
        """Raises `InvalidRequest`, and `Conflict` where the name or slug is taken."""
        principal.require_organization()
        return await self._administration.change(principal, lambda change: create_workspace(change, fields))

    async def find(
        self, principal: Principal, page: Page, *, name: str | None = None, by: Match = "part"
    ) -> tuple[Sequence[Workspace], int]:
        if name is not None:
            rules.text(name, "name", rules.NAME_LENGTH)
        return await self._administration.transactions.read(
            lambda stores: stores.workspaces.find(
                principal.organization_id, page, only=principal.workspace_id, name=name, by=by
            )
        )

    async def get(self, principal: Principal, reference: str) -> Workspace:
        return await self._administration.transactions.read(
            lambda stores: visible_workspace(stores, principal, reference)
        )

    async def update(self, principal: Principal, reference: str, fields: Mapping[str, Any]) -> Workspace:
        principal.require_organization()

        def work(change: Change) -> Workspace:
            before = visible_workspace(change.stores, principal, reference)
            after = changed(before, _with(before, fields, change), change.now)
            if after.name != before.name:
                _refuse_taken_name(change.stores, after)
            change.stores.workspaces.update(after)
            change.touched.workspaces.add(after.id)
            change.record(
                "update", f"workspace:{after.id}", {"slug": after.slug, "fields": sorted(fields)} | _seen(after)
            )
            return after

        return await self._administration.change(principal, work)

    async def delete(self, principal: Principal, reference: str) -> None:
        """Raises `Conflict` for the default workspace and for one that still holds tenants, keys or integrations."""
        principal.require_organization()

        def work(change: Change) -> None:
            workspace = visible_workspace(change.stores, principal, reference)
            _refuse_in_use(change.stores, workspace)
            change.stores.workspaces.remove(workspace.id)
            change.touched.workspaces.add(workspace.id)
            change.record("delete", f"workspace:{workspace.id}", {"slug": workspace.slug})

        await self._administration.change(principal, work)


def visible_workspace(stores: Stores, principal: Principal, reference: str) -> Workspace:
    """By id or slug. Raises the same `NotFound` for an absent workspace and one the principal may not see."""
    workspace = stores.workspaces.get(principal.organization_id, reference)
    if workspace is None:
        raise not_found("workspace", reference)
    principal.require_sight(workspace.id, "workspace", reference)
    return workspace


def names_of_workspace(stores: Stores, organization_id: str, workspace_id: str | None) -> tuple[str | None, ...]:
    """All that may be said where it cannot be changed: nothing, its id, its slug."""
    workspace = stores.workspaces.get(organization_id, workspace_id) if workspace_id else None
    return (None, workspace.id, workspace.slug) if workspace else (None,)


def create_workspace(change: Change, fields: Mapping[str, Any], *, is_default: bool = False) -> Workspace:
    """Within a change under way; with everything that the organization's integrations give to new workspaces."""
    organization_id = change.principal.organization_id

    def taken(slug: str) -> bool:
        return change.stores.workspaces.get(organization_id, slug) is not None  # an id would hide it, too

    name = rules.name(fields.get("name"))
    slug = rules.slug(fields["slug"]) if fields.get("slug") else rules.slug_for(name, taken, "workspace")
    if taken(slug):
        raise Conflict(f"There is a workspace with the slug `{slug}` already.", param="slug")
    blank = Workspace(
        id=change.new_id("ws"),
        organization_id=organization_id,
        slug=slug,
        name=name,
        is_default=is_default,
        created_at=change.now,
        updated_at=change.now,
    )
    workspace = _with(blank, fields, change)
    _refuse_taken_name(change.stores, workspace)
    change.stores.workspaces.add(workspace)
    change.record("create", f"workspace:{workspace.id}", {"slug": slug} | _seen(workspace))
    for user_id in rules.texts(fields.get("users"), "users"):
        user = existing_user(change.stores, change.principal, user_id)
        add_member(change, workspace.id, user.id, WorkspaceRole.MEMBER)
    _provision_global(change, workspace)
    return workspace


def _provision_global(change: Change, workspace: Workspace) -> None:
    integrations, _ = change.stores.integrations.find(workspace.organization_id, Page())
    for integration in integrations:
        access = integration.global_access
        if access.enabled:
            provisioning = Provisioning(
                integration_id=integration.id,
                workspace_id=workspace.id,
                enabled=True,
                usage_limits=access.usage_limits,
                rate_limits=access.rate_limits,
                created_at=change.now,
                updated_at=change.now,
            )
            provision(change, integration, provisioning)


def _with(workspace: Workspace, fields: Mapping[str, Any], change: Change) -> Workspace:
    changes: dict[str, Any] = {}
    if "name" in fields:
        changes["name"] = rules.name(fields["name"])
    if "description" in fields:
        changes["description"] = rules.text(fields["description"] or "", "description")
    if "defaults" in fields:
        changes |= call_defaults.of_workspace(workspace, fields["defaults"], change)
    changes |= limit_changes(workspace, fields, change.now) | call_changes(fields)
    if "portal" in fields:
        changes["portal"] = portal_document(fields["portal"])
    if not changes:
        raise InvalidRequest(
            "There is nothing to change: send at least one of name, description, defaults, limits, reset_usage, "
            "admission, routing_table, portal."
        )
    return call_defaults.conforming_workspace(replace(workspace, **changes, updated_at=change.now), change)


def _seen(workspace: Workspace) -> dict[str, Any]:
    return {
        "name": workspace.name,
        "metadata": dict(workspace.metadata),
        "config_id": workspace.config_id,
        "allow_config_override": workspace.allow_config_override,
        "input_guardrails": list(workspace.input_guardrails),
        "output_guardrails": list(workspace.output_guardrails),
        "usage_limits": [limit.document() for limit in workspace.usage_limits],
        "rate_limits": [limit.document() for limit in workspace.rate_limits],
        "admission": dict(workspace.admission),
        "routing_table": dict(workspace.routing),
        "portal": dict(workspace.portal),
    }


def _refuse_taken_name(stores: Stores, workspace: Workspace) -> None:
    if stores.workspaces.named(workspace.organization_id, workspace.name) is not None:
        raise Conflict(f"There is a workspace named `{workspace.name}` already.", param="name")


def _refuse_in_use(stores: Stores, workspace: Workspace) -> None:
    if workspace.is_default:
        raise Conflict("The default workspace cannot be deleted.")
    one = Page(limit=1)
    organization_id = workspace.organization_id
    held = {
        "tenants": stores.tenants.find(organization_id, one, workspace_id=workspace.id)[1],
        "API keys": stores.api_keys.find(organization_id, one, workspace_id=workspace.id)[1],
        "integrations of its own": stores.integrations.owned_by(workspace.id),
    }
    found = ", ".join(f"{count} {noun}" for noun, count in held.items() if count)
    if found:
        raise Conflict(f"The workspace `{workspace.slug}` still holds {found}. Remove those first.")
