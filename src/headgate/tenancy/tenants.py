"""Making and changing tenants, and looking at them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from headgate.base.errors import Conflict, InvalidRequest
from headgate.tenancy import limit_rules, rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.admission import Rules
from headgate.tenancy.admission_rules import admission_rules
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.tenant import Tenant
from headgate.tenancy.workspaces import visible_workspace


class TenantService:
    """`fields`: `tenant_id` (the platform's own name for its customer; made from the name where absent), `name`,
    `workspace_id`, `metadata`, `usage_limits`, `rate_limits`, and `admission`, which is the organization's to set."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> Tenant:
        """Raises `Conflict` where the tenant id is taken in the organization, or the name in the workspace."""

        def work(change: Change) -> Tenant:
            tenant = _new(change, fields)
            change.stores.tenants.add(tenant)
            body: dict[str, Any] = {"tenant_id": tenant.slug, "name": tenant.name, "workspace_id": tenant.workspace_id}
            body["admission"] = dict(tenant.admission)
            change.record("create", f"tenant:{tenant.id}", body)
            return tenant

        return await self._administration.change(principal, work)

    async def find(
        self, principal: Principal, page: Page, *, workspace: str | None = None
    ) -> tuple[Sequence[Tenant], int]:
        def work(stores: Stores) -> tuple[Sequence[Tenant], int]:
            within = visible_workspace(stores, principal, workspace).id if workspace else principal.workspace_id
            return stores.tenants.find(principal.organization_id, page, workspace_id=within)

        return await self._administration.transactions.read(work)

    async def get(self, principal: Principal, reference: str) -> Tenant:
        return await self._administration.transactions.read(lambda stores: visible_tenant(stores, principal, reference))

    async def update(self, principal: Principal, reference: str, fields: Mapping[str, Any]) -> Tenant:
        """What is sent takes the place of what was before; `reset_usage` starts its budgets again from zero. Its
        `tenant_id` and its workspace stay."""

        def work(change: Change) -> Tenant:
            before = visible_tenant(change.stores, principal, reference)
            tenant = _with(before, fields, change)
            if tenant.name != before.name:
                _refuse_taken_name(change.stores, tenant.workspace_id, tenant.name)
            change.stores.tenants.update(tenant)
            change.touched.workspaces.add(tenant.workspace_id)
            change.record("update", f"tenant:{tenant.id}", {"fields": sorted(fields)} | _seen(tenant))
            return tenant

        return await self._administration.change(principal, work)


def visible_tenant(stores: Stores, principal: Principal, reference: str) -> Tenant:
    """By id or the platform's name for it. Absent and foreign tenants answer alike."""
    tenant = stores.tenants.get(principal.organization_id, reference)
    if tenant is None:
        raise not_found("tenant", reference)
    principal.require_sight(tenant.workspace_id, "tenant", reference)
    return tenant


def _new(change: Change, fields: Mapping[str, Any]) -> Tenant:
    stores, principal = change.stores, change.principal
    reference = fields.get("workspace_id") or principal.workspace_id
    if reference is None:
        raise InvalidRequest(
            "`workspace_id` is missing: name the tenant's workspace by slug or id.", param="workspace_id"
        )
    workspace = visible_workspace(stores, principal, reference)
    name = rules.name(fields.get("name") or fields.get("tenant_id"))
    slug = rules.slug(fields.get("tenant_id") or rules.slug_for(name, (), "tenant"), "tenant_id")
    if stores.tenants.get(principal.organization_id, slug) is not None:
        raise Conflict(f"There is a tenant `{slug}` already.", param="tenant_id")
    _refuse_taken_name(stores, workspace.id, name)
    return Tenant(
        id=change.new_id("tnt"),
        organization_id=principal.organization_id,
        workspace_id=workspace.id,
        slug=slug,
        name=name,
        metadata=rules.metadata(fields.get("metadata"), "metadata"),
        usage_limits=limit_rules.usage_limits(fields.get("usage_limits"), now=change.now),
        rate_limits=limit_rules.rate_limits(fields.get("rate_limits")),
        admission=_admission(principal, fields),
        created_at=change.now,
        updated_at=change.now,
    )


def _with(tenant: Tenant, fields: Mapping[str, Any], change: Change) -> Tenant:
    changes: dict[str, Any] = {}
    if "name" in fields:
        changes["name"] = rules.name(fields["name"])
    if "metadata" in fields:
        changes["metadata"] = rules.metadata(fields["metadata"], "metadata")
    if "usage_limits" in fields:
        changes["usage_limits"] = limit_rules.usage_limits(
            fields["usage_limits"], now=change.now, previous=tenant.usage_limits
        )
    if "rate_limits" in fields:
        changes["rate_limits"] = limit_rules.rate_limits(fields["rate_limits"])
    if "admission" in fields:
        change.principal.require_organization()
        changes["admission"] = admission_rules(fields["admission"])
    if fields.get("reset_usage"):
        changes["usage_reset_at"] = change.now
    if not changes:
        raise InvalidRequest(
            "There is nothing to change: send at least one of name, metadata, limits, reset_usage, admission."
        )
    return replace(tenant, **changes, updated_at=change.now)


def _seen(tenant: Tenant) -> dict[str, Any]:
    return {
        "tenant_id": tenant.slug,
        "name": tenant.name,
        "metadata": dict(tenant.metadata),
        "usage_limits": [limit.document() for limit in tenant.usage_limits],
        "rate_limits": [limit.document() for limit in tenant.rate_limits],
        "admission": dict(tenant.admission),
    }


def _refuse_taken_name(stores: Stores, workspace_id: str, name: str) -> None:
    if stores.tenants.named(workspace_id, name) is not None:
        raise Conflict(f"There is a tenant named `{name}` in this workspace already.", param="name")


def _admission(principal: Principal, fields: Mapping[str, Any]) -> Rules:
    if fields.get("admission") is None:
        return {}
    principal.require_organization()  # they decide over the organization's money
    return admission_rules(fields["admission"])
