"""Making and changing tenants, and looking at them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from headgate.base.errors import Conflict, InvalidRequest
from headgate.tenancy import call_defaults, rules, short_limits, tenant_rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.admission_rules import admission_rules
from headgate.tenancy.capacity_rules import weight
from headgate.tenancy.model_names import model_names
from headgate.tenancy.owner import changed
from headgate.tenancy.owner_fields import limit_changes
from headgate.tenancy.portal import portal_document
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.routing_table_rules import routing_document
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.tenant import Tenant
from headgate.tenancy.workspaces import names_of_workspace, visible_workspace


class TenantService:
    """`fields`: `tenant_id` (the platform's own name for its customer; made from the name where absent), `name`,
    `workspace_id`, `tier`, `allowed_models`, `default_model`, `downgrade`, `status`, `metadata`, `usage_limits`,
    `rate_limits`, `routing_table`, `portal`, the names of `short_limits`, and `admission` and `weight`, which are the
    organization's to set.

    What is not sent limits nothing: a tenant without limits may use what its workspace may.
    """

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> Tenant:
        """Raises `Conflict` where the tenant id is taken in the organization, or the name in the workspace."""

        def work(change: Change) -> Tenant:
            tenant = _new(change, fields)
            change.stores.tenants.add(tenant)
            change.touched.workspaces.add(tenant.workspace_id)  # for those who remember that there is no such tenant
            change.record("create", f"tenant:{tenant.id}", _seen(tenant))
            return tenant

        return await self._administration.change(principal, work)

    async def find(
        self, principal: Principal, page: Page, *, workspace: str | None = None, name: str | None = None
    ) -> tuple[Sequence[Tenant], int]:
        """`name`: a part of the name, or of the platform's name for it."""
        if name is not None:
            rules.text(name, "name", rules.NAME_LENGTH)

        def work(stores: Stores) -> tuple[Sequence[Tenant], int]:
            within = visible_workspace(stores, principal, workspace).id if workspace else principal.workspace_id
            return stores.tenants.find(principal.organization_id, page, workspace_id=within, name=name)

        return await self._administration.transactions.read(work)

    async def get(self, principal: Principal, reference: str) -> Tenant:
        return await self._administration.transactions.read(lambda stores: visible_tenant(stores, principal, reference))

    async def update(self, principal: Principal, reference: str, fields: Mapping[str, Any]) -> Tenant:
        """What is sent takes the place of what was before; `reset_usage` starts its budgets again from zero. Its
        `tenant_id` and its workspace stay."""

        def work(change: Change) -> Tenant:
            before = visible_tenant(change.stores, principal, reference)
            within = names_of_workspace(change.stores, before.organization_id, before.workspace_id)
            rules.refuse_moved("tenant", fields, {"tenant_id": (None, before.slug), "workspace_id": within})
            tenant = changed(before, _with(before, fields, change), change.now)
            if tenant.name != before.name:
                _refuse_taken_name(change.stores, tenant.workspace_id, tenant.name)
            change.stores.tenants.update(tenant)
            change.touched.workspaces.add(tenant.workspace_id)
            change.record("update", f"tenant:{tenant.id}", {"fields": sorted(fields)} | _seen(tenant))
            return tenant

        return await self._administration.change(principal, work)

    async def delete(self, principal: Principal, reference: str) -> None:
        """Its usage records stay, and name it by its id. Raises `Conflict` while it has keys."""

        def work(change: Change) -> None:
            tenant = visible_tenant(change.stores, principal, reference)
            _refuse_in_use(change.stores, tenant)
            change.stores.tenants.remove(tenant.id)
            change.touched.workspaces.add(tenant.workspace_id)
            change.record("delete", f"tenant:{tenant.id}", _seen(tenant))

        await self._administration.change(principal, work)


def visible_tenant(stores: Stores, principal: Principal, reference: str) -> Tenant:
    """By id or the platform's name for it. Absent and foreign tenants answer alike."""
    tenant = stores.tenants.get(principal.organization_id, reference)
    if tenant is None:
        raise not_found("tenant", reference)
    principal.require_sight(tenant.workspace_id, "tenant", reference)
    if principal.tenant_id not in (None, tenant.id):
        raise not_found("tenant", reference)
    return tenant


def _new(change: Change, fields: Mapping[str, Any]) -> Tenant:
    stores, principal = change.stores, change.principal
    reference = fields.get("workspace_id") or principal.workspace_id
    if reference is None:
        raise InvalidRequest(
            "`workspace_id` is missing: name the tenant's workspace by slug or id.", param="workspace_id"
        )
    workspace = visible_workspace(stores, principal, reference)
    name = rules.name(fields.get("name") or fields.get("tenant_id") or "")

    def taken(slug: str) -> bool:
        return stores.tenants.get(principal.organization_id, slug) is not None

    given = fields.get("tenant_id")
    slug = rules.slug(given, "tenant_id") if given else rules.slug_for(name, taken, "tenant")
    if taken(slug):
        raise Conflict(f"There is a tenant `{slug}` already.", param="tenant_id")
    _refuse_taken_name(stores, workspace.id, name)
    blank = Tenant(
        id=change.new_id("tnt"),
        organization_id=principal.organization_id,
        workspace_id=workspace.id,
        slug=slug,
        name=name,
        created_at=change.now,
        updated_at=change.now,
    )
    return _with(blank, {**fields, "name": name}, change)


def _with(tenant: Tenant, fields: Mapping[str, Any], change: Change) -> Tenant:
    changes = {field: read(fields[field]) for field, read in _READERS.items() if field in fields}
    if "status" in fields:
        changes["suspended"] = tenant_rules.suspended(fields["status"])
    changes |= _limits(tenant, fields, change)
    if fields.get("admission") is not None or ("admission" in fields and tenant.admission):
        change.principal.require_organization()  # they decide over the organization's money
        changes["admission"] = admission_rules(fields["admission"])
    if "weight" in fields and (value := weight(fields["weight"])) != tenant.weight:
        change.principal.require_organization()  # what one tenant gets more, those of other workspaces get less
        changes["weight"] = value
    if "routing_table" in fields:
        changes["routing"] = routing_document(fields["routing_table"])
    if not changes:
        raise InvalidRequest(
            "There is nothing to change: send at least one of name, tier, status, allowed_models, default_model, "
            "downgrade, metadata, limits, reset_usage, admission, routing_table, portal."
        )
    changed = replace(tenant, **changes, updated_at=change.now)
    tenant_rules.refuse_unreachable_default(changed)
    call_defaults.refuse_not_conforming_tenant(changed, change)
    return changed


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": rules.name,
    "tier": tenant_rules.tier,
    "allowed_models": lambda value: model_names(value, "allowed_models"),
    "default_model": tenant_rules.default_model,
    "downgrade": tenant_rules.downgrade,
    "metadata": lambda value: rules.metadata(value, "metadata"),
    "portal": portal_document,
}


def _limits(tenant: Tenant, fields: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """Those that differ now, in whichever spelling they came."""
    changes = limit_changes(tenant, fields, change.now)
    if {"usage_limits", "rate_limits", *short_limits.NAMES}.isdisjoint(fields):
        return changes
    budgets = changes.get("usage_limits", tenant.usage_limits)
    rates = changes.get("rate_limits", tenant.rate_limits)
    return changes | {
        "usage_limits": short_limits.with_short_budgets(budgets, fields),
        "rate_limits": short_limits.with_short_rate(rates, fields),
    }


def _seen(tenant: Tenant) -> dict[str, Any]:
    return {
        "tenant_id": tenant.slug,
        "workspace_id": tenant.workspace_id,
        "name": tenant.name,
        "tier": tenant.tier,
        "allowed_models": tenant.allowed_models,
        "default_model": tenant.default_model,
        "downgrade": tenant.downgrade.document() if tenant.downgrade else None,
        "status": tenant.status,
        "metadata": dict(tenant.metadata),
        "usage_limits": [limit.document() for limit in tenant.usage_limits],
        "rate_limits": [limit.document() for limit in tenant.rate_limits],
        "admission": dict(tenant.admission),
        "weight": tenant.weight,
        "routing_table": dict(tenant.routing),
        "portal": dict(tenant.portal),
    }


def _refuse_taken_name(stores: Stores, workspace_id: str, name: str) -> None:
    if stores.tenants.named(workspace_id, name) is not None:
        raise Conflict(f"There is a tenant named `{name}` in this workspace already.", param="name")


def _refuse_in_use(stores: Stores, tenant: Tenant) -> None:
    keys = stores.api_keys.find(tenant.organization_id, Page(limit=1), tenant_id=tenant.id)[1]
    if keys:
        raise Conflict(
            f"The tenant `{tenant.slug}` still has {keys} API key{'s' if keys > 1 else ''}. Revoke them first, or set "
            "its `status` to `suspended`: then none of its calls is taken."
        )
